"""Who is shown what: the rows of a package and the numbers that stand in for rows that are not shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice, repeat
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mingjian.attest.statements import (
    LEVELS,
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
from mingjian.reckon.measures import Lineage, Results, Value, lineages
from mingjian.record.evidence import View

SUBJECT: Final = "subject"
_MANY: Final = 10  # subjects to one asked for
_TOGETHER: Final = 1000  # subjects of which the rows are traced together: those of all need not stand in memory

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


@dataclass(frozen=True, slots=True, eq=False)
class Disclosure:
    """What the package of one subject shows: its rows, and the measures taken as given, with the reason.

    ``places`` are pairs of entry and row, sorted: sixteen bytes each, since an auditor is shown millions of ballots.
    """

    places: npt.NDArray[np.int64]
    given: Mapping[str, Why]

    @classmethod
    def of(cls, places: Collection[Place], given: Mapping[str, Why]) -> Disclosure:
        """What is shown of these places."""
        return cls(np.array(sorted(places), np.int64).reshape(-1, 2), given)


Disclosed = Mapping[Level, Mapping[str, Disclosure]]  # by subject
T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in groups of a size, of which the last may be smaller."""
    waiting = iter(items)
    return iter(lambda: tuple(islice(waiting, size)), ())


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
    traced = _Traced(run, names)
    found: list[dict[Level, dict[str, Disclosure]]] = [{level: {} for level in LEVELS} for _ in statements]
    everybody = sorted(frozenset().union(*(subjects for _, subjects in statements)))
    for group in batched(everybody, _TOGETHER):
        discloser = _Discloser(traced, group, alone=len(group) == len(everybody))
        for of, (declared, subjects) in zip(found, statements, strict=True):
            for level, disclosures in _disclosed(discloser, declared, set(group).intersection(subjects)).items():
                of[level].update(disclosures)
    return found


def _disclosed(discloser: _Discloser, statement: StatementType, subjects: Collection[str]) -> Disclosed:
    run, under = discloser.run, closure(discloser.run.scheme, statement.show)
    names = told(run, statement, "public")
    given: dict[str, Why] = {name: "level" for name in names if not _follows(run.scheme, name, names)}
    return {
        "public": {subject: Disclosure.of((), {**given, **_lacking(run, names, subject)}) for subject in subjects},
        "described": {subject: discloser.of(subject, under, "described") for subject in subjects},
        "auditor": {subject: discloser.of(subject, under, "auditor") for subject in subjects},
    }


def _follows(scheme: Scheme, name: str, told: Collection[str]) -> bool:
    """Whether a number follows from other numbers told, without a row of evidence."""
    alone = kinds_under(scheme, name) or dimensions_under(scheme, [name])
    return not alone and not peers_under(scheme, name) and read_by(scheme, name) <= set(told)


def _lacking(run: Run, names: Collection[str], subject: str) -> dict[str, Why]:
    return {name: "erased" for name in names if run.lacks(name, subject)}


class _Traced:
    """The measures of some statements: which are traced to rows, of which kinds, and what all groups of subjects share."""

    def __init__(self, run: Run, names: Collection[str]) -> None:
        self.run = run
        self.own_kinds = {name: kinds_under(run.scheme, name) for name in names}
        self.back = {name: [closure(run.scheme, [m]) for m in looks_back(run.scheme, name)] for name in names}
        self.dimensions = {name: dimensions_under(run.scheme, [name]) for name in names}
        self.among_peers = frozenset(name for name in names if peers_under(run.scheme, name))
        self.names = frozenset(name for name in names if self.own_kinds[name] or self.back[name])
        self.below = _below(run)
        self.stated = _subject_rows(run)
        self.withheld: dict[str, set[str]] = {}
        for value in run.values:
            if value.status == "withheld" and value.measure in self.names:
                self.withheld.setdefault(value.subject, set()).add(value.measure)
        kinds = frozenset[str]().union(*self.dimensions.values())
        self.members = {kind: _places_of(run.view.arrow(kind)) for kind in kinds}


class _Discloser:
    """The lineage of each measure for a group of subjects, and what of it a level may show.

    ``alone`` says that there is no other group: where it has many of all subjects, they are traced together, which costs
    less than to ask for so many by name.
    """

    def __init__(self, traced: _Traced, subjects: Collection[str], *, alone: bool) -> None:
        self.traced, self.run = traced, traced.run
        run = self.run
        seen = [name for name in traced.names if not any(is_sealed(run.types[kind]) for kind in traced.own_kinds[name])]
        among = frozenset(subjects).union(*(traced.below.get(subject, ()) for subject in subjects))
        few = None if alone and len(among) * _MANY >= len(traced.stated) else subjects
        self.lineages = lineages(run.scheme, run.view, run.hierarchy, run.period, sorted(seen), few)
        self._about: dict[Place, frozenset[str]] = {}
        for kind, places in _touched(self.lineages.values()).items():
            if not is_sealed(run.types[kind]):
                self._about.update(_subjects_of(run, run.types[kind], places))

    def of(self, subject: str, names: Collection[str], level: Level) -> Disclosure:
        """What a package that tells these measures of a subject shows."""
        own = frozenset({subject}) | (self.traced.below.get(subject, frozenset()) - self.run.people)
        given: dict[str, Why] = {name: "peers" for name in names if name in self.traced.among_peers}
        traced = [name for name in names if name in self.traced.names]
        for name in traced:
            hidden = any(self._hidden(self.run.types[kind], level) for kind in self.traced.own_kinds[name])
            if hidden or name in self.traced.withheld.get(subject, ()):
                given[name] = "sealed"
        given.update(_lacking(self.run, traced, subject))
        rows = {name: self.lineages[name].get(subject, {}) for name in traced if name not in given}
        shows = partial(self._shows, own, level)
        _give(given, rows, self.traced.own_kinds, shows)
        _give(given, rows, {name: self._kinds_before(name, given) for name in rows}, shows)
        places = set[Place]()
        for name in rows.keys() - given.keys():
            open_kinds = (kind for kind in rows[name] if not self._hidden(self.run.types[kind], level))
            places |= {p for kind in open_kinds for p in rows[name][kind] if shows(p)}
        kinds = {kind for name in names for kind in self.traced.dimensions[name]}
        places.update(self._stating(subject, places), *(self.traced.members[kind] for kind in kinds))
        return Disclosure.of(places, given)

    def _kinds_before(self, name: str, given: Mapping[str, Why]) -> frozenset[str]:
        """The kinds of rows from which the values are made that a measure looks back on.

        Those that rest on a measure ``given`` are taken from the snapshot, and need none.
        """
        made = (m for under in self.traced.back[name] if not given.keys() & set(under) for m in under)
        return frozenset().union(*(self.traced.own_kinds[m] for m in made))

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
            rows = [self.traced.stated[name] for name in waiting if name in self.traced.stated]
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


def _touched(found: Iterable[Lineage]) -> Mapping[str, Collection[Place]]:
    """The places of all rows in some lineages, by kind."""
    touched: dict[str, set[Place]] = {}
    for by_subject in found:
        for kinds in by_subject.values():
            for kind, places in kinds.items():
                touched.setdefault(kind, set()).update(places)
    return touched


def _subjects_of(run: Run, kind: EvidenceType, places: Collection[Place]) -> Iterator[tuple[Place, frozenset[str]]]:
    """The rows of a kind at these places, and the subjects that each is about."""
    fields = [field.name for field in kind.fields.values() if field.type == "subject"]
    entries, rows = zip(*places, strict=True)
    found = run.view.at(
        kind.id, pa.table({"_entry": pa.array(entries, pa.int64()), "_row": pa.array(rows, pa.int64())})
    )
    about = zip(*(found[name].to_pylist() for name in fields), strict=True) if fields else repeat(())
    known: dict[tuple[str | None, ...], frozenset[str]] = {}  # many rows are about the same
    for place, ids in zip(_places_of(found), about, strict=False):
        yield place, known.setdefault(ids, frozenset(filter(None, ids)))


def _places_of(table: pa.Table) -> list[Place]:
    columns = table.select(["_entry", "_row"]).to_pydict()
    return list(zip(*columns.values(), strict=True))


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
