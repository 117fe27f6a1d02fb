"""Which rows a number came from: those that its formulas' conditions let through, not all that share a key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Measure, Scheme
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._plan import Job, declared, jobs
from mingjian.reckon.measures._tables import Ground
from mingjian.record.evidence import View

Rows = dict[str, set[tuple[int, int]]]
Lineage = Mapping[str, Mapping[str, tuple[tuple[int, int], ...]]]


def lineage(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    period: Period,
    *,
    only: Collection[str] | None = None,
    subjects: Collection[str] | None = None,
) -> Lineage:
    """For each subject, by evidence type, the (entry, row) of every row that entered a value of the run.

    Derived rows are given as the evidence they were made from. A value rolled up from those below has their rows too.
    Rows of ballots are among them: who may see them is for the caller to decide.
    """
    ordered = jobs(scheme, period, only)
    run = Run(scheme, Ground(scheme, view), hierarchy, subjects, NOTHING_ATTESTED)
    found: dict[str, Rows] = {}
    for rows, table in run.touched(ordered):
        origins = run.ground.origins(rows.kind, rows.end) if rows.kind in scheme.derivations else None
        for subject, entry, row in zip(*(table[c].to_pylist() for c in ("_subject", "_entry", "_row")), strict=True):
            sources = [(rows.kind, entry, row)] if origins is None else origins[entry, row]
            for kind, e, r in sources:
                found.setdefault(subject, {}).setdefault(kind, set()).add((e, r))
    asked = None if subjects is None else run.with_below(subjects)
    for above, below in _rolled(scheme, hierarchy, ordered):
        if asked is not None and above not in asked:
            continue
        for kind, places in found.get(below, {}).items():
            found.setdefault(above, {}).setdefault(kind, set()).update(places)
    return {s: {kind: tuple(sorted(p)) for kind, p in sorted(kinds.items())} for s, kinds in sorted(found.items())}


def _rolled(scheme: Scheme, hierarchy: Hierarchy, ordered: Collection[Job]) -> Iterator[tuple[str, str]]:
    """Who stands above whom for values that are sums or means of those below."""
    for job in ordered:
        what, period = declared(scheme, job.name), Period.parse(job.period)
        if isinstance(what, Measure) and what.rollup in ("sum", "mean") and job.of != what.of:
            for subject in hierarchy.alive(what.of, period.first, period.end):
                above = hierarchy.ancestor(subject.id, job.of, period.end - timedelta(days=1))
                if above is not None:
                    yield above, subject.id
