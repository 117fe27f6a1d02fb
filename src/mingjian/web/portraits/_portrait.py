"""The list of portraits within reach, one portrait, what it is answered and used for, and its paper."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mingjian.base.errors import Finding, MingjianError
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Subject
from mingjian.web._forms import NOTHING, Form, Sent
from mingjian.web._house import AsSteward, AtDesk, Home, House
from mingjian.web._visit import go
from mingjian.web.portraits._shown import sight, unit_of
from mingjian.workspace import Desk, Steward

router: Final = APIRouter()
PAGE: Final = 60
FORMS: Final = {"reply": "portraits.kept_reply", "use": "portraits.kept_use"}  # and what is said once one is kept
ISSUED: Final = {"paper.pdf": (".pdf", "application/pdf"), "statement.json": (".json", "application/json")}


@router.get("/portraits")
def portraits(request: Request, house: Home, desk: AtDesk, find: str = "", kind: str = "", page: int = 1) -> Response:
    """All whose portrait this person may see; the portrait itself where it is one."""
    now = house.office.now()
    scheme = now.scheme
    described = {statement.of for statement in scheme.statements.values() if statement.kind == "portrait"}
    found = {name: desk.described(name) for name in scheme.subjects if name in described}
    everybody = [subject for listed in found.values() for subject in listed]
    if len(everybody) == 1:
        return RedirectResponse(address(everybody[0].id), 303)
    wanted = find.strip().casefold()
    listed = [s for s in everybody if kind in ("", s.type) and _matches(s, wanted)]
    pages = max(1, -(-len(listed) // PAGE))
    here = min(max(page, 1), pages)
    return house.pages.html(
        request,
        "portraits/list.html",
        subjects=listed[(here - 1) * PAGE : here * PAGE],
        parents={name: now.hierarchy.subject(name) for name in {s.parent for s in listed if s.parent}},
        count=len(listed),
        kinds=[(name, scheme.subjects[name].title) for name, some in found.items() if some],
        find=find,
        kind=kind,
        here=here,
        pages=pages,
        address=f"/portraits?{urlencode({'find': find, 'kind': kind})}&page=",
        scheme=scheme,
    )


@router.get("/portraits/{subject}")
def portrait(
    request: Request, house: Home, desk: AtDesk, steward: AsSteward, subject: str, period: str = ""
) -> Response:
    """One portrait as the evidence of now has it."""
    return _page(request, house, desk, steward, subject, _period(desk, period), NOTHING, 200)


@router.post("/portraits/{subject}/{kind}")
def answer(
    request: Request, house: Home, desk: AtDesk, steward: AsSteward, subject: str, kind: str, form: Sent
) -> Response:
    """Reply to a portrait, record what it was used for, or issue it."""
    period = _period(desk, form.text("period"))
    if kind == "issue":
        told = desk.portrait(subject, period)
        steward.issue(told.statement.id, period, [subject], language=house.pages.speech(request).language)
        return go(request, address(subject, period), "portraits.issued")
    if kind not in FORMS:
        return RedirectResponse(address(subject, period), 303)
    evidence = house.workspace.evidence_type(house.scheme, kind)
    row: dict[str, object] = {"period": str(period), "date": house.office.now().day}
    row |= {name: form.text(f"{kind}-{name}") for name in _asked(evidence)}
    try:
        desk.add(kind, subject, row)
    except MingjianError as refused:
        if not refused.findings:
            raise
        found = tuple(_placed(kind, finding) for finding in refused.findings)
        shown = Form(form.form().values, found)
        return _page(request, house, desk, steward, subject, period, shown, 422)
    return go(request, address(subject, period), FORMS[kind])


@router.get("/portraits/{subject}/{file}")
def issued(house: Home, desk: AtDesk, subject: str, file: str, period: str = "") -> Response:
    """The portrait as it was issued: on paper, or as the statement that anyone can verify."""
    if file not in ISSUED:
        raise HTTPException(404)
    content = desk.issued(subject, _period(desk, period), ISSUED[file][0])
    name = quote(f"{subject}-{period}{ISSUED[file][0]}")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return Response(content, media_type=ISSUED[file][1], headers=headers)


def address(subject: str, period: Period | None = None) -> str:
    """Where a portrait stands."""
    return f"/portraits/{quote(subject, safe='')}" + (f"?period={period}" if period else "")


def _page(
    request: Request,
    house: House,
    desk: Desk,
    steward: Steward,
    subject: str,
    period: Period,
    form: Form,
    status: int,
) -> Response:
    seen = desk.portrait(subject, period)
    scheme, language = house.scheme, house.pages.speech(request).language
    asked = {kind: scheme.evidence[kind] for kind in FORMS if kind in scheme.evidence and desk.may_add(kind, subject)}
    parent = house.office.now().hierarchy.subject(seen.subject.parent) if seen.subject.parent else None
    return house.pages.html(
        request,
        "portraits/portrait.html",
        status=status,
        form=form,
        seen=seen,
        sight=sight(seen, scheme, language),
        unit_of=lambda value: unit_of(value, language),
        person=scheme.subjects[seen.subject.type].person,
        parent=parent,
        periods=desk.periods(),
        kinds={kind: (evidence, _asked(evidence)) for kind, evidence in asked.items()},
        evidence=scheme.evidence,
        measures=scheme.measures,
        choices_of=lambda field: [(code, title.text(language)) for code, title in field.choices.items()],
        may_issue=steward.may_issue(seen.statement.id, subject),
        lies=desk.lies(subject, period),
        here=address(subject),
    )


def _asked(evidence: EvidenceType) -> tuple[str, ...]:
    """The fields that a person fills in: the page says the others."""
    given = {*evidence.key, *evidence.subjects, "period", "by", evidence.date}
    return tuple(name for name in evidence.fields if name not in given)


def _placed(kind: str, finding: Finding) -> Finding:
    """The finding at the field of the page's form."""
    place = finding.place
    return Finding(
        finding.rule, finding.message, type(place)(field=f"{kind}-{place.field}"), finding.value, finding.remedy
    )


def _period(desk: Desk, text: str) -> Period:
    return Period.parse(text) if text else desk.current()


def _matches(subject: Subject, wanted: str) -> bool:
    return not wanted or any(wanted in said.casefold() for said in (subject.id, subject.title.zh, subject.title.en))
