"""Files to grids of cells: Excel, CSV, Parquet and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import python_calamine

from mingjian.base.errors import Finding, MingjianError, Misuse, Place
from mingjian.base.values import once, sha256
from mingjian.declare import EvidenceType
from mingjian.record.evidence._fields import near, shown
from mingjian.record.evidence._grid import Cells, Grid, grid_of_columns, grid_of_records, grid_of_table, is_empty
from mingjian.record.evidence._intake import Intake, take_in
from mingjian.record.evidence._xlsx import error_cells

_FEW: Final = 10  # a damaged UTF-8 file has at least so many good characters for each bad one
# Excel counts days from here; its day 60 is a 29 February 1900 that never was, so that no earlier day is certain.
_DAY_ZERO: Final = datetime(1899, 12, 30)
_CERTAIN_DAYS: Final = (61, 2_958_466)


def read_file(path: Path, type: EvidenceType, *, sheet: str | None = None, zone: str = "") -> Intake:
    """The rows of a file (.xlsx, .csv, .parquet, .jsonl, .ndjson), typed, and every finding about them.

    Columns are found by field name or by Chinese or English title. Row numbers are those a person sees: sheet rows and CSV
    records from 1 with the header counted, lines of JSON, rows of Parquet from 1. CSV is UTF-8 or else GB18030. Of a
    workbook, the first sheet is read, or ``sheet``. A time without a zone is read on the clock of ``zone``.

    Raises Misuse for a file or a sheet that is not there and for another kind of file, MingjianError for a file that
    cannot be read at all.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Misuse(f"no reader for {path.name}", remedy="one of " + ", ".join(_READERS))
    if sheet is not None and reader is not _excel:
        raise Misuse(f"{path.name} has no sheets", remedy="leave the sheet out")
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise Misuse(f"cannot open {path.name}", why=fault.strerror or str(fault)) from fault
    return take_in(reader(data, type, Place(path.name, sheet or "")), type, zone, sha256(data).hex())


def _unreadable(place: Place, why: object, remedy: str = "") -> MingjianError:
    return MingjianError("cannot read the file", why=str(why), where=place, remedy=remedy)


def _excel(data: bytes, type: EvidenceType, place: Place) -> Grid:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except python_calamine.CalamineError as fault:
        raise _unreadable(place, fault, "save it again as .xlsx") from fault
    name = place.sheet or book.sheet_names[0]
    if name not in book.sheet_names:
        raise Misuse(f"no sheet {name!r}", where=place.file, remedy=near(name, book.sheet_names))
    place = Place(place.file, name)
    try:
        sheet = book.get_sheet_by_name(name)
        errors = error_cells(data, name)
    except (python_calamine.CalamineError, ValueError) as fault:
        raise _unreadable(place, fault, "save it again as .xlsx") from fault
    top, left = sheet.start or (0, 0)
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=True)
    for (row, column), error in errors.items():  # which the reader gives as empty cells
        rows[row - top][column - left] = error
    grid = _table(rows, top + 1, type, place)
    days = [field.name for field in type.fields.values() if field.type in ("date", "time") and field.name in grid.cells]
    cells = {**grid.cells, **{name: [_moment(cell) for cell in grid.cells[name]] for name in days}}
    return Grid(grid.place, grid.lines, cells, grid.findings)


def _moment(cell: object) -> object:
    """The date and time that a sheet keeps as a number of days."""
    if isinstance(cell, float) and _CERTAIN_DAYS[0] <= cell < _CERTAIN_DAYS[1]:
        return _DAY_ZERO + timedelta(seconds=round(cell * 86400))
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _csv(data: bytes, type: EvidenceType, place: Place) -> Grid:
    text = decoded(data, place)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as fault:
        raise _unreadable(place, fault, "check the quotation marks") from fault
    return _table(rows, 1, type, place)


def _table(rows: Sequence[Sequence[object]], first: int, type: EvidenceType, place: Place) -> Grid:
    """Rows whose first one that is not empty is the header; ``first`` is the number of the first row."""
    kept = [(line, row) for line, row in enumerate(rows, first) if not all(map(is_empty, row))]
    if not kept:
        raise _unreadable(place, "nothing stands in it")
    (_, header), *body = kept
    return grid_of_table(header, [line for line, _ in body], [row for _, row in body], type, place)


def decoded(data: bytes, place: Place) -> str:
    """The text of a file in UTF-8, with or without a mark, or else in GB18030, decoded strictly.

    Raises MingjianError for any other encoding, and for UTF-8 with a few broken bytes, which GB18030 would read as
    other characters.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(place, "it is in UTF-16", "save it as CSV UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        where = fault.start
    guess = data.decode("utf-8", errors="replace")
    if sum(character > "\x7f" and character != "�" for character in guess) > _FEW * guess.count("�"):
        raise _unreadable(place, f"it is UTF-8 but for byte {where}", "save it as CSV UTF-8 again")
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as fault:
        raise _unreadable(place, f"neither UTF-8 nor GB18030 (byte {fault.start})", "save it as CSV UTF-8") from fault


def _json_lines(data: bytes, type: EvidenceType, place: Place) -> Grid:
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as fault:
        raise _unreadable(place, f"not UTF-8 (byte {fault.start})") from fault
    records: list[tuple[int, dict[str, object]]] = []
    findings: list[Finding] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append((number, _object(line)))
        except (ValueError, RecursionError) as fault:
            at = Place(place.file, row=number)
            findings.append(Finding("not-an-object", f"not a JSON object: {fault}", at, shown(line)))
    grid = grid_of_records(records, type, place)
    return Grid(grid.place, grid.lines, grid.cells, (*findings, *grid.findings))


def _object(line: str) -> dict[str, object]:
    value = json.loads(line, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=once)
    if not isinstance(value, dict):
        raise ValueError("it is " + type(value).__name__)
    return value


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _parquet(data: bytes, type: EvidenceType, place: Place) -> Grid:
    try:
        table = pq.read_table(pa.BufferReader(data))
        table.validate(full=True)
        columns = [_readable(column) for column in table.columns]
    except (pa.ArrowException, OSError) as fault:
        raise _unreadable(place, fault) from fault
    return grid_of_columns(table.column_names, columns, type, place)


def _readable(column: Any) -> Cells:
    """A column whose distinct values Arrow can find and Python can hold. Raises ArrowInvalid for one with other instants."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_timestamp(kind):  # nanoseconds are no Python datetimes; what a microsecond cannot hold is refused
        kind = pa.timestamp("us", kind.tz)
    column = column.cast(kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        years: Any = pc.min_max(pc.year(column)).as_py()
        if years["min"] is not None and not date.min.year <= years["min"] <= years["max"] <= date.max.year:
            raise pa.ArrowInvalid("a date is outside the years 1 to 9999")
    if pa.types.is_nested(kind):
        cells: list[object] = column.to_pylist()
        return cells
    return column  # type: ignore[no-any-return]


_READERS: Final[dict[str, Callable[[bytes, EvidenceType, Place], Grid]]] = {
    ".xlsx": _excel,
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
