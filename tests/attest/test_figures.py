"""Figures under numbers: whoever sees no row reckons each number from them, and they tell no more than the numbers do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from mingjian.attest.issue import issue, pack
from mingjian.attest.statements import Figure, write_package
from mingjian.attest.verify import Checked
from mingjian.base.errors import Fault
from mingjian.reckon.measures import Results

LEVELS = ("public", "described", "auditor")
EVIDENCE, ATTESTED = "recomputed from evidence", "recomputed from attested values"


GRADES = 'optional = true\nchoices = { good = { en = "g", zh = "g" }, poor = { en = "p", zh = "p" } }'
OF_BALLOTS = ("liked", "voters", "poor_part", "both", "capped", "squared", "of_the_poor", "valued")
UNIT = 'of = "unit"\nunit = "point"\ndecimals = 3'
MEMBER = 'of = "member"\nunit = "point"\ndecimals = 3'

SHOWN = (*OF_BALLOTS, "work_done", "all_work", "of_members", "standing", "favour")
PORTRAIT = ('kind = "portrait"', 'period = "quarter"')
TABLES = (
    *((f"measure.{name}", UNIT) for name in (*OF_BALLOTS, "work_done")),
    ("measure.of_members", MEMBER, 'rollup = "mean"'),
    ("measure.all_work", UNIT, 'rollup = "pool"'),
    ("measure.own_work", MEMBER),
    ("index.standing", UNIT, 'aggregate = "arithmetic"', 'nodes = [{ measure = "work_done", weight = 2, normalise = "zscore" },',
     '  { measure = "all_work", weight = 1, normalise = "minmax" }]'),
    ("index.favour", UNIT, 'aggregate = "arithmetic"',
     'nodes = [{ measure = "liked", weight = 1, normalise = "minmax" }, { measure = "voters", weight = 1 }]'),
    ("index.place", MEMBER, 'aggregate = "arithmetic"', 'nodes = [{ measure = "own_work", weight = 1, normalise = "zscore" }]'),
    ("statement.unit", *PORTRAIT, 'of = "unit"', f"show = {json.dumps(SHOWN)}"),
    ("statement.member", *PORTRAIT, 'of = "member"', 'show = ["own_work", "place"]'),
)  # fmt: skip

MEASURES = """
from mingjian import least

def liked(form, worth):
    return worth[form.a].mean()

def voters(form):
    return form.count()

def poor_part(form):
    return 100 * _poor(form) / form.a.count()

def both(form):
    return _poor(form) + 10 * form.count(where=form.b == "poor")

def capped(form):
    return least(_poor(form), 100)

def squared(form):
    return _poor(form) * _poor(form)

def of_the_poor(form, worth):
    return worth[form.b].mean(where=form.a == "poor")

def valued(form, worth):
    return worth[form.a].count() + 100 * worth[form.b].count()

def work_done(work):
    return work.points.sum()

def of_members(work):
    return work.points.sum()

def all_work(work):
    return work.points.sum()

def own_work(work):
    return work.points.sum()

def _poor(form):
    return form.count(where=form.a == "poor")
"""


def rows() -> dict[str, list[dict[str, Any]]]:
    """Four units with work; U2 has three voters (97 + 13 + 13 = 123 points in all), U4 none."""
    start, day = date(2021, 1, 1), date(2021, 9, 1)
    units = [{"id": f"U{n}", "type": "unit", "zh": f"U{n}", "en": f"U{n}", "from": start} for n in range(1, 5)]
    members = [
        {"id": f"M{n}", "type": "member", "zh": "m", "en": "m", "parent": "U1", "from": start} for n in range(1, 4)
    ]
    forms = [
        {"about": unit, "day": day, "a": "poor" if n < poor else "good", "b": None if n == 0 else "good"}
        for unit, count, poor in (("U1", 14, 2), ("U2", 3, 2), ("U3", 11, 5))
        for n in range(count)
    ]
    points = {"U1": "7.5", "U2": "3.0", "U3": "12.1", "U4": "9.9", "M1": "1.0", "M2": "2.5", "M3": "7.0"}
    work = [{"about": about, "day": day, "points": Decimal(number)} for about, number in points.items()]
    return {"subject": units + members, "form": forms, "work": work}


@pytest.fixture(scope="module")
def scheme(voted: Callable[..., str]) -> str:
    return voted("figures", {"a": GRADES, "b": GRADES}, {"good": 97, "poor": 13}, *TABLES)


@pytest.fixture(scope="module")
def made(build: Callable[..., Any], scheme: str) -> Any:
    return build(scheme, MEASURES, rows(), ("unit", "member"))


def outcomes(found: Checked) -> dict[str, str]:
    return {number.measure: number.outcome for number in found.numbers}


# -- which figures stand there ---------------------------------------------------------------------------------------------


def test_a_figure_is_committed_only_where_it_follows_from_the_number(made: Any) -> None:
    under: dict[str, set[str]] = {}
    for row in made.figures():
        if row["subject"]:
            under.setdefault(row["measure"], set()).add(row["part"])
    assert under["liked"] == {"0.sum", "0.count"}
    assert under["voters"] == {"0.value"}
    assert under["poor_part"] == {"0.value", "1.value"}
    assert under["all_work"] == {"0.value"}
    # two answers, an answer that the number does not give away, one that enters twice, a mean of two, answers of two worths
    assert not under.keys() & {"both", "capped", "squared", "of_the_poor", "valued"}


def test_nothing_about_few_is_in_the_snapshot_or_in_any_package(made: Any) -> None:
    withheld = [value for value in made.run.results if value.status == "withheld"]
    assert {value.measure for value in withheld} >= {*OF_BALLOTS, "favour"}
    assert {value.subject for value in withheld} == {"U2"}
    assert [row for row in made.figures() if row["subject"] in ("U2", "U4") and row["measure"] in OF_BALLOTS] == []
    for level in LEVELS:
        for package in made.packages(level).values():
            rows = [row["values"] for row in package["attested"]]
            said = {row["exact"] for row in rows if row["measure"] in OF_BALLOTS and row["subject"] == "U2"}
            assert said <= {None}
            assert not {"123", "41"} & {row["exact"] for row in rows}  # what the three said, in all and on average


def test_the_levels(made: Any) -> None:
    refused = dict.fromkeys(["both", "capped", "squared", "of_the_poor", "valued", "of_members", "favour"], "cannot")
    figured = dict.fromkeys(["liked", "voters", "poor_part", "all_work", "standing"], ATTESTED)
    expected = {
        "public": dict.fromkeys([*figured, *refused, "work_done"], "cannot"),
        "described": {**refused, **figured, "work_done": EVIDENCE},
        "auditor": {
            **dict.fromkeys([*figured, *refused, "work_done"], EVIDENCE),
            "standing": ATTESTED,
            "favour": "cannot",  # one of the peers is withheld
        },
    }
    for level in LEVELS:
        found = made.checked(made.packages(level)["U1"])
        assert found.good
        assert outcomes(found) == expected[level]


def test_peers_who_are_people_are_for_the_auditor(made: Any) -> None:
    seen = {}
    for level in LEVELS:
        package = made.packages(level)["M1"]
        found = made.checked(package)
        assert found.good
        seen[level] = outcomes(found)["place"], {row["values"]["subject"] for row in package["attested"]}
    assert seen == {
        "public": ("cannot", {"M1"}),
        "described": ("cannot", {"M1"}),
        "auditor": (ATTESTED, {"M1", ""}),
    }


def test_together_and_alone_they_are_the_same(made: Any) -> None:
    made.want_together_as_alone(made.packages().values())


@pytest.mark.parametrize("level", ["described", "auditor"])
def test_another_evaluator_agrees(made: Any, disagreements: Callable[..., list[str]], level: str) -> None:
    # It knows no release gate, where no ballots (U4) make no value, and no means of means.
    known = [package for subject, package in made.packages(level).items() if subject != "U4"]
    assert [line for package in known for line in disagreements(package, without=["of_members"])] == []


def test_of_no_ballots_there_is_no_value_and_an_auditor_sees_so(made: Any) -> None:
    found = made.checked(made.packages("auditor")["U4"])
    assert {number.outcome for number in found.numbers if number.measure in OF_BALLOTS} == {EVIDENCE}
    assert {number.stated for number in found.numbers if number.measure in OF_BALLOTS} == {"no value"}
    assert outcomes(made.checked(made.packages()["U4"]))["voters"] == "cannot"


# -- what was changed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["0.sum", "0.count", "peers.mean"])
def test_a_changed_figure_is_not_in_the_snapshot(made: Any, part: str) -> None:
    package = made.packages()["U1"]
    row = next(row for row in package["attested"] if row["values"]["part"] == part)
    kind = "exact" if row["values"]["exact"] else "double"
    row["values"][kind] += "1"
    found = made.checked(package)
    assert found.inclusion is not None
    assert (found.inclusion.outcome, found.good) == ("tampered", False)


@pytest.mark.parametrize("part", ["0.sum", "0.value", "peers.sd"])
def test_without_a_figure_nothing_is_said(made: Any, part: str) -> None:
    package = made.packages()["U1"]
    named = {"0.sum": "liked", "0.value": "voters", "peers.sd": "standing"}[part]
    package["attested"] = [
        row
        for row in package["attested"]
        if row["values"]["part"] != part or row["values"]["measure"] not in (named, "work_done")
    ]
    if part == "peers.sd":  # a statistic without the others is none, so nothing of the package can be reckoned with
        assert set(outcomes(made.checked(package)).values()) == {"cannot"}
    else:
        assert outcomes(made.checked(package))[named] == "cannot"


def test_a_number_that_does_not_follow_from_its_figures_differs(build: Callable[..., Any], scheme: str) -> None:
    """An issuer who commits and signs other numbers than the figures under them come to is found out without a row."""
    world = build(scheme, MEASURES, rows(), ("member",))
    lied = {"liked", "voters", "poor_part", "all_work", "standing"}
    wrong = [
        replace(v, number=v.number * 2) if v.measure in lied and v.subject == "U1" and v.member == "" else v
        for v in world.run.results
    ]
    with world.later_view() as view:
        run = replace(world.run, results=Results("2021Q3", wrong), view=view)
        lie = issue(run, {"unit": ["U1"]}, ledger=world.ledger, key=world.key, now=world.later, by="office")
        ((_, package),) = pack(lie, world.ledger, "described")
    found = world.checked(json.loads(write_package(package)))
    assert {number.measure for number in found.numbers if number.outcome == "differs"} == lied
    assert not found.good


# -- strangers ---------------------------------------------------------------------------------------------------------------

GOOD = Figure("m", "S", "", "2021", "0.sum", Fraction(3, 7)).row()


def test_a_figure_reads_back() -> None:
    for figure in (
        Figure("m", "S", "x", "2021", "3.value", None),
        Figure("m", "S", "", "2021", "0.count", Fraction(12)),
        Figure("m", "", "", "2021", "peers.sd", 0.1),
    ):
        assert Figure.from_json(json.loads(json.dumps(figure.row())), "$") == figure


@pytest.mark.parametrize(
    "broken",
    [
        {"part": "sum"},
        {"part": "01.sum"},
        {"part": "0.mean"},
        {"part": "peers.sum"},
        {"part": None},
        {"part": "peers.mean"},
        {"subject": ""},
        {"status": "none"},
        {"status": "withheld"},
        {"exact": None},
        {"exact": "2/4"},
        {"subject": "", "part": "peers.mean", "exact": None, "status": "none"},
    ],
)
def test_what_is_no_figure_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(Fault, match=r"\$"):
        Figure.from_json({**GOOD, **broken}, "$")
