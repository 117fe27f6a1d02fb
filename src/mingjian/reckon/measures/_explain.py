"""Why a number is what it is: its formula, what it read, and the rows behind that, down to the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import compress
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Index, Measure, Scheme, Title, formula_text, walk
from mingjian.reckon.index import contributions
from mingjian.reckon.measures._columns import OK, Column, singles
from mingjian.reckon.measures._engine import Rows, key_of, kind_of, reductions, touched_rows
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._indices import Branch, leaf
from mingjian.reckon.measures._plan import Job, among_peers, declared, evidence_of, job_for, jobs, rows_for
from mingjian.reckon.measures._values import COUNT, VALUE, Part, Results, Value
from mingjian.record.evidence import View, shown_row

_Place: TypeAlias = tuple[int, int]  # ledger entry, row in it
_WHERE = ("_entry", "_row", "_member")


@dataclass(frozen=True, slots=True)
class RowSeen:
    """One row of evidence: where it stands in the ledger, the line of the file it came from, and what it says."""

    kind: str
    entry: int
    row: int
    line: int | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReductionSeen:
    """One reduction in a formula: its text, what it came to and its rows.

    ``rows`` is empty where they are ballots: single ones are shown to nobody. ``count`` says how many rows there are; None
    for so few ballots that not even that may be said.
    """

    text: str
    kind: str
    value: object
    count: int | None
    rows: tuple[RowSeen, ...]
    ballots: bool


@dataclass(frozen=True, slots=True)
class ParameterSeen:
    """A parameter as it was in force: value or table, unit, since when, and the text that lays it down."""

    id: str
    title: Title
    value: Decimal | Mapping[str, Decimal] | None
    unit: str
    start: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A value with everything it was reckoned from. ``weight`` and ``contribution`` are its part in the index above it."""

    value: Value
    title: Title
    formula: str
    parameters: tuple[ParameterSeen, ...] = ()
    reductions: tuple[ReductionSeen, ...] = ()
    inputs: tuple[Explanation, ...] = ()
    weight: Decimal | None = None
    contribution: float | None = None


def explain(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    measure: str,
    subject: str,
    period: Period,
    member: str = "",
) -> Explanation:
    """Why ``measure`` of ``subject`` is what it is.

    Raises Misuse for an unknown measure, a period of the wrong kind, or a subject that has no such value. The values are
    those before the release gate: the caller passes them through it before anyone sees them.
    """
    (found,) = explain_each(scheme, view, hierarchy, measure, [subject], period, member)
    return found


def explain_each(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    measure: str,
    subjects: Collection[str],
    period: Period,
    member: str = "",
) -> Iterator[Explanation]:
    """`explain` for each of these subjects, in their order. What they share is reckoned once."""
    ordered = jobs(scheme, period, [measure])
    types = [(subject, _type_of(hierarchy, subject)) for subject in subjects]
    run = Run(scheme, view, hierarchy, None if among_peers(scheme, ordered) else subjects, NOTHING_ATTESTED)
    run.all(ordered)
    touched: dict[Rows, pa.Table] = {}
    for subject, of in types:
        job = job_for(scheme, measure, period, of)
        Results.of_parts(job.period, [run.block(job)]).value(measure, subject, member)  # the Misuse where there is none
        yield _Explainer(run, ordered, subject, of, touched).number(measure, period, member, before=False)


def _type_of(hierarchy: Hierarchy, subject: str) -> str:
    known = hierarchy.subject(subject)
    if known is None:
        raise Misuse(f"there is no subject {subject}", remedy="`mingjian measure` lists those there are")
    return known.type


@dataclass(frozen=True, slots=True)
class _Formula:
    """What the formula of a job reads: found once, however many members of a breakdown are explained."""

    text: str
    parameters: tuple[ParameterSeen, ...]
    reductions: Mapping[str, tuple[Expr, str, Rows]]  # by `key_of`, with the text
    inputs: tuple[tuple[str, bool], ...]  # a measure, and whether in the period before


class _Explainer:
    """Explains numbers of one subject. An index has many that read the same: rows and figures are looked up once for all.

    ``touched`` keeps the rows that reach a reduction of anybody in the run.
    """

    def __init__(self, run: Run, ordered: Sequence[Job], subject: str, of: str, touched: dict[Rows, pa.Table]) -> None:
        self.run, self.scheme, self.subject, self.of = run, run.scheme, subject, of
        self._queries = run.queries(ordered)
        self._formulas: dict[Job, _Formula] = {}
        self._values: dict[Job, Mapping[str, Value]] = {}
        self._figures: dict[tuple[Rows, str], Mapping[tuple[str, Part, str], Fraction | float]] = {}
        self._touched = touched
        self._reached: dict[Rows, Mapping[tuple[str, str], Sequence[_Place]]] = {}
        self._seen: dict[Rows, Mapping[_Place, RowSeen]] = {}

    def number(self, name: str, period: Period, member: str, *, before: bool) -> Explanation:
        job = job_for(self.scheme, name, period, self.of, before=before)
        what = declared(self.scheme, name)
        value = self.value(job, member)
        if value is None:
            return self._absent(what, job.period, member, "no rows")
        if isinstance(what, Index):
            return self._index(what, job, value, member)
        if what.rollup in ("sum", "mean") and self.of != what.of:
            return self._rolled(what, job, value, member)
        own, formula = Period.parse(job.period), self._formula(what, job)
        return Explanation(
            value,
            what.title,
            formula.text,
            formula.parameters,
            tuple(self._reduction(job, key, member) for key in formula.reductions),
            tuple(self.number(n, own, self._member(n, member), before=b) for n, b in formula.inputs),
        )

    def value(self, job: Job, member: str) -> Value | None:
        """A value of the subject, or None."""
        if job not in self._values:
            self._values[job] = {value.member: value for value in self.run.block(job).of(self.subject)}
        return self._values[job].get(member)

    def _formula(self, measure: Measure, job: Job) -> _Formula:
        if job not in self._formulas:
            nodes, period = list(walk(measure.expr)), Period.parse(job.period)
            named = dict.fromkeys(str(n.args[0]) for n in nodes if n.op in ("param", "lookup"))
            read = dict.fromkeys((str(n.args[0]), n.op == "previous") for n in nodes if n.op in ("measure", "previous"))
            once = {key_of(reduction): reduction for reduction in reductions(measure.expr)}
            self._formulas[job] = _Formula(
                formula_text(measure.expr),
                tuple(self._parameter(name, period) for name in named),
                {key: (r, formula_text(r), rows_for(self.scheme, job, kind_of(r))) for key, r in once.items()},
                tuple(read),
            )
        return self._formulas[job]

    def _rolled(self, measure: Measure, job: Job, value: Value, member: str) -> Explanation:
        """A sum or mean with the values that it is made of; each of these is explained under its own subject."""
        last = Period.parse(job.period).end - timedelta(days=1)
        below = [
            Explanation(part, measure.title, formula_text(measure.expr))
            for part in self.run.block(Job(job.name, job.period, measure.of))
            if part.member == member and self.run.hierarchy.ancestor(part.subject, job.of, last) == self.subject
        ]
        formula = f"{measure.rollup} of {measure.id} of each {measure.of}"
        return Explanation(value, measure.title, formula, inputs=tuple(below))

    def _absent(self, what: Measure | Index, period: str, member: str, why: str) -> Explanation:
        absent = Value(what.id, self.subject, period, member, "none", None, what.unit, what.decimals)
        return Explanation(absent, what.title, why)

    def _member(self, name: str, member: str) -> str:
        what = declared(self.scheme, name)
        return member if isinstance(what, Measure) and what.each else ""

    def _parameter(self, name: str, period: Period) -> ParameterSeen:
        parameter = self.scheme.parameters[name]
        dated = parameter.on(period.end - timedelta(days=1))
        if dated is None:
            return ParameterSeen(name, parameter.title, None, parameter.unit, None, "")
        return ParameterSeen(name, parameter.title, dated.value, parameter.unit, dated.start, dated.source)

    # -- rows -----------------------------------------------------------------------------------------------------------
    def _reduction(self, job: Job, key: str, member: str) -> ReductionSeen:
        reduction, text, rows = self._formulas[job].reductions[key]
        member = member if rows.each else ""
        figures = self._figures_of(rows, job.of)
        value = figures.get((key, VALUE, member))
        if not evidence_of(self.scheme, rows.kind).ballots:
            seen = tuple(self._rows(rows)[place] for place in self._places(rows).get((key, member), ()))
            return ReductionSeen(text, rows.kind, value, len(seen), seen, False)
        if reduction.op in ("mean", "count", "rows"):  # it says itself how many: nobody needs to look at the ballots
            count = int(figures.get((key, COUNT if reduction.op == "mean" else VALUE, member), 0))
        else:
            count = len(self._places(rows).get((key, member), ()))
        return ReductionSeen(text, rows.kind, value, count, (), True)

    def _figures_of(self, rows: Rows, of: str) -> Mapping[tuple[str, Part, str], Fraction | float]:
        """What the reductions of these rows came to for the subject: by key, part (a mean has a count too) and member."""
        if (rows, of) not in self._figures:
            reduced = self.run.reduction(rows, of)
            held = reduced.grid.held(self.subject)
            members = [reduced.grid.member_at(place) for place in held]
            columns: list[tuple[str, Part, Column]] = [(key, VALUE, column) for key, column in reduced.columns.items()]
            columns += [(key, COUNT, count) for key, (_, count) in reduced.parts.items()]
            found: dict[tuple[str, Part, str], Fraction | float] = {}
            for key, part, column in columns:
                one = column.take(np.array(held, np.intp))
                told = zip(members, singles(one), one.why.tolist(), strict=True)
                found |= {(key, part, member): number for member, number, why in told if why == OK}
            self._figures[rows, of] = found
        return self._figures[rows, of]

    def _places(self, rows: Rows) -> Mapping[tuple[str, str], Sequence[_Place]]:
        """Where the rows stand that reach each reduction (by key) and member: asked for all at once, an index reads many."""
        if rows not in self._reached:
            keys, table = [*self._queries[rows]], self._touching(rows).to_pydict()
            flags = zip(*(table[f"r{n}"] for n in range(len(keys))), strict=True)
            found: dict[tuple[str, str], list[_Place]] = {}
            for entry, row, member, reached in sorted(zip(*(table[c] for c in _WHERE), flags, strict=True)):
                for key in compress(keys, reached):
                    found.setdefault((key, member), []).append((entry, row))
            self._reached[rows] = found
        return self._reached[rows]

    def _touching(self, rows: Rows) -> pa.Table:
        """The rows that reach any of the reductions."""
        if rows not in self._touched:
            self._touched[rows] = touched_rows(self.run.query(rows, tuple(self._queries[rows].values())))
        found = self._touched[rows]
        return found.filter(pc.equal(found["_subject"], pa.scalar(self.subject)))

    def _rows(self, rows: Rows) -> Mapping[_Place, RowSeen]:
        if rows not in self._seen:
            self._seen[rows] = {(row.entry, row.row): row for row in self._fetched(rows, self._touching(rows))}
        return self._seen[rows]

    def _fetched(self, rows: Rows, reached: pa.Table) -> Iterator[RowSeen]:
        if rows.kind in self.scheme.derivations:
            places = set(zip(reached["_entry"].to_pylist(), reached["_row"].to_pylist(), strict=True))
            derived = self.run.ground.derived(rows.kind, rows.end)
            found: list[Any] = [row for row in derived if (row["_entry"], row["_row"]) in places]
        else:
            found = self.run.ground.view.at(rows.kind, reached.select(["_entry", "_row"])).to_pylist()
        for row in found:
            data = {k: v for k, v in shown_row(row).items() if not k.startswith("_") and v is not None}
            yield RowSeen(rows.kind, row["_entry"], row["_row"], row.get("_line"), data)

    # -- indices --------------------------------------------------------------------------------------------------------
    def _index(self, index: Index, job: Job, value: Value, member: str) -> Explanation:
        period = Period.parse(job.period)
        root = self.run.tree(index, period)
        branch = root if not member else next(b for b in root.walk() if b.id == member and b.children)
        return self._branch(index, job, branch, value)

    def _branch(self, index: Index, job: Job, branch: Branch, value: Value) -> Explanation:
        parts = [self._child(index, job, child) for child in branch.children]
        brought = [self._brought(job, *pair) for pair in zip(branch.children, parts, strict=True)]
        numbers = np.array([brought])
        weights = np.array([float(child.weight) for child in branch.children])
        shares = (
            contributions(numbers, weights, branch.node.aggregate)[0] if weights.any() else np.full(len(parts), np.nan)
        )
        return Explanation(
            value,
            branch.title if branch.title.en else index.title,
            f"{branch.node.aggregate} mean of {len(parts)} by weight",
            inputs=tuple(
                _weighed(part, child, share) for part, child, share in zip(parts, branch.children, shares, strict=True)
            ),
        )

    def _child(self, index: Index, job: Job, child: Branch) -> Explanation:
        if not child.node.measure:
            value = self.value(job, child.id)
            empty = self._absent(index, job.period, child.id, "no members")
            return empty if value is None else self._branch(index, job, child, value)
        period = Period.parse(job.period)
        read = job_for(self.scheme, child.node.measure, period, job.of)
        if self.value(read, child.member) is not None:
            return self.number(child.node.measure, period, child.member, before=False)
        what = declared(self.scheme, child.node.measure)
        return self._absent(what, read.period, child.member, "no rows: leaves the denominator")

    def _brought(self, job: Job, child: Branch, part: Explanation) -> float:
        """What a child brings to its node: a leaf's value on the leaf's own scale."""
        if not child.node.measure:
            return np.nan if part.value.number is None else float(part.value.number)
        period = Period.parse(job.period)
        spine = self.run.spine(job.of, period.first, period.end)
        sheet = self.run.sheet(job_for(self.scheme, child.node.measure, period, job.of))
        column = leaf(child, spine, {child.node.measure: sheet}, self.run.attested.peers)
        return float(column.floats[spine.places([self.subject])[0]])


def _weighed(part: Explanation, child: Branch, share: float) -> Explanation:
    return Explanation(
        part.value,
        child.title if child.title.en else part.title,
        part.formula,
        part.parameters,
        part.reductions,
        part.inputs,
        child.weight,
        None if np.isnan(share) else float(share),
    )
