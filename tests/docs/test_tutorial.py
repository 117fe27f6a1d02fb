"""The tutorial is done from its first line to its last, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MOST_LINES = 75  # "about sixty lines", without the empty ones


def test_the_tutorial_does_what_it_says(tmp_path: Path, reader: Callable[..., Any]) -> None:
    reader(tmp_path).follow(ROOT / "docs/tutorial.md")
    scheme = [*(tmp_path / "library").glob("*.toml"), *(tmp_path / "library").glob("*.py")]
    lines = [line for file in scheme for line in file.read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
