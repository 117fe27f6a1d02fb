"""The web face: pages over a workspace for each person in the programme. No logic of its own.

Importing this costs nothing: the command line does so on every call, to know the verb `serve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mingjian.web._serve import serve
from mingjian.web._settings import Oidc, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from mingjian.workspace import Workspace

__all__ = ["Oidc", "Settings", "create_app", "serve"]


def create_app(workspace: Workspace, settings: Settings) -> FastAPI:
    """The web face of a workspace. Raises Misuse where it does not say which of several programmes is shown."""
    from mingjian.web._app import create_app

    return create_app(workspace, settings)
