"""A SQLite file, and what is told of one that cannot be read, or of a disk on which it cannot be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine, ExceptionContext

from mingjian.base.errors import MingjianError
from mingjian.record.ledger._database import Damaged

# The low byte of a result code says what went wrong at all, the others where: https://www.sqlite.org/rescode.html
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REFUSED: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_FAILED: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)


def sqlite_engine(path: Path) -> Engine:
    """Connections to a SQLite file. A statement that the disk refuses, or that others keep out for too long, raises
    MingjianError, and nothing of it is taken; one that meets damage raises Damaged.
    """
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), hide_parameters=True)

    def tell(context: ExceptionContext) -> None:
        raise_told(path, context.original_exception)

    sa.event.listen(engine, "handle_error", tell)
    return engine


def raise_told(path: Path, fault: BaseException) -> None:
    """Raises what is told of an error of sqlite3 as `sqlite_engine` does; returns where nothing better can be said of it."""
    code = getattr(fault, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_CORRUPT:
        raise Damaged(str(path), str(fault)) from fault
    if code & 0xFF in _BUSY:
        raise MingjianError(
            "the database is busy",
            why=f"another program keeps it to itself: {fault}",
            where=str(path),
            remedy="close the program that has it open, or try again when that is done",
        ) from fault
    if code & 0xFF in _REFUSED or code in _FAILED:
        raise MingjianError(
            "the database cannot be written",
            why=str(fault),
            where=str(path),
            remedy="make room, or mend the disk or its permissions, and try again",
        ) from fault
