"""How one cell is read: what offices write, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.declare import Field, Title
from mingjian.record.evidence._fields import Broken, parse, shown

TITLE = Title("Field", "字段")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def field(type: str, **more: object) -> Field:
    return Field("f", type, TITLE, **more)  # type: ignore[arg-type]


CHOICE = field("choice", choices={"late": Title("Late", "迟报"), "a": Title("Same", "甲"), "b": Title("Same", "乙")})


@pytest.mark.parametrize(
    ("declared", "cell", "value"),
    [
        (field("text"), "  甲 \t", "甲"),
        (field("text"), "　甲　", "甲"),
        (field("text"), "e\u0301", "é"),
        (field("text"), "一\r\n二\r三", "一\n二\n三"),
        (field("text"), "龘靐齉", "龘靐齉"),
        (field("text"), "１２", "１２"),
        (field("text"), 3.0, "3"),
        (field("text"), 2.5, "2.5"),
        (field("subject"), 101.0, "101"),
        (field("integer"), "１，２３４", 1234),
        (field("integer"), "−12", -12),
        (field("integer"), "+5", 5),
        (field("integer"), "3.0", 3),
        (field("integer"), 3.0, 3),
        (field("integer"), Decimal("3.00"), 3),
        (field("quantity"), "9223372036854775807", 2**63 - 1),
        (field("quantity"), -(2**63), -(2**63)),
        (field("decimal", decimals=2), "1,234.5", Decimal("1234.50")),
        (field("decimal", decimals=1), 0.1, Decimal("0.1")),
        (field("decimal", decimals=1), "1.50", Decimal("1.5")),
        (field("decimal", decimals=2), "9999999999999999.99", Decimal("9999999999999999.99")),
        (CHOICE, "late", "late"),
        (CHOICE, "迟报", "late"),
        (CHOICE, "ＬＡＴＥ", "late"),
        (field("flag"), "是", True),
        (field("flag"), "NO", False),
        (field("flag"), 1.0, True),
        (field("flag"), False, False),
        (field("date"), "2021年8月15日", date(2021, 8, 15)),
        (field("date"), "２０２１／８／１５", date(2021, 8, 15)),
        (field("date"), "2021.08.15", date(2021, 8, 15)),
        (field("date"), "20210815", date(2021, 8, 15)),
        (field("date"), 20210815, date(2021, 8, 15)),
        (field("date"), "2021-08-15 00:00:00", date(2021, 8, 15)),
        (field("date"), datetime(2021, 8, 15), date(2021, 8, 15)),
        (field("time"), "2021-08-15T07:30:00+08:00", datetime(2021, 8, 14, 23, 30, tzinfo=UTC)),
        (field("time"), "2021-08-15T07:30:00Z", datetime(2021, 8, 15, 7, 30, tzinfo=UTC)),
        (field("time"), datetime(2021, 8, 15, 7, 30), datetime(2021, 8, 14, 23, 30, tzinfo=UTC)),
        (field("period", of=("quarter",)), "2021年三季度", "2021Q3"),
        (field("period", of=("quarter",)), "2021年第3季度", "2021Q3"),
        (field("period", of=("quarter",)), "2021年第三季度", "2021Q3"),
        (field("period", of=("quarter",)), "２０２１q3", "2021Q3"),
        (field("period", of=("half",)), "2021年上半年", "2021H1"),
        (field("period", of=("half",)), "2021h2", "2021H2"),
        (field("period", of=("month",)), "2021年8月", "2021-08"),
        (field("period", of=("month",)), date(2021, 8, 1), "2021-08"),
        (field("period", of=("year",)), 2021.0, "2021"),
        (field("period", of=("year", "quarter")), "2021年度", "2021"),
        (field("period", of=("day",)), date(2021, 8, 15), "2021-08-15"),
        (field("period", of=("hour",)), "2021-08-15T07+08:00", "2021-08-15T07+08:00"),
        (field("text", optional=True), "   ", None),
        (field("integer", optional=True), None, None),
    ],
)
def test_reads_what_offices_write(declared: Field, cell: object, value: object) -> None:
    read = parse(declared, cell, SHANGHAI)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("declared", "cell", "rule"),
    [
        (field("text"), "", "missing-value"),
        (field("text"), "a\x07", "control-character"),
        (field("text"), "a\ud800", "control-character"),
        (field("ref"), "a\nb", "control-character"),
        (field("text"), date(2021, 8, 1), "not-text"),
        (field("text"), True, "not-text"),
        (field("integer"), "1,23", "not-a-number"),
        (field("integer"), "1 234", "not-a-number"),
        (field("integer"), "٣", "not-a-number"),
        (field("integer"), True, "not-a-number"),
        (field("integer"), float("nan"), "not-a-number"),
        (field("integer"), "9" * 100, "not-a-number"),
        (field("integer"), [1], "not-a-number"),
        (field("integer"), 3.5, "not-whole"),
        (field("integer"), 2.0**60, "number-not-exact"),
        (field("integer"), 10**999, "number-out-of-range"),
        (field("quantity"), "9223372036854775808", "number-out-of-range"),
        (field("decimal", decimals=1), 0.1 + 0.2, "too-many-decimals"),
        (field("decimal", decimals=1), "0.25", "too-many-decimals"),
        (field("decimal", decimals=2), "99999999999999999.99", "number-out-of-range"),
        (field("decimal", decimals=1), Decimal("1e-9999"), "number-out-of-range"),
        (field("integer", min=Decimal(0)), -1, "below-minimum"),
        (field("decimal", decimals=1, max=Decimal(5)), "5.1", "above-maximum"),
        (CHOICE, "Same", "unknown-choice"),
        (field("flag"), 2, "not-a-flag"),
        (field("date"), "2021-02-29", "no-such-date"),
        (field("date"), "2021-08/15", "not-a-date"),
        (field("date"), 44423.5, "not-a-date"),
        (field("date"), datetime(2021, 8, 15, 7), "date-with-time"),
        (field("date"), datetime(2021, 8, 15, tzinfo=UTC), "date-with-time"),
        (field("time"), date(2021, 8, 15), "not-a-time"),
        (field("time"), "2021-08-15", "not-a-time"),
        (field("period", of=("quarter",)), date(2021, 8, 1), "not-a-period"),
        (field("period", of=("month",)), date(2021, 8, 2), "not-a-period"),
        (field("period", of=("quarter",)), "2021", "wrong-period"),
    ],
)
def test_refuses_what_it_would_have_to_guess(declared: Field, cell: object, rule: str) -> None:
    with pytest.raises(Broken) as broken:
        parse(declared, cell)
    assert broken.value.rule == rule


def test_a_time_needs_a_zone_and_a_clock_that_shows_it_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with pytest.raises(Broken, match="without a zone"):
        parse(field("time"), "2021-08-15T07:30:00")
    for moment in ("2021-10-31T02:30:00", "2021-03-28T02:30:00"):  # shown twice; never shown
        with pytest.raises(Broken, match="not one instant"):
            parse(field("time"), moment, berlin)
    assert parse(field("time"), "2021-10-31T02:30:00+01:00", berlin) == datetime(2021, 10, 31, 1, 30, tzinfo=UTC)


def test_shows_a_value_briefly_and_printably() -> None:
    assert shown("a\ud800b") == "a\\ud800b"
    assert shown("x" * 100) == "x" * 80 + "…"
    assert shown(10**5000) == "an integer of 16610 bits"
    assert shown(None) == ""


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_read_as_written(number: int) -> None:
    assert parse(field("integer"), str(number)) == parse(field("integer"), f"{number:,}") == number


@given(st.decimals(-(10**12), 10**12, places=3))
def test_every_decimal_is_read_exactly_or_refused(number: Decimal) -> None:
    assert parse(field("decimal", decimals=3), f"{number:f}") == number
    if number * 100 % 1:
        with pytest.raises(Broken):
            parse(field("decimal", decimals=2), f"{number:f}")


@given(st.dates())
def test_every_date_is_read_in_each_way_of_writing(day: date) -> None:
    written = (f"{day}", f"{day:%Y/%m/%d}".rjust(10, "0"), f"{day.year:04}年{day.month}月{day.day}日")
    assert {parse(field("date"), text) for text in written} == {day}


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-12, 14))
def test_every_instant_is_read_from_any_zone(moment: datetime, hours: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert parse(field("time"), local.isoformat()) == local
