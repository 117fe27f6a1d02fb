"""The rows of the read log, found by account and by subject: a projection, which can be deleted and is made again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from mingjian.base.values import canonical
from mingjian.record.access._account_store import Instant
from mingjian.record.ledger import Damaged, Ledger, LedgerState, sqlite_engine


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody saw something: which account, in which role, what (a kind of page or row), about whom, of which period."""

    account: str
    role: str
    what: str
    subject: str
    period: str
    at: datetime


METADATA: Final = sa.MetaData()
READ: Final = sa.Table(
    "read",
    METADATA,
    sa.Column("entry", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("read_by", "account", "entry", "row"),
    sa.Index("read_of", "subject", "entry", "row"),
)


class ReadIndex:
    """The rows of a read log in a SQLite file of their own. Nothing stands in it that the log does not hold."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._engine = sqlite_engine(path)
        sa.event.listen(self._engine, "connect", _set_pragmas)
        METADATA.create_all(self._engine)

    @property
    def size(self) -> int:
        """How many entries of the log it knows."""
        with self._engine.connect() as connection:
            last: int | None = connection.scalar(sa.select(sa.func.max(READ.c.entry)))
        return 0 if last is None else last + 1

    def add(self, entry: int, reads: Sequence[Read]) -> None:
        """The rows of the next entry; adding them twice is no harm. It leaves out an entry that does not come next."""
        if entry == self.size:
            rows = [{"entry": entry, "row": row, **_values(read)} for row, read in enumerate(reads)]
            with self._engine.begin() as connection:
                connection.execute(READ.insert().prefix_with("OR IGNORE"), rows)

    def catch_up(self, state: LedgerState) -> None:
        """Read the entries that were not added; begin anew where the log is shorter than it was."""
        if self.size > state.size:
            self.forget()
        for entry, rows in state.rows(state.entries(self.size)):
            self.add(entry.index, [Read(**row) for row in rows])

    def forget(self) -> None:
        """Let go of all rows; they are read anew when needed."""
        with self._engine.begin() as connection:
            connection.execute(READ.delete())

    def digest(self, size: int) -> str:
        """``sha256:`` over every row of the first ``size`` entries, whatever the bytes of the file."""
        state = hashlib.sha256()
        query = sa.select(READ).where(READ.c.entry < size).order_by(READ.c.entry, READ.c.row)
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                state.update(canonical([str(value) for value in row]) + b"\n")
        return "sha256:" + state.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def rows(self, limit: int, **exactly: str) -> tuple[Read, ...]:
        """The latest rows whose columns are ``exactly`` so, newest first."""
        query = sa.select(*(READ.c[name] for name in Read.__dataclass_fields__)).limit(limit)
        query = query.where(*(READ.c[name] == value for name, value in exactly.items()))
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(READ.c.entry.desc(), READ.c.row.desc()))
            return tuple(Read(*row) for row in found)


def mended(path: Path, ledger: Ledger) -> tuple[str, str]:
    """The digest of a log's index made anew beside the one at ``path``, and what was wrong with this, "" for nothing.

    What was wrong is put right: in place, since others may have the file open; one that cannot be read is deleted first.
    """
    state = ledger.state()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as place:
        anew = ReadIndex(Path(place, path.name))
        anew.catch_up(state)
        found = anew.digest(state.size)
        try:
            present = ReadIndex(path)
            reached = min(present.size, state.size)
            good = present.digest(reached) == anew.digest(reached) and present.size <= ledger.size
            fault = "" if good else "it has other rows than the log of reads"
        except (sa.exc.DatabaseError, Damaged) as damage:
            fault = f"it cannot be read: {_first_line(damage)}"
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            present = ReadIndex(path)
        anew.close()
    if fault:
        present.forget()
    present.catch_up(state)
    present.close()
    return found, fault


def _values(read: Read) -> dict[str, object]:
    return dict(zip(Read.__dataclass_fields__, astuple(read), strict=True))


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]


def _set_pragmas(connection: Any, _record: object) -> None:
    # It can be made anew, so it need not outlast a power cut.
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")
