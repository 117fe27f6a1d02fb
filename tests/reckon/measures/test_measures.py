"""Measures from rows: whose they are, of when, and what happens where there is nothing to reckon from."""

from datetime import date
from fractions import Fraction

import pytest

from mingjian.base.errors import Fault, MingjianError, Misuse
from mingjian.declare import Expr
from mingjian.reckon.release import release

SUBJECTS = "subject"


def item(name, day, about="L1", weight=1):
    return {"item": name, "received": date.fromisoformat(day), "about": about, "weight": weight}


def post(leader, since, rank):
    return {"leader": leader, "since": date.fromisoformat(since), "rank": rank}


def reading(at, wh, unit="U1", meter="M", **more):
    return {"meter": meter, "unit": unit, "at": at, "wh": wh, **more}


# -- subjects through time ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moved(stating):
    """L1 goes from U1 to U2 on 15 August; U2 and U1 are of one district, U3 of another, where L2 goes."""
    return [
        stating("D1", "district"),
        stating("D2", "district"),
        *(stating(u, "unit", d) for u, d in (("U1", "D1"), ("U2", "D1"), ("U3", "D2"))),
        stating("L1", "leader", "U1"),
        stating("L1", "leader", "U2", "2021-08-15"),
        stating("L2", "leader", "U1"),
        stating("L2", "leader", "U3", "2021-08-15"),
    ]


def test_rows_of_a_leader_who_moves_count_where_he_was_that_day(bench, moved):
    days = ("2021-07-01", "2021-08-14", "2021-08-15", "2021-09-30", "2021-10-01")
    items = [item(f"{who}{day}", day, who) for who in ("L1", "L2") for day in days]
    results = bench.run({SUBJECTS: moved, "item": items}, "2021Q3", ["items"])
    found = {v.subject: v.number for v in results}
    assert found == {"L1": 4, "L2": 4, "U1": 4, "U2": 2, "U3": 2, "D1": 6, "D2": 2}


def test_sums_of_values_go_by_the_parent_of_the_last_day(bench, moved):
    results = bench.run(
        {SUBJECTS: moved, "post": [post("L1", "2021-01-01", 3), post("L2", "2021-01-01", 5)]}, "2021Q3", ["rank"]
    )
    assert {v.subject: v.number for v in results if v.number is not None} == {
        "L1": 3, "L2": 5, "U2": 3, "U3": 5, "D1": 3, "D2": 5,
    }  # fmt: skip
    assert results.value("rank", "U1").status == "none"


def test_a_merged_units_rows_stay_its_own_and_its_districts(bench, stating, task):
    units = [
        stating("D1", "district"),
        stating("D2", "district"),
        stating("U1", "unit", "D1", until="2021-08-15", into="U3"),
        stating("U2", "unit", "D1"),
        stating("U3", "unit", "D2"),
        stating("L1", "leader", "U1"),
    ]
    rows = {
        SUBJECTS: units,
        "task": [task("1", "U1", "2021Q3", 10, 5), task("2", "U3", "2021Q3", 10, 10)],
        "item": [item("before", "2021-08-14"), item("after", "2021-08-15")],
    }
    pooled = bench.run(rows, "2021Q3", ["fulfilment", "items"])
    assert [pooled.value("fulfilment", s).number for s in ("U1", "U3", "D1", "D2")] == [50, 100, 50, 100]
    assert {s: pooled.value("items", s).number for s in ("L1", "U1", "U3", "D1", "D2")} == {
        "L1": 2, "U1": 1, "U3": 1, "D1": 1, "D2": 1,
    }  # fmt: skip
    assert bench.run(rows, "2021Q4", ["fulfilment"]).get("fulfilment", "U1") is None


def test_rows_pool_and_means_do_not_agree(bench, task):
    rows = {
        "task": [task("1", "U1", "2021Q3", 10, 10), task("2", "U1", "2021Q3", 30, 30), task("3", "U2", "2021Q3", 10, 0)]
    }
    results = bench.run(rows, "2021Q3", ["fulfilment", "fulfilment_mean", "tasks"])
    assert results.value("fulfilment", "D1").number == 80
    assert results.value("fulfilment_mean", "D1").number == 50
    assert results.value("tasks", "D1").number == 3
    assert results.value("tasks", "D2").number == 0  # U3 has counted nought
    assert results.value("fulfilment_mean", "D2").status == "none"


# -- nothing there -----------------------------------------------------------------------------------------------------


def test_a_unit_with_votes_and_no_tasks_is_there(bench, task, ballots):
    rows = {"task": [task("1", "U1", "2021Q3", 10, 5)], "ballot": ballots("U2", 12)}
    results = bench.run(rows, "2021Q3", ["fulfilment", "approval", "overall", "tasks"])
    assert results.value("approval", "U2").number == 90
    assert results.value("fulfilment", "U2").reason.rule == "no-rows"
    assert results.value("overall", "U2").status == "none"
    assert results.value("tasks", "U2").number == 0
    assert results.value("approval", "U1").status == "none"


def test_two_evidence_types_in_one_formula_keep_their_own_rows(bench, task, ballots):
    """Joined row to row, three tasks would count each of two ballots thrice."""
    rows = {
        "task": [task(str(i), "U1", "2021Q3", 10, 5) for i in range(3)],
        "ballot": ballots("U1", 1, "good") + ballots("U1", 1, "fair"),
    }
    assert bench.value(rows, "2021Q3", "overall", "U1").number == Fraction(3, 4) * 50 + Fraction(1, 4) * 70


def test_a_period_without_rows_has_every_subject_and_no_value(bench):
    results = bench.run({}, "2021Q3")
    assert {v.status for v in results if v.measure == "fulfilment"} == {"none"}
    assert {v.subject for v in results if v.measure == "fulfilment"} == {"D1", "D2", "U1", "U2", "U3"}
    assert {v.number for v in results if v.measure == "tasks"} == {0}
    assert len(results.findings) == sum(v.status == "none" for v in results)


def test_a_zero_denominator_is_no_value_and_says_so(bench, task):
    value = bench.value({"task": [task("1", "U1", "2021Q3", 0, 0)]}, "2021Q3", "fulfilment", "U1")
    assert (value.status, value.number, value.printed, value.reason.rule) == ("none", None, "", "zero-denominator")
    assert "fulfilment of U1 in 2021Q3" in value.reason.message


def test_all_rows_ruled_out_is_no_value(bench, task):
    rows = {"task": [task("1", "U1", "2021Q3", 10, 5, state="void")]}
    assert bench.value(rows, "2021Q3", "fulfilment", "U1").reason.rule == "no-rows"


# -- large, small and half-way -----------------------------------------------------------------------------------------


def test_sums_beyond_two_to_the_63_are_exact(bench):
    rows = {"reading": [reading(f"2021-08-0{i} 12:00", 2**63 - 1) for i in (1, 2, 3)]}
    value = bench.value(rows, "2021Q3", "energy", "U1")
    assert value.number == 3 * (2**63 - 1)
    assert value.printed == "27670116110564327421"


@pytest.mark.parametrize("sign", [1, -1])
def test_all_38_digits_of_a_sum_are_kept(bench, sign):
    rows = {"reading": [reading("2021-08-01 12:00", sign * (10**18 - 1), price="99999999999.999999")]}
    value = bench.value(rows, "2021Q3", "cost", "U1")
    assert value.number == sign * (10**18 - 1) * Fraction("99999999999.999999")


@pytest.mark.parametrize("count", [110, 200], ids=["39 digits", "beyond 128 bits"])
def test_a_sum_beyond_38_digits_is_refused(bench, count):
    days = [f"2021-0{7 + i // 100}-{1 + i % 25:02}T{i % 100 // 25:02}:00:00+08:00" for i in range(count)]
    rows = {"reading": [reading(day, 10**18, price="999999999999.999999") for day in days]}
    assert len(set(days)) == count
    with pytest.raises(MingjianError, match="too large") as error:
        bench.run(rows, "2021Q3", ["cost"])
    assert "38 digits" in error.value.remedy


@pytest.mark.parametrize(
    ("awarded", "printed"),
    [("0.12345", "refused"), ("50.01", "50.01"), ("0.01", "0.01"), ("-0.01", "-0.01")],
)  # fmt: skip
def test_numbers_are_printed_with_their_places(bench, task, awarded, printed):
    if printed == "refused":
        with pytest.raises(AssertionError, match="decimals"):
            bench.run({"task": [task("1", "U1", "2021Q3", 100, awarded)]}, "2021Q3")
        return
    assert (
        bench.value({"task": [task("1", "U1", "2021Q3", 100, awarded)]}, "2021Q3", "fulfilment", "U1").printed
        == printed
    )


@pytest.mark.parametrize(("awarded", "printed"), [("0.01", "0.13"), ("-0.01", "-0.13"), ("0.03", "0.38")])
def test_half_way_goes_away_from_zero(bench, task, awarded, printed):
    """100 * 0.01 / 8 = 0.125: to the even place it would be 0.12."""
    value = bench.value({"task": [task("1", "U1", "2021Q3", 8, awarded)]}, "2021Q3", "fulfilment", "U1")
    assert value.printed == printed


def test_an_exact_formula_stays_exact_and_a_score_is_a_double(bench, task):
    rows = {
        "task": [task("1", "U1", "2021Q3", 3, 1)],
        "item": [item("1", "2021-09-30"), item("2", "2021-07-02", weight=3)],
    }
    results = bench.run(rows, "2021Q3", ["fulfilment", "gravity"])
    assert results.value("fulfilment", "U1").number == Fraction(100, 3)
    assert results.value("gravity", "L1").number == pytest.approx(1 + 3 * 0.5, rel=1e-12)
    assert isinstance(results.value("gravity", "L1").number, float)


# -- windows -----------------------------------------------------------------------------------------------------------


def test_in_period_takes_the_first_and_the_last_day_and_no_other(bench):
    items = [item(day, day) for day in ("2021-06-30", "2021-07-01", "2021-09-30", "2021-10-01")]
    assert bench.value({"item": items}, "2021Q3", "items", "L1").number == 2


def test_an_instant_counts_on_the_day_of_the_schemes_clock(bench):
    rows = [
        reading("2021-06-30T16:00:00Z", 1),
        reading("2021-09-30T15:59:59Z", 10),
        reading("2021-09-30T16:00:00Z", 100),
    ]
    assert bench.value({"reading": rows}, "2021Q3", "energy", "U1").number == 11


def test_up_to_takes_all_that_was_before(bench):
    items = [
        item("old", "2020-03-31", weight=0),
        item("1", "2021-06-30"),
        item("2", "2021-09-30"),
        item("3", "2021-10-01"),
    ]
    results = bench.run({"item": items}, "2021Q3", ["gravity", "last_item"])
    assert results.value("gravity", "L1").number == pytest.approx(1 + 0.5 ** (92 / 90), rel=1e-12)
    assert results.value("last_item", "L1").number == 0
    assert bench.run({"item": items}, "2021Q2", ["last_item"]).value("last_item", "L1").number == 0
    assert bench.run({"item": items}, "2021Q1", ["last_item"]).value("last_item", "L1").number == 365


def test_state_at_end_takes_the_last_row_of_each(bench):
    posts = [
        post("L1", "2021-01-01", 9),
        post("L1", "2021-08-01", 2),
        post("L1", "2021-10-01", 7),
        post("L2", "2019-01-01", 4),
    ]
    shuffled = [posts[i] for i in (1, 3, 2, 0)]
    assert {p: bench.run({"post": shuffled}, p, ["rank"]).value("rank", "L1").number for p in ("2021Q2", "2021Q3", "2021Q4")} == {
        "2021Q2": 9, "2021Q3": 2, "2021Q4": 7,
    }  # fmt: skip
    assert bench.run({"post": shuffled}, "2021Q3", ["rank"]).value("rank", "U1").number == 6


# -- other periods -----------------------------------------------------------------------------------------------------


def test_previous_is_the_calendar_period_before_and_never_skips(bench, task):
    rows = {
        "task": [task("1", "U1", "2020Q3", 10, 2), task("2", "U1", "2021Q1", 10, 5), task("3", "U1", "2021Q2", 10, 9)]
    }
    assert bench.value(rows, "2021Q1", "change", "U1").status == "none"  # nothing in 2020Q4
    assert bench.value(rows, "2021Q2", "change", "U1").number == 40
    across = {"task": [task("1", "U1", "2020Q4", 10, 2), task("2", "U1", "2021Q1", 10, 5)]}
    assert bench.value(across, "2021Q1", "change", "U1").number == 30


def test_a_longer_period_is_the_one_that_holds_the_shorter(bench, task):
    rows = {
        "task": [
            task("1", "U1", "2021Q1", 1),
            task("2", "U1", "2021Q3", 1),
            task("3", "U1", "2021Q3", 1),
            task("4", "U1", "2022Q1", 1),
        ]
    }
    results = bench.run(rows, "2021Q3", ["part_of_year", "year_tasks"])
    assert results.value("part_of_year", "U1").number == Fraction(200, 3)
    assert results.value("year_tasks", "U1").period == "2021"
    assert [v.measure for v in bench.run(rows, "2021") if v.subject == "U1"] == ["year_tasks"]


def test_a_shorter_measure_is_not_to_be_had_for_a_longer_period(bench):
    with pytest.raises(Misuse, match="fulfilment is reckoned by quarter") as error:
        bench.run({}, "2021", ["fulfilment"])
    assert error.value.remedy == "give a quarter"


def test_an_unknown_measure_is_named(bench):
    with pytest.raises(Misuse, match="declares no measure fulfillment") as error:
        bench.run({}, "2021Q3", ["fulfillment"])
    assert "fulfilment" in error.value.remedy


# -- parameters --------------------------------------------------------------------------------------------------------


def test_a_parameter_counts_as_in_force_on_the_last_day(bench, task, ballots):
    days = {"2021Q2": date(2021, 5, 1), "2021Q3": date(2021, 8, 1), "2021Q4": date(2021, 11, 1)}
    tasks = [task(q, "U1", q, 100, 100) for q in days]
    votes = [b for day in days.values() for b in ballots("U1", 10, "fair", day=day)]
    found = {q: bench.value({"task": tasks, "ballot": votes}, q, "overall", "U1").number for q in days}
    assert found == {"2021Q2": 25 + Fraction("0.75") * Fraction("60.5"), "2021Q3": 75 + Fraction(50, 4), "2021Q4": 50}


def test_before_a_parameters_first_day_there_is_no_value(bench, ballots, task):
    day = date(2020, 11, 1)
    rows = {"ballot": ballots("U1", 10, day=day), "task": [task("1", "U1", "2020Q4", 10, 5)]}
    results = bench.run(rows, "2020Q4", ["approval", "overall"])
    assert results.value("approval", "U1").status == "none"
    assert results.value("overall", "U1").status == "none"


def test_a_text_that_a_table_does_not_list_has_no_points(bench, ballots):
    rows = {"ballot": ballots("U1", 5, "good") + ballots("U1", 5, "poor") + ballots("U1", 3, None)}
    assert bench.value(rows, "2021Q3", "approval", "U1").number == 90


def test_a_table_is_read_at_a_fixed_text_too(bench, task):
    rows = {
        "task": [task("1", "U1", "2021Q3", 10, 5), task("2", "U2", "2021Q3", 10, 10), task("3", "U2", "2021Q3", 10, 10)]
    }
    results = bench.run(rows, "2021Q3", ["standing", "double_standing"])
    assert results.value("double_standing", "U2").number == 2 * results.value("standing", "U2").number == 200


# -- few ---------------------------------------------------------------------------------------------------------------


def test_of_a_unit_with_three_voters_nothing_is_published(bench, task, ballots):
    rows = {
        "task": [task("1", "U1", "2021Q3", 10, 5), task("2", "U2", "2021Q3", 10, 5)],
        "ballot": ballots("U1", 3) + ballots("U2", 10, "fair"),
    }
    results = bench.run(rows, "2021Q3", ["approval", "overall", "fulfilment", "mixed"])
    assert {(v.measure, v.subject): v.group for v in results if v.group is not None and v.subject != "U3" and not v.member} == {
        ("approval", "U1"): 3, ("overall", "U1"): 3, ("mixed", "U1"): 3,
        ("approval", "U2"): 10, ("overall", "U2"): 10, ("mixed", "U2"): 10,
    }  # fmt: skip
    released = release(results, bench.scheme.minimum_group)
    for measure in ("approval", "overall", "mixed"):
        assert (released.value(measure, "U1").status, released.value(measure, "U1").number) == ("withheld", None)
        assert released.value(measure, "U2").status == "value"
    assert released.value("fulfilment", "U1").number == 50


def test_the_group_is_who_was_asked_not_who_answered_so(bench, ballots):
    """Of twelve of the staff one says poor: that is a figure about twelve. Of three others it is one about three."""
    rows = {
        "ballot": ballots("U1", 11, "good", "staff")
        + ballots("U1", 1, "poor", "staff")
        + ballots("U2", 3, "poor", "staff")
        + ballots("U2", 40, "good")
    }
    results = bench.run(rows, "2021Q3", ["staff_poor"])
    assert (results.value("staff_poor", "U1").number, results.value("staff_poor", "U1").group) == (1, 12)
    assert (results.value("staff_poor", "U2").number, results.value("staff_poor", "U2").group) == (3, 3)


# -- breakdowns --------------------------------------------------------------------------------------------------------


def test_a_breakdown_has_a_value_for_each_member_there_is(bench, task):
    rows = {
        "task": [
            task("1", "U1", "2021Q3", 10, 5), task("2", "U1", "2021Q3", 10, 8, indicator="b"),
            task("3", "U2", "2021Q3", 4, 1, indicator="b"), task("4", "U1", "2021Q2", 4, 1, indicator="c"),
        ]
    }  # fmt: skip
    results = bench.run(rows, "2021Q3", ["awarded_each", "score_each"])
    assert {(v.subject, v.member): v.number for v in results if v.measure == "score_each"} == {
        ("U1", "a"): 50, ("U1", "b"): 80, ("U2", "b"): 25,
    }  # fmt: skip
    assert {(v.subject, v.member): v.number for v in results if v.measure == "awarded_each" and v.subject == "D1"} == {
        ("D1", "a"): 5, ("D1", "b"): 9,
    }  # fmt: skip
    assert results.get("awarded_each", "D2") is None


def test_members_below_one_district_are_not_those_of_another(bench, task):
    rows = {"task": [task("1", "U1", "2021Q3", 10, 5), task("2", "U3", "2021Q3", 10, 8, indicator="b")]}
    results = bench.run(rows, "2021Q3", ["awarded_each"])
    assert {(v.subject, v.member) for v in results} == {("U1", "a"), ("D1", "a"), ("U3", "b"), ("D2", "b")}


# -- derived rows ------------------------------------------------------------------------------------------------------


def test_derived_rows_are_reduced_like_any(bench):
    contracts = [{"contract": c, "unit": u, "month": m, "wh": wh} for c, u, m, wh in (
        ("A", "U1", "2021-08", 100), ("B", "U1", "2021-08", 50), ("A", "U1", "2021-09", 100), ("A", "U1", "2021-10", 7),
        ("C", "U2", "2021-08", 9),
    )]  # fmt: skip
    supply = [{"unit": u, "month": m, "wh": wh} for u, m, wh in (
        ("U1", "2021-08", 2**62), ("U1", "2021-09", 2**62), ("U1", "2021-10", 3), ("U2", "2021-08", 5),
    )]  # fmt: skip
    results = bench.run({"contract": contracts, "supply": supply}, "2021Q3", ["settled_wh"])
    assert {s: results.value("settled_wh", s).number for s in ("U1", "U2")} == {"U1": 2**63, "U2": 5}
    assert results.value("settled_wh", "U3").status == "none"


def test_derived_rows_keep_every_kind_of_field(bench):
    """Two of five count: those that are firm and in force; 30 June at 16:30 in UTC is 1 July in the programme's zone."""
    days = {"until": "2021-09-30", "signed": "2021-06-30T16:30:00Z", "firm": True, "price": "0.25", "wh": 10}
    changed = ({}, {"signed": "2021-07-01T16:30:00Z"}, {"until": "2021-09-29"}, {"firm": False}, {"price": "1.5"})
    contracts = [
        {"contract": str(i), "unit": "U1", "month": "2021-08", **days, **change} for i, change in enumerate(changed)
    ]
    supply = [{"unit": "U1", "month": "2021-08", "wh": 50}]
    assert bench.value({"contract": contracts, "supply": supply}, "2021Q3", "owed", "U1").number == Fraction("17.5")


def test_an_instant_is_a_day_of_the_schemes_clock_in_formulas_too(bench):
    at = Expr("field", ("reading", "at"), "date", "reading")
    rows = {"reading": [reading("2021-07-31T16:00:00Z", 1), reading("2021-08-31T15:59:59Z", 10)]}
    found = bench.formulas(
        {"first": (at.min() - date(2021, 7, 1)).days, "last": (at.max() - date(2021, 7, 1)).days}, rows
    )
    assert [found[x].number for x in ("first", "last")] == [31, 61]


def test_rows_about_no_such_subject_are_a_fault(bench):
    from dataclasses import replace

    of_district = {"tasks": replace(bench.scheme.measures["tasks"], of="district", rollup="none")}
    with pytest.raises(Fault, match="tasks is of district, and no row of task is about one"):
        bench.run({}, "2021Q3", ["tasks"], scheme=replace(bench.scheme, measures=of_district, indices={}))
