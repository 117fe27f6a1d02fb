"""Reductions of rows, planned in groups and run on an engine through Ibis.

All reductions over the same rows (one evidence type, one window, one grain) are one query. What an engine returns is exact
and does not depend on the order of rows: integers and decimals are summed as decimals of 38 digits; a double is first
rounded to 12 decimals, so that a sum of scores is a sum of decimals too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, Protocol, cast

import numpy as np
import pyarrow as pa

from mingjian.base.errors import MingjianError
from mingjian.declare import EvidenceType, Expr, walk
from mingjian.reckon.measures._columns import NO_ROWS, OK, Column, Groups, Values, given
from mingjian.reckon.measures._compiler import Compiler, Constant
from mingjian.reckon.measures._ratios import Ratios, whole_of
from mingjian.reckon.measures._sheets import Grid, Spine

_COLUMNS: dict[str, pa.DataType] = {
    "_below": pa.string(),
    "_above": pa.string(),
    "_start": pa.date32(),
    "_end": pa.date32(),
}
ANCESTRY = pa.schema(_COLUMNS)
_ANCESTRY = "_ancestry"  # the name of that table in a query

REDUCING = ("sum", "mean", "min", "max", "count", "distinct", "rows")


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a reduction reads, and by what they are grouped.

    Pooled rows count for the subjects of type ``of`` above whom they are about; others, with ``of`` empty, for that subject
    itself, so that one query serves subjects of every type.
    """

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
    """The outcome of one query on its grid: the column of each reduction, by its key.

    ``parts`` has the sum and the count that a mean was made from.
    """

    grid: Grid
    columns: Mapping[str, Column]
    parts: Mapping[str, tuple[Column, Column]]


class Tables(Protocol):
    """Rows by kind as tables of one engine: those of a view, with derived rows added. ``zone`` is the scheme's."""

    @property
    def zone(self) -> str:
        """The clock on which an instant is a day."""

    def rows(self, kind: str) -> Any:
        """The rows of an evidence type or derivation, with ``_entry``, ``_row`` and ``_date``, as an Ibis table."""

    def select(
        self,
        key: Hashable,
        expression: Callable[[], Any],
        kind: str,
        given: Mapping[str, pa.Table],
        among: tuple[str, Sequence[str]] | None,
    ) -> pa.Table:
        """What an Ibis expression over the rows of ``kind`` and ``given`` tables gives (`View.select`)."""


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


@dataclass(frozen=True, slots=True)
class Query:
    """All that the reductions of the same rows need: ``asked`` are reductions of ``rows.kind``.

    ``ancestry`` (of schema `ANCESTRY`) is there where rows are pooled; ``subjects`` restricts them.
    """

    tables: Tables
    rows: Rows
    asked: Sequence[Expr]
    evidence: EvidenceType
    constant: Constant
    ancestry: pa.Table | None
    subjects: Collection[str] | None


def reduce_rows(query: Query) -> pa.Table:
    """Run all reductions of a query in one statement, for `read` to take columns from.

    Raises MingjianError when a whole number of one row grows beyond 64 bits, or a decimal or a sum beyond 38 digits.
    """
    return _run(query, "reduce", lambda: _reduced(query)).combine_chunks()


def _reduced(query: Query) -> Any:
    table = select(query)
    compiler = _compiler(table, query)
    columns: dict[str, Any] = {}
    for i, expr in enumerate(query.asked):
        columns[f"v{i}"] = compiler.reduction(expr)
        if expr.op == "mean":
            columns[f"n{i}"] = compiler.counted(expr)
        if query.evidence.ballots and not _counted_anyway(expr):
            columns[f"g{i}"] = compiler.group(expr)
    return compiler.table.group_by(["_subject", "_member"]).aggregate(**columns)


def _counted_anyway(expr: Expr) -> bool:
    """Whether the ballots behind a reduction are the count that it takes in any case."""
    return expr.op == "mean" and expr.args[1] is None


def read(found: pa.Table, asked: Sequence[Expr], spine: Spine, ballots: bool) -> Reduced:
    """The columns of reduced rows for the subjects of a spine."""
    return _Read(found, spine, ballots).reduced(asked)


def _compiler(table: Any, query: Query) -> Compiler:
    return Compiler(table, query.evidence, query.constant, query.tables.zone, query.asked)


class _Read:
    """What a query gave, from Arrow to columns."""

    def __init__(self, found: pa.Table, spine: Spine, ballots: bool) -> None:
        self._found = found
        self._ballots = ballots
        self.grid = Grid.of(spine, found["_subject"], found["_member"])
        places = self.grid.locate(found["_subject"], found["_member"])
        there = np.flatnonzero(places >= 0)
        self._rows = there[np.argsort(places[there])]

    def reduced(self, asked: Sequence[Expr]) -> Reduced:
        columns: dict[str, Column] = {}
        parts: dict[str, tuple[Column, Column]] = {}
        for i, expr in enumerate(asked):
            group = self._group(f"n{i}" if _counted_anyway(expr) else f"g{i}")
            value = self._column(f"v{i}", expr.kind, group)
            if expr.op == "mean":
                parts[key_of(expr)] = value, self._column(f"n{i}", "exact", group)
                value = mean(expr.kind, *parts[key_of(expr)])
            columns[key_of(expr)] = value
        return Reduced(self.grid, columns, parts)

    def _group(self, name: str) -> Groups | None:
        return self._array(name).to_numpy(zero_copy_only=False).astype(np.int64) if self._ballots else None

    def _column(self, name: str, kind: str, group: Groups | None) -> Column:
        array = self._array(name)
        if kind == "date":
            there = np.asarray(array.is_valid())
            return given(array.cast(pa.int32()).fill_null(0).to_numpy().astype("datetime64[D]"), there, NO_ROWS, group)
        if pa.types.is_floating(array.type):
            return given(array.fill_null(0).to_numpy(), np.asarray(array.is_valid()), NO_ROWS, group)
        numbers, there = whole_of(array)
        scale = array.type.scale if pa.types.is_decimal(array.type) else 0
        exact = Ratios.scaled(numbers, scale)
        return given(exact if kind == "exact" else exact.floats(), there, NO_ROWS, group)

    def _array(self, name: str) -> pa.Array[Any]:
        column = self._found[name]
        array: Any = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        taken: pa.Array[Any] = array.take(pa.array(self._rows, pa.int64()))
        return taken


def touched_rows(query: Query) -> pa.Table:
    """The rows that reach any of the reductions, by their conditions.

    Columns _subject, _member, _entry, _row, and r0, r1 ... for each reduction whether the row reaches it.
    """
    return _run(query, "touch", lambda: _touched(query))


def _touched(query: Query) -> Any:
    table = select(query)
    compiler = _compiler(table, query)
    flags = {f"r{i}": compiler.reached(expr) for i, expr in enumerate(query.asked)}
    marked = compiler.table.mutate(**flags)
    # Filtered when they are gathered: an engine that filters as early as it can writes out all steps of a power for it.
    gathered = marked.group_by(["_subject", "_member", "_entry", "_row"]).aggregate(
        **{name: marked[name].any() for name in flags}
    )
    return gathered.filter(reduce(or_, (gathered[name] for name in flags)))


def select(query: Query) -> Any:
    """The rows of a window as an Ibis table with ``_subject`` and ``_member``, about whatever subjects."""
    import ibis

    rows, evidence = query.rows, query.evidence
    table = query.tables.rows(rows.kind)
    if evidence.date:
        table = table.filter(table["_date"] < ibis.literal(rows.end))
        if rows.window == "in_period":
            table = table.filter(table["_date"] >= ibis.literal(rows.first))
        elif rows.window == "state_at_end":
            table = _latest(table, evidence.thread)
    if rows.pooled:
        ancestry = ibis.table(ibis.Schema.from_pyarrow(ANCESTRY), name=_ANCESTRY)
        table = _pooled(table, rows, evidence, ancestry)
    else:
        table = table.mutate(_subject=table[rows.subject_field])
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


def _run(query: Query, what: str, expression: Callable[[], Any]) -> pa.Table:
    """Run what is made of a query; the key says all that it depends on, but for the scheme, which the tables know."""
    key = (what, query.rows, tuple(map(key_of, query.asked)))
    given = {_ANCESTRY: query.ancestry} if query.ancestry is not None else {}
    among = None if query.subjects is None else ("_subject", sorted(query.subjects))
    try:
        found = query.tables.select(key, expression, query.rows.kind, given, among)
        found.validate(full=True)  # the engine overflows at 128 bits, a little beyond 38 digits
    except (OverflowError, pa.ArrowInvalid) as error:
        raise MingjianError(
            f"a figure over rows of {query.rows.kind} is too large",
            why=str(error).splitlines()[0],
            remedy="whole numbers of one row hold 64 bits, decimals and sums 38 digits; declare a larger unit or find the row"
            " that is out of all proportion",
        ) from error
    return found


def mean(kind: str, total: Column, count: Column) -> Column:
    """A mean from its sum and its count: no value where nothing was counted."""
    none = (total.why != OK) | np.asarray(count.floats == 0)
    divisor = cast(Ratios, count.values).where(~none, Ratios(np.ones(len(count), np.int64)))
    if kind == "score":
        values: Values = cast(Any, total.values) / divisor.floats()
    else:
        values = cast(Ratios, total.values) / divisor
    return given(values, ~none, NO_ROWS, total.group)
