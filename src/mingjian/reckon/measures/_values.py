"""What evaluation gives: a value for each measure, subject, period and member."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from typing import Final, Literal, Protocol

from mingjian.base.errors import Finding, Misuse
from mingjian.base.values import round_float, round_half_away

Status = Literal["value", "none", "withheld"]
Key = tuple[str, str, str, str]  # measure, subject, period, member
Part = Literal["value", "sum", "count"]
AggregateKey = tuple[str, str, str, str, int, Part]  # as Key, and which reduction of the formula, and what of it

VALUE: Final = "value"
SUM: Final = "sum"
COUNT: Final = "count"


@dataclass(frozen=True, slots=True)
class Value:
    """One number (or why there is none) of one measure or index, for a subject and a period.

    ``number`` is a Fraction where the arithmetic is exact, a float for a score, None where there is no value. ``member`` is
    "" but for a breakdown (``each``) and for the inner nodes of an index. ``group`` is the least number of ballots that any
    figure in it was counted from, None where no ballot enters. ``reason`` says why there is none.
    """

    measure: str
    subject: str
    period: str
    member: str
    status: Status
    number: Fraction | float | None
    unit: str
    decimals: int
    group: int | None = None
    reason: Finding | None = None

    @property
    def key(self) -> Key:
        """What identifies the value within a run."""
        return (self.measure, self.subject, self.period, self.member)

    @property
    def printed(self) -> str:
        """The number as it is shown: rounded once, half away from zero; "" where there is none."""
        match self.number:
            case None:
                return ""
            case Fraction():
                return format(round_half_away(self.number, self.decimals), "f")
        return format(round_float(self.number, self.decimals), "f")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A reduced figure under a value: what the ``place``-th reduction of its formula came to, rows being no longer seen.

    A mean has two, its sum and its count, so that whoever is shown no row can still reckon it.
    """

    measure: str
    subject: str
    period: str
    member: str
    place: int
    part: Part
    number: Fraction | float | None

    @property
    def key(self) -> AggregateKey:
        """What identifies the figure within a run."""
        return (self.measure, self.subject, self.period, self.member, self.place, self.part)


class Values(Protocol):
    """The values of one measure and period, in order of subject and member."""

    @property
    def measure(self) -> str:
        """Whose values."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Value]: ...

    def of(self, subject: str) -> tuple[Value, ...]:
        """The values of one subject."""

    def get(self, subject: str, member: str) -> Value | None:
        """One value, or None."""


class Results:
    """The values of one run: one scheme, one period, one ledger size. Ordered by measure, subject, period, member.

    ``period`` is the period asked for; a measure of a longer period has its value under that longer period. Single values
    are made when they are asked for, and pass a ``gate`` then.
    """

    def __init__(self, period: str, values: Iterable[Value] = ()) -> None:
        self.period = period
        self._parts: Mapping[str, Sequence[Values]] = {}
        self._gate: Callable[[Value], Value] | None = None
        by_measure: dict[str, list[Value]] = {}
        for value in values:
            by_measure.setdefault(value.measure, []).append(value)
        self._parts = {measure: (_Listed(measure, listed),) for measure, listed in sorted(by_measure.items())}

    @classmethod
    def of_parts(cls, period: str, parts: Iterable[Values]) -> Results:
        """The results that these parts make up."""
        made = cls(period)
        by_measure: dict[str, list[Values]] = {}
        for part in parts:
            by_measure.setdefault(part.measure, []).append(part)
        made._parts = {measure: tuple(listed) for measure, listed in sorted(by_measure.items())}
        return made

    def through(self, gate: Callable[[Value], Value]) -> Results:
        """The same, every value as the gate gives it; one gate after another."""
        made, before = Results(self.period), self._gate
        made._parts = self._parts
        made._gate = gate if before is None else lambda value: gate(before(value))
        return made

    def __iter__(self) -> Iterator[Value]:
        for parts in self._parts.values():
            merged = iter(parts[0]) if len(parts) == 1 else merge(*parts, key=lambda value: value.key)
            yield from merged if self._gate is None else map(self._gate, merged)

    def __len__(self) -> int:
        return sum(len(part) for parts in self._parts.values() for part in parts)

    def get(self, measure: str, subject: str, member: str = "") -> Value | None:
        """The value, or None where the run has none of that name."""
        found = (part.get(subject, member) for part in self._parts.get(measure, ()))
        value = next((value for value in found if value is not None), None)
        return value if value is None or self._gate is None else self._gate(value)

    def of(self, subject: str) -> tuple[Value, ...]:
        """All values of one subject."""
        values = (value for parts in self._parts.values() for part in parts for value in part.of(subject))
        return tuple(values if self._gate is None else map(self._gate, values))

    def value(self, measure: str, subject: str, member: str = "") -> Value:
        """The value. Raises Misuse where the run has none of that name."""
        found = self.get(measure, subject, member)
        if found is None:
            raise Misuse(
                f"no value of {measure} for {subject}{f' ({member})' if member else ''} in {self.period}",
                remedy="`mingjian measure` lists what there is",
            )
        return found

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why there is no value, for each that has none and a reason."""
        return tuple(value.reason for value in self if value.reason is not None)


class _Listed:
    """Values that are there one by one."""

    def __init__(self, measure: str, values: Iterable[Value]) -> None:
        self.measure = measure
        self._values = {value.key: value for value in sorted(values, key=lambda value: value.key)}

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._values.values())

    def of(self, subject: str) -> tuple[Value, ...]:
        return tuple(value for value in self if value.subject == subject)

    def get(self, subject: str, member: str) -> Value | None:
        return next((v for v in self if (v.subject, v.member) == (subject, member)), None)
