"""Recording a formula: a plain function is called once with recorders in place of its inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from mingjian.declare._expressions import Expr, FormulaError, Kind, literal, lookup, reduction

KIND_OF_FIELD: Mapping[str, Kind] = {
    "text": "text",
    "choice": "text",
    "subject": "text",
    "ref": "text",
    "period": "text",
    "flag": "flag",
    "date": "date",
    "time": "date",
    "integer": "exact",
    "quantity": "exact",
    "decimal": "exact",
    "series": "series",
}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an evidence type (or a derivation) inside a formula: its fields are attributes.

    ``task.awarded`` is one value a row; ``task.count()`` is how many rows there are.
    """

    _id: str
    _kinds: Mapping[str, Kind]

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._kinds:
            near = get_close_matches(name, self._kinds, n=1)
            raise FormulaError(
                f"{self._id} has no field {name}",
                remedy=f"did you mean {near[0]}?" if near else f"its fields are {', '.join(self._kinds)}",
            )
        return Expr("field", (self._id, name), self._kinds[name], self._id)

    def count(self, where: Expr | None = None) -> Expr:
        """How many of a subject's rows there are (of those where the condition holds); zero over none."""
        return reduction("count", None, where, self._id)


@dataclass(frozen=True, slots=True)
class Table:
    """A table parameter inside a formula: ``points[form.integrity]``."""

    _id: str

    def __getitem__(self, key: object) -> Expr:
        return lookup(Expr("table", (self._id,), "table", None), key)


def parameter(name: str) -> Expr:
    """A dated number: the value in force on the last day of the period."""
    return Expr("param", (name,), "exact", None)


def measure(name: str, kind: Kind) -> Expr:
    """Another measure's value for the same subject and period."""
    return Expr("measure", (name,), kind, "")


def bound(name: str) -> Expr:
    """``period_start`` or ``period_end``: the first and the last day of the period."""
    return Expr("bound", (name,), "date", None)


def inputs_of(formula: Callable[..., object]) -> tuple[str, ...]:
    """The names a formula asks for: its parameters.

    Raises FormulaError for a parameter with a default or a star: a formula has no options.
    """
    parameters = inspect.signature(formula).parameters.values()
    for p in parameters:
        if p.kind is not p.POSITIONAL_OR_KEYWORD or p.default is not p.empty:
            raise FormulaError(
                f"parameter {p.name} of {formula.__name__} has a default or a star", remedy="name plain inputs only"
            )
    return tuple(p.name for p in parameters)


def record(formula: Callable[..., object], inputs: Mapping[str, object]) -> Expr:
    """The expression of a measure. Raises FormulaError when the result is not one number a subject."""
    expr = literal(formula(**inputs))
    if expr.level:
        raise FormulaError(
            f"the result is one value for each row of {expr.level}", remedy="reduce it (sum, mean, count, min, max)"
        )
    if expr.kind not in ("exact", "score"):
        raise FormulaError(
            f"the result is a {expr.kind}, not a number", remedy="return a number; count rows with where="
        )
    return expr


def record_rows(formula: Callable[..., object], inputs: Mapping[str, object], of: str) -> dict[str, Expr]:
    """The expressions of a derivation, by result field. Raises FormulaError when one does not stand at the rows of ``of``."""
    result = formula(**inputs)
    if not isinstance(result, dict) or not result:
        raise FormulaError("a derivation returns a dict of named results", remedy='return {"wh": ...}')
    recorded = {str(name): literal(value) for name, value in result.items()}
    for name, expr in recorded.items():
        if expr.level != of or expr.kind != "exact":
            raise FormulaError(
                f"result {name} is {expr.kind} at level {expr.level!r}, not an exact value for each row of {of}"
            )
    return recorded
