"""Whatever bytes a reader is given: rows that hold, findings, or a refusal; never another exception, never half a row."""

from __future__ import annotations

import copy
import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.attest.statements import read_package
from mingjian.base.errors import MingjianError, Place
from mingjian.base.keys import NoteKey
from mingjian.declare import EvidenceType, load
from mingjian.record.evidence import Intake, _delimited, read_file
from mingjian.record.evidence._gather import gathered
from mingjian.record.evidence._intake import take_in
from mingjian.record.ledger import Entry, RowProof, parse_checkpoint

hostile = settings.get_profile("hostile")
Holds = Callable[[Callable[[], Intake]], Intake | None]

SCHEME = (Path(__file__).parents[1] / "workspace" / "small" / "scheme.toml").read_text("utf-8")
HEADINGS = ["code", "编号", "数量", "得分", "日期", "时刻", "季度", "等次", "确定", "unit", "other", "", " "]
ODD = [
    r"A",
    r"=1+1",
    r"1",
    r"１",
    r"1.5",
    r"-0",
    r"1e400",
    r"00",
    r"+1",
    r"1,234",
    r"9999999999999999999999999999999999999999",
    r"0.1",
    r"是",
    r"好",
    r'"',
    r'""',
    r'a"b',
    r"2021-02-30",
    r"二〇二一年九月七日",
    r"2021Q3",
    r"三季度",
    r"2021-08-15T07:30:00Z",
    r"9999-12-31T23:59:59-14:00",
]
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(["", " ", "2021-08-15 07:30:00", "1986-05-04 00:30:00", "\ufeff", "a\u202e", "a\nb", "\r", "\0"]),
    st.sampled_from(["\x1c", "\x85", "\u3000", "\U0002070e"]),
    st.text(max_size=4),
    st.integers().map(str),
    st.datetimes().map(str),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(HEADINGS), inner, max_size=3),
    max_leaves=6,
)
MIXED = CELLS | st.floats() | st.booleans() | st.none() | st.datetimes(datetime(1900, 1, 1))
ROWS = st.lists(st.lists(CELLS, max_size=5), max_size=5)
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), min_size=1, max_size=4)


def flipped(data: bytes, flips: list[tuple[float, bytes]]) -> bytes:
    """Bytes with others in some places; nothing instead of something where they end early."""
    for where, new in flips:
        at = int(where * len(data))
        data = data[:at] + (new + data[at + len(new) :] if new else b"")
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def read(folder: Path, name: str, data: bytes, row: EvidenceType, zone: str = "Asia/Shanghai") -> Intake:
    path = folder / name
    path.write_bytes(data)
    return read_file(path, row, zone=zone)


@settings(hostile)
@given(
    header=st.lists(st.sampled_from(HEADINGS), max_size=5),
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    marks=st.integers(0, 2),
)
def test_csv_says_the_same_at_once_and_record_by_record(
    row: EvidenceType, header: list[str], rows: list[list[str]], end: str, marks: int
) -> None:
    def cell(text: str) -> str:
        return text if marks == 0 else '"' + text.replace('"', '""' if marks == 1 else '"') + '"'

    width = len(header)
    known = [heading if heading != "other" else "unit" for heading in header]
    lines = [",".join(map(cell, line)) for line in [known, *(([*each, *[""] * width])[:width] for each in rows)]]
    text = end.join(lines).encode("utf-8", "replace")
    place = Place("a.csv")
    at_once = _delimited._at_once(text, row, place)
    if at_once is None:
        return
    records = csv.reader(io.StringIO(text.decode(), newline=""), strict=True)
    by_record = take_in(gathered(records, 1, 100, row, place), row, "Asia/Shanghai")
    all_together = take_in(at_once, row, "Asia/Shanghai")
    assert all_together.findings == by_record.findings
    assert all_together.table.equals(by_record.table)


@settings(hostile)
@given(
    data=st.binary(max_size=60) | ROWS.map(lambda rows: "\n".join(map(",".join, rows)).encode("utf-8", "replace")),
    gb=st.booleans(),
)
def test_csv(folder: Path, row: EvidenceType, holds: Holds, data: bytes, gb: bool) -> None:
    head = "编号,数量,得分,日期,时刻\n".encode("gb18030" if gb else "utf-8")
    holds(lambda: read(folder, "a.csv", head + data, row))


@settings(hostile)
@given(lines=st.lists(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30), max_size=4))
def test_json_lines(folder: Path, row: EvidenceType, holds: Holds, lines: list[bytes]) -> None:
    holds(lambda: read(folder, "a.jsonl", b"\n".join(lines), row))


def workbook(rows: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"nan_inf_to_errors": True, "in_memory": True}) as book:
        page = book.add_worksheet("表")
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for y, cells in enumerate(rows):
            for x, cell in enumerate(cells):
                if isinstance(cell, datetime):
                    page.write_datetime(y, x, cell, moment)
                elif isinstance(cell, str):
                    page.write_string(y, x, cell.encode("utf-8", "replace").decode())
                else:
                    page.write(y, x, cell)
    return file.getvalue()


@settings(hostile)
@given(
    header=st.lists(st.sampled_from(HEADINGS), min_size=1, max_size=5),
    rows=st.lists(st.lists(MIXED, max_size=5), max_size=4),
)  # fmt: skip
def test_sheets_of_any_cells(
    folder: Path, row: EvidenceType, holds: Holds, header: list[str], rows: list[list[Any]]
) -> None:
    holds(lambda: read(folder, "a.xlsx", workbook([header, *rows]), row))


GOOD = workbook(
    [["编号", "数量", "日期", "时刻"], ["A", 1, datetime(2021, 8, 15), datetime(2021, 8, 15, 7)], ["B", 2.5, "x", "y"]]
)
PARTS = {
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/workbook.xml",
    "xl/styles.xml",
    "xl/_rels/workbook.xml.rels",
}


@settings(hostile)
@given(part=st.sampled_from(sorted(PARTS)), flips=FLIPS)
def test_sheets_with_any_xml(
    folder: Path, row: EvidenceType, holds: Holds, part: str, flips: list[tuple[float, bytes]]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            target.writestr(name, flipped(source.read(name), flips) if name == part else source.read(name))
    holds(lambda: read(folder, "a.xlsx", file.getvalue(), row))


@settings(hostile)
@given(flips=FLIPS)
def test_sheets_of_any_bytes(folder: Path, row: EvidenceType, holds: Holds, flips: list[tuple[float, bytes]]) -> None:
    holds(lambda: read(folder, "a.xlsx", flipped(GOOD, flips), row))


@settings(hostile)
@given(
    flips=FLIPS,
    kind=st.sampled_from([pa.string(), pa.dictionary(pa.int32(), pa.string())]),
    packed=st.sampled_from(["none", "zstd", "snappy"]),
)
def test_parquet_of_any_bytes(
    folder: Path, row: EvidenceType, holds: Holds, flips: list[tuple[float, bytes]], kind: pa.DataType, packed: str
) -> None:
    file = io.BytesIO()
    table = {
        "code": pa.array(["A", "B", None]).cast(kind),
        "at": pa.array([0, 1, 2], pa.timestamp("ns")),
        "whole": [1, None, 3],
    }
    pq.write_table(pa.table(table), file, compression=packed)
    holds(lambda: read(folder, "a.parquet", flipped(file.getvalue(), flips), row))


@settings(hostile)
@given(lines=st.lists(st.sampled_from(SCHEME.splitlines()), max_size=30), flips=FLIPS, whole=st.booleans())
def test_schemes_of_any_text(folder: Path, lines: list[str], flips: list[tuple[float, bytes]], whole: bool) -> None:
    text = SCHEME if whole else "\n".join(lines)
    (folder / "scheme.toml").write_bytes(flipped(text.encode(), flips))
    (folder / "measures.py").write_text("def energy(reading):\n    return reading.wh.sum()\n")
    with pytest.raises(MingjianError):  # its templates are not there, so that none is whole
        load(folder)


@settings(hostile)
@given(data=st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_packages_of_any_bytes(data: bytes) -> None:
    with pytest.raises(MingjianError):
        read_package(data)


ENTRY = {
    "index": 0, "at": "2021-09-07T00:00:00.000Z", "by": "a", "scheme": "s", "kind": "k", "columns": [["a", "string"]],
    "rows": 1, "root": "00" * 32, "source": {},
}  # fmt: skip
PROOF = {"entry": 0, "row": 0, "salt": "00" * 16, "values": {"a": "b"}, "path": ["00" * 32]}


@settings(hostile)
@given(data=st.data(), value=VALUES)
def test_entries_and_proofs_of_any_shape(data: st.DataObject, value: Any) -> None:
    for kind, good in ((Entry, ENTRY), (RowProof, PROOF)):
        changed = copy.deepcopy(good)
        changed[data.draw(st.sampled_from(sorted(good)))] = value
        try:
            kind.from_json(changed)  # type: ignore[attr-defined]
        except MingjianError:
            continue


@settings(hostile)
@given(
    text=st.text()
    | st.lists(st.sampled_from(["origin", "1", "—", "AAAA", "", "a/b", "9" * 5000, "=", " "]), max_size=8).map(
        "\n".join
    )
)
def test_notes_and_checkpoints_of_any_text(text: str) -> None:
    key = NoteKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    with pytest.raises(MingjianError):
        parse_checkpoint(text, [key])
    with pytest.raises(MingjianError):
        NoteKey.parse(text)
