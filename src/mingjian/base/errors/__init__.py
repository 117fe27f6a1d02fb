"""What went wrong, where, why and what to do about it.

Two shapes only. A *Finding* is a row (or a value) that breaks a declared rule: it is reported, never corrected, and it
does not stop the rest of the report from being made. A *MingjianError* stops the work at hand: nothing of it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["Fault", "Finding", "Forbidden", "MingjianError", "Misuse", "Place", "Tampered"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and inside it whatever is known of sheet, row (1-based) and field."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    field: str = ""

    def __str__(self) -> str:
        parts = [self.file + (f" [{self.sheet}]" if self.sheet else "")]
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field:
            parts.append(f"field {self.field}")
        return ", ".join(p for p in parts if p)

    def to_json(self) -> dict[str, str | int | None]:
        """The four parts as they are, for ``--json``."""
        return {"file": self.file, "sheet": self.sheet, "row": self.row, "field": self.field}


@dataclass(frozen=True, slots=True)
class Finding:
    """A row or a value that breaks a declared rule.

    ``rule`` is a short stable code in kebab-case (``not-a-number``), ``message`` one sentence for a person, ``value`` the
    offending value as text, ``remedy`` what whoever made it can do.
    """

    rule: str
    message: str
    place: Place = Place()
    value: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        what = f" (found: {self.value!r})" if self.value else ""
        return f"{where}{self.message}{what}{f' → {self.remedy}' if self.remedy else ''} [{self.rule}]"

    def to_json(self) -> dict[str, object]:
        """The finding as a JSON object."""
        return {
            "rule": self.rule,
            "message": self.message,
            "place": self.place.to_json(),
            "value": self.value,
            "remedy": self.remedy,
        }


class MingjianError(Exception):
    """Work that was refused or could not be finished; nothing of it was taken.

    Says ``what`` was attempted, ``why`` it failed, ``where``, and the ``remedy``; carries Findings when there are several
    causes. ``exit_code`` is what a command line answers with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, why: str = "", where: Place | str = "", remedy: str = "", findings: Iterable[Finding] = ()
    ) -> None:
        self.what, self.why, self.where, self.remedy = what, why, where, remedy
        self.findings = tuple(findings)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if str(self.where) else self.what
        tail = (f": {self.why}" if self.why else "") + (f" → {self.remedy}" if self.remedy else "")
        return "\n".join([head + tail, *(f"  - {finding}" for finding in self.findings)])

    def said(self, language: str) -> str:
        """The error as a person reads it in "en" or "zh": in English where it knows no other words."""
        return str(self)

    def to_json(self) -> dict[str, object]:
        """The error as a JSON object."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "why": self.why,
            "where": str(self.where),
            "remedy": self.remedy,
            "findings": [finding.to_json() for finding in self.findings],
        }


class Misuse(MingjianError):
    """The call itself is wrong: an unknown name, a missing file, an argument out of range."""

    exit_code = 2


class Fault(MingjianError):
    """A declaration (scheme, claims file, package) that does not hold together; ``findings`` has every fault at once."""


class Forbidden(MingjianError):
    """An act that this actor, or this state, does not allow; names who may."""


class Tampered(MingjianError):
    """Stored or signed bytes that are not what they were: names the first place that differs."""
