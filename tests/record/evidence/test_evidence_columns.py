"""A column of a Parquet file is read as a whole: it says exactly what its cells say one by one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import MingjianError
from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence import Intake, read_file, read_rows
from mingjian.record.evidence._at_once import at_once

TITLE = Title("A field", "字段")
FIELDS = (
    Field("key", "text", TITLE),
    Field("unit", "subject", TITLE, of=("unit",), optional=True),
    Field("whole", "integer", TITLE, min=Decimal(-5), max=Decimal(2**62), optional=True),
    Field("part", "decimal", TITLE, decimals=2, min=Decimal("-1.5"), at_most="bound", optional=True),
    Field("bound", "decimal", TITLE, decimals=17, optional=True),
    Field("few", "integer", TITLE, at_most="bound", optional=True),
    Field("mark", "choice", TITLE, choices={"good": Title("Good", "好"), "poor": Title("Poor", "差")}, optional=True),
    Field("sure", "flag", TITLE, optional=True),
    Field("day", "date", TITLE, optional=True),
    Field("at", "time", TITLE, optional=True),
    Field("month", "period", TITLE, of=("month",), optional=True),
)
TEXTS = st.sampled_from(
    ["A", "B", "A b", " A", "A ", "", "é", "e\u0301", "Ａ", "a\tb", "a\u200bb", "a\nb", "好", "1", "龘"]
)
DAYS = st.dates(date(2021, 1, 1), date(2021, 1, 9))
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=8))])
INSTANTS = st.datetimes(datetime(2021, 1, 1), datetime(2021, 1, 2), timezones=ZONES)


def _column(kind: pa.DataType, values: st.SearchStrategy[Any], rows: int) -> st.SearchStrategy[pa.Array[Any]]:
    cells = st.lists(st.none() | values, min_size=rows, max_size=rows) | st.lists(values, min_size=rows, max_size=rows)
    return cells.map(lambda cells: pa.array(cells, kind))


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Some columns of the type, each of a type of Arrow that may or may not be the field's."""
    rows = draw(st.integers(0, 6))
    small = st.integers(-7, 7)
    kinds: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
        (pa.string(), TEXTS),
        (pa.large_string(), TEXTS),
        (pa.string(), INSTANTS.map(lambda at: at.isoformat())),
        (pa.dictionary(pa.int32(), pa.string()), TEXTS),
        (pa.int64(), small | st.integers(-(2**63), 2**63 - 1)),
        (pa.int32(), small),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float64(), st.floats() | small.map(float)),
        (pa.decimal128(6, 1), small.map(Decimal)),
        (pa.decimal128(38, 5), st.decimals(-(10**20), 10**20, places=5) | small.map(Decimal)),
        (pa.decimal128(38, 0), st.integers(10**16 - 2, 10**16 + 2).map(Decimal) | small.map(Decimal)),
        (pa.bool_(), st.booleans()),
        (pa.date32(), DAYS),
        (pa.timestamp("us"), INSTANTS.map(lambda at: at.replace(tzinfo=None))),
        (pa.timestamp("ms", "Asia/Shanghai"), INSTANTS.map(lambda at: at.replace(tzinfo=UTC, microsecond=0))),
        (pa.list_(pa.int64()), st.lists(small, max_size=1)),
        (pa.binary(), st.binary(max_size=2)),
        (pa.null(), st.none()),
    ]
    names = draw(st.lists(st.sampled_from([field.name for field in FIELDS]), unique=True, min_size=1))
    return pa.table({name: draw(_column(*draw(st.sampled_from(kinds)), rows)) for name in ["key", *names]})


def _by_cells(table: pa.Table, type: EvidenceType, zone: str) -> Intake:
    return read_rows(table.to_pylist(), type, "a.parquet", zone=zone)


def _by_columns(table: pa.Table, type: EvidenceType, zone: str, folder: Path) -> Intake:
    file = folder / "a.parquet"
    pq.write_table(table, file)
    return read_file(file, type, zone=zone)


@given(table=tables(), key=st.sampled_from([(), ("key",), ("key", "day")]), zone=st.sampled_from(["", "Asia/Shanghai"]))
def test_columns_say_what_their_cells_say(
    table: pa.Table, key: tuple[str, ...], zone: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    type = EvidenceType("row", TITLE, {field.name: field for field in FIELDS}, key=key)
    cells, columns = _by_cells(table, type, zone), _by_columns(table, type, zone, tmp_path_factory.getbasetemp())
    assert columns.findings == cells.findings
    assert columns.table.equals(cells.table)
    assert columns.refused == cells.refused


def test_no_text_of_a_time_is_left_to_be_read_alone() -> None:
    naive, zoned, utc = "2021-08-15 07:30:00", "2021-08-15T07:30:00+08:00", "2021-08-14T23:30:00Z"
    for texts in ([naive], [zoned, utc], [naive, zoned, utc]):
        read = at_once(Field("at", "time", TITLE), pa.array(texts), ZoneInfo("Asia/Shanghai"))
        assert set(read.to_pylist()) == {datetime(2021, 8, 14, 23, 30, tzinfo=UTC)}


def test_values_as_they_are_pass_and_each_bad_one_is_found(tmp_path: Path) -> None:
    type = EvidenceType("row", TITLE, {field.name: field for field in FIELDS}, key=("key",))
    good = {
        "key": pa.array([f"K{n}" for n in range(4)]),
        "whole": pa.array([1, 2, 3, None]),
        "part": pa.array([Decimal("0.5")] * 4, pa.decimal128(9, 1)),
        "at": pa.array([datetime(2021, 1, 1, tzinfo=UTC)] * 4, pa.timestamp("s", "UTC")),
    }
    assert _by_columns(pa.table(good), type, "", tmp_path).findings == ()
    bad = good | {
        "key": pa.array(["K0", "K\x00", "K0", None]),
        "whole": pa.array([-6, 1, 1, 2**62 + 1]),
        "part": pa.array([Decimal("0.5"), Decimal("0.005"), Decimal("-2"), Decimal(10**16)], pa.decimal128(38, 3)),
    }
    large = {
        "whole": pa.array([1, 2, 3, 2**62 + 1]),
        "part": pa.array([Decimal(10**16 - 1), Decimal(10**16), 0, 0], pa.decimal128(38, 2)),
    }
    assert [f.place.row for f in _by_columns(pa.table(good | large), type, "", tmp_path).findings] == [2, 4]
    found = [(f.place.row, f.rule) for f in _by_columns(pa.table(bad), type, "", tmp_path).findings]
    assert found == [
        (1, "below-minimum"),
        (2, "control-character"),
        (2, "too-many-decimals"),
        (3, "below-minimum"),
        (4, "missing-value"),
        (4, "above-maximum"),
        (4, "number-out-of-range"),
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**60], pa.timestamp("us")),
        pa.array([2**60], pa.timestamp("us", "UTC")),
        pa.Array.from_buffers(pa.string(), 1, [None, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")]),
    ],
    ids=["far-day", "far-instant", "not-utf-8"],
)
def test_what_python_cannot_hold_is_no_file_to_read(
    column: Any, types: Mapping[str, EvidenceType], tmp_path: Path
) -> None:
    with pytest.raises(MingjianError, match="cannot read the file"):
        _by_columns(pa.table({"text": column}), types["note"], "", tmp_path)
