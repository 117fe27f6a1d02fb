"""The rows of many packages in one set of tables, so that a run is recomputed once and no package leans on another.

Every subject, and every key that does not name one, is prefixed with the number of its package. Rows that are about no
subject (dimensions) are shared, and only packages that show the very same ones are put together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, cast

import pyarrow as pa

from mingjian.attest.statements import (
    Figure,
    Place,
    Stated,
    Statement,
    Why,
    closure,
    declared,
    kinds_under,
    looks_back,
    peers_under,
    places,
)
from mingjian.base.errors import Fault
from mingjian.base.values import Kind, Period
from mingjian.declare import EvidenceType, Expr, Hierarchy, Scheme, evidence_types, walk
from mingjian.reckon.index import Stats
from mingjian.reckon.measures import AggregateKey, Attested, Key
from mingjian.record.evidence import Intake, read_rows
from mingjian.record.ledger import RowProof

SUBJECT: Final = "subject"
_SUBJECT_IDS: Final = frozenset({"id", "parent", "into"})
_COMPARING: Final = ("eq", "ne", "isin", "lookup")

Row = dict[str, Any]


@dataclass(frozen=True)
class Namespaces:
    """Which fields of a scheme's rows are prefixed, by kind; none for the kinds that are shared."""

    scheme: Scheme

    @cached_property
    def types(self) -> Mapping[str, EvidenceType]:
        """The evidence types of the scheme."""
        return evidence_types(self.scheme)

    @cached_property
    def fields(self) -> Mapping[str, frozenset[str]]:
        """The fields that are prefixed."""
        return {kind: frozenset(_prefixed(evidence)) for kind, evidence in self.types.items()}

    @cached_property
    def separable(self) -> bool:
        """Whether packages can share tables: every key is told apart, and no formula looks at what is prefixed.

        Of the kinds that no formula reduces, rows may fall together: nothing is reckoned from them.
        """
        read = {SUBJECT}.union(*(kinds_under(self.scheme, name) for name in self.scheme.measures))
        apart = all(self.fields[k] & set(self.types[k].key) or not self.types[k].key for k in read if self.fields[k])
        return apart and not any(self._looks(expr) for expr in self._formulas())

    @cached_property
    def members(self) -> frozenset[str]:
        """The measures whose members are prefixed, since they are broken down by a prefixed field."""
        return frozenset(
            name
            for name, measure in self.scheme.measures.items()
            if any(measure.each in self.fields[kind] for kind in kinds_under(self.scheme, name))
        )

    @cached_property
    def under(self) -> Mapping[str, frozenset[str]]:
        """Each measure and index with all that it is made from."""
        names = [*self.scheme.measures, *self.scheme.indices]
        return {name: frozenset(closure(self.scheme, [name])) for name in names}

    @cached_property
    def figures(self) -> Mapping[str, frozenset[Place]]:
        """The figures from which a value of each measure follows."""
        return {name: frozenset(places(measure)) for name, measure in self.scheme.measures.items()}

    @cached_property
    def back(self) -> Mapping[str, frozenset[str]]:
        """The measures on whose values of the period before each looks back."""
        return {name: looks_back(self.scheme, name) for name in self.under}

    def key(self, value: Stated, prefix: str) -> Key:
        """The key of a stated number among the results of all packages."""
        member = prefix + value.member if value.member and value.measure in self.members else value.member
        return (value.measure, prefix + value.subject, value.period, member)

    def _formulas(self) -> Iterator[Expr]:
        yield from (measure.expr for measure in self.scheme.measures.values())
        for derivation in self.scheme.derivations.values():
            yield from derivation.expr.values()

    def _looks(self, expr: Expr) -> bool:
        """Whether a formula compares a prefixed field with a text that is written in it."""
        for node in walk(expr):
            if node.op in _COMPARING:
                inside = list(walk(node))
                fields = any(n.op == "field" and n.args[1] in self._named(str(n.args[0])) for n in inside)
                if fields and (node.op == "lookup" or any(n.op == "lit" and n.kind == "text" for n in inside)):
                    return True
        return False

    def _named(self, kind: str) -> frozenset[str]:
        while kind in self.scheme.derivations:
            kind = self.scheme.derivations[kind].of
        return self.fields.get(kind, frozenset())


def _prefixed(evidence: EvidenceType) -> Iterator[str]:
    if evidence.id == SUBJECT:
        yield from _SUBJECT_IDS
        return
    subjects = [field.name for field in evidence.fields.values() if field.type == "subject"]
    yield from subjects
    if subjects and evidence.key and not set(subjects) & set(evidence.key):
        yield from [name for name in evidence.key if evidence.fields[name].type == "text"][:1]


@dataclass(frozen=True)
class Snapshot:
    """What a package shows of the snapshot: numbers, the figures under them, and statistics of peers by measure and member."""

    numbers: Mapping[Key, Stated]
    figures: Mapping[Key, Mapping[Place, Fraction | float | None]]
    peers: Mapping[tuple[str, str], Mapping[str, Fraction | float]]

    @classmethod
    def of(cls, numbers: Iterable[Stated], figures: Iterable[Figure]) -> Snapshot:
        """The snapshot of these rows."""
        under: dict[Key, dict[Place, Fraction | float | None]] = {}
        peers: dict[tuple[str, str], dict[str, Fraction | float]] = {}
        for figure in figures:
            if figure.place is not None:
                under.setdefault(figure.key, {})[figure.place] = figure.number
            elif figure.number is not None:
                peers.setdefault((figure.measure, figure.member), {})[figure.statistic] = figure.number
        return cls({value.key: value for value in numbers}, under, peers)

    @property
    def statistics(self) -> frozenset[tuple[str, str, str, Fraction | float]]:
        """All statistics of peers, to be compared."""
        return frozenset((*whose, name, number) for whose, said in self.peers.items() for name, number in said.items())


@dataclass(frozen=True)
class Claimed:
    """One package on its way to be recomputed: what it says, under which rules, from which rows.

    ``kinds`` has the kind of each entry; ``given`` names the measures that are not made from rows but taken from the snapshot.
    ``whole`` says whether all is there that belongs to the package.
    """

    statement: Statement
    namespaces: Namespaces
    proofs: Sequence[RowProof]
    kinds: Mapping[int, str]
    snapshot: Snapshot
    given: Mapping[str, Why]
    whole: bool

    @property
    def scheme(self) -> Scheme:
        """The rules."""
        return self.namespaces.scheme

    @cached_property
    def rows(self) -> Mapping[str, Sequence[Row]]:
        """The rows by kind, with the fields that the scheme declares and where they stand in the ledger.

        Raises Fault for rows of a kind that the scheme does not have.
        """
        found: dict[str, list[Row]] = {}
        for proof in self.proofs:
            kind = self.kinds[proof.entry]
            if kind not in self.namespaces.types:
                raise Fault(f"the scheme has no evidence {kind!r}")
            fields = self.namespaces.types[kind].fields
            values = {name: value for name, value in proof.values.items() if name in fields}
            found.setdefault(kind, []).append({**values, "_entry": proof.entry, "_row": proof.row})
        return found

    @cached_property
    def named(self) -> Sequence[Row]:
        """Where no row is shown at all: the subject as the statement names it, under parents without a name."""
        chain = self.scheme.lineage_of(self.statement.subject_type)
        ids = [self.statement.subject, *(f"{self.statement.subject} < {above}" for above in chain[1:])]
        periods = {self.statement.period, *(value.period for value in self.snapshot.numbers.values())}
        start = min(Period.parse(period).first for period in periods).isoformat()
        return [
            {"id": name, "type": kind, "zh": name, "en": name, "parent": above, "from": start, "_entry": 0, "_row": row}
            for row, (name, kind, above) in enumerate(zip(ids, chain, [*ids[1:], None], strict=True))
        ]

    @cached_property
    def shared(self) -> Mapping[str, Sequence[Row]]:
        """The rows that are about no subject."""
        return {kind: rows for kind, rows in self.rows.items() if not self.namespaces.fields[kind]}

    def own(self, kind: str, prefix: str) -> Iterator[Row]:
        """The rows of a kind with their prefixed fields."""
        names = self.namespaces.fields[kind]
        for row in self.named if kind == SUBJECT and not self.proofs else self.rows.get(kind, ()):
            marked = {name: prefix + row[name] for name in names if isinstance(row.get(name), str)}
            yield {**row, **marked}

    def follows(self, value: Stated) -> bool:
        """Whether a number can be reckoned here: from rows, from other numbers, or from all the figures under it.

        A number of the period before that others look back on follows from rows alone.
        """
        return value.key in self._following

    @cached_property
    def _following(self) -> frozenset[Key]:
        """All numbers that can be reckoned here, said or shown."""
        numbers = (*self.statement.values, *self.snapshot.numbers.values())
        return frozenset(value.key for value in numbers if self._can_follow(value))

    def _can_follow(self, value: Stated) -> bool:
        if value.key in self.before:
            return value.measure not in self.remembered
        if not self.namespaces.back.get(value.measure, frozenset()) & self.remembered <= self.told_before:
            return False
        if value.measure not in self.given:
            return True
        if value.measure in self.scheme.indices:
            return self._among_peers(value.measure)
        wanted = self.namespaces.figures[value.measure]
        there = self.snapshot.figures.get(value.key, {}).keys()
        return wanted <= there and bool(wanted or self.namespaces.back[value.measure])

    @cached_property
    def remembered(self) -> frozenset[str]:
        """The measures whose values of the period before are taken from the snapshot: those that rest on a measure given,
        and those that one given looks back on.
        """
        back = self.namespaces.back
        resting = {m for names in back.values() for m in names if self.namespaces.under[m] & self.given.keys()}
        return frozenset(resting).union(*(back[name] for name in self.given))

    @cached_property
    def before(self) -> frozenset[Key]:
        """The numbers of the period before that others look back on."""
        looked_at = {m for names in self.namespaces.back.values() for m in names}
        return frozenset(
            value.key
            for value in self.snapshot.numbers.values()
            if value.measure in looked_at and value.period != self._period_of(value.measure)
        )

    @cached_property
    def told_before(self) -> frozenset[str]:
        """The measures of which the snapshot says what they were in the period before."""
        return frozenset(name for name, *_ in self.before)

    def _period_of(self, measure: str) -> str:
        """The period of a measure's own kind that holds the statement's."""
        kind = cast(Kind, declared(self.scheme, measure).period)
        return str(Period.parse(self.statement.period).containing(kind))

    def _among_peers(self, index: str) -> bool:
        """Whether the statistics are there for every number that is placed among peers."""
        placed = peers_under(self.scheme, index)
        now = (value for value in self.snapshot.numbers.values() if value.key not in self.before)
        numbers = [value for value in now if value.measure in placed]
        there = {(value.measure, value.member) for value in numbers if value.number is not None}
        return bool(placed) and placed <= {value.measure for value in numbers} and there <= self.snapshot.peers.keys()

    def figured(self, measure: str) -> bool:
        """Whether figures stand in for rows somewhere under a measure, so that nobody sees how many ballots there were."""
        under = self.namespaces.under[measure]
        return any(name in under for name, *_ in self.snapshot.figures)

    def shows_all_under(self, measure: str) -> bool:
        """Whether everything that a measure is made from can be reckoned here."""
        under = self.namespaces.under[measure]
        return all(self.follows(value) for value in self.snapshot.numbers.values() if value.measure in under)

    def taken(self, prefix: str) -> Iterator[tuple[Key, Any]]:
        """The numbers to be taken as they are."""
        for value in self.snapshot.numbers.values():
            if not self.follows(value):
                yield self.namespaces.key(value, prefix), value.number

    def reduced(self, prefix: str) -> Iterator[tuple[AggregateKey, Any]]:
        """The figures to be taken in place of rows."""
        for value in self.snapshot.numbers.values():
            if value.measure in self.given and value.key not in self.before and self.follows(value):
                key = self.namespaces.key(value, prefix)
                for place, number in self.snapshot.figures.get(value.key, {}).items():
                    yield (*key, *place), number

    @cached_property
    def peers(self) -> Mapping[str, Stats]:
        """The peers' statistics, named as the engine names them. Raises Misuse for those of no column."""
        return {
            f"{measure}/{member}" if member else measure: Stats(
                count=int(said["count"]),
                minimum=float(said["minimum"]),
                maximum=float(said["maximum"]),
                mean=float(said["mean"]),
                sd=float(said["sd"]),
            )
            for (measure, member), said in self.snapshot.peers.items()
        }


@dataclass(frozen=True)
class Ground:
    """All that a run is recomputed from: tables by kind, the subjects, and the numbers that are taken as given."""

    tables: Mapping[str, pa.Table]
    hierarchy: Hierarchy
    attested: Attested


def lay(claimed: Sequence[Claimed], prefixes: Sequence[str]) -> Ground:
    """The ground of these packages together, which share one scheme, one period, their `shared` rows and their `peers`.

    Raises Fault, with every finding, for rows that break the rules they claim to be under.
    """
    first = claimed[0]
    types, scheme = first.namespaces.types, first.scheme
    tables = {}
    for kind in types:
        if first.namespaces.fields[kind]:
            rows = [row for one, prefix in zip(claimed, prefixes, strict=True) for row in one.own(kind, prefix)]
        else:
            rows = list(first.shared.get(kind, ()))
        tables[kind] = _table(rows, types[kind], scheme.zone)
    hierarchy = Hierarchy.of_rows(tables[SUBJECT].to_pylist(), scheme.subjects)
    each = list(zip(claimed, prefixes, strict=True))
    numbers = {key: number for one, prefix in each for key, number in one.taken(prefix)}
    figures = {key: number for one, prefix in each for key, number in one.reduced(prefix)}
    return Ground(tables, hierarchy, Attested(numbers, figures, first.peers))


def _table(rows: Collection[Row], evidence: EvidenceType, zone: str) -> pa.Table:
    fields = [{name: value for name, value in row.items() if name in evidence.fields} for row in rows]
    intake: Intake = read_rows(fields, evidence, zone=zone)
    if intake.findings or intake.table.num_rows < len(rows):
        raise Fault(f"rows that are no {evidence.id}", findings=intake.findings)
    places = {name: pa.array([row[name] for row in rows], pa.int64()) for name in ("_entry", "_row")}
    table = intake.table.select([name for name in intake.table.column_names if name in evidence.fields])
    for name, column in places.items():
        table = table.append_column(name, column)
    return table
