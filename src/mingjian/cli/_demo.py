"""`demo`: an example programme, built, verified and held against its claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingjian.cli._options import Json, face

if TYPE_CHECKING:
    from rich.console import Console

    from mingjian.cli._face import Face
    from mingjian.workspace import Built


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    example: Annotated[
        Path | None, typer.Argument(help="A folder with an example.toml (default: the one that comes with Mingjian).")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Argument(help="A new folder, or one it was built into before (default: build/ and its name)."),
    ] = None,
    scale: Annotated[int, typer.Option(help="So many times its size.", min=1)] = 1,
    json: Json = False,
) -> None:
    """Build an example from evidence to statements, verify all of them from scratch, and check its claims."""
    from mingjian.workspace import build_example, shipped_example, usual_folder

    shown = face(json)
    chosen = example or shipped_example()
    with shown.progress() as progress:
        built = build_example(chosen, into or usual_folder(chosen), scale=scale, progress=progress)
    shown.say(_json(built), lambda console: _print(console, built, shown))
    raise typer.Exit(0 if built.report is not None and built.report.good else 1)


def _json(built: Built) -> dict[str, Any]:
    return {
        "steps": [
            {"what": s.what, "count": s.count, "where": s.where, "seconds": round(s.seconds, 3)} for s in built.steps
        ],
        "numbers": built.report.counts if built.report is not None else {},
        "good": built.report is not None and built.report.good,
        "claims": [verdict.to_json() for verdict in built.verdicts],
        "people": [{"user": login.name, "name": login.shown, "roles": login.roles} for login in built.logins],
        "password": built.password or None,
    }


def _print(console: Console, built: Built, shown: Face) -> None:
    from collections import Counter

    from rich.table import Table

    from mingjian.cli._attest import print_report
    from mingjian.cli._reckon import print_claims

    contradicted = [verdict for verdict in built.verdicts if verdict.outcome == "contradicted"]
    print_claims(console, contradicted, shown)
    if built.verdicts:
        counts = Counter(shown.word(verdict.outcome) for verdict in built.verdicts)
        console.print(", ".join(f"{n} {outcome}" for outcome, n in counts.items()) + "\n", markup=False)
    table = Table(box=None, pad_edge=False)
    for column, justify in (("step", "left"), ("numbers", "right"), ("seconds", "right"), ("where", "left")):
        table.add_column(shown.word(column), justify="right" if justify == "right" else "left")
    for step in built.steps:
        table.add_row(step.what, f"{step.count:,}", f"{step.seconds:.2f}", step.where)
    table.add_row("", "", f"{sum(step.seconds for step in built.steps):.2f}", "")
    console.print(table)
    if built.report is not None:
        print_report(console, built.report, shown)
    if built.logins:
        _print_people(console, built, shown)


def _print_people(console: Console, built: Built, shown: Face) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("user", "name", "roles"):
        table.add_column(shown.word(column))
    for login in built.logins:
        table.add_row(*map(Text, (login.name, login.shown, ", ".join(login.roles))))
    console.print()
    console.print(table)
    console.print(f"{shown.word('password')}: {built.password}", markup=False)
