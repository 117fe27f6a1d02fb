"""Every command that a page shows is typed, in one folder where the example was built."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILD = "mingjian demo examples/chongqing-2021-09-07 build/chongqing"
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    *sorted(page for page in ROOT.glob("docs/**/*.md") if page.name != "tutorial.md"),  # that one starts from nothing
]


def test_make_run_builds_the_example() -> None:
    """The pages below say `make run`; here it is replaced by the command that it ends in."""
    told = subprocess.run(["make", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f".venv/bin/{BUILD}" in told


def test_every_command_of_the_pages_does_what_it_says(tmp_path: Path, reader: Callable[..., Any]) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "build").mkdir()
    # Built once, for all pages: each that says `make run` is shown what that printed.
    someone = reader(tmp_path, {"make run": "cat build/printed.txt"})
    printed = someone.type(BUILD)
    assert someone.status == 0, printed
    (tmp_path / "build/printed.txt").write_text(printed, "utf-8")
    for page in PAGES:
        someone.follow(page)
