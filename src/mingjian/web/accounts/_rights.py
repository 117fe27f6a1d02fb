"""Who may look at accounts, and who may change which: asked of the one place of decision.

An account is changed only by those who could give every role that it holds: else whoever invites could take over, by a new
invitation, an account that is above them.
"""

from __future__ import annotations

from mingjian.base.errors import Forbidden
from mingjian.record.access import Grant
from mingjian.web._house import House
from mingjian.workspace import Now


def overseeing(house: House, account: str, what: str) -> Now:
    """How things stand, for one who oversees the office. Raises Forbidden naming who does."""
    now = house.office.now()
    now.policy.refuse(now.policy.oversee(now.actor(account)), f"you may not {what}")
    return now


def changing(house: House, account: str, target: str = "") -> Now:
    """How things stand, for one who may change the account ``target``, or make one. Raises Forbidden naming who may."""
    now = overseeing(house, account, "change accounts")
    actor = now.actor(account)
    roles = now.scheme.roles
    if not any(roles[grant.role].grants for grant in actor.grants if grant.role in roles):
        givers = ", ".join(f"{r.title.en} ({r.title.zh})" for r in roles.values() if r.grants and r.oversees)
        raise Forbidden("you may not change accounts", why="no role of yours gives roles", remedy=f"who may: {givers}")
    for grant in _held(now, target):
        now.policy.refuse(now.policy.grant(actor, grant.role, grant.subject), "you may not change this account")
    return now


def may_change(house: House, account: str, target: str = "") -> bool:
    """Whether `changing` would let them."""
    try:
        changing(house, account, target)
    except Forbidden:
        return False
    return True


def _held(now: Now, account: str) -> list[Grant]:
    """The account's roles, those of today and those yet to come, as far as the scheme still knows them."""
    standing = [g for g in now.grants if g.account == account and (g.until is None or now.day < g.until)]
    roles, subject = now.scheme.roles, now.hierarchy.subject
    return [g for g in standing if g.role in roles and (known := subject(g.subject)) and known.type == roles[g.role].of]
