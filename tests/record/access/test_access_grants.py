"""Who holds which role when, folded from the ledger however it was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey
from mingjian.declare import Scheme, evidence_types
from mingjian.record.access import Actor, Grant, Grants
from mingjian.record.evidence import read_rows
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState

JANUARY, JUNE, SEPTEMBER = date(2021, 1, 1), date(2021, 6, 1), date(2021, 9, 1)
KEY = SigningKey.from_seed(b"k" * 32)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path, origin="example.org/test", key=KEY)


def record(ledger: Ledger, scheme: Scheme, *grants: Grant) -> None:
    rows = [{name: getattr(grant, name) for name in Grant.__dataclass_fields__} for grant in grants]
    kind = evidence_types(scheme)["grant"]
    ledger.append(Batch("grant", scheme.id, "office", read_rows(rows, kind, zone=scheme.zone).accepted(kind)))


def given_to(account: str, role: str, subject: str, since: date = JANUARY, until: date | None = None) -> Grant:
    return Grant(account, role, subject, since, until, by="a-office")


def test_what_was_granted_is_held_and_what_was_taken_is_not(scheme: Scheme, ledger: Ledger) -> None:
    record(ledger, scheme, given_to("a", "reporter", "U01"), given_to("a", "resident", "U02"))
    record(ledger, scheme, given_to("b", "reporter", "U01", since=JUNE))
    before = Grants.read(scheme, ledger.state())
    record(ledger, scheme, given_to("a", "reporter", "U01", until=SEPTEMBER))
    after = before.advanced(ledger.state())

    assert [grant.role for grant in before.of("a", SEPTEMBER)] == ["reporter", "resident"]
    assert [grant.role for grant in after.of("a", SEPTEMBER)] == ["resident"]
    assert [grant.role for grant in after.of("a", JUNE)] == ["reporter", "resident"]
    assert [grant.account for grant in after.over("U01", JUNE)] == ["a", "b"]
    assert [grant.account for grant in after.over("U01", JANUARY)] == ["a"]
    assert after.accounts() == ("a", "b")
    assert after.actor("b", JUNE) == Actor("b", (given_to("b", "reporter", "U01", since=JUNE),))
    assert after.of("c", JUNE) == ()


def test_a_role_given_again_is_held_again(scheme: Scheme, ledger: Ledger) -> None:
    record(ledger, scheme, given_to("a", "reporter", "U01", until=JUNE))
    record(ledger, scheme, given_to("a", "reporter", "U01", since=SEPTEMBER))
    held = Grants.read(scheme, ledger.state())
    assert not held.of("a", JUNE)
    assert held.of("a", SEPTEMBER)


def test_a_role_given_and_taken_on_one_day_is_not_held_on_it(scheme: Scheme, ledger: Ledger) -> None:
    record(ledger, scheme, given_to("a", "reporter", "U01", since=JUNE, until=JUNE))
    assert not Grants.read(scheme, ledger.state()).of("a", JUNE)


def test_only_new_entries_are_read_and_only_of_this_scheme(
    scheme: Scheme, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(ledger, scheme, given_to("a", "reporter", "U01"))
    grants = Grants.read(scheme, ledger.state())
    record(ledger, replace(scheme, id="other"), given_to("thief", "office", "D"))
    record(ledger, scheme, given_to("b", "reporter", "U01"))
    state, read = ledger.state(), list[int]()
    rows = LedgerState.rows

    def noted(self: LedgerState, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Any]]:
        for entry, found in rows(self, entries):
            read.append(entry.index)
            yield entry, found

    monkeypatch.setattr(LedgerState, "rows", noted)
    grants = grants.advanced(state)
    assert (read, grants.size, grants.accounts()) == ([2], 3, ("a", "b"))
    assert grants.advanced(state) is grants


def test_grants_are_not_read_backwards(scheme: Scheme, ledger: Ledger) -> None:
    record(ledger, scheme, given_to("a", "reporter", "U01"))
    with pytest.raises(Misuse):
        Grants.read(scheme, ledger.state()).advanced(ledger.state(0))


GIVEN = st.builds(
    given_to,
    st.sampled_from("abc"),
    st.sampled_from(["reporter", "office"]),
    st.sampled_from(["D", "U01"]),
    st.sampled_from([JANUARY, JUNE]),
    st.sampled_from([None, JUNE, SEPTEMBER]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.lists(GIVEN, min_size=1, max_size=3, unique_by=lambda g: (g.account, g.role, g.subject)), max_size=5
    )
)
def test_however_it_is_read_it_comes_to_the_same(
    scheme: Scheme, tmp_path_factory: pytest.TempPathFactory, steps: list[list[Grant]]
) -> None:
    ledger = Ledger.create(tmp_path_factory.mktemp("grants"), origin="example.org/test", key=KEY)
    stepwise = Grants.read(scheme, ledger.state())
    last: dict[tuple[str, str, str], Grant] = {}
    for grants in steps:
        record(ledger, scheme, *grants)
        stepwise = stepwise.advanced(ledger.state())
        last |= {(grant.account, grant.role, grant.subject): grant for grant in grants}
    for day in (JANUARY, JUNE, SEPTEMBER):
        held = {grant for grant in last.values() if grant.holds(day)}
        for grants_read in (stepwise, Grants.read(scheme, ledger.state())):
            assert {grant for account in "abc" for grant in grants_read.of(account, day)} == held
            assert {grant for subject in ("D", "U01") for grant in grants_read.over(subject, day)} == held
