"""The panorama: every unit against every indicator, what is weak in many places, how far apart they are, who moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.values import Period, unit_word
from mingjian.declare import Scheme, Title
from mingjian.web._house import AtDesk, Home
from mingjian.web._page import Speech
from mingjian.web.office._pictures import bins, forest, heat, ranges
from mingjian.workspace import Member, Panorama

router: Final = APIRouter()
MOST_MOVERS: Final = 8
FIRST: Final = 4  # common problems that are shown at once
SHADES: Final = 4  # of the table's cells; where there are more bands, the upper ones look alike


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that stand under one heading."""

    title: Title
    members: tuple[Member, ...]


@router.get("/panorama")
def panorama(request: Request, house: Home, desk: AtDesk, period: str = "", unit: str = "") -> Response:
    """All of it on one page; ``unit`` is the one that is set beside its peers."""
    laid = desk.panorama(Period.parse(period) if period else desk.current())
    scheme, speech = house.scheme, house.pages.speech(request)
    chosen = laid.forest(unit or laid.subjects[0].id) if laid.subjects else None
    return house.pages.html(
        request,
        "office/panorama.html",
        laid=laid,
        middle=_middle(laid),
        glance=house.pages.part(request, "office/_glance.html", laid, lambda: _glance(laid, scheme, speech)),
        chosen=chosen,
        of=scheme.subjects[laid.index.of].title,
        forest=forest(chosen, laid, speech) if chosen is not None else None,
        periods=desk.periods(),
    )


def _glance(laid: Panorama, scheme: Scheme, speech: Speech) -> Mapping[str, Any]:
    """What is shown to everybody who may see it, whoever is set beside their peers."""
    up = [mover for mover in laid.movers if mover.change > 0]
    down = [mover for mover in laid.movers if mover.change < 0]
    measure = scheme.measures[laid.measure]
    return {
        "laid": laid,
        "groups": _groups(laid),
        "shades": [min(band, SHADES - 1) for band in range(len(laid.bands) + 1)],
        "ranges": ranges(laid, speech),
        "middle": _middle(laid),
        "up": up[:MOST_MOVERS],
        "down": down[:MOST_MOVERS],
        "moved": (len(up), len(down)),
        "first": FIRST,
        "measure": measure,
        "of": scheme.subjects[laid.index.of].title,
        "unit_of_index": unit_word(laid.index.unit, speech.language),
        "unit_of_cells": unit_word(measure.unit, speech.language),
        "heat": heat(laid, speech),
        "bins": bins(laid, speech),
    }


def _groups(laid: Panorama) -> tuple[Group, ...]:
    """The columns by the group they stand in, in their order."""
    found: dict[str, list[Member]] = {}
    for member in laid.members:
        found.setdefault(member.group, []).append(member)
    return tuple(Group(Title(some[0].group_en, some[0].group_zh), tuple(some)) for some in found.values())


def _middle(laid: Panorama) -> str:
    """The index that half of the units reach at most, as printed; "" where nobody has one."""
    ordered = sorted((v for v in laid.scores.values() if v.number is not None), key=lambda v: float(v.number or 0))
    return ordered[(len(ordered) - 1) // 2].printed if ordered else ""
