"""The area of accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter

from mingjian.declare import Scheme
from mingjian.web._area import Area, Link
from mingjian.web._visit import Visit
from mingjian.web.accounts import _door, _external, _invited, _own, _people, _setup

router: Final = APIRouter()
for module in (_door, _external, _invited, _own, _people, _setup):
    router.routes.extend(module.router.routes)


def _links(visit: Visit, scheme: Scheme) -> Iterable[Link]:
    if visit.holds(*(role.id for role in scheme.roles.values() if role.oversees)):
        yield Link("/people", "accounts.people", "accounts.about_people")
        yield Link("/sign-ins", "accounts.sign_ins", "accounts.about_sign_ins")


accounts: Final = Area("accounts", router, _links)
