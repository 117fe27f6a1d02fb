"""Someone with the files in hand changes a byte, or all of history; the audit says where."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

from mingjian.base.errors import Finding, MingjianError, Misuse, Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Entry, Ledger, RowProof, leaf_hash
from mingjian.record.ledger._payload import _Parquet
from mingjian.record.ledger._tiles import extended

ORIGIN = "example.org/test"
KEY = SigningKey.from_seed(b"k" * 32)
INLINE, BLOB = 3, 4  # entries with rows of either kind; there are 300, so one tile is full


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("intact")
    ledger = Ledger.create(where, origin=ORIGIN, key=KEY)
    small = Batch("task", "three", "office", pa.table({"text": ["a", "b", "c"]}), {"sha256": "00"})
    large = Batch("task", "three", "office", pa.table({"text": [f"{i} " + "x" * 100 for i in range(1000)]}))
    ledger.append_all([*[small] * BLOB, large, *[small] * 295])
    assert ledger.audit() == []
    return where


@pytest.fixture
def where(intact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(intact, tmp_path / "log"))


def query(where: Path, sql: str, *values: object) -> list[tuple[bytes, ...]]:
    with sqlite3.connect(where / "ledger.db") as connection:
        return connection.execute(sql, values).fetchall()


def flip(data: bytes, at: int, bit: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def flip_in(where: Path, table: str, column: str, condition: str, at: int) -> None:
    [[data]] = query(where, f'SELECT "{column}" FROM {table} WHERE {condition}')
    query(where, f'UPDATE {table} SET "{column}" = ? WHERE {condition}', flip(data, at))


def audit(where: Path, checkpoint: str | None = None) -> list[tuple[str, str]]:
    findings: list[Finding] = Ledger.open(where).audit(checkpoint)
    return [(finding.rule, finding.place.file) for finding in findings]


def test_a_byte_of_an_inline_payload(where: Path) -> None:
    flip_in(where, "payload", "inline", f'"index" = {INLINE}', 9)
    assert audit(where) == [("rows-differ", "entry 3")]
    with pytest.raises(Tampered, match="not the rows that were appended"):
        Ledger.open(where).table(INLINE, verify=True)
    with pytest.raises(Tampered):
        Ledger.open(where).prove_rows(INLINE, [0])


@pytest.mark.parametrize("at", [10, 500, -1])
def test_a_byte_of_a_blob(where: Path, at: int) -> None:
    [blob] = (where / "blobs").iterdir()
    data = blob.read_bytes()
    blob.write_bytes(flip(data, at % len(data)))
    assert audit(where) == [("rows-differ", "entry 4")]
    with pytest.raises(Tampered, match=blob.name):
        Ledger.open(where).table(BLOB)


def test_a_blob_exchanged_together_with_its_name(where: Path) -> None:
    ledger = Ledger.open(where)
    ledger.append(Batch("task", "", "office", pa.table({"text": [f"{i} " + "y" * 100 for i in range(1000)]})))
    query(where, 'UPDATE payload SET blob = (SELECT blob FROM payload WHERE "index" = 300) WHERE "index" = 4')
    assert audit(where) == [("rows-differ", "entry 4")]


def test_a_blob_that_is_no_table_or_another_one(where: Path) -> None:
    ledger = Ledger.open(where)
    for data in (b"not parquet", b"", (where / "ledger.db").read_bytes()):
        name = ledger._store.blobs.put(data)
        query(where, 'UPDATE payload SET blob = ? WHERE "index" = 4', name)
        with pytest.raises(Tampered, match="not the rows of this batch"):
            ledger.table(BLOB)
    other = ledger.append(Batch("task", "", "office", pa.table({"other": ["y" * 100] * 1000})))
    query(
        where, 'UPDATE payload SET blob = (SELECT blob FROM payload WHERE "index" = ?) WHERE "index" = 4', other.index
    )
    with pytest.raises(Tampered, match="its columns"):
        ledger.table(BLOB)


def test_a_blob_whose_rows_have_no_canonical_form(where: Path) -> None:
    table = pa.table({"text": pa.array([b"\xff" * 100] * 1000).view(pa.string())})
    name = Ledger.open(where)._store.blobs.put(_Parquet(table).ended([]))
    query(where, 'UPDATE payload SET blob = ? WHERE "index" = 4', name)
    assert audit(where) == [("rows-differ", "entry 4")]


def test_a_missing_blob_and_missing_rows(where: Path) -> None:
    next((where / "blobs").iterdir()).unlink()
    query(where, 'DELETE FROM payload WHERE "index" = 7')
    assert audit(where) == [("rows-differ", "entry 4"), ("rows-differ", "entry 7")]


def test_a_byte_of_the_salts_key_and_no_key_at_all(where: Path) -> None:
    flip_in(where, "batch_key", "key", '"index" = 5', 0)
    query(where, 'DELETE FROM batch_key WHERE "index" = 9')
    assert audit(where) == [("rows-differ", "entry 5"), ("rows-differ", "entry 9")]
    assert Ledger.open(where).table(9).num_rows == 3, "the rows themselves are still there"
    with pytest.raises(Tampered, match="salts"):
        Ledger.open(where).prove_rows(9, [0])


@pytest.mark.parametrize("at", range(0, 220, 36))
def test_a_byte_of_an_entry(where: Path, at: int) -> None:
    flip_in(where, "entry", "header", '"index" = 290', at)
    assert audit(where)[0] == ("entry-differs", "entry 290")


def test_an_entry_well_written_but_another(where: Path) -> None:
    [[header]] = query(where, 'SELECT header FROM entry WHERE "index" = 290')
    query(where, 'UPDATE entry SET header = ? WHERE "index" = 290', header.replace(b"office", b"nobody"))
    assert audit(where) == [("entry-differs", "entry 290")]
    query(where, 'UPDATE entry SET header = ? WHERE "index" = 290', header.replace(b'"index":290', b'"index":291'))
    with pytest.raises(Tampered, match="entry 290"):
        Ledger.open(where).entry(290)


def test_an_entry_filed_elsewhere(where: Path) -> None:
    query(where, "UPDATE entry SET kind = 'vote' WHERE \"index\" = 8")
    assert audit(where) == [("lookup-differs", "entry 8")]


def test_entries_cut_out_and_cut_off(where: Path) -> None:
    for table in ("payload", "batch_key", "entry"):
        query(where, f'DELETE FROM {table} WHERE "index" = 20 OR "index" >= 298')
    assert audit(where) == [("entry-missing", "entry 20"), ("entry-missing", "entry 298")]
    with pytest.raises(Tampered, match="entry 20"):
        Ledger.open(where).entry(20)


def test_a_byte_of_a_tile(where: Path) -> None:
    flip_in(where, "tile", "hashes", "level = 0 AND number = 1", 32 * 14 + 5)
    assert audit(where) == [("entry-differs", "entry 270")]


def test_a_byte_of_an_upper_tile(where: Path) -> None:
    flip_in(where, "tile", "hashes", "level = 1 AND number = 0", 5)
    assert audit(where) == [("tile-differs", "tile 1/0")]


def test_a_missing_tile(where: Path) -> None:
    query(where, "DELETE FROM tile WHERE level = 0 AND number = 1")
    assert audit(where)[0] == ("entry-differs", "entry 256")
    with pytest.raises(Tampered, match="tile 0/1"):
        Ledger.open(where, key=KEY).checkpoint()


def test_a_database_damaged_as_a_whole(where: Path) -> None:
    query(where, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = where / "ledger.db"
    data = file.read_bytes()
    middle = len(data) // 2
    file.write_bytes(data[:middle] + b"\xff" * 65_536 + data[middle + 65_536 :])
    assert audit(where)[-1] == ("store-damaged", str(file))
    file.write_bytes(b"\xff" * len(data))
    with pytest.raises(Misuse, match="no ledger here"):
        audit(where)


@pytest.mark.parametrize("stands", ["CAST({column} AS TEXT)", "5", "2.5"])
@pytest.mark.parametrize(
    ("table", "column", "at", "found"),
    [
        ("entry", "header", '"index" = 290', ("entry-differs", "entry 290")),
        ("payload", "inline", '"index" = 290', ("rows-differ", "entry 290")),
        ("batch_key", "key", '"index" = 290', ("rows-differ", "entry 290")),
        ("tile", "hashes", "level = 1", ("tile-differs", "tile 1/0")),
    ],
)
def test_a_value_that_is_no_longer_stored_as_bytes(
    where: Path, table: str, column: str, at: str, found: tuple[str, str], stands: str
) -> None:
    if column != "header":  # what is cast must be UTF-8
        query(where, f"UPDATE {table} SET {column} = x'6162' WHERE {at}")
    query(where, f"UPDATE {table} SET {column} = {stands.format(column=column)} WHERE {at}")
    assert audit(where) == [found]


def test_a_header_that_is_a_text_is_not_read(where: Path) -> None:
    query(where, 'UPDATE entry SET header = CAST(header AS TEXT) WHERE "index" = 290')
    with pytest.raises(Tampered, match="a value of type str stands where bytes were written"):
        Ledger.open(where).entry(290)


def test_a_key_of_another_length(where: Path) -> None:
    query(where, 'UPDATE batch_key SET "key" = zeroblob(65) WHERE "index" = 5')
    assert audit(where) == [("rows-differ", "entry 5")]


def test_a_database_that_another_program_keeps_to_itself_is_busy_and_not_damaged(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mingjian.record.ledger._sqlite.PATIENCE", 20)
    ledger = Ledger.open(where)
    ledger._store.database._engine.dispose()  # type: ignore[attr-defined]  # or its connections would keep the other out
    with closing(sqlite3.connect(where / "ledger.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        for reading in (ledger.audit, lambda: Ledger.open(where), lambda: ledger.size):
            with pytest.raises(MingjianError, match=r"busy.*database is locked") as told:
                reading()
            assert not isinstance(told.value, Misuse | Tampered)
            assert "close the program" in told.value.remedy
    assert ledger.audit() == []


def test_a_ledger_of_a_later_format_is_not_touched(where: Path) -> None:
    query(where, "UPDATE ledger SET format = 3")
    with pytest.raises(Misuse, match="no ledger of this format"):
        Ledger.open(where)


def rewrite(where: Path, index: int) -> None:
    """Change who brought an entry, and make the whole store agree with it."""
    [[header]] = query(where, 'SELECT header FROM entry WHERE "index" = ?', index)
    query(where, 'UPDATE entry SET header = ? WHERE "index" = ?', header.replace(b"office", b"nobody"), index)
    leaves = [leaf_hash(row[0]) for row in query(where, 'SELECT header FROM entry ORDER BY "index"')]
    for (level, number), hashes in extended(lambda level, number: b"", 0, leaves).items():
        query(where, "UPDATE tile SET hashes = ? WHERE level = ? AND number = ?", hashes, level, number)


def test_history_rewritten_with_care_is_exposed_by_an_old_checkpoint(where: Path) -> None:
    ledger = Ledger.open(where, key=KEY)
    before, old = ledger.checkpoint(20), ledger.checkpoint(100)
    assert audit(where, old) == []
    rewrite(where, 50)
    assert audit(where) == [], "the store agrees with itself"
    assert audit(where, before) == [], "nothing changed up to here"
    assert audit(where, old) == [("history-rewritten", f"checkpoint of {ORIGIN} at size 100")]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300])
def test_a_checkpoint_of_any_size_is_a_witness_up_to_it(where: Path, size: int) -> None:
    old = Ledger.open(where, key=KEY).checkpoint(size)
    assert audit(where, old) == []
    rewrite(where, size - 1)
    assert audit(where, old) == [("history-rewritten", f"checkpoint of {ORIGIN} at size {size}")]


def test_history_cut_off_with_care_is_exposed_by_an_old_checkpoint(where: Path, tmp_path: Path) -> None:
    old = Ledger.open(where, key=KEY).checkpoint()
    shorter = Ledger.create(tmp_path / "shorter", origin=ORIGIN, key=KEY)
    shorter.append(Batch("task", "", "office", pa.table({"text": ["a"]})))
    assert audit(tmp_path / "shorter", old) == [("history-cut", f"checkpoint of {ORIGIN} at size 300")]


def test_a_checkpoint_of_another_key_is_no_witness(where: Path, tmp_path: Path) -> None:
    other = Ledger.create(tmp_path / "other", origin=ORIGIN, key=SigningKey.generate())
    with pytest.raises(Tampered):
        audit(where, other.checkpoint())


def test_progress_is_told_entry_by_entry(where: Path) -> None:
    told: list[tuple[int, int]] = []
    Ledger.open(where).audit(progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 300) for done in range(1, 301)]


def test_a_changed_row_proof_holds_no_more(where: Path) -> None:
    ledger = Ledger.open(where)
    entry, [proof] = ledger.entry(INLINE), ledger.prove_rows(INLINE, [1])
    assert proof.holds(entry)
    assert RowProof.from_json(orjson.loads(orjson.dumps(proof.to_json()))) == proof
    assert proof.values == {"text": "b"}
    for change in (
        {"salt": flip(bytes.fromhex(proof.to_json()["salt"]), 15).hex()},
        {"values": {"text": "d"}},
        {"values": {"text": "b", "more": None}},
        {"row": 0},
        {"entry": 2},
        {"path": [node.hex() for node in proof.path[::-1]]},
        {"path": [flip(proof.path[0], 31).hex(), *(node.hex() for node in proof.path[1:])]},
        {"path": [node.hex() for node in proof.path[1:]]},
    ):
        assert not RowProof.from_json(proof.to_json() | change).holds(entry)
    assert not proof.holds(ledger.entry(2)), "the same rows have other salts in another entry"


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "00" * 15},
        {"salt": "zz"},
        {"salt": None},
        {"path": 5},
        {"path": ["0"]},
        {"row": "1"},
        {"row": True},
        {"entry": 1.0},
    ],
    ids=str,
)
def test_what_is_no_row_proof_is_refused(intact: Path, change: dict[str, object]) -> None:
    [proof] = Ledger.open(intact).prove_rows(INLINE, [1])
    with pytest.raises(Tampered, match="not the proof of a row"):
        RowProof.from_json(proof.to_json() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2021-09-07T04:00:00Z"},
        {"at": "yesterday"},
        {"rows": "3"},
        {"rows": True},
        {"index": None},
        {"root": "00"},
        {"root": "xyz"},
        {"columns": [["a"]]},
        {"columns": [["a", 1]]},
        {"source": {"sha256": 1}},
        {"source": []},
        {"by": 5},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_no_header_is_refused(intact: Path, change: dict[str, object]) -> None:
    header = Ledger.open(intact).entry(INLINE).to_json()
    assert Entry.from_json(header).to_json() == header
    with pytest.raises(Tampered, match="not the header of an entry"):
        Entry.from_json(header | change)
