"""A case and the acts in it, as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One act as recorded: from state ``before`` into ``after``, on day ``on`` of the scheme's clock.

    ``late``: after the deadline of the state before. ``by`` is the account, ``role`` the one it acted in, ``entry`` the
    index of the ledger's entry.
    """

    act: str
    before: str
    after: str
    late: bool
    role: str
    by: str
    on: date
    at: datetime
    note: str
    entry: int


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a process: the latest row of its key, the acts so far, and the state that these led to.

    ``id`` is the row's key, ``subject`` whom it is about, ``since`` the day on which it came into ``state``: that of the
    last act, or the one on which its first row was recorded. ``due`` is the last day to leave the state in time, which
    counts whole; None where there is no deadline, and then nothing is ever late.
    """

    process: str
    id: str
    subject: str
    row: Mapping[str, Any]
    state: str
    since: date
    due: date | None
    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        """How many acts so far: whoever acts says which they saw, so that no two act on one at once."""
        return len(self.steps)

    def late(self, day: date) -> bool:
        """Whether ``day`` is after the deadline."""
        return self.due is not None and day > self.due
