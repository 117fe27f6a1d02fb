"""Series: one row with a value for every step of its period, and what is said of it without naming all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mingjian.declare import EvidenceType, Field


@dataclass(frozen=True, slots=True)
class Series:
    """What a view shows of a series, and all that formulas can ask of it.

    ``count`` is how many values its period has, ``missing`` how many of them there are not, ``total`` their sum in the unit
    of the field: None where one is missing.
    """

    count: int
    missing: int
    total: int | None

    @classmethod
    def of(cls, values: Sequence[int | None]) -> Series:
        """What is said of these values."""
        there = [value for value in values if value is not None]
        missing = len(values) - len(there)
        return cls(len(values), missing, None if missing else sum(there))

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The series in a few words of ``language``, "en" or "zh"."""
        if language == "zh":
            rest = f"缺 {self.missing} 个" if self.missing else f"合计 {self.total}"
            return f"{self.count} 个读数，{rest}"
        return f"{self.count} values, " + (f"{self.missing} missing" if self.missing else f"total {self.total}")


def text_of(value: object, language: str) -> str:
    """A value of a row as it is read: a series in a few words, anything else as it is."""
    return value.text(language) if isinstance(value, Series) else str(value)


def shown_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a view (`View.arrow`, `View.at`) in Python, its series as `Series`."""
    return {name: _shown(value) if isinstance(value, dict) else value for name, value in row.items()}


def _shown(value: Mapping[str, Any]) -> Series:
    total = value["total"]
    return Series(value["count"], value["missing"], None if total is None else int(total))


def series_fields(type: EvidenceType) -> tuple[Field, ...]:
    """The fields of a type that are series. All of them have one step."""
    return tuple(field for field in type.fields.values() if field.type == "series")
