"""The changes of a ledger's keys as one JSON document that proves itself to whoever knows any of the ledger's keys.

``{"format", "checkpoint", "changes": [{"header", "path", "row", "consistency"}]}``: each change as the entry it is, proven up
to the checkpoint, which names on a line of its own the entries that there are, so that none can be left out unseen. Where
the ledger's key changed, the old key's own note is proven to be of the same history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys import NoteKey
from mingjian.record.ledger._checkpoint import Checkpoint, body_of, parse_checkpoint
from mingjian.record.ledger._entry import Entry, RowProof
from mingjian.record.ledger._keys import KEY, KeyChange, KeyHistory
from mingjian.record.ledger._ledger import Ledger
from mingjian.record.ledger._merkle import verify_consistency, verify_inclusion

FORMAT: Final = "mingjian-keys/1"
MOST_CHANGES: Final = 1_000

_LISTS: Final = "mingjian/keys"


def write_key_history(ledger: Ledger) -> dict[str, Any]:
    """The document of a ledger that is open with its key, as of now."""
    state = ledger.state()
    history = KeyHistory.of_state(state, ledger.origin)
    return {
        "format": FORMAT,
        "checkpoint": ledger.checkpoint(state.size, [_listed(history)]),
        "changes": [_written(ledger, state.size, change) for change in history.changes],
    }


def _written(ledger: Ledger, size: int, change: KeyChange) -> dict[str, Any]:
    (row,) = ledger.prove_rows(change.place, [0])
    follows = change.role == "ledger" and change.place > 0
    return {
        "header": ledger.state(size).entry(change.place).to_json(),
        "path": [node.hex() for node in ledger.prove_entry(change.place, size)],
        "row": row.to_json(),
        "consistency": [node.hex() for node in ledger.prove_consistency(change.place, size)] if follows else [],
    }


def read_key_history(document: object, known: Iterable[NoteKey]) -> KeyHistory:
    """The history in a document, for a reader who knows these keys of ledgers.

    Raises Misuse for what is no such document, and for one of a ledger of which the reader knows no key; Tampered for one
    that does not hold.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Misuse("not a history of keys", remedy=f"give a file of the format {FORMAT}")
    try:
        note, told = document["checkpoint"], document["changes"]
        if not (isinstance(note, str) and isinstance(told, list) and len(told) <= MOST_CHANGES):
            raise TypeError(f"a note and at most {MOST_CHANGES} changes are wanted")
        read = [_Told.of(one) for one in told]
    except (KeyError, TypeError, ValueError) as fault:
        raise Misuse("not a history of keys", why=repr(fault), remedy="fetch it anew from the office") from fault
    history = KeyHistory(note.partition("\n")[0], 0, tuple(one.change for one in read))
    signers = history.signers(known, 1 << 63)  # beyond every change: the key in force
    if not signers:
        remedy = "get the ledger's key by another way than this file, and name it in a trust file"
        raise Misuse(f"a history of the keys of {history.origin}, which the reader does not know", remedy=remedy)
    head = parse_checkpoint(note, signers)
    if _listed(history) not in head.lines:
        raise Tampered("a history of keys is not whole", why="the ledger lists other entries", where=head.origin)
    for one in read:
        one.check(head)
    return KeyHistory(head.origin, head.size, history.changes)


class _Told:
    """One change as a document tells it, with what proves it."""

    def __init__(self, change: KeyChange, entry: Entry, path: Sequence[bytes], row: RowProof, since: Sequence[bytes]):
        self.change, self._entry, self._path, self._row, self._consistency = change, entry, path, row, since

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> _Told:
        entry, row = Entry.from_json(told["header"]), RowProof.from_json(told["row"])
        path, consistency = ([bytes.fromhex(node) for node in told[name]] for name in ("path", "consistency"))
        return cls(KeyChange.of_row(entry, row.values), entry, path, row, consistency)

    def check(self, head: Checkpoint) -> None:
        """Raises Tampered unless the change is an entry of that head, and what its keys signed is of the same history."""
        entry, change = self._entry, self.change
        included = verify_inclusion(entry.leaf_hash, entry.index, head.size, self._path, head.root)
        if not (included and entry.kind == KEY and self._row.holds(entry)):
            raise Tampered("a change of a key is not in the ledger", where=f"entry {entry.index}")
        if change.role == "office":
            return
        text = change.attested(head.origin)
        _, size, root, _ = body_of(text)
        if change.role == "issuer" or not size:
            return
        if not verify_consistency(size, head.size, root, head.root, self._consistency):
            raise Tampered("a change of the ledger's key is of another history", where=f"entry {entry.index}")


def _listed(history: KeyHistory) -> str:
    """The line on which a ledger says which of its entries change keys."""
    places = ",".join(str(change.place) for change in history.changes)
    return f"{_LISTS} {places}" if places else _LISTS
