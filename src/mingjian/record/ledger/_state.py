"""The ledger as it stood at one size, to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from mingjian.base.errors import Misuse, Tampered
from mingjian.record.ledger._audit import ERASURE
from mingjian.record.ledger._entry import Entry, read_header
from mingjian.record.ledger._payload import Placed, check_rows, read_placed
from mingjian.record.ledger._runs import Run, read_runs
from mingjian.record.ledger._store import Store
from mingjian.record.ledger._tiles import range_hash

COUNT: Final = "they are counted from 0; `mingjian ledger head` says how many there are"

_PAGE: Final = 1000  # entries read at a time
_PAGE_ROWS: Final = 100_000  # or fewer, once they have so many rows together


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
            raise Misuse(f"no entry {index}", why=f"the ledger has {self.size}", remedy=COUNT)
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

    # -- rows -----------------------------------------------------------------------------------------------------------
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

    def runs(self, entries: Iterable[Entry]) -> Iterator[Run]:
        """`placed` of many entries, in their order, those that follow each other with the same columns as one table.

        Thousands of small entries take one query, and one table, a thousand.
        """
        for page in _pages(entries):
            yield from read_runs(zip(page, self._store.stored_of([entry.index for entry in page]), strict=True))

    def rows(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, list[Mapping[str, Any]]]]:
        """Each of many entries, in their order, with its rows as Python values."""
        for page in _pages(entries):
            alike = sorted(page, key=lambda entry: entry.columns)  # few runs, whatever order they stand in
            found: dict[int, list[Mapping[str, Any]]] = {entry.index: [] for entry in page}
            for run in self.runs(alike):
                for index, row in zip(run.entries.to_numpy().tolist(), run.table.to_pylist(), strict=True):
                    found[index].append(row)
            yield from ((entry, found[entry.index]) for entry in page)

    # -- erasures -------------------------------------------------------------------------------------------------------
    def erased(self) -> dict[int, int]:
        """How many rows each entry has lost to erasures *by now*, by index; entries that lost none are not named."""
        return self._store.erased(self.size)

    def erasures(self) -> int:
        """A number that grows with each erasure of the ledger, whatever this state's size: what was read before it is stale."""
        return self._store.last_of(ERASURE) + 1


def _pages(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    page: list[Entry] = []
    rows = 0
    for entry in entries:
        page.append(entry)
        rows += entry.rows
        if len(page) == _PAGE or rows >= _PAGE_ROWS:
            yield page
            page, rows = [], 0
    if page:
        yield page
