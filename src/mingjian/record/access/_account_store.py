"""Where accounts lie: one SQLite file beside the ledger and never in it, since all of it can be erased."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.ledger import sqlite_engine

FORMAT: Final = 1

_WAITING: Final = 30_000  # milliseconds, for whoever writes
_SCRUBBING: Final = 1_000  # milliseconds, for readers to be done, while nobody else can write

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An instant as whole milliseconds since 1970, in UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """To milliseconds."""
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """From milliseconds."""
        return None if value is None else _EPOCH + value * _MILLISECOND


METADATA: Final = sa.MetaData()
ACCOUNT: Final = sa.Table(
    "account",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # as it is compared
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("made", Instant, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("hash", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("failed", Instant),  # when last
    sa.Column("locked", Instant),  # until when
)


def _account() -> sa.Column[str]:
    return sa.Column("account", sa.ForeignKey(ACCOUNT.c.id, ondelete="CASCADE"), nullable=False, index=True)


SESSION: Final = sa.Table(
    "session",
    METADATA,
    sa.Column("token", sa.LargeBinary, primary_key=True),  # its hash
    _account(),
    sa.Column("since", Instant, nullable=False),
    sa.Column("seen", Instant, nullable=False),
)
INVITATION: Final = sa.Table(
    "invitation",
    METADATA,
    sa.Column("token", sa.LargeBinary, primary_key=True),  # its hash
    _account(),
    sa.Column("until", Instant, nullable=False),
)
BINDING: Final = sa.Table(
    "binding",
    METADATA,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("sub", sa.Text, primary_key=True),
    _account(),
)
ATTEMPT: Final = sa.Table(
    "attempt",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, nullable=False, index=True),  # "" for a name that nobody has
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Index("attempt_from", "network", "at"),
)


class AccountStore:
    """The database of accounts: readers read while one writes, and writers queue."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # before SQLite does, which would open it to others
        path.chmod(0o600)  # its journal beside it gets the same
        self.path = path
        self._engine = sqlite_engine(path)
        sa.event.listen(self._engine, "connect", _set_pragmas)
        try:
            self._lay_out()
        except sa.exc.DatabaseError as fault:
            raise Misuse("no accounts here", why=str(fault.orig), where=str(path)) from fault

    def _lay_out(self) -> None:
        with self.writing() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar()
            if found not in (0, FORMAT):
                raise Misuse("accounts of another format", why=f"format {found}, not {FORMAT}", where=str(self.path))
            METADATA.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={FORMAT}")

    def reading(self) -> Connection:
        """A connection to read with; close it."""
        return self._engine.connect()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, alone from its first read on; nothing of it lands when it raises."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def scrub(self) -> None:
        """Take what was deleted out of the journal too. Raises MingjianError while somebody still reads it."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_SCRUBBING}")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAITING}")
        if busy:
            raise MingjianError(
                "what was erased still stands in the journal",
                where=str(self.path),
                remedy="it goes once nobody has the file open",
            )

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _set_pragmas(connection: Any, _record: object) -> None:
    # Deleted bytes are overwritten; a commit survives a power cut.
    for pragma in (
        f"busy_timeout={_WAITING}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
