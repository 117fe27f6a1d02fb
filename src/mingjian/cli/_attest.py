"""`issue`, `revoke` and `verify`: what is said, and how anyone checks it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import (
    HERE,
    By,
    Folder,
    Into,
    Json,
    PeriodName,
    SchemeName,
    StatementName,
    actor,
    face,
    issued,
    opened,
)

if TYPE_CHECKING:
    from rich.console import Console

    from mingjian.attest.verify import Checked, Report
    from mingjian.cli._face import Face

LONGEST = 20  # packages of which a person is told one by one


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("issue")(issue)
    app.command("revoke")(revoke)
    app.command("verify")(verify)


def issue(
    statement: StatementName,
    period: PeriodName,
    subject: Annotated[list[str] | None, typer.Option("--subject", help="Only these subjects (default: all).")] = None,
    level: Annotated[str, typer.Option(help="For whom: public, described or auditor.")] = "described",
    pdf: Annotated[bool, typer.Option("--pdf", help="Draw each as PDF too.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let them stand for those in the folder, which are revoked.")
    ] = False,
    into: Into = None,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Measure a period, commit its values to the ledger, and issue signed statements of them."""
    from mingjian.base.values import Period
    from mingjian.workspace import Order, issue_into, level_of

    shown = face(json)
    there, declared = opened(workspace, scheme)
    asked = Period.parse(period)
    order = Order(
        asked,
        {statement: subject},
        level_of(level),
        papers=there.subjects(declared, statement, asked, subject) if pdf else (),
        language=shown.language,
        replace=replace,
    )
    with shown.progress() as progress:
        written = issue_into(there, declared, order, issued(into, workspace), by=actor(by), progress=progress)
    data = {
        "snapshot": written.snapshot,
        "statements": {str(file): written.ids[file] for file in written.files},
        "papers": [str(file) for file in written.papers],
    }
    shown.lines(data, (f"{shown.word('written')} {file}" for file in (*written.files, *written.papers)))


def revoke(
    statement: Annotated[str, typer.Argument(help="The statement's id (urn:uuid:...).")],
    reason: Annotated[str, typer.Option(help="Why it no longer stands.")],
    into: Into = None,
    workspace: Folder = HERE,
    by: By = "",
    json: Json = False,
) -> None:
    """Revoke a statement for good, and write the status list anew."""
    from mingjian.workspace import Workspace, write_status

    shown = face(json)
    there = Workspace.open(workspace)
    entry = there.revoke(statement, reason, actor(by))
    file = write_status(there, issued(into, workspace))
    data = {"statement": statement, "entry": entry.index, "status": str(file)}
    shown.lines(data, [f"{shown.word('revoked')}: {statement} ({shown.word('entry')} {entry.index})"])


def verify(
    files: Annotated[list[Path], typer.Argument(help="Statements (.json), as many as there are.")],
    trust: Annotated[
        Path | None,
        typer.Option(help="Whom you know: a JSON file of issuers and ledgers (default: trust.json beside)."),
    ] = None,
    status: Annotated[
        list[Path] | None, typer.Option("--status", help="A status list (default: status.json beside the first file).")
    ] = None,
    keys: Annotated[
        list[Path] | None, typer.Option("--keys", help="A history of keys (default: keys.json beside the first file).")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", metavar="VKEY", help="A witness who must have cosigned; each must.")
    ] = None,
    json: Json = False,
) -> None:
    """Check statements from their files alone: signature, status, inclusion, and every number made anew."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from mingjian.attest.verify import Trust
    from mingjian.workspace import BESIDE, KEYS_FILE, STATUS_FILE, TRUST_FILE, read_trust, verify_files

    shown = face(json)
    statements = [file for file in files if file.name not in BESIDE]
    beside = files[0].parent
    known = trust or beside / TRUST_FILE
    known_to = read_trust(known) if trust is not None or known.is_file() else Trust()
    report = verify_files(
        statements,
        trust=replace(known_to, witnesses=Trust.of(witnesses=witness or ()).witnesses),
        now=datetime.now(UTC),
        status=status if status is not None else _there(beside / STATUS_FILE),
        keys=keys if keys is not None else _there(beside / KEYS_FILE),
    )
    shown.say(report.to_json(), lambda console: print_report(console, report, shown))
    raise typer.Exit(0 if report.good else 1)


def _there(file: Path) -> list[Path]:
    """The file, where there is one."""
    return [file] if file.is_file() else []


def print_report(console: Console, report: Report, shown: Face) -> None:
    """Each package that is not good, all when they are few, and the counts."""
    for checked in report.packages:
        if not checked.good or len(report.packages) <= LONGEST:
            _print_package(console, checked, shown)
    bad = sum(not checked.good for checked in report.packages)
    verdict = f"{bad} {shown.word('do_not_hold')}" if bad else shown.word("holds")
    console.print(f"{len(report.packages)} {shown.word(_kind_of(report))}: {verdict}", markup=False)
    for outcome, count in sorted(report.counts.items()):
        console.print(f"  {count} {shown.word(outcome)}", markup=False)
    unmade = (number for checked in report.packages for number in checked.numbers if number.outcome == "cannot")
    reasons = Counter(number.reason.text(shown.language) for number in unmade if number.reason is not None)
    for why, count in reasons.most_common():
        console.print(f"    {count}: {why}", markup=False)


def _kind_of(report: Report) -> str:
    """What the packages are, as one word names them: all of one kind, or statements."""
    kinds = {checked.statement.kind for checked in report.packages if checked.statement is not None}
    return f"{kinds.pop()}s" if len(kinds) == 1 else "statements"


def _print_package(console: Console, checked: Checked, shown: Face) -> None:
    console.print(checked.name, style="green" if checked.good else "bold red", markup=False)
    if checked.malformed is not None:
        console.print(f"  {checked.malformed.said(shown.language)}", markup=False)
        return
    said = checked.statement
    if said is not None:
        mark = f"  [{shown.word('synthetic')}]" if said.synthetic else ""
        about = f"{said.title.text(shown.language)}, {said.name.text(shown.language)}, {said.period}{mark}"
        console.print(f"  {about}", markup=False)
    for question, answer in checked.answers:
        if answer is not None:
            why = f" ({answer.reason.said(shown.language)})" if answer.reason is not None else ""
            console.print(f"  {shown.word(question)}: {shown.word(answer.outcome)}{why}", markup=False)
    for number in checked.numbers:
        if number.outcome in ("differs", "cannot"):
            member = f" ({number.member})" if number.member else ""
            found = f" ≠ {number_text(number.found, shown)}" if number.found else ""
            why = f": {number.reason.said(shown.language)}" if number.reason is not None else ""
            told = f"{shown.word(number.outcome)} {number_text(number.stated, shown)}{found}{why}"
            console.print(f"  {number.measure}{member}: {told}", markup=False)


def number_text(said: str, shown: Face) -> str:
    """A number of a verdict, or in words that there is none."""
    return shown.word({"no value": "none", "withheld": "withheld"}[said]) if said in ("no value", "withheld") else said
