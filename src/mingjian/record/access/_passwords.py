"""Passwords and the other secrets of a sign-in: what may be one, and what is kept of it."""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b32encode, b64encode
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.base.values import sha256

SHORTEST_PASSWORD: Final = 12  # characters
LONGEST_PASSWORD: Final = 1024  # bytes
LONGEST_NAME: Final = 200  # characters
_AT_ONCE: Final = 4  # each takes 64 MiB and all cores: a crowd at the door waits in line


def login_name(text: str) -> str:
    """A name as it is compared: NFKC, without case or outer spaces; "" for what can be no name at all.

    Folding case can undo the normal form, so it is made anew.
    """
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())
    return name if name.isprintable() and len(name) <= LONGEST_NAME else ""


def secret_bytes(password: str) -> bytes:
    """A password as it is hashed: NFKC (NIST SP 800-63B, 5.1.1.2), so that it does not depend on the keyboard."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check_password(password: str, *names: str) -> None:
    """Raises Misuse, with every finding, for what may not be a password: short, long, or one of the account's ``names``."""
    if findings := tuple(_password_findings(password, names)):
        raise Misuse("this password cannot be taken", findings=findings)


def _password_findings(password: str, names: tuple[str, ...]) -> Iterator[Finding]:
    place = Place(field="password")
    if len(unicodedata.normalize("NFKC", password)) < SHORTEST_PASSWORD:
        yield Finding("password-short", f"it has fewer than {SHORTEST_PASSWORD} characters", place)
    if len(secret_bytes(password)) > LONGEST_PASSWORD:
        yield Finding("password-long", f"it has more than {LONGEST_PASSWORD} bytes", place)
    if (typed := login_name(password)) and typed in map(login_name, names):
        yield Finding("password-is-name", "it is the name", place)


def new_token() -> str:
    """256 bits that nobody guesses, fit for a cookie or an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is kept of a token. It has 256 bits of its own, so a plain SHA-256 does."""
    return sha256(token.encode("utf-8", "surrogatepass"))


def new_account_id() -> str:
    """An id that says nothing of whose it is: it goes into the ledger, and nothing there can be taken back."""
    return "a-" + b32encode(secrets.token_bytes(7)).decode()[:10].lower()


class Hasher:
    """argon2id, a few at a time; for a name that nobody has, it takes as long and says no."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turns = BoundedSemaphore(_AT_ONCE)
        parts = (
            b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len)
        )
        costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
        self._nobody = f"$argon2id$v=19${costs}${'$'.join(parts)}"

    def hash(self, password: str) -> str:
        """The PHC string of a password under a salt of its own."""
        with self._turns:
            return self._hasher.hash(secret_bytes(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether this is the password that ``kept`` was made of. Without one it is not, and that takes as long."""
        given = secret_bytes(password)
        try:
            with self._turns:
                right = self._hasher.verify(kept or self._nobody, given[:LONGEST_PASSWORD])
        except VerifyMismatchError:
            return False
        return right and kept is not None and len(given) <= LONGEST_PASSWORD

    def outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)
