"""Rows of cells, as they come one by one, to the columns of a grid: what is packed takes a tenth of the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, Final

import pyarrow as pa

from mingjian.base.errors import Finding, Place
from mingjian.declare import EvidenceType
from mingjian.record.evidence._fields import shown
from mingjian.record.evidence._grid import Cells, Grid, grid_of_columns, is_empty, is_meant
from mingjian.record.evidence._limits import MOST_COLUMNS, listed, unreadable, want_at_most

_CHUNK: Final = 2**19  # cells that are packed together
_NAIVE: Final = pa.timestamp("us")

Row = Sequence[object]


def gathered(rows: Iterable[Row], first: int, most: int, type: EvidenceType, place: Place) -> Grid:
    """Rows whose first one that is not empty is the header, as a grid; ``first`` is the number of the first row.

    They may be of unequal length: a cell beyond the header is a finding of its row. Raises MingjianError where nothing
    stands in them, and for more than ``most``.
    """
    numbered = _filled(rows, first, most, place)
    _, header = next(numbered, (0, ()))
    if not header:
        raise unreadable(place, "nothing stands in it")
    want_at_most(place, len(header), MOST_COLUMNS, "columns")
    kept = {index for index, heading in enumerate(header) if is_meant(heading, type)}
    parts: list[list[Cells]] = [[] for _ in header]
    lines = array("q")
    findings: list[Finding] = []
    width = len(header)
    while chunk := [*islice(numbered, max(1, _CHUNK // width))]:
        numbers, cells = zip(*chunk, strict=True)
        lines.extend(numbers)
        if {*map(len, cells)} != {width}:
            findings = listed(chain(findings, _beyond(chunk, width, place)), place)
            cells = tuple([*row[:width], *[None] * (width - len(row))] for row in cells)
        for index, column in enumerate(zip(*cells, strict=True)):
            if index in kept:
                parts[index].append(_packed(column))
    columns = [_joined(part) for part in parts]
    return grid_of_columns(header, columns, lines, type, place, findings)


def _filled(rows: Iterable[Row], first: int, most: int, place: Place) -> Iterator[tuple[int, Row]]:
    """The rows that are not empty, with their numbers."""
    for line, row in enumerate(rows, first):
        if line - first > most:
            want_at_most(place, line - first, most, "rows")
        if not all(map(is_empty, row)):
            yield line, row


def _beyond(chunk: Sequence[tuple[int, Row]], width: int, place: Place) -> Iterator[Finding]:
    for line, row in chunk:
        for extra in row[width:]:
            if not is_empty(extra):
                at = replace(place, row=line)
                yield Finding("cell-without-column", "a value beyond the last column", at, shown(extra))


def _packed(cells: Sequence[object]) -> Cells:
    """Cells of one kind as an array; a sheet's empty cells, which are empty texts, have any kind. Others as they are."""
    kinds = set(map(type, cells)) - {type(None)}
    if len(kinds) > 1 and str in kinds:
        cells = [None if cell == "" else cell for cell in cells]
        kinds = set(map(type, cells)) - {type(None)}
    if kinds <= {str}:
        return pa.chunked_array([pa.array(cells, pa.string())])
    if kinds == {float}:
        return pa.chunked_array([pa.array(cells, pa.float64(), from_pandas=False)])
    if kinds <= {date, datetime}:  # midnight comes as a date
        moments = [datetime.combine(c, time()) if type(c) is date else c for c in cells]
        return pa.chunked_array([pa.array(moments, _NAIVE)])
    return cells


def _joined(parts: Sequence[Cells]) -> Cells:
    """The parts of a column as one: Arrow's where all are of one kind."""
    if parts and all(isinstance(part, pa.ChunkedArray) for part in parts):
        kinds = {part.type for part in parts if part.null_count < len(part)} or {pa.string()}  # type: ignore[union-attr]
        if len(kinds) == 1:
            (kind,) = kinds
            arrays: list[Any] = [part if part.type == kind else pa.nulls(len(part), kind) for part in parts]  # type: ignore[union-attr]
            return pa.chunked_array([c for a in arrays for c in (a.chunks if isinstance(a, pa.ChunkedArray) else [a])])
    return [cell for part in parts for cell in (part.to_pylist() if isinstance(part, pa.ChunkedArray) else part)]
