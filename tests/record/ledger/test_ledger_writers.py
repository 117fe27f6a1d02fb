"""Many who write at once, threads and processes, over both stores: nothing is lost or reordered, and nobody starves."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from mingjian.base.errors import Forbidden, MingjianError
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState
from mingjian.record.ledger._queue import Queue, Ticket
from mingjian.record.ledger._store import Turn

WRITERS = 16
EACH = 4
KEY = SigningKey.from_seed(b"k" * 32)
Place = dict[str, Any]
Check = Callable[[LedgerState], None]


def batch(who: object, number: object = 0, owner: str = "") -> Batch:
    return Batch("task", "three", str(who), pa.table({"text": [f"{who} {number}"]}), owners=[owner])


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return Ledger.create(**place, origin="example.org/writers", key=KEY)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries came with each commit."""
    sizes: list[int] = []
    real = Turn.commit

    def counted(self: Turn, added: Any, *args: Any, **named: Any) -> None:
        real(self, added, *args, **named)
        sizes.append(len(added))

    monkeypatch.setattr(Turn, "commit", counted)
    return sizes


def want_whole(ledger: Ledger, each: int) -> None:
    """Every batch of every writer is there once, those of one writer in its order."""
    written = [rows[0]["text"].split() for _, rows in ledger.rows(ledger.entries())]
    for who in range(WRITERS):
        assert [int(number) for writer, number in written if writer == str(who)] == list(range(each))
    assert len(written) == WRITERS * each
    assert ledger.audit() == []


APPEND_MANY = """
import os, sys, tempfile, time
import pyarrow as pa
from mingjian.record.ledger import Batch, Ledger
where, blobs, writers, each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
from mingjian.base.keys import SigningKey
def rows(who, number):
    return Batch("task", "three", str(who), pa.table({"text": [f"{who} {number}"]}))
with tempfile.TemporaryDirectory() as folder:  # what is learnt at a first append is learnt once, before forking
    Ledger.create(folder, origin="example.org/first", key=SigningKey.generate()).append(rows(0, 0))
if where.startswith("postgresql"):
    import psycopg, sqlalchemy.dialects.postgresql.psycopg
children = []
for who in range(writers):
    child = os.fork()
    if not child:
        ledger = Ledger.open(where, blobs=blobs)
        for number in range(each):
            ledger.append(rows(who, number))
            while ledger.size < writers:  # until all have begun
                time.sleep(0.001)
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_sixteen_processes_lose_and_reorder_nothing_and_none_starves(ledger: Ledger, place: Place) -> None:
    each = 3 * EACH  # who was the last to begin is ahead of the others by some
    arguments = [str(place["where"]), str(place["blobs"]), str(WRITERS), str(each)]
    subprocess.run([sys.executable, "-c", APPEND_MANY, *arguments], check=True, timeout=300)
    want_whole(ledger, each)
    by = [entry.by for entry in ledger.entries()]
    first_done = next(at for at in range(len(by)) if Counter(by[: at + 1])[by[at]] == each)
    assert min(Counter(by[: first_done + 1]).values()) > 1, "each came to write again before one was done"


def test_sixteen_threads_lose_and_reorder_nothing_and_share_commits(ledger: Ledger, commits: list[int]) -> None:
    def write(who: int) -> None:
        for number in range(EACH):
            assert ledger.append(batch(who, number)).by == str(who)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    want_whole(ledger, EACH)
    assert sum(commits) == WRITERS * EACH
    assert max(commits) <= WRITERS


@contextmanager
def held(ledger: Ledger) -> Iterator[Callable[[Batch, Check | None], Future[Entry]]]:
    """While nobody can write: what makes threads line up, one behind the other, each to append something."""
    line = ledger._writer._queue._line
    with ThreadPoolExecutor(WRITERS) as pool, ledger._store.turn():
        asked: list[Future[Entry]] = []

        def ask(given: Batch, check: Check | None = None) -> Future[Entry]:
            asked.append(pool.submit(ledger.append, given, check))
            while len(line) < len(asked) - 1 or not ledger._writer._queue._busy:
                time.sleep(0.001)
            return asked[-1]

        yield ask


def test_those_who_wait_share_one_commit(ledger: Ledger, commits: list[int]) -> None:
    with held(ledger) as ask:
        asked = [ask(batch(who)) for who in range(WRITERS)]
    assert [future.result().index for future in asked] == list(range(WRITERS))
    assert commits == [WRITERS]


def test_a_check_sees_all_that_is_ahead_of_it_and_refuses_itself_alone(
    ledger: Ledger, place: Place, commits: list[int]
) -> None:
    seen: list[list[str]] = []

    def look(state: LedgerState) -> None:
        seen.append([rows[0]["text"] for _, rows in state.rows(state.entries())])
        assert Ledger.open(**place).size == state.size, "it is there for everybody, not only for the check"

    def refuse(state: LedgerState) -> None:
        look(state)
        raise Forbidden("not this one")

    with held(ledger) as ask:
        asked = [ask(batch("a")), ask(batch("b")), ask(batch("c"), refuse), ask(batch("d")), ask(batch("e"), look)]
    assert [asked[at].result().index for at in (0, 1, 3, 4)] == [0, 1, 2, 3]
    with pytest.raises(Forbidden, match="not this one"):
        asked[2].result()
    assert seen == [["a 0", "b 0"], ["a 0", "b 0", "d 0"]]
    assert commits == [2, 1, 1]


def test_two_who_are_first_for_an_owner_write_under_one_key(ledger: Ledger, commits: list[int]) -> None:
    with held(ledger) as ask:
        asked = [ask(batch(who, owner="person/A")) for who in range(3)]
    assert [future.result().rows for future in asked] == [1, 1, 1]
    assert commits == [3]
    assert [rows[0]["text"] for _, rows in ledger.rows(ledger.entries())] == ["0 0", "1 0", "2 0"]
    assert ledger.audit() == []
    assert ledger.erase(["person/A"], by="office").rows == 3


def test_a_commit_that_breaks_is_acknowledged_to_nobody(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.engine.Connection.commit", crash)
        with held(ledger) as ask:
            asked = [ask(batch(who)) for who in range(3)]
    faults = [future.exception() for future in asked]
    assert [type(fault) for fault in faults] == [OSError, MingjianError, MingjianError]
    assert "look for it in the ledger" in str(faults[1])
    assert ledger.size == 0
    assert ledger.append(batch("a")).index == 0, "the line goes on"


@pytest.mark.parametrize("called", [False, True], ids=["waiting", "called just then"])
def test_who_is_interrupted_in_the_line_holds_nobody_up(called: bool) -> None:
    queue: Queue[str, str] = Queue()
    first, second, third = (Ticket[str, str](who, apart=True) for who in ("first", "second", "third"))
    turn = queue.turn(first)

    def interrupted(timeout: float | None = None) -> bool:
        if called:
            turn.__exit__(None, None, None)
        raise KeyboardInterrupt

    second.called.wait = interrupted  # type: ignore[method-assign]
    assert turn.__enter__()
    with pytest.raises(KeyboardInterrupt), queue.turn(second):
        pass
    if not called:
        turn.__exit__(None, None, None)
    with queue.turn(third) as mine:
        assert mine
