"""`tasks`, `act`, `erase` and `expire`: the office's day for those who like a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingjian.base.errors import Misuse
from mingjian.cli._options import HERE, Account, By, Folder, Json, SchemeName, actor, face, issued

if TYPE_CHECKING:
    from rich.console import Console

    from mingjian.record.process import Case
    from mingjian.workspace import Office, Purged


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (tasks, act, erase, expire):
        app.command(verb.__name__)(verb)


def tasks(
    account: Account,
    process: Annotated[str, typer.Argument(help="Only this process.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """The open cases within an account's reach: what, about whom, in which state, due when."""
    from mingjian.workspace import account_of

    shown = face(json)
    office = _office(workspace, scheme)
    now, desk = office.now(), office.desk(account_of(office, account))
    if process and process not in now.scheme.processes:
        raise Misuse(f"there is no process {process}", remedy=f"one of {', '.join(now.scheme.processes) or 'none'}")
    found = [
        case
        for name, declared in now.scheme.processes.items()
        if process in ("", name)
        for case in desk.cases(name)
        if not declared.states[case.state].final and (case.late(now.day) or not overdue)
    ]

    def text(console: Console) -> None:
        from rich.table import Table

        table = Table(box=None)
        for column in ("process", "case", "subject", "state", "due", "overdue"):
            table.add_column(shown.word(column))
        for case in found:
            declared = now.scheme.processes[case.process]
            state = declared.states[case.state].title.text(shown.language)
            mark = shown.word("overdue") if case.late(now.day) else ""
            table.add_row(declared.title.text(shown.language), case.id, case.subject, state, str(case.due or ""), mark)
        console.print(table)

    shown.say([{**_case(case), "overdue": case.late(now.day)} for case in found], text)


def act(
    process: Annotated[str, typer.Argument(help="The process.")],
    case: Annotated[str, typer.Argument(help="The case, as `tasks` lists it.")],
    act: Annotated[str, typer.Argument(help="What is done: an act of the process.")],
    account: Account,
    fill: Annotated[list[str] | None, typer.Option(help="FIELD=VALUE of the case's own row.")] = None,
    rows: Annotated[
        list[str] | None,
        typer.Option(help="FILE of rows that come along; TYPE=FILE where the act takes several types."),
    ] = None,
    attach: Annotated[list[Path] | None, typer.Option(help="A file that is attached.")] = None,
    note: Annotated[str, typer.Option(help="A word on it.")] = "",
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Do something to a case: the act and all that comes with it land together, or nothing does."""
    from mingjian.workspace import account_of, act_from_files

    shown = face(json)
    office = _office(workspace, scheme)
    done = act_from_files(
        office.desk(account_of(office, account)),
        process,
        case,
        act,
        fills=dict(_pair(text) for text in fill or ()),
        rows=[_file(text) for text in rows or ()],
        attached=attach or (),
        note=note,
    )
    state = office.now().scheme.processes[process].states[done.state].title.text(shown.language)
    due = f", {shown.word('due')} {done.due}" if done.due else ""
    shown.lines(_case(done), [f"{done.id}: {state}{due}"])


def erase(
    subject: Annotated[str, typer.Argument(help="The id of a person.")],
    reason: Annotated[str, typer.Option(help="Why; kept for good, so without the name.")],
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Destroy for good all that describes a person: rows, statements, papers, attachments, their account."""
    from mingjian.workspace import erase_person

    office = _office(workspace, scheme)
    purged = erase_person(
        office.workspace,
        office.now().scheme,
        subject,
        by=actor(by),
        reason=reason,
        folders=[folder for folder in [issued(None, workspace)] if folder.is_dir()],
        accounts=office.accounts,
    )
    _purged(purged, json)


def expire(workspace: Folder = HERE, scheme: SchemeName = "", by: By = "", json: Json = False) -> None:
    """Destroy for good the rows whose declared term is over."""
    from mingjian.workspace import expire as expire_rows

    office = _office(workspace, scheme)
    now = office.now()
    _purged(expire_rows(office.workspace, now.scheme, now.day, by=actor(by)), json)


def _office(folder: Path, scheme: str) -> Office:
    from mingjian.workspace import Office, Workspace

    return Office(Workspace.open(folder), scheme)


def _case(case: Case) -> dict[str, Any]:
    return {
        "process": case.process,
        "case": case.id,
        "subject": case.subject,
        "state": case.state,
        "since": str(case.since),
        "due": None if case.due is None else str(case.due),
        "acts": case.version,
    }


def _purged(purged: Purged | None, json: bool) -> None:
    shown = face(json)
    rows, files = (purged.erased.rows, purged.files) if purged is not None else (0, ())
    lines = [f"{shown.word('erased')}: {rows} {shown.word('rows')}", *(f"{shown.word('erased')}: {f}" for f in files)]
    shown.lines({"rows": rows, "files": [str(file) for file in files]}, lines)


def _pair(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not (name and given):
        raise Misuse(f"what is filled in by {text}?", remedy="say --fill FIELD=VALUE")
    return name, value


def _file(text: str) -> tuple[str, Path]:
    kind, _, file = text.rpartition("=")
    return kind, Path(file)
