"""An office at work: what a programme keeps at hand while people use it, each step as of one size of the ledger."""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from mingjian.base.errors import Misuse
from mingjian.base.values import KINDS, Kind, Period
from mingjian.declare import Hierarchy, Scheme
from mingjian.reckon.claims import Verdict
from mingjian.reckon.measures import Results, Value, members
from mingjian.record.access import Accounts, Actor, Grants, Policy, ReadLog
from mingjian.record.ledger import LedgerState
from mingjian.record.process import Docket
from mingjian.workspace._attachments import ATTACHMENTS, Attachments
from mingjian.workspace._errands import Errands
from mingjian.workspace._explained import Explained
from mingjian.workspace._panorama import Member, Panorama, charted, panorama
from mingjian.workspace._recent import Recent
from mingjian.workspace._shelf import Shelf
from mingjian.workspace._workspace import Workspace

if TYPE_CHECKING:
    from mingjian.workspace._desk import Desk

ACCOUNTS: Final = "accounts.db"
READS: Final = "reads"
ISSUED: Final = "issued"
_KEPT: Final = 4
_SUBJECTS_KEPT: Final = 2000  # of which the values are at hand
_EXPLAINED_KEPT: Final = 200
_EXPLAINED_AHEAD: Final = 100
_EXPLAINED_AT_ONCE: Final = 5  # while they are, nobody else's question is answered, and no row taken in


@dataclass(frozen=True, slots=True)
class Now:
    """How things stand as of one size of the ledger, on one day of the scheme's zone."""

    scheme: Scheme
    size: int
    day: date
    docket: Docket
    grants: Grants
    hierarchy: Hierarchy
    policy: Policy

    def actor(self, account: str) -> Actor:
        """A person with the grants they hold today."""
        return Actor(account, self.grants.of(account, self.day))


class Office:
    """One programme of a workspace while people work on it. Any number of threads may use it."""

    def __init__(self, workspace: Workspace, scheme: str = "") -> None:
        self.workspace = workspace
        self.id = workspace.scheme(scheme).id
        self.attachments = Attachments(workspace.folder / ATTACHMENTS)
        self._advancing, self._measuring, self._explaining = threading.RLock(), threading.Lock(), threading.Lock()
        self._shelf: Shelf | None = None
        self._now: Now | None = None
        self._anchored: date | None = None
        self._known_members: dict[tuple[Hierarchy, str, int, str], tuple[Member, ...]] = {}
        self._periods: tuple[Docket, tuple[Period, ...]] | None = None
        self._panoramas: dict[tuple[int, str, str], Panorama] = {}
        self._values: Recent[tuple[Value, ...]] = Recent(_SUBJECTS_KEPT)
        self._explained: Recent[Explained] = Recent(_EXPLAINED_KEPT)
        self._erasures = workspace.ledger.erasures()
        self._judging = threading.Lock()
        self._claims: tuple[tuple[object, ...], tuple[Verdict, ...]] | None = None
        self.errands = Errands(workspace.clock)

    @cached_property
    def accounts(self) -> Accounts:
        """Who can sign in."""
        return Accounts(self.workspace.folder / ACCOUNTS, self.workspace.clock)

    @cached_property
    def reads(self) -> ReadLog:
        """Who read what."""
        return ReadLog(self.workspace.folder / READS, self.workspace.clock)

    def note(self, account: str, role: str, what: str, subject: str, period: str) -> None:
        """`note_each` of one subject."""
        self.note_each(account, role, what, [subject], period)

    def note_each(self, account: str, role: str, what: str, subjects: Collection[str], period: str = "") -> None:
        """Keep in the read log that somebody reads something of each subject; first, once a day, that log is anchored.

        The anchor has the day before: all that was read until then can no longer be rewritten unseen.
        """
        day = self.time().date()
        if self._anchored != day:
            self.reads.anchor(self.workspace.ledger, day)
            self._anchored = day
        self.reads.note_each(account, role, what, subjects, period)

    @property
    def issued(self) -> Path:
        """The folder in which statements lie once they are issued."""
        return self.workspace.folder / ISSUED

    def desk(self, account: str) -> Desk:
        """What the person of this account may do here; "" for anyone."""
        from mingjian.workspace._desk import Desk  # a desk stands in an office

        return Desk(self, account)

    def time(self) -> datetime:
        """The time, on the clock of the scheme's zone."""
        scheme = self._now.scheme if self._now is not None else self.workspace.scheme(self.id)
        return self.workspace.clock().astimezone(ZoneInfo(scheme.zone))

    def now(self) -> Now:
        """How things stand now."""
        return self.at(self.workspace.ledger.state())

    def at(self, state: LedgerState) -> Now:
        """How things stand at a state of the ledger that is no older than one asked for before."""
        with self._advancing:
            day, last = self.time().date(), self._now
            if last is not None and last.size >= state.size and last.day == day:
                return last  # an erasure is an entry too: without a new one nothing is gone
            if (erasures := self.workspace.ledger.erasures()) != self._erasures:  # rows are gone that are at hand here
                self._now, self._shelf, self._panoramas, self._erasures = None, None, {}, erasures
                self._values.clear()
                self._explained.clear()
                last = None
            scheme = self.workspace.scheme(self.id, state.size)
            same = last if last is not None and last.scheme is scheme else None
            docket = same.docket.advanced(state) if same else Docket.read(scheme, state)
            grants = same.grants.advanced(state) if same else Grants.read(scheme, state)
            hierarchy = self.workspace.hierarchy(scheme, state.size)
            kept = same is not None and same.hierarchy is hierarchy and same.day == day
            policy = same.policy if same is not None and kept else Policy(scheme, hierarchy, day)
            self._now = Now(scheme, docket.size, day, docket, grants, hierarchy, policy)
            return self._now

    def shelf(self, now: Now) -> Shelf:
        """The rows that people wrote, at least up to ``now``."""
        with self._advancing:
            if self._shelf is None or self._shelf.scheme is not now.scheme:
                self._shelf = Shelf(now.scheme)
            if self._shelf.size < now.size:
                self._shelf.advance(self.workspace.ledger.state(now.size))
            return self._shelf

    # -- figures --------------------------------------------------------------------------------------------------------
    def measure(self, now: Now, period: Period) -> Results:
        """The values of a period, through the release gate; several who ask at once wait for one reckoning."""
        with self._measuring:
            return self.workspace.measure(now.scheme, period, size=now.size)

    def make_ready(self) -> None:
        """Work out what the first visitors would wait for: the cases, the figures of the last two periods and before, and
        why the first index of the last period that is over is what it is.
        """
        now = self.now()
        running = Period.of(now.day, kind_of(now.scheme))
        over = [period for period in self.periods(now) if period.end <= now.day]
        last = over[-1] if over else running.previous()
        for period in (running, last) if len(now.hierarchy) else ():
            self.measure(now, period.previous())
            self.measure(now, period)
        for index in islice(now.scheme.indices.values(), 1):
            alive = now.hierarchy.alive(index.of, last.first, last.end)[:_EXPLAINED_AHEAD]
            valued = [s.id for s in alive if any(value.measure == index.id for value in self.values(now, s.id, last))]
            for start in range(0, len(valued), _EXPLAINED_AT_ONCE):
                self._explain_ahead(now, index.id, valued[start : start + _EXPLAINED_AT_ONCE], last)

    def _explain_ahead(self, now: Now, measure: str, subjects: Sequence[str], period: Period) -> None:
        """Explanations that `explained` will find at hand."""
        with self._explaining:
            each = self.workspace.explain_each(now.scheme, measure, subjects, period, size=now.size)
            for subject, found in zip(subjects, each, strict=True):
                self._explained.keep(self._place(now, measure, subject, period, ""), found)

    def values(self, now: Now, subject: str, period: Period) -> tuple[Value, ...]:
        """The values of one subject in a period, through the release gate."""
        reach = self.workspace.reach(now.scheme, now.size).evidence
        place = (now.scheme.fingerprint, reach, str(period), subject)
        return self._values.get(place, lambda: self.measure(now, period).of(subject))

    def explained(self, now: Now, measure: str, subject: str, period: Period, member: str) -> Explained:
        """Why a number is what it is, through the release gate, before it is limited to what a reader may see."""

        def explain() -> Explained:
            with self._explaining:  # one at a time: together they would take as long, and keep everybody else waiting
                return self.workspace.explain(now.scheme, measure, subject, period, member, size=now.size)

        return self._explained.get(self._place(now, measure, subject, period, member), explain)

    def _place(self, now: Now, measure: str, subject: str, period: Period, member: str) -> tuple[Hashable, ...]:
        reach = self.workspace.reach(now.scheme, now.size).evidence
        return (now.scheme.fingerprint, reach, str(period), subject, measure, member)

    def panorama(self, now: Now, period: Period) -> Panorama:
        """A period laid out."""
        place = (self.workspace.reach(now.scheme, now.size).evidence, now.scheme.fingerprint, str(period))
        if place not in self._panoramas:
            laid = panorama(
                now.scheme,
                now.hierarchy,
                self.members(now, period),
                self.measure(now, period),
                self.measure(now, period.previous()) if self._reached(now, period.previous()) else None,
            )
            self._panoramas = {**dict(list(self._panoramas.items())[1 - _KEPT :]), place: laid}
        return self._panoramas[place]

    def claims(self, file: str) -> tuple[Verdict, ...]:
        """The verdicts on the published figures in a file of the workspace, reckoned once a state of the evidence; or none."""
        path = self.workspace.folder / file
        if not path.is_file():
            return ()
        with self._judging:
            stated = path.stat()
            place = (stated.st_mtime_ns, stated.st_size, *map(self._standing, self.workspace.schemes()))
            if self._claims is None or self._claims[0] != place:
                self._claims = (place, self.workspace.claims(path))
            return self._claims[1]

    def _standing(self, name: str) -> tuple[str, int]:
        scheme = self.workspace.scheme(name)
        return scheme.fingerprint, self.workspace.reach(scheme).evidence

    def _reached(self, now: Now, period: Period) -> bool:
        """Whether there was anybody to describe in a period."""
        index, _ = charted(now.scheme)
        return bool(now.hierarchy.alive(index.of, period.first, period.end))

    def members(self, now: Now, period: Period) -> tuple[Member, ...]:
        """The members of the dimension that the panorama has as columns, as they are at the end of a period."""
        place = (
            now.hierarchy,
            now.scheme.fingerprint,
            self.workspace.reach(now.scheme, now.size).evidence,
            str(period),
        )
        if place not in self._known_members:
            _, node = charted(now.scheme)
            with self.workspace.view(now.scheme, now.size) as view:
                rows = members(now.scheme, view, node.members, period)
            found = tuple(_member(now.scheme, node.members, node.group, row) for row in rows)
            self._known_members = {**dict(list(self._known_members.items())[1 - _KEPT :]), place: found}
        return self._known_members[place]

    def periods(self, now: Now) -> tuple[Period, ...]:
        """The periods of the scheme's own kind that its cases date from, the earliest first."""
        if self._periods is None or self._periods[0] is not now.docket:
            kind = kind_of(now.scheme)
            found: set[str] = set()
            for process in now.scheme.processes.values():
                name = now.scheme.evidence[process.of].date
                if name and now.scheme.evidence[process.of].fields[name].of[:1] == (kind,):
                    found |= {case.row[name] for case in now.docket.cases(process.id)}
            self._periods = (now.docket, tuple(sorted(map(Period.parse, found))))
        return self._periods[1]


def kind_of(scheme: Scheme) -> Kind:
    """The kind of the scheme's own period. Raises Misuse for one that is none (the checks of a scheme let none pass)."""
    for kind in KINDS:
        if kind == scheme.period:
            return kind
    raise Misuse(f"{scheme.period} is no kind of period")


def _member(scheme: Scheme, dimension: str, group: str, row: Mapping[str, object]) -> Member:
    (key,) = scheme.evidence[dimension].thread

    def said(name: str) -> str:
        return str(row.get(name) or "")

    return Member(
        said(key),
        said("en"),
        said("zh"),
        said(group),
        said(f"{group}_en") or said(group),
        said(f"{group}_zh") or said(group),
    )
