"""One run: every measure and index of a scheme for a period, as of a ledger size.

Rows are reduced on an engine, one query for all reductions of the same rows; the rest is finished on the spine of subjects.
Nothing is kept from one run to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from mingjian.base.errors import Finding
from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Index, Measure, Scheme
from mingjian.reckon.index import Stats
from mingjian.reckon.measures._columns import (
    NO_BALLOTS,
    NO_ROWS,
    NO_VALUE,
    OK,
    UNDEFINED,
    ZERO_DENOMINATOR,
    Column,
    column,
    finish,
)
from mingjian.reckon.measures._engine import (
    Pair,
    Reduced,
    Rows,
    key_of,
    kind_of,
    mean,
    reduce_rows,
    reductions,
    touched_rows,
)
from mingjian.reckon.measures._indices import Branch, grow, reckon
from mingjian.reckon.measures._plan import (
    Job,
    among_peers,
    declared,
    evidence_of,
    job_for,
    jobs,
    reads,
    rows_for,
    wanted,
)
from mingjian.reckon.measures._sheets import Sheet, places_of
from mingjian.reckon.measures._tables import Ground
from mingjian.reckon.measures._values import COUNT, SUM, VALUE, AggregateKey, Key, Part, Results, Value


@dataclass(frozen=True, slots=True)
class Attested:
    """What is taken as given instead of reckoned: values by key, the reductions under values, and peers' statistics.

    A value of None is an attested "no value". Peers are named by measure (and "/member").
    """

    values: Mapping[Key, Fraction | float | None] = field(default_factory=dict)
    aggregates: Mapping[AggregateKey, Fraction | float | None] = field(default_factory=dict)
    peers: Mapping[str, Stats] = field(default_factory=dict)


NOTHING_ATTESTED = Attested()


def evaluate(
    scheme: Scheme,
    view: Any,
    hierarchy: Hierarchy,
    period: Period,
    *,
    only: Collection[str] | None = None,
    subjects: Collection[str] | None = None,
    attested: Attested = NOTHING_ATTESTED,
) -> Results:
    """The values of a run, before the release gate.

    ``view`` has the rows as of a ledger size; ``only`` names the measures wanted (with what they read); ``subjects``
    restricts the outcome to these and those below them. Raises Misuse for an unknown measure, MingjianError for a number
    beyond 38 digits.
    """
    ordered = jobs(scheme, period, only)
    run = Run(scheme, Ground(scheme, view), hierarchy, None if among_peers(scheme, ordered) else subjects, attested)
    run.all(ordered)
    values = (value for job in wanted(scheme, period, only) for value in run.values(job))
    asked = None if subjects is None else run.with_below(subjects)
    return Results(str(period), (value for value in values if asked is None or value.subject in asked))


class Run:
    """The state of one evaluation: what was reduced, and the sheets made so far."""

    def __init__(
        self, scheme: Scheme, ground: Ground, hierarchy: Hierarchy, subjects: Collection[str] | None, attested: Attested
    ) -> None:
        self.scheme, self.ground, self.hierarchy, self.attested = scheme, ground, hierarchy, attested
        self._subjects = subjects
        self._reduced: dict[Rows, Reduced] = {}
        self._sheets: dict[Job, Sheet] = {}
        self._ancestries: dict[str, pa.Table] = {}
        self._given_by_job: dict[tuple[str, str], dict[tuple[int, Part], dict[Pair, Fraction | float | None]]] = {}
        for (measure, subject, period, member, place, part), number in attested.aggregates.items():
            by_part = self._given_by_job.setdefault((measure, period), {})
            by_part.setdefault((place, part), {})[subject, member] = number

    # -- rows -----------------------------------------------------------------------------------------------------------
    def queries(self, ordered: Sequence[Job]) -> dict[Rows, dict[str, Expr]]:
        """The reductions of all jobs, by the rows they read."""
        asked: dict[Rows, dict[str, Expr]] = {}
        for job in ordered:
            what = declared(self.scheme, job.name)
            if isinstance(what, Index) or (what.rollup in ("sum", "mean") and job.of != what.of):
                continue
            for reduction in reductions(what.expr):
                rows = rows_for(self.scheme, job, kind_of(reduction))
                asked.setdefault(rows, {})[key_of(reduction)] = reduction
        return asked

    def all(self, ordered: Sequence[Job]) -> None:
        """Run the queries of all jobs, then make their sheets in the order given."""
        for rows, asked in self.queries(ordered).items():
            self._reduced[rows] = reduce_rows(*self.query(rows, tuple(asked.values())))
        for job in ordered:
            self.sheet(job)

    def touched(self, ordered: Sequence[Job]) -> Iterator[tuple[Rows, pa.Table]]:
        """For each query the rows that reach it."""
        for rows, asked in self.queries(ordered).items():
            yield rows, touched_rows(*self.query(rows, tuple(asked.values())))

    def query(self, rows: Rows, asked: Sequence[Expr]) -> tuple[Any, ...]:
        """The arguments of `reduce_rows` and `touched_rows`."""
        evidence = evidence_of(self.scheme, rows.kind)
        tables = self.ground.until(rows.end)
        ancestry = self._ancestry(rows.of) if rows.pooled else None
        constant = constants(self.scheme, rows.first, rows.end)
        return tables, rows, asked, evidence, constant, ancestry, self._allowed()

    def _ancestry(self, of: str) -> pa.Table:
        if of not in self._ancestries:
            links = self.hierarchy.ancestry(of)
            self._ancestries[of] = pa.table(
                {
                    "_below": pa.array([x[0] for x in links], pa.string()),
                    "_above": pa.array([x[1] for x in links], pa.string()),
                    "_start": pa.array([x[2] for x in links], pa.date32()),
                    "_end": pa.array([x[3] for x in links], pa.date32()),
                }
            )
        return self._ancestries[of]

    def _allowed(self) -> set[str] | None:
        return None if self._subjects is None else self.with_below(self._subjects)

    def with_below(self, subjects: Collection[str]) -> set[str]:
        """These subjects and all who ever stood below them."""
        asked = set(subjects)
        return asked | {below for t in self.scheme.subjects for below, above, *_ in self._links(t) if above in asked}

    def _links(self, of: str) -> Sequence[tuple[str, str, date, date | None]]:
        return self.hierarchy.ancestry(of)

    def spine(self, of: str, period: Period) -> tuple[str, ...]:
        """The subjects of a type that exist in the period, sorted."""
        alive = (subject.id for subject in self.hierarchy.alive(of, period.first, period.end))
        allowed = self._allowed()
        return tuple(s for s in alive if allowed is None or s in allowed)

    def reduction(self, rows: Rows) -> Reduced:
        """What a query gave."""
        return self._reduced[rows]

    # -- sheets ---------------------------------------------------------------------------------------------------------
    def sheet(self, job: Job) -> Sheet:
        """The values of a job; those it reads have been made before."""
        if job not in self._sheets:
            what = declared(self.scheme, job.name)
            if isinstance(what, Index):
                made = self._index(what, job)
            elif what.rollup in ("sum", "mean") and job.of != what.of:
                made = self._rolled(what, job)
            else:
                made = self._measured(what, job)
            self._sheets[job] = self._given(job, made)
        return self._sheets[job]

    def _measured(self, measure: Measure, job: Job) -> Sheet:
        period = Period.parse(job.period)
        spine = self.spine(job.of, period)
        reduced = {key_of(r): self.reduction(rows_for(self.scheme, job, kind_of(r))) for r in reductions(measure.expr)}
        if measure.each:
            there = set(spine)
            found = {pair for r in reduced.values() for pair in r.pairs if pair[0] in there and pair[1]}
            found |= {p for j in reads(self.scheme, job) for p in self.sheet(j).pairs if p[0] in there and p[1]}
            found |= {pair for pairs in self.given_reductions(job).values() for pair in pairs}
            pairs: tuple[Pair, ...] = tuple(sorted(found))
        else:
            pairs = tuple((subject, "") for subject in spine)
        return Sheet(pairs, finish(measure.expr, _Inputs(self, job, pairs, reduced)))

    def given_reductions(self, job: Job) -> Mapping[tuple[int, Part], Mapping[Pair, Fraction | float | None]]:
        """What is attested of a job's reductions: by their place in its formula and part, the number for each pair."""
        return self._given_by_job.get((job.name, job.period), {})

    def _rolled(self, measure: Measure, job: Job) -> Sheet:
        """Sum or mean of the values of those below, under the parents of the period's last day."""
        period = Period.parse(job.period)
        last = period.end - timedelta(days=1)
        below = self.sheet(Job(job.name, job.period, measure.of))
        parts: dict[Pair, list[int]] = {}
        for i, (subject, member) in enumerate(below.pairs):
            above = self.hierarchy.ancestor(subject, job.of, last)
            if above is not None and below.column.why[i] == OK:
                parts.setdefault((above, member), []).append(i)
        spine = self.spine(job.of, period)
        there = set(spine)
        pairs = tuple(sorted(p for p in parts if p[0] in there)) if measure.each else tuple((s, "") for s in spine)
        values: list[Any] = []
        groups: list[int] = []
        for pair in pairs:
            chosen = [below.column.values[i] for i in parts.get(pair, ())]
            values.append(_combined(measure.rollup, chosen))
            groups.append(min((int(below.column.group[i]) for i in parts.get(pair, ())), default=NO_BALLOTS))
        return Sheet(pairs, column(values, measure.expr.kind, np.array(groups, np.int64)))

    def _index(self, index: Index, job: Job) -> Sheet:
        period = Period.parse(job.period)
        sheets = {j.name: self.sheet(j) for j in reads(self.scheme, job)}
        return reckon(index, self.tree(index, period), self.spine(job.of, period), sheets, self.attested.peers)

    def tree(self, index: Index, period: Period) -> Branch:
        """The index's tree as it stands in the period, members grown from their dimension."""
        return grow(
            index.root,
            lambda kind: self.ground.members(kind, period.end),
            lambda kind: next(k for k in self.scheme.evidence[kind].key if k != self.scheme.evidence[kind].date),
        )

    def _given(self, job: Job, made: Sheet) -> Sheet:
        """The sheet with what is attested of it in place of what was reckoned."""
        given = {(k[1], k[3]): x for k, x in self.attested.values.items() if (k[0], k[2]) == (job.name, job.period)}
        if not given:
            return made
        pairs = tuple(sorted({*made.pairs, *given}))
        wide = made.aligned(pairs)
        for i, pair in enumerate(pairs):
            if pair in given:
                number = given[pair]
                wide.values[i], wide.why[i] = (0, NO_VALUE) if number is None else (number, OK)
        return Sheet(pairs, wide)

    # -- values ---------------------------------------------------------------------------------------------------------
    def values(self, job: Job) -> Iterator[Value]:
        """A job's values, one for each pair."""
        what, sheet = declared(self.scheme, job.name), self.sheet(job)
        exact = isinstance(what, Measure) and what.expr.kind == "exact"
        numbers, whys, groups = sheet.column.values.tolist(), sheet.column.why.tolist(), sheet.column.group.tolist()
        for (subject, member), number, why, group in zip(sheet.pairs, numbers, whys, groups, strict=True):
            good = why == OK
            yield Value(
                measure=job.name,
                subject=subject,
                period=job.period,
                member=member,
                status="value" if good else "none",
                number=(Fraction(number) if exact else float(number)) if good else None,
                unit=what.unit,
                decimals=what.decimals,
                group=None if group == NO_BALLOTS else group,
                reason=None if good else _reason(why, job, subject, member),
            )


class _Inputs:
    """What one measure's formula reads, aligned to its pairs."""

    def __init__(self, run: Run, job: Job, pairs: tuple[Pair, ...], reduced: Mapping[str, Reduced]) -> None:
        self.size = len(pairs)
        self._run, self._job, self._pairs, self._by_key = run, job, pairs, reduced
        period = Period.parse(job.period)
        self.constant: Callable[[Expr], Any] = constants(run.scheme, period.first, period.end)
        self._period = period
        self._given = run.given_reductions(job)
        formula = run.scheme.measures[job.name].expr
        self._places = {key: place for place, key in enumerate(dict.fromkeys(map(key_of, reductions(formula))))}

    def reduced(self, expr: Expr) -> Column:
        found = self._by_key[key_of(expr)]
        values, groups = found.values[key_of(expr)], found.groups[key_of(expr)]
        counting = expr.op in ("count", "distinct", "rows")
        places = places_of(self._pairs, found.pairs)
        aligned = [values[i] if i >= 0 else (0 if counting else None) for i in places]
        if self._given:
            aligned = self._attested(expr, aligned)
        if not groups:
            return column(aligned, expr.kind)
        return column(aligned, expr.kind, np.array([groups[i] if i >= 0 else 0 for i in places], np.int64))

    def _attested(self, expr: Expr, reckoned: list[Any]) -> list[Any]:
        place = self._places[key_of(expr)]
        if expr.op == "mean":
            sums, counts = (self._given.get((place, part), {}) for part in (SUM, COUNT))
            given = {pair: mean(expr.kind, total, int(counts.get(pair) or 0)) for pair, total in sums.items()}
        else:
            given = dict(self._given.get((place, VALUE), {}))
        return [given.get(pair, number) for pair, number in zip(self._pairs, reckoned, strict=True)]

    def measure(self, name: str) -> Column:
        return self._other(name, before=False)

    def previous(self, name: str) -> Column:
        return self._other(name, before=True)

    def _other(self, name: str, *, before: bool) -> Column:
        job = job_for(self._run.scheme, name, self._period, self._job.of, before=before)
        return self._run.sheet(job).aligned(self._pairs)


def constants(scheme: Scheme, first: date, end: date) -> Callable[[Expr], Any]:
    """How parameters, bounds and literals are read in a period: parameters as in force on its last day."""
    last = end - timedelta(days=1)

    def constant(expr: Expr) -> Any:
        name = str(expr.args[0])
        match expr.op:
            case "param" | "lookup":
                dated = scheme.parameters[name].on(last)
                return dated.value if dated is not None else None
            case "bound":
                return first if name == "period_start" else last
        match expr.kind:
            case "exact":
                return Decimal(name)
            case "score":
                return float(name)
            case "flag":
                return name == "true"
            case "date":
                return date.fromisoformat(name)
        return name

    return constant


def _combined(rollup: str, values: Sequence[Any]) -> Any:
    if not values:
        return None
    total = sum(values[1:], start=values[0])
    if rollup == "sum":
        return total
    return total / len(values) if isinstance(total, float) else Fraction(total) / len(values)


def _reason(why: int, job: Job, subject: str, member: str) -> Finding:
    what = f"{job.name} of {subject}{f' ({member})' if member else ''} in {job.period}"
    match why:
        case _ if why == NO_ROWS:
            return Finding("no-rows", f"{what}: there are no rows to reckon it from")
        case _ if why == ZERO_DENOMINATOR:
            return Finding("zero-denominator", f"{what}: what it is divided by is zero")
        case _ if why == UNDEFINED:
            return Finding("undefined", f"{what}: the formula has no value for these numbers")
    return Finding("no-value", f"{what}: a figure that it reads has no value")
