"""How work goes on and who may do it, as data: processes with their states and acts, roles, and the calendar they keep.

`_model` holds what is measured; here stands what people do. A process moves *cases*: the rows (by key) of one evidence
type. Every act is a row of its own, and the state that a case is in is the fold over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from mingjian.declare._titles import Label, Title

Amount = Literal["one", "some", "any"]
Days = Literal["calendar", "working"]
When = Literal["any", "before_due", "after_due"]


@dataclass(frozen=True, slots=True)
class State:
    """A state that a case can be in, and until when it may stay there.

    ``due`` names a date field of the case's row: its last day, in the scheme's zone. Or ``within`` gives a number of days
    after the one on which the case came into the state, counted in ``days``. Without either there is no deadline. A case
    in a ``final`` state is closed.
    """

    id: str
    title: Title
    due: str = ""
    within: int | None = None
    days: Days = "calendar"
    final: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """What may be done to a case: from which states, into which, by whom, and what it brings along.

    ``by`` are roles, whose grant must reach the case's subject. ``takes`` says how many rows of which evidence types come
    along (exactly one, at least one, any number), ``fills`` which fields of the case's own row the actor gives anew,
    ``sets`` which are set, and ``sets_late`` which are set instead when the act comes after the deadline. ``when`` forbids
    the act before or after the deadline of the state it starts from; ``once`` allows it once a case.
    """

    id: str
    title: Title
    sources: tuple[str, ...]
    to: str
    by: tuple[str, ...]
    takes: Mapping[str, Amount] = field(default_factory=dict)
    fills: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)
    sets_late: Mapping[str, str] = field(default_factory=dict)
    when: When = "any"
    once: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Process:
    """The states of the rows of evidence type ``of``. A row that is there and was never acted on is in ``start``."""

    id: str
    title: Title
    of: str
    start: str
    states: Mapping[str, State]
    acts: Mapping[str, Act]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """What a person may do to the subjects that a grant reaches: the one named (of type ``of``) and all that stand below it.

    ``reads`` is the highest label of rows and fields they see. ``adds`` are evidence types whose rows they may add, ``issues``
    the statement types they may issue, ``grants`` the roles they may give and take, ``unseals`` whether they hold the
    office's key, ``oversees`` whether they see who read what.
    """

    id: str
    title: Title
    of: str
    reads: Label = "internal"
    adds: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    unseals: bool = False
    oversees: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the calendar: the weekdays that are holidays, the weekend days that are worked, and what lays it down."""

    year: int
    holidays: frozenset[date]
    workdays: frozenset[date]
    source: str
    line: int = 0
