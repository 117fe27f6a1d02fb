"""The area of portraits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter

from mingjian.declare import Scheme
from mingjian.web._area import Area, Link
from mingjian.web._visit import Visit
from mingjian.web.portraits import _portrait, _why

router: Final = APIRouter()
for module in (_portrait, _why):
    router.routes.extend(module.router.routes)


def _links(visit: Visit, scheme: Scheme) -> Iterable[Link]:
    if visit.person is not None and visit.person.roles:
        yield Link("/portraits", "portraits.portraits", "portraits.about")


portraits: Final = Area("portraits", router, _links)
