"""What is appended (a batch), what the log keeps of it (an entry), and how one row of it is shown alone (a row proof)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pyarrow as pa

from mingjian.base.errors import Tampered
from mingjian.base.values import canonical
from mingjian.record.ledger._merkle import leaf_hash, row_leaf, verify_inclusion
from mingjian.record.ledger._rows import Columns


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind on their way into the ledger.

    ``kind`` is an evidence type, or a kind of the kernel's own (subject, scheme, snapshot, ...), whose ``scheme`` is "".
    ``by`` is who brings them. ``source`` says where from, in public: file name, ``sha256`` of the file, ``synthetic``,
    ``fingerprint``. `columns_of` says which Arrow types ``table`` may have.
    """

    kind: str
    scheme: str
    by: str
    table: pa.Table
    source: Mapping[str, str] = field(default_factory=dict)


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
            "at": _instant_text(self.at),
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
            columns = tuple((str(name), str(kind)) for name, kind in value["columns"])
            entry = cls(**{**value, "at": datetime.fromisoformat(value["at"]), "columns": columns})
            if canonical(entry.to_json()) == canonical(value):
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
    def values(self) -> dict[str, str | bool | None]:
        """The row as JSON carries it: numbers, dates and instants as text."""
        values: dict[str, str | bool | None] = orjson.loads(self.content)
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
            path = tuple(bytes.fromhex(node) for node in value["path"])
            content = canonical(value["values"])
            return cls(int(value["entry"]), int(value["row"]), bytes.fromhex(value["salt"]), content, path)
        except (KeyError, TypeError, ValueError) as fault:
            raise Tampered("not the proof of a row", why=repr(fault)) from fault


_MILLISECOND: Final = 1000


def whole_milliseconds(at: datetime) -> datetime:
    """``at`` in UTC, cut to milliseconds."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // _MILLISECOND * _MILLISECOND)


def _instant_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
