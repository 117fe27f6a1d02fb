"""By when a case must leave its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from mingjian.base.errors import Fault, Misuse
from mingjian.declare import State, Year

_DAY: Final = timedelta(days=1)
_WEEKEND: Final = 5  # the number of Saturday


def working_days_after(start: date, days: int, calendar: Iterable[Year]) -> date:
    """The working day that is the ``days``-th after ``start``; ``start`` itself, worked or not, for none.

    A day is worked if it is a weekday and no holiday of the calendar, or one of its workdays. Raises Fault where the
    counting runs into a year that the calendar does not have, Misuse for a negative number.
    """
    if days < 0:
        raise Misuse(f"no working day is the {days}th after another", remedy="count forwards")
    years = {year.year: year for year in calendar}
    day = start
    while days:
        day += _DAY
        if day.year not in years:
            raise Fault(
                f"the calendar does not have {day.year}",
                why=f"working days are counted from {start}",
                remedy=f"declare [calendar.{day.year}] with its holidays, workdays and source",
            )
        days -= _worked(day, years[day.year])
    return day


def _worked(day: date, year: Year) -> bool:
    return day in year.workdays if day.weekday() >= _WEEKEND else day not in year.holidays


def deadline(state: State, row: Mapping[str, Any], since: date, calendar: Iterable[Year]) -> date | None:
    """The last day to leave a state that was come to on ``since``; None where there is none, or the row has no date yet."""
    if state.due:
        due: date | None = row[state.due]
        return due
    if state.within is None:
        return None
    if state.days == "working":
        return working_days_after(since, state.within, calendar)
    return since + timedelta(days=state.within)
