"""Pages of errands: begun with a form, looked at until they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mingjian.web._house import House
from mingjian.web._visit import go
from mingjian.workspace import Busy, Errand


def begun(request: Request, page: str, begin: Callable[[], object]) -> Response:
    """Begin an errand, and go on to its page; one of its kind that is under way serves as well."""
    try:
        begin()
    except Busy:
        return go(request, page, "office.busy")
    return go(request, page)


def watched(request: Request, house: House, template: str, errand: Errand | None, **shown: Any) -> Response:
    """How far an errand is, or what it came to. Raises HTTPException 404 where none was begun."""
    if errand is None:
        raise HTTPException(404)
    return house.pages.html(request, template, errand=errand, **shown)
