"""`measure`, `explain` and `claims`: what the evidence amounts to, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import HERE, Folder, Json, PeriodName, SchemeName, Size, Subjects, face, opened

if TYPE_CHECKING:
    from rich.console import Console

    from mingjian.cli._face import Face
    from mingjian.reckon.claims import Verdict


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("measure")(measure)
    app.command("explain")(explain)
    app.command("claims")(claims)


def measure(
    period: PeriodName,
    name: Annotated[list[str] | None, typer.Option("--measure", "-m", help="Only these measures.")] = None,
    subject: Subjects = None,
    size: Size = None,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Reckon the measures of a period, as of a ledger size."""
    from mingjian.base.values import Period
    from mingjian.cli._shown import value_json, value_text

    shown = face(json)
    there, declared = opened(workspace, scheme, size)
    results = there.measure(declared, Period.parse(period), size=size, only=name, subjects=subject)
    synthetic = there.synthetic(declared, size)

    def text(console: Console) -> None:
        from rich.table import Table

        table = Table(box=None, title=shown.word("synthetic") if synthetic else None)
        for column in ("measure", "subject", "member", "period", "value"):
            table.add_column(shown.word(column), justify="right" if column == "value" else "left")
        for v in results:
            table.add_row(v.measure, v.subject, v.member, v.period, value_text(v, shown))
        console.print(table)

    data = {
        "scheme": declared.id,
        "fingerprint": declared.fingerprint,
        "size": there.ledger.size if size is None else size,
        "synthetic": synthetic,
        "values": [value_json(v) for v in results],
    }
    shown.say(data, text)


def explain(
    measure: Annotated[str, typer.Argument(help="A measure or an index.")],
    subject: Annotated[str, typer.Argument(help="Whose number.")],
    period: PeriodName,
    member: Annotated[str, typer.Option(help="One part of a breakdown, or an inner node of an index.")] = "",
    size: Size = None,
    workspace: Folder = HERE,
    scheme: SchemeName = "",
    json: Json = False,
) -> None:
    """Why a number is what it is: formula, inputs, parameters with source, rows with file, line, entry and proof."""
    from mingjian.base.values import Period
    from mingjian.cli._shown import explanation_json, explanation_tree

    shown = face(json)
    there, declared = opened(workspace, scheme, size)
    found = there.explain(declared, measure, subject, Period.parse(period), member, size=size)
    shown.say(explanation_json(found), lambda console: console.print(explanation_tree(found, shown)))


def claims(
    file: Annotated[Path, typer.Argument(help="The published figures (.toml).")],
    factors: Annotated[Path | None, typer.Option(help="A list of factors to find which come near (.csv).")] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Hold published figures against the evidence, against each other and against their own units."""
    from mingjian.workspace import Workspace

    shown = face(json)
    verdicts = Workspace.open(workspace).claims(file, factors)
    shown.say([v.to_json() for v in verdicts], lambda console: print_claims(console, verdicts, shown))
    raise typer.Exit(1 if any(v.outcome == "contradicted" for v in verdicts) else 0)


def print_claims(console: Console, verdicts: Iterable[Verdict], shown: Face) -> None:
    """Each figure with its verdict, what it was held against and what follows from it."""
    style = {"consistent": "green", "contradicted": "bold red", "unsupported": "dim"}
    for v in verdicts:
        mark = f" [{shown.word('synthetic')}]" if v.synthetic else ""
        console.print(
            f"{shown.word(v.outcome)}{mark}: {v.claim.title.text(shown.language)}", style=style[v.outcome], markup=False
        )
        console.print(f"    {v.published.text(shown.language)}", markup=False)
        for line in (*(c.text for c in v.comparisons), *v.implied, *v.candidates):
            console.print(f"    {line.text(shown.language)}", markup=False)
