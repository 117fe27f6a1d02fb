"""What anyone may see and do: verify a statement, and find what verification stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from mingjian.base.errors import Finding, Place
from mingjian.declare import Scheme
from mingjian.web._area import Area, Link, takes_files
from mingjian.web._bulletin import URN
from mingjian.web._errors import wants_json
from mingjian.web._forms import NOTHING, Form, Sent
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of
from mingjian.web._visit import Visit
from mingjian.web.public._verdicts import shown

router: Final = APIRouter()
MOST_PACKAGES: Final = 50  # verified at once
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# -- verifying ----------------------------------------------------------------------------------------------------------
@router.get("/verify")
def ask(request: Request, house: Home) -> Response:
    """The form."""
    return _form(request, house, NOTHING, 200)


@router.post("/verify")
@takes_files
def verify(request: Request, house: Home, form: Sent) -> Response:
    """The verdict on each package that was sent or pasted. Nothing of them is kept."""
    house.verifying.take(address_of(request))
    speech = house.pages.speech(request)
    packages = [(upload.name, upload.read()) for upload in form.uploads("files")]
    if pasted := form.text("text"):
        packages.append((speech("public.pasted"), pasted.encode()))
    if not 0 < len(packages) <= MOST_PACKAGES:
        key = "public.too_many" if packages else "public.nothing"
        found = Finding("amount", speech(key, most=MOST_PACKAGES), Place(field="files"))
        return _form(request, house, form.form(found, hide=("csrf", "files")), 422)
    report = house.bulletin.checked(packages)
    if wants_json(request):
        return JSONResponse(report.to_json())
    verdicts = [shown(checked, house.scheme) for checked in report.packages]
    return house.pages.html(request, "public/verdicts.html", verdicts=verdicts, counts=report.counts)


@router.get("/verify/{number}")
def issued(request: Request, house: Home, number: str) -> Response:
    """Whether a statement of this id was issued here, and whether it stands: what the code on a paper leads to.

    Says nothing of what it says or of whom: whoever reads the code may hold no more than the code.
    """
    number = number.lower().removeprefix(URN)
    if not UUID.fullmatch(number):
        raise HTTPException(404)
    register = house.bulletin.posted().register
    name = URN + number
    known = name in register.places
    change = register.revoked.get(name)
    facts: dict[str, Any] = {
        "id": name,
        "issued": known,
        "status": "revoked" if change is not None else "valid" if known else "unknown",
        "replaced_by": change.replaced_by if change is not None else "",
    }
    if wants_json(request):
        return JSONResponse(facts, 200 if known else 404)
    return house.pages.html(request, "public/issued.html", status=200 if known else 404, number=number, facts=facts)


# -- what it stands on --------------------------------------------------------------------------------------------------
@router.get("/status")
def status(request: Request, house: Home) -> Response:
    """The signed status list (W3C Bitstring Status List), or for a browser a page about it."""
    posted = house.bulletin.posted()
    if "text/html" not in request.headers.get("Accept", ""):
        return JSONResponse(posted.statuses, headers={"Vary": "Accept"})
    said = house.bulletin.trust()
    return house.pages.html(
        request,
        "public/status.html",
        issued=len(posted.register.places),
        revoked=len(posted.register.revoked),
        origin=house.workspace.ledger.origin,
        size=posted.size,
        trust=said,
    )


@router.get("/status.json")
def status_file(house: Home) -> Response:
    """The signed status list, as a file to keep."""
    return JSONResponse(house.bulletin.posted().statuses)


@router.get("/.well-known/mingjian.json")
def trust(house: Home) -> Response:
    """The keys of the issuer and of the ledger. Compare them with what you were given by another way."""
    return JSONResponse(house.bulletin.trust())


@router.get("/keys.json")
def keys(house: Home) -> Response:
    """The history of the keys, as a file to keep: which followed which, and what was revoked."""
    return JSONResponse(house.bulletin.posted().keys)


@router.get("/checkpoint")
def checkpoint(house: Home) -> Response:
    """The signed head of the ledger (C2SP tlog-checkpoint): a copy kept elsewhere shows any rewriting."""
    return PlainTextResponse(house.workspace.ledger.checkpoint())


@router.get("/statements")
def statements(request: Request, house: Home) -> Response:
    """The public statements."""
    found = house.bulletin.public()
    return house.pages.html(request, "public/statements.html", statements=found, urn=URN)


@router.get("/statements/{number}")
def statement(house: Home, number: str) -> Response:
    """The package of a public statement."""
    name = URN + number.removesuffix(".json")
    for one in house.bulletin.public():
        if one.statement.id == name:
            headers = {"Content-Disposition": f'attachment; filename="{number.removesuffix(".json")}.json"'}
            return Response(one.file.read_bytes(), media_type="application/json", headers=headers)
    raise HTTPException(404)


def _form(request: Request, house: House, form: Form, status: int) -> Response:
    return house.pages.html(request, "public/verify.html", status=status, form=form, most=MOST_PACKAGES)


def _links(visit: Visit, scheme: Scheme) -> Iterable[Link]:
    yield Link("/verify", "public.verify", "public.about_verify")
    if visit.person is None:
        yield Link("/statements", "public.statements", "public.about_statements")
        yield Link("/status", "public.status", "public.about_status")


public: Final = Area("public", router, _links)
