"""Formulas: an engine reduces rows and the spine does the rest, and both say what plain fractions say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mingjian.base.errors import MingjianError
from mingjian.declare import (
    Expr,
    FormulaError,
    coalesce,
    expr_from_data,
    greatest,
    least,
    literal,
    where,
)  # fmt: skip

WH = Expr("field", ("reading", "wh"), "exact", "reading")
PRICE = Expr("field", ("reading", "price"), "exact", "reading")  # may be missing
METER = Expr("field", ("reading", "meter"), "text", "reading")
AT = Expr("field", ("reading", "at"), "date", "reading")
POINTS = Expr("table", ("points",), "table", None)
SHARE = Expr("param", ("share",), "exact", None)
UNKNOWN = PRICE > 0  # of a reading without a price


def points(key: Expr) -> Expr:
    return Expr("lookup", ("points", key), "exact", key.level)


def reading(meter: str, day: int, wh: int, price: str | None = None) -> dict[str, Any]:
    at = date(2021, 7, 1) + timedelta(days=day)
    row = {"meter": meter, "unit": "U1", "at": f"{at}T12:00:00+08:00", "wh": wh, "price": price}
    return {name: value for name, value in row.items() if value is not None}


# -- what is not known --------------------------------------------------------------------------------------------------

#: Over one reading of 10 Wh without a price: (a value of the row, what it comes to).
UNKNOWNS: Sequence[tuple[Expr, object]] = (
    (PRICE, None), (PRICE + WH, None), (PRICE * 0, None), (0 - PRICE, None),
    (coalesce(PRICE, 7), 7), (coalesce(PRICE, PRICE), None), (coalesce(PRICE, WH, 7), 10),
    (least(PRICE, WH), None), (greatest(PRICE, WH), None), (least(WH, 3), 3), (greatest(WH, 3, 4), 10),
    (where(PRICE.is_null(), 1, 2), 1), (where(~PRICE.is_null(), 1, 2), 2),
    (where(UNKNOWN, 1, 2), None), (where(~UNKNOWN, 1, 2), None),
    (where(UNKNOWN & (WH > 10), 1, 2), 2), (where(UNKNOWN & (WH == 10), 1, 2), None),
    (where((WH > 10) & UNKNOWN, 1, 2), 2), (where((WH == 10) | UNKNOWN, 1, 2), 1),
    (where(UNKNOWN | (WH == 10), 1, 2), 1), (where(UNKNOWN | (WH > 10), 1, 2), None),
    (where(WH == 10, PRICE, 2), None), (where(WH == 10, 1, PRICE), 1),
    (where(METER.isin(["good", "fair"]), 1, 2), 1), (where(METER.isin(["poor"]), 1, 2), 2),
    (points(METER), 90), (points(where(WH == 10, "bad", "good")), None), (points(where(UNKNOWN, "good", "good")), None),
    (WH / (WH - 10), None), (WH / 4, 2.5), ((WH - 6) ** 0.5, 2.0), ((WH - 11) ** 0.5, None), ((WH - 10) ** -1, None),
    ((AT - date(2021, 6, 1)).days, 30), (where(AT < date(2021, 7, 2), 1, 2), 1),  # noqa: SIM300  the field stands first
)  # fmt: skip


def test_unknown_stays_unknown_in_rows_and_on_the_spine_alike(bench):
    """Each value is reduced over its one row, and made again on the spine from reduced fields; they agree."""
    rows = {"reading": [reading("good", 0, 10)]}
    asked = {f"r{i}": expr.max() for i, (expr, _) in enumerate(UNKNOWNS)}
    asked |= {f"s{i}": _on_spine(expr) for i, (expr, _) in enumerate(UNKNOWNS)}
    found = bench.formulas(asked, rows)
    for i, (expr, expected) in enumerate(UNKNOWNS):
        for place in "rs":
            assert found[f"{place}{i}"].number == expected, (place, expr)


def _on_spine(expr: Expr) -> Expr:
    """The formula with the row's fields reduced first; a text is chosen there by a number."""
    match expr.op:
        case "field" if expr.kind == "text":
            return where(WH.max() == 10, "good", "poor")
        case "field":
            return Expr("max", (expr, None), expr.kind, "")
        case "coalesce" | "least" | "greatest":
            return Expr(expr.op, (tuple(_on_spine(x) for x in expr.args[0]),), expr.kind, "")
        case "isin":
            return _on_spine(expr.args[0]).isin(list(expr.args[1]))
        case "lit":
            return expr
    return Expr(expr.op, tuple(_on_spine(a) if isinstance(a, Expr) else a for a in expr.args), expr.kind, "")


def test_reductions_pass_over_what_is_not_known(bench):
    rows = {"reading": [reading("good", 0, 10), reading("good", 1, 4, "2.5"), reading("fair", 2, 4, "0.5")]}
    dear = PRICE > 1  # unknown of the first: a condition that is not known does not let a row through
    expected = {
        PRICE.sum(): 3, PRICE.mean(): Fraction(3, 2), PRICE.count(): 2, PRICE.min(): Fraction(1, 2), PRICE.max(): Fraction(5, 2),
        WH.distinct(): 2, METER.distinct(): 2, PRICE.distinct(): 2, WH.sum(where=dear): 4, WH.sum(where=~dear): 4,
        WH.sum(where=PRICE.is_null()): 10, WH.mean(where=dear): 4, WH.count(where=dear): 1, WH.count(where=WH > 10): 0,
        WH.sum(where=WH > 10): None, WH.mean(where=WH > 10): None, METER.count(where=METER == "fair"): 1,
        Expr("rows", ("reading", None), "exact", ""): 3, Expr("rows", ("reading", dear), "exact", ""): 1,
        WH.distinct(where=dear): 1, (AT.max() - AT.min()).days: 2, WH.sum(where=SHARE > 1): None, WH.sum(where=SHARE > 0): 18,
    }  # fmt: skip
    found = bench.formulas({f"x{i}": expr for i, expr in enumerate(expected)}, rows)
    assert {repr(e): found[f"x{i}"].number for i, e in enumerate(expected)} == {repr(e): n for e, n in expected.items()}


def test_no_score_is_a_number_that_is_none(bench):
    """0 to the power of -1 and the root of -1 are no numbers, wherever they come up."""
    rows = {"reading": [reading("good", 0, 0), reading("good", 1, -1), reading("good", 2, 4)]}
    asked = {f"{p}{op}": getattr(WH**p, op)() for p in (-1, 0.5, 1e9) for op in ("sum", "mean", "min", "max", "count")}
    found = bench.formulas(asked, rows)
    assert {name: value.number for name, value in found.items()} == {
        "-1sum": -0.75, "-1mean": -0.375, "-1min": -1, "-1max": 0.25, "-1count": 2,
        "0.5sum": 2, "0.5mean": 1, "0.5min": 0, "0.5max": 2, "0.5count": 2,
        "1000000000.0sum": 1, "1000000000.0mean": 0.5, "1000000000.0min": 0, "1000000000.0max": 1, "1000000000.0count": 2,
    }  # fmt: skip


def test_whole_numbers_of_any_size_may_stand_in_a_formula(bench):
    large = 10**25
    rows = {"reading": [reading("good", 0, 10)]}
    found = bench.formulas({"a": (WH + large).sum(), "b": WH.sum() * large, "c": (WH * Decimal("1e10")).sum()}, rows)
    assert [found[x].number for x in "abc"] == [large + 10, large * 10, 10**11]


def test_a_product_in_a_row_beyond_64_bits_says_what_a_row_holds(bench):
    rows = {"reading": [reading("good", 0, 2**32)]}
    with pytest.raises(MingjianError, match="too large") as error:
        bench.formulas({"a": (WH * WH).sum()}, rows)
    assert "whole numbers of one row hold 64 bits" in error.value.remedy


def test_numbers_of_any_places_meet_in_a_formula(bench):
    """Of 90 and 0.5 neither type holds the other's numbers."""
    rows = {"reading": [reading("good", 0, 10, "0.000001")]}
    half, tiny = points(METER) * Decimal("0.5"), where(WH > 0, Decimal("1e-20"), points(METER))
    found = bench.formulas(
        {"a": half.sum(), "b": least(points(METER), Decimal("0.125"), PRICE).sum(), "c": tiny.sum()}, rows
    )
    assert [found[x].number for x in "abc"] == [45, Fraction(1, 10**6), Fraction(1, 10**20)]


def test_a_product_beyond_what_the_engine_holds_is_refused(bench):
    with pytest.raises(MingjianError, match="too large"):
        bench.formulas({"x": (WH * WH * WH).sum()}, {"reading": [reading("good", 0, 2**62)]})


# -- what no formula can do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "COPY task TO '/tmp/mingjian_out.csv'",
        "ATTACH '/tmp/mingjian_other.duckdb'", "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true",
        "SET lock_configuration = false", "RESET enable_external_access", "SELECT * FROM other.task",
    ],
)  # fmt: skip
def test_the_engine_of_a_view_reaches_nothing_else(bench, sql):
    import duckdb

    with bench.open({}) as (_, view, _), pytest.raises(duckdb.Error):
        view.connection.con.execute(sql).fetchall()


@pytest.mark.parametrize(
    "data",
    [
        ["sql", "exact", "", "SELECT 1"],
        ["field", "exact", "reading", "reading"],
        ["sum", "exact", "", ["field", "exact", "task", "task", "x"], ["sql"]],
        ["rows", "exact", "", "read_text('/etc/passwd')", ["lit", "flag", None, "1"]],
        ["add", "exact", None, ["lit", "exact", None, "1"]],
        "reading.wh.sum()", 7, None, [],
    ],
)  # fmt: skip
def test_data_of_no_formula_is_refused(data):
    with pytest.raises(FormulaError):
        expr_from_data(data)


# -- against fractions --------------------------------------------------------------------------------------------------
# A second evaluator, over rows as dicts, in which None is "not known". It shares nothing with the engine or the spine.

Cell = Any
Row = Mapping[str, Cell]
TABLE = {"good": Fraction(90), "fair": Fraction(50)}  # as in force on 30 September 2021
REDUCTIONS: Mapping[str, Callable[[list[Cell]], Cell]] = {
    "sum": sum, "mean": lambda cells: sum(cells, Fraction(0)) / len(cells), "min": min, "max": max,
}  # fmt: skip
OPERATIONS: Mapping[str, Callable[..., Cell]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else None, "floordiv": lambda a, b: Fraction(a // b) if b else None,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b, "gt": lambda a, b: a > b,
    "le": lambda a, b: a <= b, "ge": lambda a, b: a >= b,
    "not": lambda a: not a,
}  # fmt: skip


def worth(expr: Expr, rows: Sequence[Row], row: Row | None = None) -> Cell:
    """What a formula comes to: of ``row`` where it stands at rows, else of all of them."""
    match expr.op, expr.args:
        case "lit", (text,):
            return {"exact": Fraction, "text": str}[expr.kind](text)
        case "param", _:
            return Fraction(3, 4)
        case "field", (_, name):
            return row[name]
        case "lookup", (_, key):
            return TABLE.get(worth(key, rows, row))
        case "isnull", (x,):
            return worth(x, rows, row) is None
        case "isin", (x, words):
            return worth(x, rows, row) in [w.args[0] for w in words]
        case "where", (condition, then, otherwise):
            held = worth(condition, rows, row)
            return None if held is None else worth(then if held else otherwise, rows, row)
        case "coalesce" | "least" | "greatest" as op, (parts,):
            cells = [worth(part, rows, row) for part in parts]
            if op == "coalesce":
                return next((c for c in cells if c is not None), None)
            return None if None in cells else (min if op == "least" else max)(cells)
        case "and" | "or" as op, (a, b):
            cells = [worth(a, rows, row), worth(b, rows, row)]
            decisive = op == "or"
            return decisive if decisive in cells else None if None in cells else not decisive
        case "rows" | "count" | "distinct" | "sum" | "mean" | "min" | "max" as op, (what, condition):
            kept = [r for r in rows if condition is None or worth(condition, rows, r)]
            if op == "rows":
                return Fraction(len(kept))
            cells = [c for c in (worth(what, rows, r) for r in kept) if c is not None]
            if op in ("count", "distinct"):
                return Fraction(len(cells if op == "count" else set(cells)))
            return REDUCTIONS[op](cells) if cells else None
    cells = [worth(x, rows, row) for x in expr.args]
    return None if None in cells else OPERATIONS[expr.op](*cells)


NUMBERS = st.one_of(
    st.integers(-1000, 1000), st.decimals(-100, 100, places=3), st.just(Decimal("0.5")), st.just(0)
).map(literal)  # fmt: skip
CELLS = st.one_of(st.sampled_from([WH, PRICE, points(METER), SHARE, coalesce(PRICE, 0)]), NUMBERS)


def _grown(numbers: st.SearchStrategy[Expr], reduced: bool) -> st.SearchStrategy[Expr]:
    flags = st.one_of(
        st.builds(
            lambda op, a, b: op(a, b),
            st.sampled_from([Expr.__lt__, Expr.__ge__, Expr.__eq__, Expr.__ne__]),
            numbers,
            numbers,
        ),
        numbers.map(Expr.is_null),
    )
    flags = st.one_of(
        flags, flags.map(Expr.__invert__), st.builds(Expr.__and__, flags, flags), st.builds(Expr.__or__, flags, flags)
    )
    over = [Expr.__truediv__, Expr.__floordiv__] if reduced else []
    return st.one_of(
        st.builds(lambda op, a, b: op(a, b), st.sampled_from([Expr.__add__, Expr.__sub__, *over]), numbers, numbers),
        st.builds(lambda op, a, b: op(a, b), st.sampled_from([coalesce, least, greatest]), numbers, numbers),
        st.builds(where, flags, numbers, numbers),
        st.builds(Expr.__mul__, numbers, NUMBERS if not reduced else numbers),
    )


CONDITIONS = st.one_of(
    st.none(),
    st.builds(Expr.__gt__, CELLS, NUMBERS).filter(lambda e: e.level),
    st.sampled_from([METER == "good", METER != "fair", METER.isin(["fair", "bad"]), PRICE.is_null(), ~(PRICE >= 1)]),
    st.sampled_from([(PRICE > 1) | (METER == "good"), (PRICE > 1) & (WH > 0)]),
)
VALUES = st.recursive(CELLS, lambda inner: _grown(inner, reduced=False), max_leaves=4).filter(lambda e: e.level)
REDUCED = st.one_of(
    st.builds(lambda op, value, condition: getattr(value, op)(where=condition),
              st.sampled_from(["sum", "mean", "min", "max", "count", "distinct"]), VALUES, CONDITIONS),
    st.builds(lambda condition: Expr("rows", ("reading", condition), "exact", ""), CONDITIONS),
)  # fmt: skip
FORMULAS = st.recursive(st.one_of(REDUCED, NUMBERS), lambda inner: _grown(inner, reduced=True), max_leaves=5)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["good", "fair", "bad"]), st.integers(-(10**9), 10**9),
        st.one_of(st.none(), st.decimals(-1000, 1000, places=6)),
    ),
    max_size=6,
)  # fmt: skip


# Not shrunk: every try is a run of the engine, and what fails is named by itself.
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(formulas=st.lists(FORMULAS.filter(lambda e: e.kind == "exact"), min_size=12, max_size=12), rows=ROWS)
def test_engine_and_spine_say_what_fractions_say(bench, formulas, rows):
    given_rows = [reading(meter, day, wh, None if p is None else str(p)) for day, (meter, wh, p) in enumerate(rows)]
    plain = [{"meter": meter, "wh": Fraction(wh), "price": None if p is None else Fraction(p)} for meter, wh, p in rows]
    found = bench.formulas({f"x{i}": expr for i, expr in enumerate(formulas)}, {"reading": given_rows})
    for i, expr in enumerate(formulas):
        assert found[f"x{i}"].number == worth(expr, plain), expr
