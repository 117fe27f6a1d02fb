"""The tables ``[process.*]``, ``[role.*]`` and ``[calendar.*]`` of ``scheme.toml`` as model classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, cast, get_args

from mingjian.declare._process import Act, Amount, Days, Process, Role, State, When, Year
from mingjian.declare._section import Section
from mingjian.declare._titles import LABELS

_WEEKEND: Final = 5  # the number of Saturday
_LONGEST: Final = 366  # days of a range
_RANGE: Final = re.compile(r"([0-9-]{10})(?:/([0-9-]{10}))?")


def read_processes(root: Section) -> dict[str, Process]:
    """The processes that a scheme declares, by id."""
    made = {}
    for name, s in root.named("process"):
        made[name] = Process(
            id=name,
            title=s.title(),
            of=s.text("of"),
            start=s.text("start"),
            states={state: _state(state, each) for state, each in s.named("state")},
            acts={act: _act(act, each) for act, each in s.named("act")},
            line=s.line,
        )
        s.end()
    return made


def _state(name: str, s: Section) -> State:
    state = State(
        id=name,
        title=s.title(),
        due=s.text("due", ""),
        within=s.integer("within") if "within" in s.table else None,
        days=s.choice("days", get_args(Days), "calendar"),
        final=s.flag("final"),
        line=s.line,
    )
    if "days" in s.table and state.within is None:
        s.fault("bad-deadline", "days are counted, and no number of them is given", "days", "within = 5")
    s.end()
    return state


def _act(name: str, s: Section) -> Act:
    takes = s.section("takes")
    act = Act(
        id=name,
        title=s.title(),
        sources=s.names("from"),
        to=s.text("to"),
        by=s.names("by"),
        takes={kind: cast(Amount, takes.choice(kind, get_args(Amount))) for kind in takes.table},
        fills=s.names("fills"),
        sets=s.texts("sets"),
        sets_late=s.texts("sets_late"),
        when=s.choice("when", get_args(When), "any"),
        once=s.flag("once"),
        line=s.line,
    )
    s.end()
    return act


def read_roles(root: Section) -> dict[str, Role]:
    """The roles that a scheme declares, by id."""
    made = {}
    for name, s in root.named("role"):
        made[name] = Role(
            id=name,
            title=s.title(),
            of=s.text("of"),
            reads=s.choice("reads", LABELS, "internal"),
            adds=s.names("adds"),
            issues=s.names("issues"),
            grants=s.names("grants"),
            unseals=s.flag("unseals"),
            oversees=s.flag("oversees"),
            line=s.line,
        )
        s.end()
    return made


def read_calendar(root: Section) -> tuple[Year, ...]:
    """The declared years of the calendar, in order."""
    years = []
    for name, s in root.named("calendar"):
        holidays, workdays = _days(s, "holidays", weekend=False), _days(s, "workdays", weekend=True)
        source = s.text("source")
        if re.fullmatch("[0-9]{4}", name):
            years.append(Year(int(name), holidays, workdays, source, s.line))
        else:
            s.fault("bad-calendar", f"{name!r} is no year", remedy="[calendar.2021]")
        s.end()
    return tuple(sorted(years, key=lambda year: year.year))


def _days(s: Section, key: str, *, weekend: bool) -> frozenset[date]:
    """The days of a list. Of a range only those count that can differ from the rule: a holiday is no news on a Sunday."""
    found: set[date] = set()
    for item in s.items(key):
        span = _span(item)
        if span is None:
            remedy = 'write 2021-01-01 or "2021-02-11/2021-02-17"'
            s.fault("bad-value", f"{key} has {item!r}, which is neither a day nor a range of days", key, remedy)
        elif span[0] == span[1]:
            found.add(span[0])
        else:
            found |= {day for day in _between(*span) if (day.weekday() >= _WEEKEND) == weekend}
    return frozenset(found)


def _span(item: object) -> tuple[date, date] | None:
    """The first and the last day that an item names."""
    if isinstance(item, date) and not isinstance(item, datetime):
        return item, item
    parts = _RANGE.fullmatch(item) if isinstance(item, str) else None
    if parts is None:
        return None
    try:
        first = date.fromisoformat(parts[1])
        last = date.fromisoformat(parts[2]) if parts[2] else first
    except ValueError:
        return None
    return (first, last) if 0 <= (last - first).days <= _LONGEST else None


def _between(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
