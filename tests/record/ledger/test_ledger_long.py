"""A long batch is worked through in runs; its root, its proofs and its audit are those of the whole."""

from __future__ import annotations

import shutil
import sqlite3
from base64 import b64encode
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mingjian.base.errors import Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger
from mingjian.record.ledger._payload import BLOCK, block_roots

ROWS = 150_000  # two whole runs and a part
RUN = 65_536


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("long") / "log"
    made = Ledger.create(folder, origin="example.org/long", key=SigningKey.from_seed(b"k" * 32), now=_noon)
    numbers = pa.chunked_array([pa.array(range(start, min(start + 7_001, ROWS))) for start in range(0, ROWS, 7_001)])
    made.append(Batch("long", "three", "office", pa.table({"n": numbers})))
    return made


def _noon() -> datetime:
    return datetime(2021, 9, 7, 12, tzinfo=UTC)


def test_every_run_is_part_of_one_tree(ledger: Ledger) -> None:
    places = [0, RUN - 1, RUN, 2 * RUN - 1, 2 * RUN, ROWS - 1]
    proofs = ledger.prove_rows(0, places)
    assert [proof.values["n"] for proof in proofs] == [str(place) for place in places]
    assert all(proof.holds(ledger.entry(0)) for proof in proofs)


def test_what_is_there_is_what_was_appended(ledger: Ledger) -> None:
    assert ledger.audit() == []
    assert ledger.table(0, verify=True)["n"].to_pylist() == list(range(ROWS))


def test_rows_that_change_places_between_runs_are_found(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from mingjian.record.ledger import _payload

    table = ledger.table(0)
    swapped = pa.concat_tables([table.slice(RUN, RUN), table.slice(0, RUN), table.slice(2 * RUN)])
    monkeypatch.setattr(_payload, "read_table", lambda *_: swapped)
    assert [finding.rule for finding in ledger.audit()] == ["rows-differ"]
    with pytest.raises(Tampered, match="not the rows that were appended"):
        ledger.table(0, verify=True)


@pytest.fixture
def copy(ledger: Ledger, tmp_path: Path) -> Ledger:
    return Ledger.open(shutil.copytree(Path(ledger._store.name).parent, tmp_path / "log"))


def _with_rows(ledger: Ledger, table: pa.Table, roots: list[bytes]) -> Ledger:
    """The ledger opened again, with other rows in the place of its own."""
    from mingjian.record.ledger import _payload

    return _with_bytes(ledger, _payload._Parquet(table).ended(roots))


def _with_bytes(ledger: Ledger, rows: bytes) -> Ledger:
    name = ledger._store.blobs.put(rows)
    with sqlite3.connect(ledger._store.name) as connection:
        connection.execute("UPDATE payload SET blob = ?", [name])
    return Ledger.open(Path(ledger._store.name).parent)


def test_a_row_is_proved_by_its_block_and_the_roots_of_the_others(ledger: Ledger, copy: Ledger) -> None:
    roots = block_roots(ledger._store.stored(0), ledger.entry(0))
    assert len(roots) == -(-ROWS // BLOCK)
    changed = _with_rows(
        copy, pa.table({"n": [-number if number == BLOCK else number for number in range(ROWS)]}), roots
    )
    with pytest.raises(Tampered, match="rows 1024 to 2047 do not have the root of their block"):
        changed.prove_rows(0, [BLOCK + 5])
    assert all(proof.holds(ledger.entry(0)) for proof in changed.prove_rows(0, [BLOCK - 1, 2 * BLOCK, ROWS - 1]))


def test_roots_beside_the_rows_are_not_believed(ledger: Ledger, copy: Ledger) -> None:
    table, roots = ledger.table(0), block_roots(ledger._store.stored(0), ledger.entry(0))
    with pytest.raises(Tampered, match="the root of their entry"):
        _with_rows(copy, table, [*roots[1:], roots[0]]).prove_rows(0, [0])
    with pytest.raises(Tampered, match="do not fill the entry"):
        _with_rows(copy, table.slice(0, ROWS - 1), roots).prove_rows(0, [0])
    bare = _with_rows(copy, table, [])  # as rows were kept before there were blocks
    assert [proof.holds(ledger.entry(0)) for proof in bare.prove_rows(0, [0, RUN, ROWS - 1])] == [True] * 3


def test_roots_are_found_where_they_stood_at_first(ledger: Ledger, copy: Ledger) -> None:
    table, roots = ledger.table(0), block_roots(ledger._store.stored(0), ledger.entry(0))
    for kept, holds in ((roots, True), (roots[::-1], False)):
        buffer = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata({"mingjian.blocks": b64encode(b"".join(kept))}), buffer)
        earlier = _with_bytes(copy, buffer.getvalue().to_pybytes())
        with nullcontext() if holds else pytest.raises(Tampered, match="the root of their entry"):
            assert earlier.prove_rows(0, [RUN])[0].holds(ledger.entry(0))
