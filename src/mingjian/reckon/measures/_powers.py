"""Powers of doubles, made of the operations whose every bit IEEE 754 fixes: the same on every engine and machine.

The power functions of engines differ in the last bit, and a sum of millions of large scores shows it. So a power by a small
whole number is a product, by a half a square root, and any other 2 to the t: t is the exponent times the binary logarithm of
the base, both by series. The relative error is below 4e-16 times |t|, which cannot pass 1100; steps of powers of two are exact.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import reduce
from math import log, sqrt
from operator import mul
from typing import Any, Final

from mingjian.declare import Expr

_LARGEST: Final = sys.float_info.max
_MOST_FACTORS: Final = 8
_LEAST: Final = 2.2250738585072014e-308  # smaller bases, which doubles hold with fewer digits, count as 0
_ALL_EVEN: Final = 2.0**53  # and above all doubles are even numbers
_FAR: Final = 1100.0  # 2 to this power is no double any more, and 2 to minus this is 0


def with_power(table: Any, name: str, base: Any, exponent: Any, by: Expr) -> Any:
    """The table with ``base ** exponent`` in a new column of that name; null where it is no number. ``by`` is the exponent.

    Each step stands in a table of its own, so that what is used often is written and reckoned once.
    """
    x, y = f"{name}x", f"{name}y"
    table = finite(table.mutate(**{x: base, y: exponent}), [x, y])
    if not _small(by):
        return finite(_with_series(table, name), [name])
    return finite(table.mutate(**{name: _small_power(table[x], float(str(by.args[0])))}), [name])


def _small(exponent: Expr) -> bool:
    """Whether a power needs no series: its exponent is a whole number that stands in the formula, or a half."""
    if exponent.op != "lit":
        return False
    number = float(str(exponent.args[0]))
    return number == 0.5 or (number == int(number) and 0 < abs(number) <= _MOST_FACTORS)


def _small_power(base: Any, exponent: float) -> Any:
    """A power that needs no series. A root of a negative number, and 1 by 0, are no value."""
    if exponent == 0.5:
        return (base >= 0).ifelse(base, None).sqrt()
    product = reduce(mul, [base] * int(abs(exponent)))
    return product if exponent > 0 else double(1.0) / product.nullif(0.0)


def _with_series(table: Any, name: str) -> Any:
    """The table with the power of its columns ``name``x and ``name``y, by series."""
    x, y, k, m, s, steps, far, n, q = (f"{name}{part}" for part in ("x", "y", "k", "m", "s", "steps", "far", "n", "q"))
    size = (table[x].abs() >= double(_LEAST)).ifelse(table[x].abs(), None)
    # An engine may be off by one step where the base is next to a power of two; what is left then says so.
    table = table.mutate(**{k: size.log2().floor().cast("int64")})
    table = table.mutate(**{m: table[x].abs() * _two_to(-table[k])})
    much = table[m] >= double(sqrt(2))
    left = much.ifelse(table[m] * double(0.5), table[m])  # between the root of a half and the root of 2
    whole = (table[k] + much.ifelse(1, 0)).cast("float64")
    table = table.mutate(**{s: (left - double(1.0)) / (left + double(1.0)), steps: whole})
    table = table.mutate(**{far: (table[steps] + _logarithm(table[s])) * table[y]})
    t = table[far].clip(lower=double(-_FAR), upper=double(_FAR))
    table = table.mutate(**{n: (t + double(0.5)).floor().cast("int64")})
    table = table.mutate(**{q: (t - table[n].cast("float64")) * double(log(2))})
    power = _exponential(table[q]) * _two_to(table[n] - 1) * double(2.0)
    return table.mutate(**{name: _signed(table[x], table[y], table[k], power)})


def _logarithm(s: Any) -> Any:
    """The binary logarithm of (1 + s) / (1 - s), for an s below 0.18: twelve terms are more than a double has digits for."""
    series = double(1 / 23)
    for n in range(21, 0, -2):
        series = series * (s * s) + double(1 / n)
    return s * series * double(2 / log(2))


def _exponential(q: Any) -> Any:
    """The exponential of a number below 0.35."""
    series = double(1.0)
    for n in range(16, 0, -1):
        series = series * q * double(1 / n) + double(1.0)
    return series


def _two_to(steps: Any) -> Any:
    """A power of two, exact in every engine."""
    return double(2.0) ** steps.cast("float64")


def _signed(x: Any, y: Any, k: Any, power: Any) -> Any:
    """The power, for bases that are 0 (and have no logarithm) or negative too."""
    import ibis

    near = y.clip(lower=double(-_ALL_EVEN), upper=double(_ALL_EVEN))
    whole, even = near == near.floor(), (near * double(0.5)) == (near * double(0.5)).floor()
    none = ibis.null("float64")
    sign = ((x < 0) & ~even).ifelse(double(-1.0), double(1.0))
    return ibis.cases(
        (x.isnull() | y.isnull(), none),
        ((y == 0) | (x == 1), double(1.0)),
        (k.isnull() & (y > 0), double(0.0)),
        (k.isnull() | ((x < 0) & ~whole), none),
        else_=sign * power,
    )


def double(number: float) -> Any:
    """A double in a statement. By its digits: engines read 0.14285714285714285 as a decimal, and make a neighbour of it."""
    import ibis

    return ibis.literal(repr(number)).cast("float64")


def finite(table: Any, names: Sequence[str]) -> Any:
    """The table with null for what is no number in these columns of doubles: 0 to the power of -1 is none.

    What is not a number is larger than all, to every engine. And 0 has no sign, which engines would take for another number.
    """
    return table.mutate(**{name: _finite(table[name]) for name in names})


def _finite(number: Any) -> Any:
    return (number.abs() <= double(_LARGEST)).ifelse((number == 0).ifelse(double(0.0), number), None)
