"""Rows on their way in: what was read, what breaks a rule, and whether the batch may land."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute

from mingjian.base.errors import Finding, MingjianError, Misuse, Place
from mingjian.base.values import Period
from mingjian.declare import TIME, EvidenceType
from mingjian.record.evidence._columns import broken_cells, read_cells
from mingjian.record.evidence._grid import Grid, grid_of_records
from mingjian.record.evidence._limits import listed
from mingjian.record.evidence._long import grouped
from mingjian.record.evidence._schema import DIGITS, LINE, Column, arrow_schema
from mingjian.record.evidence._series import series_fields

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type


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
    A grid with times has one value of a series a line: its lines are grouped to rows first, and ``refused`` counts series.
    """
    if TIME in grid.cells and series_fields(type):
        lines = grouped(grid, type, zone)
        whole = take_in(lines.grid, type, zone, sha256)
        told = (*discreet(lines.findings, type), *whole.findings)
        return replace(whole, findings=told, refused=whole.refused + lines.left_out)
    clock = ZoneInfo(zone) if zone else None
    columns: list[Any] = []
    findings = list(grid.findings)
    for kind in arrow_schema(type):
        field, given = type.fields[kind.name], grid.cells.get(kind.name)
        if given is None:
            columns.append(pa.nulls(len(grid.lines), kind.type))
        else:
            values, broken = read_cells(field, given, clock)
            columns.append(values)
            findings = listed(chain(findings, broken_cells(grid, field, broken)), grid.place)
    columns.append(_numbers(grid.lines))
    table = pa.table(columns, schema=arrow_schema(type).append(pa.field(LINE, pa.int64())))
    found = chain(
        _over_bounds(grid, type, table), _neither_or_both(grid, type, table), _wrong_lengths(grid, type, table, clock)
    )
    findings = listed(chain(findings, found), grid.place)
    doubles = _doubles(grid, type, _without(table, _rows(findings)))
    findings = listed(chain(findings, doubles), grid.place)
    order = {name: place for place, name in enumerate(type.fields)}
    findings.sort(key=lambda f: (f.place.row or 0, order.get(f.place.field, -1)))
    bad = _rows(findings)
    return Intake(_without(table, bad), discreet(findings, type), grid.place.file, sha256, len(bad))


def discreet(findings: Iterable[Finding], type: EvidenceType) -> tuple[Finding, ...]:
    """The same findings; without the values where a field of the type is sealed.

    Also those of other fields: in a file whose columns have slipped, what is sealed stands under another heading.
    """
    hide = any(field.label == "sealed" for field in type.fields.values())
    return tuple(replace(finding, value="") if hide else finding for finding in findings)


def _numbers(lines: Sequence[int]) -> Any:
    """The same numbers in Arrow, without one of Python's for each."""
    return pa.array(np.arange(lines.start, lines.stop) if isinstance(lines, range) else np.asarray(lines, np.int64))


def _rows(findings: Iterable[Finding]) -> set[int]:
    return {finding.place.row for finding in findings if finding.place.row is not None}


def _without(table: pa.Table, rows: Collection[int]) -> pa.Table:
    bad = pc.is_in(table[LINE], pa.array(sorted(rows), pa.int64()))
    return table.filter(pc.invert(bad)) if rows else table


def _at(grid: Grid, line: int, field: str) -> Place:
    return replace(grid.place, row=line, field=field)


def _over_bounds(grid: Grid, type: EvidenceType, table: pa.Table) -> Iterator[Finding]:
    """Values above the field of the same row that bounds them."""
    for field in type.fields.values():
        if not field.at_most:
            continue
        title = type.fields[field.at_most].title
        above = table.filter(pc.greater(_comparable(table[field.name]), _comparable(table[field.at_most])))
        for line, value, bound in _pairs(above, LINE, field.name, field.at_most):
            message = f"more than {field.at_most} ({title.zh}), which is {bound}"
            yield Finding("above-other-field", message, _at(grid, line, field.name), str(value))


def _neither_or_both(grid: Grid, type: EvidenceType, table: pa.Table) -> Iterator[Finding]:
    """Rows that do not have exactly one of two fields of which one is given instead of the other."""
    for field in type.fields.values():
        if not field.instead_of:
            continue
        there, other = pc.is_valid(table[field.name]), pc.is_valid(table[field.instead_of])
        wrong = table.filter(pc.equal(there, other))
        title = type.fields[field.instead_of].title
        rows: Any = zip(wrong[LINE].to_pylist(), pc.is_null(wrong[field.name]).to_pylist(), strict=True)
        for line, missing in rows:
            rule, said = ("neither-given", "neither this nor") if missing else ("both-given", "this and also")
            message = f"{said} {field.instead_of} ({title.zh})"
            yield Finding(rule, message, _at(grid, line, field.name), remedy="give exactly one of them")


def _wrong_lengths(grid: Grid, type: EvidenceType, table: pa.Table, clock: ZoneInfo | None) -> Iterator[Finding]:
    """Series that do not have a value, or an explicit gap, for every step of their period."""
    for field in series_fields(type):
        rows = table.filter(pc.and_(pc.is_valid(table[field.name]), pc.is_valid(table[type.date])))
        if rows.num_rows and clock is None:
            why = "how long its period is depends on the clock"
            raise Misuse(f"{type.id} has a series", why=why, remedy="give the zone")
        texts = rows[type.date].unique().to_pylist()
        wanted = {text: Period.parse(text).steps(field.step, clock) for text in texts}  # type: ignore[arg-type]
        columns = (rows[LINE], rows[type.date], pc.list_value_length(rows[field.name]))
        told: Any = zip(*(column.to_pylist() for column in columns), strict=True)
        for line, period, length in told:
            if length != wanted[period]:
                message = f"{length} values, and {period} has {wanted[period]} times {field.step} minutes"
                yield Finding("wrong-length", message, _at(grid, line, field.name))


def _comparable(numbers: Column) -> Column:
    """The same numbers: of 38 digits, those of two scales could not be compared."""
    return numbers.cast(pa.decimal128(DIGITS, numbers.type.scale)) if pa.types.is_decimal(numbers.type) else numbers


def _doubles(grid: Grid, type: EvidenceType, good: pa.Table) -> Iterator[Finding]:
    """Rows whose key another good row of the batch has: each of them, since neither is known to be the right one."""
    keys = good.select([*type.key, LINE])
    if not type.key or keys.group_by([*type.key]).aggregate([]).num_rows == keys.num_rows:
        return
    groups = keys.group_by([*type.key], use_threads=False).aggregate([(LINE, "list")])
    doubled = groups.filter(pc.greater(pc.list_value_length(groups[f"{LINE}_list"]), 1))
    for lines, *parts in _pairs(doubled, f"{LINE}_list", *type.key):
        key = ", ".join(map(str, parts))
        for line in lines:
            others = ", ".join(str(other) for other in lines[:9] if other != line)
            message = f"the same {', '.join(type.key)} as in row {others}"
            yield Finding("doubled-key", message, _at(grid, line, type.key[0]), key, "keep one of them")


def _pairs(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def shuffled(table: pa.Table) -> pa.Table:
    """Rows in an order that says nothing, and without the lines they stood on: neighbours in a file belong together.

    So are ballots recorded: whoever reads the ledger cannot put the lines of one sheet together again. The order comes from
    the machine's entropy and is kept nowhere.
    """
    order = np.random.default_rng(secrets.randbits(256)).permutation(table.num_rows)
    kept = table.drop_columns([LINE]) if LINE in table.column_names else table
    return kept.take(order)
