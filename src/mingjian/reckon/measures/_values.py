"""What evaluation gives: a value for each measure, subject, period and member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

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


class Results:
    """The values of one run: one scheme, one period, one ledger size. Ordered by measure, subject, member.

    ``period`` is the period asked for; a measure of a longer period has its value under that longer period.
    """

    def __init__(self, period: str, values: Iterable[Value]) -> None:
        self.period = period
        self._values: Mapping[Key, Value] = {value.key: value for value in sorted(values, key=lambda v: v.key)}
        self._short: Mapping[tuple[str, str, str], Value] = {(m, s, x): v for (m, s, _, x), v in self._values.items()}

    def __iter__(self) -> Iterator[Value]:
        return iter(self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def get(self, measure: str, subject: str, member: str = "") -> Value | None:
        """The value, or None where the run has none of that name."""
        return self._short.get((measure, subject, member))

    def value(self, measure: str, subject: str, member: str = "") -> Value:
        """The value. Raises Misuse where the run has none of that name."""
        found = self.get(measure, subject, member)
        if found is None:
            raise Misuse(
                f"no value of {measure} for {subject}{f' ({member})' if member else ''} in {self.period}",
                remedy="`mingjian measure` lists what there is",
            )
        return found

    def of(self, subject: str) -> tuple[Value, ...]:
        """All values of one subject."""
        return tuple(value for value in self if value.subject == subject)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why there is no value, for each that has none and a reason."""
        return tuple(value.reason for value in self if value.reason is not None)
