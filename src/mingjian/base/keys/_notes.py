"""Signed notes (C2SP signed-note): plain text with signature lines that any witness can check.

A note is its text, an empty line, and lines of the form ``— name base64(key id | signature)``. Who wrote the text signs it
as it is; a witness *cosigns* it (C2SP tlog-cosignature, ``cosignature/v1``), which also says when: its signature is eight
bytes of POSIX time and an Ed25519 signature over two lines of its own and the text.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.values import sha256

_SIGNS: Final = b"\x01"  # the algorithms of vkeys: Ed25519, and cosignatures with it
_COSIGNS: Final = b"\x04"
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_MOST_SIGNATURES: Final = 100  # a bound on the work a stranger's note may ask for
_TIME_BYTES: Final = 8
_LATEST: Final = 253_402_300_799  # seconds: the end of the year 9999, the last that a datetime has


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The public half of a note's signer: ``str`` gives its vkey, ``name+key id+base64``. Raises Misuse for a bad name.

    ``cosigns`` tells the key of a witness from that of an author; one cannot stand for the other.
    """

    name: str
    public: PublicKey
    cosigns: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s+]+", self.name) or _CONTROL.search(self.name):
            raise Misuse(f"{self.name!r} cannot name a note's key", remedy="no spaces, no plus sign, not empty")

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """The key a vkey writes. Raises Misuse for other text, another algorithm, or a key id that is not its own."""
        name, _, rest = vkey.partition("+")
        _, _, encoded = rest.partition("+")
        data = _decode(encoded)
        if data and data[:1] in (_SIGNS, _COSIGNS) and len(data) == 33:
            key = cls(name, PublicKey(data[1:]), data[:1] == _COSIGNS)
            if str(key) == vkey:
                return key
        raise Misuse(f"{vkey!r} is not a vkey of Ed25519", remedy="its form is name+key id+base64")

    @property
    def id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return sha256(self.name.encode() + b"\n" + self._encoded)[:4]

    def line(self, signature: bytes) -> str:
        """The line of a signature by this key, without a newline."""
        return f"— {self.name} {b64encode(self.id + signature).decode()}"

    def signed(self, signature: bytes, text: str) -> bool:
        """Whether this key signed, or cosigned, a note's text."""
        if not self.cosigns:
            return self.public.verify(signature, text.encode())
        return self.public.verify(signature[_TIME_BYTES:], _cosigned(_seconds(signature), text))

    @property
    def _encoded(self) -> bytes:
        return (_COSIGNS if self.cosigns else _SIGNS) + self.public.raw

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(self._encoded).decode()}"


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """``text`` as a note signed by ``name``. Raises Misuse unless it ends in a newline and has no control characters."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Misuse("this text cannot be a note", remedy="end it with a newline; no control characters")
    return f"{text}\n{NoteKey(name, key.public).line(key.sign(text.encode()))}\n"


def sign_again(note: str, name: str, key: SigningKey) -> str:
    """A note with one more signature, by ``name``, below those it has."""
    return f"{note}{NoteKey(name, key.public).line(key.sign(_parted(note)[0].encode()))}\n"


def cosignature(note: str, name: str, key: SigningKey, at: datetime) -> str:
    """The line, without a newline, by which a witness of that name says that it saw a note at an instant.

    Whole seconds count. Raises Tampered for what is no note.
    """
    seconds = int(at.timestamp())
    signature = key.sign(_cosigned(seconds, _parted(note)[0]))
    return NoteKey(name, key.public, cosigns=True).line(seconds.to_bytes(_TIME_BYTES, "big") + signature)


def open_note(note: str, keys: Iterable[NoteKey]) -> tuple[str, tuple[NoteKey, ...]]:
    """The text of a note and those of ``keys`` that signed or cosigned it, in the order of their lines.

    Lines of unknown keys are passed over. Raises Tampered if the note is malformed, if a line of a known key does not
    verify, or if no known key signed.
    """
    signers = dict.fromkeys(key for key, _ in _verified(note, keys))
    if not signers:
        raise Tampered("no known key signed this note", remedy="give the vkey of its signer")
    return _parted(note)[0], tuple(signers)


def cosigned_at(note: str, witnesses: Iterable[NoteKey]) -> Mapping[NoteKey, datetime]:
    """Which of these witnesses cosigned a note, and when each last did, in UTC; none is no error.

    Raises Tampered if the note is malformed or a line of one of them does not verify.
    """
    found: dict[NoteKey, datetime] = {}
    for key, signature in _verified(note, [key for key in witnesses if key.cosigns]):
        at = datetime.fromtimestamp(_seconds(signature), UTC)
        found[key] = max(at, found.get(key, at))
    return found


def _verified(note: str, keys: Iterable[NoteKey]) -> Iterator[tuple[NoteKey, bytes]]:
    """The signatures of a note that are by one of these keys. Raises Tampered if one does not verify."""
    known = {(key.name, key.id): key for key in keys}
    text, lines = _parted(note)
    for name, data in lines:
        key = known.get((name, data[:4]))
        if key is None:
            continue
        if not key.signed(data[4:], text):
            raise Tampered("the note is not what was signed", why=f"the signature of {key.name} does not verify")
        yield key, data[4:]


def _parted(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note, and of each signature line the name and the bytes. Raises Tampered for what is none."""
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.removesuffix("\n").split("\n")
    if not blank or not tail.endswith("\n") or _CONTROL.search(note) or not 1 <= len(lines) <= _MOST_SIGNATURES:
        raise Tampered("not a signed note", why="text, an empty line and signature lines are wanted")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    found = _LINE.fullmatch(line)
    data = _decode(found[2]) if found else None
    if found is None or data is None or len(data) < 5:
        raise Tampered("not a signed note", why=f"malformed signature line {line!r}")
    return found[1], data


def _seconds(signature: bytes) -> int:
    """The POSIX time of a cosignature. Raises Tampered for one that no calendar has."""
    seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
    if seconds > _LATEST:
        raise Tampered("not a cosignature", why=f"its time is {seconds}")
    return seconds


def _cosigned(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _decode(text: str) -> bytes | None:
    """The bytes of a base64 text, or None unless it is written in the one canonical way."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None
