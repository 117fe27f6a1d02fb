"""``scheme.toml`` and ``cases/*.toml`` as model classes, without the formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from mingjian.base.errors import Misuse
from mingjian.base.values import KINDS, Period
from mingjian.declare._expressions import literal
from mingjian.declare._fields import NUMERIC, evidence_types
from mingjian.declare._model import (
    Case,
    Dated,
    Derivation,
    Direction,
    EvidenceType,
    Expected,
    Field,
    FieldType,
    Grade,
    Index,
    Measure,
    Node,
    Parameter,
    Rollup,
    Scheme,
    StatementType,
    SubjectType,
    Window,
)
from mingjian.declare._reader_process import read_calendar, read_processes, read_roles
from mingjian.declare._section import SCHEME_FILE, Report, Section, near, read_file
from mingjian.declare._titles import LABELS, Title
from mingjian.declare._zone import zone_of

T = TypeVar("T")

UNRECORDED = literal(0)  # stands for a formula until it is recorded
_NUMBERS = (*NUMERIC, "series")


@dataclass(frozen=True, slots=True)
class _Context:
    """What a declaration falls back on: the scheme's period, and for a leaf of an index its measure's title."""

    period: str
    titles: Mapping[str, Title]


def read_scheme(folder: Path, report: Report) -> Scheme | None:
    """What the folder declares, every formula still `UNRECORDED`; None when nothing of it can be read."""
    root = read_file(folder, SCHEME_FILE, report)
    head = root.section("scheme")
    if not head.table:
        if root.table:
            root.fault("missing-key", "the table [scheme] is missing", remedy=near("scheme", root.table))
        return None
    period = head.choice("period", KINDS, "year")
    context = _Context(period, {})
    measures = _all(root, "measure", _measure, context)
    context = _Context(period, {name: measure.title for name, measure in measures.items()})
    scheme = Scheme(
        id=head.text("id"),
        version=head.text("version"),
        title=head.title(),
        period=period,
        zone=head.text("zone"),
        law=head.names("law"),
        minimum_group=head.integer("minimum_group", 10),
        subjects=_all(root, "subject", _subject, context),
        evidence=_all(root, "evidence", _evidence, context),
        parameters=_all(root, "parameter", _parameter, context),
        measures=measures,
        indices=_all(root, "index", _index, context),
        derivations=_all(root, "derivation", _derivation, context),
        statements=_all(root, "statement", _statement, context),
        cases=(),
        folder=folder,
        fingerprint="",
        line=head.line,
        processes=read_processes(root),
        roles=read_roles(root),
        calendar=read_calendar(root),
    )
    head.end()
    root.end()
    return replace(scheme, cases=_cases(folder, evidence_types(scheme), zone_of(scheme.zone), report))


def _all(root: Section, key: str, make: Callable[[str, Section, _Context], T], context: _Context) -> dict[str, T]:
    made = {}
    for name, section in root.named(key):
        made[name] = make(name, section, context)
        section.end()
    return made


def _subject(name: str, s: Section, context: _Context) -> SubjectType:
    return SubjectType(name, s.title(), s.text("parent", ""), s.flag("person"), s.line)


def _evidence(name: str, s: Section, context: _Context) -> EvidenceType:
    fields = {}
    for field_name, section in s.named("field"):
        fields[field_name] = _field(field_name, section)
        section.end()
    if not fields:
        s.fault("missing-key", "no field is declared", remedy=f"[evidence.{name}.field]")
    return EvidenceType(
        id=name,
        title=s.title(),
        fields=fields,
        key=s.names("key"),
        date=s.text("date", ""),
        subjects=s.names("subjects", tuple(f.name for f in fields.values() if f.type == "subject")),
        bad_rows=s.choice("bad_rows", ("refuse", "leave_out"), "refuse"),
        ballots=s.flag("ballots"),
        dimension=s.flag("dimension"),
        label=s.choice("label", LABELS, "internal"),
        retain=s.integer("retain") if "retain" in s.table else None,
        line=s.line,
    )


def _field(name: str, s: Section) -> Field:
    kind = s.choice("type", get_args(FieldType))
    return Field(
        name=name,
        type=kind,
        title=s.title(),
        unit=s.text("unit", "") if kind in _NUMBERS else "",
        decimals=s.integer("decimals") if kind == "decimal" else 0,
        optional=s.flag("optional"),
        choices=s.titles("choices") if kind == "choice" else {},
        min=s.number("min") if kind in _NUMBERS else None,
        max=s.number("max") if kind in _NUMBERS else None,
        at_most=s.text("at_most", "") if kind in NUMERIC else "",
        of=s.names("of") if kind in ("subject", "period") else (),
        to=s.text("to") if kind == "ref" else "",
        label=s.choice("label", LABELS, "internal"),
        line=s.line,
        step=s.integer("step") if kind == "series" else 0,
        instead_of=s.text("instead_of", ""),
    )


def _parameter(name: str, s: Section, context: _Context) -> Parameter:
    values = []
    for each in s.sections("values"):
        table = isinstance(each.table.get("value"), dict)
        value = each.numbers("value") if table else each.number("value", required=True) or Decimal(0)
        values.append(Dated(each.day("from"), value, each.text("source")))
        each.end()
    starts = [dated.start for dated in values]
    if not values:
        s.fault(
            "missing-key",
            "no value is declared",
            remedy='values = [ { from = 2021-01-01, value = 1, source = "..." } ]',
        )
    if any(later <= earlier for earlier, later in pairwise(starts)):
        s.fault(
            "values-out-of-order", "the values do not stand in order of their dates", "values", "the earliest first"
        )
    if len({isinstance(dated.value, Decimal) for dated in values}) > 1:
        s.fault("bad-value", "some values are tables and some are numbers", "values")
    return Parameter(name, s.title(), s.text("unit"), tuple(values), s.line)


def _measure(name: str, s: Section, context: _Context) -> Measure:
    return Measure(
        id=name,
        title=s.title(),
        of=s.text("of"),
        period=s.choice("period", KINDS, context.period),
        unit=s.text("unit"),
        decimals=s.integer("decimals"),
        expr=UNRECORDED,
        window=s.choice("window", get_args(Window), "in_period"),
        rollup=s.choice("rollup", get_args(Rollup), "none"),
        each=s.text("each", ""),
        certified=s.flag("certified"),
        better=s.choice("better", get_args(Direction), "higher"),
        grades=_grades(s),
        line=s.line,
    )


def _grades(s: Section) -> tuple[Grade, ...]:
    grades = []
    for each in s.sections("grades"):
        grades.append(Grade(each.number("at", required=True) or Decimal(0), each.title()))
        each.end()
    return tuple(grades)


def _index(name: str, s: Section, context: _Context) -> Index:
    title = s.title()
    return Index(
        id=name,
        title=title,
        of=s.text("of"),
        period=s.choice("period", KINDS, context.period),
        unit=s.text("unit"),
        decimals=s.integer("decimals"),
        root=_node(s, context, name),
        grades=_grades(s),
        better=s.choice("better", get_args(Direction), "higher"),
        line=s.line,
    )


def _node(s: Section, context: _Context, index: str = "") -> Node:
    """A node, or the root of ``index``, whose title and name are those of the index itself."""
    children = []
    for child in s.sections("nodes"):
        children.append(_node(child, context))
        child.end()
    measure = s.text("measure", "")
    name = index or s.text("id", measure)
    if not name:
        s.fault("missing-key", "id is missing", remedy="a node without a measure has an id and a title of its own")
    return Node(
        id=name,
        title=s.title()
        if index or "title" in s.table or not measure
        else context.titles.get(measure, Title(measure, measure)),
        weight=Decimal(1) if index else s.number("weight", Decimal(1)) or Decimal(0),
        measure=measure,
        children=tuple(children),
        aggregate=s.choice("aggregate", ("arithmetic", "geometric"), "arithmetic"),
        normalise=s.choice("normalise", ("none", "minmax", "goalposts", "zscore"), "none"),
        low=s.number("low"),
        high=s.number("high"),
        members=s.text("members", ""),
        member_weight=s.text("member_weight", ""),
        group=s.text("group", ""),
        group_weight=s.text("group_weight", ""),
        line=s.line,
    )


def _derivation(name: str, s: Section, context: _Context) -> Derivation:
    return Derivation(
        id=name,
        title=s.title(),
        of=s.text("of"),
        expr={},
        units=s.texts("results"),
        period=s.choice("period", KINDS, context.period),
        split=s.choice("split", ("", "pro_rata", "priority", "time"), ""),
        order=s.text("order", ""),
        line=s.line,
    )


def _statement(name: str, s: Section, context: _Context) -> StatementType:
    return StatementType(
        id=name,
        title=s.title(),
        kind=s.choice("kind", ("portrait", "certificate")),
        of=s.text("of"),
        period=s.choice("period", KINDS, context.period),
        show=s.names("show"),
        template=s.text("template", ""),
        valid_days=s.integer("valid_days") or None,
        line=s.line,
    )


def _cases(folder: Path, types: Mapping[str, EvidenceType], zone: ZoneInfo | None, report: Report) -> tuple[Case, ...]:
    """The cases of every file of ``cases/``, in order of file name."""
    cases = []
    for path in sorted((folder / "cases").glob("*.toml")):
        root = read_file(folder, f"cases/{path.name}", report)
        cases += [_case(section, types, zone) for section in root.sections("case")]
        root.end()
    return tuple(cases)


def _case(s: Section, types: Mapping[str, EvidenceType], zone: ZoneInfo | None) -> Case:
    rows = s.section("rows")
    for kind in rows.table:
        if kind not in types:
            rows.fault("unknown-evidence-type", f"there are no rows of {kind!r}", kind, near(kind, types))
            continue
        for row in rows.sections(kind):
            for name in row.table:
                if name not in types[kind].fields:
                    row.fault("unknown-field", f"{kind} has no field {name}", name, near(name, types[kind].fields))
    case = Case(
        id=s.text("id"),
        title=s.text("title", ""),
        period=s.text("period"),
        rows={
            kind: tuple(_row(row, types[kind], zone) if kind in types else row.table for row in rows.sections(kind))
            for kind in rows.table
        },
        expected=tuple(_expected(each) for each in s.sections("expect")),
        file=s.file,
        line=s.line,
    )
    s.end()
    return case


def _row(s: Section, type: EvidenceType, zone: ZoneInfo | None) -> Mapping[str, object]:
    """A row of a case. A series may be given in short, ``{ each = 250, missing = 2 }``: 250 at every step but the last two."""
    row = dict(s.table)
    for field in type.fields.values():
        if field.type != "series" or not isinstance(row.get(field.name), dict):
            continue
        short = s.section(field.name)
        each, missing = short.integer("each"), short.integer("missing")
        short.end()
        try:
            count = Period.parse(str(row.get(type.date))).steps(field.step, zone) if zone and field.step else 0
        except Misuse as fault:
            s.fault("bad-value", fault.what, field.name, fault.remedy)
            continue
        row[field.name] = [each] * (count - missing) + [None] * missing
    return row


def _expected(s: Section) -> Expected:
    value = s.text("value", "")
    status = s.choice("status", ("value", "none", "withheld"), "value")
    if ("value" in s.table) == (status != "value"):
        s.fault(
            "bad-value", "wants either a value or a status", remedy='value = "85.00", or status = "none" or "withheld"'
        )
    expected = Expected(
        s.text("measure"), s.text("subject"), value, status, s.text("member", ""), s.text("period", ""), s.line
    )
    s.end()
    return expected
