"""Evaluation tables, letters, and portraits issued for everybody."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.values import Period
from mingjian.declare import Subject
from mingjian.web._forms import Sent
from mingjian.web._house import AtDesk, Home
from mingjian.web.office._errands import begun, watched
from mingjian.web.office._who import FILE_HEADERS, AsOverseer
from mingjian.workspace import Desk, Oversight

router: Final = APIRouter()
MEDIA: Final = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pdf": "application/pdf",
}


@router.get("/tables")
def tables(request: Request, house: Home, desk: AtDesk, overseer: AsOverseer, period: str = "") -> Response:
    """What there is to take away for a period, and the run of issuing."""
    return house.pages.html(
        request,
        "office/tables.html",
        tables=overseer.tables(),
        letters=_letters_to(desk, overseer),
        issues=overseer.issues(),
        errand=overseer.issuing(),
        subjects=house.scheme.subjects,
        period=_period(desk, period),
        periods=desk.periods(),
    )


@router.get("/tables/letter.pdf")
def letter(
    request: Request, house: Home, desk: AtDesk, overseer: AsOverseer, subject: str, period: str = ""
) -> Response:
    """The letter to one unit about a period."""
    when = _period(desk, period)
    content = overseer.letter(subject, when, house.pages.speech(request).language)
    return _file(f"letter-{subject}-{when}.pdf", content, ".pdf")


@router.get("/tables/issuing")
def issuing(request: Request, house: Home, overseer: AsOverseer) -> Response:
    """How far the run of issuing is."""
    return watched(request, house, "office/issuing.html", overseer.issuing(), statements=house.scheme.statements)


@router.post("/tables/issuing")
def issue(request: Request, house: Home, desk: AtDesk, overseer: AsOverseer, form: Sent) -> Response:
    """Begin to issue portraits of everybody; while that is under way, another run is refused."""
    when, language = _period(desk, form.text("period")), house.pages.speech(request).language
    return begun(request, "/tables/issuing", lambda: overseer.issue_all(form.text("statement"), when, language))


@router.get("/tables/{file}")
def table(request: Request, house: Home, desk: AtDesk, overseer: AsOverseer, file: str, period: str = "") -> Response:
    """One table as a file: a statement type's id with ".xlsx" or ".pdf" behind it."""
    statement, ending, when = PurePosixPath(file).stem, PurePosixPath(file).suffix, _period(desk, period)
    content = overseer.table(statement, when, ending, house.pages.speech(request).language)
    return _file(f"table-{statement}-{when}{ending}", content, ending)


def _file(name: str, content: bytes, ending: str) -> Response:
    headers = {**FILE_HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, media_type=MEDIA[ending], headers=headers)


def _letters_to(desk: Desk, overseer: Oversight) -> tuple[Subject, ...]:
    """Those to whom a letter can be written: whom the cases are about."""
    if not overseer.has_letters():
        return ()
    scheme = desk.now.scheme
    kinds = [scheme.evidence[process.of] for process in scheme.processes.values()]
    types = {of for kind in kinds for of in kind.fields[kind.subjects[0]].of}
    return tuple(s for of in sorted(types) for s in desk.described(of))


def _period(desk: Desk, text: str) -> Period:
    return Period.parse(text) if text else desk.current()
