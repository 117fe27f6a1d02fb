"""From a statement to paper: what its template is given, and the document drawn from it.

A template reckons nothing. It is given every number as the text it is printed as, with titles in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mingjian.attest.issue import Issue, Run
from mingjian.attest.statements import Package, Statement
from mingjian.base.errors import Misuse
from mingjian.base.typeset import Typesetter, qr_svg
from mingjian.declare import EvidenceType, Grade, Parameter, Scheme, Subject, Title
from mingjian.reckon.measures import Value, members


class Papers:
    """Draws the statements of one issue. ``folder`` is the scheme's, where the templates lie.

    The run's view is read when this is made, and may be closed after.
    """

    def __init__(self, issued: Issue, folder: Path) -> None:
        self.issued, self.folder = issued, folder
        self.run = issued.run
        self.scheme: Scheme = issued.run.scheme
        self._members = _members(self.run)

    @cached_property
    def _typesetter(self) -> Typesetter:
        return Typesetter()

    def pdf(self, statement: Statement, package: Package, language: str) -> bytes:
        """The statement as a PDF in "zh" or "en", with the rows that its package shows.

        Raises Misuse for a statement type without a template, and Fault for a name that no font can write.
        """
        declared = self.scheme.statements[statement.type]
        if not declared.template:
            raise Misuse(f"{declared.id} has no template", remedy="name one in its declaration")
        data = self.data(statement, package, language)
        return self._typesetter.pdf(self.folder / declared.template, data, at=statement.valid_from)

    def data(self, statement: Statement, package: Package, language: str) -> dict[str, Any]:
        """What the template is given; the head of each template says what it uses of it."""
        basis = statement.basis
        subject = self._subject(statement.subject)
        above = self._subject(subject.parent) if subject.parent else None
        values = self._values(statement.subject, self.scheme.statements[statement.type].show)
        data: dict[str, Any] = {
            "language": language,
            "synthetic": statement.synthetic,
            "statement": {
                "id": statement.id,
                "title": _title(statement.title),
                "issuer": basis.origin,
                "issued": statement.valid_from.astimezone(ZoneInfo(self.scheme.zone)).date().isoformat(),
            },
            "period": statement.period,
            "subject": {
                "id": subject.id,
                "title": _title(subject.title),
                "parent": _title(above.title) if above is not None else {"en": "", "zh": ""},
            },
            "values": values,
            "members": self._members | self._named(values),
            "parameters": self._parameters,
            "rows": self._rows(package),
            "peers": self._peers(subject, values),
            "replies": [],
            "qr_svg": qr_svg(f"https://{basis.origin}/verify/{statement.id.removeprefix('urn:uuid:')}"),
            "verify": {
                "command": f"mingjian verify {statement.type}-{statement.subject}-{statement.period}.json",
                "origin": basis.origin,
                "size": str(basis.size),
                "root": basis.root.hex(),
                "fingerprint": basis.fingerprint,
            },
        }
        beside = self._values(above.id, [*self.scheme.measures, *self.scheme.indices]) if above is not None else {}
        return data | ({"beside": {"title": _title(above.title), "values": beside}} if above and beside else {})

    # -- values ---------------------------------------------------------------------------------------------------------
    @cached_property
    def _by_subject(self) -> Mapping[str, Sequence[Value]]:
        found: dict[str, list[Value]] = {}
        for value in self.run.results:
            found.setdefault(value.subject, []).append(value)
        return found

    def _values(self, subject: str, shown: Iterable[str]) -> dict[str, dict[str, Any]]:
        """By measure and member."""
        wanted = set(shown)
        values: dict[str, dict[str, Any]] = {}
        for value in self._by_subject.get(subject, ()):
            if value.measure in wanted:
                values.setdefault(value.measure, {})[value.member] = self._value(value)
        return values

    def _value(self, value: Value) -> dict[str, Any]:
        declared = self.scheme.measures.get(value.measure) or self.scheme.indices[value.measure]
        said = {
            "status": value.status,
            "printed": value.printed,
            "unit": value.unit,
            "period": value.period,
            "title": _title(declared.title),
        }
        grade = _grade(declared.grades, value)
        return said | ({"grade": _title(grade.title)} if grade is not None else {})

    def _peers(self, subject: Subject, values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        """Lowest, middle and highest of the subjects of the same kind, this one among them."""
        if self.scheme.subjects[subject.type].person:
            return {}  # people are not ranked
        alike = {s.id for s in self._alive(subject.type) if s.kind == subject.kind}
        found: dict[str, dict[str, str]] = {}
        for measure in values:
            there = [v for s in alike for v in self._by_subject.get(s, ()) if (v.measure, v.member) == (measure, "")]
            ordered = sorted((v for v in there if v.number is not None), key=lambda v: (v.number, v.subject))
            if len(ordered) > 1:
                middle = ordered[(len(ordered) - 1) // 2]
                ends = {"lowest": ordered[0].printed, "middle": middle.printed, "highest": ordered[-1].printed}
                found[measure] = ends | {"count": str(len(ordered))}
        return found

    # -- what the values stand on ---------------------------------------------------------------------------------------
    @cached_property
    def _parameters(self) -> dict[str, dict[str, Any]]:
        last = self.run.period.end - timedelta(days=1)
        return {p.id: said for p in self.scheme.parameters.values() if (said := _parameter(p, last)) is not None}

    def _named(self, values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Titles of members that are subjects or choices."""
        named = {member for by_member in values.values() for member in by_member if member}
        choices = {
            code: title
            for evidence in self.scheme.evidence.values()
            for field in evidence.fields.values()
            for code, title in field.choices.items()
        }
        subjects = {m: s.title for m in named if (s := self.run.hierarchy.subject(m)) is not None}
        titles = {m: subjects.get(m) or choices.get(m) for m in named}
        return {m: dict(_title(title)) for m, title in titles.items() if title is not None}

    def _rows(self, package: Package) -> dict[str, list[dict[str, Any]]]:
        """The rows that the package shows, by evidence type: fields as texts, ``titles`` of those that are choices."""
        kinds = {proven.entry.index: proven.entry.kind for proven in package.entries}
        rows: dict[str, list[dict[str, Any]]] = {}
        for proof in package.rows:
            evidence = self.scheme.evidence.get(kinds[proof.entry])
            if evidence is not None:
                rows.setdefault(evidence.id, []).append(_row(evidence, proof.values))
        return rows

    def _subject(self, subject: str) -> Subject:
        last = self.run.period.end - timedelta(days=1)
        found = self.run.hierarchy.at(subject, last) or self.run.hierarchy.subject(subject)
        if found is None:
            raise Misuse(f"there is no subject {subject}")
        return found

    def _alive(self, of: str) -> tuple[Subject, ...]:
        return self.run.hierarchy.alive(of, self.run.period.first, self.run.period.end)


def _row(evidence: EvidenceType, values: Mapping[str, Any]) -> dict[str, Any]:
    titles = {
        name: _title(evidence.fields[name].choices[text])
        for name, text in values.items()
        if name in evidence.fields and text in evidence.fields[name].choices
    }
    return {**{k: v for k, v in values.items() if v is not None}, "titles": titles}


def _members(run: Run) -> dict[str, dict[str, Any]]:
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


def _parameter(parameter: Parameter, day: date) -> dict[str, Any] | None:
    dated = parameter.on(day)
    if dated is None or isinstance(dated.value, Mapping):
        return None
    return {
        "value": format(dated.value, "f"),
        "unit": parameter.unit,
        "source": dated.source,
        "from": dated.start.isoformat(),
        "title": _title(parameter.title),
    }


def _grade(grades: Sequence[Grade], value: Value) -> Grade | None:
    """The highest band that the number, as printed, reaches."""
    if value.number is None:
        return None
    printed = Decimal(value.printed)
    reached = [grade for grade in grades if printed >= grade.at]
    return max(reached, key=lambda grade: grade.at) if reached else None


def _title(title: Title) -> dict[str, str]:
    return {"en": title.en, "zh": title.zh}
