"""What is known of those who sign in: plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)

Outcome = Literal[
    "signed-in",
    "password-changed",
    "invitation-taken",
    "wrong-password",
    "unknown-name",
    "locked",
    "disabled",
    "no-password",
    "limited",
]


@dataclass(frozen=True, slots=True)
class Account:
    """One who may sign in.

    ``id`` is random and stands in the ledger; ``name`` is typed at the door, ``shown`` on pages; ``language`` is "en" or
    "zh"; ``subject`` is the id of the person described whose account it is, or "". ``ready``: it has a password.
    """

    id: str
    name: str
    shown: str
    language: str
    subject: str
    made: datetime
    disabled: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in: the token their cookie carries, and since when. ``seen`` is exact to a minute."""

    token: str = field(repr=False)
    account: Account
    since: datetime
    seen: datetime

    @property
    def until(self) -> datetime:
        """When it ends, whatever is done in it."""
        return self.since + LONGEST


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to sign in: whose ("" for a name that nobody has), from where, when, and what came of it.

    What was typed is not kept: people type passwords into the field for the name.
    """

    account: str
    address: str
    at: datetime
    outcome: Outcome
