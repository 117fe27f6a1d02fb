"""From whom a page of this area is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from mingjian.declare import evidence_types
from mingjian.web._house import House, house_of
from mingjian.web._page import Speech
from mingjian.web._visit import person_of
from mingjian.workspace import Items, Oversight

OWN_KINDS: Final = ("scheme", "subject", "snapshot", "status", "anchor", "erasure")  # of entries, the ledger's own
FILE_HEADERS: Final = {"Cache-Control": "no-store"}


async def _overseer(request: Request) -> Oversight:
    return Oversight(house_of(request).office, person_of(request).account)


async def _items(request: Request) -> Items:
    return Items(house_of(request).office, person_of(request).account)


AsOverseer = Annotated[Oversight, Depends(_overseer)]
AtItems = Annotated[Items, Depends(_items)]


def names_of(house: House) -> Mapping[str, str]:
    """The names shown of all accounts, by id."""
    return {account.id: account.shown for account in house.accounts.accounts()}


def kinds_of(house: House, speech: Speech) -> Mapping[str, str]:
    """What the kinds of entries are called: evidence types by their schemes' names, the ledger's own by ours."""
    workspace = house.workspace
    schemes = (workspace.scheme(name) for name in workspace.schemes())
    named = {kind.id: speech.title(kind.title) for scheme in schemes for kind in evidence_types(scheme).values()}
    own = {name: speech.title(kind.title) for name, kind in evidence_types(house.scheme).items()}
    return named | own | {kind: speech.one_of("office.kind", kind) for kind in OWN_KINDS}
