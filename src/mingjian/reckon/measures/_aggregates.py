"""The reduced figures under values, for readers who are shown the figures and not the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Measure, Scheme
from mingjian.reckon.measures._columns import OK, Column, singles
from mingjian.reckon.measures._engine import key_of, kind_of, reductions
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._plan import Job, declared, jobs, rows_for, wanted
from mingjian.reckon.measures._values import COUNT, SUM, VALUE, Aggregate, Part
from mingjian.record.evidence import View


def aggregates(
    scheme: Scheme, view: View, hierarchy: Hierarchy, period: Period, only: Collection[str]
) -> Iterator[Aggregate]:
    """What every reduction in the formulas of ``only`` came to, for each of their values in the period.

    They are not through the release gate: a figure under a value may be shown where that value may. Raises Misuse for an
    unknown measure.
    """
    run = Run(scheme, view, hierarchy, None, NOTHING_ATTESTED)
    run.all(jobs(scheme, period, only))
    for job in wanted(scheme, period, only):
        what = declared(scheme, job.name)
        if isinstance(what, Measure) and (what.rollup not in ("sum", "mean") or job.of == what.of):
            yield from _of(run, what, job)


def _of(run: Run, measure: Measure, job: Job) -> Iterator[Aggregate]:
    grid = run.sheet(job).grid
    once = {key_of(expr): expr for expr in reductions(measure.expr)}
    for place, (key, expr) in enumerate(once.items()):
        reduced = run.reduction(rows_for(run.scheme, job, kind_of(expr)), job.of)
        parts: dict[Part, Column] = {VALUE: reduced.columns[key]}
        if expr.op == "mean":
            parts = dict(zip((SUM, COUNT), reduced.parts[key], strict=True))
        for part, numbers in parts.items():
            counted = part == COUNT or expr.op in ("count", "distinct", "rows")
            aligned = numbers.take(reduced.grid.places(grid))
            for (subject, member), why, number in zip(
                grid.pairs(), aligned.why.tolist(), singles(aligned), strict=True
            ):
                told = number if why == OK else Fraction(0) if counted else None
                yield Aggregate(job.name, subject, job.period, member, place, part, told)
