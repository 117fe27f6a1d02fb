"""Index trees over measures: who leaves the denominator, which scale each leaf has, and peers who are all alike."""

from fractions import Fraction

import pytest

INDICATORS = [
    {"code": code, "aspect": aspect, "weight": weight, "since": since}
    for code, aspect, weight, since in (
        ("a", "x", 30, "2021-01-01"), ("b", "x", 10, "2021-01-01"), ("c", "y", 60, "2021-01-01"), ("d", "y", 100, "2021-10-01"),
    )
]  # fmt: skip


def tasks(task, **scores):
    """One task an indicator, of 100 points."""
    return [task(name, "U1", "2021Q3", 100, score, indicator=name) for name, score in scores.items()]


def test_members_weigh_under_their_groups(bench, task):
    rows = {"indicator": INDICATORS, "task": tasks(task, a=80, b=40, c=50)}
    results = bench.run(rows, "2021Q3", ["assessment"])
    assert {v.member: v.number for v in results.of("U1")} == {
        "": pytest.approx((30 * 80 + 10 * 40 + 60 * 50) / 100), "x": pytest.approx(70), "y": pytest.approx(50),
    }  # fmt: skip


def test_what_does_not_apply_leaves_the_denominator(bench, task):
    """Without b, x is a alone; without c, y has nothing and x, at its whole weight, is all there is."""
    rows = {"indicator": INDICATORS, "task": tasks(task, a=80, c=50)}
    results = bench.run(rows, "2021Q3", ["assessment"])
    assert results.value("assessment", "U1", "x").number == pytest.approx(80)
    assert results.value("assessment", "U1").number == pytest.approx((40 * 80 + 60 * 50) / 100)
    alone = bench.run({"indicator": INDICATORS, "task": tasks(task, a=80, b=40)}, "2021Q3", ["assessment"])
    assert alone.value("assessment", "U1", "y").status == "none"
    assert alone.value("assessment", "U1").number == pytest.approx(70)


def test_a_member_counts_from_the_day_it_is_in_force(bench, task):
    rows = {
        "indicator": INDICATORS,
        "task": [
            task(q + i, "U1", q, 100, s, indicator=i) for q in ("2021Q3", "2021Q4") for i, s in (("a", 80), ("d", 10))
        ],
    }
    found = [bench.value(rows, q, "assessment", "U1").number for q in ("2021Q3", "2021Q4")]
    assert found == [pytest.approx(80), pytest.approx((40 * 80 + 160 * 10) / 200)]


def test_a_dimension_without_members_and_a_subject_without_rows_have_no_value(bench, task):
    assert bench.value({"task": tasks(task, a=80)}, "2021Q3", "assessment", "U1").status == "none"
    assert (
        bench.value({"indicator": INDICATORS, "task": tasks(task, a=80)}, "2021Q3", "assessment", "U2").reason
        is not None
    )


def test_leaves_at_any_depth_each_on_its_scale(bench, task, ballots):
    """Approval 90 of 50..100 is 80; fulfilment 64 and 1 task of 4 (25) make 40 by the geometric mean."""
    rows = {"task": [task("1", "U1", "2021Q3", 100, 64)], "ballot": ballots("U1", 10)}
    results = bench.run(rows, "2021Q3", ["mixed"])
    assert results.value("mixed", "U1", "work").number == pytest.approx(40)
    assert results.value("mixed", "U1").number == pytest.approx(0.3 * 80 + 0.7 * 40)
    assert results.value("mixed", "U1").printed == "52.000"


def test_scales_are_clipped_at_their_goalposts(bench, task, ballots):
    rows = {"task": [task(str(i), "U1", "2021Q3", 1, 1) for i in range(9)], "ballot": ballots("U1", 10, "fair")}
    results = bench.run(rows, "2021Q3", ["mixed"])
    assert results.value("mixed", "U1").number == pytest.approx(0.3 * 0 + 0.7 * 100)


def test_between_peers_the_least_is_0_and_the_greatest_100(bench, task):
    rows = {
        "task": [
            task("1", "U1", "2021Q3", 10, 2),
            task("2", "U2", "2021Q3", 10, 4),
            task("3", "U3", "2021Q3", 10, 7),
            task("4", "U3", "2021Q3", 10, 7),
        ]
    }
    results = bench.run(rows, "2021Q3", ["standing"])
    assert [results.value("standing", u).number for u in ("U1", "U2", "U3")] == [0, pytest.approx(20), 100]


def test_where_all_marks_are_equal_nobody_stands_anywhere(bench, task):
    rows = {"task": [task(u, u, "2021Q3", 10, 5) for u in ("U1", "U2", "U3")]}
    results = bench.run(rows, "2021Q3", ["standing", "fulfilment"])
    assert {v.status for v in results if v.measure == "standing"} == {"none"}
    assert results.value("fulfilment", "U1").number == Fraction(50)


def test_one_subjects_standing_is_still_among_all(bench, task):
    rows = {
        "task": [task(u, u, "2021Q3", 10, i) for i, u in enumerate(("U1", "U2", "U3"))]
        + [task("4", "U1", "2021Q3", 10, 1)]
    }
    whole = bench.run(rows, "2021Q3", ["double_standing"])
    alone = bench.run(rows, "2021Q3", ["double_standing"], subjects=["U2"])
    assert list(alone) == [v for v in whole if v.subject == "U2"]
    assert alone.value("double_standing", "U2").status == "value"
