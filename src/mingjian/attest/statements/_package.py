"""A package: a signed statement with all that its reader may see of the evidence under it. One JSON file.

``{"format", "level", "credential", "checkpoint", "entries": [{"header", "path"}], "issued": row proof, "rows": [row proof],
"attested": [row proof of the snapshot], "contents", "scheme", "witnessed": {"checkpoint", "consistency"}}``, the last where
there is one. A row proof is what the ledger writes: ``{"entry", "row", "salt", "values", "path"}``, with salts and hashes in
hexadecimal; ``path`` runs from the leaf up. `Contents` says what of all this belongs to the package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from mingjian.attest.statements._contents import LEVELS, Contents, Level
from mingjian.attest.statements._reading import Record, choice_of, list_of, malformed, record_of, text_of
from mingjian.attest.statements._reason import because
from mingjian.attest.statements._shared import Shared
from mingjian.attest.statements._statement import Statement
from mingjian.base.errors import MingjianError
from mingjian.record.ledger import Entry, RowProof

FORMAT: Final = "mingjian/3"
MOST_BYTES: Final = 256 * 1024 * 1024
MOST_ENTRIES: Final = 100_000
MOST_ROWS: Final = 1_000_000

_CELLS: Final = frozenset({str, bool, type(None)})
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """The header of an entry and the path from it to the checkpoint's root."""

    entry: Entry
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """The entry as a package carries it."""
        return {"header": self.entry.to_json(), "path": [node.hex() for node in self.path]}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A later checkpoint that witnesses cosigned, and the proof that the ledger of the package's own only grew to it."""

    checkpoint: str
    consistency: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """As a package carries it."""
        return {"checkpoint": self.checkpoint, "consistency": [node.hex() for node in self.consistency]}


@dataclass(frozen=True, slots=True)
class Package:
    """A signed statement and what supports it.

    ``issued`` is the row by which the ledger says that this very statement was issued, before it was signed. ``rows`` are
    evidence; ``attested`` are rows of the snapshot: every number of the statement and those it was made from. ``contents`` says
    what of both belongs here, and which measures the reader must take from ``attested``, since their evidence is not among
    ``rows``. ``scheme`` is the scheme's data (`declare.scheme_data`): formulas as trees, no code.
    """

    level: Level
    credential: Mapping[str, Any]
    checkpoint: str
    entries: tuple[ProvenEntry, ...]
    issued: RowProof
    rows: tuple[RowProof, ...]
    attested: tuple[RowProof, ...]
    contents: Contents
    scheme: Mapping[str, Any]
    witnessed: Witnessed | None = None

    @property
    def statement(self) -> Statement:
        """What the credential says. Raises Malformed if it has not the shape of a statement."""
        return Statement.from_credential(self.credential)


def write_package(package: Package) -> bytes:
    """The file of a package, the same bytes for the same package."""
    said = {
        "format": FORMAT,
        "level": package.level,
        "credential": package.credential,
        "checkpoint": package.checkpoint,
        "entries": [entry.to_json() for entry in package.entries],
        "issued": package.issued.to_json(),
        "rows": [row.to_json() for row in package.rows],
        "attested": [row.to_json() for row in package.attested],
        "contents": package.contents.to_json(),
        "scheme": package.scheme,
    }
    return orjson.dumps(said if package.witnessed is None else {**said, "witnessed": package.witnessed.to_json()})


def read_package(data: bytes, shared: Shared | None = None) -> Package:
    """The package in a file; nothing of it is believed yet. ``shared`` is handed on from one package of a run to the next.

    Raises Malformed, naming the place, for anything of another shape or beyond the sizes above: the file may come from a
    stranger, so this ends in bounded time and never in another exception.
    """
    document = _document(data, shared or Shared())
    if (form := text_of(document, "format", "$")) != FORMAT:
        raise malformed("$.format", because("unknown-format", format=repr(form[:40]), known=FORMAT))
    return Package(
        level=cast(Level, choice_of(document, "level", "$", LEVELS)),
        credential=record_of(document.get("credential"), "$.credential"),
        checkpoint=text_of(document, "checkpoint", "$"),
        entries=tuple(
            _entry(value, f"$.entries[{n}]") for n, value in enumerate(list_of(document, "entries", "$", MOST_ENTRIES))
        ),
        issued=_row(document.get("issued"), "$.issued"),
        rows=_rows(document, "rows"),
        attested=_rows(document, "attested"),
        contents=Contents.from_json(record_of(document.get("contents"), "$.contents"), "$.contents"),
        scheme=record_of(document.get("scheme"), "$.scheme"),
        witnessed=_witnessed(document["witnessed"], "$.witnessed") if "witnessed" in document else None,
    )


def _document(data: bytes, shared: Shared) -> Record:
    if len(data) > MOST_BYTES:
        raise malformed("$", because("too-large", size=len(data), most=MOST_BYTES))
    try:
        return record_of(shared.read(data), "$")
    except (ValueError, RecursionError) as fault:
        raise malformed("$", because("not-json", detail=fault)) from fault


def _entry(value: object, where: str) -> ProvenEntry:
    record = record_of(value, where)
    try:
        entry = Entry.from_json(record_of(record.get("header"), f"{where}.header"))
    except MingjianError as fault:
        raise malformed(f"{where}.header", because("not-an-entry", detail=fault)) from fault
    fit = isinstance(entry.index, int) and isinstance(entry.rows, int) and isinstance(entry.kind, str)
    if not (fit and isinstance(entry.scheme, str) and isinstance(entry.root, str) and _HASH.fullmatch(entry.root)):
        raise malformed(f"{where}.header", because("not-an-entry", detail="its numbers, names or root are none"))
    return ProvenEntry(entry, _hashes(record, "path", where))


def _witnessed(value: object, where: str) -> Witnessed:
    record = record_of(value, where)
    return Witnessed(text_of(record, "checkpoint", where), _hashes(record, "consistency", where))


def _hashes(record: Record, name: str, where: str) -> tuple[bytes, ...]:
    try:
        return tuple(bytes.fromhex(node) for node in list_of(record, name, where, 64))
    except (TypeError, ValueError) as fault:
        raise malformed(f"{where}.{name}", because("other-type", wanted=because("hashes"), found=fault)) from fault


def _rows(document: Record, name: str) -> tuple[RowProof, ...]:
    return tuple(_row(value, f"$.{name}[{n}]") for n, value in enumerate(list_of(document, name, "$", MOST_ROWS)))


def _row(value: object, where: str) -> RowProof:
    record = record_of(value, where)
    values = record_of(record.get("values"), f"{where}.values")
    if not set(map(type, values.values())) <= _CELLS:
        raise malformed(f"{where}.values", because("not-a-row", detail="it has texts, true, false and null only"))
    try:
        return RowProof.from_json(record)
    except MingjianError as fault:
        raise malformed(where, because("not-a-row", detail=fault)) from fault
