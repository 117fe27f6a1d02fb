"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.base.errors import Misuse
from mingjian.cli._face import Face

if TYPE_CHECKING:
    from mingjian.declare import Scheme
    from mingjian.workspace import Workspace

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's directory.", envvar="MINGJIAN_WORKSPACE")
]
SchemeName = Annotated[str, typer.Option("--scheme", "-s", help="The scheme, where the workspace runs several.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Size = Annotated[int | None, typer.Option("--size", help="As of this many ledger entries (default: now).")]
By = Annotated[str, typer.Option("--by", help="Who does it (default: the user of this machine).")]
StatementName = Annotated[str, typer.Argument(help="A statement type of the scheme.")]
PeriodName = Annotated[str, typer.Argument(help="2021, 2021Q3, 2021-08 ...")]
Into = Annotated[Path | None, typer.Option(help="The folder of what was issued (default: issued/ in the workspace).")]
Account = Annotated[
    str,
    typer.Option("--as", help="Whose desk it is: an account. Whoever holds the workspace's directory may sit at any."),
]
Subjects = Annotated[list[str] | None, typer.Option("--subject", help="Only these subjects and those below them.")]

HERE = Path()


def issued(into: Path | None, workspace: Path) -> Path:
    """The folder of what was issued."""
    return into or workspace / "issued"


def opened(folder: Path, scheme: str, size: int | None = None) -> tuple[Workspace, Scheme]:
    """A workspace, and its scheme of that name (its only one, for ""), as of a ledger size. Raises as `Workspace` does."""
    from mingjian.workspace import Workspace

    workspace = Workspace.open(folder)
    return workspace, workspace.scheme(scheme, size)


def face(json: bool) -> Face:
    """The face for a command: Chinese where MINGJIAN_LANG, or else LANG, asks for it."""
    asked = os.environ.get("MINGJIAN_LANG") or os.environ.get("LANG", "")
    return Face(json, "zh" if asked.lower().startswith("zh") else "en")


def actor(by: str) -> str:
    """Who acts. Raises Misuse where neither an option nor the machine says so."""
    name = by or os.environ.get("MINGJIAN_USER") or os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    if not name:
        try:
            import pwd

            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError as error:
            raise Misuse("who does it?", remedy="say it with --by, or in MINGJIAN_USER") from error
    return name
