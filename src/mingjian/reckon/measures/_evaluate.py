"""One run: every measure and index of a scheme for a period, as of a ledger size.

Rows are reduced on an engine, one query for all reductions of the same rows; the rest is finished on the spine of subjects.
Nothing is kept from one run to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Index, Measure, Scheme
from mingjian.reckon.index import Stats
from mingjian.reckon.measures._blocks import Block
from mingjian.reckon.measures._columns import (
    NO_BALLOTS,
    NO_ROWS,
    NO_VALUE,
    OK,
    Column,
    Places,
    column,
    constant,
    finish,
    singles,
)
from mingjian.reckon.measures._engine import (
    ANCESTRY,
    Query,
    Reduced,
    Rows,
    key_of,
    kind_of,
    mean,
    read,
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
from mingjian.reckon.measures._sheets import WHOLE, Grid, Pair, Sheet, Spine
from mingjian.reckon.measures._tables import Ground
from mingjian.reckon.measures._values import COUNT, SUM, VALUE, AggregateKey, Key, Results
from mingjian.record.evidence import View


@dataclass(frozen=True, slots=True)
class Attested:
    """What is taken as given instead of reckoned: values by key, the reductions under values, and peers' statistics.

    A value of None is an attested "no value". Peers are named by measure (and "/member").
    """

    values: Mapping[Key, Fraction | float | None] = field(default_factory=dict)
    aggregates: Mapping[AggregateKey, Fraction | float | None] = field(default_factory=dict)
    peers: Mapping[str, Stats] = field(default_factory=dict)


NOTHING_ATTESTED = Attested()
Number: TypeAlias = Fraction | float | None
ByJob: TypeAlias = dict[tuple[str, str], dict[tuple[Any, ...], dict[Pair, Number]]]


def evaluate(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    period: Period,
    *,
    only: Collection[str] | None = None,
    types: Collection[str] | None = None,
    subjects: Collection[str] | None = None,
    attested: Attested = NOTHING_ATTESTED,
) -> Results:
    """The values of a run, before the release gate.

    ``view`` has the rows as of a ledger size; ``only`` names the measures wanted (with what they read) and ``types`` the types
    of those whom they are wanted of; ``subjects`` restricts the outcome to these and those below them. Raises Misuse for an
    unknown measure, MingjianError for a number too large to be exact.
    """
    ordered = jobs(scheme, period, only, types)
    run = Run(scheme, view, hierarchy, None if among_peers(scheme, ordered) else subjects, attested)
    run.all(ordered)
    asked = None if subjects is None else run.with_below(subjects)
    return Results.of_parts(str(period), (run.block(job, asked) for job in wanted(scheme, period, only, types)))


class Run:
    """The state of one evaluation: what was reduced, and the sheets made so far."""

    def __init__(
        self, scheme: Scheme, view: View, hierarchy: Hierarchy, subjects: Collection[str] | None, attested: Attested
    ) -> None:
        self.scheme, self.hierarchy, self.attested = scheme, hierarchy, attested
        self._allowed = None if subjects is None else self.with_below(subjects)
        self.ground = Ground(scheme, view, self._allowed)
        self._queried: dict[Rows, tuple[tuple[Expr, ...], pa.Table]] = {}
        self._reduced: dict[tuple[Rows, str], Reduced] = {}
        self._sheets: dict[Job, Sheet] = {}
        self._ancestries: dict[str, pa.Table] = {}
        self._spines: dict[tuple[str, date, date], Spine] = {}
        self._values = _by_job((key, number) for key, number in attested.values.items())
        self._aggregates = _by_job((key, number) for key, number in attested.aggregates.items())

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
            self._queried[rows] = tuple(asked.values()), reduce_rows(self.query(rows, tuple(asked.values())))
        for job in ordered:
            self.sheet(job)

    def touched(self, ordered: Sequence[Job]) -> Iterator[tuple[Rows, tuple[str, ...], pa.Table]]:
        """For each query the keys of its reductions and the rows that reach them."""
        for rows, asked in self.queries(ordered).items():
            yield rows, tuple(asked), touched_rows(self.query(rows, tuple(asked.values())))

    def query(self, rows: Rows, asked: Sequence[Expr]) -> Query:
        """What an engine is asked of rows."""
        return Query(
            tables=self.ground.until(rows.end),
            rows=rows,
            asked=asked,
            evidence=evidence_of(self.scheme, rows.kind),
            constant=constants(self.scheme, rows.first, rows.end),
            ancestry=self._ancestry(rows.of) if rows.pooled else None,
            subjects=self._allowed,
        )

    def _ancestry(self, of: str) -> pa.Table:
        if of not in self._ancestries:
            links = self.hierarchy.ancestry(of, self._allowed)
            columns = [[link[place] for link in links] for place in range(len(ANCESTRY))]
            self._ancestries[of] = pa.Table.from_arrays(
                [pa.array(column, field.type) for column, field in zip(columns, ANCESTRY, strict=True)], schema=ANCESTRY
            )
        return self._ancestries[of]

    def with_below(self, subjects: Collection[str]) -> frozenset[str]:
        """These subjects and all who ever stood below them."""
        return frozenset(subjects) | self.hierarchy.below(subjects)

    def spine(self, of: str, first: date, end: date) -> Spine:
        """The subjects of a type that exist on some day from ``first`` up to but not on ``end``."""
        key = (of, first, end)
        if key not in self._spines:
            alive = self.hierarchy.alive(of, first, end, among=self._allowed)
            self._spines[key] = Spine(tuple(subject.id for subject in alive))
        return self._spines[key]

    def reduction(self, rows: Rows, of: str) -> Reduced:
        """What a query gave for the subjects of a type."""
        if (rows, of) not in self._reduced:
            asked, found = self._queried[rows]
            spine = self.spine(of, rows.first, rows.end)
            self._reduced[rows, of] = read(found, asked, spine, evidence_of(self.scheme, rows.kind).ballots)
        return self._reduced[rows, of]

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
        spine = self.spine(job.of, period.first, period.end)
        reduced = {
            key_of(r): self.reduction(rows_for(self.scheme, job, kind_of(r)), job.of) for r in reductions(measure.expr)
        }
        grid = Grid.whole(spine)
        if measure.each:
            read = [self.sheet(j).grid for j in reads(self.scheme, job)]
            told = [_grid_of(spine, numbers) for numbers in self.aggregates(job).values()]
            grid = Grid.union(spine, [*(r.grid for r in reduced.values()), *read, *told])
        return Sheet(grid, finish(measure.expr, _Inputs(self, job, grid, reduced)))

    def aggregates(self, job: Job) -> Mapping[tuple[Any, ...], Mapping[Pair, Number]]:
        """What is attested of a job's reductions: by place in its formula and part, the number for each pair."""
        return self._aggregates.get((job.name, job.period), {})

    def _rolled(self, measure: Measure, job: Job) -> Sheet:
        """Sum or mean of the values of those below, under the parents of the period's last day."""
        period = Period.parse(job.period)
        last = period.end - timedelta(days=1)
        below = self.sheet(Job(job.name, job.period, measure.of))
        spine = self.spine(job.of, period.first, period.end)
        above = [self.hierarchy.ancestor(s, job.of, last) or "" for s in below.grid.spine.subjects]
        pairs = list(below.grid.pairs())
        width = max(1, len(below.grid.members))
        over = [above[code // width] for code in below.grid.codes.tolist()]
        good = below.column.why == OK
        there = [i for i in np.flatnonzero(good).tolist() if over[i]]
        grid = Grid.whole(spine)
        if measure.each:
            grid = Grid.of(spine, [over[i] for i in there], [pairs[i][1] for i in there])
        parts: dict[int, list[int]] = {}
        for i, place in zip(
            there, grid.locate([over[i] for i in there], [pairs[i][1] for i in there]).tolist(), strict=True
        ):
            parts.setdefault(place, []).append(i)
        numbers = singles(below.column)
        values = [_combined(measure.rollup, [numbers[i] for i in parts.get(place, ())]) for place in range(grid.size)]
        groups = [
            min((int(below.column.group[i]) for i in parts.get(p, ())), default=NO_BALLOTS) for p in range(grid.size)
        ]
        return Sheet(grid, column(values, measure.expr.kind, NO_ROWS, np.array(groups, np.int64)))

    def _index(self, index: Index, job: Job) -> Sheet:
        period = Period.parse(job.period)
        sheets = {j.name: self.sheet(j) for j in reads(self.scheme, job)}
        spine = self.spine(job.of, period.first, period.end)
        return reckon(index, self.tree(index, period), spine, sheets, self.attested.peers)

    def tree(self, index: Index, period: Period) -> Branch:
        """The index's tree as it stands in the period, members grown from their dimension."""
        return grow(
            index.root,
            lambda kind: self.ground.members(kind, period.end),
            lambda kind: self.scheme.evidence[kind].thread[0],
        )

    def _given(self, job: Job, made: Sheet) -> Sheet:
        """The sheet with what is attested of it in place of what was reckoned."""
        given = self._values.get((job.name, job.period), {}).get((), {})
        if not given:
            return made
        grid = made.grid
        if grid.members != WHOLE:
            grid = Grid.union(grid.spine, [grid, _grid_of(grid.spine, given)])
        places = grid.locate([subject for subject, _ in given], [member for _, member in given])
        numbers = [number for number, place in zip(given.values(), places, strict=True) if place >= 0]
        return Sheet(grid, made.aligned(grid).put(places[places >= 0], column(numbers, self._kind(job), NO_VALUE)))

    def _kind(self, job: Job) -> str:
        what = declared(self.scheme, job.name)
        return what.expr.kind if isinstance(what, Measure) else "score"

    # -- values ---------------------------------------------------------------------------------------------------------
    def block(self, job: Job, among: Collection[str] | None = None) -> Block:
        """A job's values, of the subjects ``among`` these; made one by one when they are asked for."""
        return Block(job, declared(self.scheme, job.name), self.sheet(job), among)


class _Inputs:
    """What one measure's formula reads, aligned to its grid."""

    def __init__(self, run: Run, job: Job, grid: Grid, reduced: Mapping[str, Reduced]) -> None:
        self.size = grid.size
        self._run, self._job, self._grid, self._by_key = run, job, grid, reduced
        self._period = Period.parse(job.period)
        self.constant: Callable[[Expr], Any] = constants(run.scheme, self._period.first, self._period.end)
        formula = run.scheme.measures[job.name].expr
        self._places = {key: place for place, key in enumerate(dict.fromkeys(map(key_of, reductions(formula))))}

    def reduced(self, expr: Expr) -> Column:
        found = self._by_key[key_of(expr)]
        ballots = evidence_of(self._run.scheme, kind_of(expr)).ballots
        made = _filled(expr, found.columns[key_of(expr)], found.grid.places(self._grid), ballots)
        return self._attested(expr, made) if self._run.aggregates(self._job) else made

    def _attested(self, expr: Expr, reckoned: Column) -> Column:
        told, place = self._run.aggregates(self._job), self._places[key_of(expr)]
        if expr.op != "mean":
            return self._put(reckoned, told.get((place, VALUE), {}), expr.kind)
        sums, counts = (told.get((place, part), {}) for part in (SUM, COUNT))
        total = self._put(constant(None, expr.kind, self.size), sums, expr.kind)
        count = self._put(constant(0, "exact", self.size), counts, "exact")
        places = self._located(sums)
        return reckoned.put(places[places >= 0], mean(expr.kind, total, count).take(places[places >= 0]))

    def _put(self, made: Column, told: Mapping[Pair, Number], kind: str) -> Column:
        places = self._located(told)
        numbers = [number for number, place in zip(told.values(), places, strict=True) if place >= 0]
        return made.put(places[places >= 0], column(numbers, kind, NO_ROWS))

    def _located(self, told: Mapping[Pair, Number]) -> Places:
        return self._grid.locate([subject for subject, _ in told], [member for _, member in told])

    def measure(self, name: str) -> Column:
        return self._other(name, before=False)

    def previous(self, name: str) -> Column:
        return self._other(name, before=True)

    def _other(self, name: str, *, before: bool) -> Column:
        job = job_for(self._run.scheme, name, self._period, self._job.of, before=before)
        return self._run.sheet(job).aligned(self._grid)


def _filled(expr: Expr, reduced: Column, places: Places, ballots: bool) -> Column:
    """A reduction's column at these places: a subject without rows has a count of zero, and no value of anything else."""
    aligned = reduced.take(places, NO_ROWS)
    absent = np.flatnonzero(places < 0)
    if expr.op in ("count", "distinct", "rows"):
        aligned = aligned.put(absent, constant(0, "exact", len(absent)))
    return replace(aligned, group=np.where(places < 0, 0, aligned.group)) if ballots else aligned


def constants(scheme: Scheme, first: date, end: date) -> Callable[[Expr], Any]:
    """How parameters, bounds and literals are read in a period: parameters as in force on its last day."""
    last = end - timedelta(days=1)

    def read(expr: Expr) -> Any:
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

    return read


def _grid_of(spine: Spine, pairs: Collection[Pair]) -> Grid:
    return Grid.of(spine, [subject for subject, _ in pairs], [member for _, member in pairs])


def _by_job(told: Iterable[tuple[tuple[Any, ...], Number]]) -> ByJob:
    """Attested numbers by measure and period, then by what follows the member in their key, then by subject and member."""
    found: ByJob = {}
    for (measure, subject, period, member, *rest), number in told:
        found.setdefault((measure, period), {}).setdefault(tuple(rest), {})[subject, member] = number
    return found


def _combined(rollup: str, values: Sequence[Any]) -> Any:
    if not values:
        return None
    total = sum(values[1:], start=values[0])
    if rollup == "sum":
        return total
    return total / len(values) if isinstance(total, float) else Fraction(total) / len(values)
