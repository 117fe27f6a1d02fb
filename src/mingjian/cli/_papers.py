"""`table` and `letter`: what an office sends out besides statements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.base.errors import Misuse
from mingjian.cli._options import HERE, Folder, Json, PeriodName, SchemeName, StatementName, face, opened

if TYPE_CHECKING:
    from mingjian.cli._face import Face


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("table")(table)
    app.command("letter")(letter)


def table(
    statement: StatementName,
    period: PeriodName,
    file: Annotated[Path, typer.Argument(help="The file to write: .xlsx or .pdf.")],
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Write the evaluation table of all subjects of a statement type, as a workbook or on paper."""
    from mingjian.base.values import Period
    from mingjian.workspace import evaluation, table_pdf, workbook

    shown = face(json)
    ending = _place(file, (".xlsx", ".pdf"))
    there, declared = opened(workspace, scheme)
    found = evaluation(there, declared, statement, Period.parse(period))
    book = ending == ".xlsx"
    content = workbook(found, shown.language) if book else table_pdf(found, shown.language, at=there.clock())
    _write(file, content, shown)


def letter(
    subject: Annotated[str, typer.Argument(help="To whom.")],
    period: PeriodName,
    file: Annotated[Path, typer.Argument(help="The file to write (.pdf).")],
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Write the feedback letter to a subject: what was found in a period, and what is to be put right by when."""
    from mingjian.base.values import Period
    from mingjian.workspace import letter as letter_of

    shown = face(json)
    _place(file, (".pdf",))
    there, declared = opened(workspace, scheme)
    content = letter_of(there, declared, subject, Period.parse(period), shown.language)
    _write(file, content, shown)


def _place(file: Path, endings: tuple[str, ...]) -> str:
    """The ending of a file that can be written. Raises Misuse for another ending, and where there is no such folder."""
    ending = file.suffix.lower()
    if ending not in endings or not file.parent.is_dir():
        raise Misuse(
            f"{file} cannot be written", remedy=f"name a {' or '.join(endings)} file in a folder that is there"
        )
    return ending


def _write(file: Path, content: bytes, shown: Face) -> None:
    file.write_bytes(content)
    shown.lines({"file": str(file)}, [f"{shown.word('written')} {file}"])
