"""What a column of peers comes to: all that normalising one subject needs to know of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from mingjian.base.errors import Misuse

Floats = npt.NDArray[np.float64]

_LARGEST: Final = 1e150  # beyond it the square of a deviation is no double


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of the values that are present: ``sd`` is of the sample (n - 1 below; 0 where all are equal).

    May come from an attested statement as well as from :func:`stats`. Raises Misuse for numbers that no column has.
    """

    count: int
    minimum: float
    maximum: float
    mean: float
    sd: float

    def __post_init__(self) -> None:
        finite = all(math.isfinite(getattr(self, part.name)) for part in fields(self))
        if not (finite and self.count >= 1 and self.minimum <= self.mean <= self.maximum and self.sd >= 0):
            raise Misuse("these are the statistics of no column", why=str(self))

    @property
    def constant(self) -> bool:
        """Whether all values are equal (a single one is)."""
        return self.minimum == self.maximum


def stats(values: Floats) -> Stats | None:
    """The statistics of a column ``values[n]``, NaN being no value; None where no value is present.

    Sums are rounded once (Shewchuk's exact partials), so neither the order of the rows nor the processor changes a bit.
    Raises Misuse for infinities and numbers beyond 1e150.
    """
    present = checked(values, 1)
    present = present[~np.isnan(present)]
    if not present.size:
        return None
    minimum, maximum = float(present.min()), float(present.max())
    # The rounded mean of equal numbers may lie a hair beside them.
    mean = min(max(math.fsum(present) / present.size, minimum), maximum)
    squares = math.fsum((present - mean) ** 2)
    sd = math.sqrt(squares / (present.size - 1)) if present.size > 1 else 0.0
    return Stats(present.size, minimum, maximum, mean, sd)


def checked(values: Floats, dimensions: int) -> Floats:
    """``values`` as float64. Raises Misuse unless it has that many dimensions and every number can be squared."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions:
        raise Misuse(f"expected an array of {dimensions} dimension(s)", why=f"its shape is {array.shape}")
    if (np.abs(array) > _LARGEST).any():
        raise Misuse("a number is too large to reckon with", why=f"the largest is {_LARGEST:g}")
    return array
