"""Who read what, and whether the log of it is the one that was anchored."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.web._forms import Sent
from mingjian.web._house import Home
from mingjian.web.office._errands import begun, watched
from mingjian.web.office._who import AsOverseer, kinds_of, names_of

router: Final = APIRouter()
MOST: Final = 60


@router.get("/reads")
def reads(request: Request, house: Home, overseer: AsOverseer, account: str = "", subject: str = "") -> Response:
    """The latest reads, of one account or about one subject where that is asked."""
    found = overseer.reads(account=account, subject=subject, limit=MOST)
    hierarchy = house.office.now().hierarchy
    size, anchor = overseer.anchored()
    return house.pages.html(
        request,
        "office/reads.html",
        overseer=overseer,
        reads=found,
        names=names_of(house),
        subjects={read.subject: hierarchy.subject(read.subject) for read in found},
        roles=house.scheme.roles,
        kinds=kinds_of(house, house.pages.speech(request)),
        account=account,
        subject=subject,
        most=MOST,
        size=size,
        anchor=anchor,
        errand=overseer.reads_checked(),
    )


@router.get("/reads/check")
def checked(request: Request, house: Home, overseer: AsOverseer) -> Response:
    """How the check of the log came out."""
    return watched(request, house, "office/audit.html", overseer.reads_checked())


@router.post("/reads/check")
def check(request: Request, overseer: AsOverseer, form: Sent) -> Response:
    """Hold the log against what was anchored of it."""
    return begun(request, "/reads/check", overseer.check_reads)
