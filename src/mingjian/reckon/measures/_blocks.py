"""A job's values as a part of results: numbers in columns, made into single values when they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

import numpy as np

from mingjian.base.errors import Finding
from mingjian.declare import Index, Measure
from mingjian.reckon.measures._columns import NO_BALLOTS, NO_ROWS, OK, UNDEFINED, ZERO_DENOMINATOR, singles
from mingjian.reckon.measures._plan import Job
from mingjian.reckon.measures._sheets import Sheet
from mingjian.reckon.measures._values import Value


class Block:
    """The values of one job, ``among`` some subjects where that is said."""

    def __init__(self, job: Job, what: Measure | Index, sheet: Sheet, among: Collection[str] | None) -> None:
        self.measure, self.period = job.name, job.period
        self._job, self._what, self._sheet, self._among = job, what, sheet, among

    def __len__(self) -> int:
        return self._sheet.grid.size if self._among is None else sum(1 for _ in self)

    def __iter__(self) -> Iterator[Value]:
        column = self._sheet.column
        whys, groups, numbers = column.why.tolist(), column.group.tolist(), singles(column)
        for (subject, member), number, why, group in zip(self._sheet.grid.pairs(), numbers, whys, groups, strict=True):
            if self._among is None or subject in self._among:
                yield self._value(subject, member, number, why, group)

    def of(self, subject: str) -> tuple[Value, ...]:
        """The values of one subject."""
        if self._among is not None and subject not in self._among:
            return ()
        return tuple(self._at(subject, self._sheet.grid.held(subject)))

    def get(self, subject: str, member: str) -> Value | None:
        """One value, or None."""
        if self._among is not None and subject not in self._among:
            return None
        place = self._sheet.grid.place(subject, member)
        return None if place < 0 else next(self._at(subject, (place,)))

    def _at(self, subject: str, places: Sequence[int]) -> Iterator[Value]:
        one, members = self._sheet.column.take(np.array(places, np.intp)), map(self._sheet.grid.member_at, places)
        for member, number, why, group in zip(members, singles(one), one.why.tolist(), one.group.tolist(), strict=True):
            yield self._value(subject, member, number, why, group)

    def _value(self, subject: str, member: str, number: Fraction | float, why: int, group: int) -> Value:
        good = why == OK
        return Value(
            measure=self.measure,
            subject=subject,
            period=self.period,
            member=member,
            status="value" if good else "none",
            number=number if good else None,
            unit=self._what.unit,
            decimals=self._what.decimals,
            group=None if group == NO_BALLOTS else group,
            reason=None if good else _reason(why, self._job, subject, member),
        )


def _reason(why: int, job: Job, subject: str, member: str) -> Finding:
    what = f"{job.name} of {subject}{f' ({member})' if member else ''} in {job.period}"
    match why:
        case _ if why == NO_ROWS:
            return Finding("no-rows", f"{what}: there are no rows to reckon it from")
        case _ if why == ZERO_DENOMINATOR:
            return Finding("zero-denominator", f"{what}: what it is divided by is zero")
        case _ if why == UNDEFINED:
            return Finding("undefined", f"{what}: the formula has no value for these numbers")
    return Finding("no-value", f"{what}: a figure that it reads has no value")
