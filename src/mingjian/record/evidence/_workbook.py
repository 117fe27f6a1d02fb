"""A sheet of an Excel workbook to a grid."""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import python_calamine

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.declare import EvidenceType
from mingjian.record.evidence._fields import near
from mingjian.record.evidence._gather import gathered
from mingjian.record.evidence._grid import Cells, Grid
from mingjian.record.evidence._limits import MOST_RECORDS, listed, unreadable
from mingjian.record.evidence._xlsx import Sheet, SheetError, look_into

# Excel has a 29 February 1900 that never was, its day 60, so that no earlier day is certain.
_CERTAIN_DAYS: Final = (61, 2_958_466)


def read_xlsx(data: bytes, type: EvidenceType, place: Place) -> Grid:
    """The sheet of a workbook that ``place`` names, or its first one, as a grid.

    Rows that are hidden, or whose cells are merged with others', are findings: nobody has seen what stands in them, or it
    stands in one of them for all. Raises Misuse for a sheet that is not there, MingjianError for a workbook that cannot be
    read, holds macros or has the sheet hidden.
    """
    try:
        sheet = look_into(data, place.sheet)
    except ValueError as fault:
        raise unreadable(place, fault, "save it again as .xlsx") from fault
    except KeyError as fault:
        raise Misuse(f"no sheet {place.sheet!r}", where=place.file, remedy=near(place.sheet, fault.args)) from fault
    place = replace(place, sheet=sheet.name)
    grid = gathered(_rows(data, sheet, place), 1, MOST_RECORDS, type, place)
    days = [field.name for field in type.fields.values() if field.type in ("date", "time") and field.name in grid.cells]
    cells = {**grid.cells, **{name: _moments(grid.cells[name], sheet.day_zero) for name in days}}
    return Grid(place, grid.lines, cells, (*grid.findings, *listed(_concealed(sheet, grid.lines, place), place)))


def _rows(data: bytes, sheet: Sheet, place: Place) -> Iterator[Sequence[object]]:
    """The rows from the sheet's first one on, as the reader has them, with the errors that it leaves out."""
    errors: dict[int, list[tuple[int, SheetError]]] = defaultdict(list)
    for (row, column), error in sheet.errors.items():
        errors[row].append((column, error))
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            cells = book.get_sheet_by_name(sheet.name)
            left = cells.start[1] if cells.start else 0
            for number, given in enumerate(cells.iter_rows(), 1):
                found: list[object] = [*given]
                for column, error in errors.get(number, ()):
                    found[column - 1 - left] = error
                yield found
    except (python_calamine.CalamineError, ValueError, IndexError) as fault:
        raise unreadable(place, fault, "save it again as .xlsx") from fault


def _moments(cells: Cells, day_zero: datetime) -> Cells:
    """The cells of a date or time; where a sheet keeps them as numbers of days, as what those mean."""
    if isinstance(cells, pa.ChunkedArray) and not pa.types.is_floating(cells.type):
        return cells
    given: Sequence[Any] = cells.to_pylist() if isinstance(cells, pa.ChunkedArray) else cells
    return [_moment(cell, day_zero) for cell in given]


def _moment(cell: object, day_zero: datetime) -> object:
    if type(cell) is date:  # which is how midnight comes
        return datetime.combine(cell, time())
    if isinstance(cell, float) and _CERTAIN_DAYS[0] <= cell < _CERTAIN_DAYS[1]:
        return day_zero + timedelta(seconds=round(cell * 86400))
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _concealed(sheet: Sheet, lines: Sequence[int], place: Place) -> Iterator[Finding]:
    """What of a sheet a person does not see, or sees elsewhere than it stands."""
    if sheet.all_hidden:
        yield Finding("hidden-row", "rows are hidden", place, remedy="show them")
    for first, last in sheet.hidden_columns:
        if hidden := [letters for number, letters in sheet.columns_used() if first <= number <= last]:
            message = f"column {hidden[0]} is hidden"
            yield Finding("hidden-column", message, place, remedy="show it, or delete it with what stands in it")
    for line in lines if sheet.hidden_rows else ():
        if line in sheet.hidden_rows:
            yield Finding("hidden-row", "the row is hidden", replace(place, row=line), remedy="show it, or delete it")
    edges = np.zeros(len(lines) + 1, np.int64)
    for top, _, bottom, _ in sheet.merged:
        edges[bisect_left(lines, top)] += 1
        edges[bisect_right(lines, bottom)] -= 1
    for at in np.flatnonzero(np.cumsum(edges)).tolist():
        message = "cells of this row are merged: what stands in one of them stands for several"
        yield Finding("merged-cells", message, replace(place, row=lines[at]), remedy="split them and fill in each")
