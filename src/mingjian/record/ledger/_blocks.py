"""Rows shown alone: to prove one takes the rows of its block, and the roots of the others.

The tree over the rows of a batch is cut into blocks (complete subtrees of `BLOCK` rows, of which the last may be shorter).
Their roots stand beside the rows. Nothing of it is believed: the roots must have the entry's root together, and the rows of a
block, hashed anew, the root of the block. So one row of a million costs two thousand hashes, and no row is proved that is not
what was appended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from mingjian.base.errors import Misuse, Tampered
from mingjian.record.ledger._entry import Entry, RowProof
from mingjian.record.ledger._merkle import Tree, row_leaves
from mingjian.record.ledger._owned import Places, Section, open_rows, row_salt, row_salts, salting_key
from mingjian.record.ledger._payload import (
    BLOCK,
    Stored,
    as_appended,
    block_roots,
    key_of,
    lines_of,
    open_parquet,
    plain_places,
)
from mingjian.record.ledger._rows import canonical_rows

_BLOCKS_KEPT: Final = 64  # of an entry: proofs for many people are asked for subject by subject
_GROUPS_KEPT: Final = 2  # of a Parquet file
_SECTIONS_KEPT: Final = 1024


@dataclass(frozen=True, slots=True)
class _Block:
    """The rows of a block, None where one was erased, the secret that salts each, and the tree over them."""

    lines: Sequence[bytes | None]
    secrets: Sequence[bytes]
    tree: Tree


class Rows:
    """The rows of one entry, as stored, to be shown one by one.

    Raises Tampered where the roots of the blocks do not have the entry's root, or the salts are gone.
    """

    def __init__(self, stored: Stored, entry: Entry) -> None:
        self.entry, self._stored, self._key = entry, stored, key_of(stored, entry)
        self._roots = Tree.of(block_roots(stored, entry))
        self._lines = lines_of(stored.payload) if stored.inline else []
        self._file = None if stored.inline else open_parquet(stored, entry.columns)
        groups = self._file.metadata if self._file is not None else None
        counts = [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] if groups else [len(self._lines)]
        self._starts = np.cumsum([0, *counts])  # of the row groups
        self._free = plain_places(stored, entry, int(self._starts[-1]))
        self._taken, self._holders = _sorted_places(section for section, _ in stored.sections)
        self._block = lru_cache(maxsize=_BLOCKS_KEPT)(self._read_block)
        self._group = lru_cache(maxsize=_GROUPS_KEPT)(self._read_group)
        self._section = lru_cache(maxsize=_SECTIONS_KEPT)(self._open_section)

    def proof(self, row: int) -> RowProof:
        """One row with its path to the entry's root.

        Raises Misuse for one that was erased, Tampered where the rows of its block are not those that were appended.
        """
        number, place = divmod(row, BLOCK)
        block = self._block(number)
        content = block.lines[place]
        if content is None:
            raise Misuse(
                f"row {row} of entry {self.entry.index} was erased",
                why="the key it stood under was destroyed; its hash alone was kept",
                remedy="the erasures in the ledger say when and by whom",
            )
        path = block.tree.path(place) + self._roots.path(number)
        return RowProof(self.entry.index, row, row_salt(block.secrets[place], row), content, path)

    def _read_block(self, number: int) -> _Block:
        start, end = number * BLOCK, min((number + 1) * BLOCK, self.entry.rows)
        lines: list[bytes | None] = [None] * (end - start)
        secrets = [self._key] * (end - start)
        leaves = [self._stored.erased.get(place, b"") for place in range(start, end)]
        for places, found, secret in self._parts(start, end):
            hashed = row_leaves(row_salts(secret, places), found)
            for place, line, leaf in zip(places, found, hashed, strict=True):
                lines[place - start], secrets[place - start], leaves[place - start] = line, secret, leaf
        tree = Tree.of(leaves)
        if tree.root != self._roots.levels[0][number]:
            why = f"rows {start} to {end - 1} do not have the root of their block"
            raise Tampered("these are not the rows that were appended", why=why, where=f"entry {self.entry.index}")
        return _Block(lines, secrets, tree)

    def _parts(self, start: int, end: int) -> Iterator[tuple[Sequence[int], Sequence[bytes], bytes]]:
        """Places, rows and salting secret of the rows from ``start`` to ``end``: those without an owner, then each owner's."""
        low, high = np.searchsorted(self._free, (start, end)).tolist()
        if low < high:
            yield self._free[low:high].tolist(), self._plain(low, high), self._key
        low, high = np.searchsorted(self._taken, (start, end)).tolist()
        places, holders = self._taken[low:high], self._holders[low:high]
        for holder in np.unique(holders).tolist():
            own = places[holders == holder]
            lines, secret = self._section(holder)
            at = np.searchsorted(self._stored.sections[holder][0].places, own)
            yield own.tolist(), [lines[n] for n in at.tolist()], secret

    def _plain(self, low: int, high: int) -> list[bytes]:
        """Some of the rows without an owner, counted among themselves."""
        if self._file is None:
            return self._lines[low:high]
        first, last = (np.searchsorted(self._starts, (low, high - 1), side="right") - 1).tolist()
        table = pa.concat_tables([self._group(number) for number in range(first, last + 1)])
        return canonical_rows(table.slice(low - int(self._starts[first]), high - low))

    def _read_group(self, number: int) -> pa.Table:
        assert self._file is not None  # only rows in Parquet stand in groups
        with as_appended():
            return self._file.read_row_group(number).replace_schema_metadata()

    def _open_section(self, holder: int) -> tuple[list[bytes], bytes]:
        section, owner = self._stored.sections[holder]
        return open_rows(section, owner, self._key), salting_key(owner, self._key)


def _sorted_places(sections: Iterable[Section]) -> tuple[Places, Places]:
    """The places that owners hold, ascending, and for each the number of the section that it is in."""
    held = [section.places for section in sections]
    places = np.concatenate([np.empty(0, np.int64), *held])
    holders = np.repeat(np.arange(len(held)), [len(own) for own in held])
    order = np.argsort(places)
    return places[order], holders[order]
