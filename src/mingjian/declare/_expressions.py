"""Formulas as data.

A formula is recorded once, when the scheme is read, as a tree of `Expr`. From then on it is data: it is fingerprinted,
planned, put into packages and read back by a verifier who runs no Python of anybody's. A tree knows at which *level* it
stands (the rows of one evidence type, or one value a subject) and of which *kind* its values are; a tree that mixes them
wrongly cannot be built.

Levels: an evidence type's id (a value a row), ``""`` (a value a subject), ``None`` (a constant, fits any level).
Kinds: exact (integers, decimals, fractions), score (doubles), flag, text, date, span (a difference of dates), series (many
exact values in one row), table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, NoReturn, TypeAlias, cast

from mingjian.base.errors import Misuse

Kind: TypeAlias = Literal["exact", "score", "flag", "text", "date", "span", "series", "table"]
Arg: TypeAlias = "Expr | str | tuple[Expr, ...] | None"

NUMBERS = ("exact", "score")
REDUCTIONS = ("sum", "mean", "min", "max", "count", "distinct")
MAX_DEPTH = 64
MAX_NODES = 4_000


class FormulaError(Misuse):
    """A formula that asks for what its inputs cannot give; says which and what to write instead."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expr:
    """One node: an operation, its arguments, the kind of its values and the level at which they stand.

    Python's operators build larger trees, so a formula reads as arithmetic. Two trees are compared by their `data`.
    """

    op: str
    args: tuple[Arg, ...]
    kind: Kind
    level: str | None

    def data(self) -> list[Any]:
        """The tree as JSON: ``[op, kind, level, ...arguments]``, the same for the same meaning."""
        return [self.op, self.kind, self.level, *(_arg_data(a) for a in self.args)]

    def __repr__(self) -> str:
        return text(self)

    # -- arithmetic -------------------------------------------------------------------------------------------------
    def __add__(self, other: object) -> Expr:
        return _arithmetic("add", self, other)

    def __radd__(self, other: object) -> Expr:
        return _arithmetic("add", other, self)

    def __sub__(self, other: object) -> Expr:
        left, right = self, literal(other)
        if left.kind == "date" and right.kind == "date":
            return Expr("sub", (left, right), "span", _level("-", left, right))
        return _arithmetic("sub", left, right)

    def __rsub__(self, other: object) -> Expr:
        return _arithmetic("sub", other, self)

    def __mul__(self, other: object) -> Expr:
        return _arithmetic("mul", self, other)

    def __rmul__(self, other: object) -> Expr:
        return _arithmetic("mul", other, self)

    def __truediv__(self, other: object) -> Expr:
        return _arithmetic("div", self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return _arithmetic("div", other, self)

    def __floordiv__(self, other: object) -> Expr:
        return _arithmetic("floordiv", self, other)

    def __pow__(self, other: object) -> Expr:
        return _arithmetic("pow", self, other)

    def __rpow__(self, other: object) -> Expr:
        return _arithmetic("pow", other, self)

    def __neg__(self) -> Expr:
        return _arithmetic("sub", 0, self)

    # -- comparison and logic -----------------------------------------------------------------------------------------
    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return _comparison("eq", self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return _comparison("ne", self, other)

    def __lt__(self, other: object) -> Expr:
        return _comparison("lt", self, other)

    def __le__(self, other: object) -> Expr:
        return _comparison("le", self, other)

    def __gt__(self, other: object) -> Expr:
        return _comparison("gt", self, other)

    def __ge__(self, other: object) -> Expr:
        return _comparison("ge", self, other)

    __hash__ = object.__hash__

    def __and__(self, other: object) -> Expr:
        return _logic("and", self, other)

    def __or__(self, other: object) -> Expr:
        return _logic("or", self, other)

    def __invert__(self) -> Expr:
        return _logic("not", self)

    def __bool__(self) -> NoReturn:
        raise FormulaError(
            "a formula is recorded, not run, so it has no truth value",
            remedy="write & | ~ for and, or, not, and where(condition, a, b) for a choice",
        )

    def isin(self, values: Sequence[str | Expr]) -> Expr:
        """Whether the text is one of ``values``."""
        _want(self, ("text",), "isin")
        words = tuple(literal(v) for v in values)
        if not words or any(word.op != "lit" or word.kind != "text" for word in words):
            raise FormulaError("isin() takes a list of texts", remedy='state.isin(["open", "late"])')
        return Expr("isin", (self, words), "flag", self.level)

    def is_null(self) -> Expr:
        """Whether there is no value."""
        return Expr("isnull", (self,), "flag", self.level)

    @property
    def days(self) -> Expr:
        """The whole days of a difference of two dates."""
        _want(self, ("span",), "days")
        return Expr("days", (self,), "exact", self.level)

    # -- reductions -----------------------------------------------------------------------------------------------------
    def sum(self, where: Expr | None = None) -> Expr:
        """The sum over a subject's rows of the period; no value over no rows."""
        return reduction("sum", self, where)

    def mean(self, where: Expr | None = None) -> Expr:
        """The mean over a subject's rows that have a value."""
        return reduction("mean", self, where)

    def min(self, where: Expr | None = None) -> Expr:
        """The least over a subject's rows."""
        return reduction("min", self, where)

    def max(self, where: Expr | None = None) -> Expr:
        """The greatest over a subject's rows."""
        return reduction("max", self, where)

    def count(self, where: Expr | None = None) -> Expr:
        """How many of a subject's rows have a value; zero over no rows."""
        return reduction("count", self, where)

    def distinct(self, where: Expr | None = None) -> Expr:
        """How many different values a subject's rows have."""
        return reduction("distinct", self, where)


def literal(value: object) -> Expr:
    """``value`` as a constant; an `Expr` stays as it is.

    A Python float is a score (``0.5 ** x``); a Decimal or an int is exact.
    """
    match value:
        case Expr():
            return value
        case bool():
            return Expr("lit", ("true" if value else "false",), "flag", None)
        case int() | Decimal() if isfinite(value):
            return Expr("lit", (format(value, "f") if isinstance(value, Decimal) else str(value),), "exact", None)
        case float() if isfinite(value):
            return Expr("lit", (repr(value),), "score", None)
        case str():
            return Expr("lit", (value,), "text", None)
        case date():
            return Expr("lit", (value.isoformat(),), "date", None)
    raise FormulaError(
        f"{type(value).__name__} is no value of a formula", remedy="use numbers, texts, dates, flags and the inputs"
    )


def reduction(op: str, value: Expr | None, where: Expr | None, rows: str = "") -> Expr:
    """A reduction of one evidence type's rows to one value a subject. ``value`` is None for a count of rows."""
    level = value.level if value is not None else rows
    if not level:
        raise FormulaError(
            f"{op}() of something that is already one value a subject",
            remedy="reduce the rows of an evidence type once",
        )
    if value is not None and op in ("sum", "mean"):
        _want(value, NUMBERS, op)
    if value is not None and op == "distinct":
        _want(value, (*NUMBERS, "flag", "text", "date", "span"), op)
    if value is not None and op in ("min", "max"):
        _want(value, (*NUMBERS, "date"), op)
    if where is not None:
        _want(where, ("flag",), f"where of {op}")
        if where.level not in (level, None):
            raise _mixed(op, level, where.level)
    if value is None:
        return Expr("rows", (level, where), "exact", "")
    return Expr(op, (value, where), "exact" if op in ("count", "distinct") else value.kind, "")


def where(condition: Expr, then: object, otherwise: object) -> Expr:
    """``then`` where the condition holds, else ``otherwise``; no value where it is not known whether it does."""
    _want(condition, ("flag",), "where")
    a, b = literal(then), literal(otherwise)
    return Expr("where", (condition, a, b), _common("where", a, b), _level("where", condition, a, b))


def coalesce(first: Expr, *others: object) -> Expr:
    """The first of the arguments that has a value."""
    return _variadic("coalesce", first, *others)


def least(first: Expr, *others: object) -> Expr:
    """The least of the arguments; no value where one of them has none."""
    return _variadic("least", first, *others)


def greatest(first: Expr, *others: object) -> Expr:
    """The greatest of the arguments; no value where one of them has none."""
    return _variadic("greatest", first, *others)


def previous(measure: Expr) -> Expr:
    """The measure's value in the preceding calendar period; no value where that period has none."""
    if measure.op != "measure":
        raise FormulaError("previous() takes a measure", remedy="name the measure as a parameter and pass it as it is")
    return Expr("previous", measure.args, measure.kind, "")


def split(total: Expr, over: Expr, weight: Expr) -> Expr:
    """A subject's ``total`` divided among the rows that share it, exactly: the parts sum to the total.

    ``total`` is a reduction of another evidence type, ``over`` the subject field of these rows by which they share,
    ``weight`` what each row asks for. The rule (pro rata, priority, time) is declared with the derivation.
    """
    if total.op not in REDUCTIONS or over.op != "field" or not over.level:
        raise FormulaError(
            "split() takes a reduction and a subject field of the rows",
            remedy="split(use.wh.sum(), over=contract.consumer, weight=contract.wh)",
        )
    _want(total, ("exact",), "split")
    _want(weight, ("exact",), "weight of split")
    return Expr("split", (total, over, weight), "exact", _level("split", over, weight))


def carry(amount: Expr, unit: object) -> tuple[Expr, Expr]:
    """Whole ``unit``s of a growing amount, and the remainder carried to the next period.

    Runs along the rows that share a key but for their date, in order of date: whole + rest/unit conserves every unit.
    """
    size = literal(unit)
    _want(amount, ("exact",), "carry")
    _want(size, ("exact",), "unit of carry")
    level = _level("carry", amount, size)
    return Expr("carry_whole", (amount, size), "exact", level), Expr("carry_rest", (amount, size), "exact", level)


def total(series: Expr) -> Expr:
    """The sum of a row's series; no value where one of its values is missing: a sum of the others would be another figure."""
    return _of_series("total", series)


def missing(series: Expr) -> Expr:
    """How many values of a row's series are missing; no value where the row has no series."""
    return _of_series("missing", series)


def _of_series(op: str, series: Expr) -> Expr:
    _want(series, ("series",), op)
    return Expr(op, (series,), "exact", series.level)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node of the tree, the root first."""
    yield expr
    for arg in expr.args:
        if isinstance(arg, Expr):
            yield from walk(arg)
        elif isinstance(arg, tuple):
            for item in arg:
                yield from walk(item)


def text(expr: Expr) -> str:
    """The tree as a person would write it."""
    a = [text(x) if isinstance(x, Expr) else x for x in expr.args]
    match expr.op:
        case "lit":
            return f'"{a[0]}"' if expr.kind == "text" else str(a[0])
        case "param" | "measure" | "bound":
            return str(a[0])
        case "field":
            return f"{a[0]}.{a[1]}"
        case "rows":
            return f"{a[0]}.count({f'where={a[1]}' if a[1] else ''})"
        case op if op in REDUCTIONS:
            return f"{a[0]}.{op}({f'where={a[1]}' if a[1] else ''})"
        case op if op in _SIGNS:
            return f"({a[0]} {_SIGNS[op]} {a[1]})"
        case "not":
            return f"~{a[0]}"
        case "days":
            return f"{a[0]}.days"
        case "isnull":
            return f"{a[0]}.is_null()"
        case "isin":
            return f"{a[0]}.isin([{', '.join(text(v) for v in cast(tuple[Expr, ...], expr.args[1]))}])"
        case "lookup":
            return f"{a[0]}[{a[1]}]"
        case "coalesce" | "least" | "greatest":
            return f"{expr.op}({', '.join(text(v) for v in cast(tuple[Expr, ...], expr.args[0]))})"
    return f"{expr.op}({', '.join(str(x) for x in a)})"


_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "pow": "**",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&", "or": "|",
}  # fmt: skip


_NUMBER = re.compile(r"-?[0-9]{1,80}(\.[0-9]{1,80})?")


def from_data(data: object) -> Expr:
    """The tree that `Expr.data` wrote, built again node by node under the same rules.

    Raises `FormulaError` for anything that those rules do not allow, deeper than ``MAX_DEPTH`` or larger than ``MAX_NODES``:
    the data may come from a stranger.
    """
    return _Reader().read(data, 0)


class _Reader:
    def __init__(self) -> None:
        self.nodes = 0

    def read(self, data: object, depth: int) -> Expr:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise FormulaError(f"an expression deeper than {MAX_DEPTH} or larger than {MAX_NODES} nodes")
        match data:
            case [str(op), str(kind), None | str() as level, *raw] if op in _SHAPES:
                args = tuple(self._arg(x, depth) for x in raw)
            case _:
                raise FormulaError(f"not an expression but a {type(data).__name__}, or of an unknown operation")
        built: Expr = _SHAPES[op](op, args, cast(Kind, kind), level)
        if (built.kind, built.level) != (kind, level):
            raise FormulaError(f"{op} is marked {kind} at level {level!r} but is {built.kind} at {built.level!r}")
        return built

    def _arg(self, raw: object, depth: int) -> Arg:
        match raw:
            case None | str():
                return raw
            case [str() as tag, *_] if tag in _SHAPES:
                return self.read(raw, depth + 1)
            case list():
                return tuple(self.read(x, depth + 1) for x in raw)
        raise FormulaError(f"an argument cannot be a {type(raw).__name__}")


def _leaf(names: int, *kinds: str) -> Any:
    def build(op: str, args: tuple[Any, ...], kind: Kind, level: str | None) -> Expr:
        if len(args) != names or not all(isinstance(a, str) for a in args) or kind not in kinds:
            raise FormulaError(f"{op} with unfit arguments")
        at = args[0] if op == "field" else "" if op in ("measure", "previous") else None
        return Expr(op, args, kind, at)

    return build


def _builder(function: Any, *shape: type | None) -> Any:
    def build(op: str, args: tuple[Any, ...], kind: Kind, level: str | None) -> Expr:
        if len(args) != len(shape) or not all(
            a is None if want is None else isinstance(a, want) for a, want in zip(args, shape, strict=True)
        ):
            raise FormulaError(f"{op} with unfit arguments")
        return cast(Expr, function(op, *args))

    return build


def _literal_builder(op: str, args: tuple[Any, ...], kind: Kind, level: str | None) -> Expr:
    match kind, args:
        case ("text", (str(),)) | ("flag", ("true" | "false",)):
            return Expr(op, args, kind, None)
        case "exact", (str() as number,) if _NUMBER.fullmatch(number):
            return Expr(op, args, kind, None)
        case "score" | "date", (str() as written,):
            try:
                value = literal(float(written) if kind == "score" else date.fromisoformat(written))
            except ValueError as fault:
                raise FormulaError(f"{written[:40]!r} is no {kind}") from fault
            if value.args == args:
                return value
    raise FormulaError(f"{op} with unfit arguments")


def _reduce_builder(op: str, args: tuple[Any, ...], kind: Kind, level: str | None) -> Expr:
    match args:
        case (str() as rows, None | Expr() as condition) if op == "rows":
            return reduction("count", None, condition, rows)
        case (Expr() as value, None | Expr() as condition) if op != "rows":
            return reduction(op, value, condition)
    raise FormulaError(f"{op} with unfit arguments")


def _arithmetic(op: str, left: object, right: object) -> Expr:
    a, b = literal(left), literal(right)
    _want(a, NUMBERS, op)
    _want(b, NUMBERS, op)
    level = _level(op, a, b)
    exact = a.kind == b.kind == "exact" and op != "pow" and (op != "div" or not level)
    if op == "floordiv" and (level or not exact):
        raise FormulaError(
            "// of rows or of inexact numbers", remedy="round down once, after the rows are reduced exactly"
        )
    return Expr(op, (a, b), "exact" if exact else "score", level)


def _comparison(op: str, left: object, right: object) -> Expr:
    a, b = literal(left), literal(right)
    same = a.kind == b.kind or (a.kind in NUMBERS and b.kind in NUMBERS)
    if not same or a.kind == "series" or (a.kind in ("text", "flag") and op not in ("eq", "ne")):
        raise FormulaError(f"{a.kind} and {b.kind} cannot be compared by {_SIGNS[op]}")
    return Expr(op, (a, b), "flag", _level(op, a, b))


def _logic(op: str, *operands: object) -> Expr:
    args = tuple(literal(x) for x in operands)
    for arg in args:
        _want(arg, ("flag",), op)
    return Expr(op, args, "flag", _level(op, *args))


def _variadic(op: str, *operands: object) -> Expr:
    args = tuple(literal(x) for x in operands)
    return Expr(op, (args,), _common(op, *args), _level(op, *args))


def _common(op: str, *args: Expr) -> Kind:
    kinds = {a.kind for a in args}
    if kinds == {"exact", "score"}:
        return "score"
    if len(kinds) != 1 or kinds == {"series"}:
        raise FormulaError(f"{op} of {' and '.join(sorted(kinds))}", remedy="give it values of one kind")
    return kinds.pop()


def _level(op: str, *args: Expr) -> str | None:
    levels = sorted({a.level for a in args if a.level is not None})
    if len(levels) > 1:
        raise _mixed(op, levels[0], levels[1])
    return levels[0] if levels else None


def _mixed(op: str, one: str, other: str) -> FormulaError:
    if "" in (one, other):
        return FormulaError(
            f"{op} mixes single rows of {one or other} with a value of the whole subject",
            remedy=f"reduce the rows of {one or other} first (sum, mean, count, min, max)",
        )
    return FormulaError(
        f"{op} mixes rows of {one} with rows of {other}: no row of one belongs to a row of the other",
        remedy="reduce each (sum, mean, count, min, max) before they meet",
    )


def _want(expr: Expr, kinds: tuple[str, ...], op: str) -> None:
    if expr.kind not in kinds:
        remedy = f"write total({text(expr)})" if expr.kind == "series" else ""
        raise FormulaError(f"{op} needs {' or '.join(kinds)}, not {expr.kind}: {text(expr)}", remedy=remedy)


def _arg_data(arg: Arg) -> Any:
    match arg:
        case Expr():
            return arg.data()
        case tuple():
            return [x.data() for x in arg]
    return arg


def lookup(table: Expr, key: object) -> Expr:
    """The number that a table parameter has for a text; no value for a text that it does not list."""
    of = literal(key)
    _want(of, ("text",), "lookup")
    if table.op != "table":
        raise FormulaError("only a parameter that is a table can be looked up")
    return Expr("lookup", (table.args[0], of), "exact", of.level)


def _lookup_builder(op: str, table: str, key: Expr) -> Expr:
    return lookup(Expr("table", (table,), "table", None), key)


def _isin_builder(op: str, value: Expr, choices: tuple[Expr, ...]) -> Expr:
    return value.isin(list(choices))


def _sub_builder(op: str, left: Expr, right: Expr) -> Expr:
    return left - right


def _carry_builder(op: str, amount: Expr, size: Expr) -> Expr:
    whole, rest = carry(amount, size)
    return whole if op == "carry_whole" else rest


_SHAPES: dict[str, Any] = {
    "lit": _literal_builder,
    "param": _leaf(1, "exact"),
    "bound": _leaf(1, "date"),
    "field": _leaf(2, "exact", "flag", "text", "date", "series"),
    "measure": _leaf(1, "exact", "score"),
    "previous": _leaf(1, "exact", "score"),
    "sub": _builder(_sub_builder, Expr, Expr),
    **{op: _builder(_arithmetic, Expr, Expr) for op in ("add", "mul", "div", "floordiv", "pow")},
    **{op: _builder(_comparison, Expr, Expr) for op in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{op: _builder(_logic, Expr, Expr) for op in ("and", "or")},
    "not": _builder(_logic, Expr),
    "isin": _builder(_isin_builder, Expr, tuple),
    "isnull": _builder(lambda op, x: x.is_null(), Expr),
    "days": _builder(lambda op, x: x.days, Expr),
    **{op: _builder(_of_series, Expr) for op in ("total", "missing")},
    "lookup": _builder(_lookup_builder, str, Expr),
    "where": _builder(lambda op, c, a, b: where(c, a, b), Expr, Expr, Expr),
    **{op: _builder(lambda op, args: _variadic(op, *args), tuple) for op in ("coalesce", "least", "greatest")},
    **dict.fromkeys((*REDUCTIONS, "rows"), _reduce_builder),
    "split": _builder(lambda op, t, o, w: split(t, o, w), Expr, Expr, Expr),
    **{op: _builder(_carry_builder, Expr, Expr) for op in ("carry_whole", "carry_rest")},
}
