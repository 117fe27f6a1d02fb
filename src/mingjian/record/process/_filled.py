"""What the case itself says of a row that comes along with an act, so that nobody has to type it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from mingjian.base.errors import Finding, Place
from mingjian.declare import EvidenceType, Field
from mingjian.record.evidence import Intake
from mingjian.record.process._case import Case

_COPIED = ("subject", "ref", "period")  # of a field with the name and kind of one of the case's


@dataclass(frozen=True, slots=True)
class Filled:
    """The fields of a taken row that follow from its case.

    ``fixed`` hold whatever the actor says: the row is of this case. ``assumed`` stand where the actor says nothing.
    """

    fixed: Mapping[str, object]
    assumed: Mapping[str, object]

    def row(self, given: Mapping[str, object], key: str) -> dict[str, object]:
        """A row as given, completed; ``key`` names it where nothing else does."""
        said = {name: value for name, value in given.items() if not blank(value)}
        assumed = {name: key if value is KEY else value for name, value in self.assumed.items()}
        return {**self.fixed, **assumed, **said}

    def strangers(self, intake: Intake, type: EvidenceType) -> Iterator[Finding]:
        """A finding for each row that says of itself that it belongs to another case."""
        for name, value in self.fixed.items():
            for row in intake.table.select([name, "_line"]).to_pylist():
                if row[name] != value:
                    title = type.fields[name].title
                    message = f"{title.zh} ({title.en}) is {value!r} in this case"
                    yield Finding(
                        "another-case", message, Place(row=row["_line"], field=name), str(row[name]), "leave it out"
                    )


KEY = object()  # stands for the name that a row is given


def filled(case: Case, of: EvidenceType, taken: EvidenceType, day: date, at: datetime) -> Filled:
    """What follows from a case (of rows of type ``of``) for rows of type ``taken`` that come along on ``day``, ``at``.

    The ref to the case; every subject, ref and period of the same name as one of the case; the first subject field that
    can hold the case's subject, and the period that dates the row, whatever their names. A date or time that dates the
    row is that of the act, and a text that alone is the key is made from the case's id.
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
    if len(taken.key) == 1 and taken.fields[taken.key[0]].type == "text":
        assumed[taken.key[0]] = KEY
    return Filled(fixed, assumed)


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
