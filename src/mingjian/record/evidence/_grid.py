"""The cells of a file under the fields of a type: what a header's names mean, and what is wrong with the header."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pyarrow as pa

from mingjian.base.errors import Finding, Place
from mingjian.declare import TIME, EvidenceType
from mingjian.record.evidence._fields import near, shown
from mingjian.record.evidence._series import series_fields

_TIMES: Final = frozenset({TIME, "时间"})  # the heading of a file with one value of a series a line
Cells: TypeAlias = "Sequence[object] | pa.ChunkedArray[Any]"


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells by field name, before they are read: Python's or Arrow's. ``lines`` has each row's 1-based number in the file."""

    place: Place
    lines: Sequence[int]
    cells: Mapping[str, Cells]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """What may stand at the head of a column: a field's name or one of its titles."""

    type: EvidenceType

    def field(self, heading: object) -> str | None:
        """The field that a heading means; None where it means none, or where two fields share that title."""
        text = unicodedata.normalize("NFC", str(heading)).strip()
        if text in self.type.fields:
            return text
        if series_fields(self.type) and text.casefold() in _TIMES:
            return TIME
        folded = text.casefold()
        found = [
            field.name
            for field in self.type.fields.values()
            if folded in (field.name.casefold(), field.title.zh.casefold(), field.title.en.casefold())
        ]
        return found[0] if len(found) == 1 else None

    def unknown(self, heading: object, place: Place) -> Finding:
        """The finding that a heading means no field."""
        fields = self.type.fields.values()
        known = [f.title.zh for f in fields] + [f.name for f in fields] + [f.title.en for f in fields]
        message = f"no column of {self.type.id}"
        return Finding("unknown-column", message, place, shown(heading), near(str(heading), known))


def grid_of_records(numbered: Iterable[tuple[int, Mapping[str, object]]], type: EvidenceType, place: Place) -> Grid:
    """Mappings as a grid. Each names its own columns, so what is wrong with a name is a finding of its row."""
    names = Names(type)
    known: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}  # records of one file mostly have the same names
    lines: list[int] = []
    records: list[dict[str, object]] = []
    findings: list[Finding] = []
    for line, record in numbered:
        shape = tuple(record)
        if shape not in known:
            known[shape] = tuple((name, field) for name in shape if (field := names.field(name)))
        pairs = known[shape]
        lines.append(line)
        records.append({field: record[name] for name, field in pairs})
        if len(records[-1]) < len(record):
            findings += _record_findings(record, pairs, names, replace(place, row=line))
    fields = dict.fromkeys([*type.fields, *(field for pairs in known.values() for _, field in pairs)])
    cells = {field: [record.get(field) for record in records] for field in fields}
    return Grid(place, lines, cells, tuple(findings))


def _record_findings(
    record: Mapping[str, object], pairs: Sequence[tuple[str, str]], names: Names, place: Place
) -> list[Finding]:
    meant = dict(pairs)
    return [names.unknown(name, place) for name in record if name not in meant] + [
        _doubled(field, place) for field, times in Counter(meant.values()).items() if times > 1
    ]


def _doubled(field: str, place: Place) -> Finding:
    return Finding("doubled-column", "the same column twice", replace(place, field=field), remedy="keep one")


def is_meant(heading: object, type: EvidenceType) -> bool:
    """Whether what stands under a heading is looked at: under one that means nothing, nothing is."""
    return is_empty(heading) or Names(type).field(heading) is not None


def grid_of_columns(
    header: Sequence[object],
    columns: Sequence[Cells],
    lines: Sequence[int],
    type: EvidenceType,
    place: Place,
    findings: Sequence[Finding] = (),
) -> Grid:
    """Columns of equal length under a header as a grid; ``lines`` has the numbers of the rows, ``findings`` what else is wrong.

    What is wrong with the header is a finding of the file: an unknown, doubled, nameless or missing column. A column that is
    not `is_meant` may be empty.
    """
    return _under_header(header, columns, lines, type, place, [*findings])


def _under_header(
    header: Sequence[object],
    columns: Sequence[Cells],
    lines: Sequence[int],
    type: EvidenceType,
    place: Place,
    findings: list[Finding],
) -> Grid:
    names, cells = Names(type), {}
    for heading, column in zip(header, columns, strict=True):
        field = None if is_empty(heading) else names.field(heading)
        if field is not None and field in cells:
            findings.append(_doubled(field, place))
        elif field is not None:
            cells[field] = column
        elif not is_empty(heading):
            findings.append(names.unknown(heading, place))
        elif not all(is_empty(cell) for cell in distinct(column)):
            findings.append(Finding("column-without-name", "a column with values but no heading", place))
    if TIME in cells and type.date in cells and TIME not in type.fields:
        at = replace(place, field=type.date)
        findings.append(Finding("unknown-column", "the period follows from the times", at, remedy="leave it out"))
    implied = type.date if TIME in cells and TIME not in type.fields else ""
    for wanted in type.fields.values():
        if wanted.name not in cells and not wanted.optional and wanted.name != implied:
            missing = f"no column {wanted.title.zh} ({wanted.title.en})"
            remedy = f"add it under this title or as {wanted.name}"
            findings.append(Finding("missing-column", missing, replace(place, field=wanted.name), remedy=remedy))
    return Grid(place, lines, cells, tuple(findings))


def is_empty(cell: object) -> bool:
    """Whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def distinct(column: Cells) -> Iterable[object]:
    """The cells of a column, each once where Arrow can tell."""
    return column.unique().to_pylist() if isinstance(column, pa.ChunkedArray) else column


def plain_cell(cell: object) -> object:
    """A cell as Python has it."""
    return cell.as_py() if isinstance(cell, pa.Scalar) else cell
