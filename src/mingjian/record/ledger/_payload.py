"""The rows of a batch as they are stored: small ones as canonical JSON lines, large ones as Parquet.

The identity of a batch is the root over its rows. How Parquet writes them depends on the writer's version and is no part
of it: after reading, the rows are made canonical anew and held against the root.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from mingjian.base.errors import Tampered
from mingjian.record.ledger._entry import Batch, Entry, RowProof
from mingjian.record.ledger._merkle import SALT_SIZE, Tree, root_of, row_leaves
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch made ready to be numbered and written: all that costs time is done before the lock is taken."""

    batch: Batch
    columns: Columns
    root: bytes
    key: bytes
    payload: bytes
    inline: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch as the store holds it: JSON lines (``inline``) or Parquet, and the key of its salts, None once destroyed."""

    payload: bytes
    inline: bool
    key: bytes | None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one entry, as stored, with the tree over them."""

    entry: Entry
    rows: list[bytes]
    key: bytes
    tree: Tree

    def proof(self, row: int) -> RowProof:
        """One row with its path to the entry's root."""
        return RowProof(self.entry.index, row, row_salt(self.key, row), self.rows[row], self.tree.path(row))


def row_salt(key: bytes, row: int) -> bytes:
    """The 16 bytes that keep a row's hash from being guessed: a keyed BLAKE2b (RFC 7693) of the row's number."""
    return blake2b(row.to_bytes(8, "big"), key=key, digest_size=SALT_SIZE).digest()


def row_salts(key: bytes, count: int, start: int = 0) -> Iterator[bytes]:
    """`row_salt` of ``count`` rows from ``start`` on."""
    return (row_salt(key, row) for row in range(start, start + count))


def prepare(batch: Batch) -> Prepared:
    """Canonical rows, salts, root and stored form of a batch. Raises Misuse for a table that has no canonical rows."""
    columns, key = columns_of(batch.table), secrets.token_bytes(KEY_SIZE)
    roots: list[bytes] = []
    rows: list[bytes] = []
    size = 0  # of the rows as lines
    for rows in canonical_chunks(batch.table):
        roots.append(_subtree(rows, key, len(roots) * CHUNK))
        size += sum(map(len, rows)) + len(rows)
    inline = size <= LARGEST_INLINE  # then there was one chunk at most
    payload = b"\n".join(rows) if inline else _parquet(batch.table.cast(schema_of(columns)))
    return Prepared(batch, columns, root_of(roots), key, payload, inline)


def _subtree(rows: Sequence[bytes], key: bytes, start: int) -> bytes:
    """The root over a chunk of rows. `root_of` those is the root over all: each chunk but the last is a complete subtree."""
    return root_of(row_leaves(row_salts(key, len(rows), start), rows))


def _parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _lines(payload: bytes) -> list[bytes]:
    return payload.split(b"\n") if payload else []


def read_table(stored: Stored, columns: Columns) -> pa.Table:
    """The typed table of a stored batch. Raises Tampered for bytes that are no such table."""
    if stored.inline:
        return table_of(_lines(stored.payload), columns)
    try:
        table = pq.read_table(pa.BufferReader(stored.payload))
    except (pa.ArrowException, OSError) as fault:
        raise Tampered("not the rows of this batch", why=str(fault)) from fault
    if table.schema != schema_of(columns):
        raise Tampered("not the rows of this batch", why="its columns are not those of the entry")
    return table


def check_rows(stored: Stored, entry: Entry) -> None:
    """Raises Tampered, as `read_rows` does, but holds no more than a chunk of the rows at a time."""
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
    rows = _lines(stored.payload) if stored.inline else canonical_rows(read_table(stored, entry.columns))
    tree = Tree.of(row_leaves(row_salts(key, len(rows)), rows))
    _check_root(entry, len(rows), tree.root)
    return Rows(entry, rows, key, tree)


def _key(stored: Stored, entry: Entry) -> bytes:
    if stored.key is None:
        raise Tampered("the salts of these rows are gone", why="their key was destroyed", where=f"entry {entry.index}")
    return stored.key


def _check_root(entry: Entry, count: int, root: bytes) -> None:
    if (count, root.hex()) != (entry.rows, entry.root):
        why = "they do not have the root of their entry"
        raise Tampered("these are not the rows that were appended", why=why, where=f"entry {entry.index}")
