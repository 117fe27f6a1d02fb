"""Every command that a page shows is typed, in one folder where the example was built."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mingjian.workspace._demo import sample_of

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/chongqing-2021-09-07"
BUILD = f"mingjian demo {EXAMPLE} build/chongqing"
SERVE = "mingjian serve -w build/chongqing/workspace -s three_portraits"
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    *sorted(page for page in ROOT.glob("docs/**/*.md") if page.name != "tutorial.md"),  # that one starts from nothing
]


def test_make_run_builds_the_example() -> None:
    """The pages below say `make run`; here it is replaced by the command that it ends in."""
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert f".venv/bin/{BUILD}" in told


def test_make_serve_opens_the_example() -> None:
    """The pages below say `make serve`; there it is the command that it ends in, at any free port."""
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "serve"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.rstrip().endswith(f"cat build/chongqing/people.txt\n.venv/bin/{SERVE}")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_who_can_sign_in_is_told(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    people = {person.login for person in sample_of("three_portraits").people(1)}
    told = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert told
    assert told <= people
    example = tomllib.loads((ROOT / EXAMPLE / "example.toml").read_text("utf-8"))
    assert f"`{example['programme'][0]['office']['password']}`" in text


def test_every_command_of_the_pages_does_what_it_says(
    tmp_path: Path, scripts: Path, reader: Callable[..., Any]
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(scripts)
    (tmp_path / "build").mkdir()
    # Built once, for all pages: each that says `make run` is shown what that printed.
    instead = {"make run": "cat build/printed.txt", "make serve": "cat build/served.txt"}
    someone = reader(tmp_path, instead)
    printed = someone.type(BUILD)
    assert someone.status == 0, printed
    (tmp_path / "build/printed.txt").write_text(printed, "utf-8")
    (tmp_path / "build/served.txt").write_text(served(tmp_path), "utf-8")
    for page in PAGES:
        someone.follow(page)


def served(folder: Path) -> str:
    """What `make serve` prints: who can sign in, and what `serve` says once it listens, as if at its usual port."""
    command = [str(Path(sys.executable).with_name("mingjian")), *SERVE.split()[1:], "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        line = serving.stdout.readline()
        serving.terminate()
    people = (folder / "build/chongqing/people.txt").read_text("utf-8")
    return people + re.sub(r":[0-9]+$", ":8000", line)
