"""Who is shown what: the rows of a package and the numbers that stand in for rows that are not shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Final

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

Place = tuple[int, int]  # ledger entry, row in it


@dataclass(frozen=True)
class Run:
    """One run: the rules, the rows as of a ledger size, and the values after the release gate."""

    scheme: Scheme
    view: View
    hierarchy: Hierarchy
    results: Results
    synthetic: bool = False

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


def disclose(run: Run, names: Collection[str], subjects: Collection[str], level: Level) -> Mapping[str, Disclosure]:
    """What a package of this level shows of each subject, so that the measures that it tells can be recomputed from it.

    A measure whose rows may not all be shown is taken as given, and none of its rows are needed. Sealed rows, and ballots
    so few that the number is withheld, are in no package; other ballots, and rows about others (people other than the
    subject among them), are for the auditor alone.
    """
    if level == "public":
        given: dict[str, Why] = {name: "level" for name in names if not _follows(run.scheme, name, names)}
        return {subject: Disclosure((), _given(run.scheme, names, given)) for subject in subjects}
    return _Discloser(run, names, level).of(subjects)


def _follows(scheme: Scheme, name: str, told: Collection[str]) -> bool:
    """Whether a number follows from other numbers told, without a row of evidence."""
    alone = kinds_under(scheme, name) or looks_back(scheme, name) or dimensions_under(scheme, [name])
    return not alone and not peers_under(scheme, name) and read_by(scheme, name) <= set(told)


def _given(scheme: Scheme, names: Iterable[str], given: Mapping[str, Why]) -> dict[str, Why]:
    """``given`` and the measures that look back on what is made from one: the value it had before is in no package."""
    before = {name: closure(scheme, looks_back(scheme, name)) for name in names}
    back = {name: given[below] for name in names for below in before[name] if below in given}
    return {**back, **given}


class _Discloser:
    """The lineage of each measure of a statement, and what of it a level may show."""

    def __init__(self, run: Run, names: Collection[str], level: Level) -> None:
        self.run, self.names, self.level = run, names, level
        self.always: dict[str, Why] = {}
        traced: list[str] = []
        for name in names:
            kinds = kinds_under(run.scheme, name)
            if peers_under(run.scheme, name):
                self.always[name] = "peers"
            elif any(self._hidden(run.types[kind]) for kind in kinds):
                self.always[name] = "sealed"
            elif kinds or looks_back(run.scheme, name):
                traced.append(name)
        self.lineages = lineages(run.scheme, run.view, run.hierarchy, run.period, traced)
        open_types = [kind for kind in run.types.values() if not self._hidden(kind)]
        self.withheld: dict[str, dict[str, Why]] = {}
        for value in run.values:
            if value.status == "withheld" and kinds_under(run.scheme, value.measure):
                self.withheld.setdefault(value.subject, {})[value.measure] = "sealed"
        self._about = {place: about for kind in open_types for place, about in _subjects_of(run, kind).items()}
        dimensions = dimensions_under(run.scheme, names)
        self._dimensions = {place for kind in dimensions for place in _subjects_of(run, run.types[kind])}
        self._stated = _subject_rows(run)
        self._below = _below(run)

    def of(self, subjects: Collection[str]) -> Mapping[str, Disclosure]:
        return {subject: self._disclosure(subject) for subject in subjects}

    def _hidden(self, kind: EvidenceType) -> bool:
        return is_sealed(kind) or (kind.ballots and self.level != "auditor")

    def _disclosure(self, subject: str) -> Disclosure:
        given, places = {**self.always, **self.withheld.get(subject, {})}, set[Place]()
        own = frozenset({subject}) | (self._below.get(subject, frozenset()) - self.run.people)
        for name in self.lineages.keys() - given.keys():
            found = self.lineages[name]
            touched = found.get(subject, {})
            needed = (p for kind in kinds_under(self.run.scheme, name) & touched.keys() for p in touched[kind])
            if all(self._shows(own, place) for place in needed):
                places |= {p for under in touched.values() for p in under if self._shows(own, p)}
            else:
                given[name] = "others"
        places |= self._dimensions | self._stating(subject, places)
        return Disclosure(tuple(sorted(places)), _given(self.run.scheme, self.names, given))

    def _shows(self, own: frozenset[str], place: Place) -> bool:
        about = self._about.get(place)  # None where the row is sealed
        if about is None or self.level == "auditor":
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


def _subjects_of(run: Run, kind: EvidenceType) -> Mapping[Place, frozenset[str]]:
    """The rows of a kind and the subjects that each is about."""
    fields = [field.name for field in kind.fields.values() if field.type == "subject"]
    table = run.view.arrow(kind.id).select(["_entry", "_row", *fields]).to_pydict()
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
