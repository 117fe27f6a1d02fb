"""Row-level formulas as columns of an Ibis table: what an engine is asked to reduce."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Any, Final

from mingjian.declare import EvidenceType, Expr, walk
from mingjian.reckon.measures._powers import double, finite, with_power

Constant = Callable[[Expr], Any]

_SMALL: Final = 2**31  # as many of these as a table has rows add up to less than 2**63
_WIDE: Final = 2**63


def operands(expr: Expr) -> Iterator[Expr]:
    """The expressions among an expression's arguments."""
    for arg in expr.args:
        if isinstance(arg, Expr):
            yield arg
        elif isinstance(arg, tuple):
            yield from arg


class Compiler:
    """Row-level expressions as Ibis columns of one table, ``table``, which grows by what is reckoned in steps.

    ``asked`` are the reductions that it will be asked for. What stands in a formula often, a statement would write out each
    time, and so on within it: that would grow without bounds, and has a column of its own.
    """

    def __init__(
        self, table: Any, evidence: EvidenceType, constant: Constant, zone: str, asked: Sequence[Expr]
    ) -> None:
        self.table, self.evidence, self.constant, self.zone = table, evidence, constant, zone
        self._powers: dict[str, str] = {}
        self._scores = self._reckoned([x for e in asked if isinstance(x := e.args[0], Expr) and x.kind == "score"])

    def reduction(self, expr: Expr) -> Any:
        value, where = self._parts(expr)
        if expr.op == "rows":
            return self._rows(where)
        match expr.op:
            case "count":
                return value.count(where=where)
            case "distinct":
                return value.nunique(where=where)
            case "sum" | "mean":
                return self._summable(value, _expr(expr.args[0])).sum(where=where)
        if expr.kind == "exact":
            value = value.cast(_decimal(self.scale(_expr(expr.args[0]))))
        return getattr(value, expr.op)(where=where)

    def counted(self, expr: Expr) -> Any:
        value, where = self._parts(expr)
        return value.count(where=where)

    def group(self, expr: Expr) -> Any:
        """How many ballots a figure is counted from: those that its conditions on who voted admit and that answer.

        The optional fields of a ballot are its answers; a condition on an answer does not make the group smaller.
        """
        value, condition = expr.args[0], expr.args[1]
        admits = [c for c in _conjuncts(condition) if not self._about_answers(c)] if isinstance(condition, Expr) else []
        where = None
        for c in admits:
            where = self.column(c) if where is None else where & self.column(c)
        if isinstance(value, Expr) and expr.op != "rows":
            return self._value(value).count(where=where)
        return self._rows(where)

    def _rows(self, where: Any) -> Any:
        """How many rows, by a column that each of them has: 0 where the condition is not known of any."""
        return self.table["_entry"].count(where=where)

    def reached(self, expr: Expr) -> Any:
        import ibis

        value, where = self._parts(expr)
        there = value.notnull() if value is not None else ibis.literal(True)
        return there if where is None else there & where.fill_null(False)

    def _parts(self, expr: Expr) -> tuple[Any, Any]:
        value, where = expr.args[0], expr.args[1]
        return (
            self._value(value) if isinstance(value, Expr) else None,
            self.column(where) if isinstance(where, Expr) else None,
        )

    def _value(self, expr: Expr) -> Any:
        return self.table[self._scores[_key(expr)]] if expr.kind == "score" else self.column(expr)

    def _reckoned(self, scores: Sequence[Expr]) -> Mapping[str, str]:
        """The names of columns, all made in one step, in which these scores are."""
        names = {_key(expr): f"_score{n}" for n, expr in enumerate(scores)}
        columns = {names[_key(expr)]: self.column(expr) for expr in scores}
        self.table = finite(self.table.mutate(**columns), [*columns])
        return names

    def _about_answers(self, condition: Expr) -> bool:
        fields = (str(n.args[1]) for n in walk(condition) if n.op == "field")
        return any(self.evidence.fields[f].optional for f in fields if f in self.evidence.fields)

    def _summable(self, value: Any, expr: Expr) -> Any:
        """A column whose sum neither rounds nor depends on order, in 64 bits where no sum of it can be larger."""
        if expr.kind == "score":
            return _twelve_decimals(value)
        scale, peak = self.scale(expr), self.peak(expr)
        if not scale and peak is not None and peak < _SMALL:
            return value.cast("int64")
        return value.cast(_decimal(scale))

    def scale(self, expr: Expr) -> int:
        """How many decimals the values of an exact expression have."""
        match expr.op:
            case "field":
                return self.evidence.fields[str(expr.args[1])].decimals
            case "lit" | "param":
                return _decimals(self.constant(expr))
            case "lookup":
                return max(map(_decimals, (self.constant(expr) or {}).values()), default=0)
            case "mul":
                return sum(self.scale(_expr(x)) for x in expr.args)
        return max((self.scale(x) for x in operands(expr) if x.kind == "exact"), default=0)

    def peak(self, expr: Expr) -> int | None:
        """What the values of an exact expression cannot exceed in size; None where nothing is known of that."""
        match expr.op:
            case "lit" | "param":
                value = self.constant(expr)
                return 0 if value is None else ceil(abs(value))
            case "lookup":
                return max((ceil(abs(n)) for n in (self.constant(expr) or {}).values()), default=0)
            case "where" | "coalesce" | "least" | "greatest":
                peaks = [self.peak(x) for x in operands(expr) if x.kind == "exact"]
                return None if None in peaks else max(p for p in peaks if p is not None)
        return None

    def column(self, expr: Expr) -> Any:
        import ibis

        match expr.op:
            case "field":
                return self._field(str(expr.args[1]), expr.kind)
            case "lit" | "param" | "bound":
                return _literal(self.constant(expr), expr.kind)
            case "lookup":
                return self._lookup(expr)
            case "total":
                series = self.column(_expr(expr.args[0]))
                return (_missing(series) == 0).ifelse(series.cast(f"array<{_decimal(0)}>").sums(), None)
            case "missing":
                return _missing(self.column(_expr(expr.args[0])))
            case "isin":
                choices = [str(c.args[0]) for c in _exprs(expr.args[1])]
                return self.column(_expr(expr.args[0])).isin(choices)
            case "coalesce" | "least" | "greatest":
                values = self._alike(expr, [self.column(x) for x in _exprs(expr.args[0])])
                if expr.op == "coalesce":
                    return ibis.coalesce(*values)
                return _strict(ibis.least if expr.op == "least" else ibis.greatest, values)
            case "where":
                condition, *branches = (self.column(_expr(x)) for x in expr.args)
                a, b = self._alike(expr, branches)
                return ibis.cases((condition, a), (~condition, b))
        return self._operation(expr, [self.column(_expr(x)) for x in expr.args])

    def _operation(self, expr: Expr, values: list[Any]) -> Any:
        import ibis

        if "score" in {expr.kind, *(x.kind for x in operands(expr))}:
            values = [_double(v) for v in values]
        elif any(v.type().is_decimal() for v in values):
            values = self._meeting(expr, values)
        match expr.op:
            case "not":  # not `~`: of that Ibis writes NOT x IS NULL, which SQL reads as NOT (x IS NULL)
                return values[0] == ibis.literal(False)
            case "isnull":
                return values[0].isnull()
            case "days":
                return values[0]
            case "sub" if expr.kind == "span":
                return values[0].delta(values[1], unit="day")
            case "div":
                return values[0] / values[1].nullif(0.0)
            case "pow":
                return self._power(expr, *values)
            case op if op in _OPERATORS:
                return _OPERATORS[op](*values)
        raise AssertionError(f"{expr.op} does not stand at rows")

    def _power(self, expr: Expr, base: Any, exponent: Any) -> Any:
        """A power; it is reckoned in the table, which grows by it."""
        name = f"_power{len(self._powers)}"
        if _key(expr) not in self._powers:
            self.table = with_power(self.table, name, base, exponent, _expr(expr.args[1]))
            self._powers[_key(expr)] = name
        return self.table[self._powers[_key(expr)]]

    def _meeting(self, expr: Expr, values: list[Any]) -> list[Any]:
        """Exact operands of one precision: of decimal(38, 1) and decimal(4, 3) neither holds the other, and Ibis gives up."""
        if any(x.kind != "exact" for x in operands(expr)):
            return values
        scales = [self.scale(x) for x in operands(expr)]
        if expr.op != "mul":
            scales = [max(scales)] * len(scales)
        return [v.cast(f"decimal(38, {scale})") for v, scale in zip(values, scales, strict=True)]

    def _alike(self, expr: Expr, values: list[Any]) -> list[Any]:
        """Values that stand for each other, as columns of one type."""
        if expr.kind == "score":
            return [_double(v) for v in values]
        if expr.kind != "exact" or not any(v.type().is_decimal() for v in values):
            return values
        return [v.cast(_decimal(self.scale(expr))) for v in values]

    def _field(self, name: str, kind: str) -> Any:
        column = self.table[name]
        if kind == "date" and column.type().is_timestamp():  # an instant is a day on the scheme's clock
            return _local(self.zone, column).date()
        return column.cast(_decimal(column.type().scale)) if column.type().is_decimal() else column

    def _lookup(self, expr: Expr) -> Any:
        import ibis

        key = self.column(_expr(expr.args[1]))
        table: Mapping[str, Decimal] = self.constant(expr) or {}
        kind = _type_of([*table.values()])
        branches = [(key == name, ibis.literal(_plain(value), type=kind)) for name, value in table.items()]
        if not branches:
            return key.isnull().ifelse(ibis.null(kind), ibis.null(kind))  # of no names, but a column all the same
        return ibis.cases(*branches, else_=ibis.null(kind))


def _missing(series: Any) -> Any:
    """How many values of a series there are not."""
    return series.filter(lambda value: value.isnull()).length()


def _local(zone: str, instant: Any) -> Any:
    """An instant as the clocks of a zone show it; Ibis itself has no such operation."""
    import ibis

    @ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
    def clock(zone, instant):  # type: ignore[no-untyped-def]
        """The engine's own."""

    return clock(zone, instant)


def _literal(value: Any, kind: str) -> Any:
    import ibis

    if value is None:
        return ibis.null({"exact": "int64", "date": "date", "score": "float64", "flag": "boolean"}.get(kind, "string"))
    if isinstance(value, Decimal):
        return ibis.literal(_plain(value), type=_type_of([value]))
    return double(value) if isinstance(value, float) else ibis.literal(value)


def _plain(value: Decimal) -> Decimal | int:
    return value if _decimals(value) else int(value)


def _type_of(numbers: Sequence[Decimal]) -> str:
    """A type that holds all of the numbers."""
    scale = max(map(_decimals, numbers), default=0)
    return _decimal(scale) if scale or any(abs(n) >= _WIDE for n in numbers) else "int64"


def _decimal(scale: int) -> str:
    """The type of exact numbers with decimals. All have one precision, or Ibis could not tell which of two holds both."""
    return f"decimal(38, {scale})"


def _decimals(value: Decimal | None) -> int:
    exponent = value.as_tuple().exponent if value is not None else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _strict(function: Any, values: list[Any]) -> Any:
    """SQL's least and greatest pass over nulls; ours do not."""
    missing = values[0].isnull()
    for v in values[1:]:
        missing = missing | v.isnull()
    return missing.ifelse(None, function(*values))


def _double(number: Any) -> Any:
    """A number as the double next to it. Of a decimal by its digits: engines that divide by a power of ten round twice."""
    return (number.cast("string") if number.type().is_decimal() else number).cast("float64")


def _twelve_decimals(score: Any) -> Any:
    """A double at twelve decimals, a half away from zero, as a decimal.

    Engines differ in how they write a double as a decimal. These operations on doubles are the ones whose every bit IEEE 754
    fixes; that of the cast to an integer some engines cut off and others round is made good for. Beyond 64 bits it overflows.
    """
    import ibis

    size = score.abs()
    near = size.cast("int64")
    whole = near - (near.cast("float64") > size).cast("int64")
    parts = ((size - whole.cast("float64")) * double(1e12) + double(0.5)).floor().cast("int64")
    tiny = ibis.literal(Decimal("1e-12"), type=_decimal(12))
    exact = (whole.cast(_decimal(12)) + (parts.cast(_decimal(0)) * tiny).cast(_decimal(12))).cast(_decimal(12))
    return (exact * (score < 0).ifelse(-1, 1).cast(_decimal(0))).cast(_decimal(12))


def _conjuncts(condition: Expr) -> Iterator[Expr]:
    if condition.op == "and":
        for part in _exprs(condition.args):
            yield from _conjuncts(part)
    else:
        yield condition


def _key(expr: Expr) -> str:
    """One text for the same expression, wherever it stands."""
    return repr(expr.data())


def _expr(arg: object) -> Expr:
    assert isinstance(arg, Expr)
    return arg


def _exprs(args: object) -> Iterable[Expr]:
    assert isinstance(args, tuple)
    return (_expr(x) for x in args)


_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
}
