"""Oversight: what those do who stand above the whole of an office: tables, runs of issuing, claims, the ledger, erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import StatementType, Subject
from mingjian.reckon.claims import Verdict
from mingjian.record.ledger import Entry
from mingjian.workspace._erasing import Gone, Purged, erase_person, erasures, expire, overdue
from mingjian.workspace._errands import Errand
from mingjian.workspace._letters import TEMPLATE, Letters
from mingjian.workspace._office import Now
from mingjian.workspace._steward import Steward
from mingjian.workspace._tables import Table, evaluation, table_pdf, workbook

CLAIMS: Final = "claims.toml"
ISSUING, AUDIT, CHECK = "issuing", "audit", "check"  # kinds of errands
TABLES: Final = (".xlsx", ".pdf")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the ledger: its name, entries, root, signed note (C2SP checkpoint) and the key that signs it."""

    origin: str
    size: int
    root: str
    checkpoint: str
    key: str


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry's header, and the proof that it is in the tree whose head ``checkpoint`` is."""

    entry: Entry
    path: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Oversight(Steward):
    """A steward's further rooms. Every call decides anew."""

    # -- who -----------------------------------------------------------------------------------------------------------
    def _above(self, now: Now) -> str:
        """A subject at the top that is out of reach of someone who does not oversee either; "" where there is none."""
        actor = now.actor(self.account)
        if now.policy.oversee(actor).allowed:
            return ""
        tops = [s.id for s in _today(now, *(t.id for t in now.scheme.subjects.values() if not t.parent))]
        return next((name for name in tops if not now.policy.see(actor, name, "internal").allowed), "")

    def _presiding(self, what: str) -> Now:
        now = self.office.now()
        if above := self._above(now):
            now.policy.refuse(now.policy.see(now.actor(self.account), above, "internal"), f"you may not {what}")
        return now

    # -- tables and letters --------------------------------------------------------------------------------------------
    def tables(self) -> tuple[StatementType, ...]:
        """The statement types whose table this person may have: the figures of all that they are about are theirs to see."""
        now = self._presiding("see the tables")
        actor = now.actor(self.account)
        return tuple(
            statement
            for statement in now.scheme.statements.values()
            if all(now.policy.describe(actor, s.id).allowed for s in _today(now, statement.of))
        )

    def table(self, statement: str, period: Period, ending: str, language: str) -> bytes:
        """The evaluation table of a statement type as a file: ".xlsx" or ".pdf". Of persons, each is noted as read first.

        Raises Forbidden unless the figures of everybody in it may be seen, Misuse for what there is not.
        """
        if ending not in TABLES:
            raise Misuse(f"a table is no {ending}", remedy=f"one of {', '.join(TABLES)}")
        now = self.office.now()
        actor, workspace = now.actor(self.account), self.office.workspace
        names = workspace.subjects(now.scheme, statement, period)
        roles: dict[str, list[str]] = {}
        for name in names:
            decision = now.policy.describe(actor, name)
            now.policy.refuse(decision, f"you may not see the figures of {name}")
            roles.setdefault(decision.role, []).append(name)
        if now.scheme.subjects[now.scheme.statements[statement].of].person:
            for role, listed in roles.items():
                self.office.note_each(self.account, role, "table", listed, str(period))
        found: Table = evaluation(workspace, now.scheme, statement, period)
        return workbook(found, language) if ending == ".xlsx" else table_pdf(found, language, at=workspace.clock())

    def has_letters(self) -> bool:
        """Whether the scheme lays out letters."""
        return (self.office.workspace.papers(self.office.now().scheme) / TEMPLATE).is_file()

    def letter(self, subject: str, period: Period, language: str) -> bytes:
        """The letter to a subject about a period, as PDF. Raises Forbidden for who may not see its figures or its rows."""
        now = self.office.now()
        actor = now.actor(self.account)
        for decision in (now.policy.describe(actor, subject), now.policy.see(actor, subject, "internal")):
            now.policy.refuse(decision, f"you may not see the letter to {subject}")
        workspace = self.office.workspace
        return Letters(workspace, now.scheme, period).pdf(subject, language, at=workspace.clock())

    # -- issuing -------------------------------------------------------------------------------------------------------
    def issues(self) -> tuple[StatementType, ...]:
        """The statement types that this person may issue."""
        now = self.office.now()
        actor = now.actor(self.account)
        told = now.scheme.statements.values()
        return tuple(
            s for s in told if (t := _today(now, s.of)) and all(now.policy.issue(actor, s.id, x.id).allowed for x in t)
        )

    def issue_all(self, statement: str, period: Period, language: str) -> Errand:
        """Begin to issue statements of a type about everybody; see `issuing`. Raises Busy, and what `issue` raises before it."""
        scheme = self.office.now().scheme
        subjects = self.office.workspace.subjects(scheme, statement, period)
        if not subjects:
            raise Misuse(f"there was nobody in {period} to issue a {statement} of")
        self.want_issue(statement, subjects)
        about = f"{statement} {period}"
        return self.office.errands.start(
            ISSUING,
            about,
            self.account,
            lambda progress: self.issue(statement, period, subjects, language=language, progress=progress),
        )

    def issuing(self) -> Errand | None:
        """The latest run of issuing, for those who may issue something."""
        return self.office.errands.last(ISSUING) if self.issues() else None

    # -- published figures ---------------------------------------------------------------------------------------------
    def claims(self) -> tuple[Verdict, ...]:
        """What becomes of the published figures in the workspace's ``claims.toml``; none where it has no such file.

        A figure about a person only for those who may see that person's figures.
        """
        now = self._presiding("see what becomes of published figures")
        actor = now.actor(self.account)
        persons = {kind.id for kind in now.scheme.subjects.values() if kind.person}

        def told(name: str) -> bool:
            known = now.hierarchy.subject(name)
            return known is None or known.type not in persons or now.policy.describe(actor, name).allowed

        return tuple(v for v in self.office.claims(CLAIMS) if all(told(one.subject) for one in v.claim.against))

    # -- the ledger ----------------------------------------------------------------------------------------------------
    def head(self) -> Head:
        """The head of the ledger."""
        self._presiding("see the ledger")
        ledger = self.office.workspace.ledger
        state = ledger.state()
        return Head(ledger.origin, state.size, state.root().hex(), ledger.checkpoint(state.size), ledger.vkey)

    def entries(self, end: int, count: int) -> tuple[Entry, ...]:
        """The headers of up to ``count`` entries before ``end``, the newest first: what they are, and nothing of their rows."""
        self._presiding("see the ledger")
        return tuple(reversed([*self.office.workspace.ledger.state().entries(max(0, end - count), end)]))

    def proven(self, index: int) -> Proven:
        """An entry and its proof. Raises Misuse for one that there is not."""
        self._presiding("see the ledger")
        ledger = self.office.workspace.ledger
        size = ledger.size
        path = tuple(ledger.prove_entry(index, size))
        return Proven(ledger.state(size).entry(index), path, ledger.checkpoint(size))

    def audit(self) -> Errand:
        """Begin to derive every root of the ledger anew: a tuple of findings comes of it. Raises Busy while one is under way."""
        self._presiding("audit the ledger")
        ledger = self.office.workspace.ledger
        return self.office.errands.start(
            AUDIT,
            str(ledger.size),
            self.account,
            lambda progress: tuple(ledger.audit(progress=lambda done, of: progress("", done, of))),
        )

    def audited(self) -> Errand | None:
        """The latest audit."""
        self._presiding("audit the ledger")
        return self.office.errands.last(AUDIT)

    # -- who read what -------------------------------------------------------------------------------------------------
    def check_reads(self) -> Errand:
        """Begin to hold the read log against every head of it that the ledger anchored, and against itself: findings."""
        self._overseeing("see who read what")
        reads, ledger = self.office.reads, self.office.workspace.ledger
        return self.office.errands.start(CHECK, reads.ledger.origin, self.account, lambda _: reads.check(ledger))

    def reads_checked(self) -> Errand | None:
        """The latest check of the read log."""
        self._overseeing("see who read what")
        return self.office.errands.last(CHECK)

    def anchored(self) -> tuple[int, Mapping[str, object] | None]:
        """How many entries the read log has, and the last head of it that stands in the ledger (day, size, root)."""
        self._overseeing("see who read what")
        return self.office.reads.ledger.size, self.office.reads.anchored(self.office.workspace.ledger)

    # -- erasure -------------------------------------------------------------------------------------------------------
    def may_erase(self) -> bool:
        """Whether this person may erase: it takes oversight and the office's key, both."""
        now = self.office.now()
        actor = now.actor(self.account)
        return now.policy.oversee(actor).allowed and now.policy.unseal(actor).allowed

    def erase(self, subject: str, reason: str) -> Purged:
        """Destroy for good all that describes a person. Raises Forbidden for who may not, Misuse as `erase_person` does."""
        now = self._erasing(f"erase {subject}")
        if now.hierarchy.subject(subject) is not None:
            decision = now.policy.see(now.actor(self.account), subject, "sealed")
            now.policy.refuse(decision, f"you may not erase {subject}")
        return erase_person(
            self.office.workspace,
            now.scheme,
            subject,
            by=self.account,
            reason=reason,
            folders=self._issued(),
            accounts=self.office.accounts,
        )

    def expire(self) -> Purged | None:
        """Destroy the rows whose term is over; None where there are none."""
        now = self._erasing("destroy what has expired")
        return expire(self.office.workspace, now.scheme, now.day, by=self.account)

    def expired(self) -> tuple[tuple[str, int], ...]:
        """The rows whose term is over and that are still there: evidence type and year of their date."""
        now = self._erasing("see what has expired")
        return overdue(self.office.workspace, now.scheme, now.day)

    def erasures(self) -> tuple[Gone, ...]:
        """Every erasure there was, as the ledger tells of it."""
        now = self._erasing("see what was erased")
        return erasures(self.office.workspace.ledger.state(now.size), now.scheme)

    def persons(self) -> tuple[Subject, ...]:
        """The persons of today."""
        now = self._erasing("erase anybody")
        return _today(now, *(kind.id for kind in now.scheme.subjects.values() if kind.person))

    def _erasing(self, what: str) -> Now:
        now = self._overseeing(what)
        now.policy.refuse(now.policy.unseal(now.actor(self.account)), f"you may not {what}")
        return now

    def _issued(self) -> Sequence[Path]:
        return [folder for folder in (self.office.issued,) if folder.is_dir()]


def _today(now: Now, *types: str) -> tuple[Subject, ...]:
    found = (now.hierarchy.alive(of, now.day, now.day + timedelta(days=1)) for of in types)
    return tuple(subject for listed in found for subject in listed)
