"""Coming in with a name and a password, and going out."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mingjian.base.errors import Finding, Forbidden
from mingjian.web._forms import Form, Sent
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of, enter, leave
from mingjian.web._visit import Here, local

router: Final = APIRouter()


@router.get("/sign-in")
def door(request: Request, house: Home, visit: Here, back: str = "/") -> Response:
    """The form; who is in already is led on."""
    if visit.person is not None:
        return RedirectResponse(local(back), 303)
    return _form(request, house, Form({"back": local(back)}))


@router.post("/sign-in")
def sign_in(request: Request, house: Home, form: Sent) -> Response:
    """Let somebody in. Whatever the reason why not, the answer is the same."""
    try:
        session = house.accounts.sign_in(form.text("name"), form.secret("password"), address_of(request))
    except Forbidden:
        said = house.pages.speech(request)("accounts.not_let_in")
        return _form(request, house, form.form(Finding("not-let-in", said), hide=("csrf", "password")), 403)
    return enter(request, session, local(form.text("back")))


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Show somebody out."""
    return leave(request, "/", "accounts.signed_out")


def _form(request: Request, house: House, form: Form, status: int = 200) -> Response:
    external = f"/sign-in/external?back={quote(form.value('back', '/'))}" if house.settings.oidc else ""
    return house.pages.html(request, "accounts/sign_in.html", status=status, form=form, external=external)
