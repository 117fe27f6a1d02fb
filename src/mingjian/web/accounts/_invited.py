"""Taking an invitation: whoever holds its address sets the account's password, once."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.record.access import Account
from mingjian.web._forms import NOTHING, Form, Sent
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of, enter

router: Final = APIRouter()


@router.get("/invitation/{token}")
def invitation(request: Request, house: Home, token: str) -> Response:
    """The form. An invitation that does not hold says so, and no more."""
    account = house.accounts.invited(token)
    return _form(request, house, account, NOTHING, 200 if account is not None else 404)


@router.post("/invitation/{token}")
def take(request: Request, house: Home, token: str, form: Sent) -> Response:
    """Set the password and let them in."""
    account = house.accounts.invited(token)
    if account is None:
        return _form(request, house, None, NOTHING, 404)
    if found := repeated(form, "accounts.not_the_same", house, request):
        return _form(request, house, account, form.form(*found, hide=("csrf", "password", "again")), 422)
    try:
        session = house.accounts.accept(token, form.secret("password"), address_of(request))
    except Misuse as refused:
        return _form(request, house, account, Form(findings=refused.findings), 422)
    return enter(request, session, "/", "accounts.welcome")


def repeated(form: Sent, key: str, house: House, request: Request) -> tuple[Finding, ...]:
    """A finding where the password was typed differently the second time."""
    if form.secret("password") == form.secret("again"):
        return ()
    return (Finding("not-the-same", house.pages.speech(request)(key), Place(field="again")),)


def _form(request: Request, house: House, account: Account | None, form: Form, status: int) -> Response:
    return house.pages.html(request, "accounts/invitation.html", status=status, account=account, form=form)
