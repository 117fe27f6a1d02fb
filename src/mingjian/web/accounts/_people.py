"""Who can come in, who holds which role, and every try at the door: for those who oversee the office."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Forbidden, Misuse, Place
from mingjian.declare import Role, Subject, Title
from mingjian.record.access import Account, Grant
from mingjian.web._forms import NOTHING, Form, Sent
from mingjian.web._house import AsSteward, Home, House
from mingjian.web._visit import SignedIn, go
from mingjian.web.accounts._rights import changing, may_change, overseeing
from mingjian.web.accounts._subjects import subject_title, subjects_today
from mingjian.workspace import Now

router: Final = APIRouter()
TRIES_SHOWN: Final = 200


# -- looking ------------------------------------------------------------------------------------------------------------
@router.get("/people")
def people(request: Request, house: Home, person: SignedIn) -> Response:
    """Everybody, with their roles."""
    overseeing(house, person.account, "see the accounts")
    return _list(request, house, person.account, NOTHING, 200)


@router.get("/people/{account}")
def one(request: Request, house: Home, person: SignedIn, account: str) -> Response:
    """One account: its roles, what can be done, the latest tries."""
    overseeing(house, person.account, "see the accounts")
    return _one(request, house, person.account, _account(house, account), NOTHING, 200)


@router.get("/sign-ins")
def sign_ins(request: Request, house: Home, person: SignedIn) -> Response:
    """The latest tries at the door."""
    overseeing(house, person.account, "see who signed in")
    names = {account.id: account.shown for account in house.accounts.accounts()}
    tries = house.accounts.attempts(limit=TRIES_SHOWN)
    return house.pages.html(request, "accounts/sign_ins.html", tries=tries, names=names)


# -- accounts -----------------------------------------------------------------------------------------------------------
@router.post("/people")
def invite(request: Request, house: Home, person: SignedIn, form: Sent) -> Response:
    """A new account, whose holder is invited to set the password. The address of the invitation is shown this once."""
    changing(house, person.account)
    speech = house.pages.speech(request)
    try:
        account = house.accounts.create(
            form.text("name"),
            form.text("shown"),
            language="zh" if form.text("language") == "zh" else "en",
            subject=form.text("subject"),
        )
    except Misuse:
        found = Finding("refused", speech("accounts.name_taken"), Place(field="name"))
        return _list(request, house, person.account, form.form(found), 422)
    return _invited(request, house, person.account, account)


@router.post("/people/{account}/invitation")
def invite_again(request: Request, house: Home, person: SignedIn, account: str) -> Response:
    """Another invitation: also the way back in for whoever forgot the password."""
    known = _account(house, account)
    changing(house, person.account, account)
    return _invited(request, house, person.account, known)


@router.post("/people/{account}/disabled")
def disable(request: Request, house: Home, person: SignedIn, account: str) -> Response:
    """Shut an account; its sessions end at once. Nobody shuts their own."""
    _account(house, account)
    changing(house, person.account, account)
    if account == person.account:
        raise Forbidden("nobody shuts their own account", remedy="ask somebody else of the office")
    house.accounts.disable(account)
    return go(request, f"/people/{account}", "accounts.is_disabled")


@router.post("/people/{account}/enabled")
def enable(request: Request, house: Home, person: SignedIn, account: str) -> Response:
    """Open it again."""
    _account(house, account)
    changing(house, person.account, account)
    house.accounts.enable(account)
    return go(request, f"/people/{account}", "accounts.is_enabled")


# -- roles --------------------------------------------------------------------------------------------------------------
@router.post("/people/{account}/roles")
def give(request: Request, house: Home, person: SignedIn, steward: AsSteward, account: str, form: Sent) -> Response:
    """Give a role over a subject; the steward decides whether that may be."""
    overseeing(house, person.account, "see the accounts")
    known = _account(house, account)
    try:
        steward.give(account, form.text("role"), form.text("subject"))
    except Misuse:
        found = Finding("refused", house.pages.speech(request)("accounts.no_such_role"), Place(field="subject"))
        return _one(request, house, person.account, known, form.form(found), 422)
    return go(request, f"/people/{account}", "accounts.role_given")


@router.post("/people/{account}/roles/taken")
def take(request: Request, house: Home, person: SignedIn, steward: AsSteward, account: str, form: Sent) -> Response:
    """Take a role away as of today."""
    overseeing(house, person.account, "see the accounts")
    _account(house, account)
    steward.take(account, form.text("role"), form.text("subject"))
    return go(request, f"/people/{account}", "accounts.role_taken")


# -- pages --------------------------------------------------------------------------------------------------------------
def _account(house: House, name: str) -> Account:
    known = house.accounts.account(name)
    if known is None:
        raise Misuse(f"there is no account {name[:40]}")
    return known


def _invited(request: Request, house: House, by: str, account: Account) -> Response:
    address = f"{house.settings.base_url}/invitation/{house.accounts.invite(account.id)}"
    return _one(request, house, by, account, NOTHING, 200, address)


def _list(request: Request, house: House, by: str, form: Form, status: int) -> Response:
    now, accounts = house.office.now(), house.accounts.accounts()
    persons = (kind.id for kind in now.scheme.subjects.values() if kind.person)
    return house.pages.html(
        request,
        "accounts/people.html",
        status=status,
        form=form,
        people=[(account, list(_roles(now, account))) for account in accounts],
        may_change=may_change(house, by),
        described=[subject for kind in persons for subject in subjects_today(now, kind)],
    )


def _one(
    request: Request, house: House, by: str, account: Account, form: Form, status: int, address: str = ""
) -> Response:
    now = house.office.now()
    giver = now.actor(by).grants
    given = {role for grant in giver if grant.role in now.scheme.roles for role in now.scheme.roles[grant.role].grants}
    gives = [role for role in now.scheme.roles.values() if role.id in given]
    return house.pages.html(
        request,
        "accounts/one.html",
        status=status,
        form=form,
        account=account,
        address=address,
        roles=list(_roles(now, account)),
        gives=gives,
        over=list(_over(now, gives)),
        tries=house.accounts.attempts(account.id, limit=20),
        may_change=may_change(house, by, account.id),
        subject=subject_title(now, account.subject) if account.subject else None,
    )


def _roles(now: Now, account: Account) -> Iterable[tuple[Role, Title, Grant]]:
    """The roles that an account holds today, each with the name of the subject it is over."""
    for grant in now.grants.of(account.id, now.day):
        if grant.role in now.scheme.roles:
            yield now.scheme.roles[grant.role], subject_title(now, grant.subject), grant


def _over(now: Now, roles: Iterable[Role]) -> Iterable[tuple[Title, tuple[Subject, ...]]]:
    """The subjects over which these roles could be given, by type."""
    types = {role.of for role in roles}
    for kind in now.scheme.subjects.values():
        if kind.id in types:
            yield kind.title, subjects_today(now, kind.id)
