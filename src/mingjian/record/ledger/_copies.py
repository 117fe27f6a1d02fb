"""All that a ledger holds, brought to another place: its tables as of one moment, while others write, and its blobs.

Whatever the databases are, the copy has the same entries, rows, keys and tree, and so the same root.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from mingjian.base.errors import Misuse
from mingjian.record.ledger._blobs import blobs_at
from mingjian.record.ledger._database import Database
from mingjian.record.ledger._store import Store
from mingjian.record.ledger._tables import IDENTITY, METADATA, PAYLOAD

_PAGE: Final = 1000  # rows carried at a time

_NAMED: Final = sa.select(PAYLOAD.c.blob).where(PAYLOAD.c.blob.is_not(None)).distinct().order_by(PAYLOAD.c.blob)


def copy_tables(source: Database, target: Database) -> None:
    """Bring all rows of all tables into a database that has none, all or nothing. Raises Misuse where a ledger is there."""
    target.create()
    with source.snapshot() as reading, target.alone() as writing:
        if writing.execute(sa.select(IDENTITY)).first() is not None:
            raise _taken(target)
        for table in METADATA.sorted_tables:
            rows = reading.execution_options(yield_per=_PAGE).execute(sa.select(table))
            for page in rows.partitions():
                target.insert(writing, table, [tuple(row) for row in page])
        writing.commit()


def named_blobs(store: Store) -> list[str]:
    """The blobs that entries name, in order."""
    with store.database.reading() as connection:
        return [name for name in connection.scalars(_NAMED) if name is not None]


def unnamed_blobs(store: Store) -> list[str]:
    """The blobs that no entry names: their writer died in between, or is about to write the entry."""
    there = set(store.blobs.names())  # first: what is written meanwhile is not among them
    return sorted(there.difference(named_blobs(store)))


def carry(source: Store, where: str, blobs: str, progress: Callable[[int, int], None]) -> None:
    """Bring the blobs that entries name, then the tables, to another place; "" for those that stay. See `Ledger.carry`."""
    target = Store.at(where, blobs or None).database if where else None
    if target is not None and target.is_there():
        raise _taken(target)
    if blobs:
        place, names = blobs_at(blobs), named_blobs(source)
        place.create()
        for done, name in enumerate(names, 1):
            place.put(source.blobs.get(name))
            progress(done, len(names))
    if target is not None:
        copy_tables(source.database, target)


def _taken(target: Database) -> Misuse:
    return Misuse("a ledger is never overwritten", where=target.name, remedy="choose another place")
