"""Where the ledger lies: a database for everything small, a directory of blobs beside it, and the lock of its writers."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.record.ledger._blobs import BlobDirectory
from mingjian.record.ledger._entry import Entry
from mingjian.record.ledger._merkle import HASH_SIZE
from mingjian.record.ledger._owned import Section, places_bytes, places_of
from mingjian.record.ledger._payload import Prepared, Stored
from mingjian.record.ledger._tiles import TileKey

FORMAT: Final = 2

PATIENCE: Final = 30_000  # milliseconds that a statement waits for others
_NAMES: Final = 500  # owners looked up in one statement

UNREADABLE: Final = (sa.exc.DatabaseError, UnicodeDecodeError)  # sqlite3 cannot decode some messages about damage

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
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
SECTION: Final = sa.Table(  # the encrypted rows of one owner in one batch
    "section",
    METADATA,
    sa.Column("index", sa.ForeignKey(ENTRY.c.index), primary_key=True, autoincrement=False),
    sa.Column("owner", sa.ForeignKey(OWNER_KEY.c.name), primary_key=True),
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


@dataclass(frozen=True, slots=True)
class Gone:
    """What an erasure takes away, and the leaf hashes that it leaves: (entry, row, hash)."""

    owners: frozenset[str]
    leaves: Sequence[tuple[int, int, bytes]]


@dataclass(frozen=True, slots=True)
class Store:
    """The tables, the blobs and the lock file of one ledger."""

    engine: Engine
    blobs: BlobDirectory
    lock_path: Path

    @classmethod
    def at(cls, where: str | Path) -> Store:
        """The store of a directory (``ledger.db`` and ``blobs/`` in it) or of a ``sqlite:///`` URL (``blobs/`` beside it).

        Touches nothing yet. Raises Misuse for any other URL.
        """
        path = _database_path(str(where))
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(engine, "connect", _set_pragmas)
        return cls(engine, BlobDirectory(path.parent / "blobs"), path.with_name(f"{path.name}.lock"))

    @property
    def path(self) -> Path:
        """The database's file."""
        return Path(self.engine.url.database or "")

    def create(self, origin: str, vkey: str) -> None:
        """Lay out an empty ledger. Raises Misuse if one is there."""
        self.blobs.path.mkdir(parents=True, exist_ok=True)
        with self.lock(), self.engine.begin() as connection:
            METADATA.create_all(connection)
            if connection.execute(sa.select(IDENTITY)).first() is not None:
                raise Misuse("a ledger is never overwritten", where=str(self.path), remedy="choose another place")
            connection.execute(IDENTITY.insert().values(format=FORMAT, origin=origin, vkey=vkey))

    def identity(self) -> tuple[str, str]:
        """Origin and vkey. Raises Misuse if there is no ledger here, or one of another format."""
        if not self.path.is_file():
            raise Misuse("no ledger here", where=str(self.path), remedy="create one first")
        try:
            with self.engine.connect() as connection:
                row = connection.execute(sa.select(IDENTITY)).one_or_none()
        except UNREADABLE as fault:
            raise Misuse("no ledger here", why=first_line(fault), where=str(self.path)) from fault
        if row is None or row.format != FORMAT:
            raise Misuse("no ledger of this format here", where=str(self.path))
        return row.origin, row.vkey

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Alone among all writers, of this process and others: they queue on a lock on the file beside the database.

        Each holder opens the file for itself, so that threads exclude each other too; the system frees the lock of a
        process that dies.
        """
        with self.lock_path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def size(self) -> int:
        """How many entries."""
        with self.engine.connect() as connection:
            last: int | None = connection.scalar(sa.select(sa.func.max(ENTRY.c.index)))
        return 0 if last is None else last + 1

    def header(self, index: int) -> bytes | None:
        """The stored leaf of an entry."""
        with self.engine.connect() as connection:
            header: bytes | None = connection.scalar(sa.select(ENTRY.c.header).where(ENTRY.c.index == index))
        return header

    def lookups(self, start: int, end: int) -> dict[int, dict[str, str | None]]:
        """Of each entry in ``[start, end)``, the columns that stand beside its header (`lookup_values`)."""
        query = sa.select(ENTRY.c.index, ENTRY.c.scheme, ENTRY.c.kind, ENTRY.c.source_sha256)
        with self.engine.connect() as connection:
            rows = connection.execute(query.where(ENTRY.c.index >= start, ENTRY.c.index < end)).mappings()
            return {row["index"]: {name: row[name] for name in LOOKUPS} for row in rows}

    def headers(self, start: int, end: int, limit: int, **exactly: str) -> Sequence[tuple[int, bytes]]:
        """(index, leaf) of the first ``limit`` entries in ``[start, end)`` whose columns are ``exactly`` so, in order."""
        query = sa.select(ENTRY.c.index, ENTRY.c.header).where(ENTRY.c.index >= start, ENTRY.c.index < end)
        query = query.where(*(ENTRY.c[name] == value for name, value in exactly.items()))
        with self.engine.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(query.order_by(ENTRY.c.index).limit(limit))]

    def stored(self, index: int) -> Stored:
        """The rows of an entry as they are kept. Raises Tampered if they are gone, or their blob is not what it was."""
        joined = PAYLOAD.outerjoin(BATCH_KEY, PAYLOAD.c.index == BATCH_KEY.c.index)
        query = sa.select(PAYLOAD.c.inline, PAYLOAD.c.blob, PAYLOAD.c.owned, BATCH_KEY.c.key).select_from(joined)
        with self.engine.connect() as connection:
            row = connection.execute(query.where(PAYLOAD.c.index == index)).one_or_none()
            sections, erased = _owned_rows(connection, index) if row is not None and row.owned else ((), {})
        if row is None:
            raise Tampered("the rows of an entry are missing", where=f"entry {index}")
        inline, blob, _, key = row
        payload = inline if blob is None else self.blobs.get(blob)
        return Stored(payload, blob is None, key, sections, erased)

    def owner_keys(self, names: Collection[str]) -> dict[str, bytes]:
        """The keys there are of these owners."""
        found: dict[str, bytes] = {}
        wanted = sorted(names)
        with self.engine.connect() as connection:
            for start in range(0, len(wanted), _NAMES):
                some = OWNER_KEY.c.name.in_(wanted[start : start + _NAMES])
                found.update((row.name, row.key) for row in connection.execute(sa.select(OWNER_KEY).where(some)))
        return found

    def owners_under(self, names: Iterable[str]) -> frozenset[str]:
        """The owners that have a key and are one of these names or below one (``a/b`` is below ``a``)."""
        name = OWNER_KEY.c.name
        with self.engine.connect() as connection:
            return frozenset(
                found
                for prefix in names
                for found in connection.scalars(
                    sa.select(name).where((name == prefix) | ((name >= f"{prefix}/") & (name < f"{prefix}0")))
                )
            )

    def owners(self) -> list[str]:
        """All owners that have a key, in order."""
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(OWNER_KEY.c.name).order_by(OWNER_KEY.c.name)))

    def sections_of(self, owner: str) -> list[tuple[int, Section, bytes]]:
        """(entry, rows, key of the batch) of everything that stands under an owner."""
        query = sa.select(SECTION, BATCH_KEY.c.key).join(BATCH_KEY, SECTION.c.index == BATCH_KEY.c.index)
        with self.engine.connect() as connection:
            rows = connection.execute(query.where(SECTION.c.owner == owner).order_by(SECTION.c.index)).all()
        return [(row[0], Section(owner, places_of(row.places), row.sealed), row.key) for row in rows]

    def erased(self, size: int) -> dict[int, int]:
        """Of each of the first ``size`` entries that lost rows, how many."""
        query = sa.select(ERASED_LEAF.c.index, sa.func.count()).where(ERASED_LEAF.c.index < size)
        with self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(ERASED_LEAF.c.index))}

    def last_of(self, kind: str) -> int:
        """The index of the last entry of a kind; -1 where there is none."""
        with self.engine.connect() as connection:
            last: int | None = connection.scalar(sa.select(sa.func.max(ENTRY.c.index)).where(ENTRY.c.kind == kind))
        return -1 if last is None else last

    def tile(self, level: int, number: int) -> list[bytes]:
        """The hashes of a tile; none if there is no such tile."""
        here = (TILE.c.level == level, TILE.c.number == number)
        with self.engine.connect() as connection:
            data = connection.scalar(sa.select(TILE.c.hashes).where(*here)) or b""
        return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]

    def commit(
        self,
        added: Sequence[tuple[Entry, Prepared]],
        tiles: Mapping[TileKey, Sequence[bytes]],
        *,
        keys: Mapping[str, bytes],
        gone: Gone | None = None,
    ) -> None:
        """Write entries, payloads, keys and tiles in one transaction; blobs first, so that none can be missing.

        ``keys`` are those of owners that had none. What is ``gone`` is destroyed in the same transaction.
        """
        payloads = [_payload_values(entry, prepared, self.blobs) for entry, prepared in added]
        sections = [_section_values(entry, section) for entry, prepared in added for section in prepared.sections]
        with self.engine.begin() as connection:
            connection.execute(ENTRY.insert(), [_entry_values(entry) for entry, _ in added])
            connection.execute(PAYLOAD.insert(), payloads)
            connection.execute(BATCH_KEY.insert(), [{"index": e.index, "key": p.key} for e, p in added])
            if keys:
                connection.execute(OWNER_KEY.insert(), [{"name": name, "key": key} for name, key in keys.items()])
            if sections:
                connection.execute(SECTION.insert(), sections)
            if gone is not None and gone.owners:
                _destroy(connection, gone)
            _replace_tiles(connection, tiles)

    def scrub(self) -> None:
        """Write the database anew and empty its log, so that no byte of what was deleted is left in either.

        What is deleted is overwritten where it stood. But the log holds it until it is emptied, and of pages that were
        rearranged SQLite promises nothing. Raises MingjianError while others read an older state.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
            connection.exec_driver_sql("VACUUM")
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise MingjianError(
                "what was erased may still stand in the database's log",
                why="somebody reads an older state",
                where=str(self.path),
                remedy="erase again when the readers are done",
            )


def _database_path(where: str) -> Path:
    if "://" not in where:
        return Path(where) / "ledger.db"
    try:
        url = sa.make_url(where)
    except sa.exc.ArgumentError as fault:
        raise Misuse("no such store", why=str(fault), where=where) from fault
    if url.drivername != "sqlite" or url.database in (None, "", ":memory:"):
        raise Misuse("no such store", where=where, remedy="give a directory or the sqlite:/// URL of a file")
    return Path(str(url.database))


def _set_pragmas(connection: Any, _record: object) -> None:
    # WAL lets readers read while one writes; FULL makes a commit survive a power cut; what is deleted is overwritten.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={PATIENCE}",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _entry_values(entry: Entry) -> dict[str, object]:
    return {"index": entry.index, "header": entry.leaf, **lookup_values(entry)}


def first_line(fault: Exception) -> str:
    """What went wrong, without the statement that SQLAlchemy appends."""
    return str(fault).partition("\n")[0]


def lookup_values(entry: Entry) -> dict[str, str | None]:
    """The columns beside a header by which entries are found."""
    return {"scheme": entry.scheme, "kind": entry.kind, "source_sha256": entry.source.get("sha256")}


def _payload_values(entry: Entry, prepared: Prepared, blobs: BlobDirectory) -> dict[str, object]:
    inline, blob = (prepared.payload, None) if prepared.inline else (None, blobs.put(prepared.payload))
    return {"index": entry.index, "inline": inline, "blob": blob, "owned": bool(prepared.sections)}


def _section_values(entry: Entry, section: Section) -> dict[str, object]:
    places = places_bytes(section.places)
    return {"index": entry.index, "owner": section.owner, "places": places, "sealed": section.sealed}


def _owned_rows(connection: Connection, index: int) -> tuple[tuple[tuple[Section, bytes], ...], dict[int, bytes]]:
    """The sections of an entry with their keys, and the leaf hashes of the rows it lost.

    One statement, so that an erasure in between cannot show rows twice or not at all.
    """
    held = sa.select(SECTION.c.owner, SECTION.c.places, SECTION.c.sealed, OWNER_KEY.c.key, sa.null().label("row"))
    held = held.outerjoin(OWNER_KEY, SECTION.c.owner == OWNER_KEY.c.name).where(SECTION.c.index == index)
    lost = sa.select(sa.null(), sa.null(), ERASED_LEAF.c.hash, sa.null(), ERASED_LEAF.c.row)
    rows = connection.execute(sa.union_all(held, lost.where(ERASED_LEAF.c.index == index))).all()
    sections = []
    for owner, places, sealed, key, row in rows:
        if row is None and key is None:
            raise Tampered("the key of encrypted rows is missing", why=f"that of {owner}", where=f"entry {index}")
        if row is None:
            sections.append((Section(owner, places_of(places), sealed), key))
    return tuple(sections), {row.row: row.sealed for row in rows if row.row is not None}


def _destroy(connection: Connection, gone: Gone) -> None:
    if gone.leaves:
        leaves = [{"index": index, "row": row, "hash": leaf} for index, row, leaf in gone.leaves]
        connection.execute(ERASED_LEAF.insert(), leaves)
    owners = [{"gone": owner} for owner in sorted(gone.owners)]
    connection.execute(SECTION.delete().where(SECTION.c.owner == sa.bindparam("gone")), owners)
    connection.execute(OWNER_KEY.delete().where(OWNER_KEY.c.name == sa.bindparam("gone")), owners)


def _replace_tiles(connection: Connection, tiles: Mapping[TileKey, Iterable[bytes]]) -> None:
    rows = [{"level": level, "number": number, "hashes": b"".join(t)} for (level, number), t in tiles.items()]
    here = (TILE.c.level == sa.bindparam("at_level"), TILE.c.number == sa.bindparam("at_number"))
    connection.execute(
        TILE.delete().where(*here), [{"at_level": level, "at_number": number} for level, number in tiles]
    )
    connection.execute(TILE.insert(), rows)
