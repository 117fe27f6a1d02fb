"""Derivations: rows made from rows, exactly and without a database.

A derivation's formula is evaluated column by column over the rows of its ``of`` type, in Python's integers and fractions,
which no sum overflows. Two operations look beyond the single row:

* ``split`` divides a subject's total among the rows that share it. Pro rata: the parts sum to the total (largest remainder;
  where nothing is asked, nothing is given). By priority or time: each takes what it asks for while it lasts, so the
  parts sum to the lesser of the total and what was asked; what is left over is nobody's.
* ``carry`` turns a series of amounts into whole units and a remainder handed on: unit * wholes + last remainder = amounts.

What is not known stays unknown: an operation on no value has no value, but for `coalesce`, `is_null`, the branch that a
`where` does not take, and for ``and``/``or`` where the other side decides.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

from mingjian.base.errors import Misuse
from mingjian.base.values import Kind, Period, to_fraction
from mingjian.declare import Dated, Derivation, EvidenceType, Expr, Parameter, Scheme

T = TypeVar("T")
Row: TypeAlias = Mapping[str, object]
Source: TypeAlias = tuple[str, int, int]  # evidence type, ledger entry, row in it
Sources: TypeAlias = frozenset[Source]
Number: TypeAlias = int | Fraction
Cell: TypeAlias = int | Fraction | bool | str | date | timedelta | None
Column: TypeAlias = list[Cell]
Share: TypeAlias = tuple[object, Period]  # the subject that a total is of, and its period


def derive(scheme: Scheme, name: str, rows: Callable[[str], Sequence[Row]], until: Period) -> list[dict[str, object]]:
    """The rows of derivation ``name``, from the evidence dated before the end of ``until``.

    ``rows`` gives an evidence type's rows with ``_entry`` and ``_row``; their order does not matter. Each result row has
    the fields of the row it stands for, the results (int, or None for no value) and ``_from``: every (type, entry, row)
    that entered (of what is carried, those of all earlier rows of the series too). Ordered by date, then key.

    Raises Misuse where a formula asks for what cannot be had exactly, a total or a weight is negative, a result is no
    whole number of its unit, or what the formula needs (date, key, split rule, order) is not declared.
    """
    deriver = Deriver(scheme, rows, until)
    pairs = zip(deriver.rows(name), deriver.sources(name), strict=True)
    return [{**row, "_from": tuple(sorted(found))} for row, found in pairs]


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of an evidence type or a derivation, by date and key."""

    name: str
    base: EvidenceType
    rows: Sequence[Row]
    dates: Sequence[date | Period]


class Deriver:
    """Derivations and those they stand on, each worked out once: their rows, and apart from them what these were made from.

    The arguments are those of `derive`.
    """

    def __init__(self, scheme: Scheme, rows: Callable[[str], Sequence[Row]], until: Period) -> None:
        self.scheme = scheme
        self.zone = ZoneInfo(scheme.zone)
        self._given = rows
        self._end = until.end_at(self.zone)
        self._tables: dict[str, _Table] = {}
        self._frames: dict[str, _Frame] = {}
        self._sources: dict[str, list[Sources]] = {}

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of a derivation. Raises Misuse as `derive` does."""
        return self.table(name).rows

    def sources(self, name: str) -> Sequence[Sources]:
        """For each of its rows all evidence that entered."""
        if name not in self._sources:
            table, derivation = self.table(name), self.scheme.derivations.get(name)
            if derivation is None:
                self._sources[name] = [frozenset({_source(name, row)}) for row in table.rows]
            else:
                self._sources[name] = self._frames[name].sources(*derivation.expr.values())
        return self._sources[name]

    def table(self, name: str) -> _Table:
        """The rows of an evidence type or a derivation."""
        if name not in self._tables:
            derivation = self.scheme.derivations.get(name)
            self._tables[name] = self._evidence(name) if derivation is None else self._derived(derivation)
        return self._tables[name]

    def _evidence(self, name: str) -> _Table:
        base = self.scheme.evidence.get(name)
        if base is None or not base.date:
            raise Misuse(f"no dated evidence {name!r} to derive from", remedy="declare it, and the field that dates it")
        given = self._given(name)
        dates = {value: _dated(value) for value in {row[base.date] for row in given}}
        instants = {value: _instant(day, self.zone) for value, day in dates.items()}
        rows = [row for row in given if instants[row[base.date]] < self._end]
        rows.sort(key=lambda row: (instants[row[base.date]], _place(row, base.key)))
        return _Table(name, base, rows, [dates[row[base.date]] for row in rows])

    def _derived(self, derivation: Derivation) -> _Table:
        table = self.table(derivation.of)
        frame = self._frames[derivation.id] = self.frame(derivation, table)
        results = {name: _whole(name, frame.compute(expr), frame) for name, expr in derivation.expr.items()}
        rows = [
            {**row, **dict(zip(results, cells, strict=True))}
            for row, *cells in zip(table.rows, *results.values(), strict=True)
        ]
        return replace(table, name=derivation.id, rows=rows)

    def frame(self, derivation: Derivation, table: _Table) -> _Frame:
        """The rows of a table, each in its period of the derivation's kind."""
        kind = cast(Kind, derivation.period)
        periods = {
            day: day.containing(kind) if isinstance(day, Period) else Period.of(day, kind, self.zone)
            for day in set(table.dates)
        }
        return _Frame(self, derivation, table, [periods[day] for day in table.dates])


@dataclass(frozen=True, slots=True)
class _Frame:
    """Rows over which a formula of ``derivation`` is evaluated, each with its own period."""

    deriver: Deriver
    derivation: Derivation
    table: _Table
    periods: Sequence[Period]
    _done: dict[str, Any] = field(default_factory=dict)  # what spans rows is worked out once however often it stands

    def compute(self, expr: Expr) -> Column:
        """The expression's value for each row."""
        size = len(self.table.rows)
        if expr.kind == "score":
            raise Misuse(f"derivation {self.derivation.id} is not exact", why=f"{expr} is a double")
        match expr.op, expr.args:
            case "field", (str(), str() as name):
                return [_cell(row[name], self.deriver.zone) for row in self.table.rows]
            case "lit", (str() as text,):
                return [_LITERALS[expr.kind](text)] * size
            case "param", (str() as name,):
                return self._in_force(name, [None] * size)
            case "lookup", (str() as name, Expr() as key):
                return self._in_force(name, self.compute(key))
            case "bound", (str() as name,):
                return [period.first if name == "period_start" else _last_day(period) for period in self.periods]
            case "split", (Expr() as total, Expr() as over, Expr() as weight):
                return self._once("split", (total, over, weight), lambda: self._split(total, over, weight))
            case "carry_whole" | "carry_rest", (Expr() as amount, Expr() as unit):
                return self._once("carry", (amount, unit), lambda: self._carry(amount, unit))[expr.op == "carry_rest"]
        if expr.op not in _ROWWISE:
            raise Misuse(f"derivation {self.derivation.id} asks for {expr.op}, which single rows do not have")
        function = _ROWWISE[expr.op]
        columns = [self.compute(operand) for operand in _operands(expr)]
        return [function(*cells) for cells in zip(*columns, strict=True)]

    def sources(self, *exprs: Expr) -> list[Sources]:
        """The evidence that enters any of the expressions, for each row."""
        spanning = {str(node.data()[3:]): node for expr in exprs for node in _spanning(expr)}
        columns = [self._split_sources(n) if n.op == "split" else self._carry_sources(n) for n in spanning.values()]
        own = self.deriver.sources(self.table.name)
        return [mine.union(*sets) for mine, *sets in zip(own, *columns, strict=True)]

    def _split_sources(self, node: Expr) -> list[Sources]:
        total, over, weight = cast(tuple[Expr, Expr, Expr], node.args)
        totals, asked = self._totals(total, over), self.sources(weight)
        counted = totals.sources()
        used = list(asked)
        for share, members in self._shares(over).items():
            whole = counted.get(share, frozenset()).union(*(asked[i] for i in members))
            for i in members:
                used[i] = whole
        return used

    def _carry_sources(self, node: Expr) -> list[Sources]:
        used = self.sources(cast(Expr, node.args[0]))
        for chain in self._chains():
            for before, i in pairwise(chain):
                used[i] |= used[before]
        return used

    def _once(self, what: str, exprs: Iterable[Expr], make: Callable[[], T]) -> T:
        key = f"{what} {[expr.data() for expr in exprs]}"
        if key not in self._done:
            self._done[key] = make()
        return cast(T, self._done[key])

    def _in_force(self, name: str, keys: Sequence[Cell]) -> Column:
        """A parameter's value on the last day of each row's period; of a table the entry of the row's key."""
        parameter: Parameter = self.deriver.scheme.parameters[name]
        dated = {period: parameter.on(_last_day(period)) for period in set(self.periods)}
        found = {pair: _entry(dated[pair[0]], pair[1]) for pair in set(zip(self.periods, keys, strict=True))}
        return [found[pair] for pair in zip(self.periods, keys, strict=True)]

    # -- split ----------------------------------------------------------------------------------------------------------
    def _split(self, total: Expr, over: Expr, weight: Expr) -> Column:
        totals, weights = self._totals(total, over), self.compute(weight)
        parts: Column = [None] * len(weights)
        for share, members in self._shares(over).items():
            asked = [weights[i] for i in members]
            whole = totals.value(share)
            if whole is None or None in asked:
                continue
            self._want_dividable(share, whole, cast(list[Number], asked))
            divide = _pro_rata if self.derivation.split == "pro_rata" else _in_turn
            for i, part in zip(members, divide(int(whole), cast(list[Number], asked)), strict=True):
                parts[i] = part
        return parts

    def _shares(self, over: Expr) -> Mapping[Share, Sequence[int]]:
        """Which rows share one subject's total of one period, in the order in which they are served."""
        return self._once("shares", (over,), lambda: self._make_shares(over))

    def _make_shares(self, over: Expr) -> dict[Share, list[int]]:
        rule, order, key = self.derivation.split, self.derivation.order, self.table.base.key
        if not rule or (rule != "pro_rata" and not order):
            raise Misuse(
                f"derivation {self.derivation.id} does not say how a total is split",
                remedy='declare split = "pro_rata", or "priority" or "time" with the order field',
            )
        turn = key if rule == "pro_rata" else (order, *key)
        shares: dict[Share, list[int]] = defaultdict(list)
        for i, (subject, period) in enumerate(zip(self.compute(over), self.periods, strict=True)):
            if subject is not None:
                shares[subject, period].append(i)
        for members in shares.values():
            members.sort(key=lambda i: _place(self.table.rows[i], turn))
        return shares

    def _totals(self, total: Expr, over: Expr) -> _Totals:
        return self._once("totals", (total, over), lambda: self._make_totals(total, over))

    def _make_totals(self, total: Expr, over: Expr) -> _Totals:
        value, condition = cast(tuple[Expr, Expr | None], total.args)
        table = self.deriver.table(cast(str, value.level))
        frame = self.deriver.frame(self.derivation, table)
        kept = frame.compute(condition) if condition is not None else [True] * len(table.rows)
        subject = subject_field(self.table.base, str(over.args[1]), table.base)
        groups: dict[Share, list[int]] = defaultdict(list)
        for i, period in enumerate(frame.periods):
            if kept[i]:
                groups[table.rows[i][subject], period].append(i)
        return _Totals(_REDUCTIONS[total.op], frame, value, frame.compute(value), groups)

    def _want_dividable(self, share: Share, whole: Number, asked: Sequence[Number]) -> None:
        if whole < 0 or whole != int(whole) or min(asked) < 0:
            raise Misuse(
                f"derivation {self.derivation.id} cannot divide {whole} among {', '.join(map(str, asked))}",
                why="a total is a whole number of its smallest unit, and neither it nor a weight is negative",
                where=f"{share[0]} in {share[1]}",
                remedy="declare min = 0 on the fields, and the total's unit small enough",
            )

    # -- carry ----------------------------------------------------------------------------------------------------------
    def _carry(self, amount: Expr, unit: Expr) -> tuple[Column, Column]:
        """Whole units and remainders; an unknown amount has neither, and the remainder passes it by."""
        amounts, units = self.compute(amount), self.compute(unit)
        wholes: Column = [None] * len(amounts)
        rests: Column = [None] * len(amounts)
        for chain in self._chains():
            held: Number = 0
            for i in chain:
                added, size = cast(Number | None, amounts[i]), cast(Number | None, units[i])
                held += added or 0
                if added is None or size is None:
                    continue
                if size <= 0:
                    raise Misuse(f"derivation {self.derivation.id} carries in units of {size}", remedy="above 0")
                wholes[i], held = divmod(held, size)
                rests[i] = held
        return wholes, rests

    def _chains(self) -> list[list[int]]:
        """The rows that differ in date alone, each series in order of date."""
        base = self.table.base
        if not base.key:
            raise Misuse(f"nothing to carry along: {base.id} has no key", remedy="declare the key of its rows")
        chains: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for i, row in enumerate(self.table.rows):
            chains[tuple(row[field] for field in base.thread)].append(i)
        return list(chains.values())


@dataclass(frozen=True, slots=True)
class _Totals:
    """A reduction by subject and period; no rows reduce to no value (to zero for a count)."""

    function: Callable[[list[Any]], Any]
    frame: _Frame
    of: Expr
    cells: Column
    groups: Mapping[Share, Sequence[int]]

    def value(self, share: Share) -> Number | None:
        present = [self.cells[i] for i in self.groups.get(share, ()) if self.cells[i] is not None]
        return cast("Number | None", self.function(present))

    def sources(self) -> Mapping[Share, Sources]:
        origins = self.frame.sources(self.of)
        return {share: frozenset[Source]().union(*(origins[i] for i in rows)) for share, rows in self.groups.items()}


def _pro_rata(total: int, weights: Sequence[Number]) -> list[Number]:
    """Parts in proportion to the weights that sum to the total, by largest remainder; the earlier of equals gains."""
    asked = sum(weights)
    if not asked:
        return [0] * len(weights)
    shares = [divmod(total * weight, asked) for weight in weights]
    parts: list[Number] = [whole for whole, _ in shares]
    left = int(total - sum(parts))
    for i in sorted(range(len(parts)), key=lambda i: -shares[i][1])[:left]:
        parts[i] += 1
    return parts


def _in_turn(total: int, weights: Sequence[Number]) -> list[Number]:
    """Each takes what it asks for, the first first, until the total is used up."""
    left: Number = total
    parts = []
    for weight in weights:
        parts.append(min(weight, left))
        left -= parts[-1]
    return parts


def subject_field(sharing: EvidenceType, over: str, totalled: EvidenceType) -> str:
    """The field of ``totalled`` that holds a subject of the types of ``over``: of the same name, else the first.

    Raises Misuse where it has none.
    """
    types = set(sharing.fields[over].of)
    fitting = [name for name in totalled.subjects if types & set(totalled.fields[name].of)]
    if not fitting:
        raise Misuse(f"{totalled.id} has no subject of the types of {sharing.id}.{over}", remedy="split over another")
    return over if over in fitting else fitting[0]


def _dated(value: object) -> date | Period:
    return Period.parse(value) if isinstance(value, str) else cast(date, value)


def _instant(day: date | Period, zone: ZoneInfo) -> datetime:
    if isinstance(day, datetime):
        return day
    return (day if isinstance(day, Period) else Period.of(day, "day")).start_at(zone)


def _last_day(period: Period) -> date:
    return period.first if period.kind == "hour" else period.end - timedelta(days=1)


def _place(row: Row, fields: Iterable[str]) -> tuple[object, ...]:
    """Orders rows by fields, what has no value last; then by their place in the ledger."""
    return tuple((row[name] is None, row[name]) for name in (*fields, "_entry", "_row"))


def _entry(dated: Dated | None, key: Cell) -> Number | None:
    value = None if dated is None else dated.value
    number = value.get(cast(str, key)) if isinstance(value, Mapping) else value
    return None if number is None else to_fraction(number)


def _source(kind: str, row: Row) -> Source:
    return kind, cast(int, row["_entry"]), cast(int, row["_row"])


def _cell(value: object, zone: ZoneInfo) -> Cell:
    """A stored value as formulas see it: decimals exact, an instant as its day in the scheme's zone."""
    if isinstance(value, Decimal):
        return to_fraction(value)
    return value.astimezone(zone).date() if isinstance(value, datetime) else cast(Cell, value)


def _whole(name: str, column: Column, frame: _Frame) -> Column:
    for cell in column:
        if cell is not None and cast(Number, cell) != int(cast(Number, cell)):
            raise Misuse(
                f"result {name} of derivation {frame.derivation.id} comes to {cell}",
                why="results are whole numbers of their unit",
                remedy="declare a smaller unit, or leave the division to a measure",
            )
    return [None if cell is None else int(cast(Number, cell)) for cell in column]


def _operands(expr: Expr) -> list[Expr]:
    found: list[Expr] = []
    for arg in expr.args:
        found.extend(arg if isinstance(arg, tuple) else (arg,) if isinstance(arg, Expr) else ())
    return found


def _spanning(expr: Expr) -> Iterator[Expr]:
    """The outermost operations of a formula that look beyond the single row."""
    if expr.op in ("split", "carry_whole", "carry_rest"):
        yield expr
    else:
        for operand in _operands(expr):
            yield from _spanning(operand)


def _strict(function: Callable[..., Cell]) -> Callable[..., Cell]:
    return lambda *cells: None if None in cells else function(*cells)


def _and(left: Cell, right: Cell) -> Cell:
    return False if left is False or right is False else None if None in (left, right) else True


def _or(left: Cell, right: Cell) -> Cell:
    return True if left is True or right is True else None if None in (left, right) else False


_LITERALS: Final[Mapping[str, Callable[[str], Cell]]] = {
    "exact": to_fraction,
    "flag": lambda text: text == "true",
    "text": str,
    "date": date.fromisoformat,
}

_ROWWISE: Final[Mapping[str, Callable[..., Cell]]] = {
    **{op: _strict(getattr(operator, op)) for op in ("add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge")},
    "div": _strict(lambda a, b: Fraction(a) / b if b else None),
    "floordiv": _strict(lambda a, b: a // b if b else None),
    "not": _strict(operator.not_),
    "days": _strict(lambda span: span.days),
    "isin": _strict(lambda value, *choices: value in choices),
    "least": _strict(min),
    "greatest": _strict(max),
    "and": _and,
    "or": _or,
    "total": _strict(lambda series: None if series["total"] is None else int(series["total"])),
    "missing": _strict(lambda series: series["missing"]),
    "isnull": lambda value: value is None,
    "where": lambda condition, then, otherwise: None if condition is None else then if condition else otherwise,
    "coalesce": lambda *cells: next((cell for cell in cells if cell is not None), None),
}

_REDUCTIONS: Final[Mapping[str, Callable[[list[Any]], Any]]] = {
    "sum": lambda cells: sum(cells) if cells else None,
    "mean": lambda cells: Fraction(sum(cells)) / len(cells) if cells else None,
    "min": lambda cells: min(cells, default=None),
    "max": lambda cells: max(cells, default=None),
    "count": len,
    "distinct": lambda cells: len(set(cells)),
}
