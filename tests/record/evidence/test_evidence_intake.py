"""Whether a batch lands, and with which rows."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Finding, MingjianError, Place
from mingjian.declare import EvidenceType
from mingjian.record.evidence import Intake, arrow_schema, read_rows
from mingjian.record.ledger import columns_of

Types = Mapping[str, EvidenceType]


def reading(meter: object, wh: object = 1, day: int = 1) -> dict[str, object]:
    return {"meter": meter, "at": f"2021-08-{day:02}T00:00:00+08:00", "wh": wh}


def test_rows_have_the_columns_that_the_ledger_takes(types: Types) -> None:
    for type in types.values():
        table = read_rows([], type).table
        assert table.schema == arrow_schema(type).append(pa.field("_line", pa.int64()))
        assert [name for name, _ in columns_of(table)] == [*type.fields, "_line"]


def test_one_bad_row_keeps_the_batch_out_unless_the_type_says_otherwise(types: Types) -> None:
    task, kept = types["task"], types["reading"]
    refused = read_rows([{"task": "T1"}], task, "list.csv")
    with pytest.raises(MingjianError, match=r"list\.csv: nothing of this task was taken in") as refusal:
        refused.accepted(task)
    assert len(refusal.value.findings) == 5

    intake = read_rows([reading("M1"), reading("M2", -1), reading("M3")], kept)
    assert intake.refused == 1
    assert intake.accepted(kept)["meter"].to_pylist() == ["M1", "M3"]
    assert intake.accepted(kept)["_line"].to_pylist() == [1, 3]


def test_what_is_wrong_with_the_whole_file_always_keeps_it_out(types: Types) -> None:
    intake = read_rows([reading("M1")], types["reading"])
    finding = Finding("unknown-column", "no such column", Place("a.csv"))
    with pytest.raises(MingjianError):
        intake.judged([finding]).accepted(types["reading"])


def test_later_findings_take_their_rows_out(types: Types) -> None:
    intake = read_rows([reading("M1"), reading("M2"), reading("M3")], types["reading"])
    finding = Finding("unknown-row", "no such row", Place(row=2))
    judged = intake.judged([finding, finding])
    assert (judged.table["_line"].to_pylist(), judged.refused) == ([1, 3], 1)
    assert judged.findings == (finding, finding)
    assert intake.judged([]) == Intake(intake.table)


def test_rows_of_one_key_are_both_refused_since_neither_is_known_to_be_right(types: Types) -> None:
    rows = [reading("M1"), reading("M2"), reading("M1", 2), reading("M1", day=2)]
    intake = read_rows(rows, types["reading"])
    assert [(f.rule, f.place.row, f.place.field) for f in intake.findings] == [
        ("doubled-key", 1, "meter"),
        ("doubled-key", 3, "meter"),
    ]
    assert intake.findings[0].message == "the same meter, at as in row 3"
    assert intake.refused == 2


def test_a_name_is_a_field_or_one_of_its_titles(types: Types) -> None:
    note = types["note"]
    assert read_rows([{"日期": "2021-08-01", "Text": "a"}], note).table["text"].to_pylist() == ["a"]
    findings = read_rows([{"day": "2021-08-01", "日期": "2021-08-01", "text": "a", "texts": 1}], note).findings
    assert [(f.rule, f.remedy) for f in findings] == [
        ("unknown-column", "did you mean 'text'?"),
        ("doubled-column", "keep one"),
    ]


@given(order=st.permutations(range(6)))
def test_the_order_of_rows_never_changes_which_are_good(types: Types, order: list[int]) -> None:
    rows = [reading("M1"), reading("M2"), reading("M2"), reading("M3", -1), reading("M4", "x"), reading("M5")]
    intake = read_rows([rows[index] for index in order], types["reading"])
    assert set(intake.table["meter"].to_pylist()) == {"M1", "M5"}
    assert intake.refused == 4
