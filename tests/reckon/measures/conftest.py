"""A made-up programme, read once, and ways to run it over rows in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mingjian.base.values import Period
from mingjian.declare import Expr, Hierarchy, Measure, Scheme, Title, evidence_types, load
from mingjian.reckon.measures import Results, Value, evaluate
from mingjian.record.evidence import View, read_rows

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]


def subject(name: str, kind: str, parent: str = "", start: str = "2020-01-01", **more: str) -> dict[str, Any]:
    return {"id": name, "type": kind, "zh": name, "en": name, "parent": parent, "from": start, **more}


# U3 has no rows but those that a test gives it; L1 and L2 serve in U1.
SUBJECTS = (
    subject("D1", "district"),
    subject("D2", "district"),
    subject("U1", "unit", "D1"),
    subject("U2", "unit", "D1"),
    subject("U3", "unit", "D2"),
    subject("L1", "leader", "U1"),
    subject("L2", "leader", "U1"),
)


class Bench:
    """The programme, or variations of it, over rows."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme

    @contextmanager
    def open(self, rows: Rows, scheme: Scheme | None = None) -> Iterator[tuple[Scheme, View, Hierarchy]]:
        """What `evaluate`, `explain` and `lineage` take. Rows may say with which ``_entry`` and ``_row`` they came."""
        over = scheme or self.scheme
        types = evidence_types(over)
        tables = {}
        for kind, given in {"subject": SUBJECTS, **rows}.items():
            plain = [{k: v for k, v in row.items() if not k.startswith("_")} for row in given]
            intake = read_rows(plain, types[kind], zone=over.zone)
            assert not intake.findings, intake.findings
            tables[kind] = intake.table
            if given and "_entry" in given[0]:
                for name in ("_entry", "_row"):
                    tables[kind] = tables[kind].append_column(name, [[row[name] for row in given]])
        hierarchy = Hierarchy.of_rows(tables["subject"].to_pylist(), over.subjects)
        with View.of(tables, types, zone=over.zone) as view:
            yield over, view, hierarchy

    def run(
        self,
        rows: Rows,
        period: str,
        only: Collection[str] | None = None,
        subjects: Collection[str] | None = None,
        scheme: Scheme | None = None,
    ) -> Results:
        """The results of a period."""
        with self.open(rows, scheme) as (over, view, hierarchy):
            return evaluate(over, view, hierarchy, Period.parse(period), only=only, subjects=subjects)

    def value(self, rows: Rows, period: str, measure: str, of: str, member: str = "") -> Value:
        """One value."""
        return self.run(rows, period, [measure]).value(measure, of, member)

    def formulas(
        self, formulas: Mapping[str, Expr], rows: Rows, period: str = "2021Q3", **more: Any
    ) -> Mapping[str, Value]:
        """What formulas that no scheme declares come to for U1, all in one run."""
        plain = {"of": "unit", "period": "quarter", "unit": "count", "decimals": 2}
        measures = {
            name: Measure(id=name, title=Title(name, "某"), expr=expr, **(plain | more))
            for name, expr in formulas.items()
        }
        scheme = replace(self.scheme, measures=measures, indices={}, statements={})
        results = self.run(rows, period, scheme=scheme)
        return {name: results.value(name, "U1") for name in formulas}


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench(load(Path(__file__).parent / "programme"))


@pytest.fixture(scope="session")
def stating() -> Callable[..., dict[str, Any]]:
    """A row of a subject."""
    return subject


@pytest.fixture(scope="session")
def task() -> Callable[..., dict[str, Any]]:
    """A task: its name, whose, when, points possible and awarded."""

    def make(
        name: str, unit: str, quarter: str, possible: object, awarded: object = None, **more: Any
    ) -> dict[str, Any]:
        row = {"task": name, "unit": unit, "quarter": quarter, "possible": possible, "awarded": awarded}
        return {"indicator": "a", "state": "done", **{k: v for k, v in row.items() if v is not None}, **more}

    return make


@pytest.fixture(scope="session")
def ballots() -> Callable[..., list[dict[str, Any]]]:
    """So many equal ballots."""

    def make(about: str, count: int, grade: str | None = "good", voter: str = "team", day: date = date(2021, 8, 1)):  # type: ignore[no-untyped-def]
        row = {"day": day, "about": about, "voter": voter} | ({"grade": grade} if grade else {})
        return [row] * count

    return make


@pytest.fixture(scope="session")
def programme_rows(task, ballots) -> Rows:
    """Rows of every type of the programme, some of them of former quarters, few enough to be reckoned on any engine."""
    first = date(2021, 7, 1)
    return {
        "indicator": [{"code": c, "aspect": a, "weight": w, "since": first} for c, a, w in (("a", "x", 3), ("b", "y", 5))],
        "task": [
            task(f"{u}{c}{q}", u, q, 7, 3 + n, indicator=c, state=state)
            for n, (u, indicators) in enumerate((("U1", "ab"), ("U2", "a"), ("U3", "ab")))
            for c in indicators for q, state in (("2021Q2", "late"), ("2021Q3", "done"))
        ],
        "ballot": [*ballots("U1", 12), *ballots("U1", 5, "fair", "staff"), *ballots("U2", 11, "poor"), *ballots("U3", 3, None)],
        "item": [
            {"item": f"{who}{i}", "received": first - timedelta(days=40 - 37 * i), "about": who, "weight": 7**i}
            for who in ("L1", "L2") for i in range(3)
        ],
        "post": [{"leader": "L1", "since": first + timedelta(days=9 * i), "rank": 5 - i} for i in range(3)],
        "reading": [
            {"meter": f"{u}{i}", "unit": u, "at": f"2021-0{7 + i}-01T03:00:00+08:00", "wh": 2**60 + i, "price": "0.333333"}
            for u in ("U1", "U2") for i in range(3)
        ],
        "contract": [
            {"contract": f"K{i}", "unit": "U1", "month": f"2021-0{7 + i % 3}", "wh": 10 + i, "price": "1.25", "firm": i != 2,
             "signed": "2021-06-30T23:00:00Z", "until": "2022-01-01"} for i in range(5)
        ],
        "supply": [{"unit": "U1", "month": f"2021-0{m}", "wh": 17} for m in (7, 8, 9)],
    }  # fmt: skip
