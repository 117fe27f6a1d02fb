"""The area of work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter

from mingjian.declare import Scheme
from mingjian.web._area import Area, Link
from mingjian.web._visit import Visit
from mingjian.web.work import _case, _lists, _sheets

router: Final = APIRouter()
for module in (_sheets, _case, _lists):
    router.routes.extend(module.router.routes)


def _links(visit: Visit, scheme: Scheme) -> Iterable[Link]:
    processes = scheme.processes.values()
    if visit.holds(*(role for process in processes for act in process.acts.values() for role in act.by)):
        yield Link("/tasks", "work.work", "work.about_work")
    if visit.holds(
        *(role.id for role in scheme.roles.values() if {process.of for process in processes} & {*role.adds})
    ):
        yield Link("/tasks-lists", "work.lists", "work.about_lists")


work: Final = Area("work", router, _links)
