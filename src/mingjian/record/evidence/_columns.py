"""Whole columns read at once: each distinct cell is read once, and all of them together where nothing can be wrong.

What a cell means, and what is wrong with it, is said by `parse` alone. A column is read without it only where it could do
no more than return the cell as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from mingjian.declare import Field
from mingjian.record.evidence._fields import Broken, Value, parse
from mingjian.record.evidence._grid import Cells
from mingjian.record.evidence._schema import DIGITS, arrow_type

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type

# Printable ASCII that neither begins nor ends with a space: `parse` returns it as it is.
_PLAIN_TEXT: Final = r"\A[!-~](?:[ -~]*[!-~])?\z"
_TEXTS: Final = frozenset({"text", "subject", "ref"})
_WHOLE: Final = frozenset({"integer", "quantity"})


def read_cells(field: Field, cells: Cells, zone: tzinfo | None) -> tuple[pa.Array[Any], Mapping[int, Broken]]:
    """The values of a column as `arrow_type` has them, null where a rule is broken, and the broken rules by position."""
    if isinstance(cells, pa.ChunkedArray) and len(cells):
        return _read_column(field, cells, zone)
    texts = {cell for cell in cells if type(cell) is str}  # columns repeat themselves: each text is read once
    known = {text: _outcome(field, text, zone) for text in texts}
    outcomes = [known[cell] if type(cell) is str else _outcome(field, cell, zone) for cell in cells]
    broken = {position: outcome for position, outcome in enumerate(outcomes) if isinstance(outcome, Broken)}
    return _values(field, outcomes), broken


def _read_column(
    field: Field, column: pa.ChunkedArray[Any], zone: tzinfo | None
) -> tuple[pa.Array[Any], Mapping[int, Broken]]:
    encoded: Any = column.dictionary_encode().combine_chunks()
    distinct, places = encoded.dictionary, encoded.indices
    missing = _outcome(field, None, zone) if places.null_count else None
    broken: dict[int, Broken] = {}
    if isinstance(missing, Broken):
        broken |= dict.fromkeys(_positions(pc.is_null(places)), missing)
    values = _as_they_are(field, distinct)
    if values is None:
        outcomes = [_outcome(field, cell, zone) for cell in distinct.to_pylist()]
        wrong = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Broken)]
        bad = _positions(pc.is_in(places, pa.array(wrong, places.type))) if wrong else ()
        broken |= {position: outcomes[places[position].as_py()] for position in bad}
        values = _values(field, outcomes)
    return values.take(places), dict(sorted(broken.items()))


def _outcome(field: Field, cell: object, zone: tzinfo | None) -> Value | Broken | None:
    try:
        return parse(field, cell, zone)
    except Broken as broken:
        return broken


def _values(field: Field, outcomes: Sequence[Value | Broken | None]) -> pa.Array[Any]:
    good = [None if isinstance(outcome, Broken) else outcome for outcome in outcomes]
    return pa.array(good, arrow_type(field))


def _positions(mask: pa.Array[Any]) -> Sequence[int]:
    found: list[int] = pc.indices_nonzero(mask).to_pylist()
    return found


def _as_they_are(field: Field, cells: pa.Array[Any]) -> pa.Array[Any] | None:
    """The cells under the type of the field, where `parse` would return each as it is; None where it might not."""
    if field.type in _TEXTS and cells.type == pa.string():
        plain = pc.all(pc.match_substring_regex(cells, _PLAIN_TEXT)).as_py()
        return cells if plain else None
    if field.type in _WHOLE and pa.types.is_integer(cells.type):
        whole = _cast(cells, pa.int64())
        return whole if whole is not None and _inside(field, whole) else None
    if field.type == "decimal" and pa.types.is_decimal128(cells.type):
        exact = _cast(cells, arrow_type(field))
        return exact if exact is not None and _short(field, exact) and _inside(field, exact) else None
    if field.type == "time" and pa.types.is_timestamp(cells.type) and cells.type.tz:
        return _cast(cells, arrow_type(field))
    return None


def _cast(cells: pa.Array[Any], kind: pa.DataType) -> pa.Array[Any] | None:
    """The same values under another type; None where one of them does not fit."""
    try:
        return cells.cast(kind)
    except pa.ArrowInvalid:
        return None


def _inside(field: Field, numbers: pa.Array[Any]) -> bool:
    least, most = _ends(numbers)
    return least is None or ((field.min is None or least >= field.min) and (field.max is None or most <= field.max))


def _short(field: Field, numbers: pa.Array[Any]) -> bool:
    """Whether none has more digits than a decimal may."""
    least, most = _ends(numbers)
    return least is None or max(-least, most) < Decimal(10) ** (DIGITS - field.decimals)


def _ends(numbers: pa.Array[Any]) -> tuple[Any, Any]:
    ends: Mapping[str, Any] = pc.min_max(numbers).as_py()
    return ends["min"], ends["max"]
