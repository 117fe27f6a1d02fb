"""One request's visitor: in which language, with which session, allowed to do what."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from mingjian.web._words import LANGUAGES, Language

LONGEST_SAID: Final = 2048  # characters of a message that waits in a cookie
YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: their account's id, the name shown, the subject that they are (if any), and the roles held today."""

    account: str
    name: str
    subject: str = ""
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Said:
    """A message for the next page: a key of the words and what fills it."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """``token`` is the secret of the session, or of the visit of somebody not signed in; ``new`` until their browser has it."""

    language: Language
    token: str = field(repr=False)
    new: bool = False
    person: Person | None = None
    said: Said | None = None

    @property
    def csrf(self) -> str:
        """What every form carries: known to our pages only, different in every session, and no way back to the token."""
        return urlsafe_b64encode(hmac.digest(self.token.encode(), b"mingjian form", sha256)).decode().rstrip("=")

    def holds(self, *roles: str) -> bool:
        """Whether the visitor holds one of these roles."""
        return self.person is not None and not self.person.roles.isdisjoint(roles)


def new_token() -> str:
    """A secret for a visit."""
    return secrets.token_urlsafe(32)


# -- where it stands ----------------------------------------------------------------------------------------------------
def visit_of(request: HTTPConnection) -> Visit:
    """The visit of a request."""
    visit: Visit = request.scope["state"]["visit"]
    return visit


class SignInFirst(Exception):
    """Somebody who is not signed in asked for what wants an account."""


def person_of(request: HTTPConnection) -> Person:
    """Who is signed in. Raises SignInFirst where nobody is: the page asks them to, and leads back."""
    person = visit_of(request).person
    if person is None:
        raise SignInFirst
    return person


async def _here(request: Request) -> Visit:
    return visit_of(request)


async def _signed_in(request: Request) -> Person:
    return person_of(request)


Here = Annotated[Visit, Depends(_here)]
SignedIn = Annotated[Person, Depends(_signed_in)]


# -- language -----------------------------------------------------------------------------------------------------------
def language_of(chosen: str, accepted: str) -> Language:
    """The language chosen before, or the first of ours in Accept-Language (RFC 9110, section 12.5.4), or Chinese."""
    for language in LANGUAGES:
        if language == chosen:
            return language
    ranked: list[tuple[float, int, Language]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        known = next((language for language in LANGUAGES if tag.lower().split("-")[0] == language), None)
        weight = _weight(parameters)
        if known is not None and weight > 0:
            ranked.append((-weight, place, known))
    return min(ranked)[2] if ranked else "zh"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


# -- cookies ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cookies:
    """Our cookies. With ``secure`` they bear the prefix that keeps other hosts and plain HTTP from setting them."""

    secure: bool

    def name(self, name: str) -> str:
        """A cookie's name."""
        return f"__Host-{name}" if self.secure else name

    def read(self, request: HTTPConnection, name: str) -> str:
        """A cookie's value, "" where there is none."""
        return request.cookies.get(self.name(name), "")

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Have the browser keep a value, until it is closed unless ``seconds`` are said; no script reads it."""
        response.set_cookie(
            self.name(name), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, name: str) -> None:
        """Have the browser forget a value."""
        response.delete_cookie(self.name(name), path="/", secure=self.secure, httponly=True, samesite="lax")


def said_text(said: Said) -> str:
    """A message as a cookie keeps it."""
    packed = json.dumps([said.key, dict(said.values)], ensure_ascii=False).encode()
    return urlsafe_b64encode(packed).decode()


def read_said(text: str, keys: frozenset[str]) -> Said | None:
    """The message in a cookie, or None for anything but a key of ours with texts: a cookie may come from anybody."""
    if not text or len(text) > LONGEST_SAID:
        return None
    try:
        key, values = json.loads(urlsafe_b64decode(text))
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(key, str) or key not in keys or not isinstance(values, dict):
        return None
    return Said(key, {str(name): str(value) for name, value in values.items()})


def go(request: Request, path: str, said: str = "", **values: Any) -> Response:
    """Lead on to ``path`` (303), where the message ``said`` (a key of the words) is shown."""
    response = RedirectResponse(path, status_code=303)
    if said:
        cookies: Cookies = request.app.state.house.cookies
        cookies.set(response, "said", said_text(Said(said, {k: str(v) for k, v in values.items()})), seconds=60)
    return response


def here(request: HTTPConnection) -> str:
    """Where a request went, with what it asked for there."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def local(path: str) -> str:
    """``path`` if it stays on this face, else the first page: nobody is led elsewhere by an address that we were handed."""
    stays = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if stays and len(path) < LONGEST_SAID else "/"
