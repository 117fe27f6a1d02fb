"""`template` and `add`: evidence out to a form and back in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import HERE, By, Folder, Json, SchemeName, actor, face, opened

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("template")(template)
    app.command("add")(add)


def template(
    kind: Annotated[str, typer.Argument(help="An evidence type.")],
    file: Annotated[Path, typer.Argument(help="The workbook to write (.xlsx).")],
    filled: Annotated[bool, typer.Option("--filled", help="With the rows there are, to edit and add back.")] = False,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Write the Excel sheet to fill for an evidence type."""
    shown = face(json)
    there, declared = opened(workspace, scheme)
    rows = there.template(declared, kind, file, filled=filled)
    shown.say(
        {"file": str(file), "rows": rows},
        lambda c: c.print(f"{shown.word('written')} {file} ({rows} {shown.word('rows')})"),
    )


def add(
    kind: Annotated[str, typer.Argument(help='An evidence type, "subject", or "scheme".')],
    file: Annotated[
        Path, typer.Argument(help="The rows (.xlsx .csv .parquet .jsonl), or the scheme's name or folder.")
    ],
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Mark the rows, and all that is drawn from them, synthetic.")
    ] = False,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Take rows in, or record a scheme as it is now. A batch lands whole or not at all; the same file twice changes nothing."""
    from mingjian.workspace import Workspace

    shown = face(json)
    if kind == "scheme":
        adopted = Workspace.open(workspace).adopt(str(file), actor(by))
        data = {"scheme": adopted.id, "version": adopted.version, "fingerprint": adopted.fingerprint}
        shown.say(data, lambda c: c.print(f"{shown.word('adopted')}: {adopted.id} {adopted.version}", markup=False))
        return
    there, declared = opened(workspace, scheme)
    taken = there.add_file(declared, kind, file, actor(by), synthetic=synthetic)

    def text(console: Console) -> None:
        if taken.known is not None:
            console.print(f"{file}: {shown.word('known')} ({shown.word('entry')} {taken.known.index})", markup=False)
            return
        entry = "" if taken.entry is None else f" ({shown.word('entry')} {taken.entry.index})"
        console.print(f"{file}: {taken.rows} {shown.word('rows')} {shown.word('taken')}{entry}", markup=False)
        if taken.refused:
            console.print(f"{taken.refused} {shown.word('rows')} {shown.word('left_out')}:", markup=False)
            shown.findings(taken.findings, console)

    known = taken.known.index if taken.known is not None else None
    outcome = {
        "entry": taken.entry.index if taken.entry is not None else known,
        "rows": taken.rows,
        "refused": taken.refused,
        "known": known is not None,
        "findings": [f.to_json() for f in taken.findings],
    }
    shown.say(outcome, text)
    raise typer.Exit(1 if taken.findings else 0)
