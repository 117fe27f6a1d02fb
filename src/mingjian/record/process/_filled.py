"""What the case itself says of a row that comes along with an act, so that nobody has to type it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mingjian.base.errors import Finding, Place
from mingjian.declare import EvidenceType, Field
from mingjian.record.evidence import Intake
from mingjian.record.process._case import Case

_COPIED = ("subject", "ref", "period")  # of a field with the name and kind of one of the case's


@dataclass(frozen=True, slots=True)
class Filled:
    """The fields of a taken row that follow from its case.

    ``fixed`` hold whatever the actor says: the row is of this case. ``assumed`` stand where the actor says nothing.
    ``key`` is the text field that alone names a row, if there is one; rows are named by their case, the process, the
    act's number and theirs.
    """

    fixed: Mapping[str, object]
    assumed: Mapping[str, object]
    key: str
    case: Case

    def row(self, given: Mapping[str, object], number: int) -> dict[str, object]:
        """A row as given, completed; ``number`` counts the rows of one type from 1."""
        said = {name: value for name, value in given.items() if not blank(value)}
        name = f"{self.case.id}/{self.case.process}/{self.case.version + 1}.{number}"
        return {**self.fixed, **self.assumed, **({self.key: name} if self.key else {}), **said}

    def strangers(self, intake: Intake, type: EvidenceType) -> Iterator[Finding]:
        """A finding for each row that says of itself that it belongs to another case, or takes the name of one that may.

        An earlier row of the case may be given anew, and by its name alone is known to be one.
        """
        own = re.compile(rf"{re.escape(self.case.id)}/{self.case.process}/[0-9]+\.[0-9]+")
        for row in intake.table.to_pylist():
            for name, value in self.fixed.items():
                if row[name] != value:
                    title = type.fields[name].title
                    yield _stranger(row, name, f"{title.zh} ({title.en}) is {value!r} in this case")
            if self.key and not own.fullmatch(row[self.key]):
                yield _stranger(row, self.key, "no row of this case has such a name")


def _stranger(row: Mapping[str, Any], name: str, message: str) -> Finding:
    return Finding("another-case", message, Place(row=row["_line"], field=name), str(row[name]), "leave it out")


def filled(case: Case, of: EvidenceType, taken: EvidenceType, day: date, at: datetime) -> Filled:
    """What follows from a case (of rows of type ``of``) for rows of type ``taken`` that come along on ``day``, ``at``.

    The ref to the case; every subject, ref and period of the same name as one of the case; the first subject field that
    can hold the case's subject, and the period that dates the row, whatever their names. A date or time that dates the
    row is that of the act.
    """
    fields = taken.fields.values()
    fixed: dict[str, object] = {field.name: case.id for field in fields if field.type == "ref" and field.to == of.id}
    for field in fields:
        like = of.fields.get(field.name)
        if field.name not in fixed and like is not None and _same(field, like) and case.row[like.name] is not None:
            fixed[field.name] = case.row[like.name]
    about = of.fields[of.subjects[0]]
    holders = [name for name in taken.subjects if set(about.of) <= set(taken.fields[name].of)]
    if not fixed.keys() & holders:
        fixed |= dict.fromkeys(holders[:1], case.subject)
    assumed: dict[str, object] = {}
    dating = taken.fields.get(taken.date)
    if dating is not None and dating.type == "period":
        lies = _period(case, of, dating)
        if lies is not None:
            fixed.setdefault(dating.name, lies)
    elif dating is not None:
        assumed[dating.name] = day if dating.type == "date" else at
    key = next((name for name in taken.key if taken.key == (name,) and taken.fields[name].type == "text"), "")
    return Filled(fixed, assumed, key, case)


def _same(field: Field, like: Field) -> bool:
    return field.type in _COPIED and (field.type, field.of, field.to) == (like.type, like.of, like.to)


def _period(case: Case, of: EvidenceType, dating: Field) -> object:
    """In which period of a kind a case lies: by the field that dates it, else by the first there is."""
    names = sorted(of.fields, key=lambda name: name != of.date)
    like = [name for name in names if (of.fields[name].type, of.fields[name].of) == ("period", dating.of)]
    return case.row[like[0]] if like else None


def blank(value: object) -> bool:
    """Whether nothing was given."""
    return value is None or (isinstance(value, str) and not value.strip())
