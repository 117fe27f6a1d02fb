"""All cases of a scheme's processes, as a fold over the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from heapq import merge
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from mingjian.base.errors import Fault, Misuse
from mingjian.declare import EvidenceType, Process, Scheme, near
from mingjian.record.ledger import Entry, LedgerState
from mingjian.record.process._case import Case, Step
from mingjian.record.process._deadline import deadline

ACT: Final = "act"


@dataclass(frozen=True, slots=True)
class _Cases:
    """The cases of one process: under each subject those about it, by id. Nothing in it changes."""

    about: Mapping[str, str] = field(default_factory=dict)
    of: Mapping[str, Mapping[str, Case]] = field(default_factory=dict)

    def get(self, name: str) -> Case | None:
        subject = self.about.get(name)
        return None if subject is None else self.of[subject][name]

    def under(self, subjects: Collection[str] | None) -> Iterator[Case]:
        for subject in self.of if subjects is None else subjects:
            yield from self.of.get(subject, {}).values()

    def changed(self, cases: Iterable[Case]) -> _Cases:
        """The same with these cases in place of those of their ids. What did not change is shared."""
        fresh = {case.id: case for case in cases}
        moved = {name: case.subject for name, case in fresh.items() if self.about.get(name) != case.subject}
        touched = {case.subject for case in fresh.values()} | {self.about[name] for name in moved if name in self.about}
        copies = {subject: dict(self.of.get(subject, {})) for subject in touched}
        for name in moved.keys() & self.about.keys():
            del copies[self.about[name]][name]
        for case in fresh.values():
            copies[case.subject][case.id] = case
        return _Cases({**self.about, **moved} if moved else self.about, {**self.of, **copies})


@dataclass(frozen=True, slots=True)
class Docket:
    """The cases as of ``size`` entries of the ledger.

    Made by `read` and `advanced`. A docket never changes, so many threads may use one; an advanced one shares with it all
    that stayed as it was.
    """

    scheme: Scheme
    size: int
    _cases: Mapping[str, _Cases]

    @classmethod
    def read(cls, scheme: Scheme, state: LedgerState) -> Docket:
        """The cases that the ledger holds. Raises Fault for acts that do not follow from the state of their case."""
        return cls(scheme, 0, {name: _Cases() for name in scheme.processes}).advanced(state)

    def advanced(self, state: LedgerState) -> Docket:
        """The cases as of a later state of the same ledger, of which only the new entries are read.

        A docket that has read so far or further is returned as it is. Raises Fault like `read`.
        """
        if state.size <= self.size:
            return self
        draft = _Draft(self.scheme, self._cases)
        kinds = {process.of for process in self.scheme.processes.values()} | {ACT}
        found = [state.entries(self.size, kind=kind, scheme=self.scheme.id) for kind in sorted(kinds)]
        for entry, rows in state.rows(merge(*found, key=lambda entry: entry.index)):
            draft.take(entry, rows)
        return replace(self, size=state.size, _cases=draft.finished())

    def case(self, process: str, id: str) -> Case:
        """One case. Raises Misuse if there is none of that id, or no such process."""
        case = self._of(process).get(id)
        if case is None:
            raise Misuse(f"no case {id!r} of {process}", remedy="it may have been recorded since: read on")
        return case

    def cases(
        self, process: str, *, subjects: Collection[str] | None = None, states: Collection[str] | None = None
    ) -> tuple[Case, ...]:
        """The cases about these subjects (without, all) in these states (without, any), by id.

        Only those of the subjects are looked at. Raises Misuse where there is no such process.
        """
        found = (case for case in self._of(process).under(subjects) if states is None or case.state in states)
        return tuple(sorted(found, key=lambda case: case.id))

    def overdue(self, process: str, today: date, *, subjects: Collection[str] | None = None) -> tuple[Case, ...]:
        """The cases about these subjects that should have left their state before ``today``, the longest overdue first."""
        found = (case for case in self._of(process).under(subjects) if case.late(today))
        return tuple(sorted(found, key=lambda case: (case.due or today, case.id)))

    def _of(self, process: str) -> _Cases:
        if process not in self._cases:
            raise Misuse(f"no process {process!r} in {self.scheme.id}", remedy=near(process, [*self._cases]))
        return self._cases[process]


@dataclass(slots=True)
class _Open:
    """A case while entries are read."""

    row: Mapping[str, Any]
    state: str
    since: date
    steps: list[Step]


class _Draft:
    """Entries on their way into the cases: those that are touched are taken apart, and put together again at the end."""

    def __init__(self, scheme: Scheme, cases: Mapping[str, _Cases]) -> None:
        self._scheme, self._before = scheme, cases
        self._zone = ZoneInfo(scheme.zone)
        self._open: dict[str, dict[str, _Open]] = {name: {} for name in scheme.processes}
        self._of: dict[str, list[Process]] = defaultdict(list)
        for process in scheme.processes.values():
            self._of[process.of].append(process)

    def take(self, entry: Entry, rows: Iterable[Mapping[str, Any]]) -> None:
        """One entry, of cases or of acts."""
        if entry.kind == ACT:
            for row in rows:
                self._act(entry, row)
            return
        type = self._scheme.evidence[entry.kind]
        first = entry.at.astimezone(self._zone).date()
        for row in rows:
            self._row(type, MappingProxyType({name: row.get(name) for name in type.fields}), first)

    def finished(self) -> dict[str, _Cases]:
        """The cases after all entries taken."""
        return {
            name: cases.changed(
                self._case(self._scheme.processes[name], id, now) for id, now in self._open[name].items()
            )
            for name, cases in self._before.items()
        }

    def _row(self, type: EvidenceType, row: Mapping[str, Any], first: date) -> None:
        id = str(row[type.key[0]])
        for process in self._of[type.id]:
            known = self._opened(process, id)
            if known is None:
                self._open[process.id][id] = _Open(row, process.start, first, [])
            else:
                known.row = row

    def _act(self, entry: Entry, row: Mapping[str, Any]) -> None:
        process = self._scheme.processes.get(row["process"])
        if process is None:
            return  # the scheme has given it up since
        known = self._opened(process, row["case"])
        before = "not there" if known is None else known.state
        if known is None or before != row["frm"]:
            raise Fault(
                f"an act that does not follow: {row['act']} in case {row['case']!r} of {process.id}",
                why=f"it is recorded from {row['frm']}, and the case was {before}",
                where=f"entry {entry.index}",
                remedy="acts are recorded by acting alone, never as rows of a file",
            )
        known.steps.append(_step(entry, row))
        known.state, known.since = row["to"], row["on"]

    def _opened(self, process: Process, id: str) -> _Open | None:
        found = self._open[process.id].get(id)
        case = None if found else self._before[process.id].get(id)
        if case is not None:
            found = self._open[process.id][id] = _Open(case.row, case.state, case.since, list(case.steps))
        return found

    def _case(self, process: Process, id: str, now: _Open) -> Case:
        if now.state not in process.states:
            raise Fault(
                f"case {id!r} of {process.id} is in state {now.state}, which the scheme does not declare",
                remedy=f"declare it again, or the state it was renamed to with an act from {now.state}",
            )
        subject = str(now.row[self._scheme.evidence[process.of].subjects[0]])
        due = deadline(process.states[now.state], now.row, now.since, self._scheme.calendar)
        return Case(process.id, id, subject, now.row, now.state, now.since, due, tuple(now.steps))


def _step(entry: Entry, row: Mapping[str, Any]) -> Step:
    return Step(
        act=row["act"],
        before=row["frm"],
        after=row["to"],
        late=row["late"],
        role=row["role"],
        by=row["by"],
        on=row["on"],
        at=row["at"],
        note=row["note"] or "",
        entry=entry.index,
    )
