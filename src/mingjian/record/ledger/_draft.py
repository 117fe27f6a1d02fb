"""An entry that has no place and no time yet: all of its header that costs time is written before its turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from mingjian.base.values import canonical
from mingjian.record.ledger._entry import Batch, Entry, instant_text
from mingjian.record.ledger._rows import Columns


@dataclass(frozen=True, slots=True)
class Draft:
    """What an entry says but its ``index`` and ``at``. ``parts`` is its header in pieces, around these two.

    Canonical JSON has its keys in order, so they stand at fixed places: ``at`` first, ``index`` behind ``columns``.
    """

    by: str
    scheme: str
    kind: str
    columns: Columns
    rows: int
    root: str
    source: Mapping[str, str]
    parts: tuple[bytes, bytes]

    @classmethod
    def of(cls, batch: Batch, columns: Columns, root: bytes) -> Draft:
        """The draft of a batch with that root. Raises MingjianError for a text that is no Unicode."""
        source, digest, rows = dict(batch.source), root.hex(), batch.table.num_rows
        before, middle, after = _around(batch.by, columns, batch.kind, batch.scheme)
        end = b'%s%s","rows":%d%s%s' % (middle, digest.encode(), rows, after, canonical({"source": source})[1:])
        return cls(batch.by, batch.scheme, batch.kind, columns, rows, digest, source, (before, end))

    def entry(self, index: int, at: datetime) -> tuple[Entry, bytes]:
        """The entry, and its leaf: the same bytes as `Entry.leaf`."""
        before, end = self.parts
        leaf = b"%s%s%d%s" % (_opening(at), before, index, end)
        entry = Entry(index, at, self.by, self.scheme, self.kind, self.columns, self.rows, self.root, self.source)
        return entry, leaf


@lru_cache(maxsize=16)
def _opening(at: datetime) -> bytes:
    """How a header begins: the same for all of a commit."""
    return b'{"at":"' + instant_text(at).encode()


@lru_cache(maxsize=256)
def _around(by: str, columns: Columns, kind: str, scheme: str) -> tuple[bytes, bytes, bytes]:
    """What stands between ``at`` and ``index``, ``index`` and ``root``, ``rows`` and ``source``: the same for all that one
    brings of a kind.
    """
    before = b'",' + canonical({"by": by, "columns": columns})[1:-1] + b',"index":'
    middle = b"," + canonical({"kind": kind})[1:-1] + b',"root":"'
    return before, middle, b"," + canonical({"scheme": scheme})[1:-1] + b","
