"""The Arrow types of a row's columns."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pyarrow as pa

from mingjian.declare._model import EvidenceType, Field

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"

LINE: Final = "_line"  # the row's number in its file
DIGITS: Final = 18  # of a decimal: as many as DuckDB keeps in 64 bits
INSTANT: Final = pa.timestamp("us", tz="UTC")

_TYPES: Final[dict[str, pa.DataType]] = {
    "text": pa.string(),
    "choice": pa.string(),
    "subject": pa.string(),
    "ref": pa.string(),
    "period": pa.string(),
    "flag": pa.bool_(),
    "integer": pa.int64(),
    "quantity": pa.int64(),
    "date": pa.date32(),
    "time": INSTANT,
}


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type of a field: choices by code, subjects and refs by key, periods by their text."""
    return pa.decimal128(DIGITS, field.decimals) if field.type == "decimal" else _TYPES[field.type]


def arrow_schema(type: EvidenceType) -> pa.Schema:
    """The fields of a type, in their declared order, as Arrow columns."""
    return pa.schema([(field.name, arrow_type(field)) for field in type.fields.values()])
