"""Work by the sheet: Excel down, filled in, and up again, with every finding at its cell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Forbidden, MingjianError, Place
from mingjian.web._area import takes_files
from mingjian.web._forms import Posted, Sent, Upload
from mingjian.web._house import Home, House
from mingjian.web._visit import SignedIn, go
from mingjian.web.work._said import AtWork
from mingjian.workspace import Casework

router: Final = APIRouter()

EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS: Final = (".xlsx", ".csv")
LONGEST_NAME: Final = 60  # characters: a file's name on disk has at most 255 bytes
MOST_SHOWN: Final = 200  # findings on one page

Came = TypeVar("Came")


# -- an act to many cases -----------------------------------------------------------------------------------------------
@router.get("/tasks/{process}/sheet/{act}")
def act_sheet(house: Home, desk: AtWork, process: str, act: str) -> Response:
    """The sheet to fill: a row for each case that waits for this act."""
    content = desk.act_sheet(process, act)
    return _sheet(f"{desk.now.scheme.processes[process].acts[act].title.zh}.xlsx", content)


@router.post("/tasks/{process}/sheet/{act}")
@takes_files
def act_by_sheet(request: Request, house: Home, desk: AtWork, process: str, act: str, form: Sent) -> Response:
    """Take it in again: all that is filled in lands, or nothing does."""
    title = house.pages.speech(request).title(desk.asked(process, act)[0].title)
    done, error = _taken(form, lambda path: desk.act_file(process, act, path))
    if error is not None:
        return _refused(request, house, desk, title, f"/tasks/{process}/sheet/{act}", error)
    return go(request, f"/tasks/{process}", "work.sheet_done", act=title, count=done)


# -- lists --------------------------------------------------------------------------------------------------------------
@router.get("/tasks-lists")
def lists(request: Request, house: Home, desk: AtWork) -> Response:
    """The lists that this person issues."""
    if not (kinds := desk.lists()):
        raise Forbidden("there is no list for you to make")
    return house.pages.html(request, "work/lists.html", kinds=kinds)


@router.get("/tasks-lists/{kind}")
def list_sheet(desk: AtWork, kind: str) -> Response:
    """The sheet to fill for a list."""
    content = desk.list_sheet(kind)
    return _sheet(f"{desk.now.scheme.evidence[kind].title.zh}.xlsx", content)


@router.post("/tasks-lists/{kind}")
@takes_files
def issue_list(request: Request, house: Home, desk: AtWork, person: SignedIn, kind: str, form: Sent) -> Response:
    """Issue a list: each of its rows is a case from now on."""
    known = {of.id: of for of in desk.lists()}
    title = house.pages.speech(request).title(known[kind].title) if kind in known else ""
    came, error = _taken(form, lambda path: desk.add_list(kind, path))
    if error is not None:
        return _refused(request, house, desk, title, f"/tasks-lists/{kind}", error)
    if came is not None and came.known is not None:
        return go(request, "/tasks-lists", "work.list_known", kind=title)
    return go(request, "/tasks-lists", "work.list_issued", kind=title, count=came.rows if came is not None else 0)


# -- files --------------------------------------------------------------------------------------------------------------
def _taken(form: Posted, take: Callable[[Path], Came]) -> tuple[Came | None, MingjianError | None]:
    """What came of the file that was sent, or why nothing did. Raises Forbidden where there is no cell to show it at."""
    uploads = form.uploads("file")
    if not uploads or Path(uploads[0].name).suffix.lower() not in ENDINGS:
        message = "no sheet was sent" if not uploads else "this is no sheet"
        found = Finding("no-sheet", message, Place(uploads[0].name if uploads else ""), remedy="")
        return None, MingjianError("nothing was taken", findings=[found])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _name(uploads[0])
        uploads[0].save(path)
        try:
            return take(path), None
        except MingjianError as error:
            if isinstance(error, Forbidden) and not error.findings:
                raise
            return None, error


def _name(upload: Upload) -> str:
    """Under which name a sheet lies while it is read: findings say it."""
    return upload.name.replace("/", "_")[-LONGEST_NAME:]


def _refused(
    request: Request, house: House, desk: Casework, title: str, address: str, error: MingjianError
) -> Response:
    return house.pages.html(
        request,
        "work/sheet.html",
        status=403 if isinstance(error, Forbidden) else 422,
        title=title,
        address=address,
        error=error,
        found=error.findings[:MOST_SHOWN],
        count=len(error.findings),
        fields=_titles(house, request, desk),
    )


def _titles(house: House, request: Request, desk: Casework) -> dict[str, str]:
    """What the columns that a finding can be about are called."""
    speech, scheme = house.pages.speech(request), desk.now.scheme
    processes = scheme.processes.values()
    kinds = {kind for process in processes for act in process.acts.values() for kind in (process.of, *act.takes)}
    return {f.name: speech.title(f.title) for kind in sorted(kinds) for f in scheme.evidence[kind].fields.values()}


def _sheet(name: str, content: bytes) -> Response:
    disposition = f"attachment; filename=\"sheet.xlsx\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        content, media_type=EXCEL, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"}
    )
