"""Rows under the key of an owner: they read as all others while the key is there, and are gone for good without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Entry, Ledger, Placed, canonical_rows, row_leaf
from mingjian.record.ledger._owned import places_by_owner, places_bytes, places_of, row_salt
from mingjian.record.ledger._payload import Prepared, prepare_all

ORIGIN = "example.org/owned"
KEY = SigningKey.from_seed(b"k" * 32)
PREPARE = "mingjian.record.ledger._writer.prepare_all"
Place = dict[str, Any]
Query = Callable[..., list[tuple[Any, ...]]]
Files = Callable[[Ledger], Iterator[tuple[str, bytes]]]

OWNERS = ("", "person/A", "person/A/item/2021", "person/AB", "term/s/item/2021")

rows = st.lists(
    st.fixed_dictionaries(
        {
            "owner": st.sampled_from(OWNERS),
            "name": st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
            "count": st.none() | st.integers(-(2**63), 2**63 - 1),
            "flag": st.none() | st.booleans(),
            "day": st.none() | st.dates(),
        }
    ),
    min_size=1,
    max_size=12,
)
FIELDS: dict[str, Any] = {"name": pa.string(), "count": pa.int64(), "flag": pa.bool_(), "day": pa.date32()}
SCHEMA = pa.schema(FIELDS)


def batch(table: pa.Table, owners: Sequence[str] | None) -> Batch:
    return Batch("item", "s", "office", table, owners=owners)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return Ledger.create(**place, origin=ORIGIN, key=KEY)


@pytest.fixture
def mixed(ledger: Ledger) -> tuple[Ledger, Entry]:
    """1,000 rows of five owners, too many to stand inline, between two small batches."""
    owners = [OWNERS[row % 5] for row in range(1000)]
    table = pa.table({"text": [f"䶮{row} of {owner} " + "龘" * 40 for row, owner in enumerate(owners)]})
    ledger.append(batch(table.slice(0, 5), owners[:5]))
    entry = ledger.append(batch(table, owners))
    ledger.append(batch(table.slice(0, 1), None))
    return ledger, entry


@given(rows, st.integers(1, 20), st.sets(st.sampled_from(OWNERS[1:])))
@settings(max_examples=60, deadline=None)
def test_owned_rows_are_as_plain_ones_until_their_owner_is_erased(
    given_rows: list[dict[str, object]], times: int, erased: set[str]
) -> None:
    many = given_rows * times  # enough of them are read another way than few
    owners = [str(row["owner"]) for row in many]
    table = pa.Table.from_pylist(many, schema=SCHEMA)
    with TemporaryDirectory() as folder:
        ledger = Ledger.create(folder, origin=ORIGIN, key=KEY)
        entry = ledger.append(batch(table, owners))
        before = ledger.checkpoint()
        assert ledger.table(entry.index, verify=True) == table
        proofs = ledger.prove_rows(entry.index, range(len(many)))
        assert [proof.content for proof in proofs] == canonical_rows(table)
        assert all(proof.holds(entry) for proof in proofs)
        assert ledger.audit(before) == []
        ledger.erase(erased, by="office")
        gone = {p for p, owner in enumerate(owners) if any(owner == n or owner.startswith(n + "/") for n in erased)}
        left = [place for place in range(len(many)) if place not in gone]
        placed = ledger.placed(entry.index, verify=True)
        assert placed == Placed(table.take(pa.array(left, pa.int64())), pa.array(left, pa.int64()))
        assert ledger.prove_rows(entry.index, left) == [proofs[place] for place in left]
        for place in gone:
            with pytest.raises(Misuse, match=f"row {place} of entry {entry.index} was erased"):
                ledger.prove_rows(entry.index, [place])
        assert ledger.erased() == ({entry.index: len(gone)} if gone else {})
        assert ledger.audit(before) == []


@given(st.lists(st.text(max_size=2), min_size=1, max_size=40))
def test_places_are_kept_by_owner_and_read_back(owners: list[str]) -> None:
    found = places_by_owner(owners)
    assert next(iter(found)) == ""
    assert {place: owner for owner, places in found.items() for place in places.tolist()} == dict(enumerate(owners))
    for places in found.values():
        assert places_of(places_bytes(places)).tolist() == sorted(places.tolist())


def test_owned_rows_are_never_in_a_file_in_the_open(mixed: tuple[Ledger, Entry], files: Files) -> None:
    ledger, entry = mixed
    texts = [str(text) for text in ledger.table(entry.index)["text"].to_pylist()]
    content = [data for _, data in files(ledger)]
    for row in range(1, 1000, 37):
        assert (row % 5 == 0) or not any(texts[row].encode() in data for data in content)


def test_an_erasure_leaves_no_byte_of_keys_and_rows(mixed: tuple[Ledger, Entry], query: Query, files: Files) -> None:
    ledger, _ = mixed
    keys = dict(query(ledger, "SELECT name, key FROM owner_key"))
    sealed = dict(query(ledger, 'SELECT owner, sealed FROM section WHERE "index" = 1'))
    done = ledger.erase(["person/A", "person/nobody"], by="office", scheme="s", source={"subject": "A"})
    assert (done.keys, done.rows, done.entries) == (2, 402, (0, 1))
    assert (done.entry.kind, done.entry.source) == ("erasure", {"subject": "A"})
    for owner in ("person/A", "person/A/item/2021"):
        for name, data in files(ledger):
            assert keys[owner] not in data, name
            assert not any(sealed[owner][at : at + 32] in data for at in range(0, len(sealed[owner]) - 32, 32)), name
    assert any(keys["person/AB"] in data for _, data in files(ledger))
    again = ledger.erase(["person/A"], by="office")
    assert (again.keys, again.rows, again.entries) == (0, 0, ())
    assert ledger.audit() == []


def test_of_many_keys_in_one_table_none_that_was_destroyed_is_left(ledger: Ledger, query: Query, files: Files) -> None:
    owners = [f"person/{row * 7919 % 1000 % 10}/{row}" for row in range(1000)]
    for start in range(0, 1000, 50):
        ledger.append(batch(pa.table({"n": range(50)}), owners[start : start + 50]))
    keys = dict(query(ledger, "SELECT name, key FROM owner_key"))
    query(ledger, "ANALYZE")  # as a server does by itself: the statistics that it keeps are samples of the rows
    ledger.erase([f"person/{number}" for number in range(5)], by="office")
    content = b"".join(data for _, data in files(ledger))
    some = sorted(keys)[::40]
    assert {name for name in some if keys[name] in content} == {name for name in some if name.split("/")[1] >= "5"}


def test_what_is_kept_of_an_erased_row_cannot_be_guessed_from_the_batchs_key(
    mixed: tuple[Ledger, Entry], query: Query
) -> None:
    ledger, entry = mixed
    (proof,) = ledger.prove_rows(entry.index, [1])
    ledger.erase(["person/A"], by="office")
    [[key]] = query(ledger, 'SELECT key FROM batch_key WHERE "index" = ?', entry.index)
    [[leaf]] = query(ledger, 'SELECT hash FROM erased_leaf WHERE "index" = ? AND "row" = 1', entry.index)
    assert leaf == row_leaf(proof.salt, proof.content)
    assert leaf != row_leaf(row_salt(key, 1), proof.content)


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ('UPDATE erased_leaf SET hash = ? WHERE "row" = 6', [bytes(32)]),
        ('DELETE FROM erased_leaf WHERE "row" = 6', []),
        ("DELETE FROM section WHERE owner = 'person/AB'", []),
        ("UPDATE owner_key SET key = ? WHERE name = 'person/AB'", [bytes(32)]),
        ("UPDATE section SET places = ? WHERE owner = 'person/AB'", [b"\0"]),
        ("UPDATE section SET places = ? WHERE owner = 'person/AB'", [b"\0\0\0\0\0\0\0\2\xff"]),
    ],
    ids=["leaf", "no leaf", "no section", "key", "places", "garbled places"],
)
def test_an_audit_finds_what_was_done_by_hand(
    mixed: tuple[Ledger, Entry], sql: str, values: list[object], query: Query
) -> None:
    ledger, _ = mixed
    ledger.erase(["person/A"], by="office")
    assert ledger.audit() == []
    query(ledger, sql, *values)
    assert "rows-differ" in {finding.rule for finding in ledger.audit()}


def test_an_audit_finds_rows_whose_key_is_gone(mixed: tuple[Ledger, Entry], place: Place) -> None:
    ledger, _ = mixed
    if str(place["where"]).startswith("postgresql"):
        pytest.skip("PostgreSQL does not let go of a key that rows stand under")
    with sqlite3.connect(ledger._store.database.path) as connection:
        connection.execute("DELETE FROM owner_key WHERE name = 'person/AB'")
    assert "rows-differ" in {finding.rule for finding in ledger.audit()}


def test_an_audit_finds_rows_that_are_gone_without_an_erasure(mixed: tuple[Ledger, Entry], query: Query) -> None:
    ledger, entry = mixed
    section = next(s for i, s, _ in ledger._store.sections_of("person/AB") if i == entry.index)
    proofs = ledger.prove_rows(entry.index, section.places.tolist())
    for proof in proofs:
        leaf = row_leaf(proof.salt, proof.content)
        query(ledger, "INSERT INTO erased_leaf VALUES (?, ?, ?)", entry.index, proof.row, leaf)
    query(ledger, """DELETE FROM section WHERE owner = 'person/AB' AND "index" = ?""", entry.index)
    assert [(f.rule, f.place.file) for f in ledger.audit()] == [("erased-unrecorded", f"entry {entry.index}")]


def test_a_key_destroyed_while_rows_are_made_ready_is_not_brought_back(
    mixed: tuple[Ledger, Entry], place: Place, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _ = mixed
    [[old]] = query(ledger, "SELECT key FROM owner_key WHERE name = 'person/AB'")
    real = prepare_all

    def erased_meanwhile(*args: Any) -> list[Prepared]:
        monkeypatch.setattr(PREPARE, real)
        Ledger.open(**place).erase(["person/AB"], by="office")
        return real(*args)

    monkeypatch.setattr(PREPARE, erased_meanwhile)
    entry = ledger.append(batch(pa.table({"text": ["new"]}), ["person/AB"]))
    [[new]] = query(ledger, "SELECT key FROM owner_key WHERE name = 'person/AB'")
    assert new != old
    assert ledger.table(entry.index, verify=True).to_pylist() == [{"text": "new"}]
    assert ledger.audit() == []


def test_a_proof_from_memory_is_no_way_around_an_erasure_by_another_process(
    mixed: tuple[Ledger, Entry], place: Place
) -> None:
    ledger, entry = mixed
    ledger.prove_rows(entry.index, [1])
    Ledger.open(**place).erase(["person/A"], by="office")
    with pytest.raises(Misuse, match="was erased"):
        ledger.prove_rows(entry.index, [1])


def test_an_erasure_says_so_when_a_reader_keeps_the_old_state(
    mixed: tuple[Ledger, Entry], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _ = mixed
    for database in ("_sqlite", "_postgresql"):
        monkeypatch.setattr(f"mingjian.record.ledger.{database}.PATIENCE", 100)
    impatient = Ledger.open(**place)
    with ledger._store.database.reading() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM section").all()
        with pytest.raises(MingjianError, match="somebody reads an older state"):
            impatient.erase(["person/A"], by="office")
        reader.rollback()
    impatient.erase(["person/A"], by="office")
    assert ledger.audit() == []


def test_an_owner_for_each_row_is_wanted() -> None:
    with pytest.raises(Misuse, match="1 owners for 2 rows"):
        batch(pa.table({"n": [1, 2]}), ["person/A"])


def test_encrypted_rows_that_were_changed_do_not_open(mixed: tuple[Ledger, Entry], query: Query) -> None:
    ledger, entry = mixed
    query(ledger, "UPDATE section SET sealed = ? WHERE owner = 'person/AB'", bytes(64))
    with pytest.raises(Tampered, match="person/AB do not open"):
        ledger.table(entry.index)
