"""The rows of a batch as they are stored: small ones as canonical JSON lines, large ones as Parquet, owned ones encrypted.

The identity of a batch is the root over its rows. How Parquet writes them depends on the writer's version and is no part
of it: after reading, the rows are made canonical anew and held against the root.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count, groupby, islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mingjian.base.errors import Tampered
from mingjian.record.ledger._entry import Batch, Entry
from mingjian.record.ledger._merkle import HASH_SIZE, root_of, row_leaf, row_leaves
from mingjian.record.ledger._owned import (
    Places,
    Section,
    open_rows,
    places_by_owner,
    row_salt,
    row_salts,
    salting_key,
    seal_rows,
)
from mingjian.record.ledger._rows import (
    CHUNK,
    Columns,
    canonical_chunks,
    canonical_rows,
    columns_of,
    schema_of,
    table_of,
)

LARGEST_INLINE: Final = 64 * 1024  # bytes of JSON lines
KEY_SIZE: Final = 32
_FEW: Final = 64  # rows of a batch that is written together with others
BLOCK: Final = 2**10  # rows: as many are hashed to prove one of them
_ROOTS: Final = b"mingjian.blocks"  # the roots of a batch's blocks, one after the other, in base64


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch made ready to be numbered and written: all that costs time is done before the lock is taken.

    ``payload`` has the rows without an owner; those of owners are in ``sections``.
    """

    batch: Batch
    columns: Columns
    root: bytes
    key: bytes
    payload: bytes
    inline: bool
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as the store holds it: JSON lines (``inline``) or Parquet, and the key of its salts, None once destroyed.

    ``sections`` are the rows of owners, each with its owner's key; ``erased`` has the leaf hashes of rows that are gone.
    """

    payload: bytes
    inline: bool
    key: bytes | None
    sections: tuple[tuple[Section, bytes], ...] = ()
    erased: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def owned(self) -> bool:
        """Whether some of its rows have, or had, owners."""
        return bool(self.sections or self.erased)


@dataclass(frozen=True, slots=True)
class Placed:
    """The rows of an entry that are there, and their ``places`` (int64) in it, from 0, ascending.

    Both have as many rows as the entry, but for those that were erased.
    """

    table: pa.Table
    places: pa.Int64Array


def prepare_all(batches: Iterable[Batch], keys: Mapping[str, bytes]) -> list[Prepared]:
    """`prepare` of each; small ones of the same columns that follow each other are written as one table."""
    prepared: list[Prepared] = []
    for small, group in groupby(batches, key=_small):
        if small is None:
            prepared += [prepare(batch, keys) for batch in group]
        else:
            prepared += _prepare_small(list(group))
    return prepared


def _small(batch: Batch) -> pa.Schema | None:
    """The columns of a batch of few rows, without owners."""
    return batch.table.schema if 0 < batch.table.num_rows <= _FEW and not batch.named_owners else None


def _prepare_small(batches: Sequence[Batch]) -> Iterator[Prepared]:
    table = pa.concat_tables([batch.table for batch in batches])
    columns, lines = columns_of(table), iter(canonical_rows(table))
    for batch in batches:
        rows, key = list(islice(lines, batch.table.num_rows)), secrets.token_bytes(KEY_SIZE)
        payload = b"\n".join(rows)
        if len(payload) < LARGEST_INLINE:
            root = plain_root(rows, key)
            yield Prepared(batch, columns, root, key, payload, True)
        else:
            yield prepare(batch, {})


def prepare(batch: Batch, keys: Mapping[str, bytes]) -> Prepared:
    """Canonical rows, salts, root and stored form of a batch, ``keys`` being those of its owners.

    Raises Misuse for a table that has no canonical rows.
    """
    columns, key = columns_of(batch.table), secrets.token_bytes(KEY_SIZE)
    if batch.named_owners:
        return _prepare_owned(batch, columns, key, keys)
    chunks = canonical_chunks(batch.table)
    begun, size = _begun(chunks)
    if size <= LARGEST_INLINE:
        return Prepared(batch, columns, plain_root(begun, key), key, b"\n".join(begun), True)
    with ThreadPoolExecutor(1) as beside:  # Parquet is written without the interpreter's lock, which hashing holds
        writing = beside.submit(_Parquet, batch.table.cast(schema_of(columns)))
        roots = _plain_roots(chain([begun], chunks), key)
        payload = writing.result().ended(roots)
    return Prepared(batch, columns, root_of(roots), key, payload, False)


def _begun(chunks: Iterable[list[bytes]]) -> tuple[list[bytes], int]:
    """The first rows, all of them if they are few enough to stand inline, and how many bytes they come to as lines."""
    rows: list[bytes] = []
    size = 0
    for chunk in chunks:
        rows += chunk
        size += sum(map(len, chunk)) + len(chunk)
        if size > LARGEST_INLINE:
            break
    return rows, size


def _prepare_owned(batch: Batch, columns: Columns, key: bytes, keys: Mapping[str, bytes]) -> Prepared:
    """The rows are gone through owner by owner, so that few of them stand in memory as text."""
    groups = places_by_owner(batch.owners or ())
    table = batch.table.take(np.concatenate(list(groups.values())))
    rows = chain.from_iterable(canonical_chunks(table))
    leaves = [b""] * table.num_rows
    plain: list[bytes] = []
    sections: list[Section] = []
    for owner, places in groups.items():
        lines = list(islice(rows, len(places)))
        if owner:
            sections.append(seal_rows(owner, places, lines, keys[owner], key))
        else:
            plain = lines
        salts = row_salts(salting_key(keys[owner], key) if owner else key, places.tolist())
        _put(leaves, places, row_leaves(salts, lines))
    roots = _block_roots(leaves)
    inline = len(roots) <= 1 and sum(map(len, plain)) + len(plain) <= LARGEST_INLINE
    payload = (
        b"\n".join(plain) if inline else _Parquet(table.slice(0, len(plain)).cast(schema_of(columns))).ended(roots)
    )
    return Prepared(batch, columns, root_of(roots), key, payload, inline, tuple(sections))


def _put(into: list[bytes], places: Places, values: Sequence[bytes]) -> None:
    for place, value in zip(places.tolist(), values, strict=True):
        into[place] = value


def plain_root(rows: Sequence[bytes], key: bytes) -> bytes:
    """The root over a batch's rows, none of which has an owner."""
    if len(rows) == 1:  # as most batches have
        return row_leaf(row_salt(key, 0), rows[0])
    return root_of(row_leaves(row_salts(key, range(len(rows))), rows))


def _plain_roots(chunks: Iterable[Sequence[bytes]], key: bytes) -> list[bytes]:
    """The roots of the blocks of rows without owners."""
    places = count()
    return _block_roots(
        chain.from_iterable(row_leaves(row_salts(key, islice(places, len(rows))), rows) for rows in chunks)
    )


def _block_roots(leaves: Iterable[bytes]) -> list[bytes]:
    """The root of each block. `root_of` those is the root over all: each block but the last is a complete subtree."""
    waiting = iter(leaves)
    return [root_of(block) for block in iter(lambda: tuple(islice(waiting, BLOCK)), ())]


class _Parquet:
    """Rows as Parquet, in row groups of a chunk, that wait for the roots of the blocks of the whole batch."""

    def __init__(self, table: pa.Table) -> None:
        # The values of a series hardly repeat. (The stubs know of no list of columns here.)
        flat: Any = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(self._sink, table.schema, compression="zstd", use_dictionary=flat)
        self._writer.write_table(table, row_group_size=CHUNK)

    def ended(self, roots: Sequence[bytes]) -> bytes:
        """The whole file, which has the roots in its metadata."""
        self._writer.add_key_value_metadata({_ROOTS.decode(): b64encode(b"".join(roots)).decode()})
        self._writer.close()
        return self._sink.getvalue().to_pybytes()


def lines_of(payload: bytes) -> list[bytes]:
    return payload.split(b"\n") if payload else []


def read_table(stored: Stored, columns: Columns) -> pa.Table:
    """The typed table of the rows without an owner, from Parquet. Raises Tampered for bytes that are no such table."""
    with as_appended():
        return open_parquet(stored, columns).read().replace_schema_metadata()


def open_parquet(stored: Stored, columns: Columns) -> pq.ParquetFile:
    """The rows without an owner, of which nothing is read yet. Raises Tampered for bytes that are no such rows."""
    with as_appended():
        file = pq.ParquetFile(pa.BufferReader(stored.payload))
    if file.schema_arrow != schema_of(columns):
        raise Tampered("not the rows of this batch", why="its columns are not those of the entry")
    return file


@contextmanager
def as_appended() -> Iterator[None]:
    """Raises Tampered for bytes that cannot be read as they were written."""
    try:
        yield
    except (pa.ArrowException, OSError) as fault:
        raise Tampered("not the rows of this batch", why=str(fault)) from fault


def read_placed(stored: Stored, entry: Entry) -> Placed:
    """The rows of a stored batch that are there. Raises Tampered for bytes that are no rows of it."""
    if stored.inline:
        lines, places = placed_lines(stored, entry)
        return Placed(table_of(lines, entry.columns), pa.array(places, pa.int64()))
    plain = read_table(stored, entry.columns)
    if not stored.owned:
        return Placed(plain, pa.array(np.arange(plain.num_rows), pa.int64()))
    table = pa.concat_tables([plain, table_of(_owned_lines(stored, entry), entry.columns)])
    places = _places(stored, entry, plain.num_rows)
    order = np.argsort(places)
    return Placed(table.take(order), pa.array(places[order], pa.int64()))


def placed_lines(stored: Stored, entry: Entry) -> tuple[list[bytes], Places]:
    """The canonical rows of a batch that stands inline, and their places, ascending. Raises Tampered as `read_placed` does."""
    lines = lines_of(stored.payload)
    if not stored.owned:
        return lines, np.arange(len(lines), dtype=np.int64)
    places = _places(stored, entry, len(lines))
    lines += _owned_lines(stored, entry)
    order = np.argsort(places)
    return [lines[at] for at in order.tolist()], places[order]


def _owned_lines(stored: Stored, entry: Entry) -> list[bytes]:
    key = key_of(stored, entry)
    return list(chain.from_iterable(open_rows(section, owner, key) for section, owner in stored.sections))


def _places(stored: Stored, entry: Entry, plain: int) -> Places:
    """The places of the rows without an owner, of which there are ``plain``, and then of each owner's."""
    return np.concatenate([plain_places(stored, entry, plain), *(section.places for section, _ in stored.sections)])


def plain_places(stored: Stored, entry: Entry, count: int) -> Places:
    """The places that owners leave free. Raises Tampered unless each of the entry's places is taken once."""
    taken = np.concatenate([np.fromiter(stored.erased, np.int64), *(section.places for section, _ in stored.sections)])
    free = np.ones(entry.rows, dtype=bool)
    within = taken[(taken >= 0) & (taken < entry.rows)]
    free[within] = False
    places = np.flatnonzero(free).astype(np.int64)
    if len(places) != count or len(places) + len(taken) != entry.rows:
        why = "the places of its rows do not fill the entry"
        raise Tampered("these are not the rows that were appended", why=why, where=f"entry {entry.index}")
    return places


def check_rows(stored: Stored, entry: Entry) -> list[bytes]:
    """The roots of the blocks, from the rows themselves, of which few stand in memory at a time unless they have owners.

    Raises Tampered if they do not have the entry's root, or if their salts are gone.
    """
    if stored.owned:
        leaves = [stored.erased.get(place, b"") for place in range(entry.rows)]
        for places, lines, secret in _parts(stored, entry):
            _put(leaves, places, row_leaves(row_salts(secret, places.tolist()), lines))
        roots, there = _block_roots(leaves), len(leaves)
    elif stored.inline:
        lines = lines_of(stored.payload)
        roots, there = _plain_roots([lines], key_of(stored, entry)), len(lines)
    else:
        table = read_table(stored, entry.columns)
        roots, there = _plain_roots(canonical_chunks(table), key_of(stored, entry)), table.num_rows
    check_root(entry, there, root_of(roots))
    return roots


def block_roots(stored: Stored, entry: Entry) -> list[bytes]:
    """The roots of the blocks, as they were kept with the rows, or from the rows where none were: together they have the
    entry's root. Raises Tampered as `check_rows` does.
    """
    metadata = None if stored.inline else open_parquet(stored, entry.columns).metadata.metadata
    if not metadata or not metadata.get(_ROOTS):
        return check_rows(stored, entry)
    kept = b64decode(metadata[_ROOTS])
    roots = [kept[at : at + HASH_SIZE] for at in range(0, len(kept), HASH_SIZE)]
    check_root(entry, entry.rows, root_of(roots))
    return roots


def _parts(stored: Stored, entry: Entry) -> Iterator[tuple[Places, Sequence[bytes], bytes]]:
    """Places, rows and salting secret of the rows without an owner, then of each owner's."""
    key = key_of(stored, entry)
    plain = lines_of(stored.payload) if stored.inline else canonical_rows(read_table(stored, entry.columns))
    yield plain_places(stored, entry, len(plain)), plain, key
    for section, owner in stored.sections:
        yield section.places, open_rows(section, owner, key), salting_key(owner, key)


def leaves_of(section: Section, owner: bytes, batch_key: bytes) -> list[tuple[int, bytes]]:
    """(place, leaf hash) of an owner's rows: what is kept of them once they are erased."""
    places = section.places.tolist()
    salts = row_salts(salting_key(owner, batch_key), places)
    return list(zip(places, row_leaves(salts, open_rows(section, owner, batch_key)), strict=True))


def key_of(stored: Stored, entry: Entry) -> bytes:
    if stored.key is None:
        raise Tampered("the salts of these rows are gone", why="their key was destroyed", where=f"entry {entry.index}")
    if len(stored.key) != KEY_SIZE:
        why = f"their key has {len(stored.key)} bytes"
        raise Tampered("the salts of these rows are gone", why=why, where=f"entry {entry.index}")
    return stored.key


def check_root(entry: Entry, count: int, root: bytes) -> None:
    if (count, root.hex()) != (entry.rows, entry.root):
        why = "they do not have the root of their entry"
        raise Tampered("these are not the rows that were appended", why=why, where=f"entry {entry.index}")
