"""The one place of decision: whatever the face, who may do what to whom is asked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mingjian.base.errors import Forbidden, Misuse
from mingjian.declare import LABELS, Hierarchy, Label, Role, Scheme, Title, near
from mingjian.record.access._grants import Actor, Grant

OPEN: Final = Title("anyone may", "任何人均可")
HELD: Final = Title("a role that reaches it allows it", "所持角色覆盖该对象")
BEYOND: Final = Title("no role of yours that reaches it allows this", "您所持角色均未覆盖该对象或不含此权限")
ANYONE: Final = Title("nobody is signed in", "尚未登录")
NOBODY: Final = Title("no role may do this", "没有任何角色可以办理")

_RANK: Final = {label: rank for rank, label in enumerate(LABELS)}

_Fits = Callable[[Role], bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, by which of the actor's roles ("" where none is needed), and why.

    ``who`` are the ids of the roles that may, granted over the right subject; empty where anyone may, or nobody.
    """

    allowed: bool
    role: str
    reason: Title
    who: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """The reason in English."""
        return self.reason.en

    def __bool__(self) -> bool:
        return self.allowed


class Refused(Forbidden):
    """What a decision does not allow. ``decision`` says why in both languages, and which roles may."""

    def __init__(self, what: str, decision: Decision, *, remedy: str) -> None:
        super().__init__(what, why=decision.why, remedy=remedy)
        self.decision = decision


class Policy:
    """Who may do what under a scheme on one day.

    A grant over subject X reaches X and all that stands below X on the day. Who does not exist then (a unit that is gone, a
    leader yet to come) stands where it is last known to, and after a merger under whoever it merged into; others it never
    stands above. Grants that do not hold on the day, of roles that the scheme does not declare, or over a subject of another
    type than the role's, count for nothing.

    A subject of "" means rows about no subject: a role that reads them sees internal ones, and all else takes a role over
    a subject at the top. Of a row about several subjects, ask for each.

    Pure: the same questions have the same answers, for as long as it lives. One object may serve many threads.
    """

    def __init__(self, scheme: Scheme, hierarchy: Hierarchy, day: date) -> None:
        self.day = day
        self._scheme = scheme
        self._hierarchy = hierarchy
        self._order = {role: place for place, role in enumerate(scheme.roles)}
        self._lines: dict[str, tuple[str, ...]] = {}  # worked out once a subject, when first asked for

    # -- what is seen ---------------------------------------------------------------------------------------------------
    def see(self, actor: Actor, subject: str, label: Label) -> Decision:
        """Rows and fields of this label about a subject. Who sees a label sees every more open one.

        Public ones are for anyone. What is sealed takes a role that reads confidential rows and unseals.
        """
        if label == "public":
            return Decision(True, "", OPEN)
        if label == "internal" and not subject:
            return self._held(actor, lambda role: _reads(role, label))
        if label == "sealed":
            return self._over(actor, subject, lambda role: role.unseals and _reads(role, "confidential"))
        return self._over(actor, subject, lambda role: _reads(role, label))

    def describe(self, actor: Actor, subject: str) -> Decision:
        """Released numbers about a subject: of one that is no person, for any role that reaches it.

        A person's are for whoever holds a role over that very person (they see their own), and for roles from above that
        read confidential rows.
        """
        return self._over(actor, subject, lambda role: self._told(role, subject))

    def oversee(self, actor: Actor) -> Decision:
        """The read log, the accounts and the record of sign-ins."""
        return self._held(actor, lambda role: role.oversees)

    def unseal(self, actor: Actor) -> Decision:
        """Use of the office's key at all; `see` says of whose sealed fields."""
        return self._held(actor, lambda role: role.unseals)

    # -- what is done ---------------------------------------------------------------------------------------------------
    def add(self, actor: Actor, evidence_type: str, subject: str) -> Decision:
        """A new row of an evidence type about a subject; about a person only by those whom `describe` allows their figures.

        So nobody who stands above a person answers in their place. Raises Misuse for a type that the scheme does not declare.
        """
        _known(evidence_type, self._scheme.evidence, "evidence type")
        return self._over(actor, subject, lambda role: evidence_type in role.adds and self._told(role, subject))

    def act(self, actor: Actor, process: str, act: str, subject: str) -> Decision:
        """An act in a case about a subject, as far as roles go. Raises Misuse for an undeclared process or act."""
        _known(process, self._scheme.processes, "process")
        acts = self._scheme.processes[process].acts
        _known(act, acts, f"act of {process}")
        return self._over(actor, subject, lambda role: role.id in acts[act].by)

    def issue(self, actor: Actor, statement_type: str, subject: str) -> Decision:
        """A statement about a subject. Raises Misuse for an undeclared statement type."""
        _known(statement_type, self._scheme.statements, "statement type")
        return self._over(actor, subject, lambda role: statement_type in role.issues)

    def grant(self, actor: Actor, role: str, subject: str) -> Decision:
        """To give or to take a role over a subject. Raises Misuse for an undeclared role or a subject of another type."""
        _known(role, self._scheme.roles, "role")
        wanted = self._scheme.roles[role].of
        if self._type(subject) != wanted:
            raise Misuse(f"{role} is no role over {subject or 'nobody'}", remedy=f"it is granted over a {wanted}")
        return self._over(actor, subject, lambda held: role in held.grants)

    # -- who is reached ---------------------------------------------------------------------------------------------------
    def reach(self, actor: Actor, subject_type: str, role: str | None = None) -> tuple[str, ...]:
        """The ids, in order, of all subjects of a type that the actor's grants (of ``role``) reach.

        Also of those that are gone, whose rows are still there: `Hierarchy.alive` tells them apart.
        """
        found: set[str] = set()
        for over in {grant.subject for grant, held in self._roles(actor) if role in (None, held.id)} - found:
            candidates = {over} | self._hierarchy.below([over])
            found |= {name for name in candidates if self._type(name) == subject_type and over in self._line(name)}
        return tuple(sorted(found))

    # -- what a refusal says ----------------------------------------------------------------------------------------------
    def refuse(self, decision: Decision, what: str) -> None:
        """Nothing where the decision allows it; else raises Refused, which names (in both languages) the roles that may."""
        if not decision:
            titles = [self._scheme.roles[role].title for role in decision.who]
            may = ", ".join(f"{title.en} ({title.zh})" for title in titles)
            raise Refused(what, decision, remedy=f"who may: {may}" if may else "")

    # -- within -----------------------------------------------------------------------------------------------------------
    def _over(self, actor: Actor, subject: str, fits: _Fits) -> Decision:
        """Whether a role of the actor fits and reaches the subject."""
        line = self._line(subject)
        found = (
            r for grant, r in self._roles(actor) if fits(r) and (grant.subject in line if subject else self._top(r))
        )
        kinds = self._kinds_above(subject)
        return self._decided(actor, next(found, None), lambda role: role.of in kinds and fits(role))

    def _held(self, actor: Actor, fits: _Fits) -> Decision:
        """Whether any role of the actor fits, wherever it is held."""
        return self._decided(actor, next((role for _, role in self._roles(actor) if fits(role)), None), fits)

    def _decided(self, actor: Actor, role: Role | None, could: _Fits) -> Decision:
        who = tuple(role.id for role in self._scheme.roles.values() if could(role))
        if role is not None:
            return Decision(True, role.id, HELD, who)
        return Decision(False, "", NOBODY if not who else BEYOND if actor.account else ANYONE, who)

    def _roles(self, actor: Actor) -> Iterator[tuple[Grant, Role]]:
        """The actor's grants that count today, with their roles, in the order in which the scheme declares these."""
        for grant in sorted(actor.grants, key=lambda grant: self._order.get(grant.role, -1)):
            role = self._scheme.roles.get(grant.role)
            if role is not None and grant.holds(self.day) and self._type(grant.subject) == role.of:
                yield grant, role

    def _line(self, subject: str) -> tuple[str, ...]:
        """A subject and all that it stands below on the day, nearest first; none for a subject nobody knows."""
        if subject not in self._lines:
            self._lines[subject] = tuple(self._upwards(subject))
        return self._lines[subject]

    def _upwards(self, subject: str) -> Iterator[str]:
        name = subject
        while known := self._hierarchy.subject(name):
            there = self._hierarchy.at(name, self.day)
            if there is not None or name == subject:
                yield name  # of those that are gone only the subject itself: they reach nobody else any more
            state = there or known
            name = state.parent if there is not None else state.into or state.parent

    def _kinds_above(self, subject: str) -> tuple[str, ...]:
        """The types of subject over which a grant could reach this one; of a subject nobody knows, all."""
        kind = self._type(subject)
        if kind:
            return self._scheme.lineage_of(kind)
        return tuple(name for name, type in self._scheme.subjects.items() if subject or not type.parent)

    def _top(self, role: Role) -> bool:
        return not self._scheme.subjects[role.of].parent

    def _told(self, role: Role, subject: str) -> bool:
        """Whether a role that reaches a subject is told its figures."""
        kind = self._type(subject)
        return not self._is_person(kind) or role.of == kind or _reads(role, "confidential")

    def _type(self, subject: str) -> str:
        known = self._hierarchy.subject(subject)
        return known.type if known else ""

    def _is_person(self, kind: str) -> bool:
        return bool(kind) and self._scheme.subjects[kind].person


def _reads(role: Role, label: Label) -> bool:
    return _RANK[role.reads] >= _RANK[label]


def _known(name: str, names: Mapping[str, object], what: str) -> None:
    if name not in names:
        raise Misuse(f"no {what} {name!r}", remedy=near(name, names))
