"""The ledger: batches go in at the end, and nothing that is in ever changes."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from mingjian.base.errors import Finding, Misuse, Tampered
from mingjian.base.keys import NoteKey, SigningKey
from mingjian.record.ledger._audit import ERASURE, ERASURE_SCHEMA, audit
from mingjian.record.ledger._checkpoint import write_checkpoint
from mingjian.record.ledger._entry import Batch, Entry, RowProof, read_header, whole_milliseconds
from mingjian.record.ledger._keys import KEY, KeyHistory, by_ledgers, change_key
from mingjian.record.ledger._merkle import proof_ranges
from mingjian.record.ledger._payload import (
    KEY_SIZE,
    Placed,
    Prepared,
    Rows,
    check_rows,
    leaves_of,
    prepare,
    read_placed,
    read_rows,
)
from mingjian.record.ledger._store import Gone, Store
from mingjian.record.ledger._tiles import extended, range_hash

_COUNT: Final = "they are counted from 0; `mingjian ledger head` says how many there are"
_PAGE: Final = 1000  # headers read at a time
_ROW_TREES_KEPT: Final = 4  # proofs for many people come from few batches

Keyring = Callable[[NoteKey], SigningKey]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to: the ``entry`` that records it, how many ``keys`` and ``rows`` went, of which ``entries``."""

    entry: Entry
    keys: int
    rows: int
    entries: tuple[int, ...]


def _with_new(keys: Mapping[str, bytes], names: Iterable[str]) -> dict[str, bytes]:
    """The keys of these owners, new ones for those that have none."""
    return {name: keys.get(name) or secrets.token_bytes(KEY_SIZE) for name in names}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LedgerState:
    """The ledger as it stood at one size: the same entries today and tomorrow, however many follow."""

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        self._size = size

    @property
    def size(self) -> int:
        """How many entries."""
        return self._size

    def root(self) -> bytes:
        """The root over all entries (32 bytes)."""
        return range_hash(self._store.tile, 0, self.size)

    def entry(self, index: int) -> Entry:
        """The entry of that index, from 0. Raises Misuse beyond the size, Tampered if its header is missing or garbled."""
        if not 0 <= index < self.size:
            raise Misuse(f"no entry {index}", why=f"the ledger has {self.size}", remedy=_COUNT)
        header = self._store.header(index)
        if header is None:
            raise Tampered("an entry is missing", where=f"entry {index}")
        return read_header(index, header)

    def entries(
        self, start: int = 0, end: int | None = None, kind: str | None = None, scheme: str | None = None
    ) -> Iterator[Entry]:
        """The entries in ``[start, end)``, in order, of that kind and scheme if given."""
        end = self.size if end is None else min(end, self.size)
        exactly = {name: value for name, value in (("kind", kind), ("scheme", scheme)) if value is not None}
        while page := self._store.headers(start, end, _PAGE, **exactly):
            yield from (read_header(index, header) for index, header in page)
            start = page[-1][0] + 1

    def find(self, source_sha256: str, kind: str) -> Entry | None:
        """The first entry of that kind from the file of that SHA-256: the same file need not be taken in twice."""
        page = self._store.headers(0, self.size, 1, source_sha256=source_sha256, kind=kind)
        return read_header(*page[0]) if page else None

    def table(self, index: int, verify: bool = False) -> pa.Table:
        """The rows of an entry as they were appended, with their types, but for those that were erased.

        Raises Tampered if they cannot be read; with ``verify``, also if they do not have the entry's root.
        """
        return self.placed(index, verify).table

    def placed(self, index: int, verify: bool = False) -> Placed:
        """The same rows with their places in the entry: a row keeps its place when others are erased."""
        entry, stored = self.entry(index), self._store.stored(index)
        if verify:
            check_rows(stored, entry)
        return read_placed(stored, entry)

    def erased(self) -> dict[int, int]:
        """How many rows each entry has lost to erasures *by now*, by index; entries that lost none are not named."""
        return self._store.erased(self.size)

    def erasures(self) -> int:
        """A number that grows with each erasure of the ledger, whatever this state's size: what was read before it is stale."""
        return self._store.last_of(ERASURE) + 1


class Ledger(LedgerState):
    """An append-only log of batches with signed heads and proofs. `create` it once, `open` it from any process.

    ``origin`` names it.
    """

    def __init__(self, store: Store, key: SigningKey | Keyring | None, now: Callable[[], datetime]) -> None:
        self._store = store
        self.origin, self._first = store.identity()
        self._key = key
        self._now = now
        self._key_history = lru_cache(maxsize=1)(lambda _last: KeyHistory.of_state(self.state(), self.origin))
        if isinstance(key, SigningKey) and key.public != NoteKey.parse(self._first).public:
            self._signer()  # not its first key: only the entries tell whether it is the one in force
        self._rows = lru_cache(maxsize=_ROW_TREES_KEPT)(self._read_rows)

    @classmethod
    def create(
        cls, where: str | Path, *, origin: str, key: SigningKey, now: Callable[[], datetime] = _utc_now
    ) -> Ledger:
        """An empty ledger in a directory or at a ``sqlite:///`` URL.

        ``origin`` names it in its checkpoints (like a URL without a scheme: no spaces, no plus sign) and ``key`` signs
        them. ``now`` is the clock, which must know its zone. Raises Misuse if a ledger is there, or for a bad origin.
        """
        store = Store.at(where)
        store.create(origin, str(NoteKey(origin, key.public)))
        return cls(store, key, now)

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        key: SigningKey | Keyring | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> Ledger:
        """The ledger that is there. Without ``key`` it does everything but sign; a keyring is asked for the key in force each
        time. Raises Misuse if there is none.
        """
        return cls(Store.at(where), key, now)

    @property
    def size(self) -> int:
        """How many entries, now."""
        return self._store.size()

    def state(self, size: int | None = None) -> LedgerState:
        """The ledger as of ``size`` entries, or as of now. Raises Misuse for a size it does not have."""
        return LedgerState(self._store, self._known_size(size))

    @property
    def keys(self) -> KeyHistory:
        """What became of its own key, of the issuer's and of the office's, as of now."""
        return self._key_history(self._store.last_of(KEY))

    @property
    def vkey(self) -> str:
        """The text of the `NoteKey` that its checkpoints are checked with, now."""
        return self.keys.present("ledger", self._first)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """All keys that it ever had, the first one first."""
        return self.keys.keys("ledger") or (self._first,)

    def rotate(self, new: SigningKey, *, by: str) -> Entry:
        """Let another key sign from now on; an entry that the old and the new one attest says so. See `KeyChange`.

        Raises Misuse without the key in force.
        """
        old = self._signer()
        ends, begins = (str(NoteKey(self.origin, key.public)) for key in (old, new))
        entry = change_key(self, "ledger", ends, begins, by_ledgers(self.origin, old, new), by=by)
        if isinstance(self._key, SigningKey):
            self._key = new
        return entry

    def _signer(self) -> SigningKey:
        """The key in force. Raises Misuse where it is not at hand."""
        if self._key is None:
            raise Misuse("no checkpoint without a key", where=self.origin, remedy="open the ledger with its key")
        wanted = NoteKey.parse(self.vkey)
        key = self._key if isinstance(self._key, SigningKey) else self._key(wanted)
        if key.public != wanted.public:  # it may have been changed by another process
            raise Misuse("the key is not that of this ledger", where=self.origin, remedy="open it with the one in force")
        return key

    def append(self, batch: Batch, check: Callable[[LedgerState], None] | None = None) -> Entry:
        """Append one batch; see `append_all`."""
        return self.append_all([batch], check)[0]

    def append_all(self, batches: Iterable[Batch], check: Callable[[LedgerState], None] | None = None) -> list[Entry]:
        """Append all batches in one transaction, or none; they are on disk when this returns.

        ``check`` sees the state at the head while nobody else can append; whatever it raises refuses all of it. An
        entry's time is never before that of the entry ahead of it. Raises Misuse for a table that has no canonical rows.
        """
        batches = list(batches)
        names = frozenset().union(*(batch.named_owners for batch in batches))
        known = self._store.owner_keys(names)
        keys = _with_new(known, names)
        prepared = [prepare(batch, keys) for batch in batches]
        with self._store.lock():
            head = self.state()
            if check is not None:
                check(head)
            there = self._store.owner_keys(names)
            if there != known:  # somebody else made, or destroyed, one of the keys meanwhile
                keys = _with_new(there, names)
                prepared = [prepare(batch, keys) for batch in batches]
            new = {name: key for name, key in keys.items() if name not in there}
            return self._commit(prepared, head, new)

    def owners(self) -> tuple[str, ...]:
        """The names of all owners that have a key, now."""
        return tuple(self._store.owners())

    def erase(
        self, owners: Iterable[str], *, by: str, scheme: str = "", source: Mapping[str, str] | None = None
    ) -> Erased:
        """Destroy the keys of these owners and of all below them (``a/b`` is below ``a``), and the rows under them.

        The hashes of the rows stay, so that every root, checkpoint and proof of another row holds as before. An entry of
        kind "erasure" comes with it, in the same transaction, and says how many rows of which entry went; ``source`` says
        in public what else is to be known. When this returns no byte of a key or a row is left in any file of the ledger;
        copies of them elsewhere (backups, proofs handed out) are not in its reach.

        Raises MingjianError if readers of an older state keep the files busy: the rows are erased then, and erasing again
        wipes what is left of them. Raises Tampered where rows are no longer those that were appended.
        """
        with self._store.lock():
            names = self._store.owners_under(owners)
            gone = Gone(names, list(self._leaves(names)))
            counts = Counter(index for index, _, _ in gone.leaves)
            table = pa.table([sorted(counts), [counts[index] for index in sorted(counts)]], schema=ERASURE_SCHEMA)
            record = Batch(ERASURE, scheme, by, table, source or {})
            (entry,) = self._commit([prepare(record, {})], self.state(), {}, gone)
            self._store.scrub()
        self._rows.cache_clear()
        return Erased(entry, len(names), len(gone.leaves), tuple(sorted(counts)))

    def _leaves(self, owners: Iterable[str]) -> Iterator[tuple[int, int, bytes]]:
        keys = self._store.owner_keys(frozenset(owners))
        for owner, key in keys.items():
            for index, section, batch_key in self._store.sections_of(owner):
                yield from ((index, row, leaf) for row, leaf in leaves_of(section, key, batch_key))

    def _commit(
        self, prepared: Sequence[Prepared], head: LedgerState, keys: Mapping[str, bytes], gone: Gone | None = None
    ) -> list[Entry]:
        entries = self._numbered(prepared, head)
        if entries:
            tiles = extended(self._store.tile, head.size, (entry.leaf_hash for entry in entries))
            self._store.commit(list(zip(entries, prepared, strict=True)), tiles, keys=keys, gone=gone)
        return entries

    def _numbered(self, prepared: Sequence[Prepared], head: LedgerState) -> list[Entry]:
        at = whole_milliseconds(self._now())
        if head.size:
            at = max(at, head.entry(head.size - 1).at)
        return [
            Entry(
                index=index,
                at=at,
                by=p.batch.by,
                scheme=p.batch.scheme,
                kind=p.batch.kind,
                columns=p.columns,
                rows=p.batch.table.num_rows,
                root=p.root.hex(),
                source=dict(p.batch.source),
            )
            for index, p in enumerate(prepared, head.size)
        ]

    def checkpoint(self, size: int | None = None, lines: Iterable[str] = ()) -> str:
        """The signed head (C2SP tlog-checkpoint) as of ``size`` entries, or as of now, with ``lines`` below it.

        Raises Misuse if the ledger was opened without its key, or this was changed since.
        """
        key, state = self._signer(), self.state(size)
        return write_checkpoint(self.origin, state.size, state.root(), key, lines)

    def prove_entry(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that entry ``index`` is in the tree of ``size`` entries, for `verify_inclusion`."""
        size = self._known_size(size)
        if not 0 <= index < size:
            raise Misuse(f"no entry {index}", why=f"the tree has {size}", remedy=_COUNT)
        return self._proof(index, index + 1, size)

    def prove_consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the tree of ``old`` entries begins that of ``new``, for `verify_consistency`."""
        new = self._known_size(new)
        if not 1 <= old <= new:
            raise Misuse(
                f"no proof from size {old} to size {new}", remedy="the old size is at least 1 and not the larger"
            )
        return self._proof(0, old, new)

    def _proof(self, start: int, end: int, size: int) -> list[bytes]:
        read = lru_cache(maxsize=None)(self._store.tile)
        return [range_hash(read, low, high) for low, high in proof_ranges(start, end, size)]

    def prove_rows(self, index: int, rows: Iterable[int]) -> list[RowProof]:
        """The proofs of those rows (places in the batch, from 0) of entry ``index``.

        Raises Misuse for a row it does not have or that was erased, Tampered if the rows no longer have the entry's root
        or their salts are gone.
        """
        batch = self._rows(index, self.erasures())
        wanted = list(rows)
        if beyond := [row for row in wanted if not 0 <= row < batch.entry.rows]:
            raise Misuse(
                f"no row {beyond[0]} in entry {index}",
                why=f"it has {batch.entry.rows}",
                remedy="they are counted from 0",
            )
        return [batch.proof(row) for row in wanted]

    def audit(self, checkpoint: str | None = None, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
        """Derive every root anew from the stored bytes; an empty list says that all is as it was appended.

        Findings come in the order of the log, so the first names the first bad entry. ``checkpoint`` is a signed head
        kept elsewhere: history that was rewritten since does not have its root. ``progress`` hears (entries done,
        entries in all). Raises Tampered if the checkpoint itself is not one this ledger signed.
        """
        signers = () if checkpoint is None else tuple(NoteKey.parse(vkey) for vkey in self.vkeys)
        return audit(self._store, signers, checkpoint, progress or (lambda done, total: None))

    def _read_rows(self, index: int, _erasures: int) -> Rows:
        return read_rows(self._store.stored(index), self.entry(index))

    def _known_size(self, size: int | None) -> int:
        now = self.size
        if size is not None and not 0 <= size <= now:
            raise Misuse(
                f"no size {size}", why=f"the ledger has {now} entries", remedy="`mingjian ledger head` says how many"
            )
        return now if size is None else size
