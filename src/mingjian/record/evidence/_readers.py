"""Files to grids of cells: Excel, CSV, Parquet and JSON lines."""

from __future__ import annotations

import codecs
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.base.values import once, sha256
from mingjian.declare import EvidenceType
from mingjian.record.evidence._archive import Archive
from mingjian.record.evidence._delimited import read_csv
from mingjian.record.evidence._fields import shown
from mingjian.record.evidence._grid import Cells, Grid, grid_of_columns, grid_of_records, is_meant
from mingjian.record.evidence._intake import Intake, take_in
from mingjian.record.evidence._limits import (
    LARGEST_FILE,
    LARGEST_UNFOLDED,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_FINDINGS,
    MOST_RECORDS,
    MOST_ROWS,
    too_many_findings,
    unreadable,
    want_at_most,
)
from mingjian.record.evidence._workbook import read_xlsx

_TEXTS: Final = (pa.string(), pa.large_string())


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
    if sheet is not None and reader is not read_xlsx:
        raise Misuse(f"{path.name} has no sheets", remedy="leave the sheet out")
    data = _taken(path)
    return take_in(reader(data, type, Place(path.name, sheet or "")), type, zone, sha256(data).hex())


def want_unfolded(path: Path, most: int) -> None:
    """Nothing, for a file that comes to no more than ``most`` bytes once it is unfolded, as a workbook is.

    Raises Misuse for a file that cannot be opened, MingjianError for a workbook that comes to more, or is damaged.
    """
    if path.suffix.lower() == ".xlsx":
        try:
            Archive(_taken(path)).check(most)
        except ValueError as fault:
            raise unreadable(Place(path.name), fault, "hand in a smaller sheet, or save it again as .xlsx") from fault


def _taken(path: Path) -> bytes:
    """The bytes of a file. Raises Misuse for one that cannot be opened, MingjianError for one that is too large."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may have no end
            raise Misuse(f"cannot open {path.name}", why="it is not a regular file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size) if size <= LARGEST_FILE else b""
    except OSError as fault:
        raise Misuse(f"cannot open {path.name}", why=fault.strerror or str(fault)) from fault
    if size > LARGEST_FILE:
        raise unreadable(
            Place(path.name), f"it has more than {LARGEST_FILE >> 20:,} MiB", "split it into several files"
        )
    return data


def _json_lines(data: bytes, type: EvidenceType, place: Place) -> Grid:
    findings: list[Finding] = []
    grid = grid_of_records(_records(data, place, findings), type, place)
    return Grid(grid.place, grid.lines, grid.cells, (*findings, *grid.findings))


def _records(data: bytes, place: Place, findings: list[Finding]) -> Iterator[tuple[int, dict[str, object]]]:
    """The object of each line that is not empty, with its number; what is none goes to ``findings``."""
    for number, line in enumerate(io.BytesIO(data.removeprefix(codecs.BOM_UTF8)), 1):
        want_at_most(place, number, MOST_RECORDS, "lines")
        if not line.strip():
            continue
        try:
            text = line.decode()
        except UnicodeDecodeError as fault:
            raise unreadable(replace(place, row=number), f"not UTF-8 (byte {fault.start} of the line)") from fault
        try:
            yield number, _object(text.removesuffix("\n"))
        except (ValueError, RecursionError) as fault:
            at = replace(place, row=number)
            findings.append(Finding("not-an-object", f"not a JSON object: {fault}", at, shown(text.strip())))
            if len(findings) > MOST_FINDINGS:
                raise too_many_findings(place, findings) from fault


def _object(line: str) -> dict[str, object]:
    value = json.loads(line, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=once)
    if not isinstance(value, dict):
        raise ValueError("it is " + type(value).__name__)
    return value


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _parquet(data: bytes, type: EvidenceType, place: Place) -> Grid:
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names, rows = file.schema_arrow.names, file.metadata.num_rows
        want_at_most(place, rows, MOST_ROWS, "rows")
        want_at_most(place, len(names), MOST_COLUMNS, "columns")
        groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
        want_at_most(place, sum(group.total_byte_size for group in groups), LARGEST_UNFOLDED, "bytes once unfolded")
        kept = [name for name in names if is_meant(name, type)]
        texts = [name for name in kept if file.schema_arrow.field(name).type in _TEXTS]
        table = pq.read_table(pa.BufferReader(data), columns=kept, read_dictionary=texts)
        table.validate(full=True)
        columns = {name: _readable(table[name]) for name in kept}
    except (pa.ArrowException, OSError) as fault:
        raise unreadable(place, fault) from fault
    return grid_of_columns(names, [columns.get(name, ()) for name in names], range(1, rows + 1), type, place)


def _readable(column: Any) -> Cells:
    """A column whose distinct values Arrow can find and Python can hold. Raises ArrowInvalid for one with other instants."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if kind in _TEXTS and _written_out(column) > LARGEST_UNFOLDED:
        raise pa.ArrowInvalid(f"its texts come to more than {LARGEST_UNFOLDED >> 20:,} MiB")
    if pa.types.is_timestamp(kind):  # nanoseconds are no Python datetimes; what a microsecond cannot hold is refused
        kind = pa.timestamp("us", kind.tz)
    column = column.cast(kind)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        years: Any = pc.min_max(pc.year(column)).as_py()
        if years["min"] is not None and not date.min.year <= years["min"] <= years["max"] <= date.max.year:
            raise pa.ArrowInvalid("a date is outside the years 1 to 9999")
    if pa.types.is_nested(kind):
        if not pa.types.is_list(kind) or pa.types.is_nested(kind.value_type):
            raise pa.ArrowInvalid(f"a column of {kind}")
        if sum(len(chunk.flatten()) for chunk in column.chunks) > MOST_CELLS:
            raise pa.ArrowInvalid(f"more than {MOST_CELLS:,} values in lists")
        cells: list[object] = column.to_pylist()
        return cells
    return column  # type: ignore[no-any-return]


def _written_out(column: Any) -> int:
    """The bytes that texts come to when each is written out as often as it stands."""
    lengths: Any = pc.binary_length  # its stubs refuse arrays of any type
    if pa.types.is_dictionary(column.type):
        return sum(pc.sum(lengths(c.dictionary).cast(pa.int64()).take(c.indices)).as_py() or 0 for c in column.chunks)
    return pc.sum(lengths(column).cast(pa.int64())).as_py() or 0


_READERS: Final[dict[str, Callable[[bytes, EvidenceType, Place], Grid]]] = {
    ".xlsx": read_xlsx,
    ".csv": read_csv,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
