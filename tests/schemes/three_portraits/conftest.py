"""The scheme loaded once, and one way to run it over rows in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import mingjian.schemes.three_portraits as package
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Scheme, evidence_types, load
from mingjian.reckon.measures import Results, evaluate
from mingjian.reckon.release import release
from mingjian.record.evidence import View, read_rows

FOLDER = Path(package.__file__).parent
Run = Callable[[Mapping[str, pa.Table | Iterable[Mapping[str, Any]]], str], Results]


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    return load(FOLDER)


@pytest.fixture(scope="session")
def run(scheme: Scheme) -> Run:
    """Released results of rows by evidence type, for a period."""
    types = evidence_types(scheme)

    def run(rows: Mapping[str, pa.Table | Iterable[Mapping[str, Any]]], period: str) -> Results:
        tables = {}
        for kind, given in rows.items():
            if not isinstance(given, pa.Table):
                intake = read_rows(given, types[kind])
                assert not intake.findings, intake.findings
                given = intake.table
            tables[kind] = given
        hierarchy = Hierarchy.of_rows(tables["subject"].to_pylist(), scheme.subjects)
        with View.of(tables, types, zone=scheme.zone) as view:
            return release(evaluate(scheme, view, hierarchy, Period.parse(period)), scheme.minimum_group)

    return run
