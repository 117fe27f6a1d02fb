"""The reduced figures under values, for readers who are shown the figures and not the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Measure, Scheme
from mingjian.reckon.measures._engine import key_of, kind_of, reductions
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._plan import Job, declared, jobs, rows_for, wanted
from mingjian.reckon.measures._sheets import places_of
from mingjian.reckon.measures._tables import Ground
from mingjian.reckon.measures._values import COUNT, SUM, VALUE, Aggregate, Part
from mingjian.record.evidence import View


def aggregates(
    scheme: Scheme, view: View, hierarchy: Hierarchy, period: Period, only: Collection[str]
) -> Iterator[Aggregate]:
    """What every reduction in the formulas of ``only`` came to, for each of their values in the period.

    They are not through the release gate: a figure under a value may be shown where that value may. Raises Misuse for an
    unknown measure.
    """
    run = Run(scheme, Ground(scheme, view), hierarchy, None, NOTHING_ATTESTED)
    run.all(jobs(scheme, period, only))
    for job in wanted(scheme, period, only):
        what = declared(scheme, job.name)
        if isinstance(what, Measure) and (what.rollup not in ("sum", "mean") or job.of == what.of):
            yield from _of(run, what, job)


def _of(run: Run, measure: Measure, job: Job) -> Iterator[Aggregate]:
    pairs = run.sheet(job).pairs
    once = {key_of(expr): expr for expr in reductions(measure.expr)}
    for place, (key, expr) in enumerate(once.items()):
        reduced = run.reduction(rows_for(run.scheme, job, kind_of(expr)))
        parts: dict[Part, tuple[Any, ...]] = {VALUE: reduced.values[key]}
        if expr.op == "mean":
            parts = dict(zip((SUM, COUNT), reduced.parts[key], strict=True))
        for part, numbers in parts.items():
            absent = 0 if part == COUNT or expr.op in ("count", "distinct", "rows") else None
            for pair, found in zip(pairs, places_of(pairs, reduced.pairs), strict=True):
                number = numbers[found] if found >= 0 else absent
                yield Aggregate(job.name, pair[0], job.period, pair[1], place, part, _number(expr, part, number))


def _number(expr: Expr, part: Part, number: Any) -> Fraction | float | None:
    if number is None:
        return None
    if expr.kind == "score" and part == VALUE and not isinstance(number, Decimal):
        return float(number)
    return Fraction(number)
