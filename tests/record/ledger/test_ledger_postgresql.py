"""What is PostgreSQL's alone: the URL and its password, schemas, connections that break, servers that would not wait."""

from __future__ import annotations

import traceback
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger
from mingjian.record.ledger._database import database_at

psycopg = pytest.importorskip("psycopg", reason="PostgreSQL is tried where psycopg is installed: pip install '.[dev]'")

KEY = SigningKey.from_seed(b"k" * 32)
SECRET = "s3cr3t-word"


def batch(text: str) -> Batch:
    return Batch("task", "three", "office", pa.table({"text": [text]}))


def create(url: str, blobs: Path, origin: str = "example.org/postgresql") -> Ledger:
    return Ledger.create(url, origin=origin, key=KEY, blobs=blobs)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://somebody:{SECRET}@127.0.0.1:1/db",
        f"postgresql+psycopg://somebody:{SECRET}@127.0.0.1:1/db?options=-csearch_path%3Dx",
        f"postgresql://127.0.0.1:1/db?user=somebody&password={SECRET}",
        f"postgresql://somebody:{SECRET}/@127.0.0.1/db",
        f"postgresql://somebody:{SECRET}?@127.0.0.1/db",
        f"postgresql://somebody:{SECRET}",
        f"postgresql://somebody:{SECRET}@127.0.0.1/db?no_such={SECRET}",
        f"mysql://somebody:{SECRET}@127.0.0.1/db",
    ],
    ids=["nobody there", "driver named", "in the query", "garbled", "cut", "no host", "unknown option", "another kind"],
)
def test_no_message_tells_the_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(MingjianError) as caught:
        Ledger.open(url, blobs=tmp_path)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value.to_json())


def test_a_wrong_password_is_said_without_it(postgresql: str, tmp_path: Path) -> None:
    ledger = create(postgresql, tmp_path / "blobs")
    right = postgresql.split("@")[0].rpartition(":")[2]
    with pytest.raises(MingjianError, match="the database cannot be reached") as caught:
        Ledger.open(postgresql.replace(right, SECRET), blobs=tmp_path / "blobs")
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert right not in repr(vars(ledger._store.database)) + ledger._store.name


def test_large_payloads_need_a_place_of_their_own(postgresql: str) -> None:
    with pytest.raises(Misuse, match="where do the large payloads go"):
        Ledger.create(postgresql, origin="example.org/postgresql", key=KEY)


def test_a_schema_that_is_not_there_is_said(postgresql: str, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no such schema"):
        create(postgresql + "_not", tmp_path / "blobs")
    with pytest.raises(Misuse, match="no ledger here"):
        Ledger.open(postgresql, blobs=tmp_path / "blobs")


def test_ledgers_of_two_schemas_do_not_wait_for_each_other(postgresql: str, tmp_path: Path) -> None:
    one = create(postgresql, tmp_path / "one", "example.org/one")
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {postgresql.rpartition('%3D')[2]}_beside")
    two = create(f"{postgresql}_beside", tmp_path / "two", "example.org/two")
    with one._store.turn():
        assert two.append(batch("a")).index == 0
    assert (one.size, two.size) == (0, 1)


def test_a_connection_that_broke_is_replaced(postgresql: str, tmp_path: Path) -> None:
    ledger = create(postgresql, tmp_path / "blobs")
    database, asked = ledger._store.database, sa.text("SELECT pg_backend_pid()")
    with database.reading() as reading, database.alone() as writing:
        ours = [reading.scalar(asked), writing.scalar(asked)]
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [ours])
    assert ledger.append(batch("b")).index == 0
    assert ledger.audit() == []


def test_a_commit_waits_for_the_disk_whatever_the_server_is_set_to(postgresql: str) -> None:
    database = database_at(
        f"{postgresql}%20-csynchronous_commit%3Doff%20-cdefault_transaction_isolation%3Dserializable"
    )
    with database.reading() as connection:
        assert connection.scalar(sa.text("SHOW synchronous_commit")) == "on"
