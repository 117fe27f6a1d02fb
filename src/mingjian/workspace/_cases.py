"""An author's cases: rows in, a period, and what must come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mingjian.base.errors import Fault, Finding, Place
from mingjian.base.values import Period
from mingjian.declare import Case, Expected, Hierarchy, Scheme, evidence_types
from mingjian.reckon.measures import Results, evaluate
from mingjian.reckon.release import release
from mingjian.record.evidence import Statements, View, check_rows, read_rows

SUBJECT = "subject"


def run_cases(scheme: Scheme, progress: Callable[[], None] = lambda: None) -> tuple[Finding, ...]:
    """A Finding for every case of the scheme whose rows are wrong or whose outcome is not the expected one."""
    found: list[Finding] = []
    statements = Statements()
    for case in scheme.cases:
        found.extend(_run(scheme, case, statements))
        progress()
    return tuple(found)


def _run(scheme: Scheme, case: Case, statements: Statements) -> Iterator[Finding]:
    types = evidence_types(scheme)
    place = Place(f"{case.file}:{case.line}")
    unknown = sorted(case.rows.keys() - types.keys())
    if unknown:
        yield Finding("unknown-evidence", f"case {case.id} has rows of {', '.join(unknown)}", place)
        return
    intakes = {kind: read_rows(rows, types[kind], case.file, zone=scheme.zone) for kind, rows in case.rows.items()}
    for intake in intakes.values():
        yield from intake.findings
    tables = {kind: intake.table for kind, intake in intakes.items()}
    subjects = tables[SUBJECT].to_pylist() if SUBJECT in tables else []
    try:
        hierarchy = Hierarchy.of_rows(subjects, scheme.subjects)
    except Fault as fault:
        yield from fault.findings
        return
    with View.of(tables, types, zone=scheme.zone, statements=statements) as view:
        for kind, intake in intakes.items():
            if kind != SUBJECT:
                yield from check_rows(intake, types[kind], types, view, hierarchy, zone=scheme.zone)
        yield from _compare(scheme, case, view, hierarchy)


def _compare(scheme: Scheme, case: Case, view: View, hierarchy: Hierarchy) -> Iterator[Finding]:
    wanted: dict[str, set[str]] = {}
    for expected in case.expected:
        wanted.setdefault(expected.period or case.period, set()).add(expected.measure)
    outcomes: Mapping[str, Results] = {
        period: release(evaluate(scheme, view, hierarchy, Period.parse(period), only=names), scheme.minimum_group)
        for period, names in wanted.items()
    }
    for expected in case.expected:
        yield from _difference(case, expected, outcomes[expected.period or case.period])


def _difference(case: Case, expected: Expected, results: Results) -> Iterator[Finding]:
    value = results.get(expected.measure, expected.subject, expected.member)
    status, printed = (value.status, value.printed) if value is not None else ("absent", "")
    if (status, printed) == (expected.status, expected.value):
        return
    about = f"{expected.measure} of {expected.subject}{f' ({expected.member})' if expected.member else ''}"
    yield Finding(
        "case-differs",
        f"case {case.id}: {about} should be {expected.value or expected.status}",
        Place(f"{case.file}:{expected.line}"),
        printed or status,
        "mend the formula, or the case if it is the case that is wrong",
    )
