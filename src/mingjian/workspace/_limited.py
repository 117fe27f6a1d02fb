"""An explanation as one reader may see it: what is above their label is counted, and not shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from mingjian.declare import Scheme, source_type
from mingjian.reckon.measures import Explanation, ReductionSeen, RowSeen
from mingjian.workspace._explained import Explained, rows_of


def limited(found: Explained, scheme: Scheme, hidden: Collection[str]) -> Explained:
    """The same numbers without the rows of the ``hidden`` evidence types, and without what stands in sealed fields."""
    sealed = {
        kind: frozenset(field.name for field in evidence.fields.values() if field.label == "sealed")
        for kind, evidence in scheme.evidence.items()
    }
    root = _node(found.root, scheme, hidden, sealed)
    shown = {(row.entry, row.row) for row in rows_of(root)}
    return Explained(
        root,
        {index: entry for index, entry in found.entries.items() if any(index == entry_ for entry_, _ in shown)},
        {place: proof for place, proof in found.proofs.items() if place in shown},
    )


def _node(
    node: Explanation, scheme: Scheme, hidden: Collection[str], sealed: Mapping[str, frozenset[str]]
) -> Explanation:
    return replace(
        node,
        reductions=tuple(_reduction(reduction, scheme, hidden, sealed) for reduction in node.reductions),
        inputs=tuple(_node(part, scheme, hidden, sealed) for part in node.inputs),
    )


def _reduction(
    reduction: ReductionSeen, scheme: Scheme, hidden: Collection[str], sealed: Mapping[str, frozenset[str]]
) -> ReductionSeen:
    base = source_type(scheme, reduction.kind)
    kind = base.id if base is not None else reduction.kind
    if kind in hidden:
        return replace(reduction, rows=())
    without = sealed.get(kind, frozenset())
    return replace(reduction, rows=tuple(_row(row, without) for row in reduction.rows)) if without else reduction


def _row(row: RowSeen, without: Collection[str]) -> RowSeen:
    return replace(row, data={name: value for name, value in row.data.items() if name not in without})
