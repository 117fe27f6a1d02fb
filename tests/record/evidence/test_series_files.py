"""Long files: a value a line becomes a row a series, or a finding; nothing is taken twice, moved or made up."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence import Intake, Series, View, read_file, read_rows, shown_row, write_template

NAME = Title("reading", "读数")
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2021, 1, 1, tzinfo=ZONE)
Line = tuple[object, ...]
Read = Callable[[Iterable[Line]], Intake]


def kind(step: int = 15, period: str = "day") -> EvidenceType:
    fields = (
        Field("meter", "text", NAME),
        Field("owner", "text", Title("owner", "户主")),
        Field("day", "period", Title("day", "日"), of=(period,)),
        Field("wh", "quantity", Title("total", "总量"), unit="Wh", optional=True, instead_of="readings"),
        Field("readings", "series", NAME, unit="Wh", step=step, min=Decimal(0), max=Decimal(10**6), optional=True),
    )
    return EvidenceType("reading", NAME, {f.name: f for f in fields}, ("meter", "day"), "day", bad_rows="leave_out")


def day(meter: str = "M", owner: str = "A", start: datetime = START) -> list[Line]:
    return [(meter, owner, (start + timedelta(minutes=15 * i)).isoformat(), i) for i in range(96)]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reader(lines: Iterable[Line]) -> Intake:
        path = tmp_path / "lines.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("meter", "户主", "时间", "readings"), *lines])
        return read_file(path, kind(), zone="Asia/Shanghai")

    return reader


def rows(intake: Intake) -> Iterator[tuple[str, str, list[int | None]]]:
    table = intake.table
    yield from zip(*(table[name].to_pylist() for name in ("meter", "day", "readings")), strict=True)


def test_lines_in_any_order_become_one_row_a_meter_and_day(read: Read) -> None:
    tomorrow = START + timedelta(days=1)
    lines = [*day("M"), *day("N", start=tomorrow), *day("M", start=tomorrow)]
    found = read(lines[::-1])
    assert (found.findings, found.refused) == ((), 0)
    assert sorted(rows(found)) == [
        (m, d, [*range(96)]) for m, d in (("M", "2021-01-01"), ("M", "2021-01-02"), ("N", "2021-01-02"))
    ]
    assert sorted(found.table["_line"].to_pylist()) == [2, 98, 194], "a row is where its first line stands"


def test_an_empty_value_is_a_reading_that_is_missing_and_stays_so(read: Read) -> None:
    lines = day()
    lines[7] = (*lines[7][:3], "")
    ((_, _, values),) = rows(read(lines))
    assert (values[6:9], Series.of(values)) == ([6, None, 8], Series(96, 1, None))


BROKEN: dict[str, tuple[Callable[[list[Line]], list[Line]], int, str]] = {
    "gap": (lambda lines: lines[:3] + lines[5:], 2, "2 of the 96 times of 2021-01-01 have no line"),
    "doubled-time": (lambda lines: [*lines, lines[4]], 6, "the same time twice"),
    "off-grid": (
        lambda lines: [*lines, ("M", "A", "2021-01-01T00:07:30+08:00", 1)],
        98,
        "not on the grid of 15 minutes",
    ),
    "below-minimum": (lambda lines: [*lines[:9], (*lines[9][:3], -1), *lines[10:]], 11, "less than 0 Wh"),
    "above-maximum": (lambda lines: [*lines[:9], (*lines[9][:3], 10**6 + 1), *lines[10:]], 11, "more than 1000000 Wh"),
    "not-whole": (lambda lines: [*lines[:9], (*lines[9][:3], "0.5"), *lines[10:]], 11, "not a whole number"),
    "two-values": (lambda lines: [*lines[:9], ("M", "B", *lines[9][2:]), *lines[10:]], 11, "before have A"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_wrong_with_one_series_is_said_and_keeps_it_out_and_no_other(read: Read, rule: str) -> None:
    spoil, line, message = BROKEN[rule]
    found = read([*spoil(day()), *day("N")])
    (finding,) = found.findings
    assert (finding.rule, finding.place.row) == (rule, line)
    assert message in finding.message
    assert [meter for meter, *_ in rows(found)] == ["N"]
    assert found.refused == 1


def test_a_line_whose_meter_or_time_cannot_be_read_is_a_gap_too(read: Read) -> None:
    lines = day()
    lines[3] = ("M", "A", "yesterday", 3)
    assert [f.rule for f in read(lines).findings] == ["gap", "not-a-time"]


def test_the_period_follows_from_the_times(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("meter,owner,day,time,readings\nM,A,2021-01-01,2021-01-01T00:00:00+08:00,1\n", "utf-8")
    found = read_file(path, kind(), zone="Asia/Shanghai")
    assert ("unknown-column", "day") in [(f.rule, f.place.field) for f in found.findings]
    with pytest.raises(Misuse, match="clock"):
        read_file(path, kind())


def test_a_day_on_which_clocks_change_is_as_long_as_it_is(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    for text, count in (("2021-03-28", 92), ("2021-10-31", 100)):
        start = Period.parse(text).start_at(zone).astimezone(ZoneInfo("UTC"))
        times = [start + timedelta(minutes=15 * i) for i in range(count)]
        table = pa.table({"meter": ["M"] * count, "owner": ["A"] * count, "time": times, "readings": [5] * count})
        pq.write_table(table, tmp_path / "lines.parquet")
        found = read_file(tmp_path / "lines.parquet", kind(), zone="Europe/Berlin")
        assert found.findings == ()
        assert [*rows(found)] == [("M", text, [5] * count)]


@settings(max_examples=25)
@given(st.lists(st.none() | st.integers(0, 10**6), min_size=96, max_size=96))
def test_a_row_with_its_series_says_what_the_lines_say(values: list[int | None]) -> None:
    lines = [
        {"meter": "M", "owner": "A", "time": (START + timedelta(minutes=15 * i)).isoformat(), "readings": value}
        for i, value in enumerate(values)
    ]
    whole = {
        "meter": "M",
        "owner": "A",
        "day": "2021-01-01",
        "readings": [None if v is None else str(v) for v in values],
    }
    by_line, by_row = (read_rows(given, kind(), zone="Asia/Shanghai") for given in (lines, [whole]))
    assert by_line.findings == by_row.findings == ()
    assert [*rows(by_line)] == [*rows(by_row)] == [("M", "2021-01-01", values)]


def test_of_a_total_and_a_series_a_row_has_exactly_one_and_that_of_its_period_length() -> None:
    given = [
        {"wh": 1},
        {"readings": [1] * 96},
        {},
        {"wh": 1, "readings": [1] * 96},
        {"readings": [1] * 95},
        {"readings": "1;2"},
    ]
    found = read_rows(
        [{"meter": str(i), "owner": "A", "day": "2021-01-01", **row} for i, row in enumerate(given)],
        kind(),
        zone="Asia/Shanghai",
    )
    assert [meter for meter, *_ in rows(found)] == ["0", "1"]
    assert [(f.place.row, f.rule) for f in found.findings] == [
        (3, "neither-given"), (4, "both-given"), (5, "wrong-length"), (6, "neither-given"), (6, "not-a-series"),
    ]  # fmt: skip


def test_a_view_shows_a_series_in_a_few_words() -> None:
    given = [
        {"meter": m, "owner": "A", "day": "2021-01-01", "readings": v}
        for m, v in (("M", [7] * 96), ("N", [None, *[7] * 95]))
    ]
    table = read_rows(
        [*given, {"meter": "O", "owner": "A", "day": "2021-01-01", "wh": 3}], kind(), zone="Asia/Shanghai"
    ).table
    with View.of({"reading": table}, {"reading": kind()}) as view:
        shown = [shown_row(row)["readings"] for row in view.arrow("reading").to_pylist()]
        (at,) = view.at("reading", pa.table({"_entry": [0], "_row": [1]})).to_pylist()
    assert shown == [Series(96, 0, 672), Series(96, 1, None), None]
    assert shown_row(at)["readings"] == shown[1]
    assert [(str(s), s.text("zh")) for s in shown[:2]] == [
        ("96 values, total 672", "96 个读数，合计 672"), ("96 values, 1 missing", "96 个读数，缺 1 个"),
    ]  # fmt: skip


def test_a_sheet_leaves_the_series_to_a_file_and_says_so(tmp_path: Path) -> None:
    write_template(kind(), tmp_path / "form.xlsx")
    book = python_calamine.CalamineWorkbook.from_path(tmp_path / "form.xlsx")
    form, said = (book.get_sheet_by_name(name).to_python() for name in ("读数", "说明 Explanation"))
    assert form[0] == ["读数", "户主", "日", "总量"]
    assert "one value a line, under the headings time and readings" in said[-1][-1]
