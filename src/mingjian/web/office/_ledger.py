"""The ledger's head, its entries with their proofs, and the audit. Nothing of what the rows say."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mingjian.web._errors import wants_json
from mingjian.web._forms import Sent
from mingjian.web._house import Home
from mingjian.web.office._errands import begun, watched
from mingjian.web.office._who import AsOverseer, kinds_of, names_of

router: Final = APIRouter()
PAGE: Final = 50


@router.get("/ledger")
def ledger(request: Request, house: Home, overseer: AsOverseer, page: int = 1) -> Response:
    """The head and the latest entries, fifty at a time."""
    head = overseer.head()
    pages = max(1, -(-head.size // PAGE))
    here = min(max(page, 1), pages)
    return house.pages.html(
        request,
        "office/ledger.html",
        overseer=overseer,
        head=head,
        entries=overseer.entries(head.size - (here - 1) * PAGE, PAGE),
        kinds=kinds_of(house, house.pages.speech(request)),
        names=names_of(house),
        here=here,
        pages=pages,
        errand=overseer.audited(),
    )


@router.get("/ledger/audit")
def audited(request: Request, house: Home, overseer: AsOverseer) -> Response:
    """How far the audit is, or what it found."""
    return watched(request, house, "office/audit.html", overseer.audited())


@router.post("/ledger/audit")
def audit(request: Request, overseer: AsOverseer, form: Sent) -> Response:
    """Begin an audit; one that is under way serves as well."""
    return begun(request, "/ledger/audit", overseer.audit)


@router.get("/ledger/{index}")
def entry(request: Request, house: Home, overseer: AsOverseer, index: int) -> Response:
    """One entry: its header and the proof that it is in the tree."""
    proven = overseer.proven(index)
    path = [b64encode(step).decode() for step in proven.path]
    if wants_json(request):
        return JSONResponse({"entry": proven.entry.to_json(), "path": path, "checkpoint": proven.checkpoint})
    return house.pages.html(
        request,
        "office/entry.html",
        proven=proven,
        path_=path,
        leaf=proven.entry.leaf_hash.hex(),
        kinds=kinds_of(house, house.pages.speech(request)),
        names=names_of(house),
    )
