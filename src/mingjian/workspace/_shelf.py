"""The rows that people write while they work, kept at hand: found by the row they belong to and by whom they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mingjian.declare import EvidenceType, Scheme
from mingjian.record.ledger import Entry, LedgerState

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """One row in force: of which type, what it says, and when and by whom it came (``entry``: with which entry)."""

    kind: str
    data: Mapping[str, Any]
    entry: int
    at: datetime
    by: str


def kept_types(scheme: Scheme) -> dict[str, EvidenceType]:
    """The types that acts bring along, that roles may add by hand, and that name things; ballots are not among them."""
    taken = {kind for process in scheme.processes.values() for act in process.acts.values() for kind in act.takes}
    added = {kind for role in scheme.roles.values() for kind in role.adds}
    named = {kind.id for kind in scheme.evidence.values() if kind.dimension}
    return {name: kind for name, kind in scheme.evidence.items() if name in taken | added | named and not kind.ballots}


class Shelf:
    """The kept rows as of a ledger size. One thread at a time advances it; any number read meanwhile."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self.types = kept_types(scheme)
        self.size = 0
        self._rows: dict[str, dict[Key, Kept]] = {name: {} for name in self.types}
        self._under: dict[tuple[str, str, str], dict[Key, Kept]] = {}  # by type, field and what the field names

    def advance(self, state: LedgerState) -> None:
        """Take in what the ledger has gained."""
        found = state.entries(self.size, state.size, scheme=self.scheme.id)
        for entry, rows in state.rows(entry for entry in found if entry.kind in self.types):
            self._take(self.types[entry.kind], entry, rows)
        self.size = state.size

    def row(self, kind: str, key: Sequence[Any]) -> Kept | None:
        """The row of a type in force under a key, or None."""
        return self._rows.get(kind, {}).get(tuple(key))

    def of(self, kind: str) -> tuple[Kept, ...]:
        """All rows of a type, in the order they came."""
        return tuple(self._rows.get(kind, {}).values())

    def under(self, kind: str, field: str, name: str) -> tuple[Kept, ...]:
        """The rows of a type whose ``field`` (a ref or a subject) names ``name``."""
        return tuple(self._under.get((kind, field, name), {}).values())

    def belonging(self, of: str, name: str) -> tuple[Kept, ...]:
        """The rows of every type that refer to the row ``name`` of type ``of``."""
        fields = ((kind.id, f.name) for kind in self.types.values() for f in kind.fields.values() if f.to == of)
        return tuple(row for kind, field in fields for row in self.under(kind, field, name))

    def about(self, kind: str, subject: str) -> tuple[Kept, ...]:
        """The rows of a type about a subject."""
        names = self.types[kind].subjects if kind in self.types else ()
        return tuple(row for field in names for row in self.under(kind, field, subject))

    def _take(self, kind: EvidenceType, entry: Entry, rows: Iterable[Mapping[str, Any]]) -> None:
        links = [f.name for f in kind.fields.values() if f.type in ("ref", "subject")]
        for number, row in enumerate(rows):
            key = tuple(row[name] for name in kind.key) or (entry.index, number)
            before = self._rows[kind.id].get(key)
            kept = Kept(kind.id, row, entry.index, entry.at, entry.by)
            self._rows[kind.id][key] = kept
            for field in links:
                if before is not None and before.data[field] != row[field]:
                    self._drop((kind.id, field, str(before.data[field])), key)
                if row[field] is not None:
                    place = (kind.id, field, str(row[field]))
                    self._under[place] = {**self._under.get(place, {}), key: kept}

    def _drop(self, place: tuple[str, str, str], key: Key) -> None:
        self._under[place] = {k: row for k, row in self._under.get(place, {}).items() if k != key}
