"""The area of the office."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter

from mingjian.declare import Scheme
from mingjian.web._area import Area, Link
from mingjian.web._visit import Visit
from mingjian.web.office import _claims, _erasure, _items, _ledger, _panorama, _reads, _tables
from mingjian.workspace import ITEM

router: Final = APIRouter()
for module in (_panorama, _tables, _items, _ledger, _reads, _claims, _erasure):
    router.routes.extend(module.router.routes)


def _links(visit: Visit, scheme: Scheme) -> Iterable[Link]:
    """What is offered by the roles that somebody holds; each page decides for itself."""
    roles = [scheme.roles[role] for role in visit.person.roles if role in scheme.roles] if visit.person else []
    above = any(role.oversees or not scheme.subjects[role.of].parent for role in roles)
    charted = any(node.members for index in scheme.indices.values() for node in index.nodes())
    if above and charted:
        yield Link("/panorama", "office.panorama", "office.about_panorama")
    if ITEM in scheme.evidence and any(
        role.reads in ("confidential", "sealed") and (ITEM in role.adds or role.oversees) for role in roles
    ):
        yield Link("/items", "office.nav_items", "office.about_items")
    if above:
        yield Link("/tables", "office.nav_tables", "office.about_tables")
        yield Link("/ledger", "office.ledger", "office.about_ledger")


overview: Final = Area("office", router, _links)
