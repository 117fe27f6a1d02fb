"""A workspace is held against itself: damage is named and never raised, and what is made from the ledger is made again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingjian.base.errors import Misuse
from mingjian.record.access import ReadLog
from mingjian.record.access._read_index import ReadIndex
from mingjian.record.ledger import Batch
from mingjian.workspace import Checked, Workspace, fsck

MANY = 3_000  # rows that lie in a blob,
MANY_ENTRY = 2  # of this entry
PROJECTION, INDEX = "projection.duckdb", "reads/index.db"


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory, small: Path, write: Callable[..., Path], task: Any) -> Path:
    """A workspace with rows that supersede others, a blob, a projection, a read log and its index; copied by each test."""
    folder = tmp_path_factory.mktemp("laid") / "workspace"
    workspace = Workspace.create(folder, origin="example.org/fsck")
    scheme = workspace.adopt(str(small), "tester")
    district = {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2021-01-01"}
    unit = {"id": "U1", "type": "unit", "parent": "D", "zh": "单位", "en": "Unit", "from": "2021-01-01"}
    workspace.add_file(scheme, "subject", write("fsck-subject", [district, unit]), "tester")
    workspace.add_file(scheme, "task", write("fsck-many", [task(str(n), "U1", "5") for n in range(MANY)]), "tester")
    with workspace.view(scheme):
        pass
    workspace.add_file(scheme, "task", write("fsck-again", [task(str(n), "U1", "6") for n in range(3)]), "tester")
    reads = ReadLog(folder / "reads", workspace.clock)
    reads.note_each("somebody", "office", "portrait", ["U1", "U2"], "2021Q3")
    reads.anchor(workspace.ledger, date(2021, 10, 1))
    reads.rows()
    return folder


@pytest.fixture
def folder(laid: Path, tmp_path: Path) -> Path:
    shutil.copytree(laid, tmp_path / "workspace")
    return tmp_path / "workspace"


def rules(found: Checked) -> list[tuple[str, str]]:
    return [(finding.rule, finding.place.file) for finding in found.findings]


def digests(found: Checked) -> dict[str, str]:
    return {made.file: made.digest for made in found.rebuilt}


@pytest.fixture(scope="module")
def good(laid: Path) -> Checked:
    return fsck(laid)


def test_a_whole_workspace_has_nothing_to_be_said_of(folder: Path, good: Checked) -> None:
    heard: list[tuple[str, int, int]] = []
    found = fsck(folder, progress=lambda *told: heard.append(told))
    assert found == good
    assert (found.findings, found.unnamed, {made.fault for made in found.rebuilt}) == ((), (), {""})
    assert digests(found) == digests_there(folder, found.size)
    assert found.size == Workspace.open(folder).ledger.size
    assert heard[-1] == ("scheme", 1, 1)
    assert ("size", found.size, found.size) in heard
    assert not list(folder.glob("projection.anew.duckdb"))


def test_what_is_missing_is_made_and_says_the_same(folder: Path, good: Checked) -> None:
    for file in (PROJECTION, INDEX):
        (folder / file).unlink()
    assert fsck(folder) == good
    assert digests(good) == digests_there(folder, good.size)


def test_what_is_behind_is_no_finding(folder: Path, write: Callable[..., Path], task: Any) -> None:
    workspace = Workspace.open(folder)
    workspace.add_file(workspace.scheme(), "task", write("fsck-later", [task("later", "U1", "7")]), "tester")
    log = ReadLog(folder / "reads", workspace.clock).ledger
    log.append(Batch("read", "", log.origin, log.table(0).slice(0, 1)))
    assert fsck(folder).findings == ()
    assert len(ReadLog(folder / "reads", workspace.clock).rows()) == 3


# -- what is made from the ledger ---------------------------------------------------------------------------------------
def alter(file: Path, statement: str) -> None:
    if file.suffix == ".duckdb":
        with duckdb.connect(file) as connection:
            connection.execute(statement)
        return
    with closing(sqlite3.connect(file)) as database:
        database.execute(statement)
        database.commit()


ALTERED = {
    "a value": (PROJECTION, "UPDATE \"small/task\" SET awarded = 10 WHERE task = '7'"),
    "a row too many": (PROJECTION, 'INSERT INTO "small/task" SELECT * FROM "small/task" WHERE task = \'7\''),
    "which row counts": (PROJECTION, 'UPDATE "small/task" SET _superseded = NULL'),
    "how far it is": (PROJECTION, "UPDATE kinds SET size = 0"),
    "a table gone": (PROJECTION, 'DROP TABLE "small/task"'),
    "another reader": (INDEX, "UPDATE read SET account = 'nobody'"),
    "reads to come": (INDEX, "UPDATE read SET entry = 99"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_differs_is_named_and_replaced(folder: Path, good: Checked, what: str) -> None:
    file, statement = ALTERED[what]
    alter(folder / file, statement)
    found = fsck(folder)
    assert rules(found) == [("projection-differs", file)]
    assert digests(found) == digests(good) == digests_there(folder, found.size)


@pytest.mark.parametrize("file", [PROJECTION, INDEX])
@pytest.mark.parametrize("content", [b"no database " * 1000, None], ids=["text", "half"])
def test_what_cannot_be_read_is_named_and_replaced(
    folder: Path, good: Checked, file: str, content: bytes | None
) -> None:
    path = folder / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content is None else content)
    found = fsck(folder)
    assert rules(found) == [("projection-differs", file)]
    assert digests(found) == digests(good) == digests_there(folder, found.size)


def digests_there(folder: Path, size: int) -> dict[str, str]:
    """The digests of the files as they are."""
    workspace = Workspace.open(folder)
    size_of_reads = ReadLog(folder / "reads", workspace.clock).ledger.size
    index = ReadIndex(folder / INDEX).digest(size_of_reads)
    return {PROJECTION: workspace.projection.digest(size), INDEX: index}


# -- what it is made from -----------------------------------------------------------------------------------------------
def test_a_ledger_that_is_not_whole_is_named_and_nothing_is_made_from_it(folder: Path) -> None:
    (blob,) = (folder / "blobs").iterdir()
    before = (folder / PROJECTION).read_bytes()
    (folder / "blobs" / "0").write_bytes(b"of somebody else")
    for data, why in ((b"", "0 bytes are there"), (blob.read_bytes()[:-1], "bytes are there"), (None, "is missing")):
        blob.unlink()
        if data is not None:
            blob.write_bytes(data)
        found = fsck(folder)
        ((rule, place),) = rules(found)
        assert (rule, place, found.rebuilt) == ("rows-differ", f"entry {MANY_ENTRY}", ())
        assert blob.name in found.findings[0].message
        assert why in found.findings[0].message
    assert (folder / PROJECTION).read_bytes() == before


def test_blobs_that_no_entry_names_are_counted_and_left(folder: Path) -> None:
    ledger = Workspace.open(folder).ledger
    name = ledger._store.blobs.put(b"its writer died before the entry")
    found = fsck(folder)
    assert (found.findings, found.unnamed) == ((), (name,))
    assert (folder / "blobs" / name).is_file()


@pytest.mark.parametrize("left", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("file", ["ledger.db", "reads/ledger.db"])
def test_a_truncated_database_is_named(folder: Path, file: str, left: float) -> None:
    path = folder / file
    alter(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])
    for log in ("-wal", "-shm"):
        path.with_name(path.name + log).unlink(missing_ok=True)
    found = fsck(folder)
    assert "store-damaged" in {rule for rule, _ in rules(found)}
    assert found.rebuilt == ()


def test_a_lost_ledger_is_named(folder: Path) -> None:
    for path in folder.glob("ledger.db*"):
        path.unlink()
    assert rules(fsck(folder)) == [("store-damaged", str(folder / "ledger.db"))]


def test_a_read_log_that_was_rewritten_is_named(folder: Path) -> None:
    alter(folder / "reads" / "ledger.db", "UPDATE entry SET header = CAST(header || ' ' AS BLOB)")
    assert {rule for rule, _ in rules(fsck(folder))} >= {"entry-differs"}


def test_what_is_no_workspace_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is no workspace"):
        fsck(tmp_path)
