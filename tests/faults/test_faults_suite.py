"""`make faults` with few blows: MINGJIAN_FAULTS is how many processes are killed (212 for all that the command does)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[2] / "bench" / "faults.py"
KILLS = int(os.environ.get("MINGJIAN_FAULTS", "5"))


@pytest.mark.skipif(
    shutil.which("cc") is None, reason="no C compiler: the disk that fails cannot be made (Debian: gcc)"
)
def test_nothing_acknowledged_is_lost_and_nothing_is_there_by_half() -> None:
    share = ["--full", str(max(4, KILLS // 5)), "--torn", str(max(3, KILLS // 4))]
    done = subprocess.run(
        [sys.executable, str(FAULTS), "--kills", str(KILLS), *share], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ kills: add \d+, .*; 0 lost, 0 halves, 0 otherwise wrong$", done.stdout, re.M), done.stdout
    full = re.search(r"^(\d+) full disks: .*, (\d+) went on once there was room$", done.stdout, re.M)
    assert full is not None
    assert full[1] == full[2]
    assert re.search(r"^\d+ torn files: .* 0 silent, 0 broke$", done.stdout, re.M), done.stdout
