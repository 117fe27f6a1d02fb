"""Exact rational numbers in arrays: int64 while they fit, Python's integers beyond.

A figure over subjects is a fraction of sums. Doing that with `fractions.Fraction` costs a microsecond a step; here whole
arrays are multiplied, divided and compared, with a bound checked first so that nothing overflows unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Whole: TypeAlias = npt.NDArray[Any]  # int64, or object with Python integers
Mask: TypeAlias = npt.NDArray[np.bool_]

_FITS: Final = 2**62
_EXACT_DOUBLE: Final = 2**53


class Ratios:
    """``num / den`` for each element, in lowest terms, ``den`` above 0. Immutable; operators work element by element.

    No operation looks at which elements have a meaning: the caller keeps a mask, and divides by no zero.
    """

    __slots__ = ("den", "num")

    def __init__(self, num: Whole, den: Whole | None = None) -> None:
        self.num = num
        self.den: Whole = np.ones(len(num), np.int64) if den is None else den

    @classmethod
    def of(cls, numbers: Sequence[Fraction | Decimal | int]) -> Ratios:
        """The given numbers."""
        pairs = [n.as_integer_ratio() for n in numbers]
        return cls(_whole([p for p, _ in pairs]), _whole([q for _, q in pairs]))

    @classmethod
    def scaled(cls, num: Whole, scale: int) -> Ratios:
        """Whole numbers of the ``scale``-th decimal place."""
        return cls(num) if not scale else _lowest(num, _whole([10**scale] * len(num)))

    def __len__(self) -> int:
        return len(self.num)

    def __getitem__(self, index: Any) -> Ratios:
        return Ratios(self.num[index], self.den[index])

    def __add__(self, other: Ratios) -> Ratios:
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        return _lowest(a * d + c * b, b * d)

    def __sub__(self, other: Ratios) -> Ratios:
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        return _lowest(a * d - c * b, b * d)

    def __mul__(self, other: Ratios) -> Ratios:
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        return _lowest(a * c, b * d)

    def __truediv__(self, other: Ratios) -> Ratios:
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        sign = np.where(c < 0, -1, 1)
        return _lowest(a * d * sign, b * c * sign)

    def __floordiv__(self, other: Ratios) -> Ratios:
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        return Ratios(_narrow((a * d) // (b * c)))

    def compare(self, other: Ratios) -> npt.NDArray[np.int64]:
        """-1, 0 or 1 for each element: below, equal, above."""
        a, b, c, d = _roomy(self.num, self.den, other.num, other.den)
        left, right = a * d, c * b
        return (left > right).astype(np.int64) - (left < right).astype(np.int64)

    def floats(self) -> npt.NDArray[np.float64]:
        """The nearest doubles."""
        if max(_peak(self.num), _peak(self.den)) < _EXACT_DOUBLE:
            return self.num.astype(np.float64) / self.den.astype(np.float64)
        return np.array([int(p) / int(q) for p, q in zip(self.num, self.den, strict=True)], np.float64)

    def fractions(self) -> list[Fraction]:
        """The elements one by one."""
        return [Fraction(p, q) for p, q in zip(self.num.tolist(), self.den.tolist(), strict=True)]

    def where(self, mask: Mask, other: Ratios) -> Ratios:
        """These where the mask holds, else the others."""
        return Ratios(_chosen(mask, self.num, other.num), _chosen(mask, self.den, other.den))


def whole_of(column: pa.Array[Any]) -> tuple[Whole, Mask]:
    """An Arrow column of int64 or decimal128 as whole numbers of its last place, 0 for null, and where it is not null."""
    there = np.asarray(column.is_valid())
    if pa.types.is_decimal(column.type):
        words = np.frombuffer(cast(Any, column.buffers()[1]), np.int64)[
            2 * column.offset : 2 * (column.offset + len(column))
        ]
        low, high = words[0::2], words[1::2]
        if bool((high[there] == low[there] >> 63).all()):
            return np.where(there, low, 0), there
        # From the words: an operation on a Decimal would round to the context's 28 digits.
        pairs = zip(high.tolist(), low.tolist(), there.tolist(), strict=True)
        return _whole([(h << 64) + (w % 2**64) if ok else 0 for h, w, ok in pairs]), there
    return np.asarray(column.fill_null(0)).astype(np.int64), there


def _whole(numbers: Sequence[int]) -> Whole:
    if all(-_FITS < n < _FITS for n in numbers):
        return np.array(numbers, np.int64)
    out = np.empty(len(numbers), np.object_)
    out[:] = numbers
    return out


def _roomy(*arrays: Whole) -> tuple[Whole, ...]:
    """The arrays as they are where products of any two pairs fit into int64, else as Python integers."""
    a, b, c, d = (_peak(x) for x in arrays)
    if max(a * d + c * b, a * c, b * d, b * c) < _FITS:
        return arrays
    return tuple(x.astype(np.object_) for x in arrays)


def _lowest(num: Whole, den: Whole) -> Ratios:
    if den.dtype != np.object_ and bool((den == 1).all()):
        return Ratios(num, den)
    common = np.gcd(num, den)
    return Ratios(_narrow(num // common), _narrow(den // common))


def _narrow(numbers: Whole) -> Whole:
    return numbers.astype(np.int64) if numbers.dtype == np.object_ and _peak(numbers) < _FITS else numbers


def _chosen(mask: Mask, a: Whole, b: Whole) -> Whole:
    return np.where(mask, a, b)


def _peak(numbers: Whole) -> int:
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0
