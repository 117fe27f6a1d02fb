"""What those who run an office do: give roles, issue portraits, keep an eye on who read what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from mingjian.base.errors import Forbidden, Misuse
from mingjian.base.values import Period
from mingjian.declare import evidence_types
from mingjian.record.access import Grant
from mingjian.record.evidence import read_rows
from mingjian.workspace._issued import Order, Progress, Written, issue_into
from mingjian.workspace._office import Now, Office


@dataclass(frozen=True, slots=True)
class Steward:
    """The running of an office by one account; every call is decided anew, as at a desk."""

    office: Office
    account: str

    # -- roles ---------------------------------------------------------------------------------------------------------
    def give(self, account: str, role: str, subject: str) -> Grant:
        """Give a role over a subject, from today on. Raises Forbidden for who may not, Misuse for what there is not."""
        return self._granted(account, role, subject, since=self.office.now().day, until=None)

    def take(self, account: str, role: str, subject: str) -> Grant:
        """Take a role away as of today. Raises Misuse where it is not held."""
        now = self.office.now()
        held = [g for g in now.grants.of(account, now.day) if (g.role, g.subject) == (role, subject)]
        if not held:
            raise Misuse(f"{account} does not hold {role} over {subject}")
        return self._granted(account, role, subject, since=held[0].since, until=now.day)

    def _granted(self, account: str, role: str, subject: str, *, since: date, until: date | None) -> Grant:
        now = self.office.now()
        if role not in now.scheme.roles:
            raise Misuse(f"there is no role {role}", remedy=f"one of {', '.join(now.scheme.roles)}")
        told = now.hierarchy.at(subject, now.day)
        if until != now.day and told is None:  # what is held over a subject that is gone can still be taken
            raise Misuse(f"{subject} is not there today", remedy=f"name a {now.scheme.roles[role].of} that is")
        decision = now.policy.grant(now.actor(self.account), role, subject)
        now.policy.refuse(decision, f"you may not give or take the role {role} over {subject}")
        return grant(self.office, account, role, subject, since=since, until=until, by=self.account)

    def grants(self) -> tuple[Grant, ...]:
        """Every grant that holds today, for those who oversee or may give roles."""
        now = self._overseeing("see who holds which role")
        return tuple(g for account in sorted(now.grants.accounts()) for g in now.grants.of(account, now.day))

    # -- issuing -------------------------------------------------------------------------------------------------------
    def may_issue(self, statement: str, subject: str) -> bool:
        """Whether this person may issue that statement about the subject."""
        now = self.office.now()
        return now.policy.issue(now.actor(self.account), statement, subject).allowed

    def want_issue(self, statement: str, subjects: Collection[str]) -> Now:
        """Raises Forbidden naming who may, unless this person may issue that statement about each of the subjects."""
        now = self.office.now()
        if statement not in now.scheme.statements:
            raise Misuse(f"there is no statement {statement}", remedy=f"one of {', '.join(now.scheme.statements)}")
        actor = now.actor(self.account)
        for subject in sorted(subjects):
            decision = now.policy.issue(actor, statement, subject)
            now.policy.refuse(decision, f"you may not issue a {statement} of {subject}")
        return now

    def issue(
        self,
        statement: str,
        period: Period,
        subjects: Collection[str],
        *,
        language: str = "zh",
        replace: bool = True,
        progress: Progress = lambda *_: None,
    ) -> Written:
        """Issue statements about these subjects, with their papers. Raises Forbidden naming who may."""
        now = self.want_issue(statement, subjects)
        drawn = subjects if now.scheme.statements[statement].template else ()
        order = Order(period, {statement: subjects}, papers=drawn, language=language, replace=replace)
        return issue_into(
            self.office.workspace, now.scheme, order, self.office.issued, by=self.account, progress=progress
        )

    # -- oversight -----------------------------------------------------------------------------------------------------
    def reads(self, *, subject: str = "", account: str = "", limit: int = 200) -> tuple[Any, ...]:
        """Who read what, newest first."""
        self._overseeing("see who read what")
        return tuple(self.office.reads.rows(subject=subject or None, account=account or None, limit=limit))

    def oversees(self) -> bool:
        """Whether this person sees the read log, the accounts and the sign-ins."""
        now = self.office.now()
        return now.policy.oversee(now.actor(self.account)).allowed

    def _overseeing(self, what: str) -> Now:
        now = self.office.now()
        decision = now.policy.oversee(now.actor(self.account))
        now.policy.refuse(decision, f"you may not {what}")
        return now


def grant(
    office: Office, account: str, role: str, subject: str, *, since: date, until: date | None = None, by: str
) -> Grant:
    """Record a grant, whoever may: for setting an office up. `Steward.give` decides first."""
    row = {"account": account, "role": role, "subject": subject, "since": since, "until": until, "by": by}
    grants(office, [row], by)
    return Grant(account, role, subject, since, until)


def grants(office: Office, rows: Iterable[dict[str, Any]], by: str) -> None:
    """Record grants as they stand, all or none. Raises MingjianError with findings for rows that break a rule."""
    scheme = office.now().scheme
    kind = evidence_types(scheme).get("grant")
    if kind is None:
        raise Forbidden(f"scheme {scheme.id} declares no roles", remedy="declare [role.…] in its scheme.toml")
    office.workspace.add(scheme, "grant", read_rows(rows, kind, zone=scheme.zone), by)
