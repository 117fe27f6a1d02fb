"""What stands before every page: limits, headers, a log that names nobody, and an answer also to our own faults."""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY: Final = 1024 * 1024  # bytes of a form
MOST_FILES_BODY: Final = 64 * 1024 * 1024  # bytes of a form with files

POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=31536000"

log: Final = logging.getLogger("mingjian.web")


class Headers:
    """Says to the browser on every answer what it may do with it; an answer that says so itself is left alone."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self.headers = HEADERS | ({"Strict-Transport-Security": HSTS} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


class Watch:
    """Logs what was asked for by the pattern of its address, never by the address; answers where the application broke.

    A fault is logged with an id, its kind and where it happened. What it says may hold what it failed on, so that is not.
    """

    def __init__(self, app: ASGIApp, sorry: Callable[[Request, str], Response]) -> None:
        self.app, self.sorry = app, sorry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or say sorry."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as fault:  # noqa: BLE001 - the last line: whatever it is, people get a page and we get a log
            number = secrets.token_hex(4)
            where = " < ".join(f"{f.name} {f.filename.rpartition('/')[2]}:{f.lineno}" for f in _frames(fault))
            log.error("fault %s: %s in %s", number, type(fault).__name__, where)
            if status == 0:
                await self.sorry(Request(scope, receive), number)(scope, receive, noted)
        milliseconds = (time.perf_counter() - began) * 1000
        log.info("%s %s %d %.0f ms", scope["method"], _pattern(scope), status, milliseconds)


def _frames(fault: BaseException) -> list[traceback.FrameSummary]:
    return traceback.extract_tb(fault.__traceback__)[:-9:-1]


def _pattern(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "(nowhere)"))


class Limits:
    """Reads no more than a form may hold: refused by the announced length before a byte is read, else when it is passed."""

    def __init__(self, app: ASGIApp, large: Sequence[re.Pattern[str]]) -> None:
        self.app, self.large = app, large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does; it meets HTTPException (413) where it would read too much."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_FILES_BODY if any(path.match(scope["path"]) for path in self.large) else MOST_BODY
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        so_far = int(announced) if announced.isdigit() and int(announced) > most else 0
        await self.app(scope, _counted(receive, so_far, most), send)


def _counted(receive: Receive, so_far: int, most: int) -> Callable[[], Awaitable[Message]]:
    async def counted() -> Message:
        nonlocal so_far
        if so_far <= most:
            message = await receive()
            so_far += len(message.get("body", b""))
            if so_far <= most:
                return message
        raise HTTPException(413, headers={"Connection": "close"})

    return counted
