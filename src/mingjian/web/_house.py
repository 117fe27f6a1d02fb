"""What all pages stand on: the office, the words, and who may come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from mingjian.declare import Scheme
from mingjian.record.access import Account, Accounts
from mingjian.web._area import Area, Link
from mingjian.web._bulletin import Bulletin
from mingjian.web._page import Pages
from mingjian.web._rate import Rate
from mingjian.web._settings import Settings
from mingjian.web._visit import Cookies, Person, Visit, person_of
from mingjian.workspace import Desk, Office, Steward, Workspace


class House:
    """One for each application; pages ask for it as ``house: Home``."""

    def __init__(self, office: Office, settings: Settings, pages: Pages, areas: Sequence[Area]) -> None:
        self.office, self.settings, self.pages = office, settings, pages
        self.cookies = Cookies(settings.secure_cookies)
        self.areas = tuple(areas)
        self.bulletin = Bulletin(office)
        self.verifying = Rate(most=20, seconds=3)

    @property
    def workspace(self) -> Workspace:
        """The workspace that the office stands in."""
        return self.office.workspace

    @property
    def accounts(self) -> Accounts:
        """Who can sign in."""
        return self.office.accounts

    @property
    def scheme(self) -> Scheme:
        """The programme shown, as it is recorded now."""
        return self.workspace.scheme(self.office.id)

    @property
    def synthetic(self) -> bool:
        """Whether any of what is shown is drawn from synthetic evidence: every page says so."""
        return self.workspace.synthetic(self.scheme)

    def person(self, account: Account) -> Person:
        """Who is signed in to an account, with the roles they hold today."""
        now = self.office.now()
        roles = frozenset(grant.role for grant in now.grants.of(account.id, now.day))
        return Person(account.id, account.shown, account.subject, roles)

    def links(self, visit: Visit) -> tuple[Link, ...]:
        """The navigation: what the visitor may do."""
        scheme = self.scheme
        return tuple(link for area in self.areas for link in area.links(visit, scheme))


def house_of(request: Request) -> House:
    """The house of a request."""
    house: House = request.app.state.house
    return house


# Dependencies are coroutines: a plain function would wait for a thread of its own.
async def _home(request: Request) -> House:
    return house_of(request)


async def _desk(request: Request) -> Desk:
    return house_of(request).office.desk(person_of(request).account)


async def _steward(request: Request) -> Steward:
    return Steward(house_of(request).office, person_of(request).account)


Home = Annotated[House, Depends(_home)]
AtDesk = Annotated[Desk, Depends(_desk)]
AsSteward = Annotated[Steward, Depends(_steward)]
