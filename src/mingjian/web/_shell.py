"""What every visitor has, whoever they are: the first page, the language, the files of the look."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mingjian.web._forms import Sent
from mingjian.web._house import Home
from mingjian.web._visit import go, local
from mingjian.web._words import LANGUAGES

router: Final = APIRouter()


@router.get("/")
def first_page(request: Request, house: Home) -> Response:
    """What there is to do here for this visitor."""
    return house.pages.html(request, "shell/first.html", scheme=house.scheme)


@router.post("/language")
def choose_language(request: Request, house: Home, form: Sent) -> Response:
    """Speak another language from now on, and go back to the page."""
    chosen = next((language for language in LANGUAGES if language == form.text("language")), None)
    if chosen is None:
        raise HTTPException(400)
    response = go(request, local(form.text("back")))
    house.pages.keep_language(response, chosen)
    return response


@router.get("/static/{address:path}")
def static_file(request: Request, house: Home, address: str) -> Response:
    """A file of the look."""
    found = house.pages.static.respond(request, address)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/robots.txt")
def robots() -> Response:
    """Search engines are asked to leave."""
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


@router.get("/alive")
def alive() -> Response:
    """For whoever watches over the machine."""
    return Response("alive\n", media_type="text/plain")
