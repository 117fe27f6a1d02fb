"""Numbers that look back on a number of the period before: reckoned at every level, whoever sees the rows under it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mingjian.attest.issue import issue, pack
from mingjian.attest.statements import LEVELS, write_package
from mingjian.attest.verify import Checked
from mingjian.reckon.measures import Results

EVIDENCE, ATTESTED = "recomputed from evidence", "recomputed from attested values"


UNIT = 'of = "unit"\nunit = "point"\ndecimals = 3'
CHOICES = "choices = { good = { en = 'g', zh = 'g' }, poor = { en = 'p', zh = 'p' } }"

NUMBERS = ("liked", "drift", "own_work", "growth", "all_work", "all_growth", "both", "mixed")
TABLES = (
    *((f"measure.{name}", UNIT, 'rollup = "pool"' if name == "all_work" else "") for name in NUMBERS),
    ("statement.portrait", 'kind = "portrait"', 'of = "unit"', 'period = "quarter"', f"show = {json.dumps(NUMBERS)}"),
)

MEASURES = """
from mingjian import previous

def liked(form, worth):
    return worth[form.mark].mean()

def drift(liked):
    return liked - previous(liked)

def own_work(work):
    return work.points.sum()

def growth(own_work):
    return own_work / previous(own_work)

def all_work(work):
    return work.points.sum()

def all_growth(all_work):
    return all_work - previous(all_work)

def both(liked, own_work):
    return liked + own_work

def mixed(both, own_work):
    return both - previous(both) + own_work - previous(own_work)
"""


def rows() -> dict[str, list[dict[str, Any]]]:
    """U1 has twelve voters in both quarters, U2 three in the first, U3 none; a member's work was done in the first alone."""
    start, quarters = date(2021, 1, 1), (date(2021, 5, 1), date(2021, 8, 1))
    units = [{"id": f"U{n}", "type": "unit", "zh": f"U{n}", "en": f"U{n}", "from": start} for n in (1, 2, 3)]
    member = {"id": "M1", "type": "member", "zh": "m", "en": "m", "parent": "U1", "from": start}
    voters = {"U1": (12, 12), "U2": (3, 12), "U3": (0, 0)}
    forms = [
        {"about": unit, "day": day, "mark": "good" if n < good else "poor"}
        for unit, counts in voters.items()
        for day, count, good in zip(quarters, counts, (2, 9), strict=True)
        for n in range(count)
    ]
    work = [
        {"about": unit, "day": day, "points": Decimal(points)}
        for unit in voters
        for day, points in zip(quarters, ("4.0", "7.0"), strict=True)
    ]
    work.append({"about": "M1", "day": quarters[0], "points": Decimal("2.5")})
    return {"subject": [*units, member], "form": forms, "work": work}


@pytest.fixture(scope="module")
def scheme(voted: Callable[..., str]) -> str:
    return voted("before", {"mark": CHOICES}, {"good": 100, "poor": 0}, *TABLES)


@pytest.fixture(scope="module")
def made(build: Callable[..., Any], scheme: str) -> Any:
    return build(scheme, MEASURES, rows(), ("portrait",))


def outcomes(found: Checked) -> dict[str, str]:
    return {number.measure: number.outcome for number in found.numbers}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (
            "public",
            {
                "liked": "cannot",
                "own_work": "cannot",
                "all_work": "cannot",
                **dict.fromkeys(["drift", "growth", "all_growth", "both", "mixed"], ATTESTED),
            },
        ),
        (
            "described",
            {
                **dict.fromkeys(["own_work", "growth", "all_work"], EVIDENCE),  # the member did nothing this quarter
                **dict.fromkeys(["liked", "drift", "all_growth", "both", "mixed"], ATTESTED),
            },
        ),
        ("auditor", dict.fromkeys(NUMBERS, EVIDENCE)),
    ],
)  # fmt: skip
def test_each_level_reckons_what_looks_back(made: Any, level: str, expected: dict[str, str]) -> None:
    found = made.checked(made.packages(level)["U1"])
    assert found.good
    assert outcomes(found) == expected


def test_ballots_of_the_quarter_before_that_were_too_few_stay_unknown(made: Any) -> None:
    for level in ("public", "described", "auditor"):
        package = made.packages(level)["U2"]
        found = made.checked(package)
        assert found.good
        assert outcomes(found)["drift"] == "cannot"
        assert {n.stated for n in found.numbers if n.measure in ("drift", "mixed")} == {"withheld"}
        kinds = {e["header"]["index"]: e["header"]["kind"] for e in package["entries"]}
        days = {row["values"]["day"] for row in package["rows"] if kinds[row["entry"]] == "form"}
        assert days <= {"2021-08-01"}
        assert not [
            row["values"]
            for row in package["attested"]
            if row["values"]["period"] == "2021Q2" and row["values"]["measure"] in ("liked", "both")
            if row["values"]["exact"] or row["values"]["double"] or row["values"]["printed"]
        ]


def test_where_there_was_no_number_before_there_is_none_now(made: Any) -> None:
    for level in ("public", "described", "auditor"):
        found = made.checked(made.packages(level)["U3"])
        assert found.good
        assert {n.stated for n in found.numbers if n.measure == "drift"} == {"no value"}


def test_without_the_number_before_nothing_is_said(made: Any) -> None:
    package = made.packages()["U1"]
    package["attested"] = [row for row in package["attested"] if row["values"]["period"] != "2021Q2"]
    found = made.checked(package)
    assert not found.good
    assert {outcomes(found)[name] for name in ("drift", "all_growth", "mixed")} == {"cannot"}
    assert outcomes(found)["growth"] == EVIDENCE


def test_together_and_alone_they_are_the_same(made: Any) -> None:
    made.want_together_as_alone(p for level in ("public", "described") for p in made.packages(level).values())


def test_a_number_that_does_not_follow_from_the_one_before_differs(build: Callable[..., Any], scheme: str) -> None:
    world = build(scheme, MEASURES, rows(), ("portrait",))
    lied = {"drift", "all_growth"}
    wrong = [
        replace(v, number=v.number + 1) if v.measure in lied and v.number is not None else v for v in world.run.results
    ]
    with world.later_view() as view:
        run = replace(world.run, results=Results("2021Q3", wrong), view=view)
        lie = issue(run, {"portrait": ["U1"]}, ledger=world.ledger, key=world.key, now=world.later, by="office")
        for level in LEVELS:
            ((_, package),) = pack(lie, world.ledger, level)
            found = world.checked(json.loads(write_package(package)))
            assert {n.measure for n in found.numbers if n.outcome == "differs"} == lied


@pytest.mark.parametrize("level", ["public", "described", "auditor"])
def test_another_evaluator_agrees(made: Any, disagreements: Callable[..., list[str]], level: str) -> None:
    assert [line for package in made.packages(level).values() for line in disagreements(package)] == []
