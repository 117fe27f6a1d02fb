"""What does not hold together in a scheme that is well written: its declarations, statements, cases and loose ends.

`_check_formulas` looks at what formulas and indices read. All checks are pure questions to the model; lines are those that
the model carries (0 in a scheme that came as data).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from mingjian.base.errors import Misuse
from mingjian.base.values import KINDS, round_half_away, unit
from mingjian.declare._check_formulas import check_formulas, rank, types_with_value
from mingjian.declare._check_process import check_processes
from mingjian.declare._check_references import BOUNDS
from mingjian.declare._checker import Checker
from mingjian.declare._fields import ACT, GRANT, NUMERIC, SUBJECT, TIME
from mingjian.declare._model import (
    Derivation,
    EvidenceType,
    Field,
    Index,
    Measure,
    Parameter,
    Scheme,
    StatementType,
    Valued,
)
from mingjian.declare._section import Report
from mingjian.declare._zone import zone_of

_DATED = ("date", "time", "period")
_INPUTS = (*BOUNDS, SUBJECT)  # what formulas and files know by these names already
_COLUMNS = ("count",)  # task.count() is how many rows there are
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MOST_DECIMALS = 18  # what a stored decimal holds
_HOUR = 60  # minutes


def is_name(text: str) -> bool:
    """Whether a declaration, a field or a scheme can be called so."""
    return bool(_NAME.fullmatch(text)) and not keyword.iskeyword(text)


def check(scheme: Scheme, report: Report) -> bool:
    """Every fault of the declarations and formulas; False when subject types stand in a circle and nothing else was tried."""
    checker = _Checker(scheme, report)
    if not checker.subject_types():
        return False
    checker.check()
    check_formulas(scheme, report)
    check_processes(scheme, report)
    return True


def inputs(scheme: Scheme) -> Iterator[EvidenceType | Parameter | Measure | Derivation | Index]:
    """All that a formula can name: one namespace."""
    yield from scheme.evidence.values()
    yield from scheme.parameters.values()
    yield from scheme.measures.values()
    yield from scheme.derivations.values()
    yield from scheme.indices.values()


class _Checker(Checker):
    def check(self) -> None:
        self.zone()
        self.names()
        self.namespace()
        for evidence in self.scheme.evidence.values():
            self.evidence(evidence)
            for field in evidence.fields.values():
                self.field(evidence, field)
        for parameter in self.scheme.parameters.values():
            self.unit(parameter.id, parameter.unit, parameter.line)
        for derivation in self.scheme.derivations.values():
            for name, result_unit in derivation.units.items():
                self.unit(f"{derivation.id}.{name}", result_unit, derivation.line)
        for measure in self.scheme.measures.values():
            self.valued(measure)
        for index in self.scheme.indices.values():
            self.valued(index)
        for statement in self.scheme.statements.values():
            self.statement(statement)

    def subject_types(self) -> bool:
        """Whether every type's parents lead to the top."""
        for kind in self.scheme.subjects.values():
            if kind.parent and kind.parent not in self.scheme.subjects:
                self.unknown("subject type", kind.parent, self.scheme.subjects, f"parent of {kind.id}", kind.line)
            trail = [kind.id]
            while (parent := self.scheme.subjects[trail[-1]].parent) in self.scheme.subjects:
                trail.append(parent)
                if parent == kind.id:
                    self.fault("cycle", f"a cycle of subject types: {' under '.join(trail)}", kind.line)
                    return False
                if trail.count(parent) > 1:
                    break  # a circle further up is reported where it stands
        return True

    def zone(self) -> None:
        if zone_of(self.scheme.zone) is None:
            self.fault(
                "unknown-zone",
                f"there is no time zone {self.scheme.zone!r}",
                self.scheme.line,
                'write it like "Asia/Shanghai"',
            )

    def names(self) -> None:
        """Names become Python parameters, columns and parts of files."""
        scheme = self.scheme
        kernel = [name for name, there in ((ACT, scheme.processes), (GRANT, scheme.roles)) if there]
        taken = {item.id: (*_INPUTS, *kernel) for item in inputs(scheme)}
        named = [
            (scheme.id, scheme.line),
            *((process.id, process.line) for process in scheme.processes.values()),
            *((role.id, role.line) for role in scheme.roles.values()),
            *((kind.id, kind.line) for kind in scheme.subjects.values()),
            *((statement.id, statement.line) for statement in scheme.statements.values()),
            *((item.id, item.line) for item in inputs(scheme)),
        ]
        for name, line in named:
            self.name(name, line, taken.get(name, ()))
        for evidence in scheme.evidence.values():
            for field in evidence.fields.values():
                self.name(field.name, field.line, _COLUMNS)
        for derivation in scheme.derivations.values():
            for result in derivation.units:
                self.name(result, derivation.line, _COLUMNS)
        for process in scheme.processes.values():
            states = [(state.id, state.line) for state in process.states.values()]
            for name, line in [*states, *((act.id, act.line) for act in process.acts.values())]:
                if not _NAME.fullmatch(name):  # no formula names them: a word of Python will do
                    self.name(name, line, ())

    def name(self, name: str, line: int, taken: tuple[str, ...]) -> None:
        if name in taken:
            self.fault("bad-name", f"{name!r} means something already", line, "rename it")
        elif not is_name(name):
            remedy = "lower-case letters, digits and _, a letter first; no word of Python"
            self.fault("bad-name", f"{name!r} cannot be a name", line, remedy)

    def namespace(self) -> None:
        """Formulas name their inputs, so one name means one thing."""
        seen: dict[str, str] = {}
        for item in inputs(self.scheme):
            name, what = item.id, type(item).__name__
            if name in seen:
                message = f"{name} is declared twice, as {seen[name]} and as {what}"
                self.fault("two-declarations", message, item.line, "rename one")
            seen.setdefault(name, what)

    def evidence(self, evidence: EvidenceType) -> None:
        fields, where = evidence.fields, evidence.line
        for name in (*evidence.key, *evidence.subjects, *([evidence.date] if evidence.date else [])):
            if name not in fields:
                self.unknown("field", name, fields, evidence.id, where)
        for name in evidence.key:
            if name in fields and fields[name].optional:
                self.fault("bad-key", f"{evidence.id}.{name} is in the key and optional", fields[name].line)
        if evidence.date in fields and fields[evidence.date].type not in _DATED:
            self.fault(
                "bad-date", f"{evidence.id}.{evidence.date} is no date", where, f"a field of type {', '.join(_DATED)}"
            )
        for name in evidence.subjects:
            if name in fields and fields[name].type != "subject":
                self.fault("bad-subject", f"{evidence.id}.{name} is no subject", where)
        for name in {*evidence.key, evidence.date}:
            if name in fields and fields[name].label == "sealed":
                message = f"{evidence.id}.{name} is sealed, and names or dates the row"
                self.fault("bad-sealed", message, fields[name].line, "nothing stands on what only few may open")
        if evidence.retain is not None and not evidence.date:
            message = f"{evidence.id} is kept for {evidence.retain} years, and its rows have no date"
            self.fault("no-date", message, where, "date = ...")
        if evidence.dimension and len(evidence.thread) != 1:
            self.fault("bad-key", f"dimension {evidence.id} needs a key of one field, its date aside", where)

    def field(self, evidence: EvidenceType, field: Field) -> None:
        name, line = f"{evidence.id}.{field.name}", field.line
        if field.unit or field.type in ("quantity", "series"):
            self.unit(name, field.unit, line)
        if field.decimals > _MOST_DECIMALS:
            self.fault("bad-value", f"{name} has more than {_MOST_DECIMALS} decimals", line)
        if field.label == "sealed" and field.type != "text":
            message = f"{name} is sealed and of type {field.type}"
            self.fault("bad-sealed", message, line, "only a text can be sealed: nothing may be worked out from it")
        if field.type == "choice" and not field.choices:
            self.fault("missing-key", f"{name} has no choices", line)
        if field.min is not None and field.max is not None and field.min > field.max:
            self.fault("bad-value", f"{name} has min {field.min} above max {field.max}", line)
        if field.at_most and field.at_most not in evidence.fields:
            self.unknown("field", field.at_most, evidence.fields, f"at_most of {name}", line)
        elif field.at_most and evidence.fields[field.at_most].type not in NUMERIC:
            self.fault("not-numeric", f"{name} is at_most {field.at_most}, which is no number", line)
        if field.type == "series":
            self.series(evidence, field)
        if field.instead_of:
            self.either(evidence, field)
        if field.type == "subject":
            for kind in field.of:
                if kind not in self.scheme.subjects:
                    self.unknown("subject type", kind, self.scheme.subjects, name, line)
            if not field.of:
                self.fault("missing-key", f"{name} does not say of which subject types", line, 'of = ["..."]')
        if field.type == "period" and (len(field.of) != 1 or field.of[0] not in KINDS):
            self.fault("unknown-word", f"{name} is of no one kind of period", line, f"of = one of {', '.join(KINDS)}")
        if field.type == "ref":
            target = self.scheme.evidence.get(field.to)
            if target is None:
                self.unknown("evidence type", field.to, self.scheme.evidence, name, line)
            elif len(target.thread) != 1:
                self.fault("bad-ref", f"{name} refers to {field.to}, whose key is not one field, its date aside", line)

    def series(self, evidence: EvidenceType, field: Field) -> None:
        name, dating = f"{evidence.id}.{field.name}", evidence.fields.get(evidence.date)
        if not 0 < field.step <= _HOUR or _HOUR % field.step:
            message = f"{name} has a value every {field.step} minutes, which make no whole hour"
            self.fault("bad-step", message, field.line, "step = 15, or another number of minutes that divides 60")
        if dating is None or dating.type != "period":
            remedy = "date = a field of type period: its length is that of the series"
            self.fault("no-period", f"{name} fills a period, and no period dates its rows", field.line, remedy)
        if field.name in evidence.key:
            self.fault("bad-key", f"{name} is a series, and in the key", field.line)
        if TIME in evidence.fields:
            self.fault("bad-name", f"{TIME!r} heads the times of a series", evidence.fields[TIME].line, "rename it")

    def either(self, evidence: EvidenceType, field: Field) -> None:
        name, other = f"{evidence.id}.{field.name}", evidence.fields.get(field.instead_of)
        if other is None:
            self.unknown("field", field.instead_of, evidence.fields, f"instead_of of {name}", field.line)
        elif not (field.optional and other.optional) or other.name == field.name:
            message = f"{name} is given instead of {other.name}, and one of them is always given"
            self.fault("bad-value", message, field.line, "optional = true on both")

    def valued(self, item: Valued) -> None:
        self.unit(item.id, item.unit, item.line)
        self.subject_type(item.id, item.of, item.line)
        at = [grade.at for grade in item.grades]
        if len(set(at)) != len(at):
            self.fault("bad-grade", f"{item.id} has two grades at one threshold", item.line)
        if item.decimals > _MOST_DECIMALS:
            self.fault("bad-value", f"{item.id} has more than {_MOST_DECIMALS} decimals", item.line)
            return
        for value in at:
            if round_half_away(value, item.decimals) != value:
                message = f"{item.id} has a grade at {value}, finer than its {item.decimals} decimals"
                self.fault("bad-grade", message, item.line, "grades are read off the printed value")

    def statement(self, statement: StatementType) -> None:
        scheme, line = self.scheme, statement.line
        self.subject_type(statement.id, statement.of, line)
        if not statement.show:
            self.fault("missing-key", f"{statement.id} shows nothing", line, 'show = ["..."]')
        for name in statement.show:
            item = scheme.measures.get(name) or scheme.indices.get(name)
            if item is None:
                self.unknown("measure", name, [*scheme.measures, *scheme.indices], statement.id, line)
            elif (
                statement.of in scheme.subjects
                and item.of in scheme.subjects
                and statement.of not in types_with_value(scheme, item)
            ):
                message = f"{statement.id} shows {name}, which no {statement.of} has"
                self.fault("no-value", message, line, f"it is of {item.of}; rollup gives it to the types above")
            elif rank(statement.period) < rank(item.period):
                message = f"{statement.id} is by {statement.period} and shows {name}, which is by {item.period}"
                self.fault("shorter-period", message, line, "show a measure of the same or a longer period")

    def subject_type(self, who: str, kind: str, line: int) -> None:
        if kind not in self.scheme.subjects:
            self.unknown("subject type", kind, self.scheme.subjects, who, line)

    def unit(self, who: str, name: str, line: int) -> None:
        if not name:
            self.fault("missing-key", f"{who} has no unit", line, 'unit = "..."')
            return
        try:
            unit(name)
        except Misuse as fault:
            self.fault("unknown-unit", f"{who} has {fault.what}", line, fault.remedy)
