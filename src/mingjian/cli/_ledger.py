"""`ledger`: the head, checkpoints, proofs and the audit."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import HERE, Folder, Json, face

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    ledger = typer.Typer(
        help="The ledger: head, checkpoint, proofs, audit.", no_args_is_help=True, rich_markup_mode=None
    )
    for verb in (head, checkpoint, prove, audit):
        ledger.command(verb.__name__)(verb)
    app.add_typer(ledger, name="ledger")


def head(workspace: Folder = HERE, json: Json = False) -> None:
    """Origin, number of entries and root."""
    from mingjian.workspace import Workspace

    state = Workspace.open(workspace).ledger
    now = state.state()
    data = {"origin": state.origin, "size": now.size, "root": now.root().hex(), "key": state.vkey}
    face(json).lines(data, (f"{k}: {v}" for k, v in data.items()))


def checkpoint(
    size: Annotated[int | None, typer.Option(help="Of this many entries (default: all).")] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """The signed head (C2SP checkpoint). A copy kept elsewhere exposes any rewriting of history."""
    from mingjian.workspace import Workspace

    note = Workspace.open(workspace).ledger.checkpoint(size)
    face(json).say({"checkpoint": note}, lambda console: console.print(note, markup=False, end=""))


def prove(
    entry: Annotated[int, typer.Argument(help="The entry's index.")],
    row: Annotated[int | None, typer.Option(help="One of its rows.")] = None,
    since: Annotated[
        int | None, typer.Option(help="Also prove that the ledger only grew since it had this many entries.")
    ] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Prove that an entry, or one row of it, is in the ledger."""
    from mingjian.workspace import Workspace

    ledger = Workspace.open(workspace).ledger
    header = ledger.state().entry(entry)
    data = {
        "entry": header.to_json(),
        "path": [b64encode(h).decode() for h in ledger.prove_entry(entry)],
        "checkpoint": ledger.checkpoint(),
    }
    if row is not None:
        (proof,) = ledger.prove_rows(entry, [row])
        data["row"] = proof.to_json()
    if since is not None:
        data["consistency"] = [b64encode(h).decode() for h in ledger.prove_consistency(since)]

    def text(console: Console) -> None:
        import orjson

        console.print(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode(), markup=False)

    face(json).say(data, text)


def audit(
    against: Annotated[Path | None, typer.Option(help="A checkpoint kept elsewhere.")] = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Derive every root anew from the stored bytes and name the first bad entry."""
    from mingjian.base.errors import Misuse
    from mingjian.workspace import Workspace

    shown = face(json)
    if against is not None and not against.is_file():
        raise Misuse(f"there is no file {against}", remedy="name a checkpoint that `mingjian ledger checkpoint` wrote")
    ledger = Workspace.open(workspace).ledger
    with shown.progress() as progress:
        found = ledger.audit(
            against.read_text("utf-8", errors="replace")
            if against is not None
            else None,  # what is no text is no checkpoint
            lambda done, of: progress(shown.word("size"), done, of),
        )

    def text(console: Console) -> None:
        if found:
            shown.findings(tuple(found), console)
        else:
            console.print(f"{shown.word('audited')}: {ledger.size} {shown.word('size')}", markup=False)

    shown.say({"size": ledger.size, "findings": [f.to_json() for f in found]}, text)
    raise typer.Exit(1 if found else 0)
