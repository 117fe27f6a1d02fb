"""The signed head of the log: a C2SP tlog-checkpoint inside a C2SP signed note."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mingjian.base.errors import Tampered
from mingjian.base.keys import NoteKey, SigningKey, open_note, sign_note

_BODY: Final = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log stood at: its ``origin``, its ``size`` in entries, its ``root`` (32 bytes), and who signed that.

    ``lines`` are those below, which a log adds for readers of its own.
    """

    origin: str
    size: int
    root: bytes
    signers: tuple[NoteKey, ...]
    lines: tuple[str, ...] = ()


def write_checkpoint(origin: str, size: int, root: bytes, key: SigningKey, lines: Iterable[str] = ()) -> str:
    """The signed note of a log's head; the log's key bears the name of its origin."""
    below = "".join(f"{line}\n" for line in lines)
    return sign_note(f"{origin}\n{size}\n{b64encode(root).decode()}\n{below}", origin, key)


def parse_checkpoint(note: str, keys: Iterable[NoteKey]) -> Checkpoint:
    """The checkpoint that a signed note carries, signed by the one of ``keys`` that bears the origin's name.

    Raises Tampered if the note is malformed, if a signature of a known key does not verify, or if the log itself did not
    sign (a witness alone cannot speak for it).
    """
    text, signers = open_note(note, keys)
    origin, size, root, lines = body_of(text)
    if origin not in {signer.name for signer in signers if not signer.cosigns}:
        raise Tampered("the log did not sign this checkpoint", why=f"no signature of {origin}")
    return Checkpoint(origin, size, root, signers, lines)


def body_of(text: str) -> tuple[str, int, bytes, tuple[str, ...]]:
    """Origin, size, root and further lines that the text of a checkpoint's note says. Raises Tampered for other text."""
    body = _BODY.fullmatch(text)
    if body is None:
        raise Tampered("not a checkpoint", why="origin, size and root are wanted, one a line")
    origin, size, root, lines = body.groups()
    decoded = b64decode(root)
    if b64encode(decoded).decode() != root:
        raise Tampered("not a checkpoint", why="the root is not canonical base64")
    return origin, int(size), decoded, tuple(lines.split("\n")[:-1])
