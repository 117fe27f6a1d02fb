"""Normalisation and aggregation over float64 arrays in which NaN means "not applicable" or "no value".

Every sum runs over the children in the order given, so a result does not depend on how many subjects are reckoned at
once. Where there is no value the reason stands beside it: NaN never appears without one. Methods and their names are
those of the OECD/JRC Handbook on Constructing Composite Indicators (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

from mingjian.base.errors import Misuse
from mingjian.reckon.index._stats import Floats, Stats, checked
from mingjian.reckon.index._stats import stats as column_stats

Normalisation = Literal["none", "minmax", "goalposts", "zscore"]
Aggregation = Literal["arithmetic", "geometric"]


class Reason(IntEnum):
    """Why an element has no value."""

    VALUE = 0  # it has one
    ABSENT = 1  # nothing went in: the value, or every child that carries weight, is not applicable
    CONSTANT = 2  # all peers are equal (or there is one only), so nothing can be placed between them
    NEGATIVE = 3  # a geometric mean has no negative members


@dataclass(frozen=True, slots=True)
class Outcome:
    """``values[n]`` in float64, and for each the Reason (uint8): NaN exactly where the reason is not VALUE."""

    values: Floats
    reasons: npt.NDArray[np.uint8]


def normalise(
    values: Floats,
    method: Normalisation,
    low: float | None = None,
    high: float | None = None,
    stats: Stats | None = None,
) -> Outcome:
    """A column ``values[n]`` on a common scale.

    - ``none``: as it is.
    - ``minmax``: 0 at the least of the peers, 100 at the greatest; CONSTANT where these are equal.
    - ``zscore``: distance from the peers' mean in sample standard deviations; CONSTANT likewise.
    - ``goalposts``: 0 at ``low``, 100 at ``high``, clipped to 0..100; ``low`` above ``high`` where less is better.

    ``stats`` are the peers' statistics to normalise against (attested ones, for a single subject); those of ``values``
    themselves where None. For minmax and zscore where less is better, negate the values (and take the peers' statistics
    of negated values). Raises Misuse for goalposts that are missing or equal, infinities, and numbers beyond 1e150.
    """
    column = checked(values, 1)
    reasons = np.where(np.isnan(column), Reason.ABSENT, Reason.VALUE).astype(np.uint8)
    match method:
        case "none":
            return Outcome(column.copy(), reasons)
        case "goalposts":
            return Outcome(_between_goalposts(column, low, high), reasons)
        case "minmax" | "zscore":
            return _against_peers(column, reasons, method, stats or column_stats(column))
        case _:
            assert_never(method)


def aggregate(values: Floats, weights: Floats, method: Aggregation) -> Outcome:
    """The weighted mean of each row of ``values[n, k]`` under ``weights[k]``.

    A child that is NaN, or weighs nothing, leaves numerator and denominator: the weights of those present count in
    proportion. ABSENT where none is left. The geometric mean is 0 where a member is 0, and NEGATIVE (no value) where one
    is below. Raises Misuse unless there is one weight a child, none negative, not all of them 0.
    """
    table, share = _weighed(values, weights)
    present = ~np.isnan(table) & (share > 0)
    total = _sum_children(np.where(present, share, 0.0))
    reasons = np.where(total > 0, Reason.VALUE, Reason.ABSENT).astype(np.uint8)
    if method == "geometric":
        reasons[(present & (table < 0)).any(axis=1)] = Reason.NEGATIVE
    members = np.where(present, table, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # log 0 is -inf, whose exp is the 0 that is due
        terms = np.log(members) if method == "geometric" else members
    summed = _sum_children(np.where(present, share, 0.0) * terms)
    mean = np.divide(summed, total, out=np.full(len(table), np.nan), where=reasons == Reason.VALUE)
    return Outcome(np.exp(mean) if method == "geometric" else mean, reasons)


def contributions(values: Floats, weights: Floats, method: Aggregation) -> Floats:
    """What each child brings to :func:`aggregate`, ``[n, k]``: NaN for a child left out, and where there is no value.

    Of an arithmetic mean they are summands (their sum is the mean), of a geometric one factors (their product is).
    Raises Misuse as :func:`aggregate` does.
    """
    table, share = _weighed(values, weights)
    present = ~np.isnan(table) & (share > 0) & ~np.isnan(aggregate(values, weights, method).values)[:, None]
    weight = np.where(present, share, 0.0)
    total = _sum_children(weight)[:, None]
    part = np.divide(weight, total, out=np.full(table.shape, np.nan), where=present)
    brought: Floats = part * table if method == "arithmetic" else np.where(present, table, np.nan) ** part
    return brought


def _between_goalposts(column: Floats, low: float | None, high: float | None) -> Floats:
    if low is None or high is None or not np.isfinite([low, high]).all() or low == high:
        raise Misuse(f"goalposts {low} and {high} span nothing", remedy="give two different finite numbers")
    scaled: Floats = np.clip(100 * (column - low) / (high - low), 0.0, 100.0)
    return scaled


def _against_peers(
    column: Floats, reasons: npt.NDArray[np.uint8], method: Literal["minmax", "zscore"], peers: Stats | None
) -> Outcome:
    if peers is None:  # no value at all: every element is ABSENT already
        return Outcome(column.copy(), reasons)
    if peers.constant or (method == "zscore" and peers.sd == 0):
        reasons[reasons == Reason.VALUE] = Reason.CONSTANT
        return Outcome(np.full(len(column), np.nan), reasons)
    if method == "minmax":
        return Outcome(100 * ((column - peers.minimum) / (peers.maximum - peers.minimum)), reasons)
    return Outcome((column - peers.mean) / peers.sd, reasons)


def _weighed(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    table, share = checked(values, 2), checked(weights, 1)
    if share.shape != table.shape[1:]:
        raise Misuse("one weight a child is needed", why=f"{table.shape[1]} children, {len(share)} weights")
    if not (share >= 0).all() or not share.any():
        raise Misuse("weights must be 0 or more, and not all 0", why=f"they are {share.tolist()}")
    return table, share


def _sum_children(table: Floats) -> Floats:
    # Column by column: np.sum splits a row in ways that depend on the processor.
    total = np.zeros(len(table))
    for child in range(table.shape[1]):
        total += table[:, child]
    return total
