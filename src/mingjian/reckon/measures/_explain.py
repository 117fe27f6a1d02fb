"""Why a number is what it is: its formula, what it read, and the rows behind that, down to the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Index, Measure, Scheme, Title, formula_text, walk
from mingjian.reckon.index import contributions
from mingjian.reckon.measures._blocks import Block
from mingjian.reckon.measures._columns import OK, Places, singles
from mingjian.reckon.measures._engine import Reduced, Rows, key_of, kind_of, reductions, touched_rows
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._indices import Branch, leaf
from mingjian.reckon.measures._plan import Job, among_peers, declared, evidence_of, job_for, jobs, rows_for
from mingjian.reckon.measures._values import Results, Value
from mingjian.record.evidence import View


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
    ordered = jobs(scheme, period, [measure])
    known = hierarchy.subject(subject)
    if known is None:
        raise Misuse(f"there is no subject {subject}", remedy="`mingjian measure` lists those there are")
    alone = None if among_peers(scheme, ordered) else {subject}
    run = Run(scheme, view, hierarchy, alone, NOTHING_ATTESTED)
    run.all(ordered)
    job = job_for(scheme, measure, period, known.type)
    Results.of_parts(job.period, [run.block(job)]).value(measure, subject, member)  # the Misuse where there is none
    return _Explainer(run, ordered, subject, known.type).number(measure, period, member, before=False)


class _Explainer:
    def __init__(self, run: Run, ordered: Sequence[Job], subject: str, of: str) -> None:
        self.run, self.scheme, self.subject, self.of = run, run.scheme, subject, of
        self._queries = run.queries(ordered)
        self._touched: dict[Rows, pa.Table] = {}
        self._seen: dict[Rows, dict[tuple[int, int], RowSeen]] = {}

    def number(self, name: str, period: Period, member: str, *, before: bool) -> Explanation:
        job = job_for(self.scheme, name, period, self.of, before=before)
        what = declared(self.scheme, name)
        value = self.run.block(job).get(self.subject, member)
        if value is None:
            return self._absent(what, job.period, member, "no rows")
        if isinstance(what, Index):
            return self._index(what, job, value, member)
        if what.rollup in ("sum", "mean") and self.of != what.of:
            return self._rolled(what, job, value, member)
        nodes = list(walk(what.expr))
        names = dict.fromkeys(str(n.args[0]) for n in nodes if n.op in ("param", "lookup"))
        inputs = dict.fromkeys((str(n.args[0]), n.op == "previous") for n in nodes if n.op in ("measure", "previous"))
        own = Period.parse(job.period)
        return Explanation(
            value,
            what.title,
            formula_text(what.expr),
            tuple(self._parameter(n, own) for n in names),
            tuple(self._reduction(job, r, member) for r in _once(what.expr)),
            tuple(self.number(n, own, self._member(n, member), before=b) for n, b in inputs),
        )

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

    def _reduction(self, job: Job, reduction: Expr, member: str) -> ReductionSeen:
        kind = kind_of(reduction)
        rows = rows_for(self.scheme, job, kind)
        reduced = self.run.reduction(rows, job.of)
        place = reduced.grid.locate([self.subject], [member if rows.each else ""])
        found = reduced.columns[key_of(reduction)].take(place)
        value = singles(found)[0] if found.why[0] == OK else None
        if evidence_of(self.scheme, kind).ballots:
            count = self._counted(reduction, reduced, place)
            if count is None:
                count = self._reached(rows, reduction, member).num_rows
            return ReductionSeen(formula_text(reduction), kind, value, count, (), True)
        reached = self._reached(rows, reduction, member)
        return ReductionSeen(formula_text(reduction), kind, value, reached.num_rows, self._rows(rows, reached), False)

    def _counted(self, reduction: Expr, reduced: Reduced, place: Places) -> int | None:
        """How many rows a reduction counted, where it says so itself: nobody needs to look at the rows again."""
        if reduction.op == "mean":
            counts = reduced.parts[key_of(reduction)][1].take(place)
        elif reduction.op in ("count", "rows"):
            counts = reduced.columns[key_of(reduction)].take(place)
        else:
            return None
        return int(singles(counts)[0]) if counts.why[0] == OK else 0

    def _reached(self, rows: Rows, reduction: Expr, member: str) -> pa.Table:
        """The rows of one reduction and member; asked for all at once, since an index reads many."""
        if rows not in self._touched:
            asked = self._queries[rows]
            found = touched_rows(self.run.query(rows, tuple(asked.values())))
            self._touched[rows] = found.filter(pc.field("_subject") == self.subject)
        place = [*self._queries[rows]].index(key_of(reduction))
        found = self._touched[rows].filter(pc.field(f"r{place}"))
        return found.filter(pc.field("_member") == member) if rows.each else found

    def _rows(self, rows: Rows, reached: pa.Table) -> tuple[RowSeen, ...]:
        if rows not in self._seen:
            self._seen[rows] = {(row.entry, row.row): row for row in self._fetched(rows, self._touched[rows])}
        places: Any = zip(reached["_entry"].to_pylist(), reached["_row"].to_pylist(), strict=True)
        return tuple(self._seen[rows][place] for place in sorted(places))

    def _fetched(self, rows: Rows, reached: pa.Table) -> Iterator[RowSeen]:
        if rows.kind in self.scheme.derivations:
            places = set(zip(reached["_entry"].to_pylist(), reached["_row"].to_pylist(), strict=True))
            derived = self.run.ground.derived(rows.kind, rows.end)
            found: list[Any] = [row for row in derived if (row["_entry"], row["_row"]) in places]
        else:
            found = self.run.ground.view.at(rows.kind, reached.select(["_entry", "_row"])).to_pylist()
        for row in found:
            data = {k: v for k, v in row.items() if not k.startswith("_") and v is not None}
            yield RowSeen(rows.kind, row["_entry"], row["_row"], row.get("_line"), data)

    # -- indices --------------------------------------------------------------------------------------------------------
    def _index(self, index: Index, job: Job, value: Value, member: str) -> Explanation:
        period = Period.parse(job.period)
        root = self.run.tree(index, period)
        branch = root if not member else next(b for b in root.walk() if b.id == member and b.children)
        return self._branch(index, job, branch, value)

    def _branch(self, index: Index, job: Job, branch: Branch, value: Value) -> Explanation:
        values = self.run.block(job)
        parts = [self._child(index, job, child, values) for child in branch.children]
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

    def _child(self, index: Index, job: Job, child: Branch, values: Block) -> Explanation:
        if not child.node.measure:
            value = values.get(self.subject, child.id)
            empty = self._absent(index, job.period, child.id, "no members")
            return empty if value is None else self._branch(index, job, child, value)
        period = Period.parse(job.period)
        read = job_for(self.scheme, child.node.measure, period, job.of)
        there = self.run.block(read).get(self.subject, child.member)
        if there is not None:
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


def _once(expr: Expr) -> Sequence[Expr]:
    return list({key_of(r): r for r in reductions(expr)}.values())
