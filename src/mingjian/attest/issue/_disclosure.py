"""Who is shown what: the rows of a package and the numbers that stand in for rows that are not shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial, reduce
from itertools import repeat
from operator import or_
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mingjian.attest.statements import (
    Level,
    Why,
    closure,
    dimensions_under,
    kinds_under,
    looks_back,
    peers_under,
    read_by,
)
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Hierarchy, Scheme, StatementType, evidence_types
from mingjian.reckon.measures import Results, Value, lineages
from mingjian.record.evidence import View

SUBJECT: Final = "subject"
_MANY: Final = 10  # subjects to one asked for

Place = tuple[int, int]  # ledger entry, row in it


@dataclass(frozen=True)
class Run:
    """One run: the rules, the rows as of a ledger size, and the values after the release gate.

    ``erased`` has the evidence types that lost rows to erasures, each with the subjects whose numbers may lack them.
    """

    scheme: Scheme
    view: View
    hierarchy: Hierarchy
    results: Results
    synthetic: bool = False
    erased: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """The period of the run."""
        return Period.parse(self.results.period)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """The values of the run: each is made when results are asked for it, and here all are asked for several times."""
        return tuple(self.results)

    @cached_property
    def types(self) -> Mapping[str, EvidenceType]:
        """The evidence types of the scheme, with the kernel's own."""
        return evidence_types(self.scheme)

    @cached_property
    def people(self) -> frozenset[str]:
        """The ids of all subjects that are persons."""
        persons = (kind.id for kind in self.scheme.subjects.values() if kind.person)
        return frozenset(below for kind in persons for below, *_ in self.hierarchy.ancestry(kind))

    def lacks(self, measure: str, subject: str) -> bool:
        """Whether rows that a number was counted from may have been erased."""
        return any(subject in self.erased.get(kind, ()) for kind in kinds_under(self.scheme, measure))

    def is_close(self, kind: EvidenceType) -> bool:
        """Whether rows of a kind are close to people: ballots, sealed rows, and rows that may be about a person."""
        about = (
            self.scheme.subjects[of] for field in kind.fields.values() if field.type == "subject" for of in field.of
        )
        return kind.ballots or is_sealed(kind) or any(subject.person for subject in about)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the package of one subject shows: the places of its rows, and the measures taken as given, with the reason."""

    places: tuple[Place, ...]
    given: Mapping[str, Why]


Disclosed = Mapping[Level, Mapping[str, Disclosure]]  # by subject


def is_sealed(kind: EvidenceType) -> bool:
    """Whether a kind of rows is sealed, or any field of it."""
    return kind.label == "sealed" or any(field.label == "sealed" for field in kind.fields.values())


def is_open(run: Run, statement: StatementType) -> bool:
    """Whether the public is shown the figures under a statement's numbers: those of a certificate that is about no person."""
    return statement.kind == "certificate" and not run.scheme.subjects[statement.of].person


def told(run: Run, statement: StatementType, level: Level) -> tuple[str, ...]:
    """The measures whose numbers a package carries: those shown and what they are made from, where it is to be seen."""
    if level == "public" and not is_open(run, statement):
        return statement.show
    return closure(run.scheme, statement.show)


def shows_figures(run: Run, statement: StatementType, level: Level, measure: str) -> bool:
    """Whether a package carries the figures under a measure that it takes as given.

    The public is shown those of certificates, and none of rows that are close to people.
    """
    if level == "public":
        close = any(run.is_close(run.types[kind]) for kind in kinds_under(run.scheme, measure))
        return is_open(run, statement) and not close
    return True


def shows_peers(run: Run, statement: StatementType, level: Level) -> bool:
    """Whether a package carries the statistics of the subject's peers: of persons only an auditor sees them."""
    if run.scheme.subjects[statement.of].person:
        return level == "auditor"
    return level != "public" or is_open(run, statement)


def disclose(run: Run, statements: Sequence[tuple[StatementType, Collection[str]]]) -> Sequence[Disclosed]:
    """What the packages of each statement type show of each of its subjects, so that the measures that they tell can be
    recomputed.

    A measure whose rows may not all be shown is taken as given, and none of its rows are needed. Sealed rows, and ballots
    so few that the number is withheld, are in no package; other ballots, and rows about others (people other than the
    subject among them), are for the auditor alone. The public is shown no rows. What may lack rows that were erased is taken
    as given at every level, and no figures stand in for them.
    """
    names = sorted({name for declared, _ in statements for name in closure(run.scheme, declared.show)})
    discloser = _Discloser(run, names, frozenset().union(*(subjects for _, subjects in statements)))
    return [_disclosed(discloser, declared, subjects) for declared, subjects in statements]


def _disclosed(discloser: _Discloser, statement: StatementType, subjects: Collection[str]) -> Disclosed:
    run, under = discloser.run, closure(discloser.run.scheme, statement.show)
    names = told(run, statement, "public")
    given: dict[str, Why] = {name: "level" for name in names if not _follows(run.scheme, name, names)}
    return {
        "public": {subject: Disclosure((), {**given, **_lacking(run, names, subject)}) for subject in subjects},
        "described": {subject: discloser.of(subject, under, "described") for subject in subjects},
        "auditor": {subject: discloser.of(subject, under, "auditor") for subject in subjects},
    }


def _follows(scheme: Scheme, name: str, told: Collection[str]) -> bool:
    """Whether a number follows from other numbers told, without a row of evidence."""
    alone = kinds_under(scheme, name) or dimensions_under(scheme, [name])
    return not alone and not peers_under(scheme, name) and read_by(scheme, name) <= set(told)


def _lacking(run: Run, names: Collection[str], subject: str) -> dict[str, Why]:
    return {name: "erased" for name in names if run.lacks(name, subject)}


class _Discloser:
    """The lineage of each measure of some statements, and what of it a level may show."""

    def __init__(self, run: Run, names: Collection[str], subjects: Collection[str]) -> None:
        self.run = run
        self.own_kinds = {name: kinds_under(run.scheme, name) for name in names}
        self.back = {name: [closure(run.scheme, [m]) for m in looks_back(run.scheme, name)] for name in names}
        self.dimensions = {name: dimensions_under(run.scheme, [name]) for name in names}
        self.among_peers = frozenset(name for name in names if peers_under(run.scheme, name))
        traced = [name for name in names if self.own_kinds[name] or self.back[name]]
        seen = [name for name in traced if not any(is_sealed(run.types[kind]) for kind in self.own_kinds[name])]
        self._below = _below(run)
        among = frozenset(subjects).union(*(self._below.get(subject, ()) for subject in subjects))
        self._stated = _subject_rows(run)
        # Asking for many by name costs more than tracing everybody.
        few = subjects if len(among) * _MANY < len(self._stated) else None
        self.lineages = lineages(run.scheme, run.view, run.hierarchy, run.period, seen, few)
        self.traced = frozenset(traced)
        self.withheld: dict[str, set[str]] = {}
        for value in run.values:
            if value.status == "withheld" and value.measure in self.traced:
                self.withheld.setdefault(value.subject, set()).add(value.measure)
        read = frozenset[str]().union(*self.own_kinds.values())
        open_types = [run.types[kind] for kind in read if not is_sealed(run.types[kind])]
        self._about = {place: about for kind in open_types for place, about in _subjects_of(run, kind, among).items()}
        members = frozenset[str]().union(*self.dimensions.values())
        self._members = {kind: frozenset(_subjects_of(run, run.types[kind], among)) for kind in members}

    def of(self, subject: str, names: Collection[str], level: Level) -> Disclosure:
        """What a package that tells these measures of a subject shows."""
        own = frozenset({subject}) | (self._below.get(subject, frozenset()) - self.run.people)
        given: dict[str, Why] = {name: "peers" for name in names if name in self.among_peers}
        traced = [name for name in names if name in self.traced]
        for name in traced:
            hidden = any(self._hidden(self.run.types[kind], level) for kind in self.own_kinds[name])
            if hidden or name in self.withheld.get(subject, ()):
                given[name] = "sealed"
        given.update(_lacking(self.run, traced, subject))
        rows = {name: self.lineages[name].get(subject, {}) for name in traced if name not in given}
        shows = partial(self._shows, own, level)
        _give(given, rows, self.own_kinds, shows)
        _give(given, rows, {name: self._kinds_before(name, given) for name in rows}, shows)
        places = set[Place]()
        for name in rows.keys() - given.keys():
            open_kinds = (kind for kind in rows[name] if not self._hidden(self.run.types[kind], level))
            places |= {p for kind in open_kinds for p in rows[name][kind] if shows(p)}
        members = {place for name in names for kind in self.dimensions[name] for place in self._members[kind]}
        return Disclosure(tuple(sorted(places | members | self._stating(subject, places))), given)

    def _kinds_before(self, name: str, given: Mapping[str, Why]) -> frozenset[str]:
        """The kinds of rows from which the values are made that a measure looks back on.

        Those that rest on a measure ``given`` are taken from the snapshot, and need none.
        """
        made = (m for under in self.back[name] if not given.keys() & set(under) for m in under)
        return frozenset().union(*(self.own_kinds[m] for m in made))

    def _hidden(self, kind: EvidenceType, level: Level) -> bool:
        return is_sealed(kind) or (kind.ballots and level != "auditor")

    def _shows(self, own: frozenset[str], level: Level, place: Place) -> bool:
        about = self._about.get(place)  # None where the row is sealed
        if about is None or level == "auditor":
            return about is not None
        return bool(about & own) and not (about & self.run.people) - own

    def _stating(self, subject: str, places: Collection[Place]) -> set[Place]:
        """The rows that state the subject, those named in ``places``, and all that stand above."""
        waiting = {subject}.union(*(self._about[place] for place in places))
        seen, stated = set[str](), set[Place]()
        while waiting:
            seen |= waiting
            rows = [self._stated[name] for name in waiting if name in self._stated]
            stated.update(*(found for found, _ in rows))
            waiting = {name for _, named in rows for name in named} - seen
        return stated


def _give(
    given: dict[str, Why],
    rows: Mapping[str, Mapping[str, Collection[Place]]],
    needed: Mapping[str, Collection[str]],
    shows: Callable[[Place], bool],
) -> None:
    """Take as given the measures of which some row is not shown, among those of the kinds ``needed``."""
    for name, touched in rows.items():
        under = (place for kind in touched if kind in needed[name] for place in touched[kind])
        if name not in given and not all(map(shows, under)):
            given[name] = "others"


def _subjects_of(run: Run, kind: EvidenceType, among: Collection[str]) -> Mapping[Place, frozenset[str]]:
    """The rows of a kind and the subjects that each is about; of ballots, which are many, those about some of ``among``."""
    fields = [field.name for field in kind.fields.values() if field.type == "subject"]
    rows = run.view.arrow(kind.id).select(["_entry", "_row", *fields])
    if kind.ballots:
        wanted = pa.array(sorted(among), pa.string())
        rows = rows.filter(reduce(or_, (pc.field(name).isin(wanted) for name in fields)))
    table = rows.to_pydict()
    places = zip(table["_entry"], table["_row"], strict=True)
    about = zip(*(table[name] for name in fields), strict=True) if fields else repeat(())
    return {place: frozenset(filter(None, ids)) for place, ids in zip(places, about, strict=False)}


def _subject_rows(run: Run) -> Mapping[str, tuple[set[Place], set[str]]]:
    """For each subject the places of the rows that state it, and the subjects that those name."""
    table = run.view.arrow(SUBJECT).select(["_entry", "_row", "id", "parent", "into"]).to_pydict()
    found: dict[str, tuple[set[Place], set[str]]] = {}
    for entry, row, name, parent, into in zip(*table.values(), strict=True):
        places, named = found.setdefault(name, (set(), set()))
        places.add((entry, row))
        named.update(filter(None, (parent, into)))
    return found


def _below(run: Run) -> Mapping[str, frozenset[str]]:
    """For each subject all that ever stood under it."""
    found: dict[str, set[str]] = {}
    for kind in run.scheme.subjects:
        for below, above, *_ in run.hierarchy.ancestry(kind):
            found.setdefault(above, set()).add(below)
    return {above: frozenset(below) for above, below in found.items()}
