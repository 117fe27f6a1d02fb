"""Files as they come: four formats, two encodings, headers in either language."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from mingjian.base.errors import MingjianError, Misuse
from mingjian.declare import EvidenceType
from mingjian.record.evidence import Intake, read_file
from mingjian.record.evidence._xlsx import look_into

Types = Mapping[str, EvidenceType]
NOTES = "日期,内容\n2021-08-15,甲\n\n2021年8月16日,乙\n"


def read(tmp_path: Path, type: EvidenceType, name: str, data: bytes | str, **more: Any) -> Intake:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_file(path, type, **more)


def sheet_of(*rows: list[object], name: str = "表") -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        book.add_worksheet("other").write_row(0, 0, ["not", "the", "form"])
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_each_encoding_of_an_office(tmp_path: Path, types: Types, encoding: str) -> None:
    data = NOTES.encode(encoding)
    intake = read(tmp_path, types["note"], "n.csv", data)
    assert intake.table.to_pylist() == [
        {"day": date(2021, 8, 15), "text": "甲", "_line": 2},
        {"day": date(2021, 8, 16), "text": "乙", "_line": 4},
    ]
    assert (intake.file, intake.sha256) == ("n.csv", hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (NOTES.encode("utf-16"), "UTF-16"),
        (NOTES.encode("gb18030") + b"\xff\xff\xff", "neither UTF-8 nor GB18030"),
        (("日期,内容\n2021-08-15," + "甲" * 50 + "\n").encode()[:-2] + b"\n", "UTF-8 but for byte"),
        (b'day,text\n2021-08-15,"a\n', "quotation"),
        (b" \n\n", "nothing stands in it"),
        (b"", "nothing stands in it"),
    ],
)
def test_csv_that_would_have_to_be_guessed_is_refused(tmp_path: Path, types: Types, data: bytes, why: str) -> None:
    with pytest.raises(MingjianError, match=why):
        read(tmp_path, types["note"], "n.csv", data)


def test_quoted_line_breaks_do_not_move_the_row_numbers(tmp_path: Path, types: Types) -> None:
    intake = read(tmp_path, types["note"], "n.csv", 'text,day\r\n"a\r\nb",2021-08-15\r\nc,x\r\n')
    assert intake.table.to_pylist() == [{"day": date(2021, 8, 15), "text": "a\nb", "_line": 2}]
    assert [finding.place.row for finding in intake.findings] == [3]


def test_a_row_may_be_shorter_than_the_header(tmp_path: Path, types: Types) -> None:
    intake = read(tmp_path, types["indicator"], "i.csv", "code,weight,parent\nA,5\n,,\nB,5,A\n")
    assert intake.table["parent"].to_pylist() == [None, "A"]
    assert intake.findings == ()


def test_excel_is_read_with_its_dates_numbers_and_errors(tmp_path: Path, types: Types) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        form = book.add_worksheet("抄表")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        form.write_row(1, 1, ["电表", "抄表时间", "电量", "核验日期", "Month"])
        form.write_row(3, 1, [7, "2021-08-01T00:00:00Z", 3.0])
        form.write_datetime(3, 4, datetime(2021, 8, 2), day)
        form.write_datetime(3, 5, datetime(2021, 8, 1), day)
        form.write_row(4, 1, ["M2", "", 3.5, 44423])
        form.write_datetime(4, 2, datetime(2021, 8, 1, 7, 30), moment)
        form.write_row(5, 1, ["M3", 44423.25, 1])
        form.write_formula(5, 4, "=1/0", None, "#DIV/0!")
        form.write_row(6, 1, ["M4", 44423.25, 1, 44423.5])
        form.write_row(7, 1, ["M5", 44423.25, 1, 20210815])
    intake = read(tmp_path, types["reading"], "r.xlsx", file.getvalue(), zone="Asia/Shanghai")
    assert intake.table["_line"].to_pylist() == [4, 8]
    assert intake.table.to_pylist()[0] == {
        "meter": "7",
        "at": datetime(2021, 8, 1, tzinfo=UTC),
        "wh": 3,
        "month": "2021-08",
        "checked": date(2021, 8, 2),
        "_line": 4,
    }
    assert intake.table["checked"].to_pylist()[1] == date(2021, 8, 15)
    assert intake.table["at"].to_pylist()[1] == datetime(2021, 8, 14, 22, tzinfo=UTC)
    assert [(f.rule, f.place.sheet, f.place.row, f.place.field, f.value) for f in intake.findings] == [
        ("not-whole", "抄表", 5, "wh", "3.5"),
        ("sheet-error", "抄表", 6, "checked", "#DIV/0!"),
        ("date-with-time", "抄表", 7, "checked", "2021-08-15 12:00:00"),
    ]


def test_excel_takes_the_sheet_asked_for_or_the_first(tmp_path: Path, types: Types) -> None:
    data = sheet_of(["内容", "日期"], ["a", "2021-08-15"], name="一季度")
    assert read(tmp_path, types["note"], "n.xlsx", data).table.num_rows == 1
    assert read(tmp_path, types["note"], "n.xlsx", data, sheet="一季度").table.num_rows == 1
    with pytest.raises(Misuse, match="did you mean '一季度'"):
        read(tmp_path, types["note"], "n.xlsx", data, sheet="1季度")
    assert {f.rule for f in read(tmp_path, types["note"], "n.xlsx", data, sheet="other").findings} == {
        "missing-column",
        "unknown-column",
    }
    with pytest.raises(MingjianError, match="nothing stands in it"):
        read(tmp_path, types["note"], "n.xlsx", sheet_of())


def rewritten(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something changed in one of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData"),
        ("xl/_rels/workbook.xml.rels", b"sheet1.xml", b"sheet9.xml"),
        ("xl/workbook.xml", b"</workbook>", b""),
    ],
)
def test_a_damaged_workbook_is_refused(tmp_path: Path, types: Types, part: str, old: bytes, new: bytes) -> None:
    data = rewritten(sheet_of(["内容", "日期"], ["a", "2021-08-15"]), part, old, new)
    with pytest.raises(MingjianError, match="cannot read the file"):
        read(tmp_path, types["note"], "n.xlsx", data)


def test_errors_are_found_in_workbooks_of_either_standard() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("空")
        book.add_worksheet("表").write_formula("AB3", "=1/0", None, "#DIV/0!")
    transitional = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    strict = rewritten(file.getvalue(), "xl/workbook.xml", transitional, b"http://purl.oclc.org/ooxml/relationships")
    for data in (file.getvalue(), strict):
        assert {place: str(error) for place, error in look_into(data, "表").errors.items()} == {(3, 28): "#DIV/0!"}
        assert look_into(data, "空").errors == look_into(data, "").errors == {}
        with pytest.raises(KeyError, match="表"):
            look_into(data, "一")
    with pytest.raises(ValueError, match="zip"):
        look_into(b"no workbook", "表")


def test_json_lines_keep_numbers_exact(tmp_path: Path, types: Types) -> None:
    line = '{"task": "T%d", "单位": "U01", "Indicator": "I1", "quarter": "2021Q3", "possible": %s, "state": "late"}\n'
    intake = read(tmp_path, types["task"], "t.jsonl", "\ufeff" + line % (1, "99.9") + "\n" + line % (2, '"10"'))
    assert intake.findings == ()
    assert intake.table["possible"].to_pylist() == [Decimal("99.9"), Decimal("10.0")]
    assert intake.table["_line"].to_pylist() == [1, 3]
    assert read(tmp_path, types["task"], "t.ndjson", line % (1, "99.99")).findings[0].rule == "too-many-decimals"


def test_parquet_columns_are_read_with_their_types(tmp_path: Path, types: Types) -> None:
    table = pa.table(
        {
            "meter": pa.array(["M1", "M2"]).dictionary_encode(),
            "at": pa.array([datetime(2021, 8, 1), datetime(2021, 8, 2)], pa.timestamp("ns", "UTC")),
            "电量": pa.array([1.0, 2.5]),
            "checked": pa.array([date(2021, 8, 1), None]),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    intake = read(tmp_path, types["reading"], "r.parquet", file.getvalue())
    assert intake.table.to_pylist() == [
        {
            "meter": "M1",
            "at": datetime(2021, 8, 1, tzinfo=UTC),
            "wh": 1,
            "month": None,
            "checked": date(2021, 8, 1),
            "_line": 1,
        }
    ]
    assert [(f.rule, f.place.row) for f in intake.findings] == [("not-whole", 2)]


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.jsonl"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, types: Types, name: str) -> None:
    with pytest.raises(MingjianError, match="cannot read the file"):
        read(tmp_path, types["note"], name, b"\xff\xfe\xfd" * 40)


def test_misuse_is_named(tmp_path: Path, types: Types) -> None:
    with pytest.raises(Misuse, match=r"no reader for a\.doc"):
        read(tmp_path, types["note"], "a.doc", b"")
    with pytest.raises(Misuse, match=r"cannot open gone\.csv"):
        read_file(tmp_path / "gone.csv", types["note"])
    with pytest.raises(Misuse, match="has no sheets"):
        read(tmp_path, types["note"], "a.csv", NOTES, sheet="一")


def test_a_title_shared_by_two_fields_means_neither(tmp_path: Path, types: Types) -> None:
    note = types["note"]
    title = note.fields["day"].title
    twins = replace(note, fields={name: replace(field, title=title) for name, field in note.fields.items()})
    findings = read(tmp_path, twins, "n.csv", "日期,text\n2021-08-15,a\n").findings
    assert [finding.rule for finding in findings] == ["unknown-column", "missing-column"]
