"""Every case of the scheme's author holds, and the built-in list is the one that the page's example uses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import mingjian.schemes.three_portraits as package
from mingjian.declare import Case, Scheme, load

CASES = load(Path(package.__file__).parent).cases


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, run) -> None:
    results = run(case.rows, case.period)
    for expected in case.expected:
        value = results.value(expected.measure, expected.subject, expected.member)
        assert (value.status, value.printed) == (expected.status, expected.value), (expected, value)


def test_page_case_uses_the_built_in_list(scheme: Scheme, folder: Path) -> None:
    page = next(case for case in scheme.cases if case.id == "page-85")
    with (folder / "indicators.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [{name: str(value) for name, value in row.items()} for row in page.rows["indicator"]] == listed


def test_built_in_list_has_the_six_aspects(folder: Path) -> None:
    with (folder / "indicators.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    totals: dict[str, float] = {}
    for row in listed:
        totals[row["aspect"]] = totals.get(row["aspect"], 0) + float(row["weight"])
    assert len(listed) == 19
    assert list(totals.values()) == [15, 20, 15, 20, 15, 15]
