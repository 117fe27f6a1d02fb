"""A database that was cut or lost pages is named by whoever opens it, and its backup comes back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

VERBS = {
    "head": ("ledger", "head"),
    "audit": ("ledger", "audit"),
    "measure": ("measure", "2021Q3"),
    "tasks": ("tasks", "--as", "rep"),
    "act": ("act", "duty", "A000", "review", "--as", "ass"),
    "issue": ("issue", "portrait", "2021Q3"),
}
Run = Callable[..., tuple[int, str]]


def database(office: Path) -> Path:
    """The ledger's, with all that stands in its log."""
    file = office / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def cut(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(size)


@pytest.mark.parametrize("left", ["nothing", "part of the header", "one page", "half", "all but a page"])
def test_a_truncated_database_is_named(office: Path, run: Run, left: str) -> None:
    file = database(office)
    whole = file.stat().st_size
    sizes = {
        "nothing": 0,
        "part of the header": 50,
        "one page": 4096,
        "half": whole // 2,
        "all but a page": whole - 4096,
    }
    cut(file, sizes[left])
    for verb in (VERBS["head"], VERBS["act"]):
        code, said = run(*verb, "-w", office)
        assert (code in (1, 2), "ledger.db" in said) == (True, True), said


@pytest.mark.parametrize("verb", [name for name in VERBS if name != "head"])
def test_what_cannot_be_read_further_is_named_by_every_verb(office: Path, run: Run, verb: str) -> None:
    file = database(office)
    cut(file, file.stat().st_size - 1)  # it opens, and breaks where its last page is needed
    (office / "projection.duckdb").unlink()
    code, said = run(*VERBS[verb], "-w", office)
    assert code == 1
    assert "ledger.db: the database cannot be read further" in said
    assert "mingjian restore" in said


def test_its_backup_comes_back(office: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "backup.tar", "-w", office)[0] == 0
    head = run("ledger", "head", "-w", office)
    cut(database(office), 4096)
    assert run("restore", tmp_path / "backup.tar", tmp_path / "again")[0] == 0
    assert run("ledger", "head", "-w", tmp_path / "again") == head
    assert run("ledger", "audit", "-w", tmp_path / "again")[0] == 0
