"""An explanation as it may be shown: through the release gate, every row with its place and proof in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Scheme
from mingjian.reckon.measures import Explanation, ReductionSeen, Results, RowSeen, explain
from mingjian.reckon.release import release
from mingjian.record.evidence import View
from mingjian.record.ledger import Entry, Ledger, RowProof


@dataclass(frozen=True, slots=True)
class Explained:
    """The tree of an explanation, the entries its rows came with and a proof of each row, by (entry, row)."""

    root: Explanation
    entries: Mapping[int, Entry]
    proofs: Mapping[tuple[int, int], RowProof]


def explained(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    ledger: Ledger,
    measure: str,
    subject: str,
    period: Period,
    member: str,
) -> Explained:
    """Explain a number and locate each row behind it. Raises Misuse as `explain` does."""
    root = gated(explain(scheme, view, hierarchy, measure, subject, period, member), scheme.minimum_group)
    places: dict[int, set[int]] = {}
    for row in rows_of(root):
        places.setdefault(row.entry, set()).add(row.row)
    proofs = {
        (index, proof.row): proof for index, rows in places.items() for proof in ledger.prove_rows(index, sorted(rows))
    }
    state = ledger.state()
    return Explained(root, {index: state.entry(index) for index in places}, proofs)


def rows_of(explanation: Explanation) -> Iterator[RowSeen]:
    """Every row in the tree."""
    for reduction in explanation.reductions:
        yield from reduction.rows
    for part in explanation.inputs:
        yield from rows_of(part)


def gated(explanation: Explanation, minimum: int) -> Explanation:
    """The tree with every figure about few withheld, also those inside a figure that may be shown."""
    (value,) = release(Results(explanation.value.period, [explanation.value]), minimum)
    return replace(
        explanation,
        value=value,
        reductions=tuple(_gated(r, minimum) for r in explanation.reductions),
        inputs=tuple(gated(part, minimum) for part in explanation.inputs),
        contribution=explanation.contribution if value.number is not None else None,
    )


def _gated(reduction: ReductionSeen, minimum: int) -> ReductionSeen:
    if not reduction.ballots or reduction.count is None or reduction.count >= minimum:
        return reduction
    return replace(reduction, value=None, count=None)
