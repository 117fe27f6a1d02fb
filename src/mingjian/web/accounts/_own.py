"""One's own account: password, language, the session one is in."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Forbidden, Misuse, Place
from mingjian.record.access import Session
from mingjian.web._forms import NOTHING, Form, Sent
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of
from mingjian.web._visit import Here, SignedIn, SignInFirst, Visit, go
from mingjian.web._words import LANGUAGES
from mingjian.web.accounts._invited import repeated
from mingjian.web.accounts._subjects import subject_title

router: Final = APIRouter()


@router.get("/account")
def account(request: Request, house: Home, visit: Here) -> Response:
    """What there is to know and to change."""
    return _page(request, house, _session(house, visit), NOTHING)


@router.post("/account/password")
def change_password(request: Request, house: Home, visit: Here, form: Sent) -> Response:
    """Another password; all other sessions of the account end."""
    session = _session(house, visit)
    if found := repeated(form, "accounts.not_the_same", house, request):
        return _page(request, house, session, Form(findings=found), 422)
    try:
        house.accounts.change_password(session, form.secret("current"), form.secret("password"), address_of(request))
    except Forbidden:
        said = house.pages.speech(request)("accounts.not_the_password")
        wrong = Finding("not-the-password", said, Place(field="current"))
        return _page(request, house, session, Form(findings=(wrong,)), 403)
    except Misuse as refused:
        return _page(request, house, session, Form(findings=refused.findings), 422)
    return go(request, "/account", "accounts.password_changed")


@router.post("/account/language")
def keep_language(request: Request, house: Home, person: SignedIn, form: Sent) -> Response:
    """The language of the account: that of every device on which one signs in."""
    chosen = next((language for language in LANGUAGES if language == form.text("language")), None)
    if chosen is None:
        raise HTTPException(400)
    house.accounts.amend(person.account, language=chosen)
    response = go(request, "/account", "accounts.language_kept")
    house.pages.keep_language(response, chosen)
    return response


def _session(house: House, visit: Visit) -> Session:
    """The session as it is kept. Raises SignInFirst where it ended since the request began."""
    session = house.accounts.session(visit.token) if visit.person is not None else None
    if session is None:
        raise SignInFirst
    return session


def _page(request: Request, house: House, session: Session, form: Form, status: int = 200) -> Response:
    now = house.office.now()
    return house.pages.html(
        request,
        "accounts/own.html",
        status=status,
        form=form,
        session=session,
        grants=[
            (now.scheme.roles[grant.role].title, subject_title(now, grant.subject), grant)
            for grant in now.grants.of(session.account.id, now.day)
            if grant.role in now.scheme.roles
        ],
    )
