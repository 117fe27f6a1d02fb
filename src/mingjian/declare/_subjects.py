"""Subjects in a dated hierarchy: who existed when, and under whom.

A leader moves, a unit merges, an id comes back; what was true on a day stays so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

from mingjian.base.errors import Fault, Finding, Place
from mingjian.declare._model import SubjectType
from mingjian.declare._titles import Title

Ancestry: TypeAlias = tuple[str, str, date, date | None]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What holds of a subject from day ``start`` on, up to but not on day ``until`` (None: still).

    ``parent`` is the id above ("" at the top), ``into`` whom it merged into at ``until``, ``kind`` its peer group.
    """

    id: str
    type: str
    title: Title
    parent: str
    start: date
    until: date | None
    into: str
    kind: str


class Hierarchy:
    """All subjects of a scheme through time. Made by `of_rows`; nothing in it changes."""

    def __init__(self, states: Mapping[str, tuple[Subject, ...]]) -> None:
        self._states = states
        self._lines: dict[tuple[str, str], tuple[tuple[str, date, date | None], ...]] = {}
        self._ancestries: dict[str, tuple[Ancestry, ...]] = {}  # worked out once a type, when first asked for

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]], types: Mapping[str, SubjectType]) -> Hierarchy:
        """The hierarchy that rows of evidence type ``subject`` state; their order does not matter.

        Each row holds until the next of its id begins, or until its own ``until``. Raises Fault, with a Finding for each
        row that is wrong: an unknown type or parent, a parent of another type than the one declared, a subject above
        itself, two rows of an id from one day, ``until`` not after ``from``, ``into`` without a subject of its type.
        """
        given = sorted(rows, key=lambda row: (row["id"], row["from"]))
        findings = tuple(_findings(given, types))
        if findings:
            raise Fault("the subjects do not form a hierarchy", findings=findings)
        stated: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in given:
            stated[row["id"]].append(row)
        return cls({name: tuple(_states(of)) for name, of in stated.items()})

    def __len__(self) -> int:
        return len(self._states)

    def subject(self, name: str) -> Subject | None:
        """The last that is known of the subject, or None."""
        states = self._states.get(name)
        return states[-1] if states else None

    def at(self, name: str, day: date) -> Subject | None:
        """What holds of the subject on ``day``; None before it begins and once it is gone."""
        return next((s for s in self._states.get(name, ()) if _holds(s, day)), None)

    def alive(self, kind: str, first: date, end: date, among: Collection[str] | None = None) -> tuple[Subject, ...]:
        """The subjects of a type (``among`` these) that exist on some day from ``first`` up to but not on ``end``, by id.

        Each as last known inside the window: a leader who moved in it appears once, at the new place.
        """
        found = []
        for name in self._names_of.get(kind, ()) if among is None else sorted(among):
            inside = [s for s in self._states.get(name, ()) if s.type == kind and _meets(s, first, end)]
            found += inside[-1:]
        return tuple(found)

    def below(self, subjects: Iterable[str]) -> frozenset[str]:
        """All who ever stood below these subjects, at any distance."""
        found: set[str] = set()
        fresh = {child for subject in subjects for child in self._children.get(subject, ())}
        while fresh:
            found |= fresh
            fresh = {child for subject in fresh for child in self._children.get(subject, ())} - found
        return frozenset(found)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(self._states))

    @cached_property
    def _names_of(self) -> Mapping[str, tuple[str, ...]]:
        """The sorted ids of those that ever were of a type."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._names:
            for kind in {state.type for state in self._states[name]}:
                found[kind].append(name)
        return {kind: tuple(names) for kind, names in found.items()}

    @cached_property
    def _children(self) -> Mapping[str, frozenset[str]]:
        """Who ever named a subject as parent; those of a merged one stand below its successor too."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, states in self._states.items():
            for state in states:
                if state.parent:
                    found[state.parent].add(name)
                if state.into:
                    found[state.into].add(name)
        return {name: frozenset(children) for name, children in found.items()}

    def ancestor(self, name: str, kind: str, day: date) -> str | None:
        """The subject of type ``kind`` that ``name`` is or stands under on ``day``, or None.

        Where a parent has merged into another and the child's row still names the old one, the new one stands for it.
        """
        found = next(self._ancestors(self._states.get(name, ()), kind, day, day + _DAY), None)
        return found[0] if found else None

    def ancestry(self, kind: str, among: Set[str] | None = None) -> tuple[Ancestry, ...]:
        """Who (``among`` these) stands under which subject of type ``kind``, from which day up to but not on which.

        A None ends no interval. A subject of the type itself stands under itself. Sorted by subject and day; the
        intervals of one subject never overlap, and neighbouring ones under one ancestor are joined.
        """
        if among is None and kind in self._ancestries:
            return self._ancestries[kind]
        found: list[Ancestry] = []
        for name in self._names if among is None else sorted(among & self._states.keys()):
            for above, start, end in self._ancestors(self._states[name], kind, date.min, None):
                if found and found[-1][:2] == (name, above) and found[-1][3] == start:
                    start = found.pop()[2]
                found.append((name, above, start, end))
        if among is None:
            self._ancestries[kind] = tuple(found)
        return tuple(found)

    def _ancestors(
        self, states: Iterable[Subject], kind: str, first: date, end: date | None
    ) -> Iterator[tuple[str, date, date | None]]:
        """The ancestors of type ``kind`` of some states inside a window, with their intervals, in order of time."""
        for state in states:
            window = _cut(state.start, state.until, first, end)
            if window and state.type == kind:
                yield state.id, *window
            elif window and state.parent:
                for above, start, until in self._line(state.parent, kind):
                    if common := _cut(start, until, *window):
                        yield above, *common

    def _line(self, name: str, kind: str) -> tuple[tuple[str, date, date | None], ...]:
        """The ancestors of type ``kind`` of ``name``, or of whoever stands for it, through all time; worked out once."""
        if (name, kind) not in self._lines:
            standing = self._standing(name, date.min, None)
            parts = (self._ancestors((state,), kind, start, until) for state, start, until in standing)
            self._lines[name, kind] = tuple(found for part in parts for found in part)
        return self._lines[name, kind]

    def _standing(self, name: str, first: date, end: date | None) -> Iterator[tuple[Subject, date, date | None]]:
        """Who stands for ``name`` inside a window: its own states, and after a merger whoever it merged into."""
        states = self._states[name]
        for state, later in zip(states, [*states[1:], None], strict=True):
            if window := _cut(state.start, state.until, first, end):
                yield state, *window
            gone = _cut(state.until, later.start if later else None, first, end) if state.until else None
            if gone and state.into:
                yield from self._standing(state.into, *gone)


def _holds(state: Subject, day: date) -> bool:
    return state.start <= day and (state.until is None or day < state.until)


def _meets(state: Subject, first: date, end: date) -> bool:
    return state.start < end and (state.until is None or state.until > first)


def _cut(start: date, until: date | None, first: date, end: date | None) -> tuple[date, date | None] | None:
    """What two spans (None: without end) have in common, or None."""
    begin = max(start, first)
    close = until if end is None else end if until is None else min(until, end)
    return (begin, close) if close is None or begin < close else None


def _states(rows: list[Mapping[str, Any]]) -> Iterator[Subject]:
    for row, later in zip(rows, [*rows[1:], None], strict=True):
        ends: list[date] = [day for day in (row.get("until"), later["from"] if later else None) if day is not None]
        yield Subject(
            id=row["id"],
            type=row["type"],
            title=Title(row["en"], row["zh"]),
            parent=row.get("parent") or "",
            start=row["from"],
            until=min(ends, default=None),
            into=row.get("into") or "",
            kind=row.get("kind") or "",
        )


def _findings(rows: list[Mapping[str, Any]], types: Mapping[str, SubjectType]) -> Iterator[Finding]:
    kinds = {row["id"]: row["type"] for row in rows}
    for row in rows:
        yield from _row_findings(row, kinds, types)
    for earlier, later in pairwise(rows):
        if earlier["id"] == later["id"] and earlier["from"] == later["from"]:
            yield _finding(later, "same-day", "two rows of one subject hold from one day", "from", "keep one")
    yield from _circles(rows, "parent", "above")
    yield from _circles(rows, "into", "merged into")


def _row_findings(
    row: Mapping[str, Any], kinds: Mapping[str, str], types: Mapping[str, SubjectType]
) -> Iterator[Finding]:
    kind = types.get(row["type"])
    if kind is None:
        yield _finding(row, "unknown-type", f"no subject type {row['type']}", "type", f"there are {', '.join(types)}")
        return
    if kinds[row["id"]] != row["type"]:
        yield _finding(
            row, "changed-type", f"is a {row['type']} here and a {kinds[row['id']]} later", "type", "use a new id"
        )
    until, parent, into = row.get("until"), row.get("parent") or "", row.get("into") or ""
    if until is not None and until <= row["from"]:
        yield _finding(row, "until-before-from", f"until {until} is not after from {row['from']}", "until")
    if bool(parent) != bool(kind.parent):
        what = f"a {kind.id} stands under a {kind.parent}" if kind.parent else f"a {kind.id} stands at the top"
        yield _finding(row, "wrong-parent", what, "parent")
    elif parent and parent not in kinds:
        yield _finding(
            row, "unknown-parent", f"no subject {parent}", "parent", "add its row first, or in the same batch"
        )
    elif parent and kinds[parent] != kind.parent:
        what = f"a {kind.id} stands under a {kind.parent}, and {parent} is a {kinds[parent]}"
        yield _finding(row, "wrong-parent", what, "parent")
    if into and (kinds.get(into) != kind.id or until is None):
        yield _finding(row, "bad-merger", f"a {kind.id} merges into another {kind.id} on day `until`", "into")


def _circles(rows: list[Mapping[str, Any]], field: str, what: str) -> Iterator[Finding]:
    """Subjects that come back to themselves by following ``field`` (on whatever days: no such circle is meant)."""
    above: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.get(field):
            above[row["id"]].add(row[field])
    for row in rows:
        reached: set[str] = set()
        open_ = {row[field]} if row.get(field) else set()
        while open_:
            reached |= open_
            open_ = {name for one in open_ for name in above[one]} - reached
        if row["id"] in reached:
            yield _finding(row, "own-ancestor", f"{row['id']} is {what} itself", field)


def _finding(row: Mapping[str, Any], rule: str, message: str, field: str, remedy: str = "") -> Finding:
    return Finding(rule, message, Place(row=row.get("_line"), field=field), value=row["id"], remedy=remedy)
