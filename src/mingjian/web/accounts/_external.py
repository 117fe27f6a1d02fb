"""Coming in by an OpenID provider, where the office has one: a page that leads there, and the address that it leads back to."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mingjian.base.errors import Forbidden, Misuse
from mingjian.web._house import Home, House
from mingjian.web._sessions import address_of, enter
from mingjian.web._visit import Here, go, local
from mingjian.web.accounts._oidc import Journey, Provider

router: Final = APIRouter()
BACK: Final = "/sign-in/external/back"
MINUTES: Final = 10  # a journey lasts


@router.get("/sign-in/external")
def to_provider(request: Request, house: Home, back: str = "/") -> Response:
    """Lead to the provider; the browser keeps what it must bring back."""
    return _depart(house, "", local(back))


@router.get("/account/external")
def to_provider_to_bind(house: Home, visit: Here) -> Response:
    """The same, to let an identity of the provider sign in to the account that one is in."""
    if visit.person is None:
        raise HTTPException(404)
    return _depart(house, visit.person.account, "/account")


@router.get(BACK)
def from_provider(request: Request, house: Home, visit: Here, code: str = "", state: str = "") -> Response:
    """Back from the provider: who it vouches for is let in, or bound to the account."""
    provider = _provider(house)
    journey = _journey(house, request)
    if journey is None or not code or state != journey.state:
        raise Forbidden("not signed in", why="this way back does not belong to a way there", remedy="sign in again")
    subject = provider.subject(journey, code, _address(house))
    if journey.account:
        if visit.person is None or visit.person.account != journey.account:
            raise Forbidden("not bound", why="you are signed in to another account", remedy="sign in again")
        try:
            house.accounts.bind(journey.account, provider.issuer, subject)
        except Misuse as held:
            raise Forbidden("not bound", why=held.what, remedy=held.remedy) from held
        response = go(request, "/account", "accounts.bound")
    else:
        session = house.accounts.sign_in_external(provider.issuer, subject, address_of(request))
        response = enter(request, session, local(journey.back))
    house.cookies.drop(response, "journey")
    return response


def _depart(house: House, account: str, back: str) -> Response:
    journey, address = _provider(house).depart(_address(house), account, back)
    response = RedirectResponse(address, 303)
    packed = urlsafe_b64encode(json.dumps(asdict(journey)).encode()).decode()
    house.cookies.set(response, "journey", packed, seconds=MINUTES * 60)
    return response


def _journey(house: House, request: Request) -> Journey | None:
    try:
        kept = json.loads(urlsafe_b64decode(house.cookies.read(request, "journey")))
        return Journey(**{name: str(kept[name]) for name in Journey.__dataclass_fields__})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _provider(house: House) -> Provider:
    """The office's provider. Raises HTTPException (404) where it has none."""
    if house.settings.oidc is None:
        raise HTTPException(404)
    return Provider(house.settings.oidc)


def _address(house: House) -> str:
    return house.settings.base_url + BACK
