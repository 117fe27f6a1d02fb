from decimal import Decimal
from fractions import Fraction

import pytest

from mingjian.base.errors import Misuse
from mingjian.base.values import convert, magnitude, unit


def test_conversions_are_exact() -> None:
    assert convert(60_000, "MWh", "kWh") == 60_000_000
    assert convert(1, "fen", "yuan") == Fraction(1, 100)
    assert convert(Decimal("3.43"), "t", "kg") == 3430
    assert convert(838, "kg/MWh", "g/kWh") == 838
    assert convert(1, unit("percent"), unit("ratio")) == Fraction(1, 100)


def test_a_product_of_a_factor_and_an_amount_has_the_unit_above() -> None:
    factor, amount = unit("kg/MWh"), unit("MWh")
    assert factor.dimension == "mass/energy"
    assert convert(838 * factor.factor * 60_000 * amount.factor, "mg", "t") == 50_280


def test_different_dimensions_are_refused() -> None:
    for given, wanted in (("kWh", "yuan"), ("person", "firm"), ("kg/MWh", "kg")):
        with pytest.raises(Misuse, match="is not"):
            convert(1, given, wanted)


def test_an_unknown_unit_names_the_nearest_one() -> None:
    with pytest.raises(Misuse, match="did you mean 'kWh'"):
        unit("kwh")
    with pytest.raises(Misuse, match="one of Wh"):
        unit("§")
    with pytest.raises(Misuse):
        unit("kg/nothing")


def test_chinese_magnitudes_multiply() -> None:
    assert [magnitude(text) for text in ("百", "万", "千万", "亿", "万亿")] == [100, 10**4, 10**7, 10**8, 10**12]
    for text in ("", "吨", "1万"):
        with pytest.raises(Misuse):
            magnitude(text)
