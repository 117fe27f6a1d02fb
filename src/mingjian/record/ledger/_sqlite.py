"""A ledger in one SQLite file, with two lock files beside it on which its writers queue."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.ledger._database import Values
from mingjian.record.ledger._sqlite_file import raise_told, sqlite_engine
from mingjian.record.ledger._tables import METADATA, insertion

PATIENCE: Final = 30_000  # milliseconds that a statement waits for others


def path_of(url: str) -> Path:
    """The file of a ``sqlite:///`` URL. Raises Misuse where it names none."""
    try:
        database = sa.make_url(url).database
    except sa.exc.ArgumentError:
        database = None
    if database in (None, "", ":memory:"):
        raise Misuse("no such store", where=url, remedy="give a directory or the sqlite:/// URL of a file")
    return Path(str(database))


class SqliteDatabase:
    """See `Database`: readers read while one writes, and a commit survives a power cut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path, self._next_path = (path.with_name(f"{path.name}.{of}") for of in ("lock", "next"))
        self._engine = sqlite_engine(path)
        sa.event.listen(self._engine, "connect", _set_pragmas)

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def blobs(self) -> Path:
        """The directory beside the file."""
        return self.path.parent / "blobs"

    def create(self) -> None:
        """See `Database.create`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.alone() as connection:
            METADATA.create_all(connection)
            connection.commit()

    def is_there(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()

    def reading(self) -> Connection:
        """See `Database.reading`."""
        return self._engine.connect()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """See `Database.snapshot`."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT 1 FROM ledger")  # what is seen is fixed by the first look
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """See `Database.alone`.

        SQLite's own lock starves some of those who wait. A lock on a file does too where whoever lets go of it comes back
        before others have woken up; so the next one waits for it alone, and all others for being the next one. Each opens the
        files for itself, so that threads exclude each other too; the system frees the locks of a process that dies.
        """
        with self._next_path.open("ab", buffering=0) as gate, self._lock_path.open("ab", buffering=0) as file:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(file, fcntl.LOCK_EX)
            fcntl.flock(gate, fcntl.LOCK_UN)
            with self._engine.connect() as connection:
                yield connection

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Values]) -> None:
        """See `Database.insert`."""
        if not connection.in_transaction():
            connection.begin()  # it would not commit what it did not see begin
        self._run(connection, lambda driver: driver.executemany(_insertion(table), rows))

    def first(self, connection: Connection, statement: str) -> Values | None:
        """See `Database.first`."""
        row: Values | None = self._run(connection, lambda driver: driver.execute(statement).fetchone())
        return row

    def _run(self, connection: Connection, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What an append does each time goes to sqlite3 itself: SQLAlchemy takes four times as long to hand a statement on."""
        driver: Any = connection.connection.driver_connection
        try:
            return work(driver)
        except sqlite3.Error as fault:
            raise_told(self.path, fault)
            raise sa.exc.DatabaseError(None, None, fault) from fault

    def scrub(self) -> None:
        """See `Database.scrub`.

        What is deleted is overwritten where it stood. But the log holds it until it is emptied, and of pages that were
        rearranged SQLite promises nothing.
        """
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
            connection.exec_driver_sql("VACUUM")
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise MingjianError(
                "what was erased may still stand in the database's log",
                why="somebody reads an older state",
                where=self.name,
                remedy="erase again when the readers are done",
            )


@cache
def _insertion(table: sa.Table) -> str:
    return insertion(table, f"VALUES ({', '.join('?' * len(table.c))})")


def _set_pragmas(connection: Any, _record: object) -> None:
    # WAL lets readers read while one writes; FULL makes a commit survive a power cut; what is deleted is overwritten.
    for pragma in (
        f"busy_timeout={PATIENCE}",  # first: the next one waits for others too
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
