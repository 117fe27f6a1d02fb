"""The ledger: batches go in at the end, and nothing that is in ever changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from mingjian.base.errors import Finding, Misuse
from mingjian.base.keys import NoteKey, SigningKey
from mingjian.record.ledger._audit import ERASURE, ERASURE_SCHEMA, Progress, audit
from mingjian.record.ledger._blocks import Rows
from mingjian.record.ledger._checkpoint import write_checkpoint
from mingjian.record.ledger._copies import carry, copy_tables, named_blobs, unnamed_blobs
from mingjian.record.ledger._database import database_at
from mingjian.record.ledger._entry import Batch, Entry, RowProof
from mingjian.record.ledger._keys import KEY, KeyHistory, by_ledgers, change_key
from mingjian.record.ledger._merkle import proof_ranges
from mingjian.record.ledger._payload import leaves_of
from mingjian.record.ledger._state import COUNT, LedgerState
from mingjian.record.ledger._store import Gone, Store
from mingjian.record.ledger._tiles import range_hash
from mingjian.record.ledger._writer import Writer

_ENTRIES_KEPT: Final = 16  # proofs for many people come from few batches

Keyring = Callable[[NoteKey], SigningKey]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to: the ``entry`` that records it, how many ``keys`` and ``rows`` went, of which ``entries``."""

    entry: Entry
    keys: int
    rows: int
    entries: tuple[int, ...]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger(LedgerState):
    """An append-only log of batches with signed heads and proofs. `create` it once, `open` it from any process.

    ``origin`` names it.
    """

    def __init__(self, store: Store, key: SigningKey | Keyring | None, now: Callable[[], datetime]) -> None:
        self._store = store
        self.origin, self._first = store.identity()
        self._key = key
        self._writer = Writer(store, now)
        self._key_history = lru_cache(maxsize=1)(lambda _last: KeyHistory.of_state(self.state(), self.origin))
        if isinstance(key, SigningKey) and key.public != NoteKey.parse(self._first).public:
            self._signer()  # not its first key: only the entries tell whether it is the one in force
        self._rows = lru_cache(maxsize=_ENTRIES_KEPT)(self._read_rows)

    @classmethod
    def create(
        cls,
        where: str | Path,
        *,
        origin: str,
        key: SigningKey,
        blobs: str | Path | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> Ledger:
        """An empty ledger in a directory, or at a ``sqlite:///`` or ``postgresql://`` URL.

        ``origin`` names it in its checkpoints (like a URL without a scheme: no spaces, no plus sign) and ``key`` signs
        them. Large payloads lie in ``blobs``, a directory or ``s3://bucket/prefix``: in SQLite beside the database unless
        said, for PostgreSQL it must be said, and it is said again at each `open`. ``now`` is the clock, which must know its
        zone. Raises Misuse if a ledger is there, or for a bad origin; MingjianError where a place cannot be reached.
        """
        store = Store.at(where, blobs)
        store.create(origin, str(NoteKey(origin, key.public)))
        return cls(store, key, now)

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        blobs: str | Path | None = None,
        key: SigningKey | Keyring | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> Ledger:
        """The ledger that is there. Without ``key`` it does everything but sign; a keyring is asked for the key in force each
        time. Raises Misuse if there is none.
        """
        return cls(Store.at(where, blobs), key, now)

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
            raise Misuse(
                "the key is not that of this ledger", where=self.origin, remedy="open it with the one in force"
            )
        return key

    def append(self, batch: Batch, check: Callable[[LedgerState], None] | None = None) -> Entry:
        """Append one batch; see `append_all`."""
        return self.append_all([batch], check)[0]

    def append_all(self, batches: Iterable[Batch], check: Callable[[LedgerState], None] | None = None) -> list[Entry]:
        """Append all batches in one transaction, or none; they are on disk when this returns.

        ``check`` sees the state at the head while nobody else can append; whatever it raises refuses all of it. An
        entry's time is never before that of the entry ahead of it. Threads that append at once share transactions; one that
        breaks is told of to all of them. Raises Misuse for a table that has no canonical rows.
        """

        def look(size: int) -> None:
            if check is not None:
                check(LedgerState(self._store, size))

        return self._writer.append(list(batches), None if check is None else look)

    def owners(self) -> tuple[str, ...]:
        """The names of all owners that have a key, now."""
        return tuple(self._store.owners())

    def erase(
        self, owners: Iterable[str], *, by: str, scheme: str = "", source: Mapping[str, str] | None = None
    ) -> Erased:
        """Destroy the keys of these owners and of all below them (``a/b`` is below ``a``), and the rows under them.

        The hashes of the rows stay, so that every root, checkpoint and proof of another row holds as before. An entry of
        kind "erasure" comes with it, in the same transaction, and says how many rows of which entry went; ``source`` says
        in public what else is to be known. When this returns no byte of a key or a row is left in any file of the ledger,
        or of its tables in PostgreSQL; copies of them elsewhere (backups, proofs handed out, a server's WAL and its archive,
        its standbys) are not in its reach.

        Raises MingjianError if readers of an older state keep the files busy: the rows are erased then, and erasing again
        wipes what is left of them. Raises Tampered where rows are no longer those that were appended.
        """
        with self._store.turn() as turn:
            names = self._store.owners_under(owners)
            gone = Gone(names, list(self._leaves(names)))
            counts = Counter(index for index, _, _ in gone.leaves)
            table = pa.table([sorted(counts), [counts[index] for index in sorted(counts)]], schema=ERASURE_SCHEMA)
            record = Batch(ERASURE, scheme, by, table, source or {})
            entry = self._writer.record(turn, record, gone)
            self._store.database.scrub()
        self._rows.cache_clear()
        return Erased(entry, len(names), len(gone.leaves), tuple(sorted(counts)))

    def _leaves(self, owners: Iterable[str]) -> Iterator[tuple[int, int, bytes]]:
        keys = self._store.owner_keys(frozenset(owners))
        for owner, key in keys.items():
            for index, section, batch_key in self._store.sections_of(owner):
                yield from ((index, row, leaf) for row, leaf in leaves_of(section, key, batch_key))

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
            raise Misuse(f"no entry {index}", why=f"the tree has {size}", remedy=COUNT)
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

    # -- copies ---------------------------------------------------------------------------------------------------------
    def snapshot(self, folder: Path) -> None:
        """Write its database as of one moment, while others write, as the ``ledger.db`` of a folder that has none.

        The blobs that it names (`blobs` of the copy) are not copied: `blob` reads them here.
        """
        target = database_at(folder)
        copy_tables(self._store.database, target)
        target.scrub()  # all of it stands in one file then

    def blobs(self) -> list[str]:
        """The names of the blobs that hold rows of entries."""
        return named_blobs(self._store)

    def blob(self, name: str) -> bytes:
        """The bytes of a blob. Raises Tampered where it is missing, cut or altered."""
        return self._store.blobs.get(name)

    def unnamed_blobs(self) -> list[str]:
        """The blobs that lie there and that no entry names: a writer died before the entry, or is about to write it."""
        return unnamed_blobs(self._store)

    def carry(self, where: str, blobs: str, *, progress: Progress = lambda *_: None) -> None:
        """Bring its tables to a URL and its blobs to a place, which `open` then takes; "" for what stays where it is.

        Nobody may write here meanwhile. ``progress`` hears (blobs done, blobs in all). Raises Misuse where a ledger, or a blob,
        is there already.
        """
        carry(self._store, where, blobs, progress)

    def _read_rows(self, index: int, _erasures: int) -> Rows:
        return Rows(self._store.stored(index), self.entry(index))

    def _known_size(self, size: int | None) -> int:
        now = self.size
        if size is not None and not 0 <= size <= now:
            raise Misuse(
                f"no size {size}", why=f"the ledger has {now} entries", remedy="`mingjian ledger head` says how many"
            )
        return now if size is None else size
