"""The panorama: every unit against every indicator, who moved since the last period, and what is weak in many places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Final

from mingjian.base.errors import Misuse
from mingjian.base.values import Period, round_float, round_half_away
from mingjian.declare import Hierarchy, Index, Node, Scheme, Subject
from mingjian.reckon.measures import Results, Value

WEAK_AT_LEAST: Final = 3  # units in which an indicator must be weak to be called common
_PARTS: Final = (Decimal("0.6"), Decimal("0.8"), Decimal("0.9"))  # of the highest value, where no grades are declared
_MOST_BINS: Final = 12


@dataclass(frozen=True, slots=True)
class Member:
    """One column: an indicator, the group it stands in, and in both languages what they are called."""

    id: str
    en: str
    zh: str
    group: str
    group_en: str
    group_zh: str


@dataclass(frozen=True, slots=True)
class Mover:
    """A unit whose index changed since the period before: by how much (rounded once), and from what to what."""

    subject: Subject
    change: Decimal
    before: Value
    now: Value


@dataclass(frozen=True, slots=True)
class Common:
    """An indicator that is weak in many units: ``weak`` are those whose value is in the lowest band, ``of`` all that have one."""

    member: Member
    weak: tuple[Subject, ...]
    of: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The subjects whose index is at least ``low`` and below ``high``; the highest bin has those at its end too."""

    low: Decimal
    high: Decimal
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """One number of a subject beside those of its peers, itself among them. ``member`` None: the index.

    ``middle`` is the value that half of them reach at most: somebody's, and no mean.
    """

    member: Member | None
    own: Value | None
    lowest: Value
    middle: Value
    highest: Value


@dataclass(frozen=True, slots=True)
class Forest:
    """A tree in its forest: a subject, its peers (those of its kind, by id), and its numbers beside theirs."""

    subject: Subject
    peers: tuple[Subject, ...]
    lines: tuple[Beside, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Panorama:
    """A period at a glance. ``cells`` has the value of subject and member; ``scores`` the index of each subject.

    ``subjects`` are in order of id: nothing here says who comes before whom. ``bands`` are the bounds between the bands of a
    cell's value, the lowest first: those of the declared grades, of the indicators themselves or else of their index. A
    panorama is equal to itself alone, so that what is drawn of it can be kept beside it.
    """

    period: Period
    index: Index
    measure: str
    subjects: tuple[Subject, ...]
    members: tuple[Member, ...]
    cells: Mapping[tuple[str, str], Value]
    scores: Mapping[str, Value]
    beside: Mapping[str, Mapping[str, Value]]
    movers: tuple[Mover, ...]
    common: tuple[Common, ...]
    bands: tuple[Decimal, ...]

    def band(self, value: Value | None) -> int | None:
        """In which band a cell's value is, as printed, counted from the lowest; None where there is no value."""
        if value is None or value.number is None:
            return None
        return sum(Decimal(value.printed) >= bound for bound in self.bands)

    def distribution(self) -> tuple[Bin, ...]:
        """How many subjects have which index, in at most twelve bins of one width, a round number."""
        scored = [
            (Decimal(v.printed), s) for s in self.subjects if (v := self.scores.get(s.id)) and v.number is not None
        ]
        if not scored:
            return ()
        lowest, highest = min(number for number, _ in scored), max(number for number, _ in scored)
        width = _round_width(highest - lowest)
        first = floor(lowest / width)
        last = max(ceil(highest / width), first + 1)
        edges = [width * n for n in range(first, last + 1)]
        return tuple(
            Bin(low, high, tuple(s for n, s in scored if low <= n < high or n == high == edges[-1]))
            for low, high in pairwise(edges)
        )

    def forest(self, subject: str) -> Forest:
        """A subject among its peers. Raises Misuse for one that is not here."""
        here = {s.id: s for s in self.subjects}
        if subject not in here:
            raise Misuse(f"{subject} is not in this panorama")
        peers = tuple(s for s in self.subjects if s.kind == here[subject].kind)
        columns: list[Member | None] = [None, *self.members]
        found = (_beside(column, here[subject], self._column(column, peers)) for column in columns)
        return Forest(here[subject], peers, tuple(line for line in found if line is not None))

    def _column(self, member: Member | None, peers: Iterable[Subject]) -> Mapping[str, Value]:
        every = (self.scores.get(s.id) if member is None else self.cells.get((s.id, member.id)) for s in peers)
        return {value.subject: value for value in every if value is not None and value.number is not None}


def _beside(member: Member | None, subject: Subject, values: Mapping[str, Value]) -> Beside | None:
    if not values:
        return None
    ordered = sorted(values.values(), key=lambda value: (float(value.number or 0), value.subject))
    return Beside(member, values.get(subject.id), ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1])


def _round_width(span: Decimal) -> Decimal:
    """The smallest of 1, 2, 5, 10, 20 … (or tenths, hundredths of these) that needs no more than twelve bins for a span."""
    for exponent in range(-4, 16) if span else (0,):
        for step in (1, 2, 5):
            width = Decimal(step).scaleb(exponent)
            if span / width <= _MOST_BINS - 2:
                return width
    raise Misuse("these values lie too far apart to be counted in bins", why=str(span))


def charted(scheme: Scheme) -> tuple[Index, Node]:
    """The index whose leaves are the members of a dimension, and the node that they hang from. Misuse where there is none."""
    for index in scheme.indices.values():
        for node in index.nodes():
            if node.members:
                return index, node
    raise Misuse(f"scheme {scheme.id} has no panorama", why="no index of it has the members of a dimension as leaves")


def panorama(
    scheme: Scheme,
    hierarchy: Hierarchy,
    members: tuple[Member, ...],
    now: Results,
    before: Results | None,
) -> Panorama:
    """Lay a period out. ``before`` are the results of the period before, where there are any."""
    period = Period.parse(now.period)
    index, node = charted(scheme)
    subjects = hierarchy.alive(index.of, period.first, period.end)
    cells: dict[tuple[str, str], Value] = {}
    for subject in subjects:
        for member in members:
            value = now.get(node.measure, subject.id, member.id)
            if value is not None:
                cells[subject.id, member.id] = value
    scores = {s.id: value for s in subjects if (value := now.get(index.id, s.id)) is not None}
    others = [name for name, other in scheme.indices.items() if other.of == index.of and name != index.id]
    others += [name for name, m in scheme.measures.items() if m.of == index.of and m.grades and not m.each]
    beside = {
        name: {s.id: value for s in subjects if (value := now.get(name, s.id)) is not None}
        for name in dict.fromkeys(others)
    }
    bands = _bands(scheme, index, node, cells)
    laid = Panorama(
        period,
        index,
        node.measure,
        subjects,
        members,
        cells,
        scores,
        beside,
        _movers(subjects, index, scores, before),
        (),
        bands,
    )
    return replace(laid, common=_common(laid))


def _bands(scheme: Scheme, index: Index, node: Node, cells: Mapping[tuple[str, str], Value]) -> tuple[Decimal, ...]:
    """The bounds between the bands: of the lowest grade nobody needs to know where it begins."""
    measure = scheme.measures.get(node.measure)
    grades = (measure.grades if measure is not None else ()) or index.grades
    if grades:
        return tuple(sorted(grade.at for grade in grades))[1:]
    highest = max((Decimal(v.printed) for v in cells.values() if v.number is not None), default=Decimal(0))
    return tuple(part * highest for part in _PARTS)


def _movers(
    subjects: tuple[Subject, ...], index: Index, scores: Mapping[str, Value], before: Results | None
) -> tuple[Mover, ...]:
    """Everybody who has an index in both periods, those first whose index changed most."""
    found: list[Mover] = []
    for subject in subjects if before is not None else ():
        then, now = before.get(index.id, subject.id) if before else None, scores.get(subject.id)
        if then is not None and now is not None and then.number is not None and now.number is not None:
            found.append(Mover(subject, _difference(now.number, then.number, index.decimals), then, now))
    return tuple(sorted(found, key=lambda mover: (-abs(mover.change), mover.subject.id)))


def _difference(now: Fraction | float, then: Fraction | float, decimals: int) -> Decimal:
    if isinstance(now, Fraction) and isinstance(then, Fraction):
        return round_half_away(now - then, decimals)
    return round_float(float(now) - float(then), decimals)


def _common(laid: Panorama) -> tuple[Common, ...]:
    """The indicators that are weak in many units, those weak in most first; the units by id."""
    found = []
    for member in laid.members:
        reached = [(laid.band(laid.cells.get((s.id, member.id))), s) for s in laid.subjects]
        weak = tuple(s for band, s in reached if band == 0)
        if len(weak) >= WEAK_AT_LEAST:
            found.append(Common(member, weak, sum(band is not None for band, _ in reached)))
    return tuple(sorted(found, key=lambda common: (-len(common.weak), common.member.id)))
