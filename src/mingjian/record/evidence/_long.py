"""Long files: one value of a series a line, under the time at which its step begins, to one row a series.

Whatever the lines of one series break keeps it out as a whole: no value is taken twice, moved to another time, or made up.
A value that is known to be missing has a line with its time and an empty value; a time without a line is a gap, which the
file may have lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.base.values import Kind, Period
from mingjian.declare import TIME, EvidenceType, Field, Title
from mingjian.record.evidence._columns import broken_cells, read_cells
from mingjian.record.evidence._fields import shown
from mingjian.record.evidence._grid import Cells, Grid
from mingjian.record.evidence._series import series_fields

Numbers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
_Array: TypeAlias = Any  # the stubs of Arrow refuse an array of any type among others

_TIME: Final = Field(TIME, "time", Title("Time", "时间"))
_MICROSECONDS: Final = 60_000_000  # of a minute


@dataclass(frozen=True, slots=True)
class Grouped:
    """The whole series of a long file as a grid of rows, each numbered as its first line, and what was wrong with others.

    ``left_out`` says how many series the findings keep out.
    """

    grid: Grid
    findings: tuple[Finding, ...]
    left_out: int


def grouped(grid: Grid, type: EvidenceType, zone: str) -> Grouped:
    """The series of a grid with a line a value, for a type with a field of type series. Raises Misuse without a zone."""
    if not zone:
        why = "when its period begins depends on the clock"
        raise Misuse(f"{type.id} has a series", why=why, remedy="give the zone")
    return _Lines(grid, type, ZoneInfo(zone)).grouped()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the values of each series stand: from ``start`` on, ``length`` of them; ``group`` and ``period`` say of which."""

    group: Numbers
    period: Numbers
    start: Numbers
    length: Numbers
    first: Numbers  # the number in the file of its first line


class _Lines:
    def __init__(self, grid: Grid, type: EvidenceType, zone: ZoneInfo) -> None:
        self.grid, self.type, self.zone = grid, type, zone
        self.series = [field for field in series_fields(type) if field.name in grid.cells]
        self.step = series_fields(type)[0].step
        plain = [field for field in type.fields.values() if field.type != "series" and field.name != type.date]
        self.plain = [field for field in plain if field.name in grid.cells]
        self.findings = list(grid.findings)
        self.lines = np.asarray(grid.lines, np.int64)

    def grouped(self) -> Grouped:
        size = len(self.lines)
        good, spoilt = np.ones(size, bool), np.zeros(size, bool)
        times, broken = self._read(_TIME)
        good[broken] = False
        columns: dict[str, _Array] = {}
        for field in self.plain:
            columns[field.name], broken = self._read(field)
            good[broken] = False
        values: dict[str, _Array] = {}
        for field in self.series:
            values[field.name], broken = self._read(replace(field, type="quantity", optional=True))
            spoilt[broken] = True
        kept = np.flatnonzero(good)
        if not len(kept):
            return Grouped(self._grid([], {}), self._told(), 0)
        at = np.asarray(times.cast(pa.int64()).fill_null(0))[kept]
        rows = pa.array(kept)
        codes = {name: _codes(column.take(rows)) for name, column in columns.items()}
        return self._laid(kept, at, codes, {name: column.take(rows) for name, column in values.items()}, spoilt[kept])

    def _read(self, field: Field) -> tuple[_Array, list[int]]:
        """The values of a column, one a line, and the positions of those that break a rule."""
        values, broken = read_cells(field, self.grid.cells[field.name], self.zone)
        self.findings += broken_cells(self.grid, field, broken)
        return values, list(broken)

    def _laid(
        self,
        kept: Numbers,
        at: Numbers,
        codes: Mapping[str, tuple[Numbers, _Array]],
        values: Mapping[str, _Array],
        spoilt: Mask,
    ) -> Grouped:
        """Put every value in its place, and look at what is left empty or taken twice."""
        periods, begins, lengths = self._periods(at)
        period = np.searchsorted(begins, at, side="right") - 1
        group = _combined([codes[name][0] for name in self._thread(codes)], len(at))
        layout, mine = _layout(group, period, lengths, self.lines[kept])
        place, off = np.divmod(at - begins[period], self.step * _MICROSECONDS)
        where = layout.start[mine] + place
        taken = np.bincount(where[off == 0], minlength=int(layout.length.sum()))
        bad = np.zeros(len(layout.group), bool)
        bad[mine[spoilt]] = True
        lines = self.lines[kept]
        for wrong, rule, message, remedy in (
            (off != 0, "off-grid", f"not on the grid of {self.step} minutes", "times are those at which a step begins"),
            ((off == 0) & (taken[where] > 1), "doubled-time", "the same time twice", "keep one of them"),
        ):
            bad[mine[wrong]] = True
            self.findings += self._wrong(wrong, mine, lines, at, rule, message, remedy)
        bad |= self._differing(codes, mine, lines, len(bad))
        bad |= self._gaps(taken, layout, periods, begins)
        whole = np.flatnonzero(~bad)
        heads = np.zeros(len(bad), np.int64)
        heads[mine[::-1]] = np.arange(len(mine))[::-1]  # of each series its first line among those kept
        cells: dict[str, Cells] = {
            name: pa.chunked_array([names.take(pa.array(of[heads[whole]]))]) for name, (of, names) in codes.items()
        }
        cells[self.type.date] = [str(periods[i]) for i in layout.period[whole].tolist()]
        for name, column in values.items():
            cells[name] = pa.chunked_array([_lists(column, where, off == 0, layout, whole)])
        return Grouped(self._grid(layout.first[whole].tolist(), cells), self._told(), int(bad.sum()))

    def _grid(self, lines: Sequence[int], cells: Mapping[str, Cells]) -> Grid:
        return Grid(self.grid.place, lines, cells)

    def _thread(self, codes: Mapping[str, object]) -> Sequence[str]:
        """The fields that tell one series of a period from another."""
        return [name for name in self.type.thread if name in codes] or [*codes]

    def _periods(self, at: Numbers) -> tuple[Sequence[Period], Numbers, Numbers]:
        """The periods from the first to the last time, the instants at which they begin, and how many steps each has."""
        kind = cast(Kind, self.type.fields[self.type.date].of[0])
        ends = [datetime.fromtimestamp(0, self.zone) + timedelta(microseconds=int(t)) for t in (at.min(), at.max())]
        period, last = (Period.of(end.astimezone(self.zone), kind, self.zone) for end in ends)
        periods = [period]
        while periods[-1] < last:
            periods.append(periods[-1].next(self.zone))
        begins = [round(period.start_at(self.zone).timestamp()) * 1_000_000 for period in periods]
        lengths = [period.steps(self.step, self.zone) for period in periods]
        return periods, np.array(begins, np.int64), np.array(lengths, np.int64)

    # -- findings -------------------------------------------------------------------------------------------------------
    def _wrong(
        self, wrong: Mask, mine: Numbers, lines: Numbers, at: Numbers, rule: str, message: str, remedy: str
    ) -> Iterator[Finding]:
        """One finding for each series that has such lines, at the first of them."""
        where = np.flatnonzero(wrong)
        _, first, count = np.unique(mine[where], return_index=True, return_counts=True)
        for i, times in zip(where[first].tolist(), count.tolist(), strict=True):
            more = f" ({times} lines of this series)" if times > 1 else ""
            yield Finding(rule, message + more, self._at(int(lines[i]), TIME), self._clock(int(at[i])), remedy)

    def _differing(self, codes: Mapping[str, tuple[Numbers, _Array]], mine: Numbers, lines: Numbers, size: int) -> Mask:
        """The series whose lines do not agree in a field of the row."""
        bad = np.zeros(size, bool)
        for name, (of, names) in codes.items():
            said = np.zeros(size, np.int64)
            said[mine[::-1]] = of[::-1]
            other = np.flatnonzero(of != said[mine])
            _, first = np.unique(mine[other], return_index=True)
            for i in other[first].tolist():
                bad[mine[i]] = True
                value, before = names[int(of[i])].as_py(), names[int(said[mine[i]])].as_py()
                message = f"the lines of this series before have {before}"
                at = self._at(int(lines[i]), name)
                self.findings.append(Finding("two-values", message, at, shown(value), "keep one of them"))
        return bad

    def _gaps(self, taken: Numbers, layout: _Layout, periods: Sequence[Period], begins: Numbers) -> Mask:
        """The series that have no line for some time."""
        free = np.flatnonzero(taken == 0)
        owner = np.searchsorted(layout.start, free, side="right") - 1
        bad = np.zeros(len(layout.group), bool)
        bad[owner] = True
        whose, first, count = np.unique(owner, return_index=True, return_counts=True)
        name = self.series[0].name if self.series else TIME
        for i, place, gaps in zip(whose.tolist(), free[first].tolist(), count.tolist(), strict=True):
            since = int(begins[layout.period[i]]) + (place - int(layout.start[i])) * self.step * _MICROSECONDS
            message = f"{gaps} of the {layout.length[i]} times of {periods[layout.period[i]]} have no line"
            remedy = "add the lines that are lost; where there is no value, leave it empty after its time"
            at = self._at(int(layout.first[i]), name)
            self.findings.append(Finding("gap", message, at, f"from {self._clock(since)} on", remedy))
        return bad

    def _told(self) -> tuple[Finding, ...]:
        return tuple(sorted(self.findings, key=lambda finding: finding.place.row or 0))

    def _at(self, line: int, field: str) -> Place:
        return replace(self.grid.place, row=line, field=field)

    def _clock(self, microseconds: int) -> str:
        return datetime.fromtimestamp(microseconds / 1_000_000, self.zone).isoformat(timespec="minutes")


def _codes(column: _Array) -> tuple[Numbers, _Array]:
    """A number for each value, and the values by number; what is missing is a value too."""
    encoded: Any = column.dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices).astype(np.int64), encoded.dictionary


def _combined(codes: Sequence[Numbers], size: int) -> Numbers:
    """A number for each combination, from 0 without a gap."""
    found: Numbers = np.zeros(size, np.int64)
    for code in codes:
        found = _dense(found * (int(code.max()) + 1) + code)
    return found


def _dense(codes: Numbers) -> Numbers:
    """The same distinctions by numbers without a gap."""
    if int(codes.max()) > 16 * len(codes):  # few lines of many things: to sort them takes less room than to count all
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    there = np.bincount(codes) > 0
    numbers: Numbers = (np.cumsum(there) - 1)[codes]
    return numbers


def _layout(group: Numbers, period: Numbers, lengths: Numbers, lines: Numbers) -> tuple[_Layout, Numbers]:
    """Room for every series, and which one each line belongs to."""
    mine = _dense(group * len(lengths) + period)
    size = int(mine.max()) + 1
    of_group, of_period, first = (np.zeros(size, np.int64) for _ in range(3))
    for into, values in ((of_group, group), (of_period, period), (first, lines)):
        into[mine[::-1]] = values[::-1]  # the first line of a series is the last to be written
    length = lengths[of_period]
    return _Layout(of_group, of_period, np.cumsum(length) - length, length, first), mine


def _lists(column: _Array, where: Numbers, fits: Mask, layout: _Layout, whole: Numbers) -> _Array:
    """The values of each whole series, in order of time."""
    size = int(layout.length.sum())
    numbers, there = np.zeros(size, np.int64), np.zeros(size, bool)
    numbers[where[fits]] = np.asarray(column.fill_null(0))[fits]
    there[where[fits]] = np.asarray(column.is_valid())[fits]
    kept = np.zeros(len(layout.group), bool)
    kept[whole] = True
    mask = np.repeat(kept, layout.length)
    offsets = np.concatenate(([0], np.cumsum(layout.length[whole])))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(numbers[mask], mask=~there[mask]))
