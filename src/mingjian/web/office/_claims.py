"""Published figures, and what becomes of each when it is held against the evidence and against the others."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.web._house import Home
from mingjian.web.office._who import AsOverseer

router: Final = APIRouter()
OUTCOMES: Final = ("contradicted", "consistent", "unsupported")  # what needs somebody's eyes first


@router.get("/claims")
def claims(request: Request, house: Home, overseer: AsOverseer) -> Response:
    """All of them, the contradicted ones first."""
    found = overseer.claims()
    return house.pages.html(
        request,
        "office/claims.html",
        overseer=overseer,
        groups=[(outcome, [v for v in found if v.outcome == outcome]) for outcome in OUTCOMES],
        count=len(found),
    )
