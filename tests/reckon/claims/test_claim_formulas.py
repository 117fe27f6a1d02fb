"""Formulas over published figures: exact, with units, and never more certain than what was printed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.reckon.claims._formulas import Amount, evaluate, names_in, scale, with_values

WHOLE = st.integers(-1000, 1000)


def bare(value: int | str | Fraction, doubt: int | Fraction = 0) -> Amount:
    exact = Fraction(value)
    return Amount(exact, exact - doubt, exact + doubt)


def of(value: str, unit: str) -> Amount:
    factor, dimension = scale(unit)
    exact = Fraction(value) * factor
    return Amount(exact, exact, exact, dimension)


@given(WHOLE, WHOLE, WHOLE)
def test_arithmetic_is_exact(a: int, b: int, c: int) -> None:
    names = {"a": bare(a), "b": bare(b), "c": bare(c)}
    assert evaluate("a * (b - c) + 0.1", names).value == a * (b - c) + Fraction(1, 10)
    assert evaluate("-a - b * c", names).value == -a - b * c
    assume(c)
    assert evaluate("a / c * c", names).value == a


@given(
    *(st.fractions(-50, 50, max_denominator=20) for _ in range(2)), *(st.fractions(0, 3, max_denominator=9),) * 2,
    *(st.fractions(-1, 1, max_denominator=9),) * 2, st.sampled_from(["a + b", "a - b", "a * b", "a / b", "-a", "a * b - b"]),
)  # fmt: skip
def test_the_bounds_hold_whatever_the_true_figures_were(
    a: Fraction, b: Fraction, doubt_a: Fraction, doubt_b: Fraction, at_a: Fraction, at_b: Fraction, formula: str
) -> None:
    assume("/" not in formula or abs(b) > doubt_b)
    printed = evaluate(formula, {"a": bare(a, doubt_a), "b": bare(b, doubt_b)})
    true = evaluate(formula, {"a": bare(a + at_a * doubt_a), "b": bare(b + at_b * doubt_b)})
    assert printed.low <= true.value <= printed.high
    assert printed.low <= printed.value <= printed.high


@given(st.integers(0, 10**12), st.integers(1, 9))
def test_a_root_undoes_a_power(base: int, degree: int) -> None:
    number = Fraction(base, 1000)
    assert evaluate(f"root(a ** {degree}, {degree})", {"a": bare(number)}).value == number
    low = evaluate(f"root(a, {degree})", {"a": bare(number)}).value
    assert low**degree <= number < (low + Fraction(1, 10**30)) ** degree


def test_units_go_through_the_arithmetic() -> None:
    names = {
        "energy": of("60", "GWh"),
        "rate": of("838", "kg/MWh"),
        "share": of("10", "percent"),
        "field": of("9", "m2"),
    }
    assert evaluate("energy * rate", names) == of("50280", "t")
    assert evaluate("energy * rate / energy", names).dimension == scale("kg/MWh")[1]
    assert evaluate("1 + share", names) == bare("1.1")
    assert evaluate("round(energy / energy / 3, 2)", names) == bare("0.33")
    assert evaluate("root(energy ** 3, 3)", names).dimension == scale("Wh")[1]
    for wrong in ("energy + rate", "energy + 1", "root(energy, 2)", "round(energy, 1)"):
        with pytest.raises(Misuse):
            evaluate(wrong, names)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a.real", "a[0]", "a < 1", "[a]", "a ** a", "a ** -1", "a ** 101", "round(a)", "max(a, 1)", "a % 2", "+a",
     "0x10", "1_000", "True", "1e9", "1j", "lambda: a", "a := 1", "(" * 150 + "a" + ")" * 40,
     "-" * 190 + "b", "a" + " " * 300, "\x00a", "a / 0", "a ** 0", "root(a, 0)", "(0 - a) ** 2", "2 ** 100 ** 2"],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(Misuse):
        evaluate(text, {"a": bare(3)})


@given(st.text("ab1+-*/(). ", max_size=30))
def test_no_text_does_more_than_be_reckoned_or_refused(text: str) -> None:
    try:
        found = evaluate(text, {"a": bare(3, 1), "b": bare(-2)})
    except Misuse:
        return
    assert found.low <= found.value <= found.high


def test_what_a_reader_sees() -> None:
    assert names_in("root(b / a, 3) - a * round(rooted, 2)") == ("b", "a", "rooted")
    assert with_values("a * (1 + b) ** 3", {"a": "675.3 t", "b": "10%"}) == "675.3 t × (1 + 10%) ^ 3"


def test_numbers_are_what_was_written_and_not_a_double() -> None:
    assert evaluate("0.1 + 0.2", {}).value == Fraction(Decimal("0.3"))
