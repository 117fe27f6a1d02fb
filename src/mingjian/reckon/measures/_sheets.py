"""Grids of subjects and members, and the columns that stand on them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mingjian.reckon.measures._columns import NO_VALUE, Column, Places

Pair = tuple[str, str]  # subject, member
Names: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any] | Sequence[str]"
WHOLE = ("",)  # the members of a measure without a breakdown


@dataclass(frozen=True, eq=False)
class Spine:
    """The subjects of a type in a period, sorted by id."""

    subjects: tuple[str, ...]

    @cached_property
    def array(self) -> pa.Array[Any]:
        """The ids as Arrow has them."""
        return pa.array(self.subjects, pa.string())

    def place(self, name: str) -> int:
        """Where one name stands, -1 where it does not."""
        return _sought(self.subjects, name)

    def places(self, names: Names) -> Places:
        """Where each name stands, -1 where it does not."""
        return _places(names, self.array)


@dataclass(frozen=True, eq=False)
class Grid:
    """Pairs of a subject and a member: ``codes`` are sorted, each the subject's place times the members plus the member's.

    A measure without a breakdown has the one member "" for every subject.
    """

    spine: Spine
    members: tuple[str, ...]
    codes: npt.NDArray[np.int64]

    @classmethod
    def whole(cls, spine: Spine) -> Grid:
        """Every subject, without a breakdown."""
        return cls(spine, WHOLE, np.arange(len(spine.subjects), dtype=np.int64))

    @classmethod
    def of(cls, spine: Spine, subjects: Names, members: Names) -> Grid:
        """The pairs whose subject is on the spine, each once."""
        names = tuple(sorted(set(_strings(members).unique().to_pylist())))
        codes = _codes(spine.places(subjects), _among(members, names), max(1, len(names)))
        return cls(spine, names, _once(codes))

    @classmethod
    def union(cls, spine: Spine, grids: Iterable[Grid]) -> Grid:
        """All pairs of grids that have a breakdown, as far as their subjects are on the spine."""
        parts = [grid for grid in grids if grid.members != WHOLE]
        names = tuple(sorted({name for grid in parts for name in grid.members if name}))
        codes = [grid._translated(spine, names) for grid in parts]
        found = np.concatenate(codes) if codes else np.empty(0, np.int64)
        return cls(spine, names, _once(found))

    @property
    def size(self) -> int:
        """How many pairs."""
        return len(self.codes)

    def pairs(self) -> Iterator[Pair]:
        """The pairs in order of subject and member."""
        width = max(1, len(self.members))
        subjects, members = self.spine.subjects, self.members
        return ((subjects[code // width], members[code % width]) for code in self.codes.tolist())

    def places(self, asked: Grid) -> Places:
        """Where each pair of another grid stands in this one; a subject's one value stands for each of its members."""
        if asked is self:
            return np.arange(self.size, dtype=np.intp)
        width = max(1, len(asked.members))
        subjects = asked.codes // width
        if asked.spine is not self.spine:
            subjects = self.spine.places(asked.spine.array)[subjects]
        if self.members == WHOLE:
            members = np.zeros(asked.size, np.int64)
        else:
            members = _among(asked.members, self.members)[asked.codes % width]
        return self._found(_codes(subjects, members, max(1, len(self.members))))

    def held(self, subject: str) -> range:
        """Where the pairs of one subject stand: next to each other, in order of member."""
        place, width = self.spine.place(subject), max(1, len(self.members))
        if place < 0:
            return range(0)
        first, end = np.searchsorted(self.codes, (place * width, (place + 1) * width)).tolist()
        return range(first, end)

    def member_at(self, place: int) -> str:
        """The member of the pair that stands there."""
        return self.members[int(self.codes[place]) % max(1, len(self.members))]

    def place(self, subject: str, member: str) -> int:
        """Where one pair stands, -1 where it does not."""
        held = self.held(subject)
        return next((place for place in held if self.member_at(place) == member), -1)

    def along(self, spine: Spine, member: str) -> Places:
        """Where each subject of a spine stands with one member."""
        size, width = len(spine.subjects), max(1, len(self.members))
        subjects = np.arange(size) if spine is self.spine else self.spine.places(spine.array)
        return self._found(_codes(subjects, np.full(size, _sought(self.members, member)), width))

    def locate(self, subjects: Names, members: Names) -> Places:
        """Where pairs given by name stand."""
        own = _among(members, self.members)
        return self._found(_codes(self.spine.places(subjects), own, max(1, len(self.members))))

    def _found(self, codes: npt.NDArray[np.int64]) -> Places:
        if not self.size:
            return np.full(len(codes), -1, np.intp)
        places = np.minimum(np.searchsorted(self.codes, codes), self.size - 1)
        return np.where((codes >= 0) & (self.codes[places] == codes), places, -1)

    def _translated(self, spine: Spine, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
        width = max(1, len(self.members))
        subjects = self.codes // width
        if spine is not self.spine:
            subjects = spine.places(self.spine.array)[subjects]
        return _codes(subjects, _among(self.members, names)[self.codes % width], max(1, len(names)))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The values of one job on its grid."""

    grid: Grid
    column: Column

    def aligned(self, grid: Grid, why: int = NO_VALUE) -> Column:
        """The column for another grid."""
        return self.column if grid is self.grid else self.column.take(self.grid.places(grid), why)

    def member(self, spine: Spine, member: str) -> Column:
        """One member's column, a value for each subject of the spine."""
        return self.column.take(self.grid.along(spine, member))


def _sought(names: Sequence[str], name: str) -> int:
    place = bisect_left(names, name)
    return place if place < len(names) and names[place] == name else -1


def _among(names: Names, known: Sequence[str]) -> Places:
    """The place of each name among the known ones, -1 where it is none of them."""
    return _places(names, pa.array(known, pa.string()))


def _places(names: Names, known: pa.Array[Any]) -> Places:
    found: Any = pc.index_in(_strings(names), value_set=known)
    places: Places = np.asarray(found.fill_null(-1)).astype(np.intp)
    return places


def _strings(names: Names) -> Any:
    return names if isinstance(names, pa.Array | pa.ChunkedArray) else pa.array(names, pa.string())


def _once(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The codes that name a pair, sorted, each once."""
    ordered = np.sort(codes[codes >= 0])
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def _codes(subjects: npt.NDArray[Any], members: npt.NDArray[Any], width: int) -> npt.NDArray[np.int64]:
    return np.where((subjects >= 0) & (members >= 0), subjects * width + members, -1).astype(np.int64)
