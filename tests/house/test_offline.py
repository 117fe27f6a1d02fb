"""`make wheelhouse` makes a folder from which a machine that reaches no network installs Mingjian, and runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEELHOUSE = ROOT / "build" / "wheelhouse"
APART = ("unshare", "--map-root-user", "--net")


# One test, not several over a fixture: each worker would make the folder and the environment for itself.
def test_a_machine_without_network_installs_and_runs(tmp_path: Path) -> None:
    if shutil.which(APART[0]) is None or subprocess.run([*APART, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    # The environment that runs this test is not made anew under its feet, even if pyproject.toml is newer.
    made = subprocess.run(["make", "--old-file=.venv/.ready", "wheelhouse"], cwd=ROOT, capture_output=True, text=True)
    if not (WHEELHOUSE / "README.txt").exists():
        pytest.skip(f"what Mingjian needs cannot be fetched here: {made.stderr.strip()[-300:]}")
    assert made.returncode == 0, made.stderr

    (wheel,) = WHEELHOUSE.glob("mingjian-*.whl")
    assert sources() <= set(zipfile.ZipFile(wheel).namelist())
    inside = [sys.executable, str(Path(__file__).with_name("without_network.py")), str(WHEELHOUSE), str(tmp_path)]
    done = subprocess.run([*APART, *inside], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def sources() -> set[str]:
    """The files of the package and of the examples, by their names in the wheel."""
    source, examples = ROOT / "src", ROOT / "examples"
    found = {path.relative_to(source) for path in (source / "mingjian").rglob("*") if path.is_file()}
    found |= {Path("mingjian", path.relative_to(ROOT)) for path in examples.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}
