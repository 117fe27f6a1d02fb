"""A witness: somebody elsewhere who remembers how far a ledger was, and cosigns only what follows from that.

It speaks C2SP tlog-witness over files instead of HTTP: a request is what ``add-checkpoint`` takes (the old size, the proof,
the checkpoint), an answer the line of a cosignature (C2SP tlog-cosignature). Its folder holds its key and its state, the
size and root last cosigned of each ledger. That state is on disk before an answer leaves, under one lock: a witness that is
killed in between has promised what it remembers, and never two histories.
"""

from __future__ import annotations

import fcntl
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from mingjian.base.errors import Forbidden, MingjianError, Misuse, Tampered
from mingjian.base.files import keep_names
from mingjian.base.keys import NoteKey, SigningKey, cosignature
from mingjian.record.ledger._checkpoint import Checkpoint, parse_checkpoint
from mingjian.record.ledger._ledger import Ledger
from mingjian.record.ledger._merkle import HASH_SIZE, verify_consistency

KEY: Final = "witness.pem"
STATE: Final = "state.json"
MOST_HASHES: Final = 63  # lines of proof in a request, by the specification
MOST_BYTES: Final = 64 * 1024


class Conflict(MingjianError):
    """The witness stands elsewhere than the request says; ``size`` is where (the answer 409 of tlog-witness)."""

    def __init__(self, origin: str, size: int) -> None:
        self.size = size
        remedy = f"ask again with `mingjian ledger request --since {size}`"
        super().__init__("the witness last cosigned another size", why=str(size), where=origin, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness in a folder of its own; ``now`` is its clock, which must know its zone."""

    folder: Path
    now: Callable[[], datetime]

    @classmethod
    def create(cls, folder: Path, name: str, now: Callable[[], datetime]) -> Witness:
        """A witness of that name (like a URL without a scheme) with a new key. Raises Misuse where there is one."""
        key = SigningKey.generate()
        NoteKey(name, key.public, cosigns=True)  # a bad name is refused before there is a folder
        folder.mkdir(parents=True, exist_ok=True)
        key.save(folder / KEY)
        witness = cls(folder, now)
        witness._keep({"name": name, "ledgers": {}})
        return witness

    @property
    def vkey(self) -> NoteKey:
        """The key by which others check its cosignatures."""
        return NoteKey(self._state()["name"], SigningKey.load(self.folder / KEY).public, cosigns=True)

    def trust(self, ledger: NoteKey) -> None:
        """Cosign for this ledger too, or for one known already under another of its keys. Raises Misuse for a witness's key."""
        if ledger.cosigns:
            raise Misuse(
                f"{ledger} is the key of a witness", remedy="give the vkey of a ledger: `mingjian ledger head`"
            )
        with self._alone():
            state = self._state()
            known = state["ledgers"].setdefault(ledger.name, {"keys": [], "size": 0, "root": ""})
            known["keys"] = list(dict.fromkeys([*known["keys"], str(ledger)]))
            self._keep(state)

    def cosign(self, request: bytes) -> str:
        """The line of a cosignature, without a newline, for a checkpoint that follows from what was cosigned before.

        Raises Misuse for what is no request or of a ledger that it was not told of (400, 404), Forbidden for one that the
        ledger did not sign (403), Conflict where it stands at another size, or saw another root there (409), and Tampered
        where the history is another one (422).
        """
        old, proof, note = _read_request(request)
        with self._alone():
            state = self._state()
            origin = note.partition("\n")[0]
            known = state["ledgers"].get(origin)
            if known is None:
                raise Misuse(
                    f"this witness was told of no ledger {origin!r}", remedy="`mingjian ledger witness trust` its vkey"
                )
            head = _signed(note, [NoteKey.parse(vkey) for vkey in known["keys"]])
            self._want_follows(known, old, proof, head)
            known.update(size=head.size, root=head.root.hex())
            self._keep(state)
        return cosignature(note, state["name"], SigningKey.load(self.folder / KEY), self.now())

    def _want_follows(self, known: dict[str, Any], old: int, proof: list[bytes], head: Checkpoint) -> None:
        """Raises as `cosign` does unless a head follows from what is known."""
        if old > head.size:
            raise Misuse("not a request", why=f"the old size {old} is beyond {head.size}")
        size, root = known["size"], bytes.fromhex(known["root"])
        if old != size or (head.size == size and size and head.root != root):
            raise Conflict(head.origin, size)
        follows = verify_consistency(size, head.size, root, head.root, proof) if size else not proof
        if not follows:
            why = f"its {head.size} entries do not begin with the {size} that were cosigned"
            raise Tampered("this ledger shows another history", why=why, where=head.origin)

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = orjson.loads((self.folder / STATE).read_bytes())
        except (OSError, ValueError) as fault:
            remedy = "`mingjian ledger witness new` makes one; never make a lost state anew under the same key"
            raise Misuse(f"{self.folder} is no witness", why=str(fault), remedy=remedy) from fault
        return state

    def _keep(self, state: dict[str, Any]) -> None:
        """Put a state in the place of the one before, so that it lasts through a power cut."""
        draft = self.folder / f".{STATE}"
        with draft.open("wb") as file:
            file.write(orjson.dumps(state, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / STATE)
        keep_names(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One request at a time, of all processes: between looking and keeping nobody else does either."""
        with (self.folder / KEY).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_request(ledger: Ledger, since: int, size: int | None = None) -> bytes:
    """What a witness who last cosigned ``since`` entries (0: none) is asked, as of ``size`` entries or as of now.

    Raises Misuse for sizes that the ledger does not have.
    """
    size = ledger.state(size).size
    proof = ledger.prove_consistency(since, size) if since else []
    lines = [f"old {since}", *(b64encode(node).decode() for node in proof), "", ledger.checkpoint(size)]
    return "\n".join(lines).encode()


def _read_request(request: bytes) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the checkpoint's note. Raises Misuse for any other bytes."""
    try:
        text = request.decode() if len(request) <= MOST_BYTES else ""
        head, blank, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        proof = [b64decode(line, validate=True) for line in lines]
        old = int(first.removeprefix("old "))
        written = "\n".join([f"old {old}", *(b64encode(node).decode() for node in proof)])
    except ValueError as fault:
        raise Misuse("not a request", why=str(fault), remedy="give what `mingjian ledger request` wrote") from fault
    whole = head == written and blank and old >= 0 and all(len(node) == HASH_SIZE for node in proof)
    if not whole or len(proof) > MOST_HASHES:
        raise Misuse("not a request", remedy="give what `mingjian ledger request` wrote")
    return old, proof, note


def _signed(note: str, keys: list[NoteKey]) -> Checkpoint:
    try:
        return parse_checkpoint(note, keys)
    except Tampered as fault:
        raise Forbidden("the ledger did not sign this checkpoint", why=str(fault), where=keys[0].name) from fault
