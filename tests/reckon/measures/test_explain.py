"""Why a number is what it is: every figure it was made of, down to the rows, and no row that it was not."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.reckon.measures import explain, explain_each, lineage


@pytest.fixture(scope="module")
def rows(task, ballots):
    return {
        "indicator": [
            {"code": "a", "aspect": "x", "weight": 30, "since": "2021-01-01"},
            {"code": "b", "aspect": "x", "weight": 10, "since": "2021-01-01"},
            {"code": "c", "aspect": "y", "weight": 60, "since": "2021-01-01"},
        ],
        "task": [  # the void one counts in all but `fulfilment`
            task("1", "U1", "2021Q3", 10, 8), task("2", "U1", "2021Q3", 10, 2, indicator="b"),
            task("3", "U1", "2021Q3", 10, 9, state="void"), task("4", "U1", "2021Q2", 10, 9), task("5", "U2", "2021Q3", 10, 9),
        ],
        "ballot": [*ballots("U1", 9, "good"), *ballots("U1", 3, "fair", "staff"), *ballots("U2", 3, "good")],
        "item": [
            {"item": "old", "received": "2021-03-31", "about": "L1", "weight": 1},
            {"item": "new", "received": "2021-09-30", "about": "L1", "weight": 2},
            {"item": "other", "received": "2021-09-30", "about": "L2", "weight": 4},
        ],
        "contract": [{"contract": c, "unit": "U1", "month": m, "wh": 50} for c in "AB" for m in ("2021-08", "2021-09")],
        "supply": [{"unit": "U1", "month": m, "wh": 60} for m in ("2021-08", "2021-10")],
    }  # fmt: skip


@pytest.fixture(scope="module")
def opened(bench, rows):
    with bench.open(rows) as parts:
        yield parts


@pytest.fixture(scope="module")
def told(opened):
    def told(measure, subject, period="2021Q3", member=""):
        return explain(*opened, measure, subject, Period.parse(period), member)

    return told


def test_a_measure_shows_its_formula_its_figures_and_their_rows(told):
    found = told("fulfilment", "U1")
    assert found.value.number == 50
    assert found.formula.startswith("((100 * task.awarded.sum(where=")
    awarded, possible = found.reductions
    assert (awarded.text, awarded.kind, awarded.value, awarded.count) == (
        'task.awarded.sum(where=(task.state != "void"))', "task", 10, 2,
    )  # fmt: skip
    assert possible.value == 20
    assert [(r.entry, r.row, r.line, r.data["task"]) for r in awarded.rows] == [(0, 0, 1, "1"), (0, 1, 2, "2")]
    assert awarded.rows[0].data["awarded"] == Decimal("8.00")
    assert not any(name.startswith("_") for name in awarded.rows[0].data)


def test_inputs_and_parameters_come_with_what_laid_them_down(told):
    found = told("overall", "U1")
    (share,) = found.parameters
    assert (share.id, share.value, share.start, share.source) == ("share", Decimal("0.75"), date(2021, 9, 30), "Rule 5")
    fulfilment, approval = found.inputs
    assert (fulfilment.value.measure, approval.value.measure) == ("fulfilment", "approval")
    assert approval.parameters[0].value == {"good": 90, "fair": 50}
    assert found.value.number == Fraction(share.value) * 50 + Fraction(1 - share.value) * approval.value.number


def test_a_parameter_not_yet_in_force_is_shown_as_such(told):
    (share,) = told("overall", "U1", "2020Q4").parameters
    assert (share.id, share.value, share.start) == ("share", None, None)


def test_single_ballots_are_shown_to_nobody(told):
    (reduction,) = told("approval", "U1").reductions
    assert (reduction.ballots, reduction.count, reduction.rows) == (True, 12, ())


def test_a_breakdown_shows_the_members_rows(told):
    found = told("score_each", "U1", member="b")
    assert found.value.number == 20
    assert [r.data["task"] for r in found.reductions[0].rows] == ["2"]
    assert [r.data["task"] for r in found.inputs[0].reductions[0].rows] == ["2"]


def test_a_window_shows_the_rows_of_all_its_time(told):
    (reduction,) = told("gravity", "L1").reductions
    assert [r.data["item"] for r in reduction.rows] == ["old", "new"]
    (pooled,) = told("items", "U1").reductions
    assert [r.data["item"] for r in pooled.rows] == ["new", "other"]


def test_previous_shows_the_period_before_even_where_the_subject_was_not_there(bench, rows, stating, told):
    before = told("change", "U1").inputs[1]
    assert (before.value.period, before.value.number) == ("2021Q2", 90)
    young = [stating("D1", "district"), stating("U1", "unit", "D1", "2021-07-01"), stating("U2", "unit", "D1")]
    young += [stating("L1", "leader", "U1"), stating("L2", "leader", "U2")]
    with bench.open(rows | {"subject": young}) as parts:
        found = explain(*parts, "change", "U1", Period.parse("2021Q3"))
    assert found.value.status == "none"
    assert (found.inputs[1].value.period, found.inputs[1].value.status, found.inputs[1].formula) == (
        "2021Q2",
        "none",
        "no rows",
    )


def test_a_sum_of_those_below_shows_what_each_brings(told):
    found = told("tasks", "D1")
    assert found.formula == "sum of tasks of each unit"
    assert {part.value.subject: part.value.number for part in found.inputs} == {"U1": 3, "U2": 1}


def test_derived_rows_are_shown_as_they_were_derived(told):
    (reduction,) = told("settled_wh", "U1").reductions
    assert reduction.value == 60
    assert [(r.data["contract"], r.data["month"], r.data["part"]) for r in reduction.rows] == [
        ("A", "2021-08", 30), ("B", "2021-08", 30),
    ]  # fmt: skip


# -- indices -----------------------------------------------------------------------------------------------------------


def test_contributions_of_an_index_sum_to_it_at_every_node(told):
    found = told("assessment", "U1")
    x, y = found.inputs
    assert (x.value.member, x.weight, y.weight) == ("x", 40, 60)
    assert (y.value.status, y.contribution) == ("none", None)
    assert x.contribution == pytest.approx(found.value.number, rel=1e-12)
    a, b = x.inputs
    assert a.contribution + b.contribution == pytest.approx(x.value.number, rel=1e-12)
    assert (a.weight, a.contribution) == (30, pytest.approx(0.75 * 85))
    assert y.inputs[0].formula == "no rows: leaves the denominator"
    assert told("assessment", "U1", member="x").value.number == x.value.number


def test_contributions_are_on_the_leafs_own_scale(told):
    """Approval 80 is 60 on the way from 50 to 100, and brings 0.3 of that; a geometric node's parts are factors."""
    found = told("mixed", "U1")
    approval, work = found.inputs
    assert approval.value.number == 80
    assert approval.contribution == pytest.approx(0.3 * 60)
    assert approval.contribution + work.contribution == pytest.approx(found.value.number, rel=1e-12)
    factors = [part.contribution for part in work.inputs]
    assert factors[0] * factors[1] == pytest.approx(work.value.number, rel=1e-12)


def test_a_standing_is_explained_among_the_same_peers(bench, told, rows):
    whole = bench.run(rows, "2021Q3", ["standing", "double_standing"])
    for measure in ("standing", "double_standing"):
        assert told(measure, "U1").value == whole.value(measure, "U1")
    contributions = [part.contribution for part in told("standing", "U1").inputs]
    assert sum(contributions) == pytest.approx(whole.value("standing", "U1").number)


@pytest.mark.parametrize(("measure", "subjects"), [("fulfilment", ["U1", "U2"]), ("assessment", ["U2", "U1", "U2"])])
def test_many_are_explained_together_as_each_alone(opened, told, measure, subjects):
    each = explain_each(*opened, measure, subjects, Period.parse("2021Q3"))
    assert list(each) == [told(measure, subject) for subject in subjects]


def test_an_empty_dimension_is_told(bench, rows):
    with bench.open(rows | {"indicator": []}) as parts:
        found = explain(*parts, "assessment", "U1", Period.parse("2021Q3"))
    assert (found.value.status, found.inputs) == ("none", ())


@pytest.mark.parametrize(
    ("measure", "subject", "period", "member", "message"),
    [
        ("fulfilled", "U1", "2021Q3", "", "declares no measure fulfilled"),
        ("fulfilment", "U9", "2021Q3", "", "no subject U9"),
        ("fulfilment", "U1", "2019Q4", "", "no value of fulfilment for U1 in 2019Q4"),
        ("fulfilment", "U1", "2021", "", "fulfilment is reckoned by quarter"),
        ("fulfilment", "U1", "2021Q3", "a", r"no value of fulfilment for U1 \(a\)"),
        ("assessment", "U1", "2021Q3", "z", r"no value of assessment for U1 \(z\)"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_not_explained(told, measure, subject, period, member, message):
    with pytest.raises(Misuse, match=message):
        told(measure, subject, period, member)


# -- lineage -----------------------------------------------------------------------------------------------------------


def test_lineage_has_the_rows_that_the_conditions_let_through(opened):
    found = lineage(*opened, Period.parse("2021Q3"), only=["fulfilment", "gravity"])
    assert found["U1"] == {"task": ((0, 0), (0, 1)), "item": ((0, 0), (0, 1), (0, 2))}
    assert found["U2"] == {"task": ((0, 4),)}
    assert found["L1"] == {"item": ((0, 0), (0, 1))}
    assert found["D1"]["task"] == ((0, 0), (0, 1), (0, 4))


def test_lineage_of_derived_rows_is_what_they_were_derived_from(opened):
    found = lineage(*opened, Period.parse("2021Q3"), only=["settled_wh"])
    assert set(found["U1"]) == {"contract", "supply"}
    assert found["U1"]["supply"] == ((0, 0),)


def test_lineage_of_some_is_that_part_of_all(opened):
    whole = lineage(*opened, Period.parse("2021Q3"))
    assert lineage(*opened, Period.parse("2021Q3"), subjects=["U1"]) == {
        s: whole[s] for s in ("L1", "L2", "U1") if s in whole
    }
    assert (0, 2) in whole["U1"]["task"]  # `tasks` counts the void one too
