"""`ledger request` and `ledger witness`: what a witness on another machine is asked, and what it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mingjian.base.errors import Misuse
from mingjian.cli._options import HERE, Folder, Into, Json, face, issued

Seat = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The witness's own folder: its key and what it remembers.")
]


def register(ledger: typer.Typer) -> None:
    """Add the verbs below `ledger`."""
    ledger.command("request")(request)
    ledger.command("cosigned")(cosigned)
    witness = typer.Typer(help="A witness on another machine.", no_args_is_help=True, rich_markup_mode=None)
    for verb in (new, trust, cosign):
        witness.command(verb.__name__)(verb)
    ledger.add_typer(witness, name="witness")


def request(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    since: Annotated[int, typer.Option(help="The size that the witness last cosigned; 0 for none.")] = 0,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Write what a witness is asked: the head, and the proof that the ledger only grew (C2SP tlog-witness)."""
    from mingjian.record.ledger import write_request
    from mingjian.workspace import Workspace

    shown = face(json)
    out.write_bytes(write_request(Workspace.open(workspace).ledger, since))
    shown.lines({"file": str(out)}, [f"{shown.word('written')} {out}"])


def cosigned(
    asked: Annotated[Path, typer.Argument(metavar="REQUEST", help="What `ledger request` wrote.")],
    answer: Annotated[Path, typer.Argument(help="The lines that witnesses answered.")],
    witness: Annotated[list[str], typer.Option("--witness", metavar="VKEY", help="Whose lines they must be.")],
    into: Into = None,
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Put what witnesses cosigned into the packages that it covers."""
    from mingjian.base.keys import NoteKey
    from mingjian.workspace import Workspace, put_witnessed

    shown = face(json)
    request, lines = (_read(file).decode("utf-8", "replace") for file in (asked, answer))
    note = request.partition("\n\n")[2] + lines
    keys = [NoteKey.parse(vkey) for vkey in witness]
    files = put_witnessed(Workspace.open(workspace), note, keys, issued(into, workspace))
    shown.lines({"files": [str(file) for file in files]}, (f"{shown.word('written')} {file}" for file in files))


def new(
    folder: Seat,
    name: Annotated[str, typer.Option(help="Its name, like a URL without a scheme.")],
    json: Json = False,
) -> None:
    """Make a witness; hand its key to those who shall rely on it."""
    from mingjian.record.ledger import Witness

    vkey = str(Witness.create(folder, name, _now).vkey)
    face(json).lines({"vkey": vkey}, [vkey])


def trust(
    folder: Seat, vkey: Annotated[str, typer.Argument(help="The ledger's key, got another way.")], json: Json = False
) -> None:
    """Let it cosign for a ledger, or for one it knows under a new key."""
    from mingjian.base.keys import NoteKey
    from mingjian.record.ledger import Witness

    Witness(folder, _now).trust(NoteKey.parse(vkey))
    face(json).lines({"vkey": vkey}, [vkey])


def cosign(
    folder: Seat,
    asked: Annotated[Path, typer.Argument(metavar="REQUEST", help="What `ledger request` wrote.")],
    json: Json = False,
) -> None:
    """Cosign a ledger's head that follows from what was cosigned before; refuse any other."""
    from mingjian.record.ledger import Witness

    line = Witness(folder, _now).cosign(_read(asked))
    face(json).lines({"line": line}, [line])


def _now() -> datetime:
    return datetime.now(UTC)


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise Misuse(
            f"there is no file {file}", remedy="name what `mingjian ledger request` wrote, or what a witness answered"
        )
    return file.read_bytes()
