"""Who holds which role over whom: the rows of evidence type ``grant``, folded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from mingjian.base.errors import Misuse
from mingjian.declare import Scheme
from mingjian.record.ledger import LedgerState

KIND: Final = "grant"

_Held = Mapping[tuple[str, str], "Grant"]  # of one account, by role and subject


@dataclass(frozen=True, slots=True)
class Grant:
    """Role ``role`` over ``subject``, held by ``account`` from day ``since`` up to but not on day ``until`` (None: for good).

    ``by`` is the account that gave it, or that ended it.
    """

    account: str
    role: str
    subject: str
    since: date
    until: date | None = None
    by: str = ""

    def holds(self, day: date) -> bool:
        """Whether the role is held on that day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account with its grants. The account "" is anyone, who holds none.

    Raises Misuse for a grant of another account.
    """

    account: str = ""
    grants: tuple[Grant, ...] = ()

    def __post_init__(self) -> None:
        if any(not self.account or grant.account != self.account for grant in self.grants):
            raise Misuse("an actor acts on grants of its own", why=f"account {self.account!r} holds another's")


class Grants:
    """All grants of a scheme as of ``size`` entries of the ledger.

    Nothing in it changes: `advanced` gives another value and shares with this one whatever stayed the same. The last row
    of an account, role and subject counts, whatever days earlier rows named.
    """

    def __init__(self, scheme: str, size: int, held: Mapping[str, _Held]) -> None:
        self.size = size
        self._scheme = scheme
        self._held = held

    @classmethod
    def read(cls, scheme: Scheme, state: LedgerState) -> Grants:
        """The grants that stand in the ledger."""
        return cls(scheme.id, 0, {}).advanced(state)

    def advanced(self, state: LedgerState) -> Grants:
        """The grants as of a later state, of which only the new entries are read. Raises Misuse for an earlier state."""
        size = state.size
        if size < self.size:
            raise Misuse(
                "grants are read forwards only", why=f"these are of size {self.size}, the state of size {size}"
            )
        if size == self.size:
            return self
        fresh: dict[str, dict[tuple[str, str], Grant]] = defaultdict(dict)
        for _, rows in state.rows(state.entries(self.size, kind=KIND, scheme=self._scheme)):
            for grant in map(_grant, rows):
                fresh[grant.account][grant.role, grant.subject] = grant
        changed = {account: {**self._held.get(account, {}), **held} for account, held in fresh.items()}
        return Grants(self._scheme, size, {**self._held, **changed} if changed else self._held)

    def of(self, account: str, day: date) -> tuple[Grant, ...]:
        """What the account holds on that day, in the order in which it was first given."""
        return tuple(grant for grant in self._held.get(account, {}).values() if grant.holds(day))

    def over(self, subject: str, day: date) -> tuple[Grant, ...]:
        """The grants over this very subject (not over those above it) that hold on that day, by account."""
        found = [grant for grant in self if grant.subject == subject and grant.holds(day)]
        return tuple(sorted(found, key=lambda grant: grant.account))

    def actor(self, account: str, day: date) -> Actor:
        """The account with what it holds on that day."""
        return Actor(account, self.of(account, day))

    def accounts(self) -> tuple[str, ...]:
        """The accounts that ever held a role, in order of their ids."""
        return tuple(sorted(self._held))

    def __iter__(self) -> Iterator[Grant]:
        """Every grant as it was last recorded, also those that have ended or are yet to begin."""
        for held in self._held.values():
            yield from held.values()


def _grant(row: Mapping[str, Any]) -> Grant:
    return Grant(row["account"], row["role"], row["subject"], row["since"], row["until"], row["by"])
