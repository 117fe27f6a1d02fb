"""What is appended (a batch), what the log keeps of it (an entry), and how one row of it is shown alone (a row proof)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Any, Final

import orjson
import pyarrow as pa

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.values import canonical
from mingjian.record.ledger._merkle import HASH_SIZE, SALT_SIZE, leaf_hash, row_leaf, verify_inclusion
from mingjian.record.ledger._rows import Columns

_MILLISECOND: Final = 1000  # in microseconds
AT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_ROOT: Final = re.compile(rf"[0-9a-f]{{{2 * HASH_SIZE}}}")


@dataclass(frozen=True)
class Batch:
    """Rows of one kind on their way into the ledger.

    ``kind`` is an evidence type, or a kind of the kernel's own (subject, scheme, snapshot, ...), whose ``scheme`` is "".
    ``by`` is who brings them. ``source`` says where from, in public: file name, ``sha256`` of the file, ``synthetic``,
    ``fingerprint``. `columns_of` says which Arrow types ``table`` may have. ``owners`` has for each row the name of the key
    it is encrypted under, "" for none; `Ledger.erase` destroys such keys. Raises Misuse without a kind or a who.
    """

    kind: str
    scheme: str
    by: str
    table: pa.Table
    source: Mapping[str, str] = field(default_factory=dict)
    owners: Sequence[str] | None = None

    def __post_init__(self) -> None:
        texts = [self.kind, self.scheme, self.by, *self.source, *self.source.values()]
        if not (self.kind and self.by and all(isinstance(text, str) for text in texts)):
            raise Misuse("not a batch", why="kind and by must be given, and the source be text throughout")
        if self.owners is not None and len(self.owners) != self.table.num_rows:
            raise Misuse("not a batch", why=f"{len(self.owners)} owners for {self.table.num_rows} rows")

    @cached_property
    def named_owners(self) -> frozenset[str]:
        """The owners that there are, without ""."""
        return frozenset(self.owners or ()) - {""}


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the log: the header of a batch.

    ``index`` counts from 0; ``at`` is UTC in whole milliseconds; ``columns`` are (name, type) in the table's order;
    ``root`` is the hexadecimal root of the RFC 6962 tree over the batch's ``rows`` salted rows.
    """

    index: int
    at: datetime
    by: str
    scheme: str
    kind: str
    columns: Columns
    rows: int
    root: str
    source: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The header as a JSON object; ``from_json`` reads it back."""
        return {
            "index": self.index,
            "at": instant_text(self.at),
            "by": self.by,
            "scheme": self.scheme,
            "kind": self.kind,
            "columns": [list(column) for column in self.columns],
            "rows": self.rows,
            "root": self.root,
            "source": dict(self.source),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Entry:
        """The entry with this header. Raises Tampered for anything `to_json` does not give."""
        try:
            columns = tuple((name, kind) for name, kind in value["columns"])
            entry = cls(**{**value, "at": datetime.fromisoformat(value["at"]), "columns": columns})
            texts = (entry.by, entry.scheme, entry.kind, *chain(*columns), *chain(*entry.source.items()))
            typed = {type(entry.index), type(entry.rows)} == {int} and set(map(type, texts)) == {str}
            written = AT.fullmatch(value["at"]) and _ROOT.fullmatch(entry.root)
            if typed and written and type(entry.source) is dict and [*map(list, columns)] == value["columns"]:
                return entry
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise Tampered("not the header of an entry", why=repr(fault)) from fault
        raise Tampered("not the header of an entry", why="it does not read back as written")

    @property
    def leaf(self) -> bytes:
        """The bytes in the log: the header's canonical JSON."""
        return canonical(self.to_json())

    @property
    def leaf_hash(self) -> bytes:
        """The hash of `leaf`, which `verify_inclusion` takes."""
        return leaf_hash(self.leaf)


def read_header(index: int, header: bytes) -> Entry:
    """The entry whose leaf is ``header``. Raises Tampered, naming ``index``, if it is not the leaf of that entry."""
    try:
        value = orjson.loads(header)
        entry = Entry.from_json(value)
        written = canonical(value)
    except (orjson.JSONDecodeError, MingjianError) as fault:
        raise Tampered("the header of an entry is garbled", why=str(fault), where=f"entry {index}") from fault
    if entry.index != index or written != header:  # what it was read from is what it would write
        raise Tampered("the header of an entry is garbled", why="it reads differently", where=f"entry {index}")
    return entry


@dataclass(frozen=True, slots=True)
class RowProof:
    """One row of one entry, with all it takes to tie it to the entry's ``root`` without its neighbours.

    ``row`` is its place in the batch, from 0; ``salt`` 16 bytes; ``content`` the canonical row; ``path`` sibling hashes.
    """

    entry: int
    row: int
    salt: bytes
    content: bytes
    path: tuple[bytes, ...]

    @property
    def values(self) -> dict[str, str | bool | list[str | None] | None]:
        """The row as JSON carries it: numbers, dates and instants as text, a series as a list of texts."""
        values: dict[str, str | bool | list[str | None] | None] = orjson.loads(self.content)
        return values

    def holds(self, entry: Entry) -> bool:
        """Whether this row, with this salt, stands at this place of ``entry``."""
        leaf = row_leaf(self.salt, self.content)
        return self.entry == entry.index and verify_inclusion(
            leaf, self.row, entry.rows, self.path, bytes.fromhex(entry.root)
        )

    def to_json(self) -> dict[str, Any]:
        """The proof as a JSON object, hashes in hexadecimal; ``from_json`` reads it back."""
        return {
            "entry": self.entry,
            "row": self.row,
            "salt": self.salt.hex(),
            "values": self.values,
            "path": [node.hex() for node in self.path],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RowProof:
        """The proof of that JSON. Raises Tampered for what cannot be read as one; `holds` judges the rest."""
        try:
            path = tuple(map(bytes.fromhex, value["path"]))
            salt, content = bytes.fromhex(value["salt"]), canonical(value["values"])
            proof = cls(value["entry"], value["row"], salt, content, path)
        except (KeyError, TypeError, ValueError) as fault:
            raise Tampered("not the proof of a row", why=repr(fault)) from fault
        if {type(proof.entry), type(proof.row)} != {int} or len(salt) != SALT_SIZE:
            raise Tampered("not the proof of a row", why="entry and row are numbers, the salt has 16 bytes")
        return proof


def whole_milliseconds(at: datetime) -> datetime:
    """``at`` in UTC, cut to milliseconds. Raises Misuse for a time without a zone."""
    if at.tzinfo is None:
        raise Misuse("a time without a zone", why=at.isoformat(), remedy="give the ledger a clock that knows its zone")
    return at.astimezone(UTC).replace(microsecond=at.microsecond // _MILLISECOND * _MILLISECOND)


def instant_text(at: datetime) -> str:
    """An instant as headers have it: UTC, in milliseconds, with a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
