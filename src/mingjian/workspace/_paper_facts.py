"""What papers print of a run: every number as the text it is printed as, with titles in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from mingjian.attest.issue import Run
from mingjian.base.errors import Misuse
from mingjian.base.values import number_text
from mingjian.declare import EvidenceType, Grade, Parameter, Scheme, Subject, Title
from mingjian.reckon.measures import Value, members
from mingjian.record.evidence import View

REPLY: Final = "reply"  # the evidence type of what those described answer, where a scheme declares one

Values = Mapping[str, Mapping[str, Mapping[str, Any]]]


class Facts:
    """What is printed of the subjects of one run. Replies are read in ``answers``.

    Both views are read when this is made, and may be closed after. Many threads may ask at once: what is found for one is
    kept for the others.
    """

    def __init__(self, run: Run, answers: View) -> None:
        self.run = run
        self.scheme: Scheme = run.scheme
        self.members = _members(run)
        self._replies = _replies(run, answers)
        self._values: dict[tuple[str, tuple[str, ...]], Values] = {}
        self._ends: dict[tuple[str, str], Mapping[str, Mapping[str, str]]] = {}

    @property
    def last_day(self) -> date:
        """The period's last day: papers show names, parents and parameters as they stood then."""
        return self.run.period.end - timedelta(days=1)

    def subject(self, subject: str) -> Subject:
        """The subject as it stood at the end of the period. Raises Misuse where there is none."""
        found = self.run.hierarchy.at(subject, self.last_day) or self.run.hierarchy.subject(subject)
        if found is None:
            raise Misuse(f"there is no subject {subject}")
        return found

    def above(self, subject: Subject) -> Subject | None:
        """The subject that it stood under."""
        return self.subject(subject.parent) if subject.parent else None

    def head(self, origin: str) -> Title:
        """In whose name a paper is drawn up: the one subject at the top, or else the ledger of that origin."""
        tops = [name for name, kind in self.scheme.subjects.items() if not kind.parent]
        there = [s for name in tops for s in self.run.hierarchy.alive(name, self.run.period.first, self.run.period.end)]
        return there[0].title if len(there) == 1 else Title(origin, origin)

    # -- values ---------------------------------------------------------------------------------------------------------
    @cached_property
    def by_subject(self) -> Mapping[str, Sequence[Value]]:
        """All values of the run."""
        found: dict[str, list[Value]] = {}
        for value in self.run.results:
            found.setdefault(value.subject, []).append(value)
        return found

    def values(self, subject: str, shown: Iterable[str]) -> Values:
        """The values of a subject by measure and member, "" where there is no breakdown."""
        wanted = tuple(shown)
        if (subject, wanted) not in self._values:
            measures = set(wanted)
            values: dict[str, dict[str, Mapping[str, Any]]] = {}
            for value in self.by_subject.get(subject, ()):
                if value.measure in measures:
                    values.setdefault(value.measure, {})[value.member] = self.value(value)
            self._values[subject, wanted] = values
        return self._values[subject, wanted]

    def value(self, value: Value) -> Mapping[str, Any]:
        """A value as it is printed, with its measure's title, and the grade it reaches where there are grades."""
        declared = self.scheme.measures.get(value.measure) or self.scheme.indices[value.measure]
        said = {
            "status": value.status,
            "printed": value.printed,
            "unit": value.unit,
            "period": value.period,
            "title": titles(declared.title),
        }
        reached = grade(declared.grades, value)
        return said | ({"grade": titles(reached.title)} if reached is not None else {})

    def peers(self, subject: Subject, measures: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """By measure the lowest, middle and highest of the subjects of the same kind, this one among them."""
        if self.scheme.subjects[subject.type].person:
            return {}  # people are not ranked
        if (subject.type, subject.kind) not in self._ends:
            self._ends[subject.type, subject.kind] = self._ends_of(subject.type, subject.kind)
        ends = self._ends[subject.type, subject.kind]
        return {measure: ends[measure] for measure in measures if measure in ends}

    def _ends_of(self, type: str, kind: str) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, list[Value]] = {}
        for subject in self.run.hierarchy.alive(type, self.run.period.first, self.run.period.end):
            for value in self.by_subject.get(subject.id, ()) if subject.kind == kind else ():
                if not value.member and value.number is not None:
                    found.setdefault(value.measure, []).append(value)
        return {measure: _ends(values) for measure, values in found.items() if len(values) > 1}

    # -- what the values stand on ---------------------------------------------------------------------------------------
    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters in force on the last day; a ``table`` where its value is one."""
        found = {p.id: self._parameter(p) for p in self.scheme.parameters.values()}
        return {name: said for name, said in found.items() if said}

    def _parameter(self, parameter: Parameter) -> Mapping[str, Any]:
        dated = parameter.on(self.last_day)
        if dated is None:
            return {}
        said: dict[str, Any] = {
            "unit": parameter.unit,
            "source": dated.source,
            "from": dated.start.isoformat(),
            "title": titles(parameter.title),
        }
        if not isinstance(dated.value, Mapping):
            return said | {"value": format(dated.value, "f")}
        table = [
            {"name": name, "value": format(value, "f"), "title": titles(self.choices.get(name, Title(name, name)))}
            for name, value in dated.value.items()
        ]
        return said | {"table": table}

    @cached_property
    def choices(self) -> Mapping[str, Title]:
        """The titles of all choices of the scheme by code."""
        fields = (field for kind in self.scheme.evidence.values() for field in kind.fields.values())
        return {code: title for field in fields for code, title in field.choices.items()}

    def named(self, values: Values) -> Mapping[str, Mapping[str, str]]:
        """Titles of the members in ``values`` that are subjects or choices."""
        found: dict[str, Mapping[str, str]] = {}
        for member in {m for by_member in values.values() for m in by_member if m}:
            subject = self.run.hierarchy.subject(member)
            title = subject.title if subject is not None else self.choices.get(member)
            if title is not None:
                found[member] = titles(title)
        return found

    def replies(self, subject: str) -> Sequence[Mapping[str, str]]:
        """What the subject answered to its portrait of the period: date and text, in the order they came."""
        return self._replies.get(subject, [])


def titles(title: Title) -> dict[str, str]:
    """A title as templates take it."""
    return {"en": title.en, "zh": title.zh}


def grade(grades: Sequence[Grade], value: Value) -> Grade | None:
    """The highest band that the number, as printed, reaches."""
    if value.number is None:
        return None
    printed = Decimal(value.printed)
    reached = [each for each in grades if printed >= each.at]
    return max(reached, key=lambda each: each.at) if reached else None


def row_texts(evidence: EvidenceType, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a template: its fields as texts without the empty ones, and ``titles`` of those that are choices."""
    texts = {name: _text(value) for name, value in row.items() if value is not None}
    said = {
        name: titles(evidence.fields[name].choices[text])
        for name, text in texts.items()
        if isinstance(text, str) and name in evidence.fields and text in evidence.fields[name].choices
    }
    return {**texts, "titles": said}


def _text(value: Any) -> str | bool:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return number_text(value)


def _ends(values: Sequence[Value]) -> Mapping[str, str]:
    ordered = sorted(values, key=lambda value: (value.number, value.subject))
    return {
        "lowest": ordered[0].printed,
        "middle": ordered[(len(ordered) - 1) // 2].printed,
        "highest": ordered[-1].printed,
        "count": str(len(ordered)),
    }


def _members(run: Run) -> dict[str, Mapping[str, Any]]:
    """The members of every dimension at the end of the period, with their weight and group where an index gives them."""
    return {
        str(row[evidence.thread[0]]): _member(row)
        for evidence in run.scheme.evidence.values()
        if evidence.dimension
        for row in members(run.scheme, run.view, evidence.id, run.period)
    }


def _member(row: Mapping[str, Any]) -> dict[str, Any]:
    member: dict[str, Any] = {name: str(row[name]) for name in ("en", "zh", "weight") if row.get(name) is not None}
    group = next((name.removesuffix("_en") for name in row if name.endswith("_en")), "")
    if group:
        member["group"] = {"id": str(row[group]), "en": str(row[f"{group}_en"]), "zh": str(row[f"{group}_zh"])}
    return member


def _replies(run: Run, answers: View) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """By subject what was answered to a portrait of the period.

    An answer comes after the quarter it is about: where its type has a field for the period, that one counts, and
    otherwise the day, up to the period's end.
    """
    evidence = run.scheme.evidence.get(REPLY)
    if evidence is None or not evidence.subjects or not evidence.date or "text" not in evidence.fields:
        return {}
    about = next((f.name for f in evidence.fields.values() if f.type == "period"), "")
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in answers.arrow(REPLY).to_pylist():
        fits = row[about] == str(run.period) if about else row[evidence.date] < run.period.end
        if fits and row["text"] is not None:  # none is left of what was erased
            said = {"date": str(row[evidence.date]), "text": str(row["text"])}
            for name in evidence.subjects:
                found.setdefault(row[name], []).append(said)
    return {subject: sorted(replies, key=lambda reply: reply["date"]) for subject, replies in found.items()}
