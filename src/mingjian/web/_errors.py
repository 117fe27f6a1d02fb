"""Refusals as pages: what, why, where and the remedy, in the visitor's language; as JSON for programs that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mingjian.base.errors import Forbidden, MingjianError, Misuse, Tampered
from mingjian.web._forms import SAFE
from mingjian.web._visit import SignInFirst, Visit, go, here, language_of, new_token
from mingjian.workspace import Conflict

# The statuses that have a page of their own; every other one is shown as the nearest of these.
KNOWN: Final = (400, 403, 404, 405, 409, 413, 422, 429, 500)


def wants_json(request: Request) -> bool:
    """Whether a program asks, and not a browser."""
    accepted = request.headers.get("Accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def status_of(error: MingjianError, method: str) -> int:
    """The HTTP status of an error. In an address that is only looked at, a name that is not there is a page not there."""
    if isinstance(error, Forbidden):
        return 409 if isinstance(error, Conflict) else 403
    if isinstance(error, Tampered):
        return 500
    return 404 if isinstance(error, Misuse) and method in SAFE else 422


def refusal(
    request: Request,
    status: int,
    *,
    key: str = "",
    error: MingjianError | None = None,
    number: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer of that status. ``key`` names its words where they are not those of the status, ``number`` a logged fault."""
    nearest = status if status in KNOWN else 400 if status < 500 else 500
    if wants_json(request):
        body: dict[str, Any] = {"status": status} | (
            error.to_json() if error is not None else {"error": key or "Error"}
        )
        return JSONResponse(body | ({"id": number} if number else {}), status, headers=dict(headers or {}))
    pages = request.app.state.house.pages
    answer: Response = pages.html(
        request,
        "shell/error.html",
        status=status,
        headers=headers,
        key=key or f"e{nearest}",
        error=error,
        number=number,
    )
    return answer


def sorry(request: Request, number: str) -> Response:
    """The answer where the application broke: the id under which it was logged, and nothing of what happened."""
    request.scope.setdefault("state", {}).setdefault("visit", _stranger(request))
    return refusal(request, 500, number=number)


def _stranger(request: Request) -> Visit:
    language = language_of(request.cookies.get("language", ""), request.headers.get("Accept-Language", ""))
    return Visit(language, new_token())


def add_handlers(app: FastAPI) -> None:
    """Answer every refusal by a page."""

    @app.exception_handler(MingjianError)
    async def _refused(request: Request, error: MingjianError) -> Response:
        return refusal(request, status_of(error, request.method), error=error)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        key = error.detail if error.detail in ("foreign", "busy") else ""
        return refusal(request, error.status_code, key=key, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _shape(request: Request, error: RequestValidationError) -> Response:
        return refusal(request, 404 if request.method in SAFE else 422)

    @app.exception_handler(SignInFirst)
    async def _sign_in(request: Request, error: SignInFirst) -> Response:
        if wants_json(request):
            return JSONResponse({"status": 401, "error": "SignInFirst"}, 401)
        back = here(request) if request.method in SAFE else "/"
        return go(request, "/sign-in" + (f"?back={quote(back)}" if back != "/" else ""))
