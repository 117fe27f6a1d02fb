"""Rows as bytes that do not depend on who writes them: canonical JSON with strings, booleans and nulls only.

A row is the RFC 8785 object ``{column: value}`` with every column in it. Integers and decimals are plain decimal strings
(a decimal keeps its declared scale), dates ``YYYY-MM-DD``, instants ``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``, and a series is an
array of such strings and nulls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from itertools import chain, repeat
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute
import pyarrow.json

from mingjian.base.errors import Misuse, Tampered

Columns = tuple[tuple[str, str], ...]

pc: Final[Any] = pyarrow.compute  # its stubs refuse what its functions take: texts among arrays, arrays of any type
_Cells = Any  # an array, in those terms

_INSTANT: Final = pa.timestamp("us", tz="UTC")
_SERIES: Final = pa.list_(pa.int64())
_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "date": pa.date32(),
    "timestamp": _INSTANT,
    "list(int64)": _SERIES,
    **{f"decimal({scale})": pa.decimal128(38, scale) for scale in range(39)},
}
_KINDS: Final = ("string", "bool", "int64", "decimal128(38, s)", "date32", "timestamp[us, UTC]", "list<int64>")
_ESCAPED: Final = r'[\x00-\x1f"\\]'
CHUNK: Final = 2**16  # rows at a time: Arrow's text arrays hold no more than 2 GiB
_VALUES: Final = 2**20  # of series, at a time
_FEW: Final = 64  # rows that are read faster one by one than by Arrow
_FEW_WRITTEN: Final = 16  # rows that are written faster so
_BLOCK: Final = 2**20  # bytes that Arrow reads at a time; no row may be longer
_LARGEST_PLAIN_SCALE: Final = 6  # beyond it Arrow writes small decimals with an exponent
_TEXTS: Final = {arrow: text for text, arrow in _TYPES.items()}


def columns_of(table: pa.Table) -> Columns:
    """(name, type text) of each column, in the table's order.

    The types are string, bool, int64, decimal(scale) of 38 digits, date, timestamp (microseconds, UTC) and list(int64).
    Raises Misuse for another type, for a table without columns, and for names that are empty, not ASCII or used twice.
    """
    return _columns_of(table.schema)


@lru_cache(maxsize=256)
def _columns_of(schema: pa.Schema) -> Columns:
    names = schema.names
    bad = [name for name in names if not (name and name.isascii())]
    if bad or not names or len(set(names)) < len(names):
        raise Misuse("not a table of rows", why=f"its columns are {names}", remedy="give each its own ASCII name")
    # Two types of list are equal whatever their values are called, and yet no key of a dict for each other.
    kinds = [_SERIES if field.type == _SERIES else field.type for field in schema]
    unknown = [f"{name}: {kind}" for name, kind in zip(names, kinds, strict=True) if kind not in _TEXTS]
    if unknown:
        raise Misuse("not a table of rows", why=", ".join(unknown), remedy=f"cast to one of {', '.join(_KINDS)}")
    return tuple((name, _TEXTS[kind]) for name, kind in zip(names, kinds, strict=True))


def schema_of(columns: Columns) -> pa.Schema:
    """The Arrow schema that `columns_of` describes. Raises Tampered for a type text it never gives."""
    unknown = [text for _, text in columns if text not in _TYPES]
    if unknown:
        raise Tampered("unknown column types", why=", ".join(unknown))
    return pa.schema([(name, _TYPES[text]) for name, text in columns])


def canonical_rows(table: pa.Table) -> list[bytes]:
    """The canonical JSON of each row, in order.

    Raises Misuse for what `columns_of` refuses, for text that is not UTF-8 and for years outside 1 to 9999.
    """
    return list(chain.from_iterable(canonical_chunks(table)))


def canonical_chunks(table: pa.Table) -> Iterator[list[bytes]]:
    """`canonical_rows` in runs of one power of two, of which only the last may be shorter: a long table never stands in
    memory twice."""
    columns_of(table)
    few = _few_rows(table) if 0 < table.num_rows <= _FEW_WRITTEN else None
    if few is not None:
        yield few
        return
    size = _run_length(table)
    for start in range(0, table.num_rows, size):
        (chunk,) = table.slice(start, size).combine_chunks().to_batches()
        yield _chunk_rows(chunk)


def _few_rows(table: pa.Table) -> list[bytes] | None:
    """A few rows written one by one, which a call of Arrow for each step of each column takes ten times as long for.

    None where a value is not one of Python's (text that is no UTF-8, a year out of bounds): Arrow's way says what is wrong.
    """
    names, opened = _frame(table.schema)
    try:
        cells = [_few_cells(table.column(name)) for name in names]
    except (ValueError, OverflowError):
        return None
    return [b"".join(chain.from_iterable(zip(opened, row, strict=True))) + b"}" for row in zip(*cells, strict=True)]


@lru_cache(maxsize=256)
def _frame(schema: pa.Schema) -> tuple[Sequence[str], Sequence[bytes]]:
    """The columns as they stand in a row, and what stands before the value of each."""
    names = sorted(schema.names)
    openings = chain("{", repeat(","))
    return names, [f"{opening}{_quote(name)}:".encode() for opening, name in zip(openings, names, strict=False)]


def _few_cells(column: _Cells) -> list[bytes]:
    write = _WRITTEN.get(column.type.id, _quoted)
    return [b"null" if value is None else write(value) for value in column.to_pylist()]


def _quoted(value: object) -> bytes:
    """Integers, and days."""
    return f'"{value}"'.encode()


def _instant(value: datetime) -> bytes:
    return f'"{value.replace(tzinfo=None).isoformat()}Z"'.encode()


_WRITTEN: Final[dict[int, Callable[[Any], bytes]]] = {
    pa.string().id: orjson.dumps,
    pa.bool_().id: orjson.dumps,
    _INSTANT.id: _instant,
    pa.decimal128(38, 0).id: lambda value: _quoted(format(value, "f")),
    _SERIES.id: lambda values: orjson.dumps([None if value is None else str(value) for value in values]),
}


def _run_length(table: pa.Table) -> int:
    """`CHUNK` rows, or as many fewer as hold `_VALUES` of the longest series."""
    longest = [pc.max(pc.list_value_length(column)).as_py() or 0 for column in table.columns if column.type == _SERIES]
    size = CHUNK
    while size > 1 and size * max(longest, default=0) > _VALUES:
        size //= 2
    return size


def _chunk_rows(chunk: pa.RecordBatch) -> list[bytes]:
    parts: list[Any] = []
    last = ""
    for name, opening in zip(*_frame(chunk.schema), strict=True):
        cells, mark = _cells(name, chunk.column(name))
        parts += [f"{last}{opening.decode()}{mark}", cells]
        last = mark
    rows: list[bytes] = pc.cast(_joined(*parts, f"{last}}}"), pa.binary()).to_pylist()
    return rows


def _joined(*parts: str | _Cells) -> _Cells:
    return pc.binary_join_element_wise(*parts, "")  # the last is the separator


def _quote(text: str) -> str:
    return orjson.dumps(text).decode()  # for strings, orjson's escapes are those of RFC 8785


def _cells(name: str, column: _Cells) -> tuple[_Cells, str]:
    """The JSON text of each value, and the mark that still has to stand around all of them, if any."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as fault:
        raise Misuse("no canonical row", why=f"column {name}: {fault}") from fault
    if column.type == pa.bool_():
        return pc.fill_null(pc.cast(column, pa.string()), "null"), ""
    if column.type == _SERIES:
        return pa.array(map(_series, column), pa.string()), ""
    if column.type != pa.string():
        text: _Cells = _plain_text(name, column)
    elif _has_escapes(column):
        quoted = (None if value is None else _quote(value)[1:-1] for value in column.to_pylist())
        text = pa.array(quoted, pa.string())
    else:
        text = column
    return (pc.fill_null(_joined('"', text, '"'), "null"), "") if text.null_count else (text, '"')


def _has_escapes(texts: _Cells) -> bool:
    """Whether one of them has a character that JSON escapes: they are looked through as one text, which is much faster."""
    there = texts.drop_null()
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(there)], there), "")
    found: bool = pc.any(pc.match_substring_regex(whole, _ESCAPED)).as_py()
    return found


def _series(series: Any) -> bytes:
    """A series as JSON: its numbers are written at once, and then set in quotation marks."""
    if not series.is_valid:
        return b"null"
    values = series.values
    if not len(values):
        return b"[]"
    numbers = np.asarray(pc.fill_null(values, 0))
    texts: list[str | None] = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode().split(",")  # type: ignore[assignment]
    for place in pc.indices_nonzero(pc.is_null(values)).to_pylist() if values.null_count else ():
        texts[place] = None
    return orjson.dumps(texts)


def _plain_text(name: str, column: _Cells) -> _Cells:
    kind = column.type
    if pa.types.is_temporal(kind):
        _check_years(name, column)
    if kind == _INSTANT:
        # Without its zone, which is UTC, Arrow writes an instant three times as fast: 2021-09-07 08:00:00.000000
        text = pc.binary_replace_slice(pc.cast(pc.cast(column, pa.timestamp("us")), pa.string()), 10, 11, "T")
        return pc.replace_substring(pc.binary_replace_slice(text, 26, 26, "Z"), ".000000Z", "Z")
    if pa.types.is_decimal(kind) and kind.scale > _LARGEST_PLAIN_SCALE:
        plain = (None if value is None else format(value, "f") for value in column.to_pylist())
        return pa.array(plain, pa.string())
    return pc.cast(column, pa.string())


def _check_years(name: str, column: _Cells) -> None:
    ends = pc.min_max(column)
    first, last = (pc.year(ends[end]).as_py() for end in ("min", "max"))
    if first is not None and not 1 <= first <= last <= 9999:
        raise Misuse("no canonical row", why=f"column {name} has a year outside 1 to 9999")


def table_of(rows: Sequence[bytes], columns: Columns) -> pa.Table:
    """The typed table whose canonical rows are ``rows``. Raises Tampered for bytes that are not rows of ``columns``."""
    schema = schema_of(columns)
    try:
        cells = _cells_of(rows, schema) if len(rows) <= _FEW else _many_cells_of(rows, schema)
        arrays = [pc.cast(column, kind.type) for column, kind in zip(cells, schema, strict=True)]
    except (ValueError, KeyError, TypeError, pa.ArrowException) as fault:
        raise Tampered("not rows of this batch", why=str(fault)) from fault
    return pa.Table.from_arrays(arrays, schema=schema)


def _cells_of(rows: Sequence[bytes], schema: pa.Schema) -> list[_Cells]:
    """The values of each column: flags, or texts."""
    records = [orjson.loads(row) for row in rows]
    return [pa.array([record[field.name] for record in records], _as_json(field.type)) for field in schema]


def _many_cells_of(rows: Sequence[bytes], schema: pa.Schema) -> list[_Cells]:
    parsed = pyarrow.json.read_json(
        BytesIO(b"\n".join(rows)),
        read_options=pyarrow.json.ReadOptions(block_size=max(_BLOCK, 2 * max(map(len, rows)))),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([(field.name, _as_json(field.type)) for field in schema]),
            unexpected_field_behavior="error",
        ),
    )
    if parsed.num_rows != len(rows):
        raise ValueError(f"{parsed.num_rows} rows in {len(rows)} lines")
    return [parsed[field.name] for field in schema]


def _as_json(kind: pa.DataType) -> pa.DataType:
    if kind == _SERIES:
        return pa.list_(pa.string())
    return kind if kind == pa.bool_() else pa.string()
