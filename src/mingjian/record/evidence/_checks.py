"""What one row alone cannot show: whether the rows and the subjects that it names exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from mingjian.base.errors import Finding, Place
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Field, Hierarchy
from mingjian.record.evidence._fields import near, shown
from mingjian.record.evidence._intake import Intake, discreet
from mingjian.record.evidence._schema import LINE, Column
from mingjian.record.evidence._view import View, dates

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type

_DAY: Final = timedelta(days=1)
_NAME, _WHEN = "name", "when"
Window = tuple[date, date]


def check_rows(
    intake: Intake,
    type: EvidenceType,
    types: Mapping[str, EvidenceType],
    view: View,
    hierarchy: Hierarchy,
    *,
    zone: str = "",
) -> tuple[Finding, ...]:
    """Findings about rows that name a row or a subject that is not there, for `Intake.judged`.

    A ref must be the key (its date aside) of a row in ``view``, of one of ``types``, or, to its own type, of the batch.
    A subject must exist on the day of the row, or on some day of the period that dates it, and be of a type the field may
    hold. ``zone`` is needed where a field of type time dates rows.
    """
    findings: list[Finding] = []
    for field in type.fields.values():
        if field.type == "ref":
            findings += _missing_rows(intake, field, types[field.to], type, view)
        elif field.type == "subject":
            findings += _wrong_subjects(intake, field, type, hierarchy, zone)
    return discreet(sorted(findings, key=lambda finding: finding.place.row or 0), type)


def _missing_rows(
    intake: Intake, field: Field, target: EvidenceType, type: EvidenceType, view: View
) -> Iterator[Finding]:
    (key,) = target.thread
    known = view.rows(target.id)[[key]].distinct().to_pyarrow()[key].cast(pa.string()).combine_chunks()
    if target.id == type.id:
        known = pa.concat_arrays([known, intake.table[key].cast(pa.string()).combine_chunks()])
    column = intake.table[field.name]
    bad = intake.table.filter(pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, known))))
    among: list[str] = sorted(known.to_pylist()) if bad.num_rows else []
    remedies: dict[str, str] = {}
    pairs: Iterator[tuple[Any, Any]] = zip(bad[LINE].to_pylist(), bad[field.name].to_pylist(), strict=True)
    for line, value in pairs:
        if value not in remedies:
            remedies[value] = near(value, among) or f"add the {target.id} first"
        message = f"no {target.id} ({target.title.zh}) has this {key}"
        yield Finding("unknown-row", message, _place(intake, line, field), shown(value), remedies[value])


def _wrong_subjects(
    intake: Intake, field: Field, type: EvidenceType, hierarchy: Hierarchy, zone: str
) -> Iterator[Finding]:
    """Each subject is looked up once for each day or period that rows name it on; rows are looked at only where one fails."""
    table = intake.table
    rows = pa.table({_NAME: table[field.name], _WHEN: _dating(table, type, zone), LINE: table[LINE]})
    rows = rows.filter(pc.is_valid(rows[_NAME]))
    faults: dict[tuple[str, object], tuple[str, str, str]] = {}
    for pair in rows.group_by([_NAME, _WHEN]).aggregate([]).to_pylist():
        name, when = pair[_NAME], pair[_WHEN]
        if fault := _fault(name, field, hierarchy, _window(when)):
            faults[name, when] = fault
    named = pa.array({name for name, _ in faults}, pa.string())
    for row in rows.filter(pc.is_in(rows[_NAME], named)).to_pylist():
        if found := faults.get((row[_NAME], row[_WHEN])):
            rule, message, remedy = found
            yield Finding(rule, message, _place(intake, row[LINE], field), shown(row[_NAME]), remedy)


def _fault(name: str, field: Field, hierarchy: Hierarchy, window: Window | None) -> tuple[str, str, str] | None:
    """Rule, message and remedy of what is wrong with a subject; None where nothing is."""
    subject = hierarchy.subject(name)
    wanted = " or ".join(field.of)
    if subject is None:
        known = [s.id for kind in field.of for s in hierarchy.alive(kind, date.min, date.max)]
        return "unknown-subject", f"no such {wanted}", near(name, known) or "register the subject first"
    if subject.type not in field.of:
        return "wrong-subject", f"this is a {subject.type}; a {wanted} is wanted", f"name the {wanted}"
    if window is not None and not _alive(name, subject.type, hierarchy, window):
        until = f" until {subject.until}" if subject.until else ""
        message = f"not there on {window[0]}: it last was from {subject.start}{until}"
        return "absent-subject", message, f"it merged into {subject.into}" if subject.into else "check the date"
    return None


def _alive(name: str, kind: str, hierarchy: Hierarchy, window: Window) -> bool:
    """Whether a subject exists on some day of a window; its ends are tried first, since most are there throughout."""
    first, end = window
    if hierarchy.at(name, first) or hierarchy.at(name, end - _DAY):
        return True
    return any(subject.id == name for subject in hierarchy.alive(kind, first, end))


def _dating(table: pa.Table, type: EvidenceType, zone: str) -> Column:
    """What dates each row: the text of a period, or a day; null for a row without a date."""
    column = table[type.date] if type.date else None
    if column is not None and type.fields[type.date].type == "period":
        return column
    return dates(column, type, zone, table.num_rows)


def _window(when: str | date | None) -> Window | None:
    """The first day and the day after the last one of what dates a row."""
    if when is None:
        return None
    return _span(Period.parse(when)) if isinstance(when, str) else (when, when + _DAY)


def _span(period: Period) -> Window:
    return (period.first, period.first + _DAY) if period.kind == "hour" else (period.first, period.end)


def _place(intake: Intake, line: int, field: Field) -> Place:
    return Place(intake.file, row=line, field=field.name)
