"""A disk without room: told as that, nothing half taken, and work goes on once there is room."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError
from mingjian.base.files import DRAFT, write_whole
from mingjian.workspace import Workspace

SIZE = 12 * 1024  # KiB


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, as large as an office and a little more."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}k", "none", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_refuses_a_file_of_rows_and_takes_it_once_there_is_room(
    built: Path, small: Path, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    office = shutil.copytree(built, small / "office")
    head = Workspace.open(office).ledger.state()
    task = {"unit": "U2", "quarter": "2021Q3", "deadline": "2999-12-31"}
    rows = tmp_path / "tasks.jsonl"
    rows.write_text("".join(json.dumps({"task": f"B{n}", **task}) + "\n" for n in range(20)))
    with (small / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))

    code, said = run("add", "task", rows, "-w", office)
    assert code == 1, said
    assert "full" in said or os.strerror(errno.ENOSPC) in said
    assert "room" in said

    (small / "filler").unlink()
    state = Workspace.open(office).ledger.state()
    assert (state.size, state.root()) == (head.size, head.root())
    assert run("ledger", "audit", "-w", office)[0] == 0
    assert run("add", "task", rows, "-w", office)[0] == 0
    assert Workspace.open(office).ledger.size == head.size + 1


def test_a_paper_stays_what_it_was_where_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = tmp_path / "portrait.json"
    write_whole(paper, b"the first")

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(MingjianError, match=r"portrait\.json was not written.*make room"):
            write_whole(paper, b"the second")
    assert paper.read_bytes() == b"the first"
    write_whole(paper, b"the third")
    assert paper.read_bytes() == b"the third"
    assert not (tmp_path / DRAFT).exists()
