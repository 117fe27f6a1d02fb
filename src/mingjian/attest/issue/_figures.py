"""The figures under numbers: committed beside them, so that a reader who is shown no row can still reckon each number.

**Which figures may stand there.** A figure tells no more than what is released anyway:

- It stands only under a released number: nothing under one that is withheld, or has no value where ballots enter.
- A formula over ballots, sealed rows or rows about people must be plain arithmetic (sums, differences, products, quotients) in
  which at most one figure tells what was answered. With the rest known, that one follows from the number itself.
- How many ballots were counted is no answer. It is shown as long as no condition looks at an answer (an optional field of the
  ballot): it is then what the release gate looked at, so never fewer than the minimum. A count of those who answered
  in one way may be of two or three: it tells an answer, however large it is. A mean is its sum and its count.
- Where a formula asks for more, its numbers have no figures, and only a reader who is shown the rows can recompute them.

Of rows that are about no person (readings, contracts) all figures stand; a number is already the subject's own.

**The period before.** A number that looks back on another is reckoned with what that was, which stands in the snapshot too:
it passed the release gate of its own, and is shown to whoever is shown the number of this period.

**Peers.** An index that places a subject among its peers needs their count, least, greatest, mean and standard deviation, from
released values alone. Where any of them is withheld the index was made from more than that: there are no statistics, and it
cannot be recomputed. The least and the greatest are somebody's value, and of very few peers the others follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, cast

import numpy as np

from mingjian.attest.issue._disclosure import Run
from mingjian.attest.statements import REDUCING, Figure, declared, kinds_under, looks_back, peers_under
from mingjian.base.values import Kind, Period
from mingjian.declare import EvidenceType, Expr, walk
from mingjian.reckon.index import stats
from mingjian.reckon.measures import Value, aggregates, evaluate
from mingjian.reckon.release import release

_PLAIN: Final = ("add", "sub", "mul", "div", "coalesce", "lit", "param", "bound", "measure", "previous")


def figures(run: Run, hidden: Collection[str], subjects: Collection[str]) -> Iterator[Figure]:
    """The figures under the released numbers of these subjects, of the ``hidden`` measures that may have any."""
    names = sorted(name for name in hidden if name in run.scheme.measures and tells_no_more(run, name))
    released = {value.key for value in run.values if value.subject in subjects and _released(value)}
    for found in aggregates(run.scheme, run.view, run.hierarchy, run.period, only=names):
        figure = Figure.of(found)
        if figure.key in released:
            yield figure


def before(run: Run, names: Collection[str], subjects: Collection[str]) -> Iterator[Value]:
    """What the measures that the named look back on were in the period before, as of the same rows: released values."""
    periods: dict[Period, list[str]] = {}
    for below in sorted({below for name in names for below in looks_back(run.scheme, name)}):
        kind = cast(Kind, declared(run.scheme, below).period)
        periods.setdefault(run.period.containing(kind).previous(), []).append(below)
    for period, wanted in periods.items():
        found = evaluate(run.scheme, run.view, run.hierarchy, period, only=wanted, subjects=subjects)
        yield from (v for v in release(found, run.scheme.minimum_group) if v.subject in subjects)


def statistics(run: Run, names: Collection[str]) -> Iterator[Figure]:
    """The peers' statistics for the indices among the named."""
    for measure in sorted({measure for name in names for measure in peers_under(run.scheme, name)}):
        yield from _statistics(run, measure)


def tells_no_more(run: Run, name: str) -> bool:
    """Whether the figures under a measure's numbers tell no more than the numbers, by the rules above."""
    measure = run.scheme.measures[name]
    kinds = [run.types[kind] for kind in kinds_under(run.scheme, name)]
    if not any(run.is_close(kind) for kind in kinds):
        return True
    plain = all(node.op in (*_PLAIN, *REDUCING) for node in _above_rows(measure.expr))
    return plain and sum(_told(node, kinds) for node in walk(measure.expr) if node.op in REDUCING) <= 1


def _released(value: Value) -> bool:
    return value.status == "value" or (value.status == "none" and value.group is None)


def _above_rows(expr: Expr) -> Iterator[Expr]:
    """The nodes of a formula down to its reductions."""
    yield expr
    for arg in expr.args if expr.op not in REDUCING else ():
        for inner in arg if isinstance(arg, tuple) else (arg,):
            if isinstance(inner, Expr):
                yield from _above_rows(inner)


def _told(reduction: Expr, kinds: Collection[EvidenceType]) -> int:
    """How many figures of a reduction tell what was answered."""
    answers = {field.name for kind in kinds for field in kind.fields.values() if field.optional or not kind.ballots}
    value, condition = reduction.args
    looks = _fields(condition) if reduction.op == "mean" or _is_field(value) else _fields(value) | _fields(condition)
    counted = all(kind.ballots for kind in kinds) and not looks & answers
    if reduction.op == "mean":
        return 1 if counted else 2
    return 0 if reduction.op in ("count", "rows") and counted else 1


def _is_field(value: object) -> bool:
    return isinstance(value, Expr) and value.op == "field"


def _fields(expr: object) -> set[str]:
    return {str(node.args[1]) for node in walk(expr) if node.op == "field"} if isinstance(expr, Expr) else set()


def _statistics(run: Run, measure: str) -> Iterator[Figure]:
    indices = [index for index in run.scheme.indices.values() if measure in peers_under(run.scheme, index.id)]
    if len({(index.of, index.period) for index in indices}) > 1:
        return  # one name, two columns of peers
    period = run.period.containing(cast(Kind, indices[0].period))
    peers = {subject.id for subject in run.hierarchy.alive(indices[0].of, period.first, period.end)}
    values = [value for value in run.values if value.measure == measure and value.subject in peers]
    if any(value.status == "withheld" for value in values):
        return
    for member in sorted({value.member for value in values}):
        column = [value for value in values if value.member == member]
        found = stats(np.array([np.nan if v.number is None else float(v.number) for v in column]))
        if found is not None:
            yield from Figure.of_peers(measure, member, column[0].period, found)
