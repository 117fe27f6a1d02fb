"""Whole columns read: each distinct cell once, and all those together that are certain.

What a cell means, and what is wrong with it, is said by `parse` alone; see `at_once`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from mingjian.base.errors import Finding
from mingjian.declare import Field
from mingjian.record.evidence._at_once import at_once
from mingjian.record.evidence._fields import Broken, Value, parse, shown
from mingjian.record.evidence._grid import Cells, Grid, plain_cell
from mingjian.record.evidence._limits import MOST_FINDINGS, too_many_findings
from mingjian.record.evidence._schema import arrow_type

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type


def read_cells(field: Field, cells: Cells, zone: tzinfo | None) -> tuple[pa.Array[Any], Mapping[int, Broken]]:
    """The values of a column as `arrow_type` has them, null where a rule is broken, and the broken rules by position.

    Of broken rules there are at most `MOST_FINDINGS` and one, for which `broken_cells` refuses the file; then what comes
    after them was not read.
    """
    if isinstance(cells, pa.ChunkedArray) and pa.types.is_list(cells.type):  # Arrow tells no series from another
        series = at_once(field, cells.combine_chunks(), zone)
        if series.null_count == cells.null_count and (field.optional or not series.null_count):
            return series, {}
        cells = cells.to_pylist()
    if isinstance(cells, pa.ChunkedArray) and len(cells):
        return _read_column(field, cells, zone)
    texts = [*{cell for cell in cells if type(cell) is str}]  # columns repeat themselves: each text is read once
    known = dict(zip(texts, _outcomes(field, texts, zone), strict=False))
    outcomes = _outcomes(field, cells, zone, known)
    return _values(field, outcomes, len(cells)), {
        i: each for i, each in enumerate(outcomes) if isinstance(each, Broken)
    }


def broken_cells(grid: Grid, field: Field, broken: Mapping[int, Broken]) -> list[Finding]:
    """What is wrong with the cells of a column as findings. Raises MingjianError where it is more than can be told."""
    if len(broken) > MOST_FINDINGS:
        raise too_many_findings(grid.place, _findings(grid, field, broken))
    return [*_findings(grid, field, broken)]


def _findings(grid: Grid, field: Field, broken: Mapping[int, Broken]) -> Iterable[Finding]:
    cells = grid.cells[field.name]
    for position, b in broken.items():
        place = replace(grid.place, row=grid.lines[position], field=field.name)
        yield Finding(b.rule, b.message, place, shown(plain_cell(cells[position])), b.remedy)


def _read_column(
    field: Field, column: pa.ChunkedArray[Any], zone: tzinfo | None
) -> tuple[pa.Array[Any], Mapping[int, Broken]]:
    cells: Any = column.unify_dictionaries().combine_chunks()
    if pa.types.is_dictionary(cells.type):
        return _read_encoded(field, cells, zone)
    values = at_once(field, cells, zone)
    if not values.null_count:
        return values, {}
    left = pc.is_null(values)
    read, broken = _read_encoded(field, cells.filter(left).dictionary_encode(), zone)
    if len(read) == len(values):
        return read, broken
    where = pc.indices_nonzero(left)
    return pc.replace_with_mask(values, left, read), {where[at].as_py(): each for at, each in broken.items()}


def _read_encoded(field: Field, cells: Any, zone: tzinfo | None) -> tuple[pa.Array[Any], Mapping[int, Broken]]:
    """The same for cells of which each distinct one stands in a dictionary."""
    distinct, places = cells.dictionary, cells.indices
    missing = _outcome(field, None, zone) if places.null_count else None
    broken = dict.fromkeys(_positions(pc.is_null(places)), missing) if isinstance(missing, Broken) else {}
    outcomes = _outcomes(field, distinct.to_pylist(), zone)
    wrong = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Broken)]
    for position in _positions(pc.is_in(places, pa.array(wrong, places.type))) if wrong else ():
        broken[position] = outcomes[places[position].as_py()]
    return _values(field, outcomes, len(distinct)).take(places), dict(sorted(broken.items()))


def _outcomes(
    field: Field, cells: Iterable[object], zone: tzinfo | None, known: Mapping[str, Value | Broken | None] | None = None
) -> list[Value | Broken | None]:
    """What becomes of each cell, up to the one with which more are wrong than can be told."""
    outcomes: list[Value | Broken | None] = []
    wrong = 0
    for cell in cells:
        outcome = known.get(cell) if known and type(cell) is str else _outcome(field, cell, zone)
        outcomes.append(outcome)
        wrong += isinstance(outcome, Broken)
        if wrong > MOST_FINDINGS:
            break
    return outcomes


def _outcome(field: Field, cell: object, zone: tzinfo | None) -> Value | Broken | None:
    try:
        return parse(field, cell, zone)
    except Broken as broken:
        return broken.with_traceback(None)


def _values(field: Field, outcomes: Sequence[Value | Broken | None], size: int) -> pa.Array[Any]:
    good = [None if isinstance(outcome, Broken) else outcome for outcome in outcomes]
    return pa.array([*good, *[None] * (size - len(good))], arrow_type(field))


def _positions(mask: pa.Array[Any]) -> Sequence[int]:
    positions: list[int] = pc.indices_nonzero(mask).slice(0, MOST_FINDINGS + 1).to_pylist()
    return positions
