"""Exact numbers: no step of these functions passes through binary floating point."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

from mingjian.base.errors import Misuse

_PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_QUOTIENT: Final = re.compile(r"-?[0-9]+(/[0-9]+)?")


def to_fraction(value: str | int | Decimal | Fraction) -> Fraction:
    """The exact value of an integer, a decimal or a plain decimal text (``-12.50``; no exponent, no separators).

    Raises Misuse for any other text, for NaN and infinities, and for floats, whose value is seldom the one meant.
    """
    if isinstance(value, str):
        if not _PLAIN.fullmatch(value):
            raise Misuse(f"{value!r} is not a plain decimal number", remedy="write it like -12.50")
        return Fraction(value)
    if isinstance(value, Decimal) and not value.is_finite():
        raise Misuse(f"{value} is not a number that can be counted with")
    if isinstance(value, int | Decimal | Fraction):
        return Fraction(value)
    raise Misuse(
        f"{value!r} is not exact", why=f"its type is {type(value).__name__}", remedy="give an int, Decimal or Fraction"
    )


def round_half_away(value: int | Decimal | Fraction, decimals: int) -> Decimal:
    """``value`` rounded to exactly ``decimals`` places, a half going away from zero; zero has no sign.

    Raises Misuse for a negative number of places and as :func:`to_fraction` does.
    """
    if decimals < 0:
        raise _negative(decimals)
    exact = value if isinstance(value, Fraction) else to_fraction(value)
    return _rounded(*exact.as_integer_ratio(), decimals)


def round_float(value: float, decimals: int) -> Decimal:
    """A double rounded on its exact binary value: 2.675 lies below the half, so two places give 2.67.

    Raises Misuse for NaN, for infinities and for a negative number of places.
    """
    if not math.isfinite(value):
        raise Misuse(f"{value} cannot be rounded", remedy="report no value instead")
    if decimals < 0:
        raise _negative(decimals)
    return _rounded(*value.as_integer_ratio(), decimals)


def _negative(decimals: int) -> Misuse:
    return Misuse(f"cannot round to {decimals} decimals", remedy="give 0 or more")


def _rounded(numerator: int, denominator: int, decimals: int) -> Decimal:
    units = (2 * abs(numerator) * 10**decimals + denominator) // (2 * denominator)
    # Read from its digits, since every operation on a Decimal would round to the context's 28 digits.
    return Decimal(f"{'-' if numerator < 0 and units else ''}{units}E-{decimals}")


def number_text(value: int | Decimal) -> str:
    """The number as a plain decimal string, every place kept, without an exponent (JSON carries exact numbers so)."""
    if isinstance(value, int):
        return str(int(value))
    if not value.is_finite():
        raise Misuse(f"{value} cannot be written as a number")
    return format(value if value else abs(value), "f")


def fraction_text(value: Fraction) -> str:
    """The canonical text of a fraction: ``n/d`` in lowest terms, or ``n`` for a whole number."""
    return str(value)


def parse_fraction(text: str) -> Fraction:
    """The fraction that :func:`fraction_text` wrote. Raises Misuse for any text it would not have written."""
    if _QUOTIENT.fullmatch(text) and not text.endswith("/0"):
        above, _, below = text.partition("/")
        value = Fraction(int(above), int(below or 1))  # from two integers four times as fast as from a text
        if str(value) == text:
            return value
    raise Misuse(f"{text!r} is not a fraction in lowest terms", remedy="write it like 3/7 or -2")
