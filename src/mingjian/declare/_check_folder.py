"""What only a folder can be asked: whether everything is used, every threshold has a case and every template is there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from inspect import signature
from pathlib import Path

from mingjian.base.errors import Misuse
from mingjian.base.values import Period, number_text, round_half_away
from mingjian.declare._check import check, inputs
from mingjian.declare._check_references import names_read
from mingjian.declare._code import Code
from mingjian.declare._model import Derivation, EvidenceType, Index, Measure, Parameter, Scheme, Valued
from mingjian.declare._section import CODE_FILE, SCHEME_FILE, Report, near

_WHAT = {
    EvidenceType: "evidence", Parameter: "parameter", Measure: "measure", Derivation: "derivation", Index: "index"
}  # fmt: skip


def check_folder(scheme: Scheme, code: Code | None, report: Report) -> None:
    """Every fault of a scheme read from a folder; without code nothing can be said of what is used."""
    if check(scheme, report):
        _cases(scheme, report)
        _templates(scheme, report)
        if code is not None:
            _Loose(scheme, code, report).check()


@dataclass(frozen=True, slots=True)
class _Loose:
    """What is declared and leads nowhere."""

    scheme: Scheme
    code: Code
    report: Report

    def check(self) -> None:
        scheme, used = self.scheme, self.used()
        names = [item.id for item in inputs(scheme)]
        # A misspelt name is a fault of its own; what it meant is not unused.
        used |= {close for name in used - {*names} for close in get_close_matches(name, names, n=1)}
        for item in inputs(scheme):
            if item.id not in used:
                message = f"{_WHAT[type(item)]} {item.id} is declared, and nothing reads, shows or expects it"
                self.report.add("unused", message, SCHEME_FILE, item.line, "use it, show it or remove it")
        self.unusedinputs()

    def used(self) -> set[str]:
        scheme = self.scheme
        used = {name for formula in self.code.formulas.values() for name in signature(formula).parameters}
        used |= {d.of for d in scheme.derivations.values()}
        used |= {field.to for evidence in scheme.evidence.values() for field in evidence.fields.values()}
        used |= {name for index in scheme.indices.values() for n in index.nodes() for name in (n.measure, n.members)}
        used |= {process.of for process in scheme.processes.values()}
        used |= {kind for process in scheme.processes.values() for act in process.acts.values() for kind in act.takes}
        used |= {kind for role in scheme.roles.values() for kind in role.adds}
        # What a case expects is a result in its own right: claims may be held against it.
        used |= {expected.measure for case in scheme.cases for expected in case.expected}
        return used | {name for statement in scheme.statements.values() for name in statement.show}

    def unusedinputs(self) -> None:
        exprs = {m.id: [m.expr] for m in self.scheme.measures.values() if m.code_line}
        exprs |= {d.id: [*d.expr.values()] for d in self.scheme.derivations.values() if d.code_line}
        for name, formulas in exprs.items():
            read = set().union(*map(names_read, formulas))
            for wanted in self.code.inputs[name]:
                if wanted not in read:
                    message = f"{name} asks for {wanted} and does not use it"
                    self.report.add("unused", message, CODE_FILE, self.code.lines[name], "remove the parameter")


def _cases(scheme: Scheme, report: Report) -> None:
    first: dict[str, str] = {}
    shown: set[tuple[str, str]] = set()
    valued: dict[str, Valued] = {**scheme.measures, **scheme.indices}
    for case in scheme.cases:
        if case.id in first:
            report.add(
                "two-cases", f"case {case.id} stands in {first[case.id]} too", case.file, case.line, "rename one"
            )
        first[case.id] = f"{case.file}:{case.line}"
        subjects = {str(row.get("id")) for row in case.rows.get("subject", ())}
        _period(case.period, case.file, case.line, report)
        for expected in case.expected:
            if expected.measure not in valued:
                message = f"case {case.id} expects unknown measure {expected.measure!r}"
                report.add("unknown-measure", message, case.file, expected.line, near(expected.measure, [*valued]))
            if expected.subject not in subjects:
                message = f"case {case.id} expects a value of {expected.subject!r}, which has no row"
                report.add(
                    "unknown-subject", message, case.file, expected.line, near(expected.subject, sorted(subjects))
                )
            if expected.period:
                _period(expected.period, case.file, expected.line, report)
            shown.add((expected.measure, expected.value))
    for item in valued.values():
        for grade in item.grades:
            printed = _printed(grade.at, item.decimals)
            if (item.id, printed) not in shown:
                message = f"no case shows {item.id} at its threshold {printed}"
                remedy = f'add a case that expects measure = "{item.id}", value = "{printed}"'
                report.add("threshold-without-case", message, SCHEME_FILE, item.line, remedy)


def _period(text: str, file: str, line: int, report: Report) -> None:
    try:
        Period.parse(text)
    except Misuse as fault:
        report.add("bad-period", fault.what, file, line, fault.remedy)


def _templates(scheme: Scheme, report: Report) -> None:
    folder = (scheme.folder or Path()).resolve()
    for statement in scheme.statements.values():
        path = (folder / statement.template).resolve()
        if statement.template and not (path.is_relative_to(folder) and path.is_file()):
            message = f"{statement.id} is drawn by {statement.template}, which the folder does not have"
            there = [str(p.relative_to(folder)) for p in sorted(folder.rglob("*.typ"))]
            report.add("missing-file", message, SCHEME_FILE, statement.line, near(statement.template, there, "add it"))


def _printed(value: Decimal, decimals: int) -> str:
    return number_text(round_half_away(value, decimals))
