"""``measures.py``: run once, every formula recorded, what goes wrong reported with its line there."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from pathlib import Path
from types import ModuleType

from mingjian.declare._check_references import BOUNDS
from mingjian.declare._expressions import MAX_NODES, Expr, FormulaError, from_data, walk
from mingjian.declare._fields import row_fields
from mingjian.declare._model import Derivation, Measure, Scheme
from mingjian.declare._record import (
    KIND_OF_FIELD,
    Rows,
    Table,
    bound,
    inputs_of,
    measure,
    parameter,
    record,
    record_rows,
)
from mingjian.declare._section import CODE_FILE, SCHEME_FILE, Report, near

Formula = Callable[..., object]

_MODULES = ("mingjian", "datetime", "decimal", "fractions", "math")
_REACHING = (
    "open",
    "eval",
    "exec",
    "compile",
    "input",
    "globals",
    "locals",
    "vars",
    "getattr",
    "setattr",
    "breakpoint",
)


@dataclass(frozen=True, slots=True)
class Code:
    """The functions of ``measures.py``, what each asks for, and on which line it begins; helpers (``_name``) are left out."""

    formulas: Mapping[str, Formula]
    inputs: Mapping[str, tuple[str, ...]]
    lines: Mapping[str, int]


def read_code(folder: Path, report: Report) -> Code | None:
    """Run ``measures.py`` as a module of its own and take its functions; None when it cannot be run.

    The author's code runs with the rights of whoever loads the scheme; from then on formulas are data. That it takes all it
    needs as inputs is checked by its syntax: a rule for honest authors, not a cage for others.
    """
    path = folder / CODE_FILE
    try:
        source = path.read_bytes()
        tree = ast.parse(source, str(path))
    except FileNotFoundError:
        report.add("missing-file", "there is no such file", CODE_FILE, 0, "one plain function a measure")
        return None
    except (SyntaxError, ValueError) as fault:
        line = (fault.lineno or 0) if isinstance(fault, SyntaxError) else 0
        report.add("bad-code", f"not Python: {fault.args[0]}", CODE_FILE, line)
        return None
    if _reaches_out(tree, report):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    lines: dict[str, int] = {}
    for function in functions:
        if function.name in lines:
            message = f"{function.name} is defined twice, first on line {lines[function.name]}"
            report.add("two-functions", message, CODE_FILE, function.lineno, "rename or remove one")
        lines.setdefault(function.name, function.lineno)
    # Compiled here and not imported: an import would leave a cache beside the source and find a stale one there.
    module = ModuleType(f"mingjian_scheme_{folder.name}")
    module.__file__ = str(path)
    try:
        exec(compile(tree, str(path), "exec"), module.__dict__)
    except Exception as fault:  # noqa: BLE001  an author's code may raise anything
        _broken(report, path, fault, 0, "the module cannot be run")
        return None
    formulas = {name: made for name in lines if callable(made := module.__dict__.get(name))}
    for name in lines.keys() - formulas.keys():
        report.add(
            "bad-code", f"{name} is no function in the end", CODE_FILE, lines[name], "it is assigned again below"
        )
    inputs = {}
    for name, formula in formulas.items():
        try:
            inputs[name] = inputs_of(formula)
        except FormulaError as fault:
            report.add("bad-formula", fault.what, CODE_FILE, lines[name], fault.remedy)
    return Code(formulas, inputs, lines)


def _reaches_out(tree: ast.Module, report: Report) -> bool:
    """Whether the code names anything by which it could get at files, other modules or Python's insides; reports each."""
    found = False
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                reached = [alias.name for alias in names if alias.name not in _MODULES]
            case ast.ImportFrom(module=module, level=level):
                reached = [] if module in _MODULES and not level else [module or "."]
            case ast.Name(id=name):
                reached = [name] if name in _REACHING or name.startswith("__") else []
            case ast.Attribute(attr=name):
                reached = [name] if name.startswith("__") else []
            case _:
                reached = []
        for name in reached:
            found = True
            remedy = f"a formula takes all it needs as inputs; it may import from {', '.join(_MODULES)}"
            report.add("reaches-out", f"{CODE_FILE} reaches for {name}", CODE_FILE, getattr(node, "lineno", 0), remedy)
    return found


def record_formulas(scheme: Scheme, code: Code, report: Report) -> Scheme:
    """The scheme with every formula recorded that can be; the others stay as they were and are reported."""
    _unmatched(scheme, code, report)
    recorder = _Recorder(scheme, code, report)
    for name in _order(scheme, code, report):
        recorder.record(name)
    return recorder.scheme


@dataclass(slots=True)
class _Recorder:
    scheme: Scheme
    code: Code
    report: Report

    def record(self, name: str) -> None:
        """Record one measure or derivation; what it reads is recorded already."""
        line = self.code.lines[name]
        given = self._given(name, line)
        if given is None:
            return
        declared = self.scheme.measures.get(name) or self.scheme.derivations[name]
        if isinstance(declared, Derivation) and not row_fields(self.scheme, declared.of):
            return  # reported as an unknown evidence type
        try:
            made = _recorded(declared, self.code.formulas[name], given)
        except Exception as fault:  # noqa: BLE001  an author's code may raise anything
            path = (self.scheme.folder or Path()) / CODE_FILE
            _broken(self.report, path, fault, line, f"{name} cannot be recorded")
            return
        made = replace(made, code_line=line)
        if isinstance(made, Measure):
            self.scheme = replace(self.scheme, measures={**self.scheme.measures, name: made})
        else:
            self.scheme = replace(self.scheme, derivations={**self.scheme.derivations, name: made})

    def _given(self, name: str, line: int) -> dict[str, object] | None:
        """The recorder of each input, or None (and findings) when one of them is not to be had."""
        given = {}
        for wanted in self.code.inputs[name]:
            found = _recorder_of(self.scheme, wanted, rows_only=name in self.scheme.derivations)
            if found is None:
                self._refuse(name, wanted, line)
                continue
            given[wanted] = found
        return given if len(given) == len(self.code.inputs[name]) else None

    def _refuse(self, name: str, wanted: str, line: int) -> None:
        known = _known(self.scheme)
        if wanted in known:
            message = f"{name} asks for {wanted}, which has no rows"
            remedy = "a derivation reads evidence, derivations and parameters"
        else:
            message = f"{name} asks for {wanted}, which is not declared"
            remedy = near(wanted, sorted(known - {name}))
        self.report.add("undeclared", message, CODE_FILE, line, remedy)


def _recorded(declared: Measure | Derivation, formula: Formula, given: Mapping[str, object]) -> Measure | Derivation:
    if isinstance(declared, Measure):
        expr = record(formula, given)
        _bounded([expr])
        return replace(declared, expr=expr)
    results = record_rows(formula, given, declared.of)
    _bounded(results.values())
    return replace(declared, expr=results)


def _bounded(exprs: Iterable[Expr]) -> None:
    """Refuse what a verifier would refuse to read back."""
    for expr in exprs:
        if len(list(islice(walk(expr), MAX_NODES + 1))) > MAX_NODES:
            raise FormulaError(f"a formula of more than {MAX_NODES} nodes", remedy="make a measure of its parts")
        from_data(expr.data())


def _recorder_of(scheme: Scheme, name: str, *, rows_only: bool) -> object | None:
    if name in BOUNDS:
        return bound(name)
    if name in scheme.parameters:
        values = scheme.parameters[name].values
        return parameter(name) if all(isinstance(v.value, Decimal) for v in values) else Table(name)
    if name in scheme.evidence or name in scheme.derivations:
        return Rows(name, {f.name: KIND_OF_FIELD[f.type] for f in row_fields(scheme, name).values()})
    if rows_only:
        return None
    if name in scheme.measures:
        return measure(name, scheme.measures[name].expr.kind)
    return measure(name, "score") if name in scheme.indices else None


def _known(scheme: Scheme) -> set[str]:
    declared = (scheme.parameters, scheme.evidence, scheme.derivations, scheme.measures, scheme.indices)
    return {name for table in declared for name in table} | set(BOUNDS)


def _unmatched(scheme: Scheme, code: Code, report: Report) -> None:
    """Report declarations without a function, and functions without a declaration."""
    declared: Mapping[str, Measure | Derivation] = {**scheme.measures, **scheme.derivations}
    for name, line in code.lines.items():
        if name not in declared:
            message = f"no measure or derivation is called {name}"
            remedy = f"declare [measure.{name}], or call a helper _{name}"
            remedy = near(name, [n for n in declared if n not in code.lines], remedy)
            report.add("undeclared-function", message, CODE_FILE, line, remedy)
    for name, item in declared.items():
        if name not in code.lines:
            remedy = near(name, [n for n in code.lines if n not in declared], f"write def {name}(...)")
            report.add("no-function", f"{name} has no function in {CODE_FILE}", SCHEME_FILE, item.line, remedy)


def _order(scheme: Scheme, code: Code, report: Report) -> list[str]:
    """The formulas, each after what it reads. Those of a cycle, named in a finding, are left out."""
    declared = {*scheme.measures, *scheme.derivations}
    graph = {name: set(names) for name, names in code.inputs.items() if name in declared}
    formulas = set(graph)
    for name, derivation in scheme.derivations.items():
        graph.setdefault(name, set()).add(derivation.of)
    for name, index in scheme.indices.items():
        graph[name] = {node.measure for node in index.nodes() if node.measure}
    while True:
        try:
            return [name for name in TopologicalSorter(graph).static_order() if name in formulas]
        except CycleError as fault:
            cycle = list(reversed(fault.args[1]))
            name = next((n for n in cycle if n in code.lines), "")
            if len(cycle) == 2:
                message = f"{name or cycle[0]} reads itself"
                remedy = (
                    "what is carried from period to period is a derivation (carry); previous() takes another measure"
                )
            else:
                message, remedy = f"a cycle: {' reads '.join(cycle)}", "no formula may need its own result"
            report.add("cycle", message, CODE_FILE if name else SCHEME_FILE, code.lines.get(name, 0), remedy)
            for member in cycle:
                graph.pop(member, None)
                formulas.discard(member)


def _broken(report: Report, path: Path, fault: Exception, line: int, what: str) -> None:
    frames = [f.lineno for f in traceback.extract_tb(fault.__traceback__) if f.filename == str(path)]
    at = frames[-1] if frames and frames[-1] else line
    if isinstance(fault, FormulaError):
        report.add("bad-formula", fault.what, CODE_FILE, at, fault.remedy)
    else:
        report.add("bad-code", f"{what}: {type(fault).__name__}: {fault}", CODE_FILE, at)
