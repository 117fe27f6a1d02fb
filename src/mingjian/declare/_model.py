"""A scheme as data: what a programme declares, frozen.

Every class here is a plain frozen record; nothing in it runs. `_reader` fills them from ``scheme.toml``, `_record` turns
the formulas of ``measures.py`` into expressions, `_check` finds what does not hold together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from mingjian.declare._expressions import Expr
from mingjian.declare._process import Process, Role, Year
from mingjian.declare._titles import Label, Title

Window = Literal["in_period", "up_to", "state_at_end"]
Rollup = Literal["pool", "sum", "mean", "none"]
FieldType = Literal[
    "text", "choice", "flag", "date", "time", "period", "integer", "quantity", "decimal", "subject", "ref", "series"
]
Direction = Literal["higher", "lower", "neither"]

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an evidence type.

    ``integer`` and ``quantity`` hold whole smallest units of ``unit`` (int64), ``decimal`` an exact number of ``decimals``
    places, ``subject`` the id of a subject of one of the types in ``of``, ``ref`` the key of a row of evidence type ``to``,
    ``period`` a period text of kind ``of[0]``. ``at_most`` names another numeric field that bounds this one, ``instead_of``
    one of which a row has exactly one: it or this.

    ``series`` holds whole smallest units too, one for every ``step`` minutes of the period that dates the row, in order of
    time from the instant at which the period begins in the scheme's zone; ``min`` and ``max`` bound each of them.
    """

    name: str
    type: FieldType
    title: Title
    unit: str = ""
    decimals: int = 0
    optional: bool = False
    choices: Mapping[str, Title] = field(default_factory=dict)
    min: Decimal | None = None
    max: Decimal | None = None
    at_most: str = ""
    of: tuple[str, ...] = ()
    to: str = ""
    label: Label = "internal"
    line: int = 0
    step: int = 0
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """A kind of row: its fields, which of them identify it, date it and say about whom it is.

    A later row with the same ``key`` supersedes the earlier one; without a key every row counts. With its date in the key
    a row of another date is another row of the same ``thread``, and supersedes none. ``subjects`` are the subject fields
    (a measure of type T takes the first one that may hold a T). A ``dimension`` lists the members of a breakdown
    (indicators, technologies); of a thread the row dated last before a period's end is in force. ``ballots`` puts every
    figure counted from the rows behind the release gate. ``bad_rows`` says whether a batch with a bad row lands without it
    or not at all. Rows are kept for ``retain`` years after the end of the year of their date, and for good without it.
    """

    id: str
    title: Title
    fields: Mapping[str, Field]
    key: tuple[str, ...] = ()
    date: str = ""
    subjects: tuple[str, ...] = ()
    bad_rows: Literal["refuse", "leave_out"] = "refuse"
    ballots: bool = False
    dimension: bool = False
    label: Label = "internal"
    retain: int | None = None
    line: int = 0

    @property
    def thread(self) -> tuple[str, ...]:
        """The key without the date: it names a thing whose rows follow each other in time. Refs name it."""
        return tuple(name for name in self.key if name != self.date)


@dataclass(frozen=True, slots=True)
class Dated:
    """A parameter's value from a day on, with the text that lays it down. A table maps names to numbers."""

    start: date
    value: Decimal | Mapping[str, Decimal]
    source: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A dated value with unit and source. ``values`` is ordered by start day."""

    id: str
    title: Title
    unit: str
    values: tuple[Dated, ...]
    line: int = 0

    def on(self, day: date) -> Dated | None:
        """The value in force on ``day``, or None before the first."""
        return next((dated for dated in reversed(self.values) if dated.start <= day), None)


@dataclass(frozen=True, slots=True)
class Grade:
    """A named band of a measure's values: from ``at`` upwards."""

    at: Decimal
    title: Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """What has a value for one subject of type ``of`` and one period, printed with ``decimals`` places of ``unit``.

    ``grades`` are thresholds of the printed value; each wants a case.
    """

    id: str
    title: Title
    of: str
    period: str
    unit: str
    decimals: int
    better: Direction = "higher"
    grades: tuple[Grade, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Valued):
    """A typed value that is the result of ``expr``.

    ``each`` breaks it down by a field that every evidence type in the formula has. ``rollup`` says how a higher subject
    type gets its value. ``certified`` demands that the number be exact.
    """

    expr: Expr
    window: Window = "in_period"
    rollup: Rollup = "none"
    each: str = ""
    certified: bool = False
    code_line: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One node of an index: a measure or further nodes, its weight among its siblings, its own way to normalise and aggregate.

    ``normalise``: none, minmax, goalposts (``low``, ``high``), zscore. ``aggregate``: arithmetic, geometric. ``members``
    grows the children from the rows of dimension ``members`` (one leaf a member of ``measure``'s breakdown, weighted by the
    dimension's field ``weight``, under a node for each value of its field ``group``, weighted by ``group_weight``, or by
    the sum of its members' weights when that is empty).
    """

    id: str
    title: Title
    weight: Decimal = Decimal(1)
    measure: str = ""
    children: tuple[Node, ...] = ()
    aggregate: Literal["arithmetic", "geometric"] = "arithmetic"
    normalise: Literal["none", "minmax", "goalposts", "zscore"] = "none"
    low: Decimal | None = None
    high: Decimal | None = None
    members: str = ""
    member_weight: str = ""
    group: str = ""
    group_weight: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Valued):
    """A tree of weighted measures with one value at its root."""

    root: Node

    def nodes(self) -> Iterator[Node]:
        """Every declared node, the root first."""
        open_ = [self.root]
        while open_:
            node = open_.pop()
            yield node
            open_ += reversed(node.children)


@dataclass(frozen=True, slots=True)
class Derivation:
    """Keyed rows made from evidence by a pure function: one for each row of ``of`` (an evidence type or a derivation).

    ``results`` maps each field of the formula's result to its unit. ``split`` is how a shared total is divided:
    pro_rata (by largest remainder), priority (by field ``order``, smallest first), time (same, by a date field).
    """

    id: str
    title: Title
    of: str
    expr: Mapping[str, Expr]
    units: Mapping[str, str]
    period: str
    split: Literal["pro_rata", "priority", "time", ""] = ""
    order: str = ""
    line: int = 0
    code_line: int = 0


@dataclass(frozen=True, slots=True)
class StatementType:
    """A portrait or a certificate: of whom, for which period, which measures it shows and the template that draws it."""

    id: str
    title: Title
    kind: Literal["portrait", "certificate"]
    of: str
    period: str
    show: tuple[str, ...]
    template: str = ""
    valid_days: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class SubjectType:
    """A type of subject and the type it stands under ("" at the top)."""

    id: str
    title: Title
    parent: str = ""
    person: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Input rows, a period, and what must come out; a test of the scheme by its author."""

    id: str
    title: str
    period: str
    rows: Mapping[str, tuple[Mapping[str, object], ...]]
    expected: tuple[Expected, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected figure of a case: the printed value, or a status ("none", "withheld") without one."""

    measure: str
    subject: str
    value: str = ""
    status: str = "value"
    member: str = ""
    period: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Scheme:
    """A programme's declared rules, frozen. ``fingerprint`` is over the meaning, not over the text."""

    id: str
    version: str
    title: Title
    period: str
    zone: str
    law: tuple[str, ...]
    subjects: Mapping[str, SubjectType]
    evidence: Mapping[str, EvidenceType]
    parameters: Mapping[str, Parameter]
    measures: Mapping[str, Measure]
    indices: Mapping[str, Index]
    derivations: Mapping[str, Derivation]
    statements: Mapping[str, StatementType]
    minimum_group: int
    cases: tuple[Case, ...]
    folder: Path | None
    fingerprint: str
    line: int = 0
    processes: Mapping[str, Process] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    calendar: tuple[Year, ...] = ()

    def lineage_of(self, subject_type: str) -> tuple[str, ...]:
        """``subject_type`` and every type above it, nearest first."""
        return tuple(self._upwards(subject_type))

    def _upwards(self, subject_type: str) -> Iterator[str]:
        while subject_type:
            yield subject_type
            subject_type = self.subjects[subject_type].parent
