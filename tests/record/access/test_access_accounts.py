"""Accounts as people use them: made, invited, signed in to, changed, erased."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from mingjian.base.errors import Forbidden, MingjianError, Misuse
from mingjian.record.access import Account, Accounts

PASSWORD, OTHER = "correct horse battery", "满城春色宫墙柳，东风恶欢情薄"
DESK, HOME = "192.0.2.7", "198.51.100.9"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class HandClock:
    """Stands still until it is turned."""

    now: datetime = datetime(2021, 9, 7, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def accounts(tmp_path: Path, clock: HandClock) -> Accounts:
    return Accounts(tmp_path / "accounts.db", clock, hasher=QUICK)


@pytest.fixture
def li(accounts: Accounts) -> Account:
    return accounts.create("Li.Hua", "李华", subject="L001", password=PASSWORD)


# -- accounts ---------------------------------------------------------------------------------------------------------
def test_an_account_says_whose_it_is_under_an_id_that_does_not(
    accounts: Accounts, li: Account, clock: HandClock
) -> None:
    assert (li.name, li.shown, li.language, li.subject, li.made) == ("li.hua", "李华", "zh", "L001", clock.now)
    assert li.ready
    assert not li.disabled
    assert li.id.startswith("a-")
    assert len(li.id) == 12
    assert accounts.account(li.id) == li
    assert accounts.account("a-nobody") is None
    other = accounts.create("zhao", password=OTHER)
    assert accounts.accounts() == (li, other)
    assert other.shown == "zhao"


@pytest.mark.parametrize("typed", ["li.hua", "LI.HUA", " Li.Hua ", "Ｌｉ．Ｈｕａ"])
def test_a_name_is_the_same_however_it_is_typed(accounts: Accounts, li: Account, typed: str) -> None:
    assert accounts.sign_in(typed, PASSWORD, DESK).account == li
    with pytest.raises(Misuse, match="taken"):
        accounts.create(typed, password=OTHER)


@pytest.mark.parametrize(
    "name", ["", "  ", "a\nb", "a\x00", "x" * 201, "\ud800"], ids=["empty", "blank", "line", "null", "long", "odd"]
)
def test_what_cannot_be_typed_or_read_is_no_name(accounts: Accounts, name: str) -> None:
    with pytest.raises(Misuse, match="cannot be a name"):
        accounts.create(name, password=PASSWORD)
    with pytest.raises(Forbidden):
        accounts.sign_in(name, PASSWORD, DESK)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short secret"[:11], "password-short"),
        ("長" * 342, "password-long"),
        ("ADMINISTRATOR", "password-is-name"),
        ("the Administrator", "password-is-name"),
    ],
    ids=["short", "long", "name", "shown"],
)
def test_a_bad_password_is_refused_with_its_rule(accounts: Accounts, password: str, rule: str) -> None:
    with pytest.raises(Misuse) as told:
        accounts.create("administrator", "The Administrator", password=password)
    assert [finding.rule for finding in told.value.findings] == [rule]
    assert accounts.accounts() == ()


@pytest.mark.parametrize(
    "password", ["x" * 12, "x" * 1024, "密" * 12, "a\ud800" * 12], ids=["short", "long", "zh", "odd"]
)
def test_a_password_of_any_characters_will_do(accounts: Accounts, password: str) -> None:
    accounts.create("li", password=password)
    assert accounts.sign_in("li", password, DESK)
    with pytest.raises(Forbidden):
        accounts.sign_in("li", password + "x" * 1024, DESK)


def test_a_password_is_the_same_however_its_characters_are_composed(accounts: Accounts) -> None:
    accounts.create("li", password="cafe\u0301 au lait chaud")
    assert accounts.sign_in("li", "caf\u00e9 au lait chaud", DESK)


def test_a_language_that_is_not_spoken_is_refused(accounts: Accounts, li: Account) -> None:
    with pytest.raises(Misuse, match="no language"):
        accounts.create("zhao", language="fr", password=OTHER)
    with pytest.raises(Misuse, match="no language"):
        accounts.amend(li.id, language="fr")


def test_an_account_can_be_amended(accounts: Accounts, li: Account) -> None:
    amended = accounts.amend(li.id, shown="李桦", language="en")
    assert (amended.shown, amended.language, amended.subject) == ("李桦", "en", "L001")
    assert accounts.amend(li.id, subject="").subject == ""
    with pytest.raises(Misuse, match="no account"):
        accounts.amend("a-nobody", shown="x")


def test_only_the_first_sets_up(accounts: Accounts) -> None:
    accounts.create("first", password=PASSWORD, first=True)
    with pytest.raises(Forbidden, match="set up already"):
        accounts.create("second", password=PASSWORD, first=True)


# -- the file ---------------------------------------------------------------------------------------------------------
def test_the_file_is_for_its_owner_alone(tmp_path: Path, accounts: Accounts, li: Account) -> None:
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files][:2] == ["accounts.db", "accounts.db-shm"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_it_is_all_there_when_opened_again(tmp_path: Path, accounts: Accounts, li: Account, clock: HandClock) -> None:
    token = accounts.sign_in("li.hua", PASSWORD, DESK).token
    accounts.close()
    again = Accounts(tmp_path / "accounts.db", clock, hasher=QUICK)
    session = again.session(token)
    assert session is not None
    assert session.account == li


@pytest.mark.parametrize("content", [b"not a database, but a text of some length" * 30, None], ids=["text", "format"])
def test_another_file_is_not_taken_for_accounts(tmp_path: Path, clock: HandClock, content: bytes | None) -> None:
    path = tmp_path / "other.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version=7")
    else:
        path.write_bytes(content)
    with pytest.raises(Misuse):
        Accounts(path, clock)


def test_no_secret_stands_in_the_file(tmp_path: Path, accounts: Accounts, li: Account) -> None:
    session, invitation = accounts.sign_in("li.hua", PASSWORD, DESK), accounts.invite(li.id)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (PASSWORD, session.token, invitation):
        assert secret.encode() not in content
    assert session.token not in repr(session)


def test_an_erased_account_leaves_no_trace(tmp_path: Path, accounts: Accounts, li: Account) -> None:
    accounts.bind(li.id, "https://id.example", "external-subject")
    token = accounts.sign_in("li.hua", PASSWORD, DESK).token
    accounts.erase(li.id)
    assert accounts.session(token) is None
    assert accounts.accounts() == ()
    assert [(tried.account, tried.address) for tried in accounts.attempts()] == [(li.id, "")]
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for trace in ("li.hua", "李华", DESK, "L001", "external-subject"):
        assert trace.encode() not in content
    with pytest.raises(Misuse, match="no account"):
        accounts.erase(li.id)


def test_what_a_reader_keeps_from_being_erased_is_said(tmp_path: Path, accounts: Accounts, li: Account) -> None:
    with sqlite3.connect(tmp_path / "accounts.db") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM account").fetchall()
        with pytest.raises(MingjianError, match="journal"):
            accounts.erase(li.id)
    reader.close()
    assert accounts.accounts() == ()
    accounts.close()
    assert b"li.hua" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


# -- passwords --------------------------------------------------------------------------------------------------------
def test_passwords_are_kept_as_rfc_9106_says_and_old_ones_are_made_anew(tmp_path: Path, clock: HandClock) -> None:
    old = Accounts(tmp_path / "accounts.db", clock, hasher=QUICK)
    old.create("li", password=PASSWORD)
    now = Accounts(tmp_path / "accounts.db", clock)
    now.sign_in("li", PASSWORD, DESK)
    with sqlite3.connect(tmp_path / "accounts.db") as connection:
        ((kept,),) = connection.execute("SELECT hash FROM account")
    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY
    assert now.sign_in("li", PASSWORD, DESK)


# -- sessions ---------------------------------------------------------------------------------------------------------
def test_a_session_lives_while_it_is_used_and_no_longer_than_twelve_hours(
    accounts: Accounts, li: Account, clock: HandClock
) -> None:
    session = accounts.sign_in("li.hua", PASSWORD, DESK)
    assert session.until == clock.now + timedelta(hours=12)
    for _ in range(24):
        found = accounts.session(session.token)
        assert found is not None
        assert (found.account, found.since) == (li, session.since)
        clock.turn(minutes=29, seconds=59)
    assert accounts.session(session.token)
    clock.now = session.until
    assert accounts.session(session.token) is None


def test_a_session_left_alone_ends_after_thirty_minutes(accounts: Accounts, li: Account, clock: HandClock) -> None:
    token = accounts.sign_in("li.hua", PASSWORD, DESK).token
    clock.turn(minutes=30)
    assert accounts.session(token) is None
    clock.turn(minutes=-1)
    assert accounts.session(token), "it is the clock that ended it"


def test_sessions_that_ended_are_swept_away(tmp_path: Path, accounts: Accounts, li: Account, clock: HandClock) -> None:
    accounts.sign_in("li.hua", PASSWORD, DESK)
    clock.turn(hours=1)
    accounts.sign_in("li.hua", PASSWORD, DESK)
    with sqlite3.connect(tmp_path / "accounts.db") as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (1,)


def test_to_look_a_session_up_writes_at_most_once_a_minute(accounts: Accounts, li: Account, clock: HandClock) -> None:
    token = accounts.sign_in("li.hua", PASSWORD, DESK).token
    seen = []
    for _ in range(12):
        clock.turn(seconds=15)
        session = accounts.session(token)
        assert session is not None
        seen.append(session.seen)
    assert len(set(seen)) == 4


def test_who_signs_out_is_out(accounts: Accounts, li: Account) -> None:
    one, two = (accounts.sign_in("li.hua", PASSWORD, place).token for place in (DESK, HOME))
    accounts.sign_out(one)
    accounts.sign_out("nobody's")
    assert accounts.session(one) is None
    assert accounts.session(two)


def test_a_disabled_account_is_out_at_once_until_it_is_enabled(accounts: Accounts, li: Account) -> None:
    token, invitation = accounts.sign_in("li.hua", PASSWORD, DESK).token, accounts.invite(li.id)
    accounts.disable(li.id)
    assert accounts.session(token) is None
    assert accounts.invited(invitation) is None
    with pytest.raises(Forbidden):
        accounts.sign_in("li.hua", PASSWORD, DESK)
    with pytest.raises(Misuse, match="disabled"):
        accounts.invite(li.id)
    accounts.enable(li.id)
    assert accounts.session(token) is None
    assert accounts.sign_in("li.hua", PASSWORD, DESK)


# -- invitations ------------------------------------------------------------------------------------------------------
def test_an_invited_person_sets_a_password_once(accounts: Accounts, clock: HandClock) -> None:
    account = accounts.create("zhao", "赵")
    assert not account.ready
    token = accounts.invite(account.id)
    assert accounts.invited(token) == account
    with pytest.raises(Misuse):
        accounts.accept(token, "short", DESK)
    session = accounts.accept(token, OTHER, DESK)
    assert accounts.session(session.token)
    assert session.account.ready
    assert accounts.sign_in("zhao", OTHER, DESK)
    assert accounts.invited(token) is None
    with pytest.raises(Forbidden, match="does not hold"):
        accounts.accept(token, PASSWORD, DESK)
    assert [tried.outcome for tried in accounts.attempts(account.id)] == ["signed-in", "invitation-taken"]


def test_an_invitation_ends_after_seven_days_and_with_the_next(accounts: Accounts, clock: HandClock) -> None:
    id = accounts.create("zhao").id
    first, second = accounts.invite(id), accounts.invite(id)
    assert accounts.invited(first) is None
    clock.turn(days=7)
    for token in (first, second, "made up", "\ud800"):
        with pytest.raises(Forbidden, match="does not hold"):
            accounts.accept(token, OTHER, DESK)


def test_an_invitation_lets_one_in_who_forgot_and_shows_others_out(accounts: Accounts, li: Account) -> None:
    old = accounts.sign_in("li.hua", PASSWORD, DESK).token
    for _ in range(5):
        with pytest.raises(Forbidden):
            accounts.sign_in("li.hua", "is it this one?", DESK)
    accounts.accept(accounts.invite(li.id), OTHER, HOME)
    assert accounts.session(old) is None
    assert accounts.sign_in("li.hua", OTHER, HOME)
    with pytest.raises(Misuse, match="no account"):
        accounts.invite("a-nobody")


# -- another house's word ---------------------------------------------------------------------------------------------
def test_an_external_identity_finds_its_account(accounts: Accounts, li: Account) -> None:
    accounts.bind(li.id, "https://id.example", "77")
    accounts.bind(li.id, "https://id.example", "77")
    session = accounts.sign_in_external("https://id.example", "77", DESK)
    assert session.account == li
    assert accounts.session(session.token)
    for issuer, sub in (("https://evil.example", "77"), ("https://id.example", "78")):
        with pytest.raises(Forbidden):
            accounts.sign_in_external(issuer, sub, DESK)
    other = accounts.create("zhao")
    with pytest.raises(Misuse, match="another account"):
        accounts.bind(other.id, "https://id.example", "77")
    accounts.disable(li.id)
    with pytest.raises(Forbidden):
        accounts.sign_in_external("https://id.example", "77", DESK)
    outcomes = [tried.outcome for tried in accounts.attempts()]
    assert outcomes == ["disabled", "unknown-name", "unknown-name", "signed-in"]
