"""The rows of one scheme as they stood at one size of the ledger, in a DuckDB that reaches nothing else.

What is asked of them in bulk may be answered by another engine: the same expressions, compiled for it, over the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import EvidenceType
from mingjian.record.evidence._schema import LINE, Column, view_schema

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

ENTRY: Final = "_entry"  # index of the entry a row came with
ROW: Final = "_row"  # its place in that entry, from 0
DATE: Final = "_date"  # the day that dates it
_MOST_STATEMENTS: Final = 1000
_BATCH: Final = 65_536  # rows
SUPERSEDED: Final = "_superseded"  # index of the entry that brought a later row of its key
# Formulas run here. What is open when the configuration is locked stays readable, and nothing else can be reached.
_LOCK: Final = "SET enable_external_access = false; SET lock_configuration = true"


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression in an engine's own language, the tables that it reads by name, and the columns that it gives."""

    sql: str
    tables: frozenset[str]
    schema: pa.Schema


class Engine(Protocol):
    """What runs compiled expressions over the rows of one view."""

    @property
    def dialect(self) -> str:
        """Whose SQL it runs, as Ibis calls it."""

    def compile(self, expression: Any) -> str:
        """An Ibis table expression over the view's rows, by kind, and over given tables, as SQL."""

    def run(
        self, statement: Compiled, given: Mapping[str, pa.Table], among: tuple[str, Sequence[str]] | None
    ) -> pa.Table:
        """What the statement gives; with ``among``, of its rows those with one of these texts in that column.

        Raises OverflowError for a number that none of its types holds.
        """

    def close(self) -> None:
        """Let go of what it holds for the view."""


class Statements:
    """What was compiled, by its key. The views of one projection share it: most ask the same of other rows."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Compiled] = {}

    def get(self, key: Hashable, compile: Callable[[], Compiled]) -> Compiled:
        """The statement of that key, compiled where nobody has yet. Two threads may both compile it: they get the same."""
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _MOST_STATEMENTS:
                self._kept = {}
            found = self._kept[key] = compile()
        return found


class View:
    """Rows that count, by evidence type: those present at ``size`` and not superseded by then.

    Use it as a context manager, or `close` it: a view of a `Projection` holds a read lock on its file.
    """

    def __init__(
        self, connection: Backend, size: int, kinds: Collection[str], held: ExitStack, statements: Statements
    ) -> None:
        self.connection = connection
        self._statements = statements
        self.size = size
        self.kinds = frozenset(kinds)
        self._held = held
        self._engine: Engine = _Own(connection)

    @classmethod
    def of(
        cls,
        tables: Mapping[str, pa.Table],
        types: Mapping[str, EvidenceType],
        size: int = 0,
        *,
        zone: str = "",
        statements: Statements | None = None,
    ) -> View:
        """A view in memory of the given rows; a type of ``types`` without a table is empty.

        Tables may lack optional fields, ``_line``, and (together) ``_entry`` and ``_row``: rows without them count as one
        entry, 0, in their order. ``size`` only names the state. ``zone`` is needed where a field of type time dates rows.
        Views that are asked the same of other rows may share their ``statements``.

        Raises Misuse for a table that is of no type, or not of its type's columns.
        """
        if unknown := tables.keys() - types.keys():
            raise Misuse("rows of no declared type", why=", ".join(sorted(unknown)))
        connection = open_connection()
        for kind, type in types.items():
            table = tables.get(kind, view_schema(type).empty_table())
            connection.con.register("_given", with_provenance(table, type, zone))
            current = ""
            if type.key:
                key = ", ".join(map(quoted, type.key))
                current = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {ENTRY} DESC, {ROW} DESC) = 1"
            connection.con.execute(f"CREATE TABLE {quoted(kind)} AS FROM _given {current} ORDER BY {ENTRY}, {ROW}")
            connection.con.unregister("_given")
        lock(connection)
        return cls(connection, size, types, ExitStack(), statements or Statements())

    def rows(self, kind: str):  # type: ignore[no-untyped-def]
        """The rows of an evidence type as an Ibis table: its fields, ``_entry``, ``_row``, ``_line`` and ``_date``."""
        self._check(kind)
        return self.connection.table(kind)

    def on(self, engine: Callable[[View], Engine]) -> Self:
        """The view itself, whose `select` is answered by that engine from now on, until it is closed."""
        self._engine = engine(self)
        self._held.callback(self._engine.close)
        return self

    def select(
        self,
        key: Hashable,
        expression: Callable[[], Any],
        given: Mapping[str, pa.Table],
        among: tuple[str, Sequence[str]] | None,
    ) -> pa.Table:
        """What an Ibis table expression gives over these rows and the ``given`` tables, which it names as tables of its own.

        It is compiled once for each ``key``, which says all that it depends on; making it and compiling it costs more than
        running it. With ``among`` (a column and texts) only the rows that have one of these texts there are given.
        Raises OverflowError for a number that is too large for the engine.
        """
        statement = self._statements.get((self._engine.dialect, key), lambda: self._compiled(expression()))
        found = self._engine.run(statement, given, among)
        columns = [found[field.name].cast(field.type) for field in statement.schema]
        return pa.Table.from_arrays(columns, schema=statement.schema)

    def _compiled(self, expression: Any) -> Compiled:
        from ibis.expr.operations import PhysicalTable

        named = frozenset(table.name for table in expression.op().find(PhysicalTable))
        return Compiled(self._engine.compile(expression), named, expression.schema().to_pyarrow())

    def arrow(self, kind: str) -> pa.Table:
        """The same rows as Arrow, ordered by entry and row; of a series its parts, as `Series` has them."""
        self._check(kind)
        found: pa.Table = self.connection.con.execute(
            f"SELECT {self._shown(kind)} FROM {quoted(kind)} ORDER BY {ENTRY}, {ROW}"
        ).to_arrow_table()
        return found

    def batches(self, kind: str) -> pa.RecordBatchReader:
        """The same rows in no order, some at a time, however many they are."""
        self._check(kind)
        found: pa.RecordBatchReader = self.connection.con.execute(f"FROM {quoted(kind)}").to_arrow_reader(_BATCH)
        return found

    def at(self, kind: str, places: pa.Table) -> pa.Table:
        """The rows of a type at these places (columns ``_entry`` and ``_row``), in whatever order; shown as by `arrow`."""
        self._check(kind)
        with _named(self.connection, {"_places": places}):
            found: pa.Table = self.connection.con.execute(
                f"SELECT {self._shown(kind)} FROM {quoted(kind)} SEMI JOIN _places USING ({ENTRY}, {ROW})"
            ).to_arrow_table()
        return found

    def _shown(self, kind: str) -> str:
        """The columns of a type, with the parts of a series in place of all its values."""
        columns = self.connection.con.execute(f"FROM {quoted(kind)} LIMIT 0").description
        series = [quoted(name) for name, of, *_ in columns if str(of).endswith("[]")]
        return f"* REPLACE ({', '.join(map(_parts_of, series))})" if series else "*"

    def close(self) -> None:
        """Let go of the file. Closing twice does no harm."""
        self.connection.disconnect()
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, kind: str) -> None:
        if kind not in self.kinds:
            raise Misuse(f"no rows of {kind!r} here", remedy="one of " + ", ".join(sorted(self.kinds)))


class _Own:
    """The DuckDB that has the rows, as the engine of its view."""

    dialect: Final = "duckdb"

    def __init__(self, connection: Backend) -> None:
        self._connection = connection

    def compile(self, expression: Any) -> str:
        sql: str = self._connection.compile(expression)
        return sql

    def run(
        self, statement: Compiled, given: Mapping[str, pa.Table], among: tuple[str, Sequence[str]] | None
    ) -> pa.Table:
        import duckdb

        where, texts = "", list(among[1]) if among else []
        if among is not None:
            where = f" WHERE {quoted(among[0])} IN ({', '.join('?' * len(texts))})" if texts else " WHERE false"
        try:
            with _named(self._connection, given):
                found: pa.Table = self._connection.con.execute(f"FROM ({statement.sql}){where}", texts).to_arrow_table()
        except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            raise OverflowError(str(error)) from error
        return found

    def close(self) -> None:
        """The view closes what it has opened."""


@contextmanager
def _named(connection: Backend, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Tables that queries may name meanwhile."""
    try:
        for name, table in tables.items():
            connection.con.register(name, table)
        yield
    finally:
        for name in tables:
            connection.con.unregister(name)


def _parts_of(series: str) -> str:
    """A series as its parts; the sum has 38 digits, more than any of whole numbers of 64 bits."""
    missing = f"len({series}) - list_count({series})"
    total = f"CASE WHEN {missing} = 0 THEN list_sum({series})::DECIMAL(38, 0) END"
    parts = f"{{'count': len({series}), 'missing': {missing}, 'total': {total}}}"
    return f"CASE WHEN {series} IS NOT NULL THEN {parts} END AS {series}"


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def open_connection() -> Backend:
    """A DuckDB in memory whose results depend on no setting of the machine."""
    import ibis  # half a second, which only those pay who ask for rows

    backend = ibis.duckdb.connect()
    backend.con.execute("SET TimeZone = 'UTC'")
    return backend


def lock(connection: Backend) -> None:
    """Nothing more can be opened, read, written or set from here on."""
    connection.con.execute(_LOCK)


def with_provenance(table: pa.Table, type: EvidenceType, zone: str) -> pa.Table:
    """The columns of a view's rows: the type's fields, ``_entry``, ``_row``, ``_line`` and ``_date``.

    Raises Misuse for columns that are not the type's.
    """
    rows = table.num_rows
    internal: dict[str, Any] = {
        ENTRY: pa.repeat(pa.scalar(0, pa.int64()), rows),
        ROW: pa.array(np.arange(rows)),
        LINE: pa.nulls(rows, pa.int64()),
    }
    if unknown := set(table.column_names) - internal.keys() - type.fields.keys() - {DATE}:
        raise Misuse(f"not rows of {type.id}", why=f"unknown columns {', '.join(sorted(unknown))}")
    arrays: list[Any] = []
    for field in view_schema(type):
        if field.name in table.column_names:
            arrays.append(_cast(table[field.name], field, type))
        else:
            arrays.append(pa.nulls(rows, field.type))
    columns: dict[str, Any] = dict(zip(type.fields, arrays, strict=True))
    for name, default in internal.items():
        columns[name] = table[name].cast(pa.int64()) if name in table.column_names else default
    columns[DATE] = dates(columns.get(type.date), type, zone, rows)
    return pa.table(columns)


def _cast(column: Column, field: pa.Field[Any], type: EvidenceType) -> Column:
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as fault:
        raise Misuse(f"not rows of {type.id}", why=f"column {field.name}: {fault}") from fault


def dates(column: Column | None, type: EvidenceType, zone: str, rows: int) -> Column:
    """The day of each row: the date itself, the first day of a period, the day of an instant on the clock of ``zone``."""
    if column is None:
        return pa.nulls(rows, pa.date32())
    kind = type.fields[type.date].type
    if kind == "period":
        texts = pc.unique(column)
        days = pa.array([None if text is None else Period.parse(text).first for text in texts.to_pylist()], pa.date32())
        return pc.take(days, pc.index_in(column, texts))
    if kind == "time":
        if not zone:
            raise Misuse(f"{type.id} is dated by a time", why="its day depends on the clock", remedy="give the zone")
        local: Any = column.cast(pa.timestamp("us", ZoneInfo(zone).key))
        local_days: Column = pc.local_timestamp(local).cast(pa.date32())
        return local_days
    return column
