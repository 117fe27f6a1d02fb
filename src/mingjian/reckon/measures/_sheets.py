"""A job's outcome: a column and the (subject, member) pairs it is aligned to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mingjian.reckon.measures._columns import Column
from mingjian.reckon.measures._engine import Pair


@dataclass(frozen=True)
class Sheet:
    """The values of one job. ``pairs`` are sorted; a measure without a breakdown has the member "" for every subject."""

    pairs: tuple[Pair, ...]
    column: Column

    @cached_property
    def _places(self) -> dict[Pair, int]:
        return {pair: i for i, pair in enumerate(self.pairs)}

    def aligned(self, pairs: Sequence[Pair]) -> Column:
        """The column for other pairs: member by member, or the subject's one value for each of its members."""
        if pairs is self.pairs:
            return self.column
        places = self._places
        found = (places.get(pair, places.get((pair[0], ""), -1)) for pair in pairs)
        return self.column.take(np.fromiter(found, np.intp, len(pairs)))

    def member(self, subjects: Sequence[str], member: str) -> Column:
        """One member's column, a value for each of ``subjects``."""
        places = self._places
        found = (places.get((subject, member), -1) for subject in subjects)
        return self.column.take(np.fromiter(found, np.intp, len(subjects)))


def places_of(asked: Sequence[Pair], found: Sequence[Pair]) -> npt.NDArray[np.intp]:
    """Where each of ``asked`` stands in ``found``, -1 where it does not."""
    places = {pair: i for i, pair in enumerate(found)}
    return np.fromiter((places.get(pair, -1) for pair in asked), np.intp, len(asked))
