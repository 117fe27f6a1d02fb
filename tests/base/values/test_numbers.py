from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.values import fraction_text, number_text, parse_fraction, round_float, round_half_away, to_fraction


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (Fraction(5, 2), 0, "3"),
        (Fraction(-5, 2), 0, "-3"),
        (Decimal("2.675"), 2, "2.68"),
        (Decimal("-0.004"), 2, "0.00"),
        (1, 2, "1.00"),
        (Fraction(1, 3), 40, "0." + "3" * 40),
        (10**40 + 1, 1, "1" + "0" * 39 + "1.0"),
    ],
)
def test_a_half_goes_away_from_zero(value: int | Decimal | Fraction, decimals: int, text: str) -> None:
    assert number_text(round_half_away(value, decimals)) == text


@given(st.fractions(), st.integers(0, 30))
def test_rounding_is_nearest_odd_and_keeps_its_places(value: Fraction, decimals: int) -> None:
    rounded = round_half_away(value, decimals)
    assert abs(Fraction(rounded) - value) * 10**decimals * 2 <= 1
    assert Fraction(round_half_away(-value, decimals)) == -Fraction(rounded)
    assert rounded.as_tuple().exponent == -decimals


def test_a_double_is_rounded_on_what_it_is_not_on_what_it_looks_like() -> None:
    assert round_float(2.675, 2) == Decimal("2.67")
    assert round_float(0.125, 2) == Decimal("0.13")
    assert round_float(-0.125, 2) == Decimal("-0.13")


@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False, max_value=10**30, min_value=-1)))
def test_a_number_and_its_text_are_the_same_number(value: int | Decimal) -> None:
    assert to_fraction(number_text(value)) == Fraction(value)
    assert "E" not in number_text(value).upper()


@given(st.fractions())
def test_a_fraction_and_its_text_lead_back(value: Fraction) -> None:
    assert parse_fraction(fraction_text(value)) == value


@pytest.mark.parametrize("text", ["2/4", "1/0", "1/1", "-0", "0/3", "+1", "1.5", "a", "", "1/-2", "01", "１"])
def test_only_the_canonical_text_of_a_fraction_is_read(text: str) -> None:
    with pytest.raises(Misuse):
        parse_fraction(text)


@pytest.mark.parametrize(
    "value", ["1e5", "1_000", " 1", "", "1,000", "NaN", "٣", Decimal("NaN"), Decimal("Infinity"), 0.5]
)
def test_what_is_not_plainly_exact_is_refused(value: str | Decimal) -> None:
    with pytest.raises(Misuse):
        to_fraction(value)


def test_what_cannot_be_rounded_or_written_is_refused() -> None:
    for ask in (
        lambda: round_half_away(1, -1),
        lambda: round_float(float("nan"), 2),
        lambda: round_float(float("inf"), 2),
        lambda: number_text(Decimal("NaN")),
    ):
        with pytest.raises(Misuse):
            ask()
    assert number_text(Decimal("-0.00")) == "0.00"
    assert number_text(Decimal("1E+3")) == "1000"
