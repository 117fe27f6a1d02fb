"""`ledger`: the head, checkpoints, proofs, the audit, and the check of all that is made from it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli import _witness
from mingjian.cli._options import HERE, Folder, Json, face

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    ledger = typer.Typer(
        help="The ledger: head, checkpoint, proofs, audit, fsck.", no_args_is_help=True, rich_markup_mode=None
    )
    for verb in (head, checkpoint, prove, audit, fsck):
        ledger.command(verb.__name__)(verb)
    _witness.register(ledger)
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


def fsck(workspace: Folder = HERE, json: Json = False) -> None:
    """Check ledger, blobs and read log, and hold all that is made from them against the same made anew.

    What differs, or cannot be read, is replaced by what was made anew. The digests are of rows, not of files: the same on
    another machine. Blobs that no entry names are counted and left: somebody may be about to name them. People may go on working.
    """
    from mingjian.workspace import fsck as checked

    shown = face(json)
    with shown.progress() as progress:
        found = checked(workspace, progress=lambda what, done, of: progress(shown.word(what), done, of))

    def text(console: Console) -> None:
        if found.findings:
            shown.findings(found.findings, console)
        else:
            console.print(f"{shown.word('audited')}: {found.size} {shown.word('size')}", markup=False)
        for made in found.rebuilt:
            said = "replaced" if made.fault else "same_anew"
            console.print(f"{made.file}: {shown.word(said)}, {made.digest}", markup=False)
        if found.unnamed:
            console.print(f"{shown.word('unnamed')}: {len(found.unnamed)}", markup=False)
            console.print("\n".join(f"  - {name}" for name in found.unnamed), markup=False)

    data = {
        "size": found.size,
        "findings": [finding.to_json() for finding in found.findings],
        "rebuilt": [asdict(made) for made in found.rebuilt],
        "unnamed_blobs": found.unnamed,
    }
    shown.say(data, text)
    raise typer.Exit(1 if found.findings else 0)
