"""A clock that was ahead and is set right: order stays order, nobody is shut out, and no read is left without an anchor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Office, Workspace

TODAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
AHEAD = TODAY + timedelta(days=400)


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.time = AHEAD

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def at(office: Path, clock: Clock) -> Callable[[], Office]:
    """The office, opened anew."""
    return lambda: Office(Workspace.open(office, clock=clock))


def add(office: Office, name: str) -> datetime:
    """When the ledger says that a task came."""
    workspace, scheme = office.workspace, office.workspace.scheme()
    row = {"task": name, "unit": "U2", "quarter": "2021Q3", "deadline": "2999-12-31"}
    taken = workspace.add(scheme, "task", read_rows([row], evidence_types(scheme)["task"], zone=scheme.zone), "tester")
    assert taken.entry is not None
    return taken.entry.at


def test_no_entry_is_older_than_the_one_before(at: Callable[[], Office], clock: Clock) -> None:
    first = add(at(), "B1")
    clock.time = TODAY
    assert add(at(), "B2") == first
    clock.time = AHEAD + timedelta(seconds=1)
    assert add(at(), "B3") > first
    assert not at().workspace.ledger.audit()


def test_a_case_is_late_by_the_day_that_it_is_now(at: Callable[[], Office], clock: Clock) -> None:
    workspace = at().workspace
    scheme = workspace.scheme()
    row = {"task": "B1", "unit": "U1", "quarter": "2021Q3", "deadline": "2026-06-30"}
    workspace.add(scheme, "task", read_rows([row], evidence_types(scheme)["task"], zone=scheme.zone), "tester")
    office = at()
    assert office.now().docket.case("duty", "B1").late(office.now().day)
    clock.time = TODAY
    assert not office.now().docket.case("duty", "B1").late(office.now().day)


def test_reads_are_anchored_also_after_a_day_that_has_not_come(at: Callable[[], Office], clock: Clock) -> None:
    for day in (AHEAD, AHEAD + timedelta(days=1), TODAY, TODAY + timedelta(days=1)):
        clock.time = day
        at().note("rep", "reporter", "portrait", "U1", "2021Q3")
    office = at()
    days = [
        office.workspace.ledger.table(e.index)["day"][0].as_py() for e in office.workspace.ledger.entries(kind="anchor")
    ]
    assert days == [moment.date() for moment in (AHEAD + timedelta(days=1), TODAY, TODAY + timedelta(days=1))]
    assert not office.reads.check(office.workspace.ledger)


def test_who_is_signed_in_stays_so_and_a_new_session_ends_in_time(at: Callable[[], Office], clock: Clock) -> None:
    password = "a mirror, bright and still"
    accounts = at().accounts
    session = accounts.sign_in("web", password, "192.0.2.7")
    clock.time = TODAY
    assert accounts.session(session.token) is not None
    later = accounts.sign_in("web", password, "192.0.2.7")
    clock.time = TODAY + timedelta(hours=13)
    assert accounts.session(later.token) is None
