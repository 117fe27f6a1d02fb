"""What there is to do: everything of mine at a glance, and each process with its filters, fifty at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Misuse
from mingjian.declare import Field, Process
from mingjian.record.process import Case
from mingjian.web._forms import whole
from mingjian.web._house import Home
from mingjian.web.work._said import AtWork, Told, case_address, member_of, period_of, told_to
from mingjian.workspace import Casework, ToDo, deadlines

router: Final = APIRouter()

A_PAGE: Final = 50
AT_A_GLANCE: Final = 12
OPEN, ALL, MINE, LATE = "", "all", "mine", "late"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a process somebody wants to see. ``state`` is one of its states, "" for those still open, or all."""

    state: str = OPEN
    about: str = ""
    period: str = ""
    member: str = ""
    show: str = ""

    def fits(self, case: Case, period: Field | None, member: Field | None) -> bool:
        """Whether a case is among them, of those that `piled` looks at and as far as `show` does not say."""
        return (
            self.state in (OPEN, ALL, case.state)
            and self.about in ("", case.subject)
            and (period is None or self.period in ("", str(case.row[period.name])))
            and (member is None or self.member in ("", str(case.row[member.name])))
        )

    def address(self, process: str, **other: str) -> str:
        """Where this is shown, or the same with something else."""
        said = {
            "state": self.state,
            "about": self.about,
            "period": self.period,
            "member": self.member,
            "show": self.show,
        }
        chosen = {name: value for name, value in (said | other).items() if value}
        return f"/tasks/{process}" + (f"?{urlencode(chosen)}" if chosen else "")


@dataclass(frozen=True, slots=True)
class Pile:
    """The cases of a process within reach: counts over those looked at, and those asked for, the most urgent first."""

    process: Process
    states: Mapping[str, int]
    late: int
    mine: int
    found: Sequence[Case]
    todo: Mapping[str, ToDo]
    among: Sequence[Case]


def piled(desk: Casework, process: Process, asked: Asked) -> Pile:
    """The pile of one process on this desk. Closed cases, of which there are ever more, are looked at where asked for."""
    now = desk.now
    of = now.scheme.evidence[process.of]
    opened = [state.id for state in process.states.values() if not state.final]
    cases = desk.cases(process.id, states=opened if asked.state in (OPEN, *opened) else None)
    todo = desk.todo(process.id, cases)
    period, member = period_of(of), member_of(now.scheme, of)
    pressing = deadlines(process)
    late = [case for case in cases if case.state in pressing and case.late(now.day)]
    mine = [case for case in cases if todo[case.id].waits]
    among = {MINE: mine, LATE: late}.get(asked.show, cases)
    found = [case for case in among if asked.fits(case, period, member)]
    found.sort(key=lambda case: (not todo[case.id].waits, case.due or date.max, case.id))
    return Pile(process, Counter(case.state for case in cases), len(late), len(mine), found, todo, cases)


@router.get("/tasks")
def at_a_glance(request: Request, house: Home, desk: AtWork) -> Response:
    """Every process with something in it, what waits for the visitor first."""
    told = told_to(request, desk)
    reached = [process for process in told.scheme.processes.values() if desk.concerned(process.id)]
    piles = [piled(desk, process, Asked()) for process in reached]
    return house.pages.html(
        request,
        "work/glance.html",
        piles=piles,
        told=told,
        most=AT_A_GLANCE,
        asked=Asked(),
        case_address=case_address,
    )


@router.get("/tasks/{process}")
def one_process(
    request: Request,
    house: Home,
    desk: AtWork,
    process: str,
    state: str = OPEN,
    about: str = "",
    period: str = "",
    member: str = "",
    show: str = "",
    page: str = "1",
) -> Response:
    """The cases of a process, those asked for, fifty at a time."""
    told = told_to(request, desk)
    if process not in told.scheme.processes:
        raise Misuse("there is no such work")
    asked, here = Asked(state, about, period, member, show), whole(page, "the page")
    pile = piled(desk, told.scheme.processes[process], asked)
    pages = max(1, -(-len(pile.found) // A_PAGE))
    here = min(max(here, 1), pages)
    address = asked.address(process)
    return house.pages.html(
        request,
        "work/process.html",
        pile=pile,
        shown=pile.found[(here - 1) * A_PAGE : here * A_PAGE],
        asked=asked,
        filters=_filters(told, pile),
        told=told,
        here=here,
        pages=pages,
        paged=address + ("&" if "?" in address else "?") + "page=",
        sheets=desk.by_sheet(process),
        case_address=case_address,
    )


def _filters(told: Told, pile: Pile) -> list[tuple[str, list[tuple[str, str]]]]:
    """By name of a filter, what it can be set to: what there are cases of, where there are several."""
    of = told.scheme.evidence[pile.process.of]
    period, member = period_of(of), member_of(told.scheme, of)
    units = sorted((told.subject(name), name) for name in {case.subject for case in pile.among})
    filters = [("about", [(name, text) for text, name in units])]
    if period is not None:
        filters.append(("period", [(p, p) for p in sorted({str(c.row[period.name]) for c in pile.among})[::-1]]))
    if member is not None:
        keys = sorted({str(case.row[member.name]) for case in pile.among}, key=lambda key: (len(key), key))
        filters.append(("member", [(key, f"{key} {told.named(member.to, key)}") for key in keys]))
    return [(name, options) for name, options in filters if len(options) > 1]
