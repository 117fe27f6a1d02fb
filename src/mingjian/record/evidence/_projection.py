"""All evidence of a ledger in one DuckDB file: made from the ledger alone, and to be deleted and made again at any time.

Each evidence type of each scheme is a table of its rows, whole: what a later row supersedes stays and says by which entry.
A row counts at size n of the ledger where ``_entry < n`` and not ``_superseded < n``.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import duckdb
import orjson
import pyarrow as pa

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.values import canonical
from mingjian.declare import EvidenceType
from mingjian.record.evidence._schema import LINE, view_schema
from mingjian.record.evidence._view import (
    ENTRY,
    ROW,
    SUPERSEDED,
    Statements,
    View,
    lock,
    open_connection,
    quoted,
    with_provenance,
)
from mingjian.record.ledger import Ledger, Run, canonical_rows

_GROUP: Final = 1_000_000  # rows staged at a time,
_GROUP_BYTES: Final = 2**27  # or as many fewer as fill this: a row may hold a series
_PAUSE: Final = 0.05  # seconds between two tries for the lock
_KINDS: Final = "projection.kinds"  # the table of tables: none of evidence has its name, since theirs have a slash
_BATCH: Final = 65_536


_Stamp: TypeAlias = tuple[tuple[int, int, int], ...]


class Projection:
    """The rows of every evidence type that was asked for, as of any size of the ledger up to the one caught up to.

    One process writes or many read: they queue on a lock file beside ``path`` for at most ``wait`` seconds.
    """

    def __init__(self, path: Path, ledger: Ledger, *, wait: float = 20.0) -> None:
        self.path = path
        self.laid_out = path.with_name(
            f"{path.name}.laid-out"
        )  # where views lay out rows for an engine that reads files
        self._ledger = ledger
        self._statements = Statements()
        self._wait = wait
        self._known: dict[str, tuple[_Stamp, dict[str, tuple[str, int]]]] = {}

    def catch_up(
        self, scheme: str, types: Mapping[str, EvidenceType], *, zone: str = "", size: int | None = None
    ) -> int:
        """Take in what the ledger has gained for these types of a scheme, and return the size it has now.

        With ``size``, nothing is done where that size was reached before: no need to wait for open views.

        A type whose fields, key or date changed is read anew. ``zone`` is the scheme's, needed where a field of type time
        dates rows. Raises MingjianError if others keep the file busy too long, Misuse for rows that no longer fit a type.
        """
        head = self._ledger.size
        needed = head if size is None else size
        erasures = self._ledger.erasures()
        shapes = {kind: _shape(type, zone, erasures) for kind, type in types.items()}
        done = self._caught_up(scheme)
        if any(orjson.loads(shape).get("erasures") != erasures for shape, _ in done.values()):
            self.forget()
        if all(kind in done and done[kind][0] == shapes[kind] and done[kind][1] >= needed for kind in types):
            return head
        with self._locked(fcntl.LOCK_EX):
            with _connected(self.path, "READ_WRITE") as connection:
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {_KINDS} (scheme TEXT, kind TEXT, shape TEXT, size BIGINT,"
                    " PRIMARY KEY (scheme, kind))"
                )
                starts = _starts(connection, scheme, shapes)
                quiet = [kind for kind, start in starts.items() if not self._is_behind(scheme, kind, start, head)]
                for kind, type in types.items():
                    if kind not in quiet:
                        self._take_in(connection, scheme, type, shapes[kind], starts.get(kind), head, zone)
                connection.execute(
                    f"UPDATE {_KINDS} SET size = greatest(size, ?) WHERE scheme = ? AND kind IN (SELECT unnest(?))",
                    [head, scheme, quiet],
                )
                reached = _read(connection, scheme)
            self._known[scheme] = _stamp(self.path), reached
        return head

    def forget(self) -> None:
        """Delete the file as soon as nobody reads it: rows that were erased since may stand in it. It is made anew when needed.

        Raises MingjianError if others keep the file busy too long.
        """
        with self._locked(fcntl.LOCK_EX):
            self._delete()

    def view(self, scheme: str, size: int | None = None) -> View:
        """The rows of a scheme as of ``size`` entries, or of the size caught up to. Close it to let others write.

        It shows the types that were caught up to that size. Raises Misuse where there is none.
        """
        if not self.path.exists():
            raise Misuse("no rows here", where=str(self.path), remedy="catch up first")
        with ExitStack() as held:
            held.enter_context(self._locked(fcntl.LOCK_SH))
            connection = open_connection()
            _attach(connection.con, self.path, "READ_ONLY")
            sizes = {kind: reached for kind, (_, reached) in _read(connection.con, scheme).items()}
            if not sizes:
                raise Misuse(f"no rows of {scheme!r} here", where=str(self.path), remedy="catch up first")
            at = max(sizes.values()) if size is None else size
            kinds = [kind for kind, reached in sizes.items() if at <= reached]  # a type dropped since stays behind
            if at < 0 or not kinds:
                raise Misuse(
                    f"no view at size {at}", why=f"caught up to {max(sizes.values())}", remedy="catch up first"
                )
            for kind in kinds:
                connection.con.execute(
                    f"CREATE VIEW {quoted(kind)} AS SELECT * EXCLUDE ({SUPERSEDED})"
                    f" FROM {_table(scheme, kind)}"
                    f" WHERE {ENTRY} < {at} AND coalesce({SUPERSEDED} >= {at}, true)"
                )
            lock(connection)
            return View(connection, at, kinds, held.pop_all(), self._statements)

    def digest(self, size: int | None = None) -> str:
        """``sha256:`` over every row of every table as of ``size`` entries, or of the size each was caught up to.

        It says nothing of the bytes of the file: two makings of one ledger agree, by any engine. Types that were not caught
        up to ``size`` are left out. Raises Misuse where nothing was caught up yet, Tampered for a file that cannot be read.
        """
        if not self.path.exists():
            raise Misuse("no rows here", where=str(self.path), remedy="catch up first")
        state = hashlib.sha256()
        with self._locked(fcntl.LOCK_SH), _connected(self.path, "READ_ONLY") as connection:
            for scheme, kind, shape, reached in connection.execute(
                f"SELECT scheme, kind, shape, size FROM {_KINDS} ORDER BY scheme, kind"
            ).fetchall():
                at = reached if size is None else size
                if reached < at:
                    continue
                state.update(canonical([scheme, kind, shape]) + b"\n")
                later = f"CASE WHEN {SUPERSEDED} < {at} THEN {SUPERSEDED} END AS {SUPERSEDED}"
                rows = f"SELECT * REPLACE ({later}) FROM {_table(scheme, kind)} WHERE {ENTRY} < {at} ORDER BY {ENTRY}, {ROW}"
                for batch in connection.execute(rows).to_arrow_reader(_BATCH):
                    table = pa.Table.from_batches([batch]).cast(pa.schema(map(_as_in_ledger, batch.schema)))
                    state.update(b"".join(row + b"\n" for row in canonical_rows(table)))
        return "sha256:" + state.hexdigest()

    def become(self, other: Projection) -> None:
        """Put the file of another, which nobody has open, in place of this one's as soon as nobody reads it.

        Raises MingjianError if others keep the file busy too long.
        """
        with self._locked(fcntl.LOCK_EX):
            self._delete()
            other.path.replace(self.path)

    def _caught_up(self, scheme: str) -> dict[str, tuple[str, int]]:
        """(shape, size caught up to) of each kind; read again only once the file has changed, whoever changed it.

        A file that cannot be opened, since whoever made it was killed over it, is deleted: it is made again.
        """
        stamp = _stamp(self.path)
        if not self.path.exists():
            return {}
        if scheme not in self._known or self._known[scheme][0] != stamp:
            try:
                with self._locked(fcntl.LOCK_SH), _connected(self.path, "READ_ONLY") as connection:
                    self._known[scheme] = stamp, _read(connection, scheme)
            except Tampered:
                self.forget()
                return {}
        return self._known[scheme][1]

    def _take_in(
        self,
        connection: duckdb.DuckDBPyConnection,
        scheme: str,
        type: EvidenceType,
        shape: str,
        start: int | None,
        head: int,
        zone: str,
    ) -> None:
        """Add the rows of one type from ``start`` on; without it, all of them to a new table. All or none of them land."""
        connection.begin()
        table = _table(scheme, type.id)
        if start is None:
            _lay_out(connection, table, type)
        entries = self._ledger.entries(start or 0, head, kind=type.id, scheme=scheme)
        for tables in _groups(_rows(run, type, zone) for run in self._ledger.runs(entries)):
            _add(connection, table, type, pa.concat_tables(tables))
        connection.execute(f"INSERT OR REPLACE INTO {_KINDS} VALUES (?, ?, ?, ?)", [scheme, type.id, shape, head])
        connection.commit()

    def _is_behind(self, scheme: str, kind: str, start: int, head: int) -> bool:
        return next(self._ledger.entries(start, head, kind=kind, scheme=scheme), None) is not None

    def _delete(self) -> None:
        # Logs first (DuckDB has up to three): whoever dies in between leaves an older file, and never a log without its file.
        for file in (*self.path.parent.glob(f"{self.path.name}.wal*"), self.path):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.laid_out, ignore_errors=True)  # nobody has a view open: who left it did not come to its end

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._wait
        with self.path.with_name(f"{self.path.name}.lock").open("a") as file:
            while True:
                try:
                    fcntl.flock(file, how | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise MingjianError(
                            "the rows are in use",
                            why=f"others kept the file busy for {self._wait:g} s",
                            where=str(self.path),
                            remedy="close open views, or try again when the others are done",
                        ) from None
                    time.sleep(_PAUSE)
            yield


def _stamp(path: Path) -> _Stamp:
    """What is different of a file, or of what was last written beside it, once either changes."""
    found: list[tuple[int, int, int]] = []
    for file in (path, path.with_name(f"{path.name}.wal")):
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


@contextmanager
def _connected(path: Path, mode: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the file attached. Raises Tampered where DuckDB cannot read what is in it, and as `_readable` does."""
    with duckdb.connect() as connection, _readable(path):
        connection.execute("SET TimeZone = 'UTC'")
        _attach(connection, path, mode)
        yield connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, mode: str) -> None:
    """Open the file as ``projection``. Raises Tampered for one that DuckDB cannot read."""
    with _readable(path):
        connection.execute(f"ATTACH {_text(str(path))} AS projection ({mode})")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raises Tampered where DuckDB fails, but MingjianError where it has no room: nothing is wrong with the rows then."""
    try:
        yield
    except duckdb.Error as fault:
        if os.strerror(errno.ENOSPC) in str(fault):  # it has no class of its own for that
            raise MingjianError(
                "the rows cannot be laid out", why=str(fault), where=str(path), remedy="make room, and try again"
            ) from fault
        raise Tampered(
            "the rows cannot be read", why=str(fault), where=str(path), remedy="delete the file: it is made again"
        ) from fault


def _read(connection: duckdb.DuckDBPyConnection, scheme: str) -> dict[str, tuple[str, int]]:
    """(shape, size caught up to) of each kind of a scheme."""
    if not connection.execute("FROM duckdb_tables() WHERE table_name = 'kinds'").fetchall():
        return {}  # whoever made the file did not come to its end
    rows = connection.execute(f"SELECT kind, shape, size FROM {_KINDS} WHERE scheme = ?", [scheme]).fetchall()
    return {kind: (shape, size) for kind, shape, size in rows}


def _starts(connection: duckdb.DuckDBPyConnection, scheme: str, shapes: Mapping[str, str]) -> dict[str, int]:
    """The sizes that types are caught up to whose tables have the shapes that are wanted."""
    found = _read(connection, scheme)
    return {kind: found[kind][1] for kind, shape in shapes.items() if kind in found and found[kind][0] == shape}


def _lay_out(connection: duckdb.DuckDBPyConnection, table: str, type: EvidenceType) -> None:
    """An empty table for a type, in place of the one of another shape that there may be."""
    connection.register("_given", with_provenance(view_schema(type).empty_table(), type, "UTC"))
    connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT *, NULL::BIGINT AS {SUPERSEDED} FROM _given")
    connection.unregister("_given")


def _add(connection: duckdb.DuckDBPyConnection, table: str, type: EvidenceType, rows: pa.Table) -> None:
    """Append rows, later than all in the table; each supersedes the row of its key before it."""
    connection.register("_given", rows)
    if type.key:
        key = ", ".join(map(quoted, type.key))
        same = " AND ".join(f"old.{quoted(field)} IS NOT DISTINCT FROM new.{quoted(field)}" for field in type.key)
        connection.execute(
            f"UPDATE {table} AS old SET {SUPERSEDED} = new.first"
            f" FROM (SELECT {key}, min({ENTRY}) AS first FROM _given GROUP BY ALL) AS new"
            f" WHERE old.{SUPERSEDED} IS NULL AND {same}"
        )
        superseded = f"lead({ENTRY}) OVER (PARTITION BY {key} ORDER BY {ENTRY}, {ROW})"
    else:
        superseded = "NULL::BIGINT"
    # The rows about one subject lie together: to explain a number, few blocks of millions of rows are read.
    order = ", ".join(map(quoted, [*type.subjects, ENTRY, ROW]))
    connection.execute(f"INSERT INTO {table} SELECT *, {superseded} FROM _given ORDER BY {order}")
    connection.unregister("_given")


def _rows(run: Run, type: EvidenceType, zone: str) -> pa.Table:
    """The rows of some entries under the columns of the type as it is declared now."""
    names = [name for name in run.table.column_names if name in type.fields or name == LINE]
    # A row keeps its number when others of its entry are erased.
    table = run.table.select(names).append_column(ROW, run.places).append_column(ENTRY, run.entries)
    return with_provenance(table, type, zone)


def _groups(tables: Iterable[pa.Table]) -> Iterator[Sequence[pa.Table]]:
    """Tables in runs of a million rows or 128 MiB: few statements for many small entries, little memory for large ones."""
    group: list[pa.Table] = []
    for table in tables:
        group.append(table)
        rows, size = (sum(column) for column in zip(*((m.num_rows, m.nbytes) for m in group), strict=True))
        if rows >= _GROUP or size >= _GROUP_BYTES:
            yield group
            group = []
    if group:
        yield group


def _shape(type: EvidenceType, zone: str, erasures: int) -> str:
    """What a table depends on besides the entries of the ledger."""
    columns = [[field.name, str(field.type)] for field in view_schema(type)]
    parts = {"columns": columns, "key": list(type.key), "date": type.date, "zone": zone, "erasures": erasures}
    return canonical(parts).decode()


def _as_in_ledger(field: Any) -> Any:
    return field.with_type(pa.decimal128(38, field.type.scale)) if pa.types.is_decimal(field.type) else field


def _table(scheme: str, kind: str) -> str:
    return f"projection.{quoted(f'{scheme}/{kind}')}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
