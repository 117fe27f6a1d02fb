"""From a request's cookies to its visit."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mingjian.record.access import Session
from mingjian.web._house import House, house_of
from mingjian.web._visit import Visit, go, language_of, new_token, read_said

LONGEST_TOKEN = 200  # characters of a cookie that may be one of ours


class Visits:
    """Finds out once a request who visits; pages read it from there."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] == "http":
            visit = await run_in_threadpool(visit_in, self.house, HTTPConnection(scope))
            scope.setdefault("state", {})["visit"] = visit
        await self.app(scope, receive, send)


def visit_in(house: House, request: HTTPConnection) -> Visit:
    """Who visits, by the cookies. A session that has ended, or a made-up one, is a visit of nobody."""
    cookies = house.cookies
    language = language_of(cookies.read(request, "language"), request.headers.get("Accept-Language", ""))
    said = read_said(cookies.read(request, "said"), house.pages.words.keys)
    token = cookies.read(request, "session")
    session = house.accounts.session(token) if 0 < len(token) < LONGEST_TOKEN else None
    if session is not None:
        return Visit(language, token, False, house.person(session.account), said)
    token = cookies.read(request, "visit")
    known = 20 < len(token) < LONGEST_TOKEN
    return Visit(language, token if known else new_token(), not known, None, said)


def enter(request: Request, session: Session, path: str, said: str = "") -> Response:
    """Let somebody in: a cookie with a token that nobody had before, their language, and on to ``path``."""
    house = house_of(request)
    response = go(request, path, said)
    house.cookies.set(response, "session", session.token)
    house.cookies.drop(response, "visit")
    house.pages.keep_language(response, "zh" if session.account.language == "zh" else "en")
    return response


def leave(request: Request, path: str, said: str = "") -> Response:
    """Show somebody out: the session ends here and in the browser."""
    house = house_of(request)
    house.accounts.sign_out(house.cookies.read(request, "session"))
    response = go(request, path, said)
    house.cookies.drop(response, "session")
    return response


def address_of(request: Request) -> str:
    """From where a request came, as the audit of sign-ins keeps it."""
    return request.client.host if request.client is not None else ""
