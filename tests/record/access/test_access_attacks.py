"""At the door with other people's names, guesses and cookies."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from mingjian.base.errors import Forbidden, Misuse
from mingjian.record.access import Account, Accounts, Session

PASSWORD, OTHER, GUESS = "correct horse battery", "满城春色宫墙柳，东风恶欢情薄", "is it this one?"
DESK, HOME = "192.0.2.7", "198.51.100.9"


class Counting(PasswordHasher):
    """Counts how often argon2 does its work, which is what takes the time at the door."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.work: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.work.append(str(hash))
        return super().verify(hash, password)


@dataclass
class Door:
    """The accounts, with a clock that is turned by hand and a count of the work done."""

    accounts: Accounts
    hasher: Counting
    now: datetime = datetime(2021, 9, 7, 8, tzinfo=UTC)

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)

    def answer(self, name: str, password: str, address: str = DESK) -> str:
        """What one is told who is not let in; "" if one is."""
        try:
            self.accounts.sign_in(name, password, address)
        except Forbidden as refusal:
            return str(refusal)
        return ""

    def work(self, *tries: Callable[[], object]) -> list[int]:
        """How often argon2 works on each."""
        done = []
        for one in tries:
            before = len(self.hasher.work)
            one()
            done.append(len(self.hasher.work) - before)
        return done

    def outcomes(self, account: str | None = None) -> list[str]:
        return [tried.outcome for tried in self.accounts.attempts(account)]


@pytest.fixture
def door(tmp_path: Path) -> Door:
    hasher = Counting()
    door: Door
    accounts = Accounts(tmp_path / "accounts.db", lambda: door.now, hasher=hasher)
    door = Door(accounts, hasher)
    return door


@pytest.fixture
def li(door: Door) -> Account:
    return door.accounts.create("li", "李华", password=PASSWORD)


def signed_in(door: Door) -> Session:
    return door.accounts.sign_in("li", PASSWORD, DESK)


# -- names ------------------------------------------------------------------------------------------------------------
def test_nobody_learns_which_names_there_are(door: Door, li: Account) -> None:
    off = door.accounts.create("off", password=PASSWORD)
    door.accounts.disable(off.id)
    door.accounts.create("invited")
    for _ in range(5):
        door.answer("li", GUESS)

    names = {"li": "locked", "off": "disabled", "invited": "no-password", "nobody": "unknown-name", "": "unknown-name"}
    answers = {door.answer(name, PASSWORD) for name in names}
    assert answers == {"not signed in: name or password is wrong, or too many attempts → try again later"}
    assert door.outcomes()[:5] == list(names.values())[::-1], "the office is told which it was"
    assert door.work(*(lambda name=name: door.answer(name, PASSWORD, HOME) for name in names)) == [1] * 5
    costs = {kept.rpartition("$")[0].rpartition("$")[0] for kept in door.hasher.work}
    assert costs == {"$argon2id$v=19$m=8,t=1,p=1"}, "what is verified in vain costs the same"


def test_an_overlong_password_is_no_shorter_way(door: Door, li: Account) -> None:
    assert door.work(lambda: door.answer("li", "x" * 100_000), lambda: door.answer("nobody", "x" * 100_000)) == [1, 1]


def test_what_was_typed_as_a_name_is_kept_nowhere(tmp_path: Path, door: Door) -> None:
    door.answer("my password in the wrong field", "")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"wrong field" not in content
    assert [tried.account for tried in door.accounts.attempts()] == [""]


# -- guesses ----------------------------------------------------------------------------------------------------------
def test_five_failures_lock_an_account_for_fifteen_minutes(door: Door, li: Account) -> None:
    for _ in range(5):
        assert door.answer("li", GUESS)
    assert door.answer("li", PASSWORD, HOME), "from anywhere, and with the right password"
    door.turn(minutes=14, seconds=59)
    assert door.answer("li", PASSWORD, HOME)
    door.turn(seconds=1)
    assert not door.answer("li", PASSWORD, HOME)
    assert door.outcomes(li.id) == ["signed-in", "locked", "locked"] + ["wrong-password"] * 5


def test_guessing_while_it_is_locked_does_not_lock_it_for_longer(door: Door, li: Account) -> None:
    for _ in range(10):
        door.answer("li", GUESS)
    door.turn(minutes=15)
    assert not door.answer("li", PASSWORD)


def test_failures_far_apart_or_before_a_success_do_not_add_up(door: Door, li: Account) -> None:
    for _ in range(3):
        for _ in range(4):
            assert door.answer("li", GUESS)
        assert not door.answer("li", PASSWORD)
    for _ in range(8):
        door.turn(minutes=15)
        assert door.answer("li", GUESS)
    assert not door.answer("li", PASSWORD)


def test_the_right_password_at_the_fifth_try_is_let_in(door: Door, li: Account) -> None:
    for _ in range(4):
        door.answer("li", GUESS)
    assert not door.answer("li", PASSWORD)
    assert not door.answer("li", PASSWORD)


def test_guesses_made_at_once_are_counted_too(door: Door, li: Account) -> None:
    kept = [len(door.hasher.work)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: door.answer("li", GUESS, f"203.0.113.{n}"), range(16)))
    assert all(answers)
    assert len(door.hasher.work) - kept[0] == 16
    assert sorted(door.outcomes(li.id)).count("wrong-password") == 5
    real = [kept for kept in door.hasher.work if door.hasher.work.count(kept) == 5]
    assert len(real) == 5, "the password itself was looked at five times"


def test_an_address_that_fails_twenty_times_is_not_heard_for_a_while(door: Door, li: Account) -> None:
    for number in range(20):
        assert door.answer(f"name{number}", GUESS)
    assert door.work(lambda: door.answer("li", PASSWORD)) == [0], "nor does it cost us anything"
    assert door.outcomes()[0] == "limited"
    assert not door.answer("li", PASSWORD, HOME)
    door.turn(minutes=15)
    assert not door.answer("li", PASSWORD)


@pytest.mark.parametrize(
    ("addresses", "limited"),
    [
        (lambda n: f"2001:db8:0:1::{n:x}", True),  # one machine has all of a /64
        (lambda n: f"fe80::{n:x}%eth0", True),
        (lambda n: f"2001:db8:0:{n:x}::1", False),
        (lambda n: "::ffff:192.0.2.7", True),
        (lambda n: "", True),  # behind a socket without addresses all are one
    ],
    ids=["one-network", "link", "many-networks", "mapped", "none"],
)
def test_an_address_of_ipv6_is_its_network(door: Door, addresses: Callable[[int], str], limited: bool) -> None:
    for number in range(21):
        door.answer("nobody", GUESS, addresses(number))
    assert (door.outcomes()[0] == "limited") == limited
    assert door.accounts.attempts()[0].address == addresses(20)


def test_tries_are_forgotten_after_a_year(door: Door) -> None:
    door.answer("nobody", GUESS)
    door.turn(days=366)
    door.answer("nobody", GUESS)
    assert len(door.accounts.attempts()) == 1
    assert len(door.accounts.attempts(limit=0)) == 0


# -- sessions ---------------------------------------------------------------------------------------------------------
def test_a_stolen_session_ends_when_the_password_is_changed(door: Door, li: Account) -> None:
    stolen, own = signed_in(door), signed_in(door)
    invitation = door.accounts.invite(li.id)
    door.accounts.change_password(own, PASSWORD, OTHER, DESK)
    assert door.accounts.session(stolen.token) is None
    assert door.accounts.session(own.token)
    assert door.accounts.invited(invitation) is None
    assert door.answer("li", PASSWORD)
    assert not door.answer("li", OTHER)
    assert door.outcomes(li.id)[2] == "password-changed"


def test_a_thief_with_a_session_cannot_guess_the_password_either(door: Door, li: Account) -> None:
    stolen = signed_in(door)
    for _ in range(5):
        with pytest.raises(Forbidden):
            door.accounts.change_password(stolen, GUESS, OTHER, DESK)
    with pytest.raises(Forbidden):
        door.accounts.change_password(stolen, PASSWORD, OTHER, DESK)
    with pytest.raises(Misuse):
        door.accounts.change_password(stolen, PASSWORD, "short", DESK)


def test_who_typed_the_old_password_while_it_was_changed_is_not_let_in(
    door: Door, li: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, verify = signed_in(door), Counting.verify

    def slow(self: Counting, hash: str | bytes, password: str | bytes) -> bool:
        right = verify(self, hash, password)
        monkeypatch.setattr(Counting, "verify", verify)
        door.accounts.change_password(own, PASSWORD, OTHER, DESK)
        return right

    monkeypatch.setattr(Counting, "verify", slow)
    assert door.answer("li", PASSWORD)


def test_an_invitation_taken_twice_at_once_is_taken_once(door: Door) -> None:
    token = door.accounts.invite(door.accounts.create("zhao").id)

    def take(number: int) -> bool:
        try:
            return bool(door.accounts.accept(token, f"{OTHER}{number}", DESK))
        except Forbidden:
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))
    assert taken.count(True) == 1
    assert not door.answer("zhao", f"{OTHER}{taken.index(True)}")


@pytest.mark.parametrize("forged", ["", "x" * 43, "\ud800", "' OR 1=1 --"], ids=["empty", "long", "odd", "sql"])
def test_a_made_up_token_opens_nothing(door: Door, li: Account, forged: str) -> None:
    session = signed_in(door)
    for token in (forged, session.token[:-1], session.token + "A", session.token.swapcase()):
        assert door.accounts.session(token) is None
    door.accounts.sign_out(forged)
    assert door.accounts.session(session.token)


def test_the_ids_of_accounts_are_not_in_their_names_and_all_differ(door: Door) -> None:
    ids = {door.accounts.create(f"n{number}").id for number in range(50)}
    assert len(ids) == 50
    assert all(set(id[2:]) <= set("abcdefghijklmnopqrstuvwxyz234567") for id in ids)
