"""A portrait as its page shows it: the headlines, what is weakest, the pictures and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mingjian.base.values import unit_word
from mingjian.declare import Index, Measure, Scheme, Title
from mingjian.reckon.measures import Value
from mingjian.workspace import Portrait

WEAKEST = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One number: what it is called, the value, its band, and the value of the period before."""

    title: str
    value: Value
    grade: str = ""
    before: Value | None = None
    better: str = ""

    @property
    def change(self) -> float | None:
        """By how much it changed since the period before, where both are numbers."""
        if self.before is None or self.before.number is None or self.value.number is None:
            return None
        return float(self.value.number) - float(self.before.number)

    @property
    def turned(self) -> str:
        """Whether the change is for the better ("calm") or for the worse ("warning"), or neither."""
        if not self.change or self.better == "neither":
            return ""
        return "calm" if (self.change > 0) == (self.better == "higher") else "warning"


@dataclass(frozen=True, slots=True)
class Section:
    """One of the portraits that stand side by side: its headline and the lines that it is made of."""

    headline: Line
    lines: tuple[Line, ...]
    radar: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Sight:
    """The whole page."""

    sections: tuple[Section, ...]
    weakest: tuple[Line, ...]
    breakdown: tuple[tuple[str, tuple[Line, ...]], ...]
    other: tuple[Line, ...]


def sight(portrait: Portrait, scheme: Scheme, language: str) -> Sight:
    """Lay a portrait out in a language."""
    seen = _Seen(portrait, scheme, language)
    return Sight(tuple(seen.sections()), tuple(seen.weakest()), tuple(seen.breakdown()), tuple(seen.other()))


def unit_of(value: Value, language: str) -> str:
    """The unit of a value, as people read it."""
    return unit_word(value.unit, language)


class _Seen:
    def __init__(self, portrait: Portrait, scheme: Scheme, language: str) -> None:
        self.portrait, self.scheme, self.language = portrait, scheme, language
        self.heads = [name for name in portrait.statement.show if self._is_head(name)]

    def _is_head(self, name: str) -> bool:
        declared = self.scheme.measures.get(name)
        return name in self.scheme.indices or (declared is not None and bool(declared.grades))

    def sections(self) -> Iterator[Section]:
        for name in self.heads:
            if "" in self.portrait.values.get(name, {}):
                index = self.scheme.indices.get(name)
                lines = tuple(self._parts(index)) if index is not None else ()
                yield Section(self._line(name, ""), lines, _radar(lines))

    def weakest(self) -> list[Line]:
        """The members whose value is furthest below the highest of their measure, the weakest first."""
        lines = [line for _, listed in self._broken_down() for line in listed if line.value.number is not None]
        highest = max((float(line.value.number or 0) for line in lines), default=0.0)
        below = [line for line in lines if float(line.value.number or 0) < highest]
        return sorted(below, key=lambda line: (float(line.value.number or 0), line.value.member))[:WEAKEST]

    def breakdown(self) -> Iterator[tuple[str, tuple[Line, ...]]]:
        """Every measure that is broken down, member by member, the one that is scored first."""
        return self._broken_down()

    def _broken_down(self) -> Iterator[tuple[str, tuple[Line, ...]]]:
        scored = [node.measure for index in self.scheme.indices.values() for node in index.nodes() if node.members]
        for name in scored:
            by_member = self.portrait.values.get(name, {})
            lines = tuple(self._line(name, member) for member in by_member if member)
            if lines:
                yield name, lines

    def raw(self, member: str) -> Iterator[tuple[str, Value]]:
        for name, by_member in self.portrait.values.items():
            if member in by_member:
                yield name, by_member[member]

    def other(self) -> Iterator[Line]:
        parts = {
            node.measure
            for name in self.heads
            if name in self.scheme.indices
            for node in self.scheme.indices[name].nodes()
        }
        for name in self.portrait.statement.show:
            by_member = self.portrait.values.get(name, {})
            if name not in self.heads and name not in parts and "" in by_member:
                yield self._line(name, "")

    def _parts(self, index: Index) -> Iterable[Line]:
        """What an index is made of at its first level: its inner nodes, or its measures."""
        values = self.portrait.values[index.id]
        inner = [member for member in values if member]
        if inner:
            return [self._line(index.id, member) for member in inner]
        named = [node.measure for node in index.nodes() if node.measure and not node.members]
        return [self._line(name, "") for name in named if "" in self.portrait.values.get(name, {})]

    def _line(self, name: str, member: str) -> Line:
        declared: Measure | Index = self.scheme.measures.get(name) or self.scheme.indices[name]
        title = self.portrait.members.get(member) if member else declared.title
        reached = self.portrait.grades.get(name) if not member else None
        return Line(
            (title or Title(member, member)).text(self.language),
            self.portrait.values[name][member],
            reached.text(self.language) if reached is not None else "",
            self.portrait.before.get(name) if not member else None,
            declared.better,
        )


def _radar(lines: Sequence[Line]) -> Mapping[str, Any] | None:
    """A radar of at least three lines that are all numbers out of a hundred or so."""
    numbers = [float(line.value.number) for line in lines if line.value.number is not None]
    if len(numbers) < 3 or len(numbers) != len(lines):
        return None
    top = max(100.0, *numbers)
    return {
        "radar": {
            "indicator": [{"name": line.title, "max": top} for line in lines],
            "radius": "64%",
            "axisName": {"color": "#1b2430"},
            "splitArea": {"show": False},
        },
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "radar",
                "data": [{"value": [float(line.value.printed) for line in lines], "areaStyle": {"opacity": 0.15}}],
            }
        ],
    }
