"""Who signs in, and for how long: accounts, passwords, sessions, invitations, and every try at the door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.engine import Connection, Row

from mingjian.base.errors import Forbidden, Misuse
from mingjian.record.access._account_store import ACCOUNT, ATTEMPT, BINDING, INVITATION, SESSION, AccountStore
from mingjian.record.access._passwords import (
    Hasher,
    check_password,
    login_name,
    new_account_id,
    new_token,
    token_hash,
)
from mingjian.record.access._people import IDLE, LONGEST, Account, Attempt, Outcome, Session

FAILURES: Final = 5  # of one account, each within LOCK of the one before
FAILURES_FROM: Final = 20  # from one address within LOCK
LOCK: Final = timedelta(minutes=15)
INVITED: Final = timedelta(days=7)
SEEN: Final = timedelta(minutes=1)  # how fine the last use of a session is kept
KEPT: Final = timedelta(days=365)  # tries; China's Cybersecurity Law, article 21 (3), wants six months at least

_GOOD: Final = ("signed-in", "password-changed", "invitation-taken")
_FAILED: Final = tuple(one for one in get_args(Outcome) if one not in (*_GOOD, "limited"))
_LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True)
class _Try:
    """A try that is recorded already, as a failure. ``kept`` is the hash that the password must have, None if none will do."""

    id: int
    account: str
    outcome: Outcome
    kept: str | None


class Accounts:
    """The accounts in one SQLite file (of mode 0600), beside the ledger and never in it.

    Passwords are kept as argon2id (RFC 9106, the low-memory parameters), tokens as their SHA-256. Whoever is not let in is
    told the same after the same work, whether the name is unknown, the password wrong, or the account locked: after 5
    failures for 15 minutes. From an address with 20 failures in 15 minutes (IPv6: from its /64) nobody is heard.

    ``clock`` gives the time with its zone. One object serves many threads; many processes may open one file. Raises Misuse
    for a file that holds no accounts.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], *, hasher: PasswordHasher | None = None) -> None:
        self._store = AccountStore(path)
        self._clock = clock
        self._hasher = Hasher(hasher or PasswordHasher())

    # -- accounts -------------------------------------------------------------------------------------------------------
    def create(
        self,
        name: str,
        shown: str = "",
        *,
        language: str = "zh",
        subject: str = "",
        password: str | None = None,
        first: bool = False,
    ) -> Account:
        """A new account; without ``password`` nobody signs in to it before an invitation is taken (see `invite`).

        ``first``: only if it is the very first, for the page that sets all up; else raises Forbidden. Raises Misuse for a
        name that is taken or empty, over 200 characters or unprintable, for an unknown language or a bad password.
        """
        key = login_name(name)
        if not key:
            raise Misuse(f"{name!r} cannot be a name", remedy="1 to 200 printable characters")
        if language not in _LANGUAGES:
            raise Misuse(f"no language {language!r}", remedy=f"one of {', '.join(_LANGUAGES)}")
        if password is not None:
            check_password(password, name, shown)
        kept = None if password is None else self._hasher.hash(password)
        values = {"id": new_account_id(), "name": key, "shown": shown or name, "language": language, "subject": subject}
        with self._store.writing() as connection:
            if first and connection.execute(sa.select(ACCOUNT.c.id)).first():
                raise Forbidden("this is set up already", why="there are accounts", remedy="sign in")
            if connection.execute(sa.select(ACCOUNT.c.id).where(ACCOUNT.c.name == key)).first():
                raise Misuse(f"the name {name} is taken", remedy="choose another")
            connection.execute(ACCOUNT.insert().values(**values, made=self._now(), hash=kept))
            return _account(connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.id == values["id"])).one())

    def accounts(self) -> tuple[Account, ...]:
        """All of them, by name."""
        with self._store.reading() as connection:
            return tuple(map(_account, connection.execute(sa.select(ACCOUNT).order_by(ACCOUNT.c.name))))

    def account(self, id: str) -> Account | None:
        """The account of that id."""
        with self._store.reading() as connection:
            row = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.id == id)).one_or_none()
        return None if row is None else _account(row)

    def amend(
        self, id: str, *, shown: str | None = None, language: str | None = None, subject: str | None = None
    ) -> Account:
        """The account with another shown name, language or subject. Raises Misuse if there is none, or no such language."""
        if language not in (None, *_LANGUAGES):
            raise Misuse(f"no language {language!r}", remedy=f"one of {', '.join(_LANGUAGES)}")
        given = {"shown": shown, "language": language, "subject": subject}
        with self._store.writing() as connection:
            self._change(connection, id, **{name: value for name, value in given.items() if value is not None})
            return _account(connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.id == id)).one())

    def disable(self, id: str) -> None:
        """Nobody signs in to it any more; all its sessions and invitations end. Raises Misuse if there is none."""
        with self._store.writing() as connection:
            self._change(connection, id, disabled=True)
            connection.execute(SESSION.delete().where(SESSION.c.account == id))
            connection.execute(INVITATION.delete().where(INVITATION.c.account == id))

    def enable(self, id: str) -> None:
        """The contrary of `disable`; sessions do not come back. Raises Misuse if there is none."""
        with self._store.writing() as connection:
            self._change(connection, id, disabled=False)

    def erase(self, id: str) -> None:
        """Forget the account: names, password, sessions, and from where it was tried. The id says nothing by itself.

        Raises Misuse if there is none.
        """
        with self._store.writing() as connection:
            if not connection.execute(ACCOUNT.delete().where(ACCOUNT.c.id == id)).rowcount:
                raise _no_account(id)
            connection.execute(ATTEMPT.update().where(ATTEMPT.c.account == id).values(address="", network=""))
        self._store.scrub()

    # -- at the door ------------------------------------------------------------------------------------------------------
    def sign_in(self, name: str, password: str, address: str) -> Session:
        """A new session. Raises Forbidden, in the same words for every reason."""
        attempt = self._tried(ACCOUNT.c.name == login_name(name), password, address)
        with self._store.writing() as connection:
            self._confirm(connection, attempt, "signed-in")
            session = self._opened(connection, attempt.account)
        if attempt.kept and self._hasher.outdated(attempt.kept):
            self._upgrade(attempt.account, attempt.kept, password)
        return session

    def bind(self, id: str, issuer: str, sub: str) -> None:
        """Let the subject ``sub`` of an OpenID provider sign in to the account.

        Raises Misuse if there is no such account, or if that subject signs in to another.
        """
        key = {"issuer": issuer, "sub": sub}
        with self._store.writing() as connection:
            self._change(connection, id)
            held = connection.scalar(sa.select(BINDING.c.account).filter_by(**key))
            if held not in (None, id):
                raise Misuse("this external identity signs in to another account", remedy="choose another")
            if held is None:
                connection.execute(BINDING.insert().values(**key, account=id))

    def sign_in_external(self, issuer: str, sub: str, address: str) -> Session:
        """A new session for whom an OpenID provider vouches. Raises Forbidden if no account that may sign in is bound to it.

        The caller has verified the provider's token. A locked account is let in: nobody guessed here.
        """
        bound = ACCOUNT.join(BINDING, ACCOUNT.c.id == BINDING.c.account)
        query = sa.select(ACCOUNT).select_from(bound).where(BINDING.c.issuer == issuer, BINDING.c.sub == sub)
        with self._store.writing() as connection:
            row = connection.execute(query).one_or_none()
            outcome: Outcome = "unknown-name" if row is None else "disabled" if row.disabled else "signed-in"
            self._record(connection, row.id if row else "", address, outcome)
            session = self._opened(connection, row.id) if row and outcome == "signed-in" else None
        if session is None:
            raise Forbidden("not signed in", why="no account for this identity", remedy="ask the office for one")
        return session

    def session(self, token: str) -> Session | None:
        """The session that a token opens, unless it has ended: 30 minutes unused, 12 hours old, or by act of somebody."""
        now, key = self._now(), token_hash(token)
        joined = SESSION.join(ACCOUNT, SESSION.c.account == ACCOUNT.c.id)
        query = sa.select(ACCOUNT, SESSION.c.since, SESSION.c.seen).select_from(joined).where(SESSION.c.token == key)
        with self._store.reading() as connection:
            row = connection.execute(query.where(_alive(now), sa.not_(ACCOUNT.c.disabled))).one_or_none()
        if row is None:
            return None
        if now - row.seen < SEEN:
            return Session(token, _account(row), row.since, row.seen)
        with self._store.writing() as connection:
            connection.execute(SESSION.update().where(SESSION.c.token == key).values(seen=now))
        return Session(token, _account(row), row.since, now)

    def sign_out(self, token: str) -> None:
        """End the session of a token; of none, do nothing."""
        with self._store.writing() as connection:
            connection.execute(SESSION.delete().where(SESSION.c.token == token_hash(token)))

    def change_password(self, session: Session, current: str, new: str, address: str) -> None:
        """Another password; all other sessions of the account end, and its invitations.

        A wrong ``current`` counts like one at the door, and raises Forbidden. Raises Misuse for a bad ``new``.
        """
        check_password(new, session.account.name, session.account.shown)
        attempt = self._tried(ACCOUNT.c.id == session.account.id, current, address)
        kept = self._hasher.hash(new)
        with self._store.writing() as connection:
            self._confirm(connection, attempt, "password-changed")
            self._set_password(connection, attempt.account, kept, but=token_hash(session.token))

    def attempts(self, account: str | None = None, *, limit: int = 100) -> tuple[Attempt, ...]:
        """The latest tries to sign in (to one account; "" for names that nobody has), newest first. Kept for a year."""
        query = sa.select(ATTEMPT).order_by(ATTEMPT.c.id.desc()).limit(limit)
        with self._store.reading() as connection:
            rows = connection.execute(query if account is None else query.where(ATTEMPT.c.account == account))
            return tuple(Attempt(row.account, row.address, row.at, row.outcome) for row in rows)

    # -- invitations ------------------------------------------------------------------------------------------------------
    def invite(self, id: str) -> str:
        """A token by which the account's holder sets a password, once, within 7 days; an earlier one no longer holds.

        Raises Misuse if there is no such account, or it is disabled.
        """
        token = new_token()
        with self._store.writing() as connection:
            self._change(connection, id)
            if connection.scalar(sa.select(ACCOUNT.c.disabled).where(ACCOUNT.c.id == id)):
                raise Misuse("a disabled account is not invited", remedy="enable it first")
            connection.execute(INVITATION.delete().where(INVITATION.c.account == id))
            values = {"token": token_hash(token), "account": id, "until": self._now() + INVITED}
            connection.execute(INVITATION.insert().values(**values))
        return token

    def invited(self, token: str) -> Account | None:
        """Whose password an invitation sets, if it still holds."""
        joined = INVITATION.join(ACCOUNT, INVITATION.c.account == ACCOUNT.c.id)
        holds = (INVITATION.c.token == token_hash(token), INVITATION.c.until > self._now())
        with self._store.reading() as connection:
            row = connection.execute(sa.select(ACCOUNT).select_from(joined).where(*holds)).one_or_none()
        return None if row is None else _account(row)

    def accept(self, token: str, password: str, address: str) -> Session:
        """Take an invitation: the password is set, all earlier sessions end, and a new one begins.

        Raises Forbidden for an invitation that does not hold, Misuse for a bad password, which uses none up.
        """
        account = self.invited(token)
        if account is None:
            raise _no_invitation()
        check_password(password, account.name, account.shown)
        kept = self._hasher.hash(password)
        with self._store.writing() as connection:
            if not connection.execute(INVITATION.delete().where(INVITATION.c.token == token_hash(token))).rowcount:
                raise _no_invitation()  # somebody took it meanwhile
            self._record(connection, account.id, address, "invitation-taken")
            self._change(connection, account.id, failures=0, locked=None)
            self._set_password(connection, account.id, kept)
            return self._opened(connection, account.id)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    # -- within -----------------------------------------------------------------------------------------------------------
    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)

    def _tried(self, whose: sa.ColumnElement[bool], password: str, address: str) -> _Try:
        """A try whose password is right. Raises Forbidden for any other.

        It is recorded as a failure before the password is looked at, so that guesses made at once are counted too.
        """
        with self._store.writing() as connection:
            row = connection.execute(sa.select(ACCOUNT).where(whose)).one_or_none()
            outcome = self._foreseen(connection, row, address)
            account = row.id if row else ""
            if row and outcome == "wrong-password":
                self._count_failure(connection, row)
            attempt = _Try(
                self._record(connection, account, address, outcome),
                account,
                outcome,
                row.hash if row and outcome == "wrong-password" else None,
            )
        if outcome == "limited" or not self._hasher.verify(attempt.kept, password):
            raise _not_signed_in()
        return attempt

    def _foreseen(self, connection: Connection, row: Row[Any] | None, address: str) -> Outcome:
        now = self._now()
        late = (ATTEMPT.c.network == _network(address), ATTEMPT.c.at > now - LOCK, ATTEMPT.c.outcome.in_(_FAILED))
        if (connection.scalar(sa.select(sa.func.count()).select_from(ATTEMPT).where(*late)) or 0) >= FAILURES_FROM:
            return "limited"
        if row is None:
            return "unknown-name"
        if row.locked is not None and now < row.locked:
            return "locked"
        return "disabled" if row.disabled else "wrong-password" if row.hash else "no-password"

    def _count_failure(self, connection: Connection, row: Row[Any]) -> None:
        now = self._now()
        failures = 1 if row.failed is None or now - row.failed >= LOCK else row.failures + 1
        if failures < FAILURES:
            self._change(connection, row.id, failures=failures, failed=now)
        else:
            self._change(connection, row.id, failures=0, failed=now, locked=now + LOCK)

    def _confirm(self, connection: Connection, attempt: _Try, outcome: Outcome) -> None:
        """The try came to something. Raises Forbidden if the password was changed, or the account disabled, meanwhile."""
        same = (ACCOUNT.c.id == attempt.account, ACCOUNT.c.hash == attempt.kept, sa.not_(ACCOUNT.c.disabled))
        if not connection.execute(ACCOUNT.update().where(*same).values(failures=0, locked=None)).rowcount:
            raise _not_signed_in()
        connection.execute(ATTEMPT.update().where(ATTEMPT.c.id == attempt.id).values(outcome=outcome))

    def _record(self, connection: Connection, account: str, address: str, outcome: Outcome) -> int:
        now = self._now()
        connection.execute(ATTEMPT.delete().where(ATTEMPT.c.at < now - KEPT))
        values = {"account": account, "address": address, "network": _network(address), "at": now, "outcome": outcome}
        made = connection.execute(ATTEMPT.insert().values(**values)).inserted_primary_key
        return int(made[0]) if made else 0

    def _opened(self, connection: Connection, account: str) -> Session:
        """A new session; those that have ended by themselves are swept away."""
        now, token = self._now(), new_token()
        connection.execute(SESSION.delete().where(sa.not_(_alive(now))))
        connection.execute(SESSION.insert().values(token=token_hash(token), account=account, since=now, seen=now))
        row = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.id == account)).one()
        return Session(token, _account(row), now, now)

    def _set_password(self, connection: Connection, account: str, kept: str, but: bytes = b"") -> None:
        self._change(connection, account, hash=kept)
        connection.execute(SESSION.delete().where(SESSION.c.account == account, SESSION.c.token != but))
        connection.execute(INVITATION.delete().where(INVITATION.c.account == account))

    def _upgrade(self, account: str, kept: str, password: str) -> None:
        """Hash a password with the parameters of today, unless it was changed meanwhile."""
        fresh = self._hasher.hash(password)
        with self._store.writing() as connection:
            same = (ACCOUNT.c.id == account, ACCOUNT.c.hash == kept)
            connection.execute(ACCOUNT.update().where(*same).values(hash=fresh))

    def _change(self, connection: Connection, account: str, **values: object) -> None:
        """Set columns of an account (or none, to see that it is there). Raises Misuse if it is not."""
        here = ACCOUNT.c.id == account
        if not connection.execute(ACCOUNT.update().where(here).values(**(values or {"id": account}))).rowcount:
            raise _no_account(account)


def _alive(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(SESSION.c.since > now - LONGEST, SESSION.c.seen > now - IDLE)


def _account(row: Row[Any]) -> Account:
    return Account(
        row.id, row.name, row.shown, row.language, row.subject, row.made, bool(row.disabled), row.hash is not None
    )


def _network(address: str) -> str:
    """Whom a limit is about: an IPv4 address, and of IPv6 the /64, inside which one machine has every address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return (
        str(ip_network(f"{found.compressed.partition('%')[0]}/64", strict=False)) if found.version == 6 else str(found)
    )


def _not_signed_in() -> Forbidden:
    return Forbidden("not signed in", why="name or password is wrong, or too many attempts", remedy="try again later")


def _no_invitation() -> Forbidden:
    why = "it is unknown, used, or older than 7 days"
    return Forbidden("this invitation does not hold", why=why, remedy="ask the office for a new one")


def _no_account(id: str) -> Misuse:
    return Misuse(f"no account {id}")
