"""The command line as a person runs it, in this process, over a workspace that it made itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mingjian.cli import main

SMALL = Path(__file__).parents[1] / "workspace" / "small"


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """English, and always the same user."""
    for name, value in {"MINGJIAN_LANG": "en", "MINGJIAN_USER": "tester", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    for name in ("MINGJIAN_WORKSPACE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``mingjian`` with arguments."""

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["mingjian", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def small() -> Path:
    return SMALL


def rows_file(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


@pytest.fixture(scope="session")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace of the small programme, its rows as files, and issued portraits. Tests only read it."""
    from mingjian.base.values import Period
    from mingjian.workspace import Order, Workspace, issue_into

    folder = tmp_path_factory.mktemp("cli")
    workspace = Workspace.create(folder / "w", origin="example.org/cli")
    scheme = workspace.adopt(str(SMALL), "tester")
    unit = {"type": "unit", "parent": "D", "zh": "单位", "en": "Unit", "from": "2021-01-01"}
    district = {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2021-01-01"}
    batches: dict[str, list[dict[str, Any]]] = {
        "subject": [district, {"id": "U1", **unit}, {"id": "U2", **unit}],
        "task": [{"task": "1", "unit": "U1", "quarter": "2021Q3", "possible": "10", "awarded": "8.5"}],
        "ballot": [{"day": "2021-08-01", "unit": u, "grade": "good"} for u in ["U1"] * 12 + ["U2"] * 3],
    }
    for kind, rows in batches.items():
        workspace.add_file(scheme, kind, rows_file(folder, kind, rows), "tester", synthetic=kind == "ballot")
    order = Order(Period.parse("2021Q3"), {"portrait": None}, "described")
    issue_into(workspace, scheme, order, folder / "w" / "issued", by="tester")
    return folder
