"""The Arrow types of a row's columns."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pyarrow as pa

from mingjian.declare import EvidenceType, Field

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"

LINE: Final = "_line"  # the row's number in its file
DIGITS: Final = 18  # the longest decimal: as many digits as DuckDB computes with in 64 bits
_LEDGER_DIGITS: Final = 38  # every decimal of a ledger has this one type, whatever its scale
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
    "series": pa.list_(pa.int64()),
}


def arrow_schema(type: EvidenceType) -> pa.Schema:
    """The fields of a type, in their declared order, as the columns of rows on their way into a ledger.

    Choices stand by code, subjects and refs by key, periods by their text. Decimals have 38 digits, as the ledger wants
    them, of which no value uses more than 18.
    """
    return _schema(type, _LEDGER_DIGITS)


def view_schema(type: EvidenceType) -> pa.Schema:
    """The same columns in a view: its decimals have 18 digits."""
    return _schema(type, DIGITS)


def _schema(type: EvidenceType, digits: int) -> pa.Schema:
    return pa.schema([(field.name, arrow_type(field, digits)) for field in type.fields.values()])


def arrow_type(field: Field, digits: int = _LEDGER_DIGITS) -> pa.DataType:
    """The type of one column; of a decimal, with so many digits."""
    return pa.decimal128(digits, field.decimals) if field.type == "decimal" else _TYPES[field.type]
