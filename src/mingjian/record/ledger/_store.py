"""What a ledger keeps, and where: a database for everything small, and blobs for large payloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mingjian.base.errors import Misuse, Tampered
from mingjian.record.ledger._blobs import Blobs, blobs_at
from mingjian.record.ledger._database import Database, Values, database_at
from mingjian.record.ledger._entry import Entry
from mingjian.record.ledger._owned import Section, places_bytes, places_of
from mingjian.record.ledger._payload import Prepared, Stored
from mingjian.record.ledger._tables import (
    BATCH_KEY,
    ENTRY,
    ERASED_LEAF,
    FORMAT,
    IDENTITY,
    OWNER_KEY,
    PAYLOAD,
    SECTION,
    TILE,
    octets,
)
from mingjian.record.ledger._tiles import TILE_WIDTH, TileKey

UNREADABLE: Final = (sa.exc.DatabaseError, UnicodeDecodeError)  # sqlite3 cannot decode some messages about damage

_NAMES: Final = 500  # owners looked up in one statement

# -- statements: built once, since building one takes longer than running it ------------------------------------------
_WITHIN: Final = (ENTRY.c.index >= sa.bindparam("start"), ENTRY.c.index < sa.bindparam("end"))
_SIZE: Final = sa.select(sa.func.max(ENTRY.c.index))
_HEADER: Final = sa.select(ENTRY.c.header).where(ENTRY.c.index == sa.bindparam("wanted"))
_HEADERS: Final = sa.select(ENTRY.c.index, ENTRY.c.header).where(*_WITHIN).order_by(ENTRY.c.index)
_TILE: Final = sa.select(TILE.c.hashes).where(
    TILE.c.level == sa.bindparam("level"), TILE.c.number == sa.bindparam("number")
)
_HEAD: Final = (  # in both databases, and as their drivers take it
    'SELECT entry."index", header, hashes FROM entry'
    f' LEFT JOIN tile ON level = 0 AND number = entry."index" / {TILE_WIDTH} ORDER BY entry."index" DESC LIMIT 1'
)
_STORED: Final = (
    sa.select(PAYLOAD.c.index, PAYLOAD.c.inline, PAYLOAD.c.blob, PAYLOAD.c.owned, BATCH_KEY.c.key)
    .select_from(PAYLOAD.outerjoin(BATCH_KEY, PAYLOAD.c.index == BATCH_KEY.c.index))
    .where(PAYLOAD.c.index.in_(sa.bindparam("wanted", expanding=True)))
)
_RECORDS: Final = sa.text(  # in both databases; values come as they stand
    'SELECT entry."index", header, scheme, kind, source_sha256, inline, blob, owned, key FROM entry'
    ' LEFT JOIN payload ON payload."index" = entry."index" LEFT JOIN batch_key ON batch_key."index" = entry."index"'
    ' WHERE entry."index" >= :start AND entry."index" < :end ORDER BY entry."index"'
)
_OWNER_KEYS: Final = sa.select(OWNER_KEY).where(OWNER_KEY.c.name.in_(sa.bindparam("wanted", expanding=True)))


class NoLedger(Misuse):
    """There is none here, or none that can be read."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What an erasure takes away, and the leaf hashes that it leaves: (entry, row, hash)."""

    owners: frozenset[str]
    leaves: Sequence[tuple[int, int, bytes]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the rows of a batch that have no owner stand: ``inline`` in the database, or in a ``blob`` of that name."""

    inline: bytes | None
    blob: str | None


class Record(NamedTuple):
    """An entry with the columns of its rows, all as they stand in the database: of any type, if somebody changed them.

    ``entry`` is its index.
    """

    entry: int
    header: object
    scheme: object
    kind: object
    source_sha256: object
    inline: object
    blob: object
    owned: object
    key: object


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: its last entry, by ``index`` and ``header``, and the ``tile`` of the lowest level with its hash."""

    index: int
    header: bytes
    tile: bytes


@dataclass(frozen=True, slots=True)
class Added:
    """An entry on its way in: its header as bytes (``leaf``), its batch, and where the rows of this stand."""

    entry: Entry
    leaf: bytes
    prepared: Prepared
    kept: Kept


@dataclass(frozen=True, slots=True)
class Store:
    """The tables and the blobs of one ledger."""

    database: Database
    blobs: Blobs

    @classmethod
    def at(cls, where: str | Path, blobs: str | Path | None = None) -> Store:
        """The store of a directory or URL (`database_at`) with its ``blobs`` there (`blobs_at`). Touches nothing yet.

        Raises Misuse for other places, and where blobs need a place to be named.
        """
        database = database_at(where)
        place = database.blobs if blobs is None else blobs
        if place is None:
            raise Misuse(
                "where do the large payloads go?",
                why="this database keeps small ones alone",
                where=database.name,
                remedy="name a place for blobs too: a directory, or s3://bucket/prefix",
            )
        return cls(database, blobs_at(place))

    @property
    def name(self) -> str:
        """The database, as messages name it."""
        return self.database.name

    def create(self, origin: str, vkey: str) -> None:
        """Lay out an empty ledger. Raises Misuse if one is there."""
        self.blobs.create()
        self.database.create()
        with self.database.alone() as connection:
            if connection.execute(sa.select(IDENTITY)).first() is not None:
                raise Misuse("a ledger is never overwritten", where=self.name, remedy="choose another place")
            connection.execute(IDENTITY.insert().values(format=FORMAT, origin=origin, vkey=vkey))
            connection.commit()

    def identity(self) -> tuple[str, str]:
        """Origin and vkey. Raises Misuse if there is no ledger here, or one of another format."""
        if not self.database.is_there():
            raise NoLedger("no ledger here", where=self.name, remedy="create one first")
        try:
            with self.database.reading() as connection:
                row = connection.execute(sa.select(IDENTITY)).one_or_none()
        except UNREADABLE as fault:
            raise NoLedger("no ledger here", why=first_line(fault), where=self.name) from fault
        if row is None or row.format != FORMAT:
            raise NoLedger("no ledger of this format here", where=self.name)
        return row.origin, row.vkey

    # -- entries and the tree -------------------------------------------------------------------------------------------
    def size(self) -> int:
        """How many entries."""
        with self.database.reading() as connection:
            last: int | None = connection.scalar(_SIZE)
        return 0 if last is None else last + 1

    def header(self, index: int) -> bytes | None:
        """The stored leaf of an entry."""
        with self.database.reading() as connection:
            header: bytes | None = connection.scalar(_HEADER, {"wanted": index})
        return header

    def records(self, start: int, end: int) -> list[Record]:
        """The entries in ``[start, end)`` that are there, in order."""
        with self.database.reading() as connection:
            return [Record._make(row) for row in connection.execute(_RECORDS, {"start": start, "end": end}).all()]

    def headers(self, start: int, end: int, limit: int, **exactly: str) -> Sequence[tuple[int, bytes]]:
        """(index, leaf) of the first ``limit`` entries in ``[start, end)`` whose columns are ``exactly`` so, in order."""
        query = _HEADERS.where(*(ENTRY.c[name] == value for name, value in exactly.items())).limit(limit)
        with self.database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(query, {"start": start, "end": end})]

    def last_of(self, kind: str) -> int:
        """The index of the last entry of a kind; -1 where there is none."""
        with self.database.reading() as connection:
            last: int | None = connection.scalar(_SIZE.where(ENTRY.c.kind == kind))
        return -1 if last is None else last

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, one after the other; none if there is no such tile."""
        with self.database.reading() as connection:
            return _tile(connection, level, number)

    # -- rows -----------------------------------------------------------------------------------------------------------
    def stored(self, index: int) -> Stored:
        """The rows of an entry as they are kept. Raises Tampered if they are gone, or their blob is not what it was."""
        return next(self.stored_of([index]))

    def stored_of(self, indices: Sequence[int]) -> Iterator[Stored]:
        """`stored` of each of some entries, asked for together; blobs are read one at a time."""
        with self.database.reading() as connection:
            rows = connection.execute(_STORED, {"wanted": indices}).all()
            owned = _owned_rows(connection, [row[0] for row in rows if row.owned])
        found = {row[0]: row for row in rows}
        for index in indices:
            row = found.get(index)
            if row is None:
                raise Tampered("the rows of an entry are missing", where=f"entry {index}")
            payload = row.inline if row.blob is None else self.blobs.get(row.blob, f"entry {index}")
            sections, erased = owned.get(index, ((), {}))
            yield Stored(payload, row.blob is None, row.key, tuple(sections), erased)

    def erased(self, size: int) -> dict[int, int]:
        """Of each of the first ``size`` entries that lost rows, how many."""
        query = sa.select(ERASED_LEAF.c.index, sa.func.count()).where(ERASED_LEAF.c.index < size)
        with self.database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(ERASED_LEAF.c.index))}

    # -- owners ---------------------------------------------------------------------------------------------------------
    def owner_keys(self, names: Collection[str]) -> dict[str, bytes]:
        """The keys there are of these owners."""
        if not names:
            return {}
        with self.database.reading() as connection:
            return owner_keys(connection, names)

    def owners_under(self, names: Iterable[str]) -> frozenset[str]:
        """The owners that have a key and are one of these names or below one (``a/b`` is below ``a``)."""
        name = OWNER_KEY.c.name
        with self.database.reading() as connection:
            return frozenset(
                found
                for prefix in names
                for found in connection.scalars(
                    sa.select(name).where((name == prefix) | ((name >= f"{prefix}/") & (name < f"{prefix}0")))
                )
            )

    def owners(self) -> list[str]:
        """All owners that have a key, in order."""
        with self.database.reading() as connection:
            return list(connection.scalars(sa.select(OWNER_KEY.c.name).order_by(OWNER_KEY.c.name)))

    def sections_of(self, owner: str) -> list[tuple[int, Section, bytes]]:
        """(entry, rows, key of the batch) of everything that stands under an owner."""
        query = sa.select(SECTION, BATCH_KEY.c.key).join(BATCH_KEY, SECTION.c.index == BATCH_KEY.c.index)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(SECTION.c.owner == owner).order_by(SECTION.c.index)).all()
        return [(row[0], Section(owner, places_of(row.places), row.sealed), row.key) for row in rows]

    # -- writing --------------------------------------------------------------------------------------------------------
    def keep(self, prepared: Prepared) -> Kept:
        """Put the rows of a batch where they will stand; a blob is written before any entry that names it."""
        return Kept(prepared.payload, None) if prepared.inline else Kept(None, self.blobs.put(prepared.payload))

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Alone among all writers, of this process and others, who come in the order in which they asked."""
        with self.database.alone() as connection:
            yield Turn(self.database, connection)


@dataclass(frozen=True)
class Turn:
    """What its holder may do while nobody else writes. Nothing of it is there for others until `commit`."""

    database: Database
    connection: Connection

    @cached_property
    def head(self) -> Head | None:
        """Where the log ended when the turn began; None in an empty ledger."""
        row: Any = self.database.first(self.connection, _HEAD)
        return None if row is None else Head(row[0], octets(row[1]) or b"", octets(row[2]) or b"")

    @property
    def size(self) -> int:
        """How many entries there were then."""
        return 0 if self.head is None else self.head.index + 1

    def tile(self, level: int, number: int) -> bytes:
        """`Store.tile`."""
        if level == 0 and self.head is not None and number == self.head.index // TILE_WIDTH:
            return self.head.tile
        return _tile(self.connection, level, number)

    def owner_keys(self, names: Collection[str]) -> dict[str, bytes]:
        """`Store.owner_keys`."""
        return owner_keys(self.connection, names)

    def commit(
        self,
        added: Sequence[Added],
        tiles: Mapping[TileKey, bytes],
        *,
        keys: Mapping[str, bytes],
        gone: Gone | None = None,
    ) -> None:
        """Write entries, payloads, keys and tiles in one transaction; they are on disk when this returns.

        ``keys`` are those of owners that had none. What is ``gone`` is destroyed in the same transaction.
        """
        self._insert(ENTRY, [(a.entry.index, a.leaf, *lookup_values(a.entry).values()) for a in added])
        payloads = [(a.entry.index, a.kept.inline, a.kept.blob, bool(a.prepared.sections)) for a in added]
        self._insert(PAYLOAD, payloads)
        self._insert(BATCH_KEY, [(a.entry.index, a.prepared.key) for a in added])
        self._insert(OWNER_KEY, list(keys.items()))
        self._insert(SECTION, [_section_values(a.entry, section) for a in added for section in a.prepared.sections])
        if gone is not None and gone.owners:
            self._insert(ERASED_LEAF, gone.leaves)
            _destroy(self.connection, gone.owners)
        self._insert(TILE, [(level, number, tile) for (level, number), tile in tiles.items()])
        self.connection.commit()

    def _insert(self, table: sa.Table, rows: Sequence[Values]) -> None:
        if rows:
            self.database.insert(self.connection, table, rows)


def owner_keys(connection: Connection, names: Collection[str]) -> dict[str, bytes]:
    """The keys there are of these owners."""
    found: dict[str, bytes] = {}
    wanted = sorted(names)
    for start in range(0, len(wanted), _NAMES):
        some = {"wanted": wanted[start : start + _NAMES]}
        found.update((row.name, row.key) for row in connection.execute(_OWNER_KEYS, some))
    return found


def first_line(fault: Exception) -> str:
    """What went wrong, without the statement that SQLAlchemy appends."""
    return str(fault).partition("\n")[0]


def lookup_values(entry: Entry) -> dict[str, str | None]:
    """The columns beside a header by which entries are found."""
    return {"scheme": entry.scheme, "kind": entry.kind, "source_sha256": entry.source.get("sha256")}


def _tile(connection: Connection, level: int, number: int) -> bytes:
    return connection.scalar(_TILE, {"level": level, "number": number}) or b""


def _section_values(entry: Entry, section: Section) -> Values:
    return entry.index, section.owner, places_bytes(section.places), section.sealed


_Owned = tuple[list[tuple[Section, bytes]], dict[int, bytes]]


def _owned_rows(connection: Connection, indices: Sequence[int]) -> dict[int, _Owned]:
    """Of each entry its sections with their keys, and the leaf hashes of the rows it lost.

    One statement, so that an erasure in between cannot show rows twice or not at all.
    """
    found: dict[int, _Owned] = defaultdict(lambda: ([], {}))
    if not indices:
        return found
    for index, owner, places, sealed, key, row in connection.execute(_OWNED, {"wanted": indices}):
        sections, erased = found[index]
        if row is not None:
            erased[row] = sealed
        elif key is None:
            raise Tampered("the key of encrypted rows is missing", why=f"that of {owner}", where=f"entry {index}")
        else:
            sections.append((Section(owner, places_of(places), sealed), key))
    return found


def _owned() -> sa.CompoundSelect[Any]:
    wanted: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)
    held = sa.select(
        SECTION.c.index, SECTION.c.owner, SECTION.c.places, SECTION.c.sealed, OWNER_KEY.c.key, sa.null().label("row")
    )
    held = held.outerjoin(OWNER_KEY, SECTION.c.owner == OWNER_KEY.c.name).where(SECTION.c.index.in_(wanted))
    lost = sa.select(ERASED_LEAF.c.index, sa.null(), sa.null(), ERASED_LEAF.c.hash, sa.null(), ERASED_LEAF.c.row)
    return sa.union_all(held, lost.where(ERASED_LEAF.c.index.in_(wanted)))


_OWNED: Final = _owned()


def _destroy(connection: Connection, owners: Iterable[str]) -> None:
    gone = [{"gone": owner} for owner in sorted(owners)]
    connection.execute(SECTION.delete().where(SECTION.c.owner == sa.bindparam("gone")), gone)
    connection.execute(OWNER_KEY.delete().where(OWNER_KEY.c.name == sa.bindparam("gone")), gone)
