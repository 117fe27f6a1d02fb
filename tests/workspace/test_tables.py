"""Evaluation tables: numbers are numbers, texts stay texts, nobody is ranked, and it says what it stands on."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from mingjian.base.errors import Misuse
from mingjian.base.typeset import Typesetter
from mingjian.base.values import Period
from mingjian.declare import Title
from mingjian.workspace import Table, Workspace, evaluation, table_pdf, workbook
from mingjian.workspace._tables import Line

FEEDBACK = Path(__file__).parent / "feedback"
Q3 = Period.parse("2021Q3")
AT = datetime(2021, 10, 20, 1, tzinfo=UTC)


def subject(name: str, type: str, zh: str, parent: str = "") -> dict[str, str]:
    return {"id": name, "type": type, "zh": zh, "en": name, "from": "2021-01-01"} | (
        {"parent": parent} if parent else {}
    )


ROWS = {
    "subject": [
        subject("U1", "unit", '=HYPERLINK("http://x","龘")'),
        subject("U2", "unit", "@SUM(1)"),
        subject("L1", "leader", "乙", "U2"),
        subject("L9", "leader", "甲", "U1"),
        subject("L2", "leader", "丙", "U1"),
    ],
    "task": [
        {"task": "T1", "unit": "U1", "quarter": "2021Q3", "area": "study", "points": "60.0"},
        {"task": "T2", "unit": "U1", "quarter": "2021Q3", "area": "work", "points": "-5.5"},
        {"task": "T3", "unit": "U2", "quarter": "2021Q3", "area": "work", "points": "1234567890123.4"},
    ],
    "vote": [{"about": "L9", "day": "2021-08-01", "mark": m} for m in range(10)]
    + [{"about": "L1", "day": "2021-08-01", "mark": 3}],
}


@pytest.fixture(scope="module")
def office(office_with) -> Workspace:
    return office_with("tables", FEEDBACK, ROWS, synthetic="task")


@pytest.fixture(scope="module")
def units(office) -> Table:
    return evaluation(office, office.scheme(), "unit_portrait", Q3)


@pytest.fixture(scope="module")
def leaders(office) -> Table:
    return evaluation(office, office.scheme(), "leader_portrait", Q3)


def sheets(table: Table, language: str = "zh") -> tuple[list[list[object]], list[list[object]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(workbook(table, language)))
    numbers, basis = (book.get_sheet_by_index(n).to_python(skip_empty_area=False) for n in (0, 1))
    return numbers, basis


def test_measures_stand_first_and_breakdowns_under_their_name(units):
    numbers, _ = sheets(units)
    assert numbers[2] == ["", "", "", "", "", "分领域得分", ""]
    assert numbers[3] == ["编号", "单位", "总分 (分)", "等次", "加权 (分)", "=学习", "工作"]
    assert numbers[4] == ["U1", '=HYPERLINK("http://x","龘")', 54.5, "不合格", 5.0, 60.0, -5.5]
    assert numbers[5][:4] == ["U2", "@SUM(1)", 1234567890123.4, "合格"]
    assert numbers[5][5] == "—"


def test_numbers_show_their_declared_decimals(units):
    styles = part(workbook(units, "zh"), "xl/styles.xml")
    assert 'formatCode="#,##0.0"' in styles
    assert 'formatCode="#,##0.00"' in styles
    assert 'quotePrefix="1"' in styles


def test_no_text_becomes_a_formula(units):
    with zipfile.ZipFile(BytesIO(workbook(units, "zh"))) as parts:
        names = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(names) == 2
        assert not [
            name for name in names if "<f>" in parts.read(name).decode() or "hyperlink" in parts.read(name).decode()
        ]


@settings(max_examples=40, deadline=None)
@given(
    text=st.builds(
        str.__add__,
        st.sampled_from(["=", "+", "-", "@", "\t", "\r", "", "'", "{="]),
        st.text(
            st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
            max_size=20,
        ),
    )
)
def test_any_name_is_a_text_that_reads_back(units, text):
    line = Line("U1", Title(text, text), None, units.lines[0].values)
    data = workbook(replace(units, lines=(line,)), "zh")
    assert "<f>" not in part(data, "xl/worksheets/sheet1.xml")
    read = CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)[4][1]
    assert str(read).replace("_x000D_", "\r") == text


def test_a_text_that_no_cell_holds_is_refused(units):
    table = replace(units, title=Title("x" * 32_768, "x" * 32_768))
    with pytest.raises(Misuse, match="too long for Excel"):
        workbook(table, "zh")


def test_people_stand_by_unit_and_id_and_few_votes_are_withheld(leaders):
    numbers, basis = sheets(leaders, "en")
    assert numbers[3] == ["Id", "Leader", "Unit", "Approval (points)"]
    assert [row[0] for row in numbers[4:]] == ["L2", "L9", "L1"]
    assert [row[3] for row in numbers[4:]] == ["—", 4.5, "withheld"]
    assert ["Order", "by id; the table ranks nobody"] in basis


def test_panes_are_frozen_and_what_is_synthetic_says_so(units, leaders):
    sheet = part(workbook(units, "zh"), "xl/worksheets/sheet1.xml")
    assert 'xSplit="2" ySplit="4"' in sheet
    numbers, basis = sheets(units)
    assert "合成数据 SYNTHETIC" in numbers[1]
    assert basis[0] == ["合成数据 SYNTHETIC", "合成数据 SYNTHETIC"]


def test_the_basis_says_what_the_numbers_stand_on(office, units):
    told = {str(label): text for label, text in sheets(units)[1]}
    scheme = office.scheme()
    assert told["规则指纹"] == scheme.fingerprint
    assert told["账本"] == "example.org/tables"
    assert told["账本条目数"] == str(office.ledger.size)
    assert told["账本树根"] == office.ledger.state().root().hex()
    assert told["法规依据"] == "=cmd|made up"


def test_the_same_table_is_the_same_file(units):
    assert workbook(units, "zh") == workbook(units, "zh")
    assert workbook(units, "zh") != workbook(units, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_drawn_on_paper_too(units, leaders, language):
    typesetter = Typesetter()
    for table in (units, leaders):
        drawn = table_pdf(table, language, at=AT, typesetter=typesetter)
        assert re.search(rb"/MediaBox\s*\[\s*0 0 841\.\d+ 595\.\d+", drawn)  # A4 landscape
        assert drawn == table_pdf(
            table, language, at=AT, office=Title(table.origin, table.origin), typesetter=typesetter
        )


def test_what_there_is_no_table_of(office):
    with pytest.raises(Misuse, match="diploma"):
        evaluation(office, office.scheme(), "diploma", Q3)
    with pytest.raises(Misuse, match="about a quarter"):
        evaluation(office, office.scheme(), "unit_portrait", Period.parse("2021"))


def part(book: bytes, name: str) -> str:
    with zipfile.ZipFile(BytesIO(book)) as parts:
        return parts.read(name).decode()
