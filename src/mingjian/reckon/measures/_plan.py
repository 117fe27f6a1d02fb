"""What has to be reckoned, in which order, from which rows: pure questions to a scheme."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from mingjian.base.errors import Fault, Misuse
from mingjian.base.values import KINDS, Kind, Period
from mingjian.declare import EvidenceType, Index, Measure, Node, Scheme, row_fields, source_type, walk
from mingjian.reckon.measures._engine import Rows


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """One measure or index, for one period, for the subjects of one type."""

    name: str
    period: str
    of: str


def declared(scheme: Scheme, name: str) -> Measure | Index:
    """The measure or index of that name. Raises Misuse where the scheme has none."""
    found = scheme.measures.get(name) or scheme.indices.get(name)
    if found is None:
        there = sorted([*scheme.measures, *scheme.indices])
        near = get_close_matches(name, there, n=1)
        raise Misuse(
            f"scheme {scheme.id} declares no measure {name}",
            remedy=f"did you mean {near[0]}?" if near else f"it declares {', '.join(there)}",
        )
    return found


def types_of(scheme: Scheme, what: Measure | Index) -> tuple[str, ...]:
    """The subject types that have a value of it: its own and, when it is rolled up, those above."""
    if isinstance(what, Index) or what.rollup == "none":
        return (what.of,)
    return scheme.lineage_of(what.of)


def evidence_of(scheme: Scheme, kind: str) -> EvidenceType:
    """The rows of an evidence type, or of a derivation: those of the type it is made from, with its results."""
    base = source_type(scheme, kind)
    if base is None:
        raise Misuse(f"scheme {scheme.id} declares no evidence {kind}")
    return base if base.id == kind else replace(base, id=kind, fields=row_fields(scheme, kind))


def wanted(
    scheme: Scheme, period: Period, only: Collection[str] | None, types: Collection[str] | None = None
) -> Iterator[Job]:
    """The jobs that a run is asked for: every measure and index whose period is that of ``period`` or longer.

    ``only`` names some of them; Misuse then for one whose period is shorter. ``types`` are the subject types wanted.
    """
    for name in sorted(only) if only is not None else sorted([*scheme.measures, *scheme.indices]):
        what = declared(scheme, name)
        if _longer(what.period, period.kind):
            for of in (of for of in types_of(scheme, what) if types is None or of in types):
                yield Job(name, str(period.containing(_kind(what.period))), of)
        elif only is not None:
            raise Misuse(f"{name} is reckoned by {what.period}, {period} is longer", remedy=f"give a {what.period}")


def jobs(
    scheme: Scheme, period: Period, only: Collection[str] | None, types: Collection[str] | None = None
) -> tuple[Job, ...]:
    """The wanted jobs and all that they read, every one after those it reads."""
    ordered: dict[Job, None] = {}
    for job in wanted(scheme, period, only, types):
        _visit(scheme, job, ordered, ())
    return tuple(ordered)


def _visit(scheme: Scheme, job: Job, ordered: dict[Job, None], trail: tuple[Job, ...]) -> None:
    if job in ordered:
        return
    if job in trail:
        raise Fault(f"{job.name} depends on itself", why=" → ".join(j.name for j in (*trail, job)))
    for needed in reads(scheme, job):
        _visit(scheme, needed, ordered, (*trail, job))
    ordered[job] = None


def reads(scheme: Scheme, job: Job) -> Iterator[Job]:
    """The jobs whose values a job reads."""
    what, period = declared(scheme, job.name), Period.parse(job.period)
    if isinstance(what, Index):
        for leaf in leaves(what.root):
            yield job_for(scheme, leaf.measure, period, job.of)
    elif what.rollup in ("sum", "mean") and job.of != what.of:
        yield Job(job.name, job.period, what.of)
    else:
        for node in walk(what.expr):
            if node.op in ("measure", "previous"):
                yield job_for(scheme, str(node.args[0]), period, job.of, before=node.op == "previous")


def rows_for(scheme: Scheme, job: Job, kind: str) -> Rows:
    """The rows of ``kind`` that a measure's reductions read."""
    measure, period = scheme.measures[job.name], Period.parse(job.period)
    evidence = evidence_of(scheme, kind)
    pooled = measure.rollup == "pool" and any(t.parent == job.of for t in scheme.subjects.values())
    takes = {t for t in scheme.subjects if job.of in scheme.lineage_of(t)} if pooled else {job.of}
    field = next((f for f in evidence.subjects if takes & set(evidence.fields[f].of)), "")
    if not field:
        raise Fault(
            f"{measure.id} is of {job.of}, and no row of {kind} is about one",
            remedy="name a subject field that may hold it, or roll the measure up",
        )
    return Rows(kind, field, job.of if pooled else "", measure.each, measure.window, period.first, period.end, pooled)


def among_peers(scheme: Scheme, ordered: Iterable[Job]) -> bool:
    """Whether any of the jobs places a subject among its peers, so that it takes all of them to reckon one."""
    found = (scheme.indices[job.name] for job in ordered if job.name in scheme.indices)
    return any(leaf.normalise in ("minmax", "zscore") for index in found for leaf in leaves(index.root))


def leaves(node: Node) -> Iterator[Node]:
    """The leaves of an index tree, in order."""
    if node.measure:
        yield node
    for child in node.children:
        yield from leaves(child)


def job_for(scheme: Scheme, name: str, period: Period, of: str, *, before: bool = False) -> Job:
    """The job whose value a formula means by ``name``: in the period of its own kind that holds ``period``.

    ``before`` asks for the calendar period preceding that one. Raises Fault where a subject of type ``of`` has no value of it.
    """
    what = declared(scheme, name)
    if of not in types_of(scheme, what):
        raise Fault(f"{name} is of {what.of} and has no value for a {of}", remedy="declare how it rolls up")
    own = period.containing(_kind(what.period))
    return Job(name, str(own.previous() if before else own), of)


def _longer(kind: str, than: str) -> bool:
    return KINDS.index(_kind(kind)) <= KINDS.index(_kind(than))


def _kind(text: str) -> Kind:
    return next(kind for kind in KINDS if kind == text)
