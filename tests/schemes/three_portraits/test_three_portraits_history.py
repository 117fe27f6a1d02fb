"""Later rows supersede, and what was not yet known in a quarter does not change it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from mingjian.declare import Scheme, evidence_types
from mingjian.record.evidence import read_rows

SUBJECTS = [
    {"id": "D", "type": "district", "zh": "某区", "en": "District", "from": date(2020, 1, 1)},
    {"id": "U1", "type": "unit", "zh": "单位", "en": "Unit", "parent": "D", "from": date(2020, 1, 1)},
]
INDICATOR = {
    "code": "A1", "aspect": "A", "aspect_zh": "方面", "aspect_en": "Aspect", "zh": "指标", "en": "Indicator",
    "weight": "100.0", "since": date(2020, 10, 1),
}  # fmt: skip
TASK = {
    "task": "T1", "unit": "U1", "indicator": "A1", "quarter": "2021Q3", "deadline": date(2021, 9, 20),
    "possible": "10.0", "awarded": "8.0", "state": "on_time",
}  # fmt: skip
ITEM = {
    "item": "I1", "received": date(2021, 2, 1), "about": "U1", "source": "daily", "severity": "serious",
    "state": "verifying",
}  # fmt: skip


@pytest.fixture
def batches(scheme: Scheme):
    """One table of several batches, each an entry of its own."""

    def batches(kind: str, *entries: list[Mapping[str, Any]]) -> pa.Table:
        parts = []
        for number, rows in enumerate(entries):
            table = read_rows(rows, evidence_types(scheme)[kind]).table
            table = table.append_column("_entry", pa.array([number] * len(table), pa.int64()))
            parts.append(table.append_column("_row", pa.array(range(len(table)), pa.int64())))
        return pa.concat_tables(parts)

    return batches


def test_appeal_that_was_upheld_supersedes_the_review(run, batches) -> None:
    rows = {
        "subject": SUBJECTS,
        "indicator": [INDICATOR],
        "task": batches("task", [TASK], [{**TASK, "awarded": "9.5"}]),
    }
    assert run(rows, "2021Q3").value("assessment", "U1").printed == "95.00"


def test_list_edited_in_the_office_supersedes_the_built_in_one(run, batches) -> None:
    other = {**INDICATOR, "code": "B1", "weight": "100.0"}
    edited = {**other, "weight": "300.0"}
    tasks = [TASK, {**TASK, "task": "T2", "indicator": "B1", "awarded": "4.0"}]
    rows = {"subject": SUBJECTS, "indicator": batches("indicator", [INDICATOR, other], [edited]), "task": tasks}
    assert run(rows, "2021Q3").value("assessment", "U1").printed == "50.00"  # (80 + 3 x 40) / 4


def test_weight_changed_from_a_day_leaves_the_quarters_before_it_as_they_were(run, batches) -> None:
    other = {**INDICATOR, "code": "B1"}
    changed = {**other, "weight": "300.0", "since": date(2021, 7, 1)}
    tasks = [
        {**TASK, "task": f"{quarter}-{code}", "indicator": code, "quarter": quarter, "awarded": awarded}
        for quarter in ("2021Q2", "2021Q3")
        for code, awarded in (("A1", "8.0"), ("B1", "4.0"))
    ]
    rows = {"subject": SUBJECTS, "indicator": batches("indicator", [INDICATOR, other], [changed]), "task": tasks}
    assert run(rows, "2021Q2").value("assessment", "U1").printed == "60.00"  # (80 + 40) / 2
    assert run(rows, "2021Q3").value("assessment", "U1").printed == "50.00"  # (80 + 3 x 40) / 4
    assert run(rows, "2021Q3").value("movement", "U1").printed == "-10.00"


def test_item_counts_from_the_quarter_in_which_it_was_established(run, batches) -> None:
    found = {**ITEM, "state": "substantiated", "established": date(2021, 5, 10)}
    rows = {"subject": SUBJECTS, "item": batches("item", [ITEM], [found])}
    assert run(rows, "2021Q1").value("clean_record", "U1").printed == "1"
    assert run(rows, "2021Q2").value("clean_record", "U1").printed == "0"
    assert run(rows, "2021Q2").value("items_recorded", "D").printed == "1"


def test_item_found_untrue_on_appeal_leaves_every_portrait(run, batches) -> None:
    found = {**ITEM, "state": "substantiated", "established": date(2021, 2, 10)}
    rows = {"subject": SUBJECTS, "item": batches("item", [found], [{**found, "state": "unfounded"}])}
    assert run(rows, "2021Q1").value("gravity", "U1").printed == "0.00"


@pytest.mark.parametrize("field", ["task", "reason", "proof"])
def test_no_deduction_without_a_task_a_reason_and_a_proof(field: str, scheme: Scheme) -> None:
    row = {
        "adjustment": "K1", "task": "T1", "unit": "U1", "indicator": "A1", "quarter": "2021Q3", "kind": "deduction",
        "points": "1.0", "reason": "late", "note": "逾期", "proof": "登记簿",
    }  # fmt: skip
    type = evidence_types(scheme)["adjustment"]
    assert read_rows([row], type).findings == ()
    (finding,) = read_rows([{**row, field: None}], type).findings
    assert finding.place.field == field
