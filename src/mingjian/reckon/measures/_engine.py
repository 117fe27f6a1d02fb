"""Reductions of rows, planned in groups and run on an engine through Ibis.

All reductions over the same rows (one evidence type, one window, one grain) are one query. What an engine returns is exact
and does not depend on the order of rows: integers and decimals are summed as decimals of 38 digits; a double is first
rounded to 12 decimals, so that a sum of scores is a sum of decimals too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import pyarrow as pa

from mingjian.base.errors import MingjianError
from mingjian.declare import EvidenceType, Expr, walk

REDUCING = ("sum", "mean", "min", "max", "count", "distinct", "rows")
Pair = tuple[str, str]  # subject, member


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a reduction reads, and by what they are grouped."""

    kind: str
    subject_field: str
    of: str
    each: str
    window: str
    first: date
    end: date
    pooled: bool


@dataclass(frozen=True, slots=True)
class Reduced:
    """The outcome of one query: by (subject, member), the values of each reduction (by its key) and its ballots.

    ``parts`` has the sum and the count that a mean was made from.
    """

    pairs: tuple[Pair, ...]
    values: Mapping[str, tuple[Any, ...]]
    groups: Mapping[str, tuple[int, ...]]
    parts: Mapping[str, tuple[tuple[Any, ...], tuple[int, ...]]]


Constant = Callable[[Expr], Any]


class Tables(Protocol):
    """Rows by kind as Ibis tables of one connection: those of a view, with derived rows added. ``zone`` is the scheme's."""

    connection: Any
    zone: str

    def rows(self, kind: str) -> Any:
        """The rows of an evidence type or derivation, with ``_entry``, ``_row`` and ``_date``."""


def key_of(expr: Expr) -> str:
    """One text for the same reduction, wherever it stands."""
    return repr(expr.data())


def reductions(expr: Expr) -> Iterator[Expr]:
    """The reductions in a formula, outermost first."""
    return (node for node in walk(expr) if node.op in REDUCING)


def kind_of(reduction: Expr) -> str:
    """The evidence type whose rows a reduction reads."""
    value = reduction.args[0]
    return str(value.level) if isinstance(value, Expr) else str(value)


def reduce_rows(
    tables: Tables,
    rows: Rows,
    asked: Sequence[Expr],
    evidence: EvidenceType,
    constant: Constant,
    ancestry: pa.Table | None,
    subjects: Collection[str] | None,
) -> Reduced:
    """Run ``asked`` (each a reduction of ``rows.kind``) in one query.

    Raises MingjianError when a number grows beyond what 38 decimal digits hold.
    """
    table = select(tables, rows, evidence, ancestry, subjects)
    compiler = _Compiler(table, evidence, constant, tables.zone)
    columns: dict[str, Any] = {}
    for i, expr in enumerate(asked):
        columns[f"v{i}"] = compiler.reduction(expr)
        if evidence.ballots:
            columns[f"g{i}"] = compiler.group(expr)
        if expr.op == "mean":
            columns[f"n{i}"] = compiler.counted(expr)
    query = table.group_by(["_subject", "_member"]).aggregate(**columns)
    found = _run(tables, query, rows.kind).to_pydict()
    values: dict[str, tuple[Any, ...]] = {}
    groups: dict[str, tuple[int, ...]] = {}
    parts: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {}
    for i, expr in enumerate(asked):
        numbers = found[f"v{i}"]
        if expr.op == "mean":
            parts[key_of(expr)] = tuple(numbers), tuple(found[f"n{i}"])
            numbers = [mean(expr.kind, v, n) for v, n in zip(numbers, found[f"n{i}"], strict=True)]
        values[key_of(expr)] = tuple(numbers)
        groups[key_of(expr)] = tuple(found[f"g{i}"]) if evidence.ballots else ()
    return Reduced(tuple(zip(found["_subject"], found["_member"], strict=True)), values, groups, parts)


def touched_rows(
    tables: Tables,
    rows: Rows,
    asked: Sequence[Expr],
    evidence: EvidenceType,
    constant: Constant,
    ancestry: pa.Table | None,
    subjects: Collection[str] | None,
) -> pa.Table:
    """The rows that reach any of ``asked``, by their conditions: columns _subject, _member, _entry, _row."""
    table = select(tables, rows, evidence, ancestry, subjects)
    compiler = _Compiler(table, evidence, constant, tables.zone)
    reached = compiler.reached(asked[0])
    for expr in asked[1:]:
        reached = reached | compiler.reached(expr)
    query = table.filter(reached).select("_subject", "_member", "_entry", "_row").distinct()
    return _run(tables, query, rows.kind)


def select(
    tables: Tables, rows: Rows, evidence: EvidenceType, ancestry: pa.Table | None, subjects: Collection[str] | None
) -> Any:
    """The rows of a window as an Ibis table with ``_subject`` and ``_member``."""
    import ibis

    table = tables.rows(rows.kind)
    if evidence.date:
        table = table.filter(table["_date"] < ibis.literal(rows.end))
        if rows.window == "in_period":
            table = table.filter(table["_date"] >= ibis.literal(rows.first))
        elif rows.window == "state_at_end":
            table = _latest(table, [k for k in evidence.key if k != evidence.date])
    if rows.pooled:
        assert ancestry is not None
        table = _pooled(table, rows, evidence, ibis.memtable(ancestry))
    else:
        table = table.mutate(_subject=table[rows.subject_field])
    if subjects is not None:
        table = table.filter(table["_subject"].isin(sorted(subjects)))
    member = table[rows.each].fill_null("") if rows.each else ibis.literal("")
    return table.mutate(_member=member)


def _latest(table: Any, thread: Sequence[str]) -> Any:
    import ibis

    window = ibis.window(
        group_by=list(thread),
        order_by=[ibis.desc(table["_date"]), ibis.desc(table["_entry"]), ibis.desc(table["_row"])],
    )
    ranked = table.mutate(_rank=ibis.row_number().over(window))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def _pooled(table: Any, rows: Rows, evidence: EvidenceType, ancestry: Any) -> Any:
    import ibis

    day = table["_date"] if evidence.date else ibis.literal(rows.end).cast("date") - ibis.interval(days=1)
    on = (
        (table[rows.subject_field] == ancestry["_below"])
        & (day >= ancestry["_start"])
        & (ancestry["_end"].isnull() | (day < ancestry["_end"]))
    )
    joined = table.inner_join(ancestry, on)
    return joined.mutate(_subject=joined["_above"]).drop("_below", "_above", "_start", "_end")


def _run(tables: Tables, query: Any, kind: str) -> pa.Table:
    import duckdb

    try:
        found: pa.Table = tables.connection.to_pyarrow(query)
        found.validate(full=True)  # the engine overflows at 128 bits, a little beyond 38 digits
    except (duckdb.OutOfRangeException, duckdb.ConversionException, pa.ArrowInvalid) as error:
        raise MingjianError(
            f"a figure over rows of {kind} is too large",
            why=str(error).splitlines()[0],
            remedy="exact sums hold 38 digits; declare a larger unit or find the row that is out of all proportion",
        ) from error
    return found


def mean(kind: str, total: Any, count: int | None) -> Fraction | float | None:
    """A mean from its sum and its count: no value where nothing was counted."""
    if total is None or not count:
        return None
    return float(total) / count if kind == "score" else Fraction(total) / count


class _Compiler:
    """Row-level expressions as Ibis columns of one table."""

    def __init__(self, table: Any, evidence: EvidenceType, constant: Constant, zone: str) -> None:
        self.table, self.evidence, self.constant, self.zone = table, evidence, constant, zone

    def reduction(self, expr: Expr) -> Any:
        value, where = self._parts(expr)
        if expr.op == "rows":
            return self.table.count(where=where)
        match expr.op:
            case "count":
                return value.count(where=where)
            case "distinct":
                return value.nunique(where=where)
            case "sum" | "mean":
                return self._exact(value, expr).sum(where=where)
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
        return self.table.count(where=where)

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
        return _finite(self.column(expr).cast("float64")) if expr.kind == "score" else self.column(expr)

    def _about_answers(self, condition: Expr) -> bool:
        fields = (str(n.args[1]) for n in walk(condition) if n.op == "field")
        return any(self.evidence.fields[f].optional for f in fields if f in self.evidence.fields)

    def _exact(self, value: Any, expr: Expr) -> Any:
        if expr.kind == "score":
            return value.cast("decimal(38, 12)")
        scale = value.type().scale if value.type().is_decimal() else 0
        return value.cast(f"decimal(38, {scale})")

    def column(self, expr: Expr) -> Any:
        import ibis

        match expr.op:
            case "field":
                return self._field(str(expr.args[1]), expr.kind)
            case "lit" | "param" | "bound":
                return _literal(self.constant(expr), expr.kind)
            case "lookup":
                return self._lookup(expr)
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

        if expr.kind == "score":
            values = [v.cast("float64") for v in values]
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
                return _finite(values[0] ** values[1])
            case op if op in _OPERATORS:
                return _OPERATORS[op](*values)
        raise AssertionError(f"{expr.op} does not stand at rows")

    def _alike(self, expr: Expr, values: list[Any]) -> list[Any]:
        return [v.cast("float64") for v in values] if expr.kind == "score" else values

    def _field(self, name: str, kind: str) -> Any:
        column = self.table[name]
        if kind == "date" and column.type().is_timestamp():  # an instant is a day on the scheme's clock
            return _local(self.zone, column).date()
        return column

    def _lookup(self, expr: Expr) -> Any:
        import ibis

        key = self.column(_expr(expr.args[1]))
        table: Mapping[str, Decimal] | None = self.constant(expr)
        if not table:
            return key.nullif(key).cast("decimal(38, 0)")  # a column, as a reduction wants one
        scale = max(_scale(v) for v in table.values())
        kind = f"decimal({max(len(v.as_tuple().digits) + scale for v in table.values()) + 1}, {scale})"
        branches = [(key == name, ibis.literal(value, type=kind)) for name, value in table.items()]
        return ibis.cases(*branches, else_=ibis.null(kind))


def _literal(value: Any, kind: str) -> Any:
    import ibis

    if value is None:
        return ibis.null({"exact": "decimal(18, 0)", "date": "date", "score": "float64"}.get(kind, "string"))
    if isinstance(value, Decimal):
        scale = _scale(value)
        if not scale and abs(value) < 2**63:
            return ibis.literal(int(value))
        return ibis.literal(value, type=f"decimal({max(len(value.as_tuple().digits), scale) + 1}, {scale})")
    return ibis.literal(value)


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _strict(function: Any, values: list[Any]) -> Any:
    """SQL's least and greatest pass over nulls; ours do not."""
    missing = values[0].isnull()
    for v in values[1:]:
        missing = missing | v.isnull()
    return missing.ifelse(None, function(*values))


def _local(zone: str, instant: Any) -> Any:
    """An instant as the clocks of a zone show it; Ibis itself has no such operation."""
    import ibis

    @ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
    def clock(zone, instant):  # type: ignore[no-untyped-def]
        """The engine's own."""

    return clock(zone, instant)


def _finite(value: Any) -> Any:
    """A double that is a number: 0 to the power of -1 is none."""
    return (value.isnan() | value.isinf()).ifelse(None, value)


def _conjuncts(condition: Expr) -> Iterator[Expr]:
    if condition.op == "and":
        for part in _exprs(condition.args):
            yield from _conjuncts(part)
    else:
        yield condition


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
