"""What stands in rows, said to the visitor: names for keys and words for choices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request

from mingjian.declare import EvidenceType, Field, Scheme
from mingjian.record.process import Case
from mingjian.web._house import House, house_of
from mingjian.web._page import Speech
from mingjian.web._visit import person_of
from mingjian.workspace import Casework, deadlines

MOST_OPTIONS: Final = 300  # of a list to choose from; beyond, the key is typed


async def _casework(request: Request) -> Casework:
    return Casework(house_of(request).office, person_of(request).account)


AtWork = Annotated[Casework, Depends(_casework)]


class Told:
    """Says what rows say, for one visitor and one page."""

    def __init__(self, desk: Casework, speech: Speech) -> None:
        self.desk, self.speech, self.now = desk, speech, desk.now
        self.scheme: Scheme = self.now.scheme
        self._lists: dict[str, dict[str, str]] = {}
        self._subjects: dict[str, str] = {}
        self._pressing: dict[str, frozenset[str]] = {}

    def text(self, field: Field, value: Any) -> str:
        """A value as it is read; days and times are for the page to write."""
        if value is None:
            return "–"
        if field.type == "choice":
            return self.speech.title(field.choices[value])
        if field.type == "flag":
            return self.speech.one_of("work.flag", str(value).lower())
        if field.type == "subject":
            return self.subject(str(value))
        return self.named(field.to, str(value)) if field.type == "ref" else str(value)

    def named(self, kind: str, key: str) -> str:
        """What the row of a reference list is called; its key for a row that is on no such list."""
        if kind not in self._lists:
            titles = self.desk.names(kind).items()
            self._lists[kind] = {name: self.speech.title(title) for name, title in titles}
        return self._lists[kind].get(key, key)

    def subject(self, name: str) -> str:
        """What a subject is called."""
        if name not in self._subjects:
            told = self.now.hierarchy.at(name, self.now.day) or self.now.hierarchy.subject(name)
            self._subjects[name] = self.speech.title(told.title) if told is not None else name
        return self._subjects[name]

    def heading(self, case: Case) -> str:
        """What a case is about: the row of the reference list that it names, else its key."""
        field = member_of(self.scheme, self.scheme.evidence[self.scheme.processes[case.process].of])
        return self.named(field.to, str(case.row[field.name])) if field is not None else case.id

    def late(self, case: Case) -> bool:
        """Whether somebody should have acted before today."""
        if case.process not in self._pressing:
            self._pressing[case.process] = deadlines(self.scheme.processes[case.process])
        return case.state in self._pressing[case.process] and case.late(self.now.day)

    def options(self, field: Field) -> list[tuple[str, str]] | None:
        """What a field may hold, where that is a list of some length."""
        found: list[tuple[str, str]] | None = None
        if field.type == "choice":
            found = [(key, self.speech.title(title)) for key, title in field.choices.items()]
        elif field.type == "flag":
            found = [(key, self.speech.one_of("work.flag", key)) for key in ("true", "false")]
        elif field.type == "subject":
            found = [(s.id, self.speech.title(s.title)) for kind in field.of for s in self.desk.reach(kind)]
        elif field.type == "ref" and self.scheme.evidence[field.to].dimension:
            self.named(field.to, "")
            found = [(key, f"{key} {text}") for key, text in self._lists[field.to].items()]
        return found if found is not None and len(found) <= MOST_OPTIONS else None

    def hint(self, field: Field, row: Any) -> str:
        """What bounds a number, in words; ``row`` is the one that it stands in, or comes along with."""
        bound = row.get(field.at_most) if field.at_most else field.max
        said = [
            self.speech("work.hint_least", least=field.min) if field.min is not None else "",
            self.speech("work.hint_most", most=bound) if bound is not None else "",
            self.speech("work.hint_decimals", decimals=field.decimals) if field.decimals else "",
        ]
        return self.speech("work.comma").join(filter(None, said))

    @cached_property
    def cases_of(self) -> dict[str, str]:
        """By evidence type, the process whose cases its rows are."""
        return {process.of: process.id for process in self.scheme.processes.values()}


def told_to(request: Request, desk: Casework) -> Told:
    """For the visitor of a request."""
    house: House = house_of(request)
    return Told(desk, house.pages.speech(request))


def member_of(scheme: Scheme, of: EvidenceType) -> Field | None:
    """The field by which rows name their place in a reference list (a task its indicator)."""
    return next((f for f in of.fields.values() if f.type == "ref" and scheme.evidence[f.to].dimension), None)


def period_of(of: EvidenceType) -> Field | None:
    """The field that says in which period rows lie."""
    dating = of.fields.get(of.date)
    return dating if dating is not None and dating.type == "period" else None


def case_address(process: str, case: str) -> str:
    """Where a case is shown. Its key is a parameter: it may hold slashes and dots, which a path would lose."""
    return f"/tasks/{process}/case?{urlencode({'id': case})}"


def shown_fields(kind: EvidenceType, hidden: Sequence[str] = ()) -> list[Field]:
    """The fields of a row that a page shows: neither what is sealed nor those named."""
    return [field for field in kind.fields.values() if field.label != "sealed" and field.name not in hidden]
