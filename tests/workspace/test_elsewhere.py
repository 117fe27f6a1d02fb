"""A workspace with its ledger on PostgreSQL and its blobs on S3: all that can be done, from the first row to a restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.values import Period
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Backup,
    Order,
    Settings,
    Workspace,
    back_up,
    fsck,
    issue_into,
    read_trust,
    restore,
    verify_files,
)  # fmt: skip

Q3 = Period.parse("2021Q3")
MANY = 1_000  # rows that lie in a blob
DISTRICT = {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2021-01-01"}
UNIT = {"id": "U1", "type": "unit", "parent": "D", "zh": "单位", "en": "Unit", "from": "2021-01-01"}

Write = Callable[..., Path]


@pytest.fixture
def elsewhere(postgresql: str, s3: str, tmp_path: Path, small: Path, write: Write, task: Any) -> Workspace:
    """A workspace with rows inline and in a blob, that has measured and issued."""
    settings = Settings(postgresql, s3)
    workspace = Workspace.create(tmp_path / "w", origin="example.org/elsewhere", settings=settings)
    scheme = workspace.adopt(str(small), "tester")
    workspace.add_file(scheme, "subject", write("elsewhere-subject", [DISTRICT, UNIT]), "tester")
    rows = [task(str(n), "U1", "7.5") for n in range(MANY)]
    workspace.add_file(scheme, "task", write("elsewhere-task", rows), "tester")
    issue_into(workspace, scheme, Order(Q3, {"portrait": None}), workspace.folder / "issued", by="tester")
    return workspace


def fulfilment(workspace: Workspace) -> str:
    found = workspace.measure(workspace.scheme(), Q3).get("fulfilment", "U1")
    assert found is not None
    return found.printed


def check(workspace: Workspace, backup: Backup) -> None:
    """A restored workspace is whole, and says the same."""
    head = backup.head
    assert (workspace.ledger.size, workspace.ledger.state().root()) == (head.size, head.root)
    assert fulfilment(workspace) == "75.00"
    issued = workspace.folder / "issued"
    report = verify_files(
        sorted(issued.glob("portrait-*.json")),
        trust=read_trust(issued / TRUST_FILE),
        now=datetime.now(UTC),
        status=[issued / STATUS_FILE],
    )
    assert [package.good for package in report.packages] == [True]


@contextmanager
def somebody_writing(workspace: Workspace, write: Write, task: Any) -> Iterator[None]:
    """While somebody adds rows to the workspace, some of them in blobs."""
    done, begun, other = Event(), Event(), Workspace.open(workspace.folder)

    def work() -> None:
        number = 0
        while not done.is_set():
            number += 1
            rows = [task(f"{number}-{n}", "U1", "7.5") for n in range(MANY)]
            other.add_file(other.scheme(), "task", write(f"elsewhere-{number}", rows), "somebody")
            begun.set()

    writer = Thread(target=work)
    writer.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        done.set()
        writer.join()


def test_it_is_backed_up_while_people_write_and_comes_back_here_and_there(
    elsewhere: Workspace, postgresql_server: str, s3: str, tmp_path: Path, write: Write, task: Any
) -> None:
    file = tmp_path / "b.tar"
    assert elsewhere.ledger.blobs()
    assert not {"ledger.db", "blobs"} & {path.name for path in elsewhere.folder.iterdir()}
    with somebody_writing(elsewhere, write, task):
        backup = back_up(elsewhere, file)
    assert elsewhere.ledger.audit(elsewhere.ledger.checkpoint(backup.head.size)) == []

    assert restore(file, tmp_path / "here") == backup
    here = Workspace.open(tmp_path / "here")
    check(here, backup)
    assert here.settings == Settings()

    settings = Settings(another_schema(postgresql_server), f"{s3}-restored")
    assert restore(file, tmp_path / "there", settings=settings) == backup
    there = Workspace.open(tmp_path / "there")
    check(there, backup)
    assert (there.settings, there.ledger.audit(), there.ledger.blobs()) == (settings, [], here.ledger.blobs())
    assert not {"ledger.db", "blobs"} & {path.name for path in there.folder.iterdir()}
    assert rebuilt(here) == rebuilt(there), "made on another engine, and the same"
    with pytest.raises(Misuse, match="never overwritten"):
        restore(file, tmp_path / "twice", settings=settings)
    with pytest.raises(Misuse, match="a place of its own"):
        restore(file, tmp_path / "twice", settings=Settings(blobs=settings.blobs))
    assert not (tmp_path / "twice").exists()


def another_schema(server: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS restored CASCADE")
        connection.execute("CREATE SCHEMA restored")
    return f"{server}?options=-csearch_path%3Drestored"


def rebuilt(workspace: Workspace) -> dict[str, str]:
    found = fsck(workspace.folder)
    assert (found.findings, found.unnamed) == ((), ())
    return {made.file: made.digest for made in found.rebuilt}


def test_damage_is_named_and_a_server_that_is_gone_is_not_damage(
    elsewhere: Workspace, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    (elsewhere.folder / "projection.duckdb").write_bytes(b"no sense" * 1000)
    assert [finding.rule for finding in fsck(elsewhere.folder).findings] == ["projection-differs"]
    (name,) = elsewhere.ledger.blobs()
    S3FileSystem().rm_file(f"{s3.removeprefix('s3://')}/{name}")
    found = fsck(elsewhere.folder)
    assert [(finding.rule, finding.message) for finding in found.findings] == [
        ("rows-differ", f"blob {name} is missing")
    ]
    with pytest.raises(Tampered, match=f"blob {name} is missing"):
        back_up(elsewhere, tmp_path / "b.tar")

    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for act in (lambda: fsck(elsewhere.folder), lambda: back_up(Workspace.open(elsewhere.folder), tmp_path / "b.tar")):
        with pytest.raises(MingjianError, match="see to the network") as caught:
            act()
        assert type(caught.value) is MingjianError
    S3FileSystem.clear_instance_cache()
    assert not (tmp_path / "b.tar").exists()
