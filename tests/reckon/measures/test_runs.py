"""What must hold of every run: neither the order of rows, nor who else is asked for, changes a bit of any value."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.base.values import Period
from mingjian.reckon.measures import Attested, Results, aggregates, evaluate

NAMES = (
    "approval",
    "assessment",
    "awarded_each",
    "cost",
    "energy",
    "fulfilment",
    "gravity",
    "mixed",
    "rank",
    "standing",
)
QUICK = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def rows(task, ballots) -> dict[str, list[dict[str, Any]]]:
    """Three units' rows, with many scores whose sum depends on the order in which doubles are added."""
    start = date(2021, 7, 1)
    days = [start + timedelta(days=7 * i) for i in range(12)]
    return {
        "indicator": [
            {"code": c, "aspect": a, "weight": w, "since": start} for c, a, w in (("a", "x", 3), ("b", "x", 5), ("c", "y", 7))
        ],
        "task": [
            task(f"{u}{c}{i}", u, "2021Q3", 7, (i * 3 + len(u + c)) % 7, indicator=c)
            for u in ("U1", "U2", "U3") for c in "abc" for i in range(2)
        ],
        "ballot": ballots("U1", 12) + ballots("U1", 5, "fair") + ballots("U2", 11, "fair") + ballots("U3", 3),
        "item": [
            {"item": f"{who}{i}", "received": day, "about": who, "weight": 3**i % 17}
            for who in ("L1", "L2") for i, day in enumerate(days)
        ],
        "post": [{"leader": who, "since": start + timedelta(days=i), "rank": i + 1} for i, who in enumerate(("L1", "L2"))],
        "reading": [
            {"meter": f"{u}{i}", "unit": u, "at": f"{day}T00:00:00Z", "wh": 10**15 + i, "price": "0.333333"}
            for u in ("U1", "U2") for i, day in enumerate(days[:4])
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def whole(bench, rows) -> Results:
    return bench.run(rows, "2021Q3")


@QUICK
@given(data=st.data())
def test_order_of_rows_and_batches_changes_nothing(bench, rows, whole, data):
    """Scores are compared bit for bit."""
    mixed = {}
    for kind, given_rows in rows.items():
        entries = data.draw(st.lists(st.integers(0, 3), min_size=len(given_rows), max_size=len(given_rows)))
        order = data.draw(st.permutations(range(len(given_rows))))
        mixed[kind] = [{**given_rows[i], "_entry": entries[i], "_row": i} for i in order]
    found = bench.run(mixed, "2021Q3", NAMES)
    assert list(found) == [value for value in whole if value.measure in NAMES]


@QUICK
@given(names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=4))
def test_some_measures_are_as_in_the_whole_run(bench, rows, whole, names):
    assert list(bench.run(rows, "2021Q3", sorted(names))) == [value for value in whole if value.measure in names]


@QUICK
@given(subjects=st.sets(st.sampled_from(["D1", "D2", "U1", "U2", "U3", "L1"]), min_size=1, max_size=2))
def test_some_subjects_are_as_in_the_whole_run(bench, rows, whole, subjects):
    below = {"D1": {"U1", "U2", "L1", "L2"}, "D2": {"U3"}, "U1": {"L1", "L2"}}
    asked = subjects.union(*(below.get(s, set()) for s in subjects))
    found = bench.run(rows, "2021Q3", NAMES, subjects=sorted(subjects))
    assert list(found) == [v for v in whole if v.subject in asked and v.measure in NAMES]


@pytest.mark.parametrize("types", [{"unit"}, {"district"}, {"unit", "leader"}, set()])
def test_a_run_of_some_types_gives_what_all_give_of_these(bench, rows, whole, types):
    period, letters = Period.parse("2021Q3"), {kind[0].upper() for kind in types}
    with bench.open(rows) as parts:
        found = evaluate(*parts, period, only=NAMES, types=types)
    assert list(found) == [v for v in whole if v.subject[0] in letters and v.measure in NAMES]
    assert bool(len(found)) == bool(types)


def test_reduced_figures_stand_in_for_rows_that_are_not_shown(bench, rows, whole):
    """Whoever holds no row but what each reduction came to reckons the same numbers."""
    period, names = Period.parse("2021Q3"), ["approval", "awarded_each", "energy", "fulfilment", "gravity", "tasks"]
    with bench.open(rows) as parts:
        figures = {a.key: a.number for a in aggregates(*parts, period, names)}
    assert figures["approval", "U1", "2021Q3", "", 0, "sum"] == 12 * 90 + 5 * 50
    assert figures["approval", "U1", "2021Q3", "", 0, "count"] == 17
    with bench.open({}) as parts:
        found = evaluate(*parts, period, only=names, attested=Attested(aggregates=figures))
    assert {v.key: v.number for v in found} == {v.key: v.number for v in whole if v.measure in names}


def test_attested_values_stand_in_for_reckoned_ones(bench, rows, whole):
    """What is read of others is taken as given, and what is given as no value has none."""
    period = Period.parse("2021Q3")
    given = {("approval", u, "2021Q3", ""): number for u, number in (("U1", Fraction(60)), ("U2", None))}
    with bench.open(rows) as parts:
        found = evaluate(*parts, period, only=["overall", "approval"], attested=Attested(values=given))
    assert found.value("overall", "U1").number == Fraction(3, 4) * whole.value("fulfilment", "U1").number + 15
    assert [found.value("overall", u).status for u in ("U1", "U2", "U3")] == ["value", "none", "value"]


def test_results_are_asked_for_by_name(whole):
    assert whole.value("awarded_each", "U1", "a").member == "a"
    assert whole.get("awarded_each", "U1", "z") is None
    assert {value.subject for value in whole.of("U1")} == {"U1"}
    assert len(whole) == len(list(whole)) == len({value.key for value in whole})
