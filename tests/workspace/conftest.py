"""A small programme in a workspace that all tests read, and fresh ones for those that write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mingjian.declare import Scheme
from mingjian.workspace import Workspace

SMALL = Path(__file__).parent / "small"


class Clock:
    """Each look at it is a second later."""

    def __init__(self) -> None:
        self.time = datetime(2021, 10, 8, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture(scope="session")
def small() -> Path:
    return SMALL


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Rows as a file of JSON lines."""
    folder = tmp_path_factory.mktemp("rows")

    def write(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return file

    return write


@pytest.fixture(scope="session")
def office_with(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Callable[..., Workspace]:
    """Makes a workspace under a folder of rules, with rows of every kind, at a time that stands."""

    def office_with(
        name: str, rules: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]], synthetic: str
    ) -> Workspace:
        at, folder = datetime(2021, 10, 8, 8, tzinfo=UTC), tmp_path_factory.mktemp(name) / "w"
        workspace = Workspace.create(folder, origin=f"example.org/{name}", clock=lambda: at)
        scheme = workspace.adopt(str(rules), "tester")
        for kind, given in rows.items():
            workspace.add_file(scheme, kind, write(f"{name}-{kind}", given), "tester", synthetic=kind == synthetic)
        return workspace

    return office_with


SUBJECTS = [
    {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2021-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "一单位龘", "en": "Unit one", "from": "2021-01-01"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二单位", "en": "Unit two", "from": "2021-01-01"},
]


def make_task(name: str, unit: str, awarded: str, possible: str = "10", quarter: str = "2021Q3") -> dict[str, Any]:
    return {"task": name, "unit": unit, "quarter": quarter, "possible": possible, "awarded": awarded}


def make_ballots(unit: str, good: int, poor: int = 0) -> list[dict[str, Any]]:
    return [{"day": "2021-08-01", "unit": unit, "grade": grade} for grade in ["good"] * good + ["poor"] * poor]


@pytest.fixture(scope="session")
def task() -> Callable[..., dict[str, Any]]:
    return make_task


@pytest.fixture
def fresh(tmp_path: Path, write: Callable[..., Path]) -> tuple[Workspace, Scheme]:
    """A workspace with the small programme and its subjects."""
    workspace = Workspace.create(tmp_path / "fresh", origin="example.org/fresh", clock=Clock())
    scheme = workspace.adopt(str(SMALL), "tester")
    workspace.add_file(scheme, "subject", write("subjects", SUBJECTS), "tester")
    return workspace, scheme


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> tuple[Workspace, Scheme]:
    """One with rows of every kind; tests only read it."""
    folder = tmp_path_factory.mktemp("filled") / "workspace"
    workspace = Workspace.create(folder, origin="example.org/filled", clock=Clock())
    scheme = workspace.adopt(str(SMALL), "tester")
    readings = [{"unit": u, "month": f"2021-{m:02}", "wh": 2**62 + m} for u in ("U1", "U2") for m in (7, 8, 9)]
    batches = {
        "subject": SUBJECTS,
        "task": [make_task("1", "U1", "8.5"), make_task("2", "U1", "7.5"), make_task("3", "U2", "1")],
        "reading": readings,
        "ballot": [*make_ballots("U1", 9, 3), *make_ballots("U2", 3)],
    }
    for kind, rows in batches.items():
        workspace.add_file(scheme, kind, write(f"filled-{kind}", rows), "tester")
    return workspace, scheme
