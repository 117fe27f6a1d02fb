"""What belongs to a package, so that whoever takes something out of it leaves a gap that is seen.

The credential is one for all levels, and signs for each of them a SHA-256 over the contents of that level's package; the
package carries the contents themselves. They name places in the ledger, which the proofs bind to what stands there, and
begin with a salt of 128 random bits: from the digests alone nobody guesses which rows another level shows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from mingjian.attest.statements._reading import Record, choice_of, malformed, other_writing, record_of, text_of
from mingjian.base.values import canonical, sha256

SALT_SIZE: Final = 16
_SALT: Final = re.compile(r"[0-9a-f]{32}")
_ENTRY: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_ROWS: Final = re.compile(r"(0|[1-9][0-9]{0,14})(,[1-9][0-9]{0,14})*")

Level = Literal["public", "described", "auditor"]
LEVELS: Final[tuple[Level, ...]] = ("public", "described", "auditor")

Why = Literal["sealed", "others", "level", "peers", "erased"]
WHYS: Final[tuple[Why, ...]] = ("sealed", "others", "level", "peers", "erased")

RowPlace = tuple[int, int]  # ledger entry, row in it


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of one package: the places of its rows of evidence, its rows of the snapshot (``attested``), and the
    measures that its reader must take as ``given``, each with the reason. ``salt`` has 16 bytes.
    """

    salt: bytes
    rows: frozenset[RowPlace]
    attested: frozenset[int]
    given: Mapping[str, Why]

    def digest(self) -> bytes:
        """The 32 bytes that a credential signs of it."""
        return sha256(canonical(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """``{"salt", "rows": {entry: "row,row"}, "attested": "row,row", "given": {measure: why}}``."""
        by_entry: dict[int, list[int]] = {}
        for entry, row in self.rows:
            by_entry.setdefault(entry, []).append(row)
        return {
            "salt": self.salt.hex(),
            "rows": {str(entry): _listed(by_entry[entry]) for entry in sorted(by_entry)},
            "attested": _listed(self.attested),
            "given": dict(self.given),
        }

    @classmethod
    def from_json(cls, record: Record, where: str) -> Contents:
        """The contents that `to_json` wrote. Raises Malformed for another shape."""
        salt = text_of(record, "salt", where)
        if not _SALT.fullmatch(salt):
            raise malformed(f"{where}.salt", other_writing(salt, "salt"))
        rows, at = record_of(record.get("rows"), f"{where}.rows"), f"{where}.rows"
        given = record_of(record.get("given"), f"{where}.given")
        for entry in rows:
            if not _ENTRY.fullmatch(entry):
                raise malformed(at, other_writing(entry, "whole-number"))
        return cls(
            salt=bytes.fromhex(salt),
            rows=frozenset((int(entry), row) for entry in rows for row in _rows(rows, entry, at)),
            attested=frozenset(_rows(record, "attested", where)),
            given={name: cast(Why, choice_of(given, name, f"{where}.given", WHYS)) for name in given},
        )


def _listed(rows: Collection[int]) -> str:
    return ",".join(map(str, sorted(rows)))


def _rows(record: Record, name: str, where: str) -> list[int]:
    text = text_of(record, name, where)
    if text and not _ROWS.fullmatch(text):
        raise malformed(f"{where}.{name}", other_writing(text, "row-list"))
    return [int(row) for row in text.split(",")] if text else []
