"""A ledger in a schema of a PostgreSQL database (15 or later), over psycopg."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Engine

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.ledger._database import Values
from mingjian.record.ledger._tables import METADATA, OWNER_KEY, SECTION, insertion

PATIENCE: Final = 30_000  # milliseconds that an erasure waits for readers

_OURS: Final = 0x6D696E67 << 32  # advisory locks of a database are one space; OIDs have 32 bits
_LOCK: Final = sa.text(f"SELECT pg_advisory_xact_lock({_OURS} | 'ledger'::regclass::oid::bigint)")
_LOCK_TO_CREATE: Final = sa.text(f"SELECT pg_advisory_xact_lock({_OURS})")
# An @ further back, or a port that is no number, was part of a password: it must be named nowhere.
_WHOLE: Final = re.compile(r"postgresql://[^/?]*[^@]*")
_PORTS: Final = re.compile(r"[0-9,]*")
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_NO_LOCK_GOT: Final = "55P03"  # SQLSTATE lock_not_available
_SCRUBBED: Final = (SECTION, OWNER_KEY)  # what an erasure takes rows from


class PostgresDatabase:
    """See `Database`. The ledger lies in the first schema of the connection's search path.

    A URL chooses another with ``?options=-csearch_path%3DNAME``. Everything libpq knows may stand in the URL or in its
    environment; a password best stands in neither but in a ``~/.pgpass`` file.
    """

    def __init__(self, url: str) -> None:
        connect, self.name = _connector(url)
        # Readers never keep a writer waiting for a connection.
        self._reading = _engine(connect, "AUTOCOMMIT")
        self._writing = _engine(connect, "READ COMMITTED")
        weakref.finalize(self, _let_go, self._reading, self._writing)

    @property
    def blobs(self) -> None:
        """No place: one must be named."""
        return

    def create(self) -> None:
        """See `Database.create`. Raises Misuse for a database of another encoding, or without the schema."""
        with self._writing.connect() as connection:
            encoding = connection.scalar(sa.text("SHOW server_encoding"))
            schema = connection.scalar(sa.text("SELECT current_schema()"))
            if encoding != "UTF8":
                remedy = "make one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
                raise Misuse(
                    "a ledger needs a database in UTF-8", why=f"it is in {encoding}", where=self.name, remedy=remedy
                )
            if schema is None:
                remedy = "make it: CREATE SCHEMA name"
                raise Misuse(
                    "there is no such schema", why="the search path names none", where=self.name, remedy=remedy
                )
            connection.execute(_LOCK_TO_CREATE)
            METADATA.create_all(connection)
            for table in _SCRUBBED:  # statistics are samples of values, which would outlive an erasure
                for column in table.columns:
                    if isinstance(column.type, sa.LargeBinary):
                        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {column.name} SET STATISTICS 0")
            connection.commit()

    def is_there(self) -> bool:
        """Whether the tables are there."""
        with self.reading() as connection:
            return bool(connection.scalar(sa.text("SELECT to_regclass('ledger') IS NOT NULL")))

    def reading(self) -> Connection:
        """See `Database.reading`."""
        return self._reading.connect()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """See `Database.snapshot`. An erasure's `scrub` waits: a table that is truncated is empty for older snapshots too."""
        with self._writing.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            tables = ", ".join(METADATA.tables)
            # Before the first look, which fixes what is seen.
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
            connection.exec_driver_sql("SELECT 1 FROM ledger")
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """See `Database.alone`: the server hands an advisory lock on in order, and frees that of a connection that breaks.

        It belongs to the transaction, so no other writer begins before this one's work is there to be seen.
        """
        with self._writing.connect() as connection:
            connection.execute(_LOCK)
            yield connection

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Values]) -> None:
        """See `Database.insert`."""
        connection.exec_driver_sql(_insertion(table), tuple(map(list, zip(*rows, strict=True))))

    def first(self, connection: Connection, statement: str) -> Values | None:
        """See `Database.first`."""
        row = connection.exec_driver_sql(statement).first()
        return None if row is None else tuple(row)

    def scrub(self) -> None:
        """See `Database.scrub`.

        VACUUM FULL would keep rows that some older transaction may still see, and say nothing of it. So the rows that are
        left are set aside and the tables emptied, which gives up their files at once.

        The server's log (WAL), its archive, its standbys and base backups are not in reach: they hold what was erased until
        they are recycled.
        """
        both = ", ".join(table.name for table in _SCRUBBED)
        try:
            with self._writing.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {PATIENCE}")
                connection.exec_driver_sql(f"LOCK TABLE {both} IN ACCESS EXCLUSIVE MODE")
                for table in _SCRUBBED:
                    connection.exec_driver_sql(
                        f"CREATE TEMPORARY TABLE kept_{table.name} ON COMMIT DROP AS SELECT * FROM {table.name}"
                    )
                connection.exec_driver_sql(f"TRUNCATE {both}")
                for table in reversed(_SCRUBBED):
                    connection.exec_driver_sql(f"INSERT INTO {table.name} SELECT * FROM kept_{table.name}")
        except sa.exc.OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) != _NO_LOCK_GOT:
                raise
            raise MingjianError(
                "what was erased may still stand in the database's files",
                why="somebody reads an older state",
                where=self.name,
                remedy="erase again when the readers are done",
            ) from fault


def _connector(url: str) -> tuple[Callable[[], Any], str]:
    """What connects to a URL, and how messages name it. The URL goes to libpq as it is, and nowhere else."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as fault:
        remedy = "`pip install mingjian[postgresql]`"
        raise Misuse("a ledger on PostgreSQL needs psycopg", why=str(fault), remedy=remedy) from fault
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        known = conninfo_to_dict(plain)
    except psycopg.ProgrammingError:  # its message repeats parts of the URL, which may be those of a password
        known = None
    if known is None or not _WHOLE.fullmatch(plain) or not _PORTS.fullmatch(str(known.get("port", ""))):
        remedy = (
            "write it as postgresql://user@host:port/database, with %-escapes for other signs in a name or a password"
        )
        raise Misuse("no such store", why="the URL cannot be read", remedy=remedy)
    host = ":".join(str(known[part]) for part in ("host", "port") if known.get(part))
    name = f"postgresql://{host}/{known.get('dbname', '')}" + (f" {known['options']}" if known.get("options") else "")

    def connect() -> Any:
        try:
            return psycopg.connect(plain, client_encoding="UTF8", application_name="mingjian")
        except psycopg.OperationalError as fault:
            why, remedy = first_line(fault), "see that the server runs, and that the URL names the right one"
            raise MingjianError("the database cannot be reached", why=why, where=name, remedy=remedy) from None

    return connect, name


def _engine(connect: Callable[[], Any], isolation: Any) -> Engine:
    # A connection that broke since it was last used is replaced, not handed out.
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=connect, isolation_level=isolation, pool_pre_ping=True, hide_parameters=True
    )
    sa.event.listen(engine, "connect", _set_durable)
    return engine


def _set_durable(connection: Any, _record: object) -> None:
    # A database, or a role, may be set to acknowledge what is not on disk yet.
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    connection.commit()


def _let_go(*engines: Engine) -> None:
    for engine in engines:
        engine.dispose()


@cache
def _insertion(table: sa.Table) -> str:
    """A statement that takes an array a column: one message to the server, however many rows."""
    kinds = (column.type.compile(_DIALECT).partition(" COLLATE ")[0] for column in table.c)
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    return insertion(table, f"SELECT * FROM unnest({arrays})")


def first_line(fault: Exception) -> str:
    """What went wrong, without what a driver appends."""
    return str(fault).partition("\n")[0]
