"""Who read what: nothing is lost, many share one append, and a log that was rewritten is named."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey
from mingjian.record.access import Read, ReadLog
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState

MONDAY = date(2021, 9, 6)
TUESDAY, WEDNESDAY = MONDAY + timedelta(1), MONDAY + timedelta(2)


@dataclass
class HandClock:
    """Goes on by a second each time it is looked at."""

    now: datetime = datetime(2021, 9, 6, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def reads(tmp_path: Path) -> ReadLog:
    return ReadLog(tmp_path / "reads", HandClock())


@pytest.fixture
def main(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path / "main", origin="example.org/main", key=SigningKey.from_seed(b"k" * 32))


def noted(reads: ReadLog, *subjects: str, account: str = "a-office") -> None:
    for subject in subjects:
        reads.note(account, "office", "portrait", subject, "2021Q3")


# -- what is kept -----------------------------------------------------------------------------------------------------
def test_a_read_is_kept_with_all_that_is_known_of_it(reads: ReadLog) -> None:
    reads.note("a-li", "resident", "portrait", "L001", "2021Q3")
    assert reads.rows() == (
        Read("a-li", "resident", "portrait", "L001", "2021Q3", datetime(2021, 9, 6, 8, 0, 1, tzinfo=UTC)),
    )
    assert not reads.ledger.audit()


def test_the_newest_come_first_and_can_be_asked_for(reads: ReadLog) -> None:
    noted(reads, "L1", "L2", account="a-one")
    noted(reads, "L1", "L3", account="a-two")
    assert [(read.account, read.subject) for read in reads.rows(limit=3)] == [
        ("a-two", "L3"),
        ("a-two", "L1"),
        ("a-one", "L2"),
    ]
    assert [read.account for read in reads.rows(subject="L1")] == ["a-two", "a-one"]
    assert [read.subject for read in reads.rows(account="a-one")] == ["L2", "L1"]
    assert [read.subject for read in reads.rows(account="a-one", subject="L1")] == ["L1"]
    assert reads.rows(subject="L9") == reads.rows(limit=0) == ()


def test_a_page_about_many_is_noted_at_once(reads: ReadLog) -> None:
    reads.note_each("a-office", "office", "table", [f"L{n:03}" for n in range(520)], "2021Q3")
    assert reads.ledger.size == 1
    assert len(reads.rows(limit=1000)) == 520
    assert reads.rows(subject="L519")
    reads.note_each("a-office", "office", "table", [])
    assert reads.ledger.size == 1


def test_it_is_there_when_opened_again_and_its_index_is_made_anew(tmp_path: Path, reads: ReadLog) -> None:
    noted(reads, "L1", "L2", "L3")
    kept = reads.rows()
    again = ReadLog(tmp_path / "reads", HandClock())
    assert again.ledger.origin == reads.ledger.origin
    assert again.rows() == kept
    (tmp_path / "reads" / "index.db").unlink()
    assert ReadLog(tmp_path / "reads", HandClock()).rows() == kept


def test_what_another_process_notes_is_found_too(tmp_path: Path, reads: ReadLog) -> None:
    other = ReadLog(tmp_path / "reads", HandClock())
    for number in range(6):
        noted((reads, other)[number % 2], f"L{number}")
    expected = [f"L{number}" for number in (5, 4, 3, 2, 1, 0)]
    assert [read.subject for read in reads.rows()] == [read.subject for read in other.rows()] == expected


def test_it_is_for_its_owner_alone_and_asks_for_its_key(tmp_path: Path, reads: ReadLog) -> None:
    folder = tmp_path / "reads"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    (folder / "key.pem").unlink()
    with pytest.raises(Misuse):
        ReadLog(folder, HandClock())


def test_text_that_cannot_be_written_holds_nobody_up(reads: ReadLog) -> None:
    with pytest.raises(Misuse):
        noted(reads, "\ud800")
    noted(reads, "L1")
    assert len(reads.rows()) == 1


# -- many at once -----------------------------------------------------------------------------------------------------
def test_sixteen_threads_lose_nothing_and_share_appends(reads: ReadLog) -> None:
    def person(number: int) -> None:
        for page in range(10):
            noted(reads, f"L{page}", account=f"a-{number:02}")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(person, range(16)))
    rows = reads.rows(limit=1000)
    assert {(read.account, read.subject) for read in rows} == {
        (f"a-{n:02}", f"L{p}") for n in range(16) for p in range(10)
    }
    assert len(rows) == 160
    assert reads.ledger.size < 160, "fewer appends than notes"
    assert not reads.ledger.audit()


def test_a_note_is_on_disk_when_it_returns(reads: ReadLog) -> None:
    def person(number: int) -> bool:
        noted(reads, f"L{number}")
        state = reads.ledger.state()
        found = {row["subject"] for entry in state.entries() for row in state.table(entry.index).to_pylist()}
        return f"L{number}" in found

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(person, range(16)))


def test_one_that_cannot_be_written_is_said_so_and_takes_no_other_along(
    reads: ReadLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, fail = Ledger.append, [True] * 3

    def failing(self: Ledger, batch: Batch) -> Entry:
        if fail and fail.pop():
            raise OSError("no space left")
        return append(self, batch)

    monkeypatch.setattr(Ledger, "append", failing)

    def person(number: int) -> bool:
        try:
            noted(reads, f"L{number}")
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(person, range(24)))
    assert told.count(False) == 3
    written = {read.subject for read in reads.rows()}
    assert written == {f"L{number}" for number, good in enumerate(told) if good}


# -- anchored ---------------------------------------------------------------------------------------------------------
def test_the_head_is_anchored_once_a_day(reads: ReadLog, main: Ledger) -> None:
    assert reads.anchor(main, MONDAY) is None, "nothing was read"
    noted(reads, "L1", "L2")
    entry = reads.anchor(main, MONDAY)
    assert entry is not None
    assert (entry.kind, entry.scheme) == ("anchor", "")
    assert main.table(entry.index).to_pylist() == [
        {"origin": reads.ledger.origin, "day": MONDAY, "size": 2, "root": reads.ledger.root().hex()}
    ]
    noted(reads, "L3")
    assert reads.anchor(main, MONDAY) is None
    assert reads.anchor(main, TUESDAY)
    assert reads.anchor(main, WEDNESDAY) is None, "nothing was read since"
    assert main.size == 2
    assert reads.check(main) == ()


def test_two_who_anchor_at_once_anchor_once(reads: ReadLog, main: Ledger) -> None:
    noted(reads, "L1")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: reads.anchor(main, MONDAY), range(8)))
    assert len([entry for entry in made if entry]) == main.size == 1


def test_who_comes_second_while_it_is_written_writes_nothing(
    tmp_path: Path, reads: ReadLog, main: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(reads, "L1")
    root = LedgerState.root

    def meanwhile(self: LedgerState) -> bytes:
        monkeypatch.setattr(LedgerState, "root", root)
        assert ReadLog(tmp_path / "reads", HandClock()).anchor(main, MONDAY)
        return root(self)

    monkeypatch.setattr(LedgerState, "root", meanwhile)
    assert reads.anchor(main, MONDAY) is None
    assert main.size == 1


def anchored_twice(reads: ReadLog, main: Ledger) -> None:
    noted(reads, "L1", "L2")
    reads.anchor(main, MONDAY)
    noted(reads, "L3")
    reads.anchor(main, TUESDAY)
    noted(reads, "L4")


def written_anew(folder: Path, *subjects: str) -> ReadLog:
    """The log as somebody with the files and its key in hand would like it to be: another history, with care."""
    for file in folder.glob("*.db*"):
        file.unlink()
    changed = ReadLog(folder, HandClock())
    noted(changed, *subjects)
    return changed


@pytest.mark.parametrize(
    ("subjects", "rule", "where"),
    [
        (("L1", "L9", "L3", "L4"), "reads-rewritten", "anchor of 2021-09-06 in entry 0"),
        (("L1",), "reads-cut", "anchor of 2021-09-06 in entry 0"),
    ],
    ids=["rewritten", "cut"],
)
def test_a_log_that_was_rewritten_with_care_is_named(
    tmp_path: Path, reads: ReadLog, main: Ledger, subjects: tuple[str, ...], rule: str, where: str
) -> None:
    anchored_twice(reads, main)
    changed = written_anew(tmp_path / "reads", *subjects)
    assert not changed.ledger.audit(), "by itself nothing is wrong with it"
    (finding,) = changed.check(main)
    assert (finding.rule, finding.place.file) == (rule, where)


def test_what_was_anchored_later_is_named_where_the_first_still_holds(
    tmp_path: Path, reads: ReadLog, main: Ledger
) -> None:
    noted(reads, "L1", "L2")
    reads.anchor(main, MONDAY)
    shutil.copytree(tmp_path / "reads", tmp_path / "older")
    noted(reads, "L3")
    reads.anchor(main, TUESDAY)
    older = ReadLog(tmp_path / "older", HandClock())
    assert [finding.place.file for finding in older.check(main)] == ["anchor of 2021-09-07 in entry 1"]
    noted(older, "L9")
    assert [finding.rule for finding in older.check(main)] == ["reads-rewritten"]


def test_another_log_in_its_place_is_named(tmp_path: Path, reads: ReadLog, main: Ledger) -> None:
    anchored_twice(reads, main)
    shutil.rmtree(tmp_path / "reads")
    other = ReadLog(tmp_path / "reads", HandClock())
    assert [finding.rule for finding in other.check(main)] == ["reads-replaced"]


def test_a_changed_row_is_named_though_the_tree_was_left_alone(tmp_path: Path, reads: ReadLog, main: Ledger) -> None:
    anchored_twice(reads, main)
    with sqlite3.connect(tmp_path / "reads" / "ledger.db") as connection:
        connection.execute(
            """UPDATE payload SET inline = CAST(replace(inline, 'L2', 'L9') AS BLOB) WHERE "index" = 1"""
        )
    assert [(finding.rule, finding.place.file) for finding in reads.check(main)] == [("rows-differ", "entry 1")]


def test_an_index_left_from_a_longer_log_is_thrown_away(tmp_path: Path, reads: ReadLog) -> None:
    noted(reads, "L1", "L2", "L3")
    for file in (tmp_path / "reads").glob("ledger.db*"):
        file.unlink()
    shorter = ReadLog(tmp_path / "reads", HandClock())
    noted(shorter, "L7")
    assert [read.subject for read in shorter.rows()] == ["L7"]
