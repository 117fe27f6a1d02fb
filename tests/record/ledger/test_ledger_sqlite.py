"""What is SQLite's alone: what an append tells of a file that it cannot write, and that it takes nothing then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from mingjian.base.errors import MingjianError, Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Damaged, Ledger

PAGE = 4096  # bytes


def batch(text: str) -> Batch:
    return Batch("task", "three", "office", pa.table({"text": [text]}))


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr("mingjian.record.ledger._sqlite.PATIENCE", 20)
    ledger = Ledger.create(tmp_path, origin="example.org/sqlite", key=SigningKey.from_seed(b"k" * 32))
    ledger.append(batch("a"))
    return ledger


def pragma(ledger: Ledger, text: str) -> int:
    with ledger._store.database.alone() as connection:
        return int(connection.exec_driver_sql(f"PRAGMA {text}").scalar_one())


def test_a_disk_that_is_full_is_told_of_and_nothing_is_taken(ledger: Ledger) -> None:
    there = pragma(ledger, "page_count")
    most = pragma(ledger, "max_page_count")
    pragma(ledger, f"max_page_count = {there}")
    with pytest.raises(MingjianError, match="cannot be written") as told:
        ledger.append(batch("b" * 8 * PAGE))
    assert "make room" in told.value.remedy
    pragma(ledger, f"max_page_count = {most}")
    assert ledger.append(batch("c")).index == 1
    assert [row[0]["text"] for _, row in ledger.rows(ledger.entries())] == ["a", "c"]
    assert ledger.audit() == []


def test_a_file_that_another_program_writes_is_busy(ledger: Ledger, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MingjianError, match="the database is busy"):
            ledger.append(batch("b"))
    assert ledger.append(batch("c")).index == 1


def test_damage_that_an_append_meets_is_told_of(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [[root]] = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'batch_key'")
    data = file.read_bytes()
    file.write_bytes(data[: (root - 1) * PAGE] + b"\xff" * PAGE + data[root * PAGE :])
    with pytest.raises(Tampered) as told:
        Ledger.open(tmp_path).append(batch("b"))
    assert isinstance(told.value, Damaged)
    assert told.value.where == str(file)


def test_what_has_no_better_name_is_an_error_of_the_database(ledger: Ledger, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("DROP TABLE batch_key")
    with pytest.raises(sa.exc.DatabaseError, match="no such table"):
        ledger.append(batch("b"))
    assert ledger.size == 1
