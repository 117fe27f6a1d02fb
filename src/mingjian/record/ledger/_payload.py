"""The rows of a batch as they are stored: small ones as canonical JSON lines, large ones as Parquet, owned ones encrypted.

The identity of a batch is the root over its rows. How Parquet writes them depends on the writer's version and is no part
of it: after reading, the rows are made canonical anew and held against the root.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mingjian.base.errors import Misuse, Tampered
from mingjian.record.ledger._entry import Batch, Entry, RowProof
from mingjian.record.ledger._merkle import Tree, root_of, row_leaves
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
    Columns,
    canonical_chunks,
    canonical_rows,
    columns_of,
    schema_of,
    table_of,
)

LARGEST_INLINE: Final = 64 * 1024  # bytes of JSON lines
KEY_SIZE: Final = 32


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


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one entry, as stored, with the tree over them: None where one was erased.

    ``key`` salts them, but for the owned ones, whose secrets are in ``keys`` by their places.
    """

    entry: Entry
    rows: Sequence[bytes | None]
    key: bytes
    keys: Mapping[int, bytes]
    tree: Tree

    def proof(self, row: int) -> RowProof:
        """One row with its path to the entry's root. Raises Misuse for one that was erased."""
        content = self.rows[row]
        if content is None:
            raise Misuse(
                f"row {row} of entry {self.entry.index} was erased",
                why="the key it stood under was destroyed; its hash alone was kept",
                remedy="the erasures in the ledger say when and by whom",
            )
        salt = row_salt(self.keys.get(row, self.key), row)
        return RowProof(self.entry.index, row, salt, content, self.tree.path(row))


def prepare(batch: Batch, keys: Mapping[str, bytes]) -> Prepared:
    """Canonical rows, salts, root and stored form of a batch, ``keys`` being those of its owners.

    Raises Misuse for a table that has no canonical rows.
    """
    columns, key = columns_of(batch.table), secrets.token_bytes(KEY_SIZE)
    if batch.named_owners:
        return _prepare_owned(batch, columns, key, keys)
    roots: list[bytes] = []
    lines: list[bytes] = []
    count = size = 0  # rows, and bytes of them as lines
    for rows in canonical_chunks(batch.table):
        roots.append(_subtree(rows, key, count))
        count += len(rows)
        size += sum(map(len, rows)) + len(rows)
        lines = lines + rows if size <= LARGEST_INLINE else []
    inline = size <= LARGEST_INLINE
    payload = b"\n".join(lines) if inline else _parquet(batch.table.cast(schema_of(columns)))
    return Prepared(batch, columns, root_of(roots), key, payload, inline)


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
    inline = sum(map(len, plain)) + len(plain) <= LARGEST_INLINE
    payload = b"\n".join(plain) if inline else _parquet(table.slice(0, len(plain)).cast(schema_of(columns)))
    return Prepared(batch, columns, root_of(leaves), key, payload, inline, tuple(sections))


def _put(into: list[bytes], places: Places, values: Sequence[bytes]) -> None:
    for place, value in zip(places.tolist(), values, strict=True):
        into[place] = value


def _subtree(rows: Sequence[bytes], key: bytes, start: int) -> bytes:
    """The root over a chunk of rows. `root_of` those is the root over all: each chunk but the last is a complete subtree."""
    return root_of(row_leaves(row_salts(key, range(start, start + len(rows))), rows))


def _parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    # The values of a series hardly repeat. (The stubs know of no list of columns here.)
    flat: Any = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    pq.write_table(table, buffer, compression="zstd", use_dictionary=flat)
    return buffer.getvalue()


def _lines(payload: bytes) -> list[bytes]:
    return payload.split(b"\n") if payload else []


def read_table(stored: Stored, columns: Columns) -> pa.Table:
    """The typed table of the rows without an owner, from Parquet. Raises Tampered for bytes that are no such table."""
    try:
        table = pq.read_table(pa.BufferReader(stored.payload))
    except (pa.ArrowException, OSError) as fault:
        raise Tampered("not the rows of this batch", why=str(fault)) from fault
    if table.schema != schema_of(columns):
        raise Tampered("not the rows of this batch", why="its columns are not those of the entry")
    return table


def read_placed(stored: Stored, entry: Entry) -> Placed:
    """The rows of a stored batch that are there. Raises Tampered for bytes that are no rows of it."""
    if stored.inline:
        lines, places = placed_lines(stored, entry)
        return Placed(table_of(lines, entry.columns), pa.array(places, pa.int64()))
    plain = read_table(stored, entry.columns)
    if not stored.owned:
        return Placed(plain, pa.array(range(plain.num_rows), pa.int64()))
    table = pa.concat_tables([plain, table_of(_owned_lines(stored, entry), entry.columns)])
    places = _places(stored, entry, plain.num_rows)
    order = np.argsort(places)
    return Placed(table.take(order), pa.array(places[order], pa.int64()))


def placed_lines(stored: Stored, entry: Entry) -> tuple[list[bytes], Places]:
    """The canonical rows of a batch that stands inline, and their places, ascending. Raises Tampered as `read_placed` does."""
    lines = _lines(stored.payload)
    if not stored.owned:
        return lines, np.arange(len(lines), dtype=np.int64)
    places = _places(stored, entry, len(lines))
    lines += _owned_lines(stored, entry)
    order = np.argsort(places)
    return [lines[at] for at in order.tolist()], places[order]


def _owned_lines(stored: Stored, entry: Entry) -> list[bytes]:
    key = _key(stored, entry)
    return list(chain.from_iterable(open_rows(section, owner, key) for section, owner in stored.sections))


def _places(stored: Stored, entry: Entry, plain: int) -> Places:
    """The places of the rows without an owner, of which there are ``plain``, and then of each owner's."""
    return np.concatenate([_plain_places(stored, entry, plain), *(section.places for section, _ in stored.sections)])


def _plain_places(stored: Stored, entry: Entry, count: int) -> Places:
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


def check_rows(stored: Stored, entry: Entry) -> None:
    """Raises Tampered, as `read_rows` does, but holds no more than a chunk of rows without owners at a time."""
    if stored.owned:
        read_rows(stored, entry)
        return
    key = _key(stored, entry)
    chunks = [_lines(stored.payload)] if stored.inline else canonical_chunks(read_table(stored, entry.columns))
    roots: list[bytes] = []
    count = 0
    for rows in chunks:
        roots.append(_subtree(rows, key, count))
        count += len(rows)
    _check_root(entry, count, root_of(roots))


def read_rows(stored: Stored, entry: Entry) -> Rows:
    """The rows of a stored batch. Raises Tampered if they do not have the entry's root, or if their salts are gone."""
    key = _key(stored, entry)
    plain = _lines(stored.payload) if stored.inline else canonical_rows(read_table(stored, entry.columns))
    if not stored.owned:
        tree = Tree.of(row_leaves(row_salts(key, range(len(plain))), plain))
        _check_root(entry, len(plain), tree.root)
        return Rows(entry, plain, key, {}, tree)
    rows: list[bytes | None] = [None] * entry.rows
    leaves = [stored.erased.get(place, b"") for place in range(entry.rows)]
    keys: dict[int, bytes] = {}
    for places, lines, secret in _parts(stored, entry, plain, key):
        _put(leaves, places, row_leaves(row_salts(secret, places.tolist()), lines))
        for place, line in zip(places.tolist(), lines, strict=True):
            rows[place] = line
        keys |= dict.fromkeys(places.tolist(), secret)
    tree = Tree.of(leaves)
    _check_root(entry, len(leaves), tree.root)
    return Rows(entry, rows, key, keys, tree)


def _parts(
    stored: Stored, entry: Entry, plain: list[bytes], key: bytes
) -> Iterator[tuple[Places, Sequence[bytes], bytes]]:
    """Places, rows and salting secret of the rows without an owner, then of each owner's."""
    yield _plain_places(stored, entry, len(plain)), plain, key
    for section, owner in stored.sections:
        yield section.places, open_rows(section, owner, key), salting_key(owner, key)


def leaves_of(section: Section, owner: bytes, batch_key: bytes) -> list[tuple[int, bytes]]:
    """(place, leaf hash) of an owner's rows: what is kept of them once they are erased."""
    places = section.places.tolist()
    salts = row_salts(salting_key(owner, batch_key), places)
    return list(zip(places, row_leaves(salts, open_rows(section, owner, batch_key)), strict=True))


def _key(stored: Stored, entry: Entry) -> bytes:
    if stored.key is None:
        raise Tampered("the salts of these rows are gone", why="their key was destroyed", where=f"entry {entry.index}")
    return stored.key


def _check_root(entry: Entry, count: int, root: bytes) -> None:
    if (count, root.hex()) != (entry.rows, entry.root):
        why = "they do not have the root of their entry"
        raise Tampered("these are not the rows that were appended", why=why, where=f"entry {entry.index}")
