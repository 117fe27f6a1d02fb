"""Which rows a number came from: those that its formulas' conditions let through, not all that share a key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Measure, Scheme
from mingjian.reckon.measures._engine import Rows
from mingjian.reckon.measures._evaluate import NOTHING_ATTESTED, Run
from mingjian.reckon.measures._plan import Job, declared, jobs
from mingjian.record.evidence import View

Places = dict[str, set[tuple[int, int]]]  # by evidence type, the (entry, row) of each row
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
    tracer = _Tracer(scheme, view, hierarchy, jobs(scheme, period, only), subjects)
    return tracer.lineage(tracer.ordered)


def lineages(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    period: Period,
    names: Collection[str],
    subjects: Collection[str] | None = None,
) -> Mapping[str, Lineage]:
    """The lineage of each of some measures and indices apart, with what they read, from one pass over the rows.

    ``subjects`` restricts it to these and those below them.
    """
    tracer = _Tracer(scheme, view, hierarchy, jobs(scheme, period, names), subjects)
    return {name: tracer.lineage(jobs(scheme, period, [name])) for name in names}


class _Tracer:
    """The rows behind every reduction of some jobs, by subject."""

    def __init__(
        self,
        scheme: Scheme,
        view: View,
        hierarchy: Hierarchy,
        ordered: Sequence[Job],
        subjects: Collection[str] | None,
    ) -> None:
        self.scheme, self.hierarchy, self.ordered = scheme, hierarchy, ordered
        self._run = Run(scheme, view, hierarchy, subjects, NOTHING_ATTESTED)
        self._asked = None if subjects is None else self._run.with_below(subjects)
        self._found: dict[tuple[Rows, str], dict[str, Places]] = {}
        for rows, keys, table in self._run.touched(ordered):
            for i, key in enumerate(keys):
                self._found[rows, key] = self._traced(rows, table.filter(pc.field(f"r{i}")))

    def lineage(self, ordered: Sequence[Job]) -> Lineage:
        """The rows behind these jobs, which are among those that were traced."""
        found: dict[str, Places] = {}
        for job in ordered:
            period = Period.parse(job.period)
            there = set(self._run.spine(job.of, period.first, period.end).subjects)
            for rows, asked in self._run.queries([job]).items():
                for key in asked:
                    for subject, places in self._found[rows, key].items():
                        if subject in there:
                            _add(found, subject, places)
        for above, below in _rolled(self.scheme, self.hierarchy, ordered):
            if below in found and (self._asked is None or above in self._asked):
                _add(found, above, found[below])
        return {s: {kind: tuple(sorted(p)) for kind, p in sorted(kinds.items())} for s, kinds in sorted(found.items())}

    def _traced(self, rows: Rows, table: pa.Table) -> dict[str, Places]:
        derived = rows.kind in self.scheme.derivations
        origins = self._run.ground.origins(rows.kind, rows.end) if derived else None
        found: dict[str, Places] = {}
        for subject, entry, row in zip(*(table[c].to_pylist() for c in ("_subject", "_entry", "_row")), strict=True):
            sources = [(rows.kind, entry, row)] if origins is None else origins[entry, row]
            places = found.setdefault(subject, {})
            for kind, e, r in sources:
                places.setdefault(kind, set()).add((e, r))
        return found


def _add(found: dict[str, Places], subject: str, places: Places) -> None:
    mine = found.setdefault(subject, {})
    for kind, there in places.items():
        mine.setdefault(kind, set()).update(there)


def _rolled(scheme: Scheme, hierarchy: Hierarchy, ordered: Collection[Job]) -> Iterator[tuple[str, str]]:
    """Who stands above whom for values that are sums or means of those below."""
    for job in ordered:
        what, period = declared(scheme, job.name), Period.parse(job.period)
        if isinstance(what, Measure) and what.rollup in ("sum", "mean") and job.of != what.of:
            for subject in hierarchy.alive(what.of, period.first, period.end):
                above = hierarchy.ancestor(subject.id, job.of, period.end - timedelta(days=1))
                if above is not None:
                    yield above, subject.id
