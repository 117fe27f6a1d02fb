"""Everything derived anew from the stored bytes and held against what was written.

Three independent witnesses are heard: each entry's rows against its root, each header against the hash the tree holds
for it, and the tree against itself. A history rewritten with care agrees with all three; only a checkpoint kept
elsewhere exposes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
from sqlalchemy.exc import DBAPIError

from mingjian.base.errors import Finding, MingjianError, Misuse, Place, Tampered
from mingjian.base.keys import NoteKey
from mingjian.record.ledger._checkpoint import Checkpoint, parse_checkpoint
from mingjian.record.ledger._database import RESTORE, Damaged
from mingjian.record.ledger._entry import read_header
from mingjian.record.ledger._header import is_header
from mingjian.record.ledger._merkle import leaf_hashes, root_of
from mingjian.record.ledger._payload import KEY_SIZE, Stored, check_rows, lines_of, plain_root, read_placed
from mingjian.record.ledger._store import UNREADABLE, Record, Store, first_line, lookup_values
from mingjian.record.ledger._tiles import TILE_WIDTH, extended, hashes_of, tile_name

ERASURE: Final = "erasure"  # the kind of an entry that says how many rows of which entries were erased
ERASURE_SCHEMA: Final = pa.schema([("entry", pa.int64()), ("rows", pa.int64())])

Progress = Callable[[int, int], None]


def audit(store: Store, signers: Sequence[NoteKey], checkpoint: str | None, progress: Progress) -> list[Finding]:
    """All that is wrong with a store, in the order of the log; see `Ledger.audit`."""
    signed = None if checkpoint is None else parse_checkpoint(checkpoint, signers)
    findings: list[Finding] = []
    try:
        with readable(store.name):
            findings.extend(_findings(store, signed, progress))
    except Damaged as fault:
        message = f"{fault.what}: {fault.why}"
        findings.append(Finding("store-damaged", message, Place(file=str(fault.where)), remedy=RESTORE))
    return findings


@contextmanager
def readable(name: str) -> Iterator[None]:
    """While a database of that name is read. Raises Damaged where it is, MingjianError where it can be reached no more."""
    try:
        yield
    except UNREADABLE as fault:
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            remedy = "see that the server runs, and try again"
            raise MingjianError(
                "the database cannot be reached any more", why=first_line(fault), where=name, remedy=remedy
            ) from fault
        why = first_line(fault)
        raise Damaged(name, why) from fault


def _findings(store: Store, signed: Checkpoint | None, progress: Progress) -> Iterator[Finding]:
    size, signed_size = store.size(), 0 if signed is None else signed.size
    held_roots: list[bytes] = []  # of each full tile, from the hashes in it
    signed_roots: list[bytes] = []  # of each tile as far as it was signed, from the headers
    erasures: dict[int, bytes] = {}
    for start in range(0, size, TILE_WIDTH):
        end = min(start + TILE_WIDTH, size)
        records = {record.entry: record for record in store.records(start, end)}
        headers = {index: record.header for index, record in records.items() if isinstance(record.header, bytes)}
        erasures |= {index: header for index, header in headers.items() if records[index].kind == ERASURE}
        hashes = dict(zip(headers, leaf_hashes(headers.values()), strict=True))
        leaves = [hashes.get(index, b"") for index in range(start, end)]
        held = _padded(hashes_of(_tile(store, 0, start // TILE_WIDTH)), end - start)
        held_roots += [root_of(held)] if len(held) == TILE_WIDTH else []
        signed_roots += [root_of(leaves[: signed_size - start])] if start < signed_size else []
        doubtful = {index: header for index, header in headers.items() if not is_sound(records[index])}
        stored = _rows(store, [*doubtful])
        for index in range(start, end):
            if index not in headers:
                yield _without_header(index, records.get(index))
            elif leaves[index - start] != held[index - start]:
                message = f"its header does not have the hash that stands in {tile_name(0, start // TILE_WIDTH)}"
                yield _of_entry(index, "entry-differs", message)
            if index in doubtful:
                yield from _entry_findings(records[index], doubtful[index], next(stored))
            progress(index + 1, size)
    yield from _missing_end(store)
    yield from _erasure_findings(store, size, erasures)
    yield from _tile_findings(store, held_roots)
    if signed is not None:
        yield from _checkpoint_findings(signed, size, root_of(signed_roots))


def is_sound(record: Record) -> bool:
    """Whether `_entry_findings` would find nothing, where its columns alone can tell: of small rows that have no owners."""
    index, header, scheme, kind, source_sha256, inline, blob, owned, key = record
    if blob is not None or owned or not (isinstance(scheme, str) and isinstance(kind, str)):
        return False
    if not (isinstance(header, bytes) and isinstance(inline, bytes) and isinstance(key, bytes)) or len(key) != KEY_SIZE:
        return False
    rows = lines_of(inline)
    return is_header(header, index, scheme, kind, source_sha256, len(rows), plain_root(rows, key))


def _rows(store: Store, indices: Sequence[int]) -> Iterator[Stored | Tampered]:
    """The rows of each of these entries, asked for together; of those that cannot be had, why."""
    there = 0
    try:
        for stored in store.stored_of(indices):
            yield stored
            there += 1
    except Damaged:
        raise
    except Tampered:  # it may speak of any of them, so each of the rest is asked for itself
        for index in indices[there:]:
            yield _rows_alone(store, index)


def _rows_alone(store: Store, index: int) -> Stored | Tampered:
    try:
        return store.stored(index)
    except Damaged:
        raise
    except Tampered as fault:
        return fault


def _without_header(index: int, record: Record | None) -> Finding:
    if record is None:
        return _of_entry(index, "entry-missing", "an entry is missing")
    return _of_entry(index, "entry-differs", f"its header is of type {type(record.header).__name__}, not bytes")


def _entry_findings(record: Record, header: bytes, stored: Stored | Tampered) -> Iterator[Finding]:
    index = record.entry
    try:
        entry = read_header(index, header)
        if isinstance(stored, Tampered):
            raise stored
        check_rows(stored, entry)
    except (Tampered, Misuse) as fault:  # Misuse: rows put there by hand may have no canonical form at all
        yield _of_entry(index, "rows-differ", ": ".join(filter(None, (fault.what, fault.why))))
    else:
        if [record.scheme, record.kind, record.source_sha256] != [*lookup_values(entry).values()]:
            yield _of_entry(index, "lookup-differs", "it is filed under another kind, scheme or source than its own")


def _erasure_findings(store: Store, size: int, erasures: Mapping[int, bytes]) -> Iterator[Finding]:
    """Rows that are gone without an erasure in the log that says so. (Erasures themselves are entries, held to their roots.)"""
    recorded: Counter[int] = Counter()
    for index, header in erasures.items():
        try:
            table = read_placed(store.stored(index), read_header(index, header)).table
        except Damaged:
            raise
        except (Tampered, Misuse):
            continue  # a finding of its own
        for row in table.to_pylist():
            recorded[row["entry"]] += row["rows"]
    erased = store.erased(size)
    for index in sorted(erased.keys() | recorded.keys()):
        if erased.get(index, 0) != recorded[index]:
            message = f"it lost {erased.get(index, 0)} rows, but erasures tell of {recorded[index]}"
            yield _of_entry(index, "erased-unrecorded", message)


def _tile(store: Store, level: int, number: int) -> bytes:
    """A tile; no bytes where something else stands, which is then not what the tree has there."""
    try:
        return store.tile(level, number)
    except Damaged:
        raise
    except Tampered:
        return b""


def _padded(hashes: list[bytes], count: int) -> list[bytes]:
    return (hashes + [b""] * count)[:count]


def _missing_end(store: Store) -> Iterator[Finding]:
    with store.turn():  # else an append in between would look like entries cut off
        size = store.size()
        tile = _tile(store, 0, size // TILE_WIDTH)
    if len(hashes_of(tile)) > size % TILE_WIDTH:
        yield _of_entry(size, "entry-missing", "the tree goes on, but entries are missing from here on")


def _tile_findings(store: Store, roots: list[bytes]) -> Iterator[Finding]:
    """The upper tiles against the roots of the lowest, so that one changed header is one finding."""
    for (below, number), hashes in extended(lambda level, number: b"", 0, roots).items():
        if _tile(store, below + 1, number)[: len(hashes)] != hashes:
            message = "its hashes are not those of the tiles below it"
            yield Finding("tile-differs", message, Place(file=tile_name(below + 1, number)))


def _checkpoint_findings(signed: Checkpoint, size: int, root: bytes) -> Iterator[Finding]:
    place = Place(file=f"checkpoint of {signed.origin} at size {signed.size}")
    if signed.size > size:
        yield Finding("history-cut", f"the ledger has only {size} entries", place, value=str(signed.size))
    elif root != signed.root:
        message = "the entries up to here are not those that were signed: history was rewritten"
        yield Finding("history-rewritten", message, place, value=signed.root.hex())


def _of_entry(index: int, rule: str, message: str) -> Finding:
    return Finding(rule, message, Place(file=f"entry {index}"), remedy=RESTORE)
