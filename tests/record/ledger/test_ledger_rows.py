"""Canonical rows against RFC 8785, and tables that come back as they went in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse, Tampered
from mingjian.record.ledger import canonical_rows, columns_of
from mingjian.record.ledger._rows import schema_of, table_of

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("ok", pa.bool_()),
        ("count", pa.int64()),
        ("money", pa.decimal128(38, 2)),
        ("fine", pa.decimal128(38, 12)),
        ("Day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)


def decimals(scale: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**37), 10**37).map(lambda n: Decimal(n).scaleb(-scale))


MOMENTS = st.datetimes(timezones=st.just(UTC))
RECORDS = st.fixed_dictionaries(
    {
        "text": st.none() | st.text() | st.sampled_from(['"', "\\", "a\x1fb", "\x7f"]),
        "ok": st.none() | st.booleans(),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "money": st.none() | st.decimals(-(10**6), 10**6, places=2) | decimals(2),
        "fine": st.none() | st.decimals(-1, 1, places=12) | decimals(12),
        "Day": st.none() | st.dates(),
        "at": st.none() | MOMENTS | MOMENTS.map(lambda moment: moment.replace(microsecond=0)),
    }
)


def plain(value: Any) -> str | bool | None:
    """What a row carries, written the slow way."""
    match value:
        case None | bool() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.replace(tzinfo=None).isoformat() + "Z"
    return str(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text drawn costs seconds
@given(st.lists(RECORDS, max_size=5))
def test_rows_are_the_canonical_json_of_their_values_and_read_back_the_same(records: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(records, SCHEMA)
    rows = canonical_rows(table)
    assert rows == [rfc8785.dumps({name: plain(value) for name, value in row.items()}) for row in table.to_pylist()]
    assert table_of(rows, columns_of(table)).equals(table)
    many = pa.concat_tables([table] * 20)
    assert canonical_rows(many) == rows * 20, "many are written as few are"
    assert canonical_rows(many.combine_chunks().slice(1)) == (rows * 20)[1:], "also those in the midst of others"


def test_a_row_is_written_as_the_record_says() -> None:
    record = {
        "text": '龘靐齉 "\\\x07\u2028/',
        "ok": True,
        "count": -9_300_000_000_000_000,
        "money": Decimal("1234567.50"),
        "fine": Decimal("0.000000000001"),
        "Day": date(2021, 9, 7),
        "at": datetime(2021, 9, 7, 8, 0, 0, 120_000, tzinfo=UTC),
    }
    assert canonical_rows(pa.Table.from_pylist([record, {}], SCHEMA)) == [
        '{"Day":"2021-09-07","at":"2021-09-07T08:00:00.120000Z","count":"-9300000000000000","fine":"0.000000000001",'
        '"money":"1234567.50","ok":true,"text":"龘靐齉 \\"\\\\\\u0007\u2028/"}'.encode(),
        b'{"Day":null,"at":null,"count":null,"fine":null,"money":null,"ok":null,"text":null}',
    ]


def test_many_rows_keep_their_order() -> None:
    table = pa.table({"n": pa.array(range(140_000), pa.int64())})
    assert canonical_rows(table) == [b'{"n":"%d"}' % n for n in range(140_000)]


def test_columns_are_described_in_order_and_read_back() -> None:
    columns = columns_of(SCHEMA.empty_table())
    assert columns[0] == ("text", "string")
    assert columns[4] == ("fine", "decimal(12)")
    assert columns[-1] == ("at", "timestamp")
    assert schema_of(columns) == SCHEMA


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.table({"": ["a"]}),
        pa.table({"名": ["a"]}),
        pa.table([["a"], ["b"]], names=["a", "a"]),
        pa.table({"a": [1.5]}),
        pa.table({"a": pa.array([1], pa.int32())}),
        pa.table({"a": pa.array([Decimal(1)], pa.decimal128(10, 2))}),
        pa.table({"a": pa.array([0], pa.timestamp("us"))}),
        pa.table({"a": pa.array([0], pa.timestamp("us", tz="Asia/Shanghai"))}),
        pa.table({"a": pa.array(["a"]).dictionary_encode()}),
    ],
    ids=str,
)
def test_other_tables_are_refused(table: pa.Table) -> None:
    with pytest.raises(Misuse, match="not a table of rows"):
        canonical_rows(table)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"\xff"]).view(pa.string()),
        pa.array([4_000_000], pa.date32()),
        pa.array([-(2**62)], pa.timestamp("us", tz="UTC")),
    ],
    ids=["not UTF-8", "year 12921", "year -144,000"],
)
def test_values_without_a_canonical_form_are_refused(column: pa.Array) -> None:
    with pytest.raises(Misuse, match="no canonical row"):
        canonical_rows(pa.table({"a": column}))


@pytest.mark.parametrize("row", [b"{", b"{}", b'{"a":"x"}', b"[]", b'{"a":true}'])
def test_bytes_that_are_no_rows_are_refused(row: bytes) -> None:
    with pytest.raises(Tampered, match="not rows of this batch"):
        table_of([row], (("a", "int64"),))
    with pytest.raises(Tampered, match="unknown column types"):
        table_of([row], (("a", "int7"),))
