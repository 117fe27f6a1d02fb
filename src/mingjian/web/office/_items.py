"""Supervision items: read, added, taken further; and who reported one, unsealed by whoever may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse, Place
from mingjian.declare import EvidenceType, Field
from mingjian.web._forms import NOTHING, Form, Posted, Sent, whole
from mingjian.web._house import Home, House
from mingjian.web._page import Speech
from mingjian.web._visit import go
from mingjian.web.office._who import AtItems, names_of
from mingjian.workspace import ITEM, Items

router: Final = APIRouter()
PAGE: Final = 30


# -- pages --------------------------------------------------------------------------------------------------------------
@router.get("/items")
def items(request: Request, house: Home, desk: AtItems, subject: str = "", page: int = 1) -> Response:
    """The latest items within reach, or those about one subject. What is shown is noted as read first."""
    if not desk.handles():
        raise Forbidden("you may not see supervision items", why="no role of yours handles any")
    here = max(page, 1)
    rows, count = desk.latest(subject, start=(here - 1) * PAGE, count=PAGE)
    now = house.office.now()
    kind = now.scheme.evidence[ITEM]
    return house.pages.html(
        request,
        "office/items.html",
        rows=rows,
        count=count,
        kind=kind,
        columns=[f for f in kind.fields.values() if f.name not in (*kind.key, *kind.subjects[:1])],
        said=lambda field, row: said(field, row.data.get(field.name), house, request),
        about=lambda row: now.hierarchy.subject(row.data[kind.subjects[0]]),
        key=kind.key[0],
        subject=subject,
        subjects=desk.subjects(),
        may_file=desk.files(),
        here=here,
        pages=max(1, -(-count // PAGE)),
        address=f"/items?{urlencode({'subject': subject})}&page=",
    )


@router.get("/items/new")
def new(request: Request, house: Home, desk: AtItems, subject: str = "") -> Response:
    """The form of a new item."""
    return _new(request, house, desk, Form({"subject": subject, "item": desk.fresh()}), 200)


@router.post("/items/new")
def file(request: Request, house: Home, desk: AtItems, form: Sent) -> Response:
    """Keep a new item, with who reported it where that is said."""
    subject, scheme = form.text("subject"), house.scheme
    sources = {kind.id: _given(form, kind.id, desk.asked(kind.id)) for kind in desk.sealed_kinds()}
    told = {kind: row for kind, row in sources.items() if any(row.values())}
    hidden = tuple(f"{k.id}-{f.name}" for k in desk.sealed_kinds() for f in k.fields.values() if f.label == "sealed")
    try:
        desk.file(form.text("item"), subject, _given(form, ITEM, desk.asked(ITEM)), told)
    except MingjianError as refused:
        if not refused.findings:
            raise
        # Who reported is typed anew: what is sealed never comes back in a page.
        shown = replace(form.form(hide=("csrf", *hidden)), findings=_placed(refused.findings, scheme.evidence))
        return _new(request, house, desk, shown, 422)
    return go(request, item_address(form.text("item")), "office.item_kept")


@router.get("/items/{name}")
def item(request: Request, house: Home, desk: AtItems, name: str) -> Response:
    """One item."""
    return _one(request, house, desk, name, NOTHING, 200)


@router.post("/items/{name}")
def amend(request: Request, house: Home, desk: AtItems, name: str, form: Sent) -> Response:
    """What came of an item."""
    try:
        desk.amend(name, _given(form, ITEM, _open_fields(desk)), expected=whole(form.text("seen"), "the row seen"))
    except MingjianError as refused:
        if not refused.findings:
            raise
        shown = replace(form.form(), findings=_placed(refused.findings, house.scheme.evidence))
        return _one(request, house, desk, name, shown, 422)
    return go(request, item_address(name), "office.item_kept")


@router.post("/items/{name}/source")
def unseal(request: Request, house: Home, desk: AtItems, name: str, form: Sent) -> Response:
    """Who reported an item: shown once, on this answer alone, and noted as read before it is."""
    return _one(request, house, desk, name, NOTHING, 200, desk.unseal(name))


# -- their parts ----------------------------------------------------------------------------------------------------------
def item_address(name: str) -> str:
    """Where an item stands."""
    return f"/items/{quote(name, safe='')}"


def said(field: Field, value: Any, house: House, request: Request) -> str:
    """A value of a row as people read it."""
    if value is None:
        return "–"
    speech = house.pages.speech(request)
    choice = field.choices.get(str(value))
    return speech.title(choice) if choice is not None else str(value)


def _new(request: Request, house: House, desk: Items, form: Form, status: int) -> Response:
    subjects = desk.subjects(adding=ITEM)
    if not subjects:
        raise Forbidden("you may not add supervision items", why="no role of yours adds any")
    sources = [kind for kind in desk.sealed_kinds() if desk.may_file(kind.id, subjects[0].id)]
    return house.pages.html(
        request,
        "office/new_item.html",
        status=status,
        form=form,
        subjects=subjects,
        kind=house.scheme.evidence[ITEM],
        fields=desk.asked(ITEM),
        sources=[(kind, desk.asked(kind.id)) for kind in sources],
        options=lambda field: options(field, house.pages.speech(request)),
    )


def options(field: Field, speech: Speech) -> list[tuple[str, str]]:
    """The choices of a field; with an empty one where it may be left out."""
    listed = [(code, speech.title(title)) for code, title in field.choices.items()]
    return [("", "–"), *listed] if field.optional else listed


def _one(
    request: Request,
    house: House,
    desk: Items,
    name: str,
    form: Form,
    status: int,
    opened: tuple[Mapping[str, str], ...] | None = None,
) -> Response:
    seen = desk.item(name)
    kind = house.scheme.evidence[ITEM]
    fields = _open_fields(desk)
    typed = form.values or {f"{ITEM}-{f.name}": _typed(seen.row.data.get(f.name)) for f in fields}
    return house.pages.html(
        request,
        "office/item.html",
        status=status,
        form=Form(typed, form.findings),
        seen=seen,
        kind=kind,
        fields=fields,
        shown=[f for f in kind.fields.values() if f.name in seen.row.data and f.name not in kind.subjects[:1]],
        said=lambda field, value: said(field, value, house, request),
        options=lambda field: options(field, house.pages.speech(request)),
        evidence=house.scheme.evidence,
        may_amend=desk.may_file(ITEM, seen.subject.id),
        opened=opened,
        names=names_of(house),
        here=item_address(name),
    )


def _open_fields(desk: Items) -> tuple[Field, ...]:
    """The fields that a later row may change: not the day, from which an item ages."""
    date = desk.now.scheme.evidence[ITEM].date
    return tuple(field for field in desk.asked(ITEM) if field.name != date)


def _typed(value: Any) -> str:
    return "" if value is None else str(value)


def _given(form: Posted, kind: str, fields: tuple[Field, ...]) -> dict[str, object]:
    return {field.name: form.text(f"{kind}-{field.name}") or None for field in fields}


def _placed(findings: tuple[Finding, ...], evidence: Mapping[str, EvidenceType]) -> tuple[Finding, ...]:
    """Findings at the fields of the form; what is about whom stands at the subject."""
    found = []
    for one in findings:
        kind = evidence.get(one.place.sheet or ITEM)
        if kind is None:
            raise Misuse(f"there is no evidence {one.place.sheet}")
        about = one.place.field in kind.subjects[:1]
        field = "subject" if about else f"{kind.id}-{one.place.field}"
        found.append(replace(one, place=Place(field=field)))
    return tuple(found)
