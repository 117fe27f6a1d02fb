"""The database that holds the tables of a ledger. What differs from one database to another stands behind `Database`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mingjian.base.errors import Misuse, Tampered

RESTORE: Final = "restore it from a copy of the ledger: `mingjian restore`"

Values = tuple[object, ...]


class Damaged(Tampered):
    """A database that cannot be read further."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__("the database cannot be read further", why=why, where=name, remedy=RESTORE)


class Database(Protocol):
    """The tables of one ledger, in SQLite or in PostgreSQL."""

    @property
    def name(self) -> str:
        """The database, as messages name it: never with a password."""

    @property
    def blobs(self) -> Path | None:
        """Where large payloads lie unless another place is named; None where one must be named."""

    def create(self) -> None:
        """Make the tables where there are none. Raises Misuse where the database does not fit."""

    def is_there(self) -> bool:
        """Whether a ledger may be here: the tables, or a file, were made."""

    def reading(self) -> Connection:
        """A connection to read with, each statement for itself; close it."""

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A connection to read with, all of whose statements see what was there when the block began."""

    def alone(self) -> AbstractContextManager[Connection]:
        """Alone among all writers, of this process and others, who come in the order in which they asked.

        What is done with the connection lands when it is committed, and outlasts a power cut; else nothing of it does.
        """

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Values]) -> None:
        """Add rows, each with the values of all columns in the table's order, of which there must be at least one.

        A tile takes the place of the shorter one that is there.
        """

    def first(self, connection: Connection, statement: str) -> Values | None:
        """The first row that a statement without parameters finds, as it stands there; None where it finds none."""

    def scrub(self) -> None:
        """Write anew what erasures deleted from, so that no byte of what was deleted is left in the database's own files.

        Raises MingjianError while others read an older state.
        """


def database_at(where: str | Path) -> Database:
    """The database of a directory (``ledger.db`` in it), a ``sqlite:///`` or a ``postgresql://`` URL. Touches nothing yet.

    Raises Misuse for any other place. No message repeats the URL: there may be a password in it.
    """
    text = str(where)
    scheme, found, _ = text.partition("://")
    if not found:
        from mingjian.record.ledger._sqlite import SqliteDatabase

        return SqliteDatabase(Path(where) / "ledger.db")
    if scheme == "sqlite":
        from mingjian.record.ledger._sqlite import SqliteDatabase, path_of

        return SqliteDatabase(path_of(text))
    if scheme in ("postgresql", "postgresql+psycopg"):
        from mingjian.record.ledger._postgresql import PostgresDatabase

        return PostgresDatabase(text)
    remedy = "give a directory, the sqlite:/// URL of a file, or a postgresql:// URL"
    raise Misuse("no such store", why=f"{scheme!r} is no kind of it", remedy=remedy)
