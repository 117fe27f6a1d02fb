"""Whether formulas that came as data read only what the scheme declares, and as what it is.

Formulas recorded from Python hold to this by construction; data may come from a stranger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from mingjian.declare._expressions import Expr, walk
from mingjian.declare._fields import row_fields
from mingjian.declare._model import Scheme
from mingjian.declare._record import KIND_OF_FIELD
from mingjian.declare._section import SCHEME_FILE, Report

BOUNDS = ("period_start", "period_end")


def names_read(expr: Expr) -> set[str]:
    """Everything that a formula reads, by the name under which it is declared."""
    named = ("field", "rows", "param", "lookup", "measure", "previous", "bound")
    return {str(node.args[0]) for node in walk(expr) if node.op in named}


def check_references(scheme: Scheme, report: Report) -> None:
    """Report every name that a formula reads and the scheme has not, or has as something else, and a cycle."""
    for name, expr, level in _formulas(scheme):
        if expr.level not in (level, None) or (level and expr.level is None):
            _fault(report, f"{name} stands at level {expr.level!r}, not {level!r}")
        if expr.kind not in ("exact", "score"):
            _fault(report, f"{name} gives a {expr.kind}, not a number")
        for node in walk(expr):
            if not _holds(scheme, node):
                _fault(
                    report, f"{name} reads {' '.join(str(a) for a in node.args if isinstance(a, str))} as {node.kind}"
                )
    try:
        TopologicalSorter(_graph(scheme)).prepare()
    except CycleError as fault:
        _fault(report, f"a cycle: {' reads '.join(reversed(fault.args[1]))}")


def _formulas(scheme: Scheme) -> Iterator[tuple[str, Expr, str]]:
    for measure in scheme.measures.values():
        yield measure.id, measure.expr, ""
    for derivation in scheme.derivations.values():
        for result, expr in derivation.expr.items():
            yield f"{derivation.id}.{result}", expr, derivation.of


def _graph(scheme: Scheme) -> Mapping[str, set[str]]:
    graph = {name: names_read(measure.expr) for name, measure in scheme.measures.items()}
    for name, derivation in scheme.derivations.items():
        graph[name] = {derivation.of}.union(*map(names_read, derivation.expr.values()))
    return graph | {name: {n.measure for n in index.nodes() if n.measure} for name, index in scheme.indices.items()}


def _holds(scheme: Scheme, node: Expr) -> bool:
    name = str(node.args[0])
    match node.op:
        case "bound":
            return name in BOUNDS
        case "rows":
            return bool(row_fields(scheme, name))
        case "field":
            field = row_fields(scheme, name).get(str(node.args[1]))
            return field is not None and KIND_OF_FIELD[field.type] == node.kind
        case "param" | "lookup":
            parameter = scheme.parameters.get(name)
            return parameter is not None and all(
                isinstance(dated.value, Decimal) == (node.op == "param") for dated in parameter.values
            )
        case "measure" | "previous":
            if name in scheme.indices:
                return node.kind == "score"
            return name in scheme.measures and scheme.measures[name].expr.kind == node.kind
    return True


def _fault(report: Report, message: str) -> None:
    report.add("bad-reference", message, SCHEME_FILE, 0)
