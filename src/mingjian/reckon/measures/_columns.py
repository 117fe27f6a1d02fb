"""Arithmetic on the spine: one value (or a reason why there is none) for each subject, all subjects at once.

Rows were already reduced by an engine, so what is left is small, and the same on every engine. Exact columns are `Ratios`,
scores are doubles, dates are days; where there is no value an element holds a filler and ``why`` says why.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from mingjian.declare import Expr
from mingjian.reckon.measures._ratios import Mask, Ratios

Codes = npt.NDArray[np.uint8]
Groups = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
Values: TypeAlias = Ratios | npt.NDArray[Any]

OK, NO_ROWS, ZERO_DENOMINATOR, UNDEFINED, NO_VALUE = range(5)
NO_BALLOTS: Final = int(np.iinfo(np.int64).max)
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Column:
    """``values`` aligned to a grid. ``why`` is OK where there is a value, else the reason; ``group`` the least ballots."""

    values: Values
    why: Codes
    group: Groups

    def __len__(self) -> int:
        return len(self.why)

    @property
    def floats(self) -> npt.NDArray[np.float64]:
        """The values as doubles, NaN where there is none."""
        numbers = self.values.floats() if isinstance(self.values, Ratios) else self.values.astype(np.float64)
        return np.where(self.why == OK, numbers, np.nan)

    def take(self, places: Places, why: int = NO_VALUE) -> Column:
        """The column at the given places; a place of -1 has no value, for the reason given."""
        missing = places < 0
        if not len(self):
            return replace(nothing(len(places), why), values=_blank_like(self.values, len(places)))
        return Column(
            self.values[places],
            np.where(missing, why, self.why[places]).astype(np.uint8),
            np.where(missing, NO_BALLOTS, self.group[places]),
        )

    def put(self, places: Places, numbers: Column) -> Column:
        """The column with the ``numbers`` at these places."""
        source = np.full(len(self), -1, np.intp)
        source[places] = np.arange(len(numbers))
        return _choose(source >= 0, numbers.take(np.maximum(source, 0)), self) if len(numbers) else self


def nothing(size: int, why: int = NO_VALUE) -> Column:
    """A column without any value."""
    return Column(np.full(size, np.nan), np.full(size, why, np.uint8), no_ballots(size))


class Inputs(Protocol):
    """What a formula on the spine reads, each aligned to the same grid."""

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
            return constant(inputs.constant(expr), expr.kind, inputs.size)
        case "lookup":
            return _looked_up(inputs.constant(expr) or {}, finish(cast(Expr, expr.args[1]), inputs))
        case "measure":
            return inputs.measure(str(expr.args[0]))
        case "previous":
            return inputs.previous(str(expr.args[0]))
        case "sum" | "mean" | "min" | "max" | "count" | "distinct" | "rows":
            return inputs.reduced(expr)
        case "coalesce" | "least" | "greatest":
            columns = [_as(finish(x, inputs), expr.kind) for x in cast(tuple[Expr, ...], expr.args[0])]
            return _coalesce(columns) if expr.op == "coalesce" else _extreme(expr.op, columns)
    return _operation(expr, [finish(x, inputs) for x in expr.args if isinstance(x, Expr)])


def _operation(expr: Expr, operands: list[Column]) -> Column:
    match expr.op:
        case "add" | "sub" | "mul" | "floordiv" | "pow" | "div":
            return _arithmetic(expr, operands)
        case "eq" | "ne" | "lt" | "le" | "gt" | "ge":
            return _compared(expr.op, *operands)
        case "and" | "or":
            return _logic(expr.op, *operands)
        case "not":
            return _made(operands, ~cast(Mask, operands[0].values))
        case "isin":
            words = {choice.args[0] for choice in cast(tuple[Expr, ...], expr.args[1])}
            return _made(operands, np.array([text in words for text in cast(Mask, operands[0].values)], np.bool_))
        case "isnull":
            (x,) = operands
            return replace(x, values=x.why != OK, why=np.zeros(len(x), np.uint8))
        case "days":
            return _made(operands, Ratios(cast(Mask, operands[0].values).astype(np.int64)))
        case "where":
            return _where(expr, operands)
    raise AssertionError(f"{expr.op} does not stand on the spine")


def column(values: Sequence[Any], kind: str, why: int, group: Groups | None = None) -> Column:
    """A column from single values, with None for ``why``."""
    there = np.fromiter((v is not None for v in values), np.bool_, len(values))
    filled = [_filler(kind) if v is None else v for v in values]
    return given(_array(filled, kind), there, why, group)


def constant(value: Any, kind: str, size: int) -> Column:
    """A column of one value; None is no value."""
    return column([value], kind, NO_VALUE).take(np.zeros(size, np.intp))


def given(values: Values, there: Mask, why: int, group: Groups | None = None) -> Column:
    """A column from an array of values, missing where not ``there``, for ``why``."""
    codes = np.where(there, OK, why).astype(np.uint8)
    return Column(values, codes, no_ballots(len(codes)) if group is None else group)


def singles(column: Column) -> list[Fraction | float]:
    """The numbers one by one: fractions where they are exact, else doubles. Where there is no value, a filler."""
    values = column.values
    return [*values.fractions()] if isinstance(values, Ratios) else values.astype(np.float64).tolist()


def no_ballots(size: int) -> Groups:
    """The group of values that no ballot enters."""
    return np.full(size, NO_BALLOTS, np.int64)


def _array(values: Sequence[Any], kind: str) -> Values:
    match kind:
        case "exact":
            return Ratios.of(values)
        case "score":
            return np.array([float(v) for v in values], np.float64)
        case "flag":
            return np.array(values, np.bool_)
        case "date":
            return np.array(values, "datetime64[D]")
    out = np.empty(len(values), np.object_)
    out[:] = values
    return out


def _filler(kind: str) -> object:
    return {"score": 0.0, "flag": False, "date": _EPOCH, "text": ""}.get(kind, 0)


def _blank_like(values: Values, size: int) -> Values:
    if isinstance(values, Ratios):
        return Ratios(np.zeros(size, np.int64))
    return np.zeros(size, values.dtype)


def _why(columns: Sequence[Column]) -> Codes:
    out = columns[0].why
    for c in columns[1:]:
        out = np.where(out == OK, c.why, out)
    return out


def _group(columns: Sequence[Column]) -> Groups:
    out = columns[0].group
    for c in columns[1:]:
        out = np.minimum(out, c.group)
    return out


def _made(columns: Sequence[Column], values: Values) -> Column:
    """``values`` made from ``columns``: missing where one of them is."""
    return Column(values, _why(columns), _group(columns))


def _choose(mask: Mask, a: Column, b: Column) -> Column:
    if isinstance(a.values, Ratios) and isinstance(b.values, Ratios):
        values: Values = a.values.where(mask, b.values)
    else:
        values = np.where(mask, cast(Any, a.values), cast(Any, b.values))
    return Column(values, np.where(mask, a.why, b.why).astype(np.uint8), np.where(mask, a.group, b.group))


def _arithmetic(expr: Expr, operands: list[Column]) -> Column:
    if expr.kind == "span":
        return _made(operands, operands[0].values - operands[1].values)
    left, right = (_as(c, expr.kind) for c in operands)
    if expr.op in ("div", "floordiv"):
        right = _no_zeros(right)
    if isinstance(left.values, Ratios):
        return _made([left, right], _EXACT[expr.op](left.values, right.values))
    with np.errstate(all="ignore"):
        out = _made([left, right], _SCORES[expr.op](left.values, right.values))
    undefined = (out.why == OK) & ~np.isfinite(cast(npt.NDArray[np.float64], out.values))
    return replace(out, why=np.where(undefined, UNDEFINED, out.why).astype(np.uint8))


def _no_zeros(divisor: Column) -> Column:
    """The divisor with its zeros marked and replaced, so that whole arrays can be divided."""
    exact = isinstance(divisor.values, Ratios)
    zero = divisor.values.num == 0 if isinstance(divisor.values, Ratios) else divisor.values == 0
    ones: Values = Ratios(np.ones(len(divisor), np.int64)) if exact else np.ones(len(divisor))
    why = np.where(zero & (divisor.why == OK), ZERO_DENOMINATOR, divisor.why).astype(np.uint8)
    return replace(_choose(np.asarray(zero, np.bool_), Column(ones, why, divisor.group), divisor), why=why)


def _compared(op: str, *operands: Column) -> Column:
    kind = "score" if any(c.values.dtype == np.float64 for c in operands if not isinstance(c.values, Ratios)) else ""
    left, right = (_as(c, kind).values for c in operands)
    compare = getattr(operator, op)
    if isinstance(left, Ratios) and isinstance(right, Ratios):
        return _made(operands, compare(left.compare(right), 0))
    return _made(operands, np.asarray(compare(left, right), np.bool_))


def _logic(op: str, left: Column, right: Column) -> Column:
    """Both or either; where one side has no value, the other may still decide."""
    decisive = op == "or"
    decided = [(c.why == OK) & (cast(Mask, c.values) == decisive) for c in (left, right)]
    why = np.where(decided[0] | decided[1], OK, _why([left, right])).astype(np.uint8)
    values = decided[0] | decided[1] if decisive else ~(decided[0] | decided[1])
    return Column(values, why, _group([left, right]))


def _looked_up(table: Mapping[str, Decimal], keys: Column) -> Column:
    numbers = column([table.get(key) for key in cast(Any, keys.values)], "exact", NO_VALUE, keys.group)
    return replace(numbers, why=np.where(keys.why == OK, numbers.why, keys.why).astype(np.uint8))


def _as(column: Column, kind: str) -> Column:
    if kind == "score" and isinstance(column.values, Ratios):
        return replace(column, values=column.values.floats())
    return column


def _coalesce(columns: Sequence[Column]) -> Column:
    out = columns[0]
    for c in columns[1:]:
        out = _choose(out.why != OK, c, out)
    return replace(out, group=_group(columns))


def _extreme(op: str, columns: Sequence[Column]) -> Column:
    out = columns[0]
    for c in columns[1:]:
        first = _compared("le" if op == "least" else "ge", out, c)
        out = replace(_choose(cast(Mask, first.values), out, c), why=first.why, group=first.group)
    return out


def _where(expr: Expr, operands: list[Column]) -> Column:
    condition, then, otherwise = operands[0], _as(operands[1], expr.kind), _as(operands[2], expr.kind)
    out = _choose(cast(Mask, condition.values), then, otherwise)
    why = np.where(condition.why != OK, condition.why, out.why).astype(np.uint8)
    return replace(out, why=why, group=_group(operands))


_EXACT: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
}
_SCORES: Mapping[str, Callable[..., Any]] = {**_EXACT, "pow": np.power}
