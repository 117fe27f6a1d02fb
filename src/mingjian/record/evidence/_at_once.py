"""Many cells to typed values at once, wherever that can only come out as `parse` would have it.

What a cell means, and what is wrong with it, is said by `parse` alone: whatever is not certain here is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from mingjian.declare import Field
from mingjian.record.evidence._limits import LONGEST_TEXT
from mingjian.record.evidence._schema import DIGITS, INSTANT, arrow_type

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type
_Array = Any

# ASCII, Chinese characters and their punctuation: no character of these changes under NFC or hides.
_SEEN: Final = (
    r"!-~\x{4E00}-\x{9FFF}\x{3001}-\x{3003}\x{3008}-\x{3011}\x{FF01}-\x{FF5E}\x{2014}\x{2018}-\x{201D}\x{2026}"
)
_PLAIN_TEXT: Final = rf"\A[{_SEEN}](?:[ {_SEEN}]*[{_SEEN}])?\z"
_WHOLE: Final = r"\A-?[0-9]{1,18}\z"
_CLOCK: Final = r"\A(?:1[6-9]|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
_NAIVE_TIME: Final = rf"{_CLOCK}\z"
_ZONED_TIME: Final = rf"{_CLOCK}(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])\z"
_SURE_DOUBLE: Final = 10**15  # below it, each decimal has a double of its own, and `repr` gives it back
_HOUR: Final = 3_600_000_000  # microseconds
_NAIVE: Final = pa.timestamp("us")
_WHOLE_NUMBERS: Final = pa.decimal128(38, 0)
_BEYOND: Final = Decimal(10**19)  # than which no number that is kept is larger
_EXACT: Final = Context(prec=60)


def is_read_at_once(field: Field) -> bool:
    """Whether cells of a field can be read at once; those of others repeat themselves, and each distinct one is parsed."""
    return field.type in _READERS


def at_once(field: Field, cells: _Array, zone: tzinfo | None) -> _Array:
    """The values under the type of the field, null where `parse` has to look at the cell."""
    try:
        found = _READERS[field.type](field, cells, zone) if is_read_at_once(field) else None
    except pa.ArrowInvalid:  # one of the cells is no such value; nobody says which
        found = None
    nothing: _Array = pa.scalar(None, arrow_type(field))
    return pa.repeat(nothing, len(cells)) if found is None else found


def _text(field: Field, cells: _Array, _zone: tzinfo | None) -> _Array | None:
    if cells.type != pa.string():
        return None
    short = pc.less_equal(pc.binary_length(cells), LONGEST_TEXT)
    return _only(cells, pc.and_(short, pc.match_substring_regex(cells, _PLAIN_TEXT)))


def _integer(field: Field, cells: _Array, _zone: tzinfo | None) -> _Array | None:
    if cells.type == pa.string():
        cells = _only(cells, pc.match_substring_regex(cells, _WHOLE))
    elif pa.types.is_float64(cells.type):
        numbers = _scaled(cells, 0)
        return _inside(field, numbers) if numbers is not None else None
    elif not pa.types.is_integer(cells.type):
        return None
    return _inside(field, cells.cast(pa.int64()))


def _decimal(field: Field, cells: _Array, _zone: tzinfo | None) -> _Array | None:
    kind = pa.decimal128(38, field.decimals)
    if pa.types.is_float64(cells.type):
        numbers = _scaled(cells, field.decimals)
        return _inside(field, _decimals(numbers, kind)) if numbers is not None else None
    if cells.type == pa.string():
        whole, part = DIGITS - field.decimals, field.decimals
        form = rf"\A-?[0-9]{{1,{whole}}}(?:\.[0-9]{{1,{part}}})?\z" if part else rf"\A-?[0-9]{{1,{whole}}}\z"
        cells = _only(cells, pc.match_substring_regex(cells, form)) if whole else cells.slice(0, 0)
    elif not pa.types.is_decimal128(cells.type):
        return None
    numbers = cells.cast(kind)
    most = Decimal(10) ** (DIGITS - field.decimals)
    short = pc.and_(pc.less(numbers, pa.scalar(most, kind)), pc.greater(numbers, pa.scalar(-most, kind)))
    return _inside(field, _only(numbers, short))


def _scaled(cells: _Array, decimals: int) -> _Array | None:
    """The whole numbers of units of ``decimals`` places in doubles, null where the shortest name of one has more places."""
    doubles = cells.to_numpy(zero_copy_only=False)
    unit = 10.0**decimals
    with np.errstate(all="ignore"):
        units = np.rint(doubles * unit)
        sure = (np.abs(units) < _SURE_DOUBLE) & (units / unit == doubles)
    return pa.array(np.where(sure, units, 0).astype(np.int64), mask=~sure)


def _decimals(units: _Array, kind: pa.Decimal128Type) -> _Array:
    """Whole numbers of the smallest unit as decimals."""
    low = units.fill_null(0).to_numpy()
    both = np.stack([low, low >> 63], axis=1)  # 128 bits, the lower half first
    decimals: _Array = pa.Array.from_buffers(kind, len(low), [None, pa.py_buffer(both.tobytes())])
    return _only(decimals, units.is_valid())


def _time(field: Field, cells: _Array, zone: tzinfo | None) -> _Array | None:
    if pa.types.is_timestamp(cells.type):
        return cells.cast(INSTANT) if cells.type.tz else _on_clock(cells.cast(_NAIVE), zone)
    if cells.type != pa.string():
        return None
    naive = _on_clock(_only(cells, pc.match_substring_regex(cells, _NAIVE_TIME)).cast(_NAIVE), zone)
    if not naive.null_count:
        return naive
    zoned = _only(cells, pc.match_substring_regex(cells, _ZONED_TIME)).cast(INSTANT)
    return pc.coalesce(zoned, naive)


def _on_clock(moments: _Array, zone: tzinfo | None) -> _Array:
    """Times on the clock of a zone in UTC, null where that clock does not stand still for the whole hour around them."""
    if zone is None:
        return pa.nulls(len(moments), INSTANT)
    hours = pc.floor_temporal(moments, unit="hour").dictionary_encode()
    offsets = pa.array([_offset(hour, zone) for hour in hours.dictionary.to_pylist()], pa.duration("us"))
    return pc.subtract(moments, offsets.take(hours.indices)).cast(INSTANT)


def _offset(hour: datetime, zone: tzinfo) -> timedelta | None:
    """How far a clock is ahead of UTC all through an hour; None where that changes, or leads out of the calendar."""
    ends = (hour, hour + timedelta(microseconds=_HOUR - 1))
    found = {end.replace(tzinfo=zone, fold=fold).utcoffset() for end in ends for fold in (0, 1)}
    return found.pop() if len(found) == 1 and 1 < hour.year < 9999 else None


def _inside(field: Field, numbers: _Array) -> _Array:
    """The numbers within the bounds of the field."""
    exact = numbers if pa.types.is_decimal(numbers.type) else numbers.cast(_WHOLE_NUMBERS)
    least, most = (
        _bound(bound, exact.type, how) for bound, how in ((field.min, ROUND_CEILING), (field.max, ROUND_FLOOR))
    )
    if least is not None:
        numbers = _only(numbers, pc.greater_equal(exact, least))
    if most is not None:
        numbers = _only(numbers, pc.less_equal(exact, most))
    return numbers


def _bound(bound: Decimal | None, kind: Any, rounding: str) -> Any | None:
    """A bound among numbers of that scale: Arrow compares no decimals of 38 digits with those of another scale."""
    if bound is None:
        return None
    bound = max(min(bound, _BEYOND), -_BEYOND)
    return pa.scalar(bound.quantize(Decimal(1).scaleb(-kind.scale), rounding, _EXACT), kind)


def _only(values: _Array, where: _Array) -> _Array:
    """The values there, null elsewhere."""
    return pc.if_else(pc.fill_null(where, False), values, pa.scalar(None, values.type))


def _series(field: Field, cells: _Array, _zone: tzinfo | None) -> _Array | None:
    """All series or none: a value outside is for `parse` to find."""
    if not pa.types.is_list(cells.type) or not pa.types.is_integer(cells.type.value_type):
        return None
    series = cells.cast(arrow_type(field))
    least, most = pc.min_max(series.flatten()).as_py().values()
    inside = least is None or ((field.min is None or least >= field.min) and (field.max is None or most <= field.max))
    return series if inside else None


_READERS: Final[dict[str, Callable[[Field, _Array, tzinfo | None], _Array | None]]] = {
    "text": _text,
    "subject": _text,
    "ref": _text,
    "integer": _integer,
    "series": _series,
    "quantity": _integer,
    "decimal": _decimal,
    "time": _time,
}
