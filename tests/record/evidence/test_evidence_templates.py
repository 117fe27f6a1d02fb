"""The form goes out, is filled in, and comes back the same."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.declare import EvidenceType
from mingjian.record.evidence import read_file, read_rows, write_template

Types = Mapping[str, EvidenceType]
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20) | st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "http://x", "_x0041_", "#N/A", "1e5", "００１", "TRUE", "龘靐齉", "a\nb"]
)
NAME = TEXT.map(lambda text: text.replace("\n", "")).filter(str.strip)
ROWS = {
    "task": st.fixed_dictionaries(
        {
            "task": NAME,
            "unit": NAME,
            "indicator": NAME,
            "quarter": st.sampled_from(["2021Q3", "2020Q1"]),
            "possible": st.decimals(50, 100, places=1),
            "awarded": st.none() | st.decimals(0, 50, places=1),
            "state": st.sampled_from(["reported", "late", "exempt"]),
            "proof": st.none() | st.booleans(),
            "note": st.none() | TEXT,
        }
    ),
    "reading": st.fixed_dictionaries(
        {
            "meter": NAME,
            "at": st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
            "wh": st.integers(0, 2**63 - 1),
            "month": st.none() | st.just("2021-08"),
            "checked": st.none() | st.dates(),
        }
    ),
}


@pytest.mark.parametrize("kind", ["task", "reading"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_form_with_rows_reads_back_as_they_are(types: Types, kind: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(ROWS[kind], max_size=5))
    table = read_rows(rows, types[kind]).table  # without the rows that break a rule
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "form.xlsx"
        write_template(types[kind], path, rows=table)
        back = read_file(path, types[kind])
    assert back.findings == ()
    assert back.table.drop(["_line"]).equals(table.drop(["_line"]))


def test_an_empty_form_has_every_heading_and_explains_itself(tmp_path: Path, types: Types) -> None:
    path = tmp_path / "form.xlsx"
    write_template(types["task"], path, members={"unit": ["U01", "U02"]})
    assert read_file(path, types["task"]).table.num_rows == 0
    assert read_file(path, types["task"]).findings == ()
    book = python_calamine.CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["task", "说明 Explanation", "选项 Lists"]
    explanation = [" ".join(map(str, row)) for row in book.get_sheet_by_index(1).to_python()]
    assert "得分 Points awarded awarded 数值。 小数位数至多 1。 不大于同一行的“满分”。 可空。" in explanation[6]
    assert "at most 1 decimals. at most Points possible of the same row. optional." in explanation[6]
    lists = book.get_sheet_by_index(2).to_python(skip_empty_area=False)
    assert [row[1] for row in lists[:2]] == ["U01", "U02"]
    assert [row[6] for row in lists] == ["已报", "迟报", "不适用"]


def test_the_same_form_is_the_same_file(tmp_path: Path, types: Types) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_template(types["reading"], tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_nothing_becomes_a_formula(tmp_path: Path, types: Types) -> None:
    table = read_rows([{"day": date(1899, 12, 31), "text": '=HYPERLINK("http://x","y")'}], types["note"]).table
    write_template(types["note"], tmp_path / "n.xlsx", rows=table)
    with zipfile.ZipFile(tmp_path / "n.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    assert read_file(tmp_path / "n.xlsx", types["note"]).table["day"].to_pylist() == [date(1899, 12, 31)]


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path, types: Types) -> None:
    table = pa.table({"text": ["x" * 40_000], "day": [date(2021, 8, 1)], "extra": [Decimal(1)]})
    with pytest.raises(Misuse, match="too long for Excel"):
        write_template(types["note"], tmp_path / "n.xlsx", rows=table)
    assert not (tmp_path / "n.xlsx").exists()


def test_choices_of_one_title_stand_by_their_codes(tmp_path: Path, types: Types) -> None:
    task = types["task"]
    same = replace(task.fields["state"], choices=dict.fromkeys(("a", "b"), task.fields["state"].title))
    twins = replace(task, fields={**task.fields, "state": same})
    row = {"task": "T", "unit": "U", "indicator": "I", "quarter": "2021Q3", "possible": 1, "state": "b"}
    table = read_rows([row], twins).table
    write_template(twins, tmp_path / "t.xlsx", rows=table)
    assert read_file(tmp_path / "t.xlsx", twins).table["state"].to_pylist() == ["b"]
