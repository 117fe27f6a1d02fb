"""The command line: verbs over a workspace. No logic of its own; every command answers in text or JSON.

Exit codes: 0 good, 1 findings or a differing verdict, 2 misuse.
"""

from mingjian.cli._app import app, main
from mingjian.cli._options import face

__all__ = ["app", "face", "main"]
