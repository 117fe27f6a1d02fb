"""Formulas as data: what can be built, what cannot, and the way to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.declare import (
    Expr,
    FormulaError,
    carry,
    coalesce,
    expr_from_data,
    formula_text,
    greatest,
    least,
    literal,
    previous,
    split,
    walk,
    where,
)
from mingjian.declare._expressions import lookup
from mingjian.declare._record import Rows, Table, bound, inputs_of, measure, parameter, record, record_rows

task = Rows("task", {"points": "exact", "state": "text", "day": "date", "late": "flag", "unit": "text"})
visit = Rows("visit", {"marks": "exact"})
total = measure("total", "exact")


@pytest.mark.parametrize(
    ("expr", "kind", "level", "text"),
    [
        (task.points + 1, "exact", "task", "(task.points + 1)"),
        (1 - task.points, "exact", "task", "(1 - task.points)"),
        (2 * task.points * Decimal("0.50"), "exact", "task", "((2 * task.points) * 0.50)"),
        (-task.points, "exact", "task", "(0 - task.points)"),
        (task.points / 2, "score", "task", "(task.points / 2)"),
        (1 + task.points.sum() / task.count(), "exact", "", "(1 + (task.points.sum() / task.count()))"),
        (1 / total, "exact", "", "(1 / total)"),
        (total // 1000, "exact", "", "(total // 1000)"),
        (0.5**total, "score", "", "(0.5 ** total)"),
        (total**2, "score", "", "(total ** 2)"),
        (task.points.mean(where=task.late & ~(task.state == "open")), "exact", "",
         'task.points.mean(where=(task.late & ~(task.state == "open")))'),
        (task.count(where=task.late | task.points.is_null()), "exact", "",
         "task.count(where=(task.late | task.points.is_null()))"),
        (task.state.distinct() + task.points.count(), "exact", "", "(task.state.distinct() + task.points.count())"),
        (task.points.min() - task.points.max(), "exact", "", "(task.points.min() - task.points.max())"),
        ((bound("period_end") - task.day).days, "exact", "task", "(period_end - task.day).days"),
        ((task.day - date(2021, 1, 1)).days, "exact", "task", "(task.day - 2021-01-01).days"),
        (task.day.max(), "date", "", "task.day.max()"),
        (task.state.isin(["open", "late"]), "flag", "task", 'task.state.isin(["open", "late"])'),
        (task.state != "open", "flag", "task", '(task.state != "open")'),
        ((total > 1) & (total >= 1) & (total < 2) & (total <= 2), "flag", "",
         "((((total > 1) & (total >= 1)) & (total < 2)) & (total <= 2))"),
        (Table("marks")[task.state], "exact", "task", "marks[task.state]"),
        (where(task.late, 0, task.points), "exact", "task", "where(task.late, 0, task.points)"),
        (where(total > 1, 0.5, total), "score", "", "where((total > 1), 0.5, total)"),
        (coalesce(total, 0), "exact", "", "coalesce(total, 0)"),
        (least(total, parameter("cap")), "exact", "", "least(total, cap)"),
        (greatest(total, 0), "exact", "", "greatest(total, 0)"),
        (previous(total), "exact", "", "previous(total)"),
        (split(visit.marks.sum(), over=task.unit, weight=task.points), "exact", "task",
         "split(visit.marks.sum(), task.unit, task.points)"),
        (carry(task.points, unit=1000)[0], "exact", "task", "carry_whole(task.points, 1000)"),
        (carry(task.points, unit=1000)[1], "exact", "task", "carry_rest(task.points, 1000)"),
        (literal(True), "flag", None, "true"),
    ],
)  # fmt: skip
def test_a_formula_has_a_kind_a_level_and_a_text_and_comes_back_from_data(
    expr: Expr, kind: str, level: str | None, text: str
) -> None:
    again = expr_from_data(json.loads(json.dumps(expr.data())))

    assert (expr.kind, expr.level, formula_text(expr), repr(expr)) == (kind, level, text, text)
    assert again.data() == expr.data()
    assert next(walk(again)).op == expr.op


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda: task.points + visit.marks, "no row of one belongs to a row of the other"),
        (lambda: task.points - task.points.mean(), "mixes single rows of task with a value of the whole subject"),
        (lambda: task.points.sum(where=visit.marks > 1), "mixes rows"),
        (lambda: task.points.sum().sum(), "already one value a subject"),
        (lambda: literal(1).sum(), "already one value a subject"),
        (lambda: task.state.sum(), "sum needs exact or score, not text"),
        (lambda: task.late.max(), "max needs"),
        (lambda: task.points.sum(where=task.points), "where of sum needs flag"),
        (lambda: task.state + 1, "add needs"),
        (lambda: task.points // 2, "round down once"),
        (lambda: total // 0.5, "round down once"),
        (lambda: task.state < "open", "cannot be compared by <"),
        (lambda: task.state == 1, "cannot be compared by =="),
        (lambda: task.points & task.late, "and needs flag"),
        (lambda: bool(total > 1), "no truth value"),
        (lambda: where(total, 1, 2), "where needs flag"),
        (lambda: where(task.late, 1, "x"), "where of exact and text"),
        (lambda: coalesce(total, "x"), "values of one kind"),
        (lambda: previous(total + 1), "takes a measure"),
        (lambda: split(total, over=task.unit, weight=task.points), "takes a reduction"),
        (lambda: split(visit.marks.sum(), over=task.unit, weight=task.points / 2), "weight of split needs exact"),
        (lambda: carry(task.points / 2, unit=10), "carry needs exact"),
        (lambda: carry(task.points, unit=0.5), "unit of carry needs exact"),
        (lambda: Table("marks")[task.points], "lookup needs text"),
        (lambda: task.state.isin([1]), "list of texts"),  # type: ignore[list-item]
        (lambda: lookup(task.points, "open"), "only a parameter that is a table"),
        (lambda: task.state.isin([]), "list of texts"),
        (lambda: task.points.days, "days needs span"),
        (lambda: literal(float("nan")), "float is no value"),
        (lambda: literal(Decimal("Infinity")), "Decimal is no value"),
        (lambda: literal([1]), "list is no value"),
        (lambda: task.pionts, "did you mean points"),
        (lambda: task.wealth, "its fields are points"),
    ],
)
def test_a_formula_that_mixes_wrongly_cannot_be_built(build: Callable[[], object], why: str) -> None:
    with pytest.raises(FormulaError, match=why):
        build()


def test_rows_have_no_private_names() -> None:
    assert not hasattr(task, "_private")


def test_a_formula_is_recorded_by_calling_it_once() -> None:
    def fulfilment(task: Rows, cap: Expr) -> Expr:
        return least(task.points.sum(), cap)

    assert inputs_of(fulfilment) == ("task", "cap")
    assert str(record(fulfilment, {"task": task, "cap": parameter("cap")})) == "least(task.points.sum(), cap)"
    assert str(record(lambda: 5, {})) == "5"


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (lambda: task.points, "one value for each row of task"),
        (lambda: task.day.max(), "is a date, not a number"),
        (lambda: None, "NoneType is no value"),
    ],
)
def test_a_measure_gives_one_number(formula: Callable[[], object], why: str) -> None:
    with pytest.raises(FormulaError, match=why):
        record(formula, {})


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (lambda: task.points, "returns a dict"),
        (lambda: {}, "returns a dict"),
        (lambda: {"a": visit.marks}, "result a is exact at level 'visit'"),
        (lambda: {"a": task.points / 2}, "result a is score"),
    ],
)
def test_a_derivation_gives_exact_values_for_its_rows(formula: Callable[[], object], why: str) -> None:
    with pytest.raises(FormulaError, match=why):
        record_rows(formula, {}, "task")


def test_a_formula_has_no_options() -> None:
    for formula in (lambda task=1: task, lambda *task: task, lambda **task: task):
        with pytest.raises(FormulaError, match="default or a star"):
            inputs_of(formula)


# -- data from strangers --------------------------------------------------------------------------------------------------
numbers = (
    st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.floats(allow_nan=False, allow_infinity=False)
)


def _numeric(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / p[1]),
        pairs.map(lambda p: where(p[0] > p[1], p[0], p[1])),
        pairs.map(lambda p: coalesce(p[0], p[1])),
        pairs.map(lambda p: least(p[0], p[1], 1)),
    )


leaves = st.one_of(
    numbers.map(literal),
    st.sampled_from([total, previous(total), parameter("cap"), task.points.sum(), task.count(task.late)]),
    st.text(max_size=5).map(lambda word: task.count(where=task.state == word)),
    st.dates().map(lambda day: task.points.max(where=task.day >= day)),
)
formulas = st.recursive(leaves, _numeric, max_leaves=12)


@given(formulas)
def test_any_formula_comes_back_from_its_data(expr: Expr) -> None:
    data = json.loads(json.dumps(expr.data()))

    again = expr_from_data(data)

    assert again.data() == expr.data()
    assert formula_text(again) == formula_text(expr)


hostile = st.recursive(
    st.none()
    | st.integers()
    | st.sampled_from(
        ["", "add", "lit", "sum", "exact", "flag", "task", "field", "where", "isin", "lookup", "split", "1", "nan", "x"]
    ),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=30,
)


@given(hostile)
def test_any_other_data_is_refused_or_is_exactly_a_formula(data: Any) -> None:
    try:
        expr = expr_from_data(data)
    except FormulaError:
        return
    assert expr.data() == data


@given(formulas, st.randoms(use_true_random=False), hostile)
def test_a_changed_formula_is_refused_or_is_exactly_another(expr: Expr, random: Any, other: Any) -> None:
    data = json.loads(json.dumps(expr.data()))
    place = data
    while random.random() < 0.7 and (lists := [item for item in place if isinstance(item, list) and item]):
        place = random.choice(lists)
    place[random.randrange(len(place))] = other

    try:
        again = expr_from_data(data)
    except FormulaError:
        return
    assert again.data() == data


@pytest.mark.parametrize(
    "data",
    [
        ["lit", "exact", None, "1e9"],
        ["lit", "exact", None, "9" * 100],
        ["lit", "score", None, "nan"],
        ["lit", "score", None, "1.50"],
        ["lit", "date", None, "2021-13-01"],
        ["lit", "span", None, "1"],
        ["lit", "flag", None, "yes"],
        ["lit", "exact", "task", "1"],
        ["field", "exact", "visit", "task", "points"],
        ["field", "exact", "task", "task"],
        ["add", "exact", None, ["lit", "exact", None, "1"]],
        ["sum", "exact", "", "task", None],
        ["rows", "exact", "", ["lit", "exact", None, "1"], None],
        ["add", "score", None, ["lit", "exact", None, "1"], ["lit", "exact", None, "1"]],
        ["isin", "flag", "task", ["field", "text", "task", "task", "state"], [["lit", "exact", None, "1"]]],
        ["eval", "exact", None, "1"],
        {"op": "lit"},
        "lit",
    ],
)
def test_data_that_breaks_a_rule_is_refused(data: object) -> None:
    with pytest.raises(FormulaError):
        expr_from_data(data)


def test_data_is_bounded_in_depth_and_size() -> None:
    deep: Any = ["lit", "exact", None, "1"]
    for _ in range(70):
        deep = ["add", "exact", None, deep, ["lit", "exact", None, "1"]]
    nested: Any = []
    for _ in range(5_000):
        nested = [nested]
    wide = ["least", "exact", None, [["lit", "exact", None, "1"]] * 5_000]

    for data in (deep, nested, wide):
        with pytest.raises(FormulaError):
            expr_from_data(data)
