"""The tables of a ledger, the same in every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from mingjian.base.errors import Tampered
from mingjian.record.ledger._database import RESTORE

FORMAT: Final = 2


class Octets(sa.LargeBinary):
    """Bytes, and nothing else. Raises Tampered for the text or the number that SQLite would give back in their place."""

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[object], bytes | None]:
        """What is done with each value that is read."""
        return octets


def octets(value: object) -> bytes | None:
    """A value of such a column, as a driver gives it. Raises Tampered as `Octets` does."""
    if value is None or type(value) is bytes:
        return value
    why = f"a value of type {type(value).__name__} stands where bytes were written"
    raise Tampered("the database is not what was written", why=why, remedy=RESTORE)


# SQLite's INTEGER has 64 bits too, and as a primary key it is that of the rows themselves, without an index beside them.
_INDEX: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # in the order of its bytes, as in SQLite

METADATA: Final = sa.MetaData()
IDENTITY: Final = sa.Table(
    "ledger",
    METADATA,
    sa.Column("format", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("vkey", sa.Text, nullable=False),
)
ENTRY: Final = sa.Table(
    "entry",
    METADATA,
    sa.Column("index", _INDEX, primary_key=True, autoincrement=False),
    sa.Column("header", Octets, nullable=False),  # the leaf; the columns below only find it
    sa.Column("scheme", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_sha256", sa.Text),
    sa.Index("entry_of_kind", "kind", "scheme", "index"),
    sa.Index("entry_of_source", "source_sha256", "kind"),
)
PAYLOAD: Final = sa.Table(
    "payload",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("inline", Octets),
    sa.Column("blob", sa.Text),
    sa.Column("owned", sa.Boolean, nullable=False),  # whether there are, or were, rows in `section`
    sa.CheckConstraint("(inline IS NULL) <> (blob IS NULL)", name="payload_in_one_place"),
)
BATCH_KEY: Final = sa.Table(
    "batch_key",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("key", Octets, nullable=False),
)
OWNER_KEY: Final = sa.Table(
    "owner_key",
    METADATA,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("key", Octets, nullable=False),
)
SECTION: Final = sa.Table(  # the encrypted rows of one owner in one batch
    "section",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("owner", _NAME, sa.ForeignKey(OWNER_KEY.c.name), primary_key=True),
    sa.Column("places", Octets, nullable=False),
    sa.Column("sealed", Octets, nullable=False),
    sa.Index("section_of_owner", "owner", "index"),
)
ERASED_LEAF: Final = sa.Table(  # what the tree still needs of rows that are gone
    "erased_leaf",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", Octets, nullable=False),
)
TILE: Final = sa.Table(
    "tile",
    METADATA,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", Octets, nullable=False),
)


def insertion(table: sa.Table, values: str) -> str:
    """The statement that adds rows, in both databases."""
    grown = " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes" if table is TILE else ""
    return f"INSERT INTO {table.name} {values}{grown}"
