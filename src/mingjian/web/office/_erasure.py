"""Erasing a person for good, and the rows whose term is over."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.web._forms import NOTHING, Form, Sent, wanted
from mingjian.web._house import Home, House
from mingjian.web._visit import go
from mingjian.web.office._who import AsOverseer, names_of
from mingjian.workspace import Oversight

router: Final = APIRouter()


@router.get("/erasure")
def erasure(request: Request, house: Home, overseer: AsOverseer, subject: str = "") -> Response:
    """What was erased, what is due, and the form."""
    return _page(request, house, overseer, Form({"subject": subject}) if subject else NOTHING)


@router.post("/erasure")
def erase(request: Request, house: Home, overseer: AsOverseer, form: Sent) -> Response:
    """Erase all that describes a person: it cannot be taken back, so its id is typed twice, and the reason is kept."""
    speech = house.pages.speech(request)
    found = wanted(form, "subject", "reason", "again", message=speech("rule.missing"))
    if not found and form.text("again") != form.text("subject"):
        found = (Finding("not-the-same", speech("office.not_the_same"), Place(field="again")),)
    if found:
        return _page(request, house, overseer, form.form(*found), 422)
    try:
        purged = overseer.erase(form.text("subject"), form.text("reason"))
    except Misuse as refused:
        told = Finding("refused", refused.what, Place(field="subject"), remedy=refused.remedy)
        return _page(request, house, overseer, form.form(told), 422)
    return go(request, "/erasure", "office.erased", rows=purged.erased.rows, files=len(purged.files))


@router.post("/erasure/terms")
def expire(request: Request, overseer: AsOverseer, form: Sent) -> Response:
    """Destroy what has been kept for its term."""
    purged = overseer.expire()
    if purged is None:
        return go(request, "/erasure", "office.none_expired")
    return go(request, "/erasure", "office.expired_now", rows=purged.erased.rows)


def _page(request: Request, house: House, overseer: Oversight, form: Form, status: int = 200) -> Response:
    scheme = house.scheme
    return house.pages.html(
        request,
        "office/erasure.html",
        status=status,
        overseer=overseer,
        form=form,
        persons=overseer.persons(),
        expired=overseer.expired(),
        erasures=overseer.erasures(),
        kinds={name: kind.title for name, kind in scheme.evidence.items()},
        terms=[kind for kind in scheme.evidence.values() if kind.retain is not None],
        names=names_of(house),
    )
