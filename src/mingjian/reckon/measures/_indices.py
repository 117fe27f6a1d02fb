"""Index trees on the spine: every node aggregates its children, all subjects at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from mingjian.base.errors import Fault
from mingjian.declare import Index, Node, Title
from mingjian.reckon.index import Reason, Stats, aggregate, normalise
from mingjian.reckon.measures._columns import NO_ROWS, NO_VALUE, OK, UNDEFINED, Column, nothing
from mingjian.reckon.measures._sheets import Grid, Sheet, Spine

WHY = {Reason.VALUE: OK, Reason.ABSENT: NO_VALUE, Reason.CONSTANT: UNDEFINED, Reason.NEGATIVE: UNDEFINED}
Member = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Branch:
    """A node with its children grown: ``member`` names the member of the measure's breakdown that a leaf reads."""

    id: str
    title: Title
    weight: Decimal
    node: Node
    children: tuple[Branch, ...] = ()
    member: str = ""

    def walk(self) -> Iterator[Branch]:
        """This branch and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def grow(node: Node, members: Callable[[str], Sequence[Member]], keys: Callable[[str], str]) -> Branch:
    """The tree of a period: nodes that name a dimension get a child for each of its rows.

    ``members`` gives a dimension's rows, ``keys`` the field that identifies them; a dimension without rows has no value.
    Raises Fault for a weight that is missing.
    """
    if not node.members:
        return Branch(node.id, node.title, node.weight, node, tuple(grow(c, members, keys) for c in node.children))
    rows = sorted(members(node.members), key=lambda row: str(row[keys(node.members)]))
    leaves = [
        Branch(
            str(row[keys(node.members)]),
            _title(row, ""),
            _weight(node, row),
            replace(node, members=""),
            (),
            str(row[keys(node.members)]),
        )
        for row in rows
    ]
    if not node.group:
        return Branch(node.id, node.title, node.weight, replace(node, measure=""), tuple(leaves))
    grouped: dict[str, list[tuple[Member, Branch]]] = {}
    for row, leaf in zip(rows, leaves, strict=True):
        grouped.setdefault(str(row[node.group]), []).append((row, leaf))
    inner = tuple(_group(node, name, parts) for name, parts in grouped.items())
    return Branch(node.id, node.title, node.weight, replace(node, measure=""), inner)


def reckon(index: Index, root: Branch, spine: Spine, sheets: Mapping[str, Sheet], peers: Mapping[str, Stats]) -> Sheet:
    """The index and its inner nodes for every subject; ``peers`` has attested statistics by measure and member."""
    columns: dict[str, Column] = {}
    total = _column(root, spine, sheets, peers, columns)
    columns.pop(root.id, None)  # the root is the index itself, not a part of it
    stacked = [total, *(columns[member] for member in sorted(columns))]
    size = len(spine.subjects) * len(stacked)
    grid = Grid(spine, ("", *sorted(columns)), np.arange(size, dtype=np.int64))
    floats, why, group = (
        np.stack([getattr(c, part) for c in stacked], axis=1).ravel() for part in ("floats", "why", "group")
    )
    return Sheet(grid, Column(np.where(why == OK, floats, 0.0), why, group))


def peers_key(measure: str, member: str) -> str:
    """How attested statistics of a leaf are named."""
    return f"{measure}/{member}" if member else measure


def _column(
    branch: Branch,
    spine: Spine,
    sheets: Mapping[str, Sheet],
    peers: Mapping[str, Stats],
    inner: dict[str, Column],
) -> Column:
    if not branch.children:
        return leaf(branch, spine, sheets, peers)
    parts = [_column(c, spine, sheets, peers, inner) for c in branch.children]
    out = aggregate(
        np.stack([p.floats for p in parts], axis=1),
        np.array([float(c.weight) for c in branch.children]),
        branch.node.aggregate,
    )
    column = Column(out.values, _codes(out.reasons), np.min([p.group for p in parts], axis=0))
    if branch.id:
        inner[branch.id] = column
    return column


def leaf(branch: Branch, spine: Spine, sheets: Mapping[str, Sheet], peers: Mapping[str, Stats]) -> Column:
    """What a leaf brings to the node above it: its measure on the leaf's own scale."""
    node = branch.node
    if not node.measure:  # a dimension that has no members yet
        return nothing(len(spine.subjects))
    column = sheets[node.measure].member(spine, branch.member)
    if node.normalise == "none":
        return replace(column, values=column.floats)
    low, high = (None if x is None else float(x) for x in (node.low, node.high))
    stats = peers.get(peers_key(node.measure, branch.member))
    scaled = normalise(column.floats, node.normalise, low, high, stats)
    why = np.where(column.why == OK, _codes(scaled.reasons), column.why).astype(np.uint8)
    return Column(scaled.values, why, column.group)


def _codes(reasons: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    table = np.full(len(Reason), NO_ROWS, np.uint8)
    for reason, code in WHY.items():
        table[reason] = code
    return table[reasons]


def _group(node: Node, name: str, parts: Sequence[tuple[Member, Branch]]) -> Branch:
    first = parts[0][0]
    own = first.get(node.group_weight) if node.group_weight else None
    weight = Decimal(str(own)) if own is not None else sum((leaf.weight for _, leaf in parts), Decimal(0))
    inner = replace(node, measure="", members="", normalise="none")
    return Branch(name, _title(first, f"{node.group}_"), weight, inner, tuple(leaf for _, leaf in parts))


def _title(row: Member, prefix: str) -> Title:
    return Title(str(row.get(f"{prefix}en") or ""), str(row.get(f"{prefix}zh") or ""))


def _weight(node: Node, row: Member) -> Decimal:
    value = row.get(node.member_weight)
    if value is None:
        raise Fault(f"a row of {node.members} has no {node.member_weight}", remedy="give each member its weight")
    return Decimal(str(value))
