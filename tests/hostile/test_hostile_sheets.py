"""Workbooks made to hide something from whoever looks at them, or to exhaust whoever reads them."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.evidence import Intake

Taken = Callable[[str, bytes], Intake]
SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
LINKS = "xl/_rels/workbook.xml.rels"
ROWS = [["编号", "数量"], ["A", 1], ["B", 2], ["C", 3]]


def sheet(
    fill: Callable[[Any, Any], None] = lambda book, page: None, rows: Iterable[list[Any]] = ROWS, **options: Any
) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet("表")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
        fill(book, page)
    return file.getvalue()


def changed(data: bytes, parts: dict[str, bytes | Callable[[bytes], bytes]]) -> bytes:
    """A workbook with other contents in some of its parts, or with more parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in dict.fromkeys([*source.namelist(), *parts]):
            new = parts.get(name)
            target.writestr(
                name, new(source.read(name)) if callable(new) else source.read(name) if new is None else new
            )
    return file.getvalue()


def replaced(part: str, old: bytes, new: bytes) -> bytes:
    return changed(sheet(), {part: lambda content: content.replace(old, new, 1)})


def with_rows(xml: str) -> bytes:
    return changed(
        sheet(),
        {
            SHEET: lambda old: re.sub(
                b"<sheetData>.*</sheetData>", b"<sheetData>%s</sheetData>" % xml.encode(), old, flags=re.DOTALL
            )
        },
    )


def text(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


HEAD = f'<row r="1">{text("A1", "编号")}{text("B1", "数量")}</row>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (with_rows(HEAD + f'<row r="2">{text("A2", "A")}</row><row r="1048576">{text("XFD1048576", "x")}</row>'), "far apart"),
        (with_rows(HEAD + "<row>" + "<c/>" * 9 + "</row>"), "does not say where it stands"),
        (with_rows(HEAD + f'<row r="4294967295">{text("A4294967295", "x")}</row>'), "does not say where it stands"),
        (with_rows(HEAD + f'<row r="2">{text("ZZZ2", "x")}</row>'), "beyond the last column"),
        (with_rows(HEAD + '<row r="2">' + '<c r="A2" x="' + " " * 2**26), "more than 32 MiB"),
        (changed(sheet(), {"xl/vbaProject.bin": b"macro"}), "holds macros"),
        (replaced(BOOK, b"<workbook", b'<!DOCTYPE w [<!ENTITY a "b">]><workbook'), "a declaration"),
        (changed(sheet(), {"XL/worksheets/SHEET1.xml": b"<x/>"}), "one name"),
        (changed(sheet(), {f"x/{n}": b"" for n in range(1001)}), "more than 1000 parts"),
        (replaced(LINKS, b"worksheets/sheet1.xml", b"../../etc/passwd"), "is in no part"),
        (replaced(BOOK, b'sheetId="1"', b'sheetId="1" state="veryHidden"'), "is hidden"),
        (sheet().replace(b"PK\x01\x02", b"PK\x01\x03"), "no workbook, or a damaged one"),
        (with_rows(HEAD + "<row r=\"2\"><c r=\"A2\"><v>1</v></row>"), ""),
    ],
    ids=[
        "far-corner", "no-place", "row-beyond", "column-beyond", "endless-row", "macros", "entities", "one-name-twice",
        "many-parts", "part-elsewhere", "hidden-sheet", "broken-directory", "broken-xml",
    ],
)  # fmt: skip
def test_a_workbook_that_is_none_is_refused_whole(data: bytes, why: str, taken: Taken) -> None:
    with pytest.raises(MingjianError, match=f"cannot read the file.*{why}"):
        taken("a.xlsx", data)


def test_a_workbook_that_lies_about_its_sizes_is_refused(taken: Taken) -> None:
    data = bytearray(changed(sheet(), {SHEET: lambda old: old + b" " * 5_000_000}))
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(SHEET.encode()))
    data[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    with pytest.raises(MingjianError, match=r"not what the archive says of it|unfolds"):
        taken("a.xlsx", bytes(data))


def test_a_bomb_takes_no_memory(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mingjian.record.evidence._xlsx.LARGEST_UNFOLDED", 2**26)
    data = changed(
        sheet(), {"xl/sharedStrings.xml": b"<sst>" + b" " * 2**25, "xl/x": bytes(2**25), "xl/y": bytes(2**25)}
    )
    tracemalloc.start()
    with pytest.raises(MingjianError, match="unfolds to more than"):
        taken("a.xlsx", data)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_one_long_text_in_a_million_cells_is_not_written_out(taken: Taken) -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 30_000))
    data = with_rows(HEAD + cells)
    long = b"<sst><si><t>%s</t></si></sst>" % (b"x" * 30_000)
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    rels = b'<Relationship Id="rId9" Type="%s" Target="sharedStrings.xml"/>' % kind
    data = changed(
        data,
        {
            "xl/sharedStrings.xml": long,
            "xl/_rels/workbook.xml.rels": lambda old: old.replace(b"</Relationships>", rels + b"</Relationships>"),
        },
    )
    with pytest.raises(MingjianError, match=r"its texts come to more than 512 MiB"):
        taken("a.xlsx", data)


def test_macros_under_their_own_name_are_no_sheet(taken: Taken) -> None:
    with pytest.raises(Misuse, match=r"no reader for a\.xlsm"):
        taken("a.xlsm", sheet())


@pytest.mark.parametrize(
    ("fill", "rule", "rows", "left"),
    [
        (lambda book, page: page.set_row(2, None, None, {"hidden": True}), "hidden-row", [3], ["A", "C"]),
        (lambda book, page: page.set_row(2, 0), "hidden-row", [3], ["A", "C"]),
        (lambda book, page: page.set_column("B:B", 8, None, {"hidden": True}), "hidden-column", [None], ["A", "B", "C"]),
        (lambda book, page: page.set_column("B:B", 0), "hidden-column", [None], ["A", "B", "C"]),
        (lambda book, page: page.merge_range("B2:B3", 1), "merged-cells", [2, 3], ["C"]),
        (lambda book, page: page.merge_range("D4:E4", ""), "merged-cells", [4], ["A", "B"]),
        (lambda book, page: page.write_formula("B3", "=1/0", None, "#DIV/0!"), "sheet-error", [3], ["A", "C"]),
    ],
    ids=["hidden-row", "no-height", "hidden-column", "no-width", "merged-down", "merged-across", "error"],
)  # fmt: skip
def test_what_nobody_sees_is_never_taken_silently(
    fill: Callable[[Any, Any], None], rule: str, rows: list[int | None], left: list[str], taken: Taken
) -> None:
    intake = taken("a.xlsx", sheet(fill))
    assert [(finding.rule, finding.place.row) for finding in intake.findings] == [(rule, row) for row in rows]
    assert intake.table["code"].to_pylist() == left


def test_hidden_columns_without_values_are_nobodys_concern(taken: Taken) -> None:
    intake = taken("a.xlsx", sheet(lambda book, page: page.set_column("D:XFD", 8, None, {"hidden": True})))
    assert (intake.findings, intake.table.num_rows) == ((), 3)


def test_a_formula_that_was_never_calculated_is_no_empty_cell(taken: Taken) -> None:
    intake = taken("a.xlsx", with_rows(HEAD + f'<row r="2">{text("A2", "A")}<c r="B2"><f>1+1</f><v></v></c></row>'))
    assert [(f.rule, f.value) for f in intake.findings] == [("sheet-error", "a formula without its value")]


def test_a_formula_in_a_text_is_a_text(taken: Taken) -> None:
    formulas = ["=1+1", "+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1"]
    page = sheet(
        rows=[["编号"], *([formula] for formula in formulas)], strings_to_formulas=False, strings_to_numbers=False
    )
    assert taken("a.xlsx", page).table["code"].to_pylist() == [formula.strip() for formula in formulas]
    assert taken("a.csv", "编号\n".encode() + "\n".join(formulas).encode()).table["code"].to_pylist() == [
        f.strip() for f in formulas
    ]


def test_a_million_empty_rows_are_no_rows(taken: Taken) -> None:
    empty = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(2, 10_000))
    intake = taken("a.xlsx", with_rows(HEAD + empty + f'<row r="99999">{text("A99999", "x")}</row>'))
    assert intake.table.to_pylist()[0] | {"code": "x", "_line": 99999} == intake.table.to_pylist()[0]
    assert (intake.findings, intake.table.num_rows) == ((), 1)
    assert taken("a.csv", "编号\nA".encode() + b"\n" * 1_000_000 + b"B").table["_line"].to_pylist() == [2, 1_000_002]


def test_days_are_those_of_the_workbooks_own_calendar(taken: Taken) -> None:
    def fill(book: Any, page: Any) -> None:
        page.write_row(0, 0, ["编号", "日期", "时刻"])
        page.write_datetime(1, 1, datetime(2021, 8, 15), book.add_format({"num_format": "yyyy-mm-dd"}))
        page.write_datetime(1, 2, datetime(2021, 8, 15), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        page.write_row(1, 0, ["A"])
        page.write_row(2, 0, ["B", 42961, 42961.5])

    for options, day in (({}, date(2017, 8, 14)), ({"date_1904": True}, date(2021, 8, 15))):
        intake = taken("a.xlsx", sheet(fill, [], **options))
        assert intake.findings == ()
        assert intake.table["day"].to_pylist() == [date(2021, 8, 15), day]
        assert [at.isoformat() for at in intake.table["at"].to_pylist()] == [
            "2021-08-14T16:00:00+00:00",
            f"{day}T04:00:00+00:00",
        ]
