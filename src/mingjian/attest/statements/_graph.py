"""What a number is made from, read off the scheme: the measures and the kinds of rows under a formula."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mingjian.base.errors import Misuse
from mingjian.declare import Expr, Index, Measure, Node, Scheme, walk

_PEERS = ("minmax", "zscore")


def declared(scheme: Scheme, name: str) -> Measure | Index:
    """The measure or index of that name. Raises Misuse where the scheme has none."""
    found = scheme.measures.get(name) or scheme.indices.get(name)
    if found is None:
        raise Misuse(f"scheme {scheme.id} declares no measure {name!r}")
    return found


def read_by(scheme: Scheme, name: str) -> frozenset[str]:
    """The measures and indices that a measure or index reads directly, of this period or the one before."""
    what = declared(scheme, name)
    if isinstance(what, Index):
        return frozenset(node.measure for node in _nodes(what.root) if node.measure)
    return frozenset(str(node.args[0]) for node in walk(what.expr) if node.op in ("measure", "previous"))


def looks_back(scheme: Scheme, name: str) -> frozenset[str]:
    """The measures whose value of the preceding period a measure reads."""
    what = declared(scheme, name)
    if isinstance(what, Index):
        return frozenset()
    return frozenset(str(node.args[0]) for node in walk(what.expr) if node.op == "previous")


def closure(scheme: Scheme, names: Collection[str]) -> tuple[str, ...]:
    """The named measures and all that they are made from, sorted."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        waiting = {below for name in waiting for below in read_by(scheme, name)} - found
    return tuple(sorted(found))


def kinds_under(scheme: Scheme, name: str) -> frozenset[str]:
    """The evidence types whose rows a measure's own formula reduces, through derivations too; none for an index."""
    what = declared(scheme, name)
    return frozenset() if isinstance(what, Index) else frozenset(_kinds(scheme, what.expr))


def dimensions_under(scheme: Scheme, names: Collection[str]) -> frozenset[str]:
    """The dimensions from whose rows the indices among the named grow their children."""
    indices = (scheme.indices[name] for name in names if name in scheme.indices)
    return frozenset(node.members for index in indices for node in _nodes(index.root) if node.members)


def peers_under(scheme: Scheme, name: str) -> frozenset[str]:
    """The measures by which an index places a subject among its peers, so that its rows alone do not make the number."""
    what = declared(scheme, name)
    if not isinstance(what, Index):
        return frozenset()
    return frozenset(node.measure for node in _nodes(what.root) if node.measure and node.normalise in _PEERS)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _kinds(scheme: Scheme, expr: Expr) -> Iterator[str]:
    levels = {str(node.args[0]) for node in walk(expr) if node.op in ("field", "rows")}
    for level in levels:
        derivation = scheme.derivations.get(level)
        if derivation is None:
            yield level
            continue
        yield from _kinds(scheme, Expr("rows", (derivation.of, None), "exact", ""))
        for result in derivation.expr.values():
            yield from _kinds(scheme, result)
