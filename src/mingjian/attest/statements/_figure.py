"""A figure under the numbers: what a reduction of rows came to, or what the peers of an index amount to.

Figures stand in the snapshot beside the numbers, so that whoever is shown no row can still reckon a number by its formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

from mingjian.attest.statements._reading import Record, choice_of, malformed, other_writing, texts_of
from mingjian.attest.statements._reason import because
from mingjian.attest.statements._stated import SNAPSHOT_COLUMNS, number_json, number_of
from mingjian.declare import Measure, walk
from mingjian.reckon.index import Stats
from mingjian.reckon.measures import Aggregate, Key, Part

REDUCING: Final = ("sum", "mean", "min", "max", "count", "distinct", "rows")
PEERS: Final = ("count", "minimum", "maximum", "mean", "sd")
_TEXTS: Final = ("measure", "subject", "member", "period", "part")
_PART: Final = re.compile(r"(0|[1-9][0-9]{0,3})\.(value|sum|count)|peers\.(count|minimum|maximum|mean|sd)")

Place = tuple[int, Part]  # which reduction of a formula, and what of it


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``part`` is "0.sum", "0.count" or "1.value" for what the first or second reduction of a measure's formula
    came to (see `places`), and "peers.mean" and the like for a statistic of all peers, whose ``subject`` is "".

    ``number`` is None where a reduction met no row.
    """

    measure: str
    subject: str
    member: str
    period: str
    part: str
    number: Fraction | float | None

    @classmethod
    def of(cls, found: Aggregate) -> Figure:
        """The figure of a reduction."""
        part = f"{found.place}.{found.part}"
        return cls(found.measure, found.subject, found.member, found.period, part, found.number)

    @classmethod
    def of_peers(cls, measure: str, member: str, period: str, peers: Stats) -> Iterator[Figure]:
        """The figures of the peers' statistics."""
        for name in PEERS:
            number = getattr(peers, name)
            exact = Fraction(number) if name == "count" else float(number)
            yield cls(measure, "", member, period, f"peers.{name}", exact)

    @property
    def key(self) -> Key:
        """The number that it stands under."""
        return (self.measure, self.subject, self.period, self.member)

    @property
    def place(self) -> Place | None:
        """Which reduction it is of, and what of it; None for a statistic of peers."""
        where, part = self.part.split(".")
        return None if where == "peers" else (int(where), cast(Part, part))

    @property
    def statistic(self) -> str:
        """Which statistic of peers it is; "" for a figure of a reduction."""
        where, part = self.part.split(".")
        return part if where == "peers" else ""

    def row(self) -> dict[str, str | None]:
        """The row of the snapshot: every one of SNAPSHOT_COLUMNS; a figure is neither printed nor has it a unit."""
        said = {
            "subject": self.subject,
            "measure": self.measure,
            "member": self.member,
            "period": self.period,
            "part": self.part,
            "status": "none" if self.number is None else "value",
            **number_json(self.number),
        }
        return {column: said.get(column) for column in SNAPSHOT_COLUMNS}

    @classmethod
    def from_json(cls, record: Record, where: str) -> Figure:
        """The figure that `row` wrote. Raises Malformed for another shape."""
        measure, subject, member, period, part = texts_of(record, _TEXTS, where)
        if not _PART.fullmatch(part):
            raise malformed(f"{where}.part", other_writing(part, "part"))
        number = number_of(record, where)
        if (number is None) is (choice_of(record, "status", where, ("value", "none")) == "value"):
            raise malformed(where, because("status-and-number", status=record["status"]))
        if part.startswith("peers.") is not (subject == "") or (subject == "" and number is None):
            raise malformed(where, because("peers-and-subject"))
        return cls(measure, subject, member, period, part, number)


def places(measure: Measure) -> tuple[Place, ...]:
    """All figures under a value of a measure: its formula's reductions, the same one once, in the order of `walk`.

    A mean has two, its sum and its count.
    """
    once = {repr(node.data()): node.op for node in walk(measure.expr) if node.op in REDUCING}
    found: list[Place] = []
    for place, op in enumerate(once.values()):
        found += [(place, "sum"), (place, "count")] if op == "mean" else [(place, "value")]
    return tuple(found)
