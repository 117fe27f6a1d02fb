"""The first run, in one page: the first account, with the highest role over the whole programme.

It is there only while there are no accounts, and only for whoever read the address that `serve` printed in its terminal.
"""

from __future__ import annotations

import hmac
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.declare import Role, Scheme
from mingjian.web._forms import Form, Sent, wanted
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of, enter
from mingjian.web.accounts._invited import repeated
from mingjian.web.accounts._subjects import subjects_today
from mingjian.workspace import grant

router: Final = APIRouter()


@router.get("/setup")
def setup(request: Request, house: Home, token: str = "") -> Response:
    """The form."""
    _open(house, token)
    return _page(request, house, Form({"token": token}), 200)


@router.post("/setup")
def set_up(request: Request, house: Home, form: Sent) -> Response:
    """Make the first account, give it the highest role, and let it in."""
    _open(house, form.text("token"))
    now = house.office.now()
    role = _highest(now.scheme)
    speech = house.pages.speech(request)
    found = wanted(form, "name", "shown", "password", message=speech("rule.missing"))
    found += repeated(form, "accounts.not_the_same", house, request)
    if form.text("subject") not in {subject.id for subject in subjects_today(now, role.of)}:
        found += (Finding("missing", speech("rule.missing"), Place(field="subject")),)
    if found:
        return _page(request, house, _shown_again(form, found), 422)
    name, password = form.text("name"), form.secret("password")
    try:
        account = house.accounts.create(
            name, form.text("shown"), language=speech.language, password=password, first=True
        )
    except Misuse as refused:
        return _page(request, house, _shown_again(form, refused.findings), 422)
    grant(house.office, account.id, role.id, form.text("subject"), since=now.day, by=account.id)
    return enter(request, house.accounts.sign_in(name, password, address_of(request)), "/people", "accounts.set_up")


def _open(house: House, token: str) -> None:
    """Raises HTTPException (404) once there is an account, and for another token."""
    expected = house.settings.setup_token
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()) or house.accounts.accounts():
        raise HTTPException(404)


def _highest(scheme: Scheme) -> Role:
    """The role that gives the most roles; of equals one that oversees and unseals. Misuse for a scheme without roles."""
    if not scheme.roles:
        raise Misuse(f"scheme {scheme.id} declares no roles", remedy="declare [role....] in its scheme.toml")
    return max(scheme.roles.values(), key=lambda role: (len(role.grants), role.oversees, role.unseals))


def _shown_again(form: Sent, found: tuple[Finding, ...]) -> Form:
    return form.form(*found, hide=("csrf", "password", "again"))


def _page(request: Request, house: House, form: Form, status: int) -> Response:
    now = house.office.now()
    role = _highest(now.scheme)
    language = house.pages.speech(request).language
    subjects = [(subject.id, subject.title.text(language)) for subject in subjects_today(now, role.of)]
    return house.pages.html(request, "accounts/setup.html", status=status, form=form, role=role, subjects=subjects)
