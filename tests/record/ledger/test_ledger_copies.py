"""A ledger goes from one kind of store to another and is the same; blobs on S3 are read, audited and counted as others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pytest

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger

KEY = SigningKey.generate()
LONG = "说明" * 2000


def batch(*texts: str, owners: list[str] | None = None) -> Batch:
    return Batch("task", "three", "office", pa.table({"text": pa.array(texts, pa.string())}), owners=owners)


@pytest.fixture
def ledger(place: dict[str, Any]) -> Ledger:
    """Rows inline, in a blob, under keys of persons, and rows that were erased."""
    ledger = Ledger.create(**place, origin="example.org/copies", key=KEY)
    ledger.append(batch("a", "b"))
    ledger.append(batch(*(f"{LONG}{n}" for n in range(20))))
    ledger.append(batch("c", "of A", "of B", owners=["", "person/A", "person/B"]))
    ledger.erase(["person/A"], by="office")
    return ledger


def same(one: Ledger, other: Ledger) -> None:
    assert (one.origin, one.vkey, one.size, one.state().root()) == (
        other.origin,
        other.vkey,
        other.size,
        other.state().root(),
    )
    assert [one.table(index, verify=True) for index in range(one.size)] == [
        other.table(index, verify=True) for index in range(one.size)
    ]
    assert (one.owners(), one.erased(), one.blobs()) == (other.owners(), other.erased(), other.blobs())
    assert other.audit(one.checkpoint()) == []


def test_a_snapshot_is_the_ledger_in_one_file(ledger: Ledger, place: dict[str, Any], tmp_path: Path) -> None:
    ledger.snapshot(tmp_path / "copy")
    files = {path.name for path in (tmp_path / "copy").iterdir() if path.stat().st_size}
    assert files - {"ledger.db-shm"} == {"ledger.db"}, "no log is needed to read it"
    same(ledger, Ledger.open(tmp_path / "copy", blobs=place["blobs"]))
    with pytest.raises(Misuse, match="never overwritten"):
        ledger.snapshot(tmp_path / "copy")


def test_a_snapshot_is_of_one_moment(ledger: Ledger, place: dict[str, Any], tmp_path: Path) -> None:
    """While others append, and erase."""
    done = Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            ledger.append(batch("x", f"of {number}", owners=["", f"person/{number}"]))
            if number % 3 == 0:
                ledger.erase([f"person/{number}"], by="office")

    writer = Thread(target=write)
    writer.start()
    try:
        for name in ("1", "2", "3"):
            ledger.snapshot(tmp_path / name)
    finally:
        done.set()
        writer.join()
    for name in ("1", "2", "3"):
        copy = Ledger.open(tmp_path / name, blobs=place["blobs"])
        assert copy.state().root() == ledger.state(copy.size).root()
        assert copy.audit() == []


def test_a_ledger_is_carried_from_a_directory_to_servers(postgresql: str, s3: str, tmp_path: Path) -> None:
    here = Ledger.create(tmp_path / "log", origin="example.org/copies", key=KEY)
    here.append(batch(*(f"{LONG}{n}" for n in range(20))))
    here.append(batch("c", "of A", owners=["", "person/A"]))
    heard: list[tuple[int, int]] = []
    here.carry(postgresql, s3, progress=lambda *told: heard.append(told))
    assert heard == [(1, 1)]
    there = Ledger.open(postgresql, blobs=s3, key=KEY)
    same(here, there)
    there.append(batch(*(f"{LONG}{n}" for n in range(20, 40))))
    assert (len(there.blobs()), there.audit()) == (2, [])
    with pytest.raises(Misuse, match="never overwritten"):
        here.carry(postgresql, f"{s3}/elsewhere")
    with pytest.raises(Misuse, match="a place of its own"):
        here.carry("", s3)
    there.snapshot(tmp_path / "back")
    same(there, Ledger.open(tmp_path / "back", blobs=s3))


# -- blobs on S3 --------------------------------------------------------------------------------------------------------
@pytest.fixture
def on_s3(s3: str, tmp_path: Path) -> Ledger:
    """Two blobs, of entries 1 and 2."""
    ledger = Ledger.create(tmp_path / "log", blobs=s3, origin="example.org/s3", key=KEY)
    ledger.append(batch("inline"))
    for start in (0, 20):
        ledger.append(batch(*(f"{LONG}{n}" for n in range(start, start + 20))))
    return ledger


def object_of(ledger: Ledger, index: int) -> tuple[Any, str, str]:
    """What reaches the object of an entry, past the house: the file system, its path and its name."""
    from s3fs import S3FileSystem

    name = dict(zip((1, 2), blobs_in_order(ledger), strict=True))[index]
    return S3FileSystem(use_listings_cache=False), f"{ledger._store.blobs.where.removeprefix('s3://')}/{name}", name


def blobs_in_order(ledger: Ledger) -> list[str]:
    with ledger._store.database.reading() as connection:
        return [
            row[0]
            for row in connection.exec_driver_sql('SELECT blob FROM payload WHERE blob IS NOT NULL ORDER BY "index"')
        ]


def test_rows_on_s3_are_read_and_audited(on_s3: Ledger, s3: str, tmp_path: Path) -> None:
    again = Ledger.open(tmp_path / "log", blobs=s3)
    assert again.table(2, verify=True)["text"][0].as_py() == f"{LONG}20"
    assert (again.audit(), again.unnamed_blobs()) == ([], [])
    assert not (tmp_path / "log" / "blobs").exists()


HARMS: dict[str, tuple[Callable[[Any, str], None], str]] = {
    "missing": (lambda files, path: files.rm_file(path), "is missing"),
    "cut": (lambda files, path: files.pipe_file(path, files.cat_file(path)[:-100]), "has other bytes"),
    "altered": (lambda files, path: files.pipe_file(path, bytes(reversed(files.cat_file(path)))), "has other bytes"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_blob_that_is_harmed_is_named_with_its_entry(on_s3: Ledger, harm: str) -> None:
    harmed, why = HARMS[harm]
    files, path, name = object_of(on_s3, 2)
    harmed(files, path)
    with pytest.raises(Tampered, match=f"entry 2: blob {name} {why}"):
        on_s3.table(2)
    (finding,) = on_s3.audit()
    assert (finding.rule, finding.place.file) == ("rows-differ", "entry 2")
    assert finding.message.startswith(f"blob {name} {why}")


def test_a_network_that_fails_is_no_finding(
    on_s3: Ledger, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ledger = Ledger.open(tmp_path / "log", blobs=s3, key=KEY)
    for act in (
        ledger.audit,
        ledger.unnamed_blobs,
        lambda: ledger.table(1),
        lambda: ledger.append(batch(*(f"{LONG}{n}" for n in range(40, 60)))),
    ):
        with pytest.raises(MingjianError, match="see to the network") as caught:
            act()
        assert type(caught.value) is MingjianError
    S3FileSystem.clear_instance_cache()
    assert ledger.size == 3, "nothing of the batch was taken"
    assert ledger.append(batch("inline")).index == 3


def test_a_writer_who_dies_before_the_entry_leaves_a_blob_that_harms_nobody(
    on_s3: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    rows = batch(*(f"{LONG}{n}" for n in range(40, 60)))
    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.engine.Connection.commit", die)  # the last step before the commit
        with pytest.raises(KeyboardInterrupt):
            on_s3.append(rows)
    (name,) = on_s3.unnamed_blobs()
    assert (on_s3.size, on_s3.audit()) == (3, [])
    assert on_s3.append(rows).index == 3
    assert (on_s3.unnamed_blobs(), on_s3.audit(), len(on_s3.blobs())) == ([name], [], 3)
