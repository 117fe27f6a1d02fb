"""The tables of a ledger, the same in every database."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

FORMAT: Final = 2

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
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("header", sa.LargeBinary, nullable=False),  # the leaf; the columns below only find it
    sa.Column("scheme", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_sha256", sa.Text),
    sa.Index("entry_of_kind", "kind", "scheme", "index"),
    sa.Index("entry_of_source", "source_sha256", "kind"),
)
LOOKUPS: Final = ("scheme", "kind", "source_sha256")
PAYLOAD: Final = sa.Table(
    "payload",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("inline", sa.LargeBinary),
    sa.Column("blob", sa.Text),
    sa.Column("owned", sa.Boolean, nullable=False),  # whether there are, or were, rows in `section`
    sa.CheckConstraint("(inline IS NULL) <> (blob IS NULL)", name="payload_in_one_place"),
)
BATCH_KEY: Final = sa.Table(
    "batch_key",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
OWNER_KEY: Final = sa.Table(
    "owner_key",
    METADATA,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
SECTION: Final = sa.Table(  # the encrypted rows of one owner in one batch
    "section",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("owner", _NAME, sa.ForeignKey(OWNER_KEY.c.name), primary_key=True),
    sa.Column("places", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("section_of_owner", "owner", "index"),
)
ERASED_LEAF: Final = sa.Table(  # what the tree still needs of rows that are gone
    "erased_leaf",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
TILE: Final = sa.Table(
    "tile",
    METADATA,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)
