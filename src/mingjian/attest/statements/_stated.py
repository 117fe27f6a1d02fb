"""One number as it is said: in a credential, and in the snapshot that a run commits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

from mingjian.attest.statements._reading import Record, choice_of, malformed, other_writing, texts_of
from mingjian.attest.statements._reason import because
from mingjian.base.errors import Misuse
from mingjian.base.values import fraction_text, parse_fraction
from mingjian.reckon.measures import Key, Status, Value

STATUSES: Final = ("value", "none", "withheld")
SNAPSHOT_COLUMNS: Final = (
    "subject",
    "measure",
    "member",
    "period",
    "part",  # "" for a number itself, else which figure under it: see `Figure`
    "status",
    "exact",
    "double",
    "printed",
    "unit",
)
_TEXTS: Final = ("measure", "member", "period", "printed", "unit")
_LONGEST: Final = 1_000  # characters of a stated number


@dataclass(frozen=True, slots=True)
class Stated:
    """A number, or that there is none, as a statement says it.

    ``number`` is a Fraction, a float, or None unless ``status`` is "value"; ``printed`` is it rounded, as a person reads
    it. The size of the group that it was counted from is never said.
    """

    measure: str
    subject: str
    member: str
    period: str
    status: Status
    number: Fraction | float | None
    printed: str
    unit: str

    @classmethod
    def of(cls, value: Value) -> Stated:
        """What is said of a released value."""
        shown = value.status == "value"
        return cls(
            measure=value.measure,
            subject=value.subject,
            member=value.member,
            period=value.period,
            status=value.status,
            number=value.number if shown else None,
            printed=value.printed if shown else "",
            unit=value.unit,
        )

    @property
    def key(self) -> Key:
        """What identifies the number within a run."""
        return (self.measure, self.subject, self.period, self.member)

    def to_json(self) -> dict[str, str]:
        """The number as texts, written as by `number_json`."""
        said = {
            "measure": self.measure,
            "member": self.member,
            "period": self.period,
            "status": self.status,
            "printed": self.printed,
            "unit": self.unit,
        }
        return {**said, **number_json(self.number)}

    def row(self) -> dict[str, str | None]:
        """The row of the snapshot: every one of SNAPSHOT_COLUMNS, null where a number is of the other kind."""
        said = {**self.to_json(), "subject": self.subject, "part": ""}
        return {column: said.get(column) for column in SNAPSHOT_COLUMNS}

    @classmethod
    def from_json(cls, record: Record, subject: str, where: str) -> Stated:
        """The number that `to_json` wrote of ``subject``. Raises Malformed for another shape."""
        status = cast(Status, choice_of(record, "status", where, STATUSES))
        number = number_of(record, where)
        if (number is None) is (status == "value"):
            raise malformed(where, because("status-and-number", status=status))
        measure, member, period, printed, unit = texts_of(record, _TEXTS, where)
        return cls(measure, subject, member, period, status, number, printed, unit)


def number_json(number: Fraction | float | None) -> dict[str, str]:
    """A number as texts: ``exact`` a fraction in lowest terms, ``double`` the shortest text of a double; neither for None."""
    match number:
        case None:
            return {}
        case Fraction():
            return {"exact": fraction_text(number)}
    return {"double": repr(number)}


def number_of(record: Record, where: str) -> Fraction | float | None:
    """The number that `number_json` wrote. Raises Malformed for another shape."""
    exact, double = record.get("exact"), record.get("double")
    if exact is None and double is None:
        return None
    if isinstance(exact, str) and double is None and len(exact) <= _LONGEST:
        try:
            return parse_fraction(exact)
        except (Misuse, ValueError) as fault:
            raise malformed(f"{where}.exact", other_writing(exact, "fraction")) from fault
    if isinstance(double, str) and exact is None:
        return _double(double, where)
    raise malformed(where, because("two-numbers"))


def _double(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number) and repr(number) == text:
        return number
    raise malformed(f"{where}.double", other_writing(text, "double"))
