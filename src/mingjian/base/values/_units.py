"""Units of measurement, each an exact multiple of the smallest one of its dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from mingjian.base.errors import Misuse
from mingjian.base.values._numbers import to_fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``factor`` smallest units of its ``dimension`` (1 kWh = 1000 Wh, of dimension energy)."""

    name: str
    dimension: str
    factor: Fraction


_SCALES: Final[dict[str, dict[str, int]]] = {
    "energy": {"Wh": 1, "kWh": 10**3, "MWh": 10**6, "GWh": 10**9, "TWh": 10**12},
    "power": {"W": 1, "kW": 10**3, "MW": 10**6, "GW": 10**9},
    "money": {"fen": 1, "yuan": 100},
    "mass": {"mg": 1, "g": 10**3, "kg": 10**6, "t": 10**9},
    "length": {"m": 1, "km": 10**3},
    "area": {"m2": 1, "ha": 10**4, "km2": 10**6},
    "ratio": {"permille": 1, "percent": 10, "ratio": 1000},
    "duration": {"second": 1, "minute": 60, "hour": 3600, "day": 86400},
}
# What is counted is never converted into something else that is counted.
_COUNTED: Final = (
    "case", "certificate", "count", "firm", "grade", "item", "month", "person", "plant", "point", "rank", "task",
    "unit", "vote", "year",
)  # fmt: skip

_UNITS: Final[dict[str, Unit]] = {
    name: Unit(name, dimension, Fraction(factor))
    for dimension, scale in _SCALES.items()
    for name, factor in scale.items()
} | {name: Unit(name, name, Fraction(1)) for name in _COUNTED}

_MAGNITUDES: Final[dict[str, int]] = {"十": 10, "百": 100, "千": 10**3, "万": 10**4, "亿": 10**8}


def unit(name: str) -> Unit:
    """The unit of that name, or the quotient of two (``kg/MWh``). Raises Misuse, with a near name, if unknown."""
    if name in _UNITS:
        return _UNITS[name]
    over, slash, under = name.partition("/")
    if slash and over in _UNITS and under in _UNITS:
        above, below = _UNITS[over], _UNITS[under]
        return Unit(name, f"{above.dimension}/{below.dimension}", above.factor / below.factor)
    near = get_close_matches(name, _UNITS, n=1)
    raise Misuse(
        f"unknown unit {name!r}", remedy=f"did you mean {near[0]!r}?" if near else f"one of {', '.join(_UNITS)}"
    )


def convert(value: int | Decimal | Fraction, given: str | Unit, wanted: str | Unit) -> Fraction:
    """``value`` of unit ``given`` as an exact number of units ``wanted``. Raises Misuse across dimensions."""
    source, target = (unit(name) if isinstance(name, str) else name for name in (given, wanted))
    if source.dimension != target.dimension:
        raise Misuse(
            f"cannot turn {source.name} into {target.name}", why=f"{source.dimension} is not {target.dimension}"
        )
    return to_fraction(value) * source.factor / target.factor


def magnitude(text: str) -> int:
    """What a Chinese magnitude multiplies by: 万 10⁴, 亿 10⁸, 千万 10⁷, 万亿 10¹². Raises Misuse for other text."""
    if not text or any(character not in _MAGNITUDES for character in text):
        raise Misuse(f"{text!r} is not a magnitude", remedy=f"one of {' '.join(_MAGNITUDES)}, or several in a row")
    return math.prod(_MAGNITUDES[character] for character in text)
