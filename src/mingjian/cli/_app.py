"""The application: its verbs, and how errors leave it."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer

from mingjian.base.errors import MingjianError
from mingjian.cli import _attest, _backup, _demo, _evidence, _keys, _ledger, _make, _office, _papers, _reckon
from mingjian.cli._options import face

app = typer.Typer(
    name="mingjian",
    help="Evidence in, verifiable portraits and certificates out. 明鉴：证据进，可核验的画像与凭证出。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (_make, _evidence, _reckon, _attest, _papers, _office, _ledger, _keys, _backup, _demo):
    module.register(app)
# The verbs of later floors, which this one may not import.
for verb in sorted(entry_points(group="mingjian.verbs"), key=lambda found: found.name):
    app.command(verb.name)(verb.load())


def main() -> None:
    """Run the command line. Errors say what, where, why and the remedy, and set the exit code."""
    try:
        app()
    except MingjianError as error:
        sys.exit(face("--json" in sys.argv).fail(error))
