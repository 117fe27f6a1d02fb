"""Arithmetic of published figures: exact, with units, and with the doubt that printing a rounded number leaves.

A formula is text an author writes: names, plain numbers, ``+ - * / **``, brackets, ``round(x, places)`` and
``root(x, n)``. Python's own parser reads it and nothing of it is ever run.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, TypeAlias

from mingjian.base.errors import Misuse
from mingjian.base.values import round_half_away, to_fraction, unit

Dimension: TypeAlias = tuple[tuple[str, int], ...]  # (("energy", -1), ("mass", 1)); () for a bare number or a ratio

_LONGEST: Final = 200
_HIGHEST: Final = 100  # power or root
_ROOT_PLACES: Final = 30
_MOST_BITS: Final = 20_000  # of a power: about 6,000 digits
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?!\w*\s*\()")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of smallest units and the bounds between which the true one lies; a ratio counts in ones."""

    value: Fraction
    low: Fraction
    high: Fraction
    dimension: Dimension = ()


def scale(name: str) -> tuple[Fraction, Dimension]:
    """How many smallest units the named unit is, and its dimension. Raises Misuse for an unknown unit."""
    found = unit(name)
    factor, powers = found.factor, Counter[str]()
    over, _, under = found.dimension.partition("/")
    for part, power in ((over, 1), (under, -1)):
        if part == "ratio":
            factor *= unit("ratio").factor ** -power
        elif part:
            powers[part] += power
    return factor, tuple(sorted((part, power) for part, power in powers.items() if power))


def names_in(text: str) -> tuple[str, ...]:
    """The names a formula asks for, in order, each once."""
    return tuple(dict.fromkeys(_NAME.findall(text)))


def with_values(text: str, shown: Mapping[str, str]) -> str:
    """The formula as a reader sees it: each name replaced by its value."""
    filled = _NAME.sub(lambda found: shown[found[0]], text)
    return filled.replace("**", "^").replace("*", "×")


def evaluate(text: str, names: Mapping[str, Amount]) -> Amount:
    """What the formula comes to, with bounds by interval arithmetic.

    Raises Misuse for what is no formula, an unknown name, units that do not go together, division by what may be zero,
    and powers and roots outside 1 to 100.
    """
    if len(text) > _LONGEST:
        raise Misuse("the formula is too long", why=f"{len(text)} characters", remedy=f"use at most {_LONGEST}")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as fault:
        raise Misuse(f"{text!r} is no formula", why=getattr(fault, "msg", str(fault))) from fault
    return _Walk(text, names).amount(tree)


@dataclass(frozen=True, slots=True)
class _Walk:
    text: str
    names: Mapping[str, Amount]

    def amount(self, node: ast.expr) -> Amount:
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Constant(value=int() | float()):
                exact = to_fraction(self._source(node))  # as written: the parser has made it a double
                return Amount(exact, exact, exact)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                of = self.amount(inner)
                return Amount(-of.value, -of.high, -of.low, of.dimension)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _power(self.amount(left), self._whole(right))
            case ast.BinOp(left=left, op=operator, right=right):
                return _combined(operator, self.amount(left), self.amount(right))
            case ast.Call(func=ast.Name(id="root"), args=[inner, degree], keywords=[]):
                return _root(self.amount(inner), self._whole(degree))
            case ast.Call(func=ast.Name(id="round"), args=[inner, places], keywords=[]):
                return _rounded(self.amount(inner), self._whole(places))
        raise Misuse(
            f"{self._source(node)!r} has no place in a formula",
            remedy="use names, plain numbers, + - * / **, brackets, round(x, places), root(x, n)",
        )

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or self.text

    def _named(self, name: str) -> Amount:
        if name in self.names:
            return self.names[name]
        near = get_close_matches(name, self.names, n=1)
        raise Misuse(f"there is no figure named {name!r}", remedy=f"did you mean {near[0]}?" if near else "declare it")

    def _whole(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(number)) if 0 <= number <= _HIGHEST:
                return number
        raise Misuse(f"{self._source(node)!r} is not a whole number from 0 to {_HIGHEST}")


def _combined(operator: ast.operator, left: Amount, right: Amount) -> Amount:
    match operator:
        case ast.Add() | ast.Sub():
            if left.dimension != right.dimension:
                raise Misuse(f"cannot add {dimension_text(left.dimension)} and {dimension_text(right.dimension)}")
            sign = 1 if isinstance(operator, ast.Add) else -1
            return _corners(lambda x, y: x + sign * y, left, right, left.dimension)
        case ast.Mult():
            return _corners(lambda x, y: x * y, left, right, _product(left.dimension, right.dimension, 1))
        case ast.Div():
            if right.low <= 0 <= right.high:
                raise Misuse("division by what may be zero")
            return _corners(lambda x, y: x / y, left, right, _product(left.dimension, right.dimension, -1))
    raise Misuse("an operator other than + - * / ** has no place in a formula")


def _corners(of: Callable[[Fraction, Fraction], Fraction], left: Amount, right: Amount, dimension: Dimension) -> Amount:
    # All four operations are monotone in each operand, so the bounds lie at corners.
    ends = [of(x, y) for x in (left.low, left.high) for y in (right.low, right.high)]
    return Amount(of(left.value, right.value), min(ends), max(ends), dimension)


def _product(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = Counter(dict(left))
    for part, power in right:
        powers[part] += sign * power
    return tuple(sorted((part, power) for part, power in powers.items() if power))


def _power(of: Amount, exponent: int) -> Amount:
    _demand(of, exponent)
    dimension = tuple((part, power * exponent) for part, power in of.dimension)
    return Amount(of.value**exponent, of.low**exponent, of.high**exponent, dimension)


def _root(of: Amount, degree: int) -> Amount:
    _demand(of, degree)
    if any(power % degree for _, power in of.dimension):
        raise Misuse(f"{dimension_text(of.dimension)} has no root of degree {degree}")
    dimension = tuple((part, power // degree) for part, power in of.dimension)
    value, low, high = (_nth_root(end, degree) for end in (of.value, of.low, of.high))
    return Amount(value, low, high, dimension)


def _demand(of: Amount, degree: int) -> None:
    if degree < 1 or of.low < 0:
        raise Misuse("powers and roots are taken of what is not negative, from 1 upwards")
    if max(of.high.numerator.bit_length(), of.high.denominator.bit_length()) * degree > _MOST_BITS:
        raise Misuse("the power is too large to be meant")


def _nth_root(value: Fraction, degree: int) -> Fraction:
    """The root, cut after 30 decimals: whole-number bisection, no floating point."""
    target = value.numerator * 10 ** (_ROOT_PLACES * degree) // value.denominator
    low, high = 0, 1 << (target.bit_length() // degree + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= target else (low, middle)
    return Fraction(low, 10**_ROOT_PLACES)


def _rounded(of: Amount, places: int) -> Amount:
    if of.dimension:
        raise Misuse("only a bare number can be rounded", why=f"this is {dimension_text(of.dimension)}")
    value, low, high = (Fraction(round_half_away(end, places)) for end in (of.value, of.low, of.high))
    return Amount(value, low, high)


def dimension_text(dimension: Dimension) -> str:
    """A dimension in words: ``mass/energy``, ``a bare number``."""
    above = [part + (f"^{power}" if power > 1 else "") for part, power in dimension if power > 0]
    below = [part + (f"^{-power}" if power < -1 else "") for part, power in dimension if power < 0]
    return "/".join(["*".join(above) or ("1" if below else "a bare number"), *below])
