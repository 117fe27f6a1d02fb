"""The rows of many entries read together: a thousand small tables cost a hundred times what one table of a thousand rows does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import numpy as np
import pyarrow as pa

from mingjian.base.errors import Tampered
from mingjian.record.ledger._entry import Entry
from mingjian.record.ledger._payload import Stored, placed_lines, read_placed
from mingjian.record.ledger._rows import table_of

_Read = tuple[Entry, Stored]


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of entries that have the same columns, in one ``table``.

    ``entries`` and ``places`` (int64) have for each row the index of its entry, and its place in that, as `Placed` does.
    """

    table: pa.Table
    entries: pa.Int64Array
    places: pa.Int64Array


def read_runs(stored: Iterable[_Read]) -> Iterator[Run]:
    """The rows of stored batches in their order, those that follow each other with the same columns together.

    Raises Tampered as `read_placed` does.
    """
    for inline, group in groupby(stored, key=lambda read: (read[1].inline, read[0].columns)):
        if inline[0]:
            yield _together(list(group))
        else:
            yield from (_alone(entry, batch) for entry, batch in group)


def _alone(entry: Entry, stored: Stored) -> Run:
    placed = read_placed(stored, entry)
    return Run(placed.table, _numbers([entry.index], [placed.table.num_rows]), placed.places)


def _together(group: Sequence[_Read]) -> Run:
    found = [placed_lines(stored, entry) for entry, stored in group]
    try:
        table = table_of(list(chain.from_iterable(lines for lines, _ in found)), group[0][0].columns)
    except Tampered:
        for entry, stored in group:  # the one that is not what it was says so itself
            read_placed(stored, entry)
        raise
    indices = [entry.index for entry, _ in group]
    places = np.concatenate([places for _, places in found])
    return Run(table, _numbers(indices, [len(lines) for lines, _ in found]), pa.array(places, pa.int64()))


def _numbers(indices: Sequence[int], counts: Sequence[int]) -> pa.Int64Array:
    return pa.array(np.repeat(np.array(indices, np.int64), counts), pa.int64())
