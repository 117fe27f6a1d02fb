"""Calendar periods, from a year down to an hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final, Literal, get_args

from mingjian.base.errors import Misuse

Kind = Literal["year", "half", "quarter", "month", "day", "hour"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # longest first; each kind lies wholly inside every longer one

_PER_YEAR: Final[dict[str, int]] = {"year": 1, "half": 2, "quarter": 4, "month": 12}
_DATE: Final = "([0-9]{4})-([0-9]{2})-([0-9]{2})"
_FORMS: Final[dict[Kind, re.Pattern[str]]] = {
    "year": re.compile("([0-9]{4})"),
    "half": re.compile("([0-9]{4})H([0-9])"),
    "quarter": re.compile("([0-9]{4})Q([0-9])"),
    "month": re.compile("([0-9]{4})-([0-9]{2})"),
    "day": re.compile(_DATE),
    "hour": re.compile(_DATE + "T([0-9]{2})[+-]([0-9]{2}):([0-9]{2})"),
}
_REMEDY: Final = "write 2021, 2021H1, 2021Q3, 2021-08, 2021-08-15 or 2021-08-15T07+08:00"
_LAST_YEAR: Final = 9998  # the exclusive end must still be a date
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Period:
    """One calendar period: hashable, ordered within its kind, written as it is parsed.

    ``index`` counts the periods of its kind on the calendar (days and hours from day 0 of the proleptic calendar, hours
    on the local clock). ``offset`` is an hour's distance from UTC in minutes, so that the two hours of one name on the
    day the clocks go back stay apart; it is 0 for longer kinds, whose instants depend on the zone asked for.

    Made by :meth:`parse` and :meth:`of`. Raises Misuse outside the years 1 to 9998.
    """

    kind: Kind
    index: int
    offset: int = 0

    def __post_init__(self) -> None:
        try:
            inside = self.first.year <= _LAST_YEAR
        except (ValueError, OverflowError):
            inside = False
        if not inside:
            raise Misuse("period outside the calendar", why=f"{self.kind} {self.index}", remedy="use years 1 to 9998")

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period that ``text`` writes. Raises Misuse unless it is exactly how ``str`` would write it."""
        for kind, form in _FORMS.items():
            if found := form.fullmatch(text):
                period = _from_numbers(kind, text, [int(number) for number in found.groups()])
                if str(period) == text:
                    return period
        raise Misuse(f"{text!r} is not a period", remedy=_REMEDY)

    @classmethod
    def of(cls, moment: date, kind: Kind, zone: tzinfo | None = None) -> Period:
        """The period of ``kind`` in which a date or an aware datetime lies.

        A datetime is read on the clock of ``zone``, or on its own where none is given. Raises Misuse for a datetime
        without a zone, and for an hour asked of a date.
        """
        if not isinstance(moment, datetime):
            if kind == "hour":
                raise Misuse("a date lies in no single hour", remedy="give a datetime with its zone")
            return _of_date(moment, kind)
        if moment.tzinfo is None:
            raise Misuse("a datetime without a zone lies in no period", why=str(moment), remedy="attach its zone")
        local = moment.astimezone(zone) if zone else moment
        if kind != "hour":
            return _of_date(local.date(), kind)
        offset = local.utcoffset()
        minutes = 0 if offset is None else int(offset.total_seconds()) // 60
        return cls("hour", local.toordinal() * 24 + local.hour, minutes)

    @property
    def first(self) -> date:
        """The first day; for an hour, the day on its own clock."""
        if self.kind == "day":
            return date.fromordinal(self.index)
        if self.kind == "hour":
            return date.fromordinal(self.index // 24)
        year, part = divmod(self.index, _PER_YEAR[self.kind])
        return date(year, part * (12 // _PER_YEAR[self.kind]) + 1, 1)

    @property
    def end(self) -> date:
        """The first day after the period. Raises Misuse for an hour, which ends at no date."""
        if self.kind == "hour":
            raise Misuse(f"{self} does not end with a day", remedy="ask for end_at, an instant")
        if self.kind == "day":
            return self.first + timedelta(days=1)
        year, part = divmod(self.index + 1, _PER_YEAR[self.kind])
        return date(year, part * (12 // _PER_YEAR[self.kind]) + 1, 1)

    def start_at(self, zone: tzinfo) -> datetime:
        """The instant of the period's beginning, on the clock of ``zone``."""
        if self.kind != "hour":
            return datetime.combine(self.first, time(), zone)
        own = timezone(timedelta(minutes=self.offset))
        return datetime.combine(self.first, time(self.index % 24), own).astimezone(zone)

    def end_at(self, zone: tzinfo) -> datetime:
        """The first instant after the period, on the clock of ``zone``."""
        if self.kind != "hour":
            return datetime.combine(self.end, time(), zone)
        return (self.start_at(UTC) + _HOUR).astimezone(zone)

    def previous(self, zone: tzinfo | None = None) -> Period:
        """The period of the same kind just before; an hour needs the ``zone`` whose clock it is read on."""
        return self._beside(-1, zone)

    def next(self, zone: tzinfo | None = None) -> Period:
        """The period of the same kind just after; an hour needs the ``zone`` whose clock it is read on."""
        return self._beside(1, zone)

    def containing(self, kind: Kind) -> Period:
        """The period of a kind at least as long in which this one lies. Raises Misuse for a shorter kind."""
        if KINDS.index(kind) > KINDS.index(self.kind):
            raise Misuse(f"{self} lies in no single {kind}", remedy=f"ask for parts({kind!r})")
        return self if kind == self.kind else _of_date(self.first, kind)

    def parts(self, kind: Kind, zone: tzinfo | None = None) -> tuple[Period, ...]:
        """All periods of a kind at most as long that make up this one, in order; hours need a ``zone``.

        A day has 23, 24 or 25 hours. Raises Misuse for a longer kind, for hours without a zone, and where a change of
        clocks by less than an hour leaves a day without whole hours.
        """
        if KINDS.index(kind) < KINDS.index(self.kind):
            raise Misuse(f"{self} has no parts of kind {kind}", remedy=f"ask for containing({kind!r})")
        if kind == self.kind:
            return (self,)
        if kind == "hour":
            return self._hours(zone)
        start, stop = _of_date(self.first, kind), _of_date(self.end, kind)
        return tuple(Period(kind, index) for index in range(start.index, stop.index))

    def steps(self, minutes: int, zone: tzinfo) -> int:
        """How many steps of so many minutes it has on the clock of ``zone``: of time that passes, so that the day on which the
        clocks go forward has an hour's less.

        Raises Misuse where a change of the clocks leaves no whole number of them.
        """
        length = self.end_at(zone).astimezone(UTC) - self.start_at(zone).astimezone(UTC)
        count, rest = divmod(length, timedelta(minutes=minutes))
        if rest:
            raise Misuse(f"{self} has no whole steps of {minutes} minutes in {zone}", remedy="use a shorter step")
        return count

    def _beside(self, step: int, zone: tzinfo | None) -> Period:
        if self.kind != "hour":
            return Period(self.kind, self.index + step)
        if zone is None:
            raise Misuse(f"the hour beside {self} depends on the clock", remedy="give the zone")
        return Period.of(self.start_at(UTC) + step * _HOUR, "hour", zone)

    def _hours(self, zone: tzinfo | None) -> tuple[Period, ...]:
        if zone is None:
            raise Misuse(f"the hours of {self} depend on the clock", remedy="give the zone")
        # Walked in UTC: the difference of two datetimes of one zone ignores a change of its clocks.
        start, end = self.start_at(zone).astimezone(UTC), self.end_at(zone).astimezone(UTC)
        instants = [start + number * _HOUR for number in range((end - start) // _HOUR)]
        hours = tuple(Period.of(instant, "hour", zone) for instant in instants)
        if (end - start) % _HOUR or any(hour.start_at(UTC) != at for hour, at in zip(hours, instants, strict=True)):
            raise Misuse(f"{self} has no whole hours in {zone}", why="its clocks change by less than an hour")
        return hours

    def _order(self, other: Period) -> int:
        """Negative, zero or positive as this period stands before, at or after another of its kind."""
        if self.kind != other.kind:
            raise Misuse(f"{self} and {other} have no order", why=f"one is a {self.kind}, the other a {other.kind}")
        before = (self.index * 60 - self.offset, self.offset)
        after = (other.index * 60 - other.offset, other.offset)
        return (before > after) - (before < after)

    def __lt__(self, other: Period) -> bool:
        return self._order(other) < 0

    def __le__(self, other: Period) -> bool:
        return self._order(other) <= 0

    def __gt__(self, other: Period) -> bool:
        return self._order(other) > 0

    def __ge__(self, other: Period) -> bool:
        return self._order(other) >= 0

    def __str__(self) -> str:
        if self.kind == "day":
            return self.first.isoformat()
        if self.kind == "hour":
            sign = "-" if self.offset < 0 else "+"
            hours, minutes = divmod(abs(self.offset), 60)
            return f"{self.first}T{self.index % 24:02}{sign}{hours:02}:{minutes:02}"
        year, part = divmod(self.index, _PER_YEAR[self.kind])
        tail = {"year": "", "half": f"H{part + 1}", "quarter": f"Q{part + 1}", "month": f"-{part + 1:02}"}
        return f"{year:04}{tail[self.kind]}"


def _of_date(day: date, kind: Kind) -> Period:
    if kind == "day":
        return Period(kind, day.toordinal())
    per_year = _PER_YEAR[kind]
    return Period(kind, day.year * per_year + (day.month - 1) * per_year // 12)


def _from_numbers(kind: Kind, text: str, numbers: list[int]) -> Period:
    if kind in _PER_YEAR:
        part = numbers[1] if len(numbers) > 1 else 1
        return Period(kind, numbers[0] * _PER_YEAR[kind] + part - 1)
    try:
        day = date(*numbers[:3])
    except ValueError as fault:
        raise Misuse(f"{text!r} is not a period", why=str(fault), remedy=_REMEDY) from fault
    if kind == "day":
        return Period(kind, day.toordinal())
    hour, offset_hours, offset_minutes = numbers[3:]
    sign = -1 if "-" in text[len("2021-08-15T07") :] else 1
    return Period(kind, day.toordinal() * 24 + hour, sign * (offset_hours * 60 + offset_minutes))
