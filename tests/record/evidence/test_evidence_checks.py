"""Rows that name rows or subjects which are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from mingjian.declare import EvidenceType, Hierarchy
from mingjian.record.evidence import View, check_rows, read_rows

Types = Mapping[str, EvidenceType]


@pytest.fixture(scope="module")
def view(types: Types) -> View:
    indicators = read_rows([{"code": "I1", "weight": 60}, {"code": "I2", "weight": 40}], types["indicator"]).table
    return View.of({"indicator": indicators}, types, zone="UTC")


def task(number: int, unit: str = "U01", indicator: str = "I1", quarter: str = "2021Q1") -> dict[str, object]:
    row = {"task": f"T{number}", "unit": unit, "indicator": indicator, "quarter": quarter}
    return {**row, "possible": 10, "state": "reported"}


def check(rows: list[dict[str, object]], kind: str, types: Types, view: View, hierarchy: Hierarchy) -> list[str]:
    intake = read_rows(rows, types[kind], "list.csv")
    assert intake.findings == ()
    return [str(finding) for finding in check_rows(intake, types[kind], types, view, hierarchy)]


def test_rows_that_name_what_is_there_pass(types: Types, view: View, hierarchy: Hierarchy) -> None:
    rows = [task(1), task(2, "U02"), task(3, "U03", "I2", "2021Q3")]  # U03 was there for some days of August
    assert check(rows, "task", types, view, hierarchy) == []


def test_each_missing_thing_is_named(types: Types, view: View, hierarchy: Hierarchy) -> None:
    rows = [task(1, "U1"), task(2, "D"), task(3, "U02", quarter="2021Q2"), task(4, "U03"), task(5, indicator="I9")]
    assert check(rows, "task", types, view, hierarchy) == [
        "list.csv, row 1, field unit: no such unit (found: 'U1') → did you mean 'U01'? [unknown-subject]",
        "list.csv, row 2, field unit: this is a district; a unit is wanted (found: 'D') → name the unit [wrong-subject]",
        "list.csv, row 3, field unit: not there on 2021-04-01: it last was from 2020-01-01 until 2021-04-01"
        " (found: 'U02') → it merged into U01 [absent-subject]",
        "list.csv, row 4, field unit: not there on 2021-01-01: it last was from 2021-08-01 until 2021-08-20"
        " (found: 'U03') → check the date [absent-subject]",
        "list.csv, row 5, field indicator: no indicator (indicator) has this code (found: 'I9') → did you mean 'I2'?"
        " [unknown-row]",
    ]


def test_rows_may_name_rows_of_their_own_batch(types: Types, view: View, hierarchy: Hierarchy) -> None:
    rows: list[dict[str, object]] = [
        {"code": "A", "weight": 1},
        {"code": "B", "weight": 1, "parent": "A"},
        {"code": "C", "weight": 1, "parent": "I1"},
        {"code": "D", "weight": 1, "parent": "zzz"},
    ]
    (finding,) = check(rows, "indicator", types, view, hierarchy)
    assert "row 4, field parent" in finding


def test_findings_take_their_rows_out_of_the_intake(types: Types, view: View, hierarchy: Hierarchy) -> None:
    intake = read_rows([task(1), task(2, "nobody"), task(3)], types["task"])
    judged = intake.judged(check_rows(intake, types["task"], types, view, hierarchy))
    assert judged.table["task"].to_pylist() == ["T1", "T3"]


def test_a_row_without_a_date_is_held_against_all_time(types: Types, view: View, hierarchy: Hierarchy) -> None:
    undated = replace(types["task"], date="")
    intake = read_rows([task(1, "U02"), task(2, "U09")], undated)
    assert [f.rule for f in check_rows(intake, undated, types, view, hierarchy)] == ["unknown-subject"]
    optional = replace(types["task"].fields["unit"], optional=True)
    dated = replace(types["task"], date="day", fields={"unit": optional, "day": types["note"].fields["day"]}, key=())
    rows = [{"unit": "U02", "day": "2021-03-31"}, {"unit": "U02", "day": "2021-04-01"}, {"day": "2021-04-01"}]
    found = check_rows(read_rows(rows, dated), dated, types, view, hierarchy)
    assert [(f.rule, f.place.row) for f in found] == [("absent-subject", 2)]


def test_a_ref_names_a_dated_row_by_the_rest_of_its_key(types: Types, hierarchy: Hierarchy) -> None:
    indicator, day = types["indicator"], types["note"].fields["day"]
    dated = replace(indicator, fields={"day": day, **indicator.fields}, key=("day", "code"), date="day")
    known = {**types, "indicator": dated}
    rows = read_rows([{"day": "2021-01-01", "code": "I1", "weight": 1}], dated).table
    with View.of({"indicator": rows}, known, zone="UTC") as view:
        assert check([task(1)], "task", known, view, hierarchy) == []
        assert len(check([task(1, indicator="I2")], "task", known, view, hierarchy)) == 1
