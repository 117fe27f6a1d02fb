"""The bench runs from end to end over a small example; what it measures is nobody's promise here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parents[2] / "bench" / "run.py"
EXAMPLE = """
origin = "example.org/bench"

[[programme]]
scheme = "green_power"
seed = 1

[[programme.issue]]
period = "2021"
statements = ["green_certificate"]
level = "auditor"
papers = ["TENCENT-CQ"]
"""


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "example.toml").write_text(EXAMPLE, "utf-8")
    return subprocess.run(
        [sys.executable, RUN, "--example", folder, *options], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_step_is_measured_beside_its_floor(tmp_path: Path) -> None:
    done = _run(tmp_path, "--only", "contract")
    assert done.returncode == 0, done.stderr
    before, head, *lines, after = done.stdout.splitlines()
    for pace in (before, after):
        assert re.search(r"the machine: [0-9,]+ syncs and [0-9.]+ million turns a second$", pace), pace
    assert [line.split("  ")[0] for line in lines] == ["green_power add contract", "green_power catch up with contract"]
    for line in lines:
        assert re.search(r" 240( +[0-9,.]+){6} ", line), line
    assert head.split()[:3] == ["step", "count", "wall"]


def test_a_step_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = _run(tmp_path, "--only", "nothing")
    assert done.returncode == 2
    assert "green_power: add contract" in done.stderr


def test_each_row_is_laid_so_many_times_as_is_asked(tmp_path: Path) -> None:
    """What is measured of copies is as much again for each: as of a thousand times the example, in a small one."""
    counted = []
    for copies in ("1", "3"):
        done = _run(tmp_path, "--only", "measure", "--copies", copies)
        assert done.returncode == 0, done.stderr
        counted.append(re.findall(r"(?:subjects|measure 2021[a-z, ]*) +([0-9,]+)", done.stdout))
    once, thrice = ([int(count.replace(",", "")) for count in counts] for counts in counted)
    assert thrice == [3 * count for count in once]
    assert len(once) == 3
