"""One case: what it is about, what came with it, what was done, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Forbidden, MingjianError
from mingjian.web._area import takes_files
from mingjian.web._forms import NOTHING, Form, Sent, whole
from mingjian.web._house import Home, House
from mingjian.web._visit import go
from mingjian.web.work._given import ATTACHMENT, fill_name, first_count, given, names_in, row_name, typed_texts
from mingjian.web.work._said import AtWork, case_address, shown_fields, told_to
from mingjian.workspace import CaseSeen, Casework, Conflict, deadlines

router: Final = APIRouter()


@dataclass(frozen=True, slots=True)
class Tried:
    """A form that was sent and did not land: of which act or kind, as it was typed, and why."""

    name: str = ""
    form: Form = NOTHING
    counts: Mapping[str, int] = field(default_factory=dict)
    beside: tuple[Finding, ...] = ()
    error: MingjianError | None = None
    conflict: bool = False
    texts: tuple[str, ...] = ()


@router.get("/tasks/{process}/case")
def one_case(request: Request, house: Home, desk: AtWork, process: str, id: str) -> Response:
    """A case with the forms of what can be done."""
    return _page(request, house, desk, desk.case(process, id), Tried())


@router.post("/tasks/{process}/case")
@takes_files
def do(request: Request, house: Home, desk: AtWork, process: str, id: str, form: Sent) -> Response:
    """Do something to it, or ask for one more row to fill in."""
    seen, expected = desk.case(process, id), whole(form.text("seen"), "the version seen")
    act, fills, forms = desk.asked(process, form.text("act"))
    filled = given(form, fills, forms)
    if form.text("more"):
        return _page(request, house, desk, seen, Tried(act.id, form.form(), filled.counts))
    names = names_in(act, fills, forms, filled.counts)
    files = [(file.name, file.file) for file in form.uploads("files")] if ATTACHMENT in act.takes else []
    try:
        case = desk.do(
            process,
            id,
            act.id,
            expected=expected,
            fills=filled.fills,
            rows=filled.rows,
            files=files,
            note=form.text("note"),
        )
    except Forbidden as refused:
        again = desk.case(process, id)  # for whoever lost sight of it meanwhile, as if it were not there
        typed = form.form()
        texts = (
            () if any(offer.act.id == act.id and offer.allowed for offer in again.offers) else typed_texts(typed, names)
        )
        conflict = isinstance(refused, Conflict)
        tried = Tried(act.id, typed, filled.counts, error=refused, conflict=conflict, texts=tuple(texts))
        return _page(request, house, desk, again, tried, 409 if conflict else 403)
    except MingjianError as error:
        if not error.findings:
            raise
        of = desk.now.scheme.processes[process].of
        found = tuple(filled.placed(one, of) for one in error.findings)
        beside = tuple(one for one in found if one.place.field not in names)
        tried = Tried(act.id, form.form(*found), filled.counts, beside, error)
        return _page(request, house, desk, seen, tried, 422)
    declared, speech, step = desk.now.scheme.processes[process], house.pages.speech(request), case.steps[-1]
    said = "work.done_late" if step.late and step.before in deadlines(declared) else "work.done"
    state = speech.title(declared.states[case.state].title)
    return go(request, case_address(process, id), said, act=speech.title(act.title), state=state)


@router.post("/tasks/{process}/case/add")
def add(request: Request, house: Home, desk: AtWork, process: str, id: str, form: Sent) -> Response:
    """Add a row that starts a case of its own: a problem found in a task."""
    seen = desk.case(process, id)
    kind = form.text("kind")
    fields = [field for one in desk.additions(seen) if one.kind.id == kind for field in one.fields]
    row = {field.name: form.text(row_name(kind, 1, field.name)) for field in fields}
    try:
        started = desk.add_to(process, id, kind, row)
    except MingjianError as error:
        if not error.findings:
            raise
        names = {row_name(kind, 1, field.name) for field in fields}
        found = tuple(_at(one, kind) for one in error.findings)
        beside = tuple(one for one in found if one.place.field not in names)
        return _page(request, house, desk, seen, Tried(f"add {kind}", form.form(*found), {}, beside, error), 422)
    title = house.pages.speech(request).title(desk.now.scheme.evidence[kind].title)
    return go(request, case_address(process, id), "work.added", kind=title, id=started)


@router.get("/tasks/{process}/attachment")
def attachment(desk: AtWork, process: str, id: str, sha256: str) -> Response:
    """A file handed in as proof, to be kept and not opened: it is a stranger's."""
    told, content = desk.attachment(process, id, sha256)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in told.name)
    headers = {
        # RFC 6266, 4.3: for browsers that do not know the second, the first
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(told.name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=told.media, headers=headers)


def _asking(seen: CaseSeen) -> str:
    """The act whose form stands open: the first that asks for something, else the first; "" where none is open."""
    offers = [offer for offer in seen.offers if offer.allowed]
    asking = [offer for offer in offers if offer.fills or offer.forms]
    return next((offer.act.id for offer in (*asking, *offers)), "")


def _at(found: Finding, kind: str) -> Finding:
    return replace(found, place=replace(found.place, row=None, field=row_name(kind, 1, found.place.field)))


def _page(request: Request, house: House, desk: Casework, seen: CaseSeen, tried: Tried, status: int = 200) -> Response:
    told = told_to(request, desk)
    scheme = told.scheme
    process = scheme.processes[seen.case.process]
    of = scheme.evidence[process.of]
    own = {f.name for f in of.fields.values() if f.type in ("subject", "ref", "period")}
    kinds = [kind for kind in scheme.evidence.values() if kind.id in seen.rows and kind.id != ATTACHMENT]
    hidden = {
        kind.id: (*kind.key, "by", *own, *(f.name for f in kind.fields.values() if f.to == of.id)) for kind in kinds
    }
    return house.pages.html(
        request,
        "work/case.html",
        status=status,
        seen=seen,
        process=process,
        of=of,
        facts=[f for f in shown_fields(of, (*of.key, *of.subjects)) if seen.case.row[f.name] is not None],
        came=[(kind, shown_fields(kind, hidden[kind.id]), seen.rows[kind.id]) for kind in kinds],
        proof=seen.rows.get(ATTACHMENT, ()),
        roles=scheme.roles,
        additions=desk.additions(seen),
        tried=tried,
        told=told,
        asking=_asking(seen),
        pressing=deadlines(process),
        address=case_address(process.id, seen.case.id),
        case_address=case_address,
        first_count=first_count,
        fill_name=fill_name,
        row_name=row_name,
    )
