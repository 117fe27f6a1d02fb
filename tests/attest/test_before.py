"""Numbers that look back on a number of the period before: reckoned at every level, whoever sees the rows under it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest

from mingjian.attest.issue import issue, pack
from mingjian.attest.statements import LEVELS, write_package
from mingjian.attest.verify import Checked, verify
from mingjian.reckon.measures import Results

NOW = datetime(2021, 10, 2, tzinfo=UTC)
EVIDENCE, ATTESTED = "recomputed from evidence", "recomputed from attested values"


def titled(table: str, *lines: str) -> str:
    name = table.rpartition(".")[2]
    return "\n".join([f"[{table}]", f'title = {{ en = "{name}", zh = "{name}" }}', *lines, ""])


UNIT = 'of = "unit"\nunit = "point"\ndecimals = 3'
CHOICES = "choices = { good = { en = 'g', zh = 'g' }, poor = { en = 'p', zh = 'p' } }"

SCHEME = "\n".join(
    [
        titled("scheme", 'id = "before"', 'version = "1"', 'period = "quarter"', 'zone = "Asia/Shanghai"', "law = []"),
        "minimum_group = 10",
        titled("subject.unit"),
        titled("subject.member", 'parent = "unit"', "person = true"),
        titled("evidence.form", 'date = "day"', 'subjects = ["about"]', "ballots = true"),
        titled("evidence.form.field.about", 'type = "subject"', 'of = ["unit"]'),
        titled("evidence.form.field.day", 'type = "date"'),
        titled("evidence.form.field.mark", 'type = "choice"', CHOICES),
        titled("evidence.work", 'date = "day"', 'key = ["about", "day"]'),
        titled("evidence.work.field.about", 'type = "subject"', 'of = ["unit", "member"]'),
        titled("evidence.work.field.day", 'type = "date"'),
        titled("evidence.work.field.points", 'type = "decimal"', "decimals = 1", "min = 0"),
        titled("parameter.worth", 'unit = "point"'),
        'values = [{ from = 2020-01-01, value = { good = 100, poor = 0 }, source = "here" }]',
        titled("measure.liked", UNIT),
        titled("measure.drift", UNIT),
        titled("measure.own_work", UNIT),
        titled("measure.growth", UNIT),
        titled("measure.all_work", UNIT, 'rollup = "pool"'),
        titled("measure.all_growth", UNIT),
        titled("measure.both", UNIT),
        titled("measure.mixed", UNIT),
        titled("statement.portrait", 'kind = "portrait"', 'of = "unit"', 'period = "quarter"'),
        'show = ["liked", "drift", "own_work", "growth", "all_work", "all_growth", "both", "mixed"]',
    ]
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
def made(build: Callable[..., Any]) -> Any:
    return build(SCHEME, MEASURES, rows(), ("portrait",))


def checked(world: Any, package: dict[str, Any]) -> Checked:
    return verify([("it", json.dumps(package).encode())], now=NOW, trust=world.trust).packages[0]


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
        ("auditor", dict.fromkeys(["liked", "drift", "own_work", "growth", "all_work", "all_growth", "both", "mixed"], EVIDENCE)),
    ],
)  # fmt: skip
def test_each_level_reckons_what_looks_back(made: Any, level: str, expected: dict[str, str]) -> None:
    found = checked(made, made.packages(level)["U1"])
    assert found.good
    assert outcomes(found) == expected


def test_ballots_of_the_quarter_before_that_were_too_few_stay_unknown(made: Any) -> None:
    for level in ("public", "described", "auditor"):
        package = made.packages(level)["U2"]
        found = checked(made, package)
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
        found = checked(made, made.packages(level)["U3"])
        assert found.good
        assert {n.stated for n in found.numbers if n.measure == "drift"} == {"no value"}


def test_without_the_number_before_nothing_is_said(made: Any) -> None:
    package = made.packages()["U1"]
    package["attested"] = [row for row in package["attested"] if row["values"]["period"] != "2021Q2"]
    found = checked(made, package)
    assert not found.good
    assert {outcomes(found)[name] for name in ("drift", "all_growth", "mixed")} == {"cannot"}
    assert outcomes(found)["growth"] == EVIDENCE


def test_together_and_alone_they_are_the_same(made: Any) -> None:
    packages = [p for level in ("public", "described") for p in made.packages(level).values()]
    files = [(str(n), json.dumps(package).encode()) for n, package in enumerate(packages)]
    together = verify(files, now=NOW, trust=made.trust)
    assert together.good
    assert together.packages == tuple(verify([f], now=NOW, trust=made.trust).packages[0] for f in files)


def test_a_number_that_does_not_follow_from_the_one_before_differs(build: Callable[..., Any]) -> None:
    world = build(SCHEME, MEASURES, rows(), ("portrait",))
    lied = {"drift", "all_growth"}
    wrong = [
        replace(v, number=v.number + 1) if v.measure in lied and v.number is not None else v for v in world.run.results
    ]
    with world.later_view() as view:
        run = replace(world.run, results=Results("2021Q3", wrong), view=view)
        lie = issue(run, {"portrait": ["U1"]}, ledger=world.ledger, key=world.key, now=NOW, by="office")
        for level in LEVELS:
            ((_, package),) = pack(lie, world.ledger, level)
            found = verify([("it", write_package(package))], now=NOW, trust=world.trust).packages[0]
            assert {n.measure for n in found.numbers if n.outcome == "differs"} == lied


@pytest.mark.parametrize("level", ["public", "described", "auditor"])
def test_another_evaluator_agrees(made: Any, second: ModuleType, level: str) -> None:
    for package in made.packages(level).values():
        evaluator = second.Evaluator(package)
        for value in package["credential"]["credentialSubject"]["values"]:
            if value["status"] == "withheld":
                continue
            own = evaluator.value(value["measure"], second.span_of(value["period"]), value["member"])
            stated = second.number(value)
            assert (own is None) is (stated is None), value
            assert own is None or abs(own - stated) <= abs(stated) * Fraction(1, 10**12), value
