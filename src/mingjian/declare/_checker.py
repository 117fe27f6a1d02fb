"""What every check of a scheme has at hand, and how it says what is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mingjian.declare._model import Scheme
from mingjian.declare._section import SCHEME_FILE, Report, near


@dataclass(frozen=True)
class Checker:
    """The scheme that is checked, and where its faults go."""

    scheme: Scheme
    report: Report

    def fault(self, rule: str, message: str, line: int, remedy: str = "") -> None:
        """One more fault, of a declaration."""
        self.report.add(rule, message, SCHEME_FILE, line, remedy)

    def unknown(self, what: str, name: str, known: Iterable[str], who: str, line: int) -> None:
        """The fault that a declaration (``who``) names what is not there."""
        if name:  # else it is reported as missing where it was read
            self.fault(f"unknown-{what.replace(' ', '-')}", f"{who} names {what} {name!r}", line, near(name, [*known]))
