"""What goes in, in which order, under which check, and what can be read back as of when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Forbidden, MingjianError, Misuse, Tampered
from mingjian.base.keys import NoteKey, SigningKey
from mingjian.record.ledger import (
    EMPTY_ROOT,
    Batch,
    Entry,
    Ledger,
    LedgerState,
    parse_checkpoint,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from mingjian.record.ledger._blobs import BlobDirectory
from mingjian.record.ledger._store import Store

ORIGIN = "example.org/test"
KEY = SigningKey.from_seed(b"k" * 32)
Place = dict[str, Any]
Query = Callable[..., list[tuple[Any, ...]]]
NOON = datetime(2021, 9, 7, 12, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=8)))


def batch(*texts: str, kind: str = "task", scheme: str = "three", **source: str) -> Batch:
    return Batch(kind, scheme, "office", pa.table({"text": pa.array(texts, pa.string())}), source)


def large() -> Batch:
    return batch(*(f"{i} " + "x" * 100 for i in range(1000)), kind="large")


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return Ledger.create(**place, origin=ORIGIN, key=KEY, now=lambda: NOON)


def ticking(times: list[datetime]) -> Callable[[], datetime]:
    remaining: Iterator[datetime] = iter(times)
    return lambda: next(remaining)


def test_an_entry_says_who_brought_what_when_and_from_where(ledger: Ledger) -> None:
    entry = ledger.append(batch("a", "b", file="task.xlsx", sha256="ab" * 32))
    assert (entry.index, entry.by, entry.scheme, entry.kind, entry.rows) == (0, "office", "three", "task", 2)
    assert entry.columns == (("text", "string"),)
    assert entry.to_json()["at"] == "2021-09-07T04:00:00.123Z"
    assert entry.source == {"file": "task.xlsx", "sha256": "ab" * 32}
    assert ledger.entry(0) == entry == Entry.from_json(entry.to_json())


@pytest.mark.parametrize(
    "given", [large(), batch("a", "b\n"), batch(), batch("")], ids=["blob", "inline", "no rows", ""]
)
def test_rows_come_back_as_they_were_appended(ledger: Ledger, given: Batch) -> None:
    entry = ledger.append(given)
    assert ledger.table(entry.index).equals(given.table)
    assert ledger.table(entry.index, verify=True).equals(given.table)
    assert all(proof.holds(entry) for proof in ledger.prove_rows(entry.index, range(entry.rows)))
    assert (entry.root == EMPTY_ROOT.hex()) == (entry.rows == 0)


def test_only_large_payloads_become_blobs(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append_all([batch("a"), large(), large()])
    assert len(list((tmp_path / "blobs").iterdir())) == 2
    assert ledger.entry(1).root != ledger.entry(2).root, "nobody can tell from the entries that they say the same"


def test_the_same_ledger_is_there_when_opened_again(ledger: Ledger, place: Place) -> None:
    ledger.append_all([batch("a"), large()])
    again = Ledger.open(**place, key=KEY)
    assert (again.origin, again.size, again.root()) == (ORIGIN, 2, ledger.root())
    assert again.checkpoint() == ledger.checkpoint()


def test_a_ledger_is_found_by_kind_scheme_and_source(ledger: Ledger) -> None:
    for i in range(4):
        ledger.append(batch("a", kind=("task", "vote")[i % 2], scheme=("one", "two")[i // 2], sha256=f"{i % 2}"))
    assert [entry.index for entry in ledger.entries()] == [0, 1, 2, 3]
    assert [entry.index for entry in ledger.entries(kind="vote")] == [1, 3]
    assert [entry.index for entry in ledger.entries(scheme="two", kind="vote")] == [3]
    assert [entry.index for entry in ledger.entries(1, 3)] == [1, 2]
    assert [entry.index for entry in ledger.state(2).entries(end=100)] == [0, 1]
    found = ledger.find("1", "vote")
    assert found is not None
    assert found.index == 1
    assert ledger.find("1", "task") is None
    assert ledger.state(1).find("1", "vote") is None


def test_more_entries_than_a_page_are_read_in_order(ledger: Ledger) -> None:
    ledger.append_all([batch("a")] * 1001)
    assert [entry.index for entry in ledger.entries()] == list(range(1001))
    proof, root = ledger.prove_entry(700), ledger.root()
    assert verify_inclusion(ledger.entry(700).leaf_hash, 700, 1001, proof, root)
    old = ledger.prove_consistency(300)
    assert verify_consistency(300, 1001, ledger.state(300).root(), root, old)


def test_time_never_goes_back(place: Place) -> None:
    times = [NOON, NOON - timedelta(days=1), NOON + timedelta(seconds=1)]
    ledger = Ledger.create(**place, origin=ORIGIN, key=KEY, now=ticking(times))
    first, second, third = (ledger.append(batch("a")).at for _ in times)
    assert first == second == datetime(2021, 9, 7, 4, 0, 0, 123_000, tzinfo=UTC)
    assert third == first + timedelta(seconds=1)


def test_what_others_appended_meanwhile_comes_first(ledger: Ledger, place: Place) -> None:
    ledger.append_all([batch("a")] * 254)
    later = Ledger.open(**place, now=lambda: NOON + timedelta(hours=1))
    for writer in (later, ledger, ledger, later):  # the third begins another tile
        writer.append(batch("b"))
    assert [entry.index for entry in ledger.entries()] == list(range(258))
    assert ledger.entry(255).at == later.entry(254).at > ledger.entry(253).at
    assert ledger.root() == root_of(entry.leaf_hash for entry in ledger.entries())
    assert ledger.audit() == []


def test_nothing_is_appended_to_an_entry_that_was_changed(ledger: Ledger, query: Query) -> None:
    header = ledger.append(batch("a")).leaf
    query(ledger, 'UPDATE entry SET header = ? WHERE "index" = 0', header.replace(b'"index":0', b'"index":1'))
    with pytest.raises(Tampered, match="entry 0"):
        ledger.append(batch("b"))
    query(ledger, 'UPDATE entry SET header = ? WHERE "index" = 0', header)
    assert ledger.append(batch("b")).index == 1


def test_a_clock_must_know_its_zone(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path, origin=ORIGIN, key=KEY, now=lambda: NOON.replace(tzinfo=None))
    with pytest.raises(Misuse, match="a time without a zone"):
        ledger.append(batch("a"))


def test_a_check_sees_the_head_and_what_it_refuses_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(batch("a"))
    before = ledger.checkpoint()

    def refuse(state: LedgerState) -> None:
        raise Forbidden("no more tasks", why=f"{state.size} there, {state.table(0).num_rows} rows")

    with pytest.raises(Forbidden, match="1 there, 1 rows"):
        ledger.append_all([batch("b"), large()], refuse)
    assert ledger.checkpoint() == before
    assert not list((tmp_path / "blobs").iterdir())
    assert ledger.append(batch("b"), lambda state: None).index == 1


def test_of_several_batches_all_are_taken_or_none(ledger: Ledger) -> None:
    bad = Batch("task", "three", "office", pa.table({"a": [1.5]}))
    with pytest.raises(Misuse):
        ledger.append_all([batch("a"), bad])
    assert ledger.size == 0
    assert ledger.append_all([]) == []
    assert [entry.index for entry in ledger.append_all([batch("a"), batch("b")])] == [0, 1]


def test_a_crash_between_blob_and_commit_leaves_the_ledger_clean(
    ledger: Ledger, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(batch("a"))
    before = ledger.checkpoint()

    def crash(*_: object) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.engine.Connection.commit", crash)  # the last step before the commit
        with pytest.raises(OSError, match="power cut"):
            ledger.append(large())
    assert list((tmp_path / "blobs").iterdir()), "the blob was written first"
    again = Ledger.open(**place, key=KEY)
    assert again.checkpoint() == before
    assert again.audit() == []
    assert again.table(again.append(large()).index, verify=True).num_rows == 1000


def test_a_blob_that_cannot_be_written_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("mingjian.record.ledger._blobs.os.fsync", crash)
    with pytest.raises(MingjianError, match="disk full"):
        BlobDirectory(tmp_path).put(b"data")
    assert list(tmp_path.iterdir()) == []


def test_threads_append_at_once_under_a_check_and_nothing_is_lost(ledger: Ledger) -> None:
    def once(state: LedgerState) -> None:
        if any(entry.kind == "once" for entry in state.entries()):
            raise Forbidden("it is there")

    def attempt(_: int) -> bool:
        try:
            ledger.append(batch("a", kind="once"), once)
        except Forbidden:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(12))) == 1
    assert ledger.size == 1


def test_a_head_is_signed_at_every_size(ledger: Ledger) -> None:
    assert parse_checkpoint(ledger.checkpoint(), [NoteKey.parse(ledger.vkey)]).root == EMPTY_ROOT
    entries = ledger.append_all([batch("a"), batch("b"), batch("c")])
    signed = parse_checkpoint(ledger.checkpoint(2), [NoteKey.parse(ledger.vkey)])
    assert (signed.origin, signed.size) == (ORIGIN, 2)
    assert signed.root == root_of(entry.leaf_hash for entry in entries[:2]) == ledger.state(2).root()


@settings(max_examples=10)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_adding_more_changes_nothing_that_was(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    ledger = Ledger.create(tmp_path_factory.mktemp("log"), origin=ORIGIN, key=KEY)
    seen: dict[int, tuple[bytes, bytes]] = {}
    for step in steps:
        ledger.append_all([batch(str(step))] * step)
        seen[ledger.size] = ledger.root(), ledger.entry(ledger.size - 1).leaf
        for size, (root, leaf) in seen.items():
            assert ledger.state(size).root() == root
            assert ledger.state(size).entry(size - 1).leaf == leaf
            assert verify_consistency(size, ledger.size, root, ledger.root(), ledger.prove_consistency(size))


def test_what_a_ledger_cannot_do_is_misuse(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    ledger.append_all([batch("a"), batch("b")])
    keyless = Ledger.open(**place)
    for wrong in (
        lambda: ledger.entry(2),
        lambda: ledger.entry(-1),
        lambda: ledger.state(3),
        lambda: ledger.prove_entry(1, 1),
        lambda: ledger.prove_consistency(0),
        lambda: ledger.prove_consistency(2, 1),
        lambda: ledger.prove_rows(0, [1]),
        lambda: keyless.checkpoint(),
        lambda: Ledger.open(**place, key=SigningKey.generate()),
        lambda: Ledger.open(tmp_path / "nowhere"),
        lambda: Ledger.open("postgresql://server/db"),
        lambda: Ledger.open("://"),
        lambda: Ledger.open("sqlite:///:memory:"),
        lambda: Ledger.open("sqlite://"),
        lambda: Ledger.create(place["where"], blobs=tmp_path / "elsewhere", origin=ORIGIN, key=KEY),
        lambda: Ledger.create(tmp_path / "new", origin="with space", key=KEY),
        lambda: Batch("", "", "office", pa.table({"a": ["a"]})),
        lambda: Batch("task", "", "office", pa.table({"a": ["a"]}), {"rows": 5}),  # type: ignore[dict-item]
        lambda: ledger.append(batch("a", kind="task\0")),
    ):
        with pytest.raises(Misuse):
            wrong()
    (tmp_path / "other.db").touch()
    with pytest.raises(Misuse, match="no ledger here"):
        Store.at(f"sqlite:///{tmp_path / 'other.db'}").identity()
