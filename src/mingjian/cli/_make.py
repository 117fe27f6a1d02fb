"""`new` and `check`: workspaces and schemes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import By, Json, actor, face

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    new = typer.Typer(help="Make a workspace or a scheme.", no_args_is_help=True, rich_markup_mode=None)
    new.command("workspace")(workspace)
    new.command("scheme")(scheme)
    app.add_typer(new, name="new")
    app.command("check")(check)


def workspace(
    folder: Annotated[Path, typer.Argument(help="A new directory.")],
    origin: Annotated[
        str, typer.Option(help="The ledger's name in its checkpoints, like a URL without a scheme.")
    ] = "",
    scheme: Annotated[
        list[str] | None, typer.Option("--scheme", "-s", help="A scheme to run: its name or folder.")
    ] = None,
    ledger: Annotated[str, typer.Option(help="Where its ledger lies: a postgresql:// URL (default: here).")] = "",
    blobs: Annotated[str, typer.Option(help="Where large payloads lie: s3://bucket/prefix (default: here).")] = "",
    engine: Annotated[str, typer.Option(help="The master of the Spark that reckons measures (default: none).")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Make an empty workspace with keys of its own, running the named schemes."""
    from mingjian.workspace import Settings, Workspace

    settings = Settings(ledger, blobs, engine)
    made = Workspace.create(folder, origin=origin or f"mingjian.local/{folder.resolve().name}", settings=settings)
    adopted = [made.adopt(name, actor(by)) for name in scheme or []]
    shown = face(json)
    data = {
        "workspace": str(folder),
        "origin": made.ledger.origin,
        "issuer": made.issuer.public.did_key,
        "schemes": {s.id: s.fingerprint for s in adopted},
    }
    shown.lines(data, (f"{k}: {v}" for k, v in data.items()))


def scheme(
    folder: Annotated[Path, typer.Argument(help="A new directory; its name is the scheme's id.")], json: Json = False
) -> None:
    """Write a small scheme to start from; it passes its own check."""
    from mingjian.declare import new_scheme

    new_scheme(folder, folder.name)
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
    shown = face(json)
    shown.lines({"files": files}, (f"{shown.word('written')} {file}" for file in files))


def check(
    scheme: Annotated[str, typer.Argument(help="A scheme's folder, or the name of an installed one.")],
    json: Json = False,
) -> None:
    """Find every fault of a scheme at once, and run its cases."""
    from mingjian.declare import inspect
    from mingjian.workspace import run_cases, scheme_folder

    shown = face(json)
    folder = scheme_folder(scheme)
    read, found = inspect(folder)
    if read is not None:
        with shown.progress() as progress:
            done = iter(range(1, len(read.cases) + 1))
            found = run_cases(read, lambda: progress(shown.word("cases"), next(done), len(read.cases)))
    cases = len(read.cases) if read is not None else 0
    data = {
        "scheme": read.id if read is not None else str(folder),
        "fingerprint": read.fingerprint if read is not None else None,
        "cases": cases,
        "findings": [f.to_json() for f in found],
    }

    def text(console: Console) -> None:
        if found:
            console.print(f"{data['scheme']}: {len(found)} {shown.word('findings')}", markup=False)
            shown.findings(found, console)
        else:
            console.print(f"{data['scheme']}: {shown.word('holds')} ({cases} {shown.word('cases')})", markup=False)

    shown.say(data, text)
    raise typer.Exit(1 if found else 0)
