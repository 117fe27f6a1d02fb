"""The dense arithmetic of composite indices: normalise a column, aggregate children, say what each child brings."""

from mingjian.reckon.index._kernels import (
    Aggregation,
    Normalisation,
    Outcome,
    Reason,
    aggregate,
    contributions,
    normalise,
)
from mingjian.reckon.index._stats import Floats, Stats, stats

__all__ = [
    "Aggregation",
    "Floats",
    "Normalisation",
    "Outcome",
    "Reason",
    "Stats",
    "aggregate",
    "contributions",
    "normalise",
    "stats",
]
