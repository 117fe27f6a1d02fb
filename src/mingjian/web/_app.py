"""The application: areas behind guards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from mingjian.web import _shell
from mingjian.web._area import Area, files_taken
from mingjian.web._errors import add_handlers, sorry
from mingjian.web._forms import guarded
from mingjian.web._guards import Headers, Limits, Watch
from mingjian.web._house import House
from mingjian.web._page import Pages
from mingjian.web._sessions import Visits
from mingjian.web._settings import Settings
from mingjian.web._static import Static
from mingjian.web._visit import Cookies
from mingjian.web._words import Words
from mingjian.web.accounts import accounts
from mingjian.web.office import overview
from mingjian.web.portraits import portraits
from mingjian.web.public import public
from mingjian.web.work import work
from mingjian.workspace import Office, Workspace

AREAS: Final[tuple[Area, ...]] = (work, portraits, overview, accounts)  # in the order of the navigation
OPEN: Final[tuple[Area, ...]] = (public,)  # wants no account


def create_app(workspace: Workspace, settings: Settings) -> FastAPI:
    """The web face of a workspace. Raises Misuse where it does not say which of several programmes is shown."""
    office = Office(workspace, settings.scheme)
    pages = Pages(Words(), Static(), Cookies(settings.secure_cookies), workspace.scheme(office.id).zone)
    house = House(office, settings, pages, OPEN if settings.public_only else AREAS + OPEN)
    app = FastAPI(title="Mingjian", openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(guarded)])
    app.state.house = house
    add_handlers(app)
    routers = [_shell.router, *(area.router for area in house.areas)]
    for router in routers:
        app.include_router(router)
    # The last one added stands outermost.
    app.add_middleware(Visits, house=house)
    app.add_middleware(Limits, large=_large([route for router in routers for route in router.routes]))
    app.add_middleware(Watch, sorry=sorry)
    app.add_middleware(Headers, secure=settings.secure_cookies)
    return app


def _large(routes: Sequence[object]) -> list[re.Pattern[str]]:
    """The addresses of the forms with files."""
    return [route.path_regex for route in routes if isinstance(route, APIRoute) and files_taken(route.endpoint)]
