"""Arithmetic on the spine: one value (or a reason why there is none) for each subject, all subjects at once.

Exact columns hold Python integers and Fractions, scores hold doubles. Both go through the same code: rows were already
reduced by an engine, so what is left is small, and the same on every engine.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mingjian.declare import Expr

Codes = npt.NDArray[np.uint8]
Groups = npt.NDArray[np.int64]

OK, NO_ROWS, ZERO_DENOMINATOR, UNDEFINED, NO_VALUE = range(5)
NO_BALLOTS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Column:
    """``values`` aligned to a spine. ``why`` is OK where there is a value, else the reason; ``group`` the least ballots."""

    values: npt.NDArray[Any]
    why: Codes
    group: Groups

    def __len__(self) -> int:
        return len(self.values)

    @property
    def floats(self) -> npt.NDArray[np.float64]:
        """The values as doubles, NaN where there is none."""
        out = np.full(len(self), np.nan)
        good = self.why == OK
        out[good] = self.values[good].astype(np.float64)
        return out

    def take(self, index: npt.NDArray[np.intp]) -> Column:
        """The column at the given places; a place of -1 has no value."""
        missing = index < 0
        if not len(self):  # there is no place that the missing ones could stand in for
            return nothing(len(index))
        why = np.where(missing, NO_VALUE, self.why[index]).astype(np.uint8)
        return Column(self.values[index], why, np.where(missing, NO_BALLOTS, self.group[index]))


def nothing(size: int) -> Column:
    """A column without any value."""
    return Column(np.full(size, np.nan), np.full(size, NO_VALUE, np.uint8), np.full(size, NO_BALLOTS))


class Inputs(Protocol):
    """What a formula on the spine reads, each aligned to that spine."""

    size: int

    def reduced(self, expr: Expr) -> Column:
        """A reduction of rows."""

    def measure(self, name: str) -> Column:
        """Another measure in the same period."""

    def previous(self, name: str) -> Column:
        """Another measure in the period before."""

    def constant(self, expr: Expr) -> Any:
        """A parameter, a bound of the period or a literal; None where a parameter has no value yet."""


def finish(expr: Expr, inputs: Inputs) -> Column:
    """The column of an expression whose rows are reduced. Division by zero gives no value and says so."""
    match expr.op:
        case "lit" | "param" | "bound":
            return full(inputs.constant(expr), inputs.size, expr.kind)
        case "lookup":
            assert isinstance(expr.args[1], Expr)
            return _looked_up(inputs.constant(expr) or {}, finish(expr.args[1], inputs))
        case "measure":
            return inputs.measure(str(expr.args[0]))
        case "previous":
            return inputs.previous(str(expr.args[0]))
        case "sum" | "mean" | "min" | "max" | "count" | "distinct" | "rows":
            return inputs.reduced(expr)
        case "coalesce" | "least" | "greatest":
            assert isinstance(expr.args[0], tuple)
            columns = [_as(finish(x, inputs), expr.kind) for x in expr.args[0]]
            return _coalesce(columns) if expr.op == "coalesce" else _extreme(expr.op, columns)
    operands = [finish(x, inputs) for x in expr.args if isinstance(x, Expr)]
    match expr.op:
        case "add" | "sub" | "mul" | "floordiv" | "pow" | "div":
            return _arithmetic(expr, operands)
        case "eq" | "ne" | "lt" | "le" | "gt" | "ge":
            return _apply(getattr(operator, expr.op), operands, np.bool_)
        case "and" | "or":
            return _logic(expr.op, *operands)
        case "not":
            return _apply(np.logical_not, operands, np.bool_)
        case "isin":
            assert isinstance(expr.args[1], tuple)
            words = {choice.args[0] for choice in expr.args[1]}
            return _apply(lambda texts: [text in words for text in texts], operands, np.bool_)
        case "isnull":
            (x,) = operands
            return replace(x, values=x.why != OK, why=np.zeros(len(x), np.uint8))
        case "days":
            return _apply(_days, operands, np.object_)
        case "where":
            return _where(expr, operands)
    raise AssertionError(f"{expr.op} does not stand on the spine")


def full(value: object, size: int, kind: str) -> Column:
    """A constant column; None is no value."""
    dtype: Any = np.float64 if kind == "score" else np.bool_ if kind == "flag" else np.object_
    values = np.empty(size, dtype)
    values[:] = _number(value, kind) if value is not None else _filler(kind)
    return Column(values, np.full(size, OK if value is not None else NO_VALUE, np.uint8), no_ballots(size))


def column(values: list[Any], kind: str, group: Groups | None = None) -> Column:
    """A column from reduced values, None where a subject has no rows."""
    dtype: Any = np.float64 if kind == "score" else np.object_
    out = np.empty(len(values), dtype)
    filler = _filler(kind)
    out[:] = [filler if v is None else _number(v, kind) for v in values]
    why = np.fromiter((OK if v is not None else NO_ROWS for v in values), np.uint8, len(values))
    return Column(out, why, no_ballots(len(values)) if group is None else group)


def no_ballots(size: int) -> Groups:
    """The group of values that no ballot enters."""
    return np.full(size, NO_BALLOTS, np.int64)


def _number(value: object, kind: str) -> object:
    if kind == "score":
        return float(value)  # type: ignore[arg-type]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else Fraction(value)
    return value


def _filler(kind: str) -> object:
    return {"score": np.nan, "flag": False, "date": date.min}.get(kind, 0)


def _why(columns: list[Column]) -> Codes:
    out = np.zeros(len(columns[0]), np.uint8)
    for c in columns:
        out = np.where(out == OK, c.why, out)
    return out


def _group(columns: list[Column]) -> Groups:
    out = columns[0].group
    for c in columns[1:]:
        out = np.minimum(out, c.group)
    return out


def _apply(function: Callable[..., Any], columns: list[Column], dtype: Any) -> Column:
    why = _why(columns)
    good = why == OK
    values = np.zeros(len(why), dtype)
    if good.any():
        values[good] = function(*(c.values[good] for c in columns))
    return Column(values, why, _group(columns))


def _arithmetic(expr: Expr, operands: list[Column]) -> Column:
    if expr.kind == "span":
        return _apply(operator.sub, operands, np.object_)
    left, right = (_as(c, expr.kind) for c in operands)
    if expr.op in ("div", "floordiv"):
        zero = (right.why == OK) & (right.values == 0).astype(bool)
        right = replace(right, why=np.where(zero, ZERO_DENOMINATOR, right.why).astype(np.uint8))
    if expr.kind == "exact":
        return _apply(_EXACT[expr.op], [left, right], np.object_)
    with np.errstate(all="ignore"):
        out = _apply(_SCORES[expr.op], [left, right], np.float64)
    undefined = (out.why == OK) & ~np.isfinite(out.values)
    return replace(out, why=np.where(undefined, UNDEFINED, out.why).astype(np.uint8))


def _logic(op: str, left: Column, right: Column) -> Column:
    """Both or either; where one side has no value, the other may still decide."""
    decisive = op == "or"
    decided = [(c.why == OK) & (c.values.astype(bool) == decisive) for c in (left, right)]
    why = np.where(decided[0] | decided[1], OK, _why([left, right])).astype(np.uint8)
    values = decided[0] | decided[1] if decisive else ~(decided[0] | decided[1])
    return Column(values, why, _group([left, right]))


def _looked_up(table: Mapping[str, Decimal], keys: Column) -> Column:
    found = [table.get(key) for key in keys.values]
    there = np.array([number is not None for number in found], np.bool_)
    values = np.empty(len(keys), np.object_)
    values[:] = [_number(number, "exact") if number is not None else 0 for number in found]
    why = np.where((keys.why == OK) & ~there, NO_VALUE, keys.why).astype(np.uint8)
    return Column(values, why, keys.group)


def _as(column: Column, kind: str) -> Column:
    if kind == "score" and column.values.dtype == np.object_:
        return replace(column, values=column.floats)
    return column


def _coalesce(columns: list[Column]) -> Column:
    out = columns[0]
    for c in columns[1:]:
        empty = out.why != OK
        out = Column(
            np.where(empty, c.values, out.values),
            np.where(empty, c.why, out.why).astype(np.uint8),
            np.where(empty, c.group, out.group),
        )
    return replace(out, group=_group(columns))


def _extreme(op: str, columns: list[Column]) -> Column:
    function = np.minimum if op == "least" else np.maximum
    out = columns[0]
    for c in columns[1:]:
        out = _apply(function, [out, c], out.values.dtype)
    return out


def _where(expr: Expr, operands: list[Column]) -> Column:
    condition, then, otherwise = operands[0], _as(operands[1], expr.kind), _as(operands[2], expr.kind)
    chosen = condition.values.astype(bool)
    why = np.where(condition.why != OK, condition.why, np.where(chosen, then.why, otherwise.why)).astype(np.uint8)
    return Column(np.where(chosen, then.values, otherwise.values), why, _group([condition, then, otherwise]))


def _quotients(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(len(a), np.object_)
    out[:] = [Fraction(x, y) for x, y in zip(a, b, strict=True)]
    return out


def _days(spans: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(len(spans), np.object_)
    out[:] = [span.days for span in spans]
    return out


_EXACT: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _quotients,
    "floordiv": operator.floordiv,
}
_SCORES: Mapping[str, Callable[..., Any]] = {**_EXACT, "div": operator.truediv, "pow": np.power}
