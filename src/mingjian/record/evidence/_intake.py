"""Rows on their way in: what was read, what breaks a rule, and whether the batch may land."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.errors import Finding, MingjianError, Place
from mingjian.declare import EvidenceType, Field
from mingjian.record.evidence._fields import Broken, Value, parse, shown
from mingjian.record.evidence._grid import Grid, grid_of_records
from mingjian.record.evidence._schema import LINE, arrow_schema


@dataclass(frozen=True, slots=True)
class Intake:
    """What one file (or one call) brings for one evidence type.

    ``table`` has the rows without a finding: the columns of `arrow_schema` and ``_line`` (int64), the row's 1-based number
    in its file. ``refused`` counts the rows left out of it, ``findings`` says why. ``sha256`` is the file's, in hexadecimal.
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()
    file: str = ""
    sha256: str = ""
    refused: int = 0

    def judged(self, findings: Iterable[Finding]) -> Intake:
        """The same with further findings (those of `check_rows`), and without the rows they name."""
        more = tuple(findings)
        table = _without(self.table, _rows(more))
        refused = self.refused + self.table.num_rows - table.num_rows
        return replace(self, table=table, findings=self.findings + more, refused=refused)

    def accepted(self, type: EvidenceType) -> pa.Table:
        """The rows that land.

        Raises MingjianError with every finding where one of them keeps the whole batch out: any finding of a type whose
        ``bad_rows`` is "refuse", and always one that is not about a single row (a missing or an unknown column).
        """
        if self.findings and (type.bad_rows == "refuse" or any(f.place.row is None for f in self.findings)):
            raise MingjianError(
                f"nothing of this {type.id} was taken in",
                why=f"{len(self.findings)} findings",
                where=self.file,
                remedy="mend the rows and add the file again",
                findings=self.findings,
            )
        return self.table


def read_rows(rows: Iterable[Mapping[str, object]], type: EvidenceType, file: str = "", *, zone: str = "") -> Intake:
    """Rows given as mappings from field name (or title) to a typed or JSON value; they are numbered from 1.

    An absent name and None are the same. A time without a zone is read on the clock of ``zone``.
    """
    return take_in(grid_of_records(enumerate(rows, 1), type, Place(file)), type, zone)


def take_in(grid: Grid, type: EvidenceType, zone: str = "", sha256: str = "") -> Intake:
    """The typed rows of a grid, and every finding about them, by row and then in the order of the fields.

    A field that is not in the grid at all is empty in every row; whether it may be is for the reader of the header to say.
    """
    clock = ZoneInfo(zone) if zone else None
    columns: dict[str, list[Value | None]] = {}
    findings = list(grid.findings)
    for field in type.fields.values():
        given = grid.cells.get(field.name)
        columns[field.name], broken = _column(field, given, len(grid.lines), clock)
        findings += _broken_cells(grid, field, broken) if given is not None else []
    findings += _over_bounds(grid, type, columns)
    findings += _doubles(grid, type, columns, _rows(findings))
    order = {name: place for place, name in enumerate(type.fields)}
    findings.sort(key=lambda f: (f.place.row or 0, order.get(f.place.field, -1)))
    bad = _rows(findings)
    table = _without(_table(type, columns, grid.lines), bad)
    return Intake(table, tuple(findings), grid.place.file, sha256, len(bad))


def _rows(findings: Iterable[Finding]) -> set[int]:
    return {finding.place.row for finding in findings if finding.place.row is not None}


def _without(table: pa.Table, rows: Collection[int]) -> pa.Table:
    bad = pc.is_in(table[LINE], pa.array(sorted(rows), pa.int64()))
    return table.filter(pc.invert(bad)) if rows else table


def _column(
    field: Field, cells: Sequence[object] | None, rows: int, zone: tzinfo | None
) -> tuple[list[Value | None], dict[int, Broken]]:
    """The values of a column (None where a rule is broken), and the broken rules by position."""
    if cells is None:
        return [None] * rows, {}
    texts = {cell for cell in cells if type(cell) is str}  # columns repeat themselves: each text is read once
    known = {text: _outcome(field, text, zone) for text in texts}
    outcomes = [known[cell] if type(cell) is str else _outcome(field, cell, zone) for cell in cells]
    broken = {position: outcome for position, outcome in enumerate(outcomes) if isinstance(outcome, Broken)}
    return [None if isinstance(outcome, Broken) else outcome for outcome in outcomes], broken


def _outcome(field: Field, cell: object, zone: tzinfo | None) -> Value | Broken | None:
    try:
        return parse(field, cell, zone)
    except Broken as broken:
        return broken


def _broken_cells(grid: Grid, field: Field, broken: Mapping[int, Broken]) -> list[Finding]:
    cells = grid.cells[field.name]
    return [
        Finding(b.rule, b.message, _at(grid, position, field.name), shown(cells[position]), b.remedy)
        for position, b in broken.items()
    ]


def _at(grid: Grid, position: int, field: str) -> Place:
    return replace(grid.place, row=grid.lines[position], field=field)


def _over_bounds(grid: Grid, type: EvidenceType, columns: Mapping[str, Sequence[Any]]) -> list[Finding]:
    """Values above the field of the same row that bounds them."""
    findings = []
    for field in type.fields.values():
        if not field.at_most:
            continue
        title = type.fields[field.at_most].title
        for position, (value, bound) in enumerate(zip(columns[field.name], columns[field.at_most], strict=True)):
            if value is not None and bound is not None and value > bound:
                message = f"more than {field.at_most} ({title.zh}), which is {bound}"
                findings.append(Finding("above-other-field", message, _at(grid, position, field.name), str(value)))
    return findings


def _doubles(
    grid: Grid, type: EvidenceType, columns: Mapping[str, Sequence[Any]], bad: Collection[int]
) -> list[Finding]:
    """Rows whose key another good row of the batch has: each of them, since neither is known to be the right one."""
    good = [position for position, line in enumerate(grid.lines) if line not in bad]
    keys = list(zip(*(columns[name] for name in type.key), strict=True))
    if not type.key or len({keys[position] for position in good}) == len(good):
        return []
    seen: defaultdict[object, list[int]] = defaultdict(list)
    for position in good:
        seen[keys[position]].append(position)
    findings = []
    for positions in (positions for positions in seen.values() if len(positions) > 1):
        for position in positions:
            others = ", ".join(str(grid.lines[other]) for other in positions[:9] if other != position)
            key = ", ".join(str(columns[name][position]) for name in type.key)
            message = f"the same {', '.join(type.key)} as in row {others}"
            place = _at(grid, position, type.key[0])
            findings.append(Finding("doubled-key", message, place, key, "keep one of them"))
    return findings


def _table(type: EvidenceType, columns: Mapping[str, Sequence[Any]], lines: Sequence[int]) -> pa.Table:
    schema = arrow_schema(type)
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    lines_column = pa.field(LINE, pa.int64())
    return pa.Table.from_arrays([*arrays, pa.array(lines, pa.int64())], schema=schema.append(lines_column))
