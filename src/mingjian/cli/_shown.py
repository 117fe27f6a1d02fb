"""Values and explanations as JSON and as text."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mingjian.base.values import fraction_text
from mingjian.cli._face import Face
from mingjian.reckon.measures import Explanation, ReductionSeen, RowSeen, Value
from mingjian.record.evidence import text_of
from mingjian.workspace import Explained

if TYPE_CHECKING:
    from rich.tree import Tree


def value_json(value: Value) -> dict[str, Any]:
    """A value: the full number (a fraction where exact, else the shortest text of the double) and the printed one."""
    number = value.number
    full = {"exact": fraction_text(number)} if isinstance(number, Fraction) else {"double": repr(number)}
    return {
        "measure": value.measure,
        "subject": value.subject,
        "period": value.period,
        "member": value.member,
        "status": value.status,
        **({} if number is None else full),
        "printed": value.printed,
        "unit": value.unit,
        **({"reason": value.reason.message} if value.reason is not None else {}),
    }


def value_text(value: Value, face: Face) -> str:
    """A value as a person reads it."""
    return f"{value.printed} {face.unit(value.unit)}".rstrip() if value.status == "value" else face.word(value.status)


def explanation_json(found: Explained) -> dict[str, Any]:
    """The whole tree, every row with file, line, entry and proof."""
    return _node_json(found.root, found)


def _node_json(node: Explanation, found: Explained) -> dict[str, Any]:
    return {
        "value": value_json(node.value),
        "title": {"en": node.title.en, "zh": node.title.zh},
        "formula": node.formula,
        "weight": None if node.weight is None else str(node.weight),
        "contribution": None if node.contribution is None else repr(node.contribution),
        "parameters": [
            {"id": p.id, "value": _parameter(p.value), "unit": p.unit, "from": str(p.start or ""), "source": p.source}
            for p in node.parameters
        ],
        "reductions": [
            {
                "formula": r.text,
                "evidence": r.kind,
                "value": None if r.value is None else str(r.value),
                "count": r.count,
                "ballots": r.ballots,
                "rows": [_row_json(row, found) for row in r.rows],
            }
            for r in node.reductions
        ],
        "inputs": [_node_json(part, found) for part in node.inputs],
    }


def _row_json(row: RowSeen, found: Explained) -> dict[str, Any]:
    entry, proof = found.entries[row.entry], found.proofs[row.entry, row.row]
    return {
        "entry": row.entry,
        "row": row.row,
        "file": entry.source.get("file", ""),
        "line": row.line,
        "at": entry.at,
        "by": entry.by,
        "data": {name: str(value) for name, value in row.data.items()},
        "proof": proof.to_json(),
    }


def _parameter(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: str(number) for name, number in value.items()}
    return None if value is None else str(value)


def explanation_tree(found: Explained, face: Face) -> Tree:
    """The tree as rich text."""
    from rich.tree import Tree

    root = Tree(_heading(found.root, face))
    _fill(root, found.root, found, face)
    return root


def _heading(node: Explanation, face: Face) -> str:
    from rich.markup import escape

    value = node.value
    name = node.title.text(face.language) or value.measure
    part = f" [{value.member}]" if value.member else ""
    line = f"[bold]{escape(name + part)}[/bold] = [bold cyan]{escape(value_text(value, face))}[/bold cyan]"
    line += f"  ({escape(value.subject)}, {value.period})"
    if node.weight is not None:
        line += f"  {face.word('weight')} {node.weight}"
    if node.contribution is not None:
        line += f", {face.word('contribution')} {node.contribution:.4f}"
    return line


def _fill(tree: Tree, node: Explanation, found: Explained, face: Face) -> None:
    from rich.markup import escape

    tree.add(f"{face.word('formula')}: [green]{escape(node.formula)}[/green]")
    if node.value.reason is not None:
        tree.add(escape(node.value.reason.message))
    for p in node.parameters:
        since = f", {face.word('since')} {p.start}" if p.start else ""
        value = f"{_parameter(p.value)} {face.unit(p.unit)}{since}"
        tree.add(escape(f"{face.word('parameter')} {p.id} = {value}; {face.word('source')}: {p.source}"))
    for reduction in node.reductions:
        _reduction(tree, reduction, found, face)
    for part in node.inputs:
        _fill(tree.add(_heading(part, face)), part, found, face)


def _reduction(tree: Tree, reduction: ReductionSeen, found: Explained, face: Face) -> None:
    from rich.markup import escape

    count = face.word("few") if reduction.count is None else str(reduction.count)
    what = face.word("ballots") if reduction.ballots else face.word("rows")
    shown = "–" if reduction.value is None else format(reduction.value)
    branch = tree.add(f"[green]{escape(reduction.text)}[/green] = {shown}  ({count} {what})")
    for row in reduction.rows:
        entry, proof = found.entries[row.entry], found.proofs[row.entry, row.row]
        origin = entry.source.get("file", "") + (f" {face.word('line')} {row.line}" if row.line else "")
        data = ", ".join(f"{k}={text_of(v, face.language)}" for k, v in row.data.items())
        branch.add(
            escape(
                f"{face.word('entry')} {row.entry} {face.word('row')} {row.row} | {origin} | {data} | "
                f"{face.word('proof')} {len(proof.path)}×sha256, salt {proof.salt.hex()[:8]}…"
            )
        )
