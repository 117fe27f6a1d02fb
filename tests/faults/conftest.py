"""The office of `make faults`, built once; what is broken are copies of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
sys.path.insert(0, str(BENCH))

from fault_checks import build  # noqa: E402  it lies beside the command


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its workspace. Tests only copy it."""
    folder = tmp_path_factory.mktemp("faults") / "office"
    list(build(folder, {}))
    return folder


@pytest.fixture
def office(built: Path, tmp_path: Path) -> Path:
    """A copy of one's own."""
    return shutil.copytree(built, tmp_path / "office")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run ``mingjian`` with arguments in this process: its exit code and all that it said."""
    from mingjian.cli import main

    monkeypatch.setenv("MINGJIAN_LANG", "en")
    monkeypatch.setenv("MINGJIAN_USER", "tester")

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mingjian", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run
