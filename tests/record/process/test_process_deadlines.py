"""Working days, held against a library that knows China's calendar from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Fault, Misuse
from mingjian.declare import Year
from mingjian.record.process import working_days_after

# What the yearly notices of the State Council lay down: days off, and days of weekends that are worked for them.
OFF = {
    2020: "01-01 01-24/02-02 04-04/04-06 05-01/05-05 06-25/06-27 10-01/10-08",
    2021: "01-01/01-03 02-11/02-17 04-03/04-05 05-01/05-05 06-12/06-14 09-19/09-21 10-01/10-07",
    2022: "01-01/01-03 01-31/02-06 04-03/04-05 04-30/05-04 06-03/06-05 09-10/09-12 10-01/10-07",
}
WORKED = {
    2020: "01-19 04-26 05-09 06-28 09-27 10-10",
    2021: "02-07 02-20 04-25 05-08 09-18 09-26 10-09",
    2022: "01-29 01-30 04-02 04-24 05-07 10-08 10-09",
}


def _days(year: int, spans: str) -> Iterator[date]:
    for span in spans.split():
        first, _, last = span.partition("/")
        day, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last or first}")
        while day <= end:
            yield day
            day += timedelta(days=1)


CALENDAR = tuple(
    Year(
        year,
        frozenset(day for day in _days(year, OFF[year]) if day.weekday() < 5),
        frozenset(_days(year, WORKED[year])),
        "A notice",
    )
    for year in OFF
)


def test_every_day_of_three_years_is_worked_or_not_as_the_library_says() -> None:
    day = date(2020, 1, 1)
    while day < date(2022, 12, 30):
        tomorrow = day + timedelta(days=1)
        assert (working_days_after(day, 1, CALENDAR) == tomorrow) == chinese_calendar.is_workday(tomorrow), tomorrow
        day = tomorrow


@given(st.dates(date(2020, 1, 1), date(2022, 9, 30)), st.integers(1, 40))
def test_a_last_day_has_so_many_working_days_before_it(start: date, days: int) -> None:
    last = working_days_after(start, days, CALENDAR)

    passed = [start + timedelta(days=number) for number in range(1, (last - start).days + 1)]
    assert sum(map(chinese_calendar.is_workday, passed)) == days
    assert chinese_calendar.is_workday(last)


def test_no_working_days_end_on_the_day_itself_though_it_be_a_holiday() -> None:
    assert working_days_after(date(2021, 10, 1), 0, CALENDAR) == date(2021, 10, 1)


def test_a_year_that_nobody_declared_is_not_guessed() -> None:
    assert working_days_after(date(2022, 12, 29), 1, CALENDAR) == date(2022, 12, 30)
    with pytest.raises(Fault, match=r"does not have 2023.*declare \[calendar.2023\]"):
        working_days_after(date(2022, 12, 29), 2, CALENDAR)
    with pytest.raises(Misuse):
        working_days_after(date(2021, 1, 1), -1, CALENDAR)
