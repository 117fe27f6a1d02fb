"""Signed notes (C2SP signed-note): plain text with signature lines that any witness can check.

A note is its text, an empty line, and lines of the form ``— name base64(key id | signature)``.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.values import sha256

_ED25519: Final = b"\x01"
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_MOST_SIGNATURES: Final = 100  # a bound on the work a stranger's note may ask for


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The public half of a note's signer: ``str`` gives its vkey, ``name+key id+base64``. Raises Misuse for a bad name."""

    name: str
    public: PublicKey

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s+]+", self.name) or _CONTROL.search(self.name):
            raise Misuse(f"{self.name!r} cannot name a note's key", remedy="no spaces, no plus sign, not empty")

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """The key a vkey writes. Raises Misuse for other text, another algorithm, or a key id that is not its own."""
        name, _, rest = vkey.partition("+")
        _, _, encoded = rest.partition("+")
        data = _decode(encoded)
        if data and data[:1] == _ED25519 and len(data) == 33:
            key = cls(name, PublicKey(data[1:]))
            if str(key) == vkey:
                return key
        raise Misuse(f"{vkey!r} is not a vkey of Ed25519", remedy="its form is name+key id+base64")

    @property
    def id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return note_key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public.raw).decode()}"


def note_key_id(name: str, public: PublicKey) -> bytes:
    """The 4 bytes by which signature lines name an Ed25519 key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public.raw)[:4]


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """``text`` as a note signed by ``name``. Raises Misuse unless it ends in a newline and has no control characters."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Misuse("this text cannot be a note", remedy="end it with a newline; no control characters")
    signer = NoteKey(name, key.public)
    return f"{text}\n— {name} {b64encode(signer.id + key.sign(text.encode())).decode()}\n"


def open_note(note: str, keys: Iterable[NoteKey]) -> tuple[str, tuple[NoteKey, ...]]:
    """The text of a note and those of ``keys`` that signed it, in the order of their lines.

    Lines of unknown keys are passed over. Raises Tampered if the note is malformed, if a line of a known key does not
    verify, or if no known key signed.
    """
    text, blank, tail = note.rpartition("\n\n")
    text += "\n"
    lines = tail.removesuffix("\n").split("\n")
    if not blank or not tail.endswith("\n") or _CONTROL.search(note) or not 1 <= len(lines) <= _MOST_SIGNATURES:
        raise Tampered("not a signed note", why="text, an empty line and signature lines are wanted")
    known = {(key.name, key.id): key for key in keys}
    signers: dict[NoteKey, None] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        data = _decode(found[2]) if found else None
        if found is None or data is None or len(data) < 5:
            raise Tampered("not a signed note", why=f"malformed signature line {line!r}")
        key = known.get((found[1], data[:4]))
        if key is None:
            continue
        if not key.public.verify(data[4:], text.encode()):
            raise Tampered("the note is not what was signed", why=f"the signature of {key.name} does not verify")
        signers[key] = None
    if not signers:
        raise Tampered("no known key signed this note", remedy="give the vkey of its signer")
    return text, tuple(signers)


def _decode(text: str) -> bytes | None:
    """The bytes of a base64 text, or None unless it is written in the one canonical way."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None
