"""The panorama: every unit against every indicator, who moved since the last period, and what is weak in many places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Index, Node, Scheme, Subject
from mingjian.reckon.measures import Results, Value

WEAK_AT_LEAST = 3  # units in which an indicator must be weak to be called common


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
    """A unit whose index changed since the period before: by how much, as printed, and from what to what."""

    subject: Subject
    change: float
    before: Value
    now: Value


@dataclass(frozen=True, slots=True)
class Common:
    """An indicator with the subjects whose value in it is in the lowest quarter of the scale, weakest first."""

    member: Member
    mean: float
    weak: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panorama:
    """A period at a glance. ``cells`` has the value of subject and member; ``scores`` the index of each subject.

    ``subjects`` are in order of id, never of rank.
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
    return Panorama(
        period,
        index,
        node.measure,
        subjects,
        members,
        cells,
        scores,
        beside,
        _movers(subjects, index, scores, before),
        _common(members, subjects, cells),
    )


def _movers(
    subjects: tuple[Subject, ...], index: Index, scores: Mapping[str, Value], before: Results | None
) -> tuple[Mover, ...]:
    found: list[Mover] = []
    for subject in subjects if before is not None else ():
        then, now = before.get(index.id, subject.id) if before else None, scores.get(subject.id)
        if then is not None and now is not None and then.number is not None and now.number is not None:
            found.append(Mover(subject, float(now.number) - float(then.number), then, now))
    return tuple(sorted(found, key=lambda mover: (-abs(mover.change), mover.subject.id)))


def _common(
    members: tuple[Member, ...], subjects: tuple[Subject, ...], cells: Mapping[tuple[str, str], Value]
) -> tuple[Common, ...]:
    """The indicators that are weak in many units, those weak in most first.

    Weak is a value below three quarters of the highest one seen anywhere: no scale needs to be known.
    """
    numbers = {place: float(v.number) for place, v in cells.items() if v.number is not None}
    highest = max(numbers.values(), default=0.0)
    found = []
    for member in members:
        here = {s.id: numbers[s.id, member.id] for s in subjects if (s.id, member.id) in numbers}
        weak = sorted((value, name) for name, value in here.items() if value < 0.75 * highest)
        if len(weak) >= WEAK_AT_LEAST:
            found.append(Common(member, sum(here.values()) / len(here), tuple(name for _, name in weak)))
    return tuple(sorted(found, key=lambda common: (-len(common.weak), common.member.id)))
