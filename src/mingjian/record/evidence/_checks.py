"""What one row alone cannot show: whether the rows and the subjects that it names exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mingjian.base.errors import Finding, Place
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Field, Hierarchy
from mingjian.record.evidence._fields import near, shown
from mingjian.record.evidence._intake import Intake
from mingjian.record.evidence._schema import LINE
from mingjian.record.evidence._view import View, dates

_DAY = timedelta(days=1)
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

    A ref must be the key (a date in it aside) of a row in ``view``, of one of ``types``, or, to its own type, of the batch.
    A subject must exist on the day of the row, or on some day of the period that dates it, and be of a type the field may
    hold. ``zone`` is needed where a field of type time dates rows.
    """
    findings: list[Finding] = []
    for field in type.fields.values():
        if field.type == "ref":
            findings += _missing_rows(intake, field, types[field.to], type, view)
        elif field.type == "subject":
            findings += _wrong_subjects(intake, field, type, hierarchy, zone)
    return tuple(sorted(findings, key=lambda finding: finding.place.row or 0))


def _missing_rows(
    intake: Intake, field: Field, target: EvidenceType, type: EvidenceType, view: View
) -> Iterator[Finding]:
    key = next((name for name in target.key if name != target.date), target.key[0])
    keys = view.rows(target.id)[[key]].distinct().to_pyarrow()[key].combine_chunks()
    if target.id == type.id:
        keys = pa.concat_arrays([keys.cast(pa.string()), intake.table[key].combine_chunks().cast(pa.string())])
    known: list[str] = sorted(keys.cast(pa.string()).to_pylist())
    column = intake.table[field.name]
    missing = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, pa.array(known, pa.string()))))
    bad = intake.table.filter(missing)
    remedies: dict[str, str] = {}
    pairs: Iterator[tuple[Any, Any]] = zip(bad[LINE].to_pylist(), bad[field.name].to_pylist(), strict=True)
    for line, value in pairs:
        if value not in remedies:
            remedies[value] = near(value, known) or f"add the {target.id} first"
        message = f"no {target.id} ({target.title.zh}) has this {key}"
        yield Finding("unknown-row", message, _place(intake, line, field), shown(value), remedies[value])


def _wrong_subjects(
    intake: Intake, field: Field, type: EvidenceType, hierarchy: Hierarchy, zone: str
) -> Iterator[Finding]:
    outcomes: dict[tuple[str, Window | None], tuple[str, str, str] | None] = {}
    lines: list[Any] = intake.table[LINE].to_pylist()
    names: list[Any] = intake.table[field.name].to_pylist()
    for line, name, window in zip(lines, names, _windows(intake.table, type, zone), strict=True):
        if name is None:
            continue
        if (name, window) not in outcomes:
            outcomes[name, window] = _fault(name, field, hierarchy, window)
        if fault := outcomes[name, window]:
            rule, message, remedy = fault
            yield Finding(rule, message, _place(intake, line, field), shown(name), remedy)


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


def _windows(table: pa.Table, type: EvidenceType, zone: str) -> Sequence[Window | None]:
    """The first day and the day after the last one of what dates each row; None for a row without a date."""
    if not type.date:
        return [None] * table.num_rows
    column = table[type.date]
    if type.fields[type.date].type == "period":
        texts: list[Any] = pc.unique(column.drop_null()).to_pylist()
        periods: dict[Any, Window] = {text: _span(Period.parse(text)) for text in texts}
        return [periods.get(text) for text in column.to_pylist()]
    days = dates(column, type, zone, table.num_rows).to_pylist()
    return [None if day is None else (day, day + _DAY) for day in days]


def _span(period: Period) -> Window:
    return (period.first, period.first + _DAY) if period.kind == "hour" else (period.first, period.end)


def _place(intake: Intake, line: int, field: Field) -> Place:
    return Place(intake.file, row=line, field=field.name)
