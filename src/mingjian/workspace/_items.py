"""Supervision items: confidential rows about those within reach, kept by those who handle them, and who reported each.

The type of the items is named ``item`` where a scheme declares it; who reported is a type with a sealed field that refers to
it. The one described is no handler: what weighs on them they see in their portrait, and what is still looked into they do not.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse
from mingjian.declare import EvidenceType, Field, Subject
from mingjian.record.access import Decision
from mingjian.record.evidence import Intake, read_rows
from mingjian.record.ledger import LedgerState
from mingjian.workspace._desk import Conflict, Desk
from mingjian.workspace._erasing import sealing_context
from mingjian.workspace._office import Now
from mingjian.workspace._shelf import Kept

ITEM: Final = "item"
_FRESH: Final = re.compile(r"[0-9]{8}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Source:
    """Who reported an item, as far as it is told: the row without its sealed fields, and the names of these."""

    row: Kept
    sealed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """An item as one person sees it. ``sources`` are the rows that say who reported; ``unseals``: this person may open them."""

    row: Kept
    subject: Subject
    sources: tuple[Source, ...]
    unseals: bool


class Items(Desk):
    """A desk at which items are handled. Every reading goes into the read log first, under the name of the type."""

    # -- who -----------------------------------------------------------------------------------------------------------
    def handles(self) -> bool:
        """Whether this person handles items about anybody."""
        now = self.now
        return ITEM in now.scheme.evidence and any(
            ITEM in role.adds or role.oversees
            for grant in now.actor(self.account).grants
            if (role := now.scheme.roles.get(grant.role)) is not None and role.reads in ("confidential", "sealed")
        )

    def files(self) -> bool:
        """Whether this person adds items about anybody."""
        now = self.now
        held = (now.scheme.roles.get(grant.role) for grant in now.actor(self.account).grants)
        return any(role is not None and ITEM in role.adds for role in held)

    def subjects(self, *, adding: str = "") -> tuple[Subject, ...]:
        """Those about whom this person handles items, as they are today; or may add rows of the type ``adding``."""
        now = self.now
        actor, kind = now.actor(self.account), self._kind(now)
        tomorrow = now.day + timedelta(days=1)
        alive = (s for of in kind.fields[kind.subjects[0]].of for s in now.hierarchy.alive(of, now.day, tomorrow))
        if adding:
            return tuple(s for s in alive if now.policy.add(actor, adding, s.id).allowed)
        return tuple(s for s in alive if self._handling(now, s.id).allowed)

    # -- reading -------------------------------------------------------------------------------------------------------
    def latest(self, subject: str = "", *, start: int = 0, count: int = 30) -> tuple[tuple[Kept, ...], int]:
        """Items about one subject or about everybody within reach, the last received first: some of them, and how many in all.

        Only those given are read, and logged. Raises Forbidden for a subject whose items this person does not handle.
        """
        now = self.now
        kind = self._kind(now)
        if subject:
            self._want(now, subject, f"see the items about {subject}")
        shelf, about = self.office.shelf(now), kind.subjects[0]
        rows = shelf.about(ITEM, subject) if subject else shelf.of(ITEM)
        reached = {name: self._handling(now, name).allowed for name in {row.data[about] for row in rows}}
        within = [row for row in rows if reached[row.data[about]]]
        within.sort(key=lambda row: (row.data[kind.date], row.entry), reverse=True)
        given = within[start : start + count]
        self._log(now, ITEM, [row.data[about] for row in given] or ([subject] if subject else []))
        return tuple(self._open(now, row.data[about], row) for row in given), len(within)

    def item(self, name: str) -> ItemSeen:
        """One item with what is told of who reported it. Raises Forbidden for one out of reach, as for one that is not there."""
        now = self.now
        row, subject = self._item(now, name)
        told = now.hierarchy.at(subject, now.day) or now.hierarchy.subject(subject)
        if told is None:
            raise Misuse(f"there is no subject {subject}")
        self._log(now, ITEM, [subject])
        sources = tuple(_told(now, kept) for kept in self._sources(now, name))
        unseals = now.policy.see(now.actor(self.account), subject, "sealed").allowed
        return ItemSeen(self._open(now, subject, row), told, sources, unseals)

    def unseal(self, name: str) -> tuple[Mapping[str, str], ...]:
        """Who reported an item: the sealed fields opened, a mapping for each row. Raises Forbidden naming who may.

        It is in the read log, under the name of the sealed type, before anything is opened.
        """
        now = self.now
        _, subject = self._item(now, name)
        decision = now.policy.see(now.actor(self.account), subject, "sealed")
        now.policy.refuse(decision, "you may not see who reported")
        found = self._sources(now, name)
        for kind in sorted({kept.kind for kept in found}):
            self.office.note_each(self.account, decision.role, kind, [subject])
        return tuple(self._opened(now, kept) for kept in found)

    # -- writing -------------------------------------------------------------------------------------------------------
    def may_file(self, kind: str, subject: str) -> bool:
        """Whether this person may add an item about a subject, or a row that says who reported."""
        now = self.now
        return kind in now.scheme.evidence and now.policy.add(now.actor(self.account), kind, subject).allowed

    def asked(self, kind: str) -> tuple[Field, ...]:
        """The fields that are filled in by hand: neither the key nor whom it is about, nor what refers to the item."""
        evidence = self.now.scheme.evidence[kind]
        given = {*evidence.subjects[:1], *(name for name in evidence.key if evidence.fields[name].type == "text")}
        shared = {evidence.date} if kind != ITEM and evidence.date == self.now.scheme.evidence[ITEM].date else set()
        return tuple(f for f in evidence.fields.values() if f.name not in given | shared and f.to != ITEM)

    def sealed_kinds(self) -> tuple[EvidenceType, ...]:
        """The types that say who reported."""
        return _sealed_kinds(self.now)

    def fresh(self) -> str:
        """A key for a new item: a form carries it, so that sending it twice keeps one item."""
        return f"{self.now.day:%Y%m%d}-{secrets.token_hex(4)}"

    def file(
        self,
        name: str,
        subject: str,
        row: Mapping[str, object],
        reported: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """Add an item ``name`` (one that is `fresh`) about a subject, with who ``reported`` it (by sealed type) where that is
        said. All of it lands, or nothing. Again by the same person, it changes nothing.

        Raises Forbidden naming who may, Conflict for a key that somebody else has used, Misuse for one that is none, and
        MingjianError with findings at the fields.
        """
        now = self.now
        kind = self._kind(now)
        if not _FRESH.fullmatch(name):
            raise Misuse("this is no key of a new item", remedy="open the form again")
        self._must(now, now.policy.add(now.actor(self.account), ITEM, subject), f"add an {ITEM} about {subject}")
        item = {**row, kind.key[0]: name, kind.subjects[0]: subject}
        intakes = {ITEM: self._read_rows(now, ITEM, item)}
        for other, said in (reported or {}).items():
            self._must(now, now.policy.add(now.actor(self.account), other, subject), f"add an {other} about {subject}")
            intakes[other] = self._read_rows(now, other, _linked(now, other, said, item))
        self._want_none(self.office.workspace.check(now.scheme, ITEM, intakes[ITEM], now.size))
        if self._kept_already(now, name, subject):
            return

        def still_new(head: LedgerState) -> None:
            if self._kept_already(self.office.at(head), name, subject):
                raise Conflict("this item is kept already", remedy="open it from your list")

        batches = [self.office.workspace.batch(now.scheme, k, i.table, self.account, {}) for k, i in intakes.items()]
        self.office.workspace.ledger.append_all(batches, check=still_new)

    def amend(self, name: str, row: Mapping[str, object], *, expected: int) -> None:
        """A later row of the same item, about the same subject and of the same day: what came of it.

        ``expected`` is the entry of the row that was seen. Raises Conflict where there is a later one, else as `file` does.
        """
        now = self.now
        kind = self._kind(now)
        kept, subject = self._item(now, name)
        self._must(now, now.policy.add(now.actor(self.account), ITEM, subject), f"add an {ITEM} about {subject}")
        fixed = {kind.key[0]: name, kind.subjects[0]: subject, kind.date: kept.data[kind.date]}
        intake = self._read_rows(now, ITEM, {**row, **fixed})

        def still_so(head: LedgerState) -> None:
            if self._item(self.office.at(head), name)[0].entry != expected:
                raise Conflict("this item has moved on", remedy="open it again and see what was done")

        batch = self.office.workspace.batch(now.scheme, ITEM, intake.table, self.account, {})
        self.office.workspace.ledger.append(batch, check=still_so)

    # -- within --------------------------------------------------------------------------------------------------------
    def _kind(self, now: Now) -> EvidenceType:
        if ITEM not in now.scheme.evidence:
            raise Misuse(f"scheme {now.scheme.id} keeps no items")
        return now.scheme.evidence[ITEM]

    def _handling(self, now: Now, subject: str) -> Decision:
        """Whether this person handles items about a subject: reads them, and may add some or oversees the office."""
        actor = now.actor(self.account)
        seen = now.policy.see(actor, subject, self._kind(now).label)
        added = now.policy.add(actor, ITEM, subject)
        if seen.allowed and not added.allowed and not now.policy.oversee(actor).allowed:
            return added
        return seen

    def _want(self, now: Now, subject: str, what: str) -> str:
        return self._must(now, self._handling(now, subject), what)

    def _item(self, now: Now, name: str) -> tuple[Kept, str]:
        kind = self._kind(now)
        rows = [row for row in self.office.shelf(now).of(ITEM) if row.data[kind.key[0]] == name]
        subject = str(rows[0].data[kind.subjects[0]]) if rows else ""
        if not rows or not self._handling(now, subject).allowed:
            raise Forbidden("there is no such item here", remedy="open it from your list")
        return rows[0], subject

    def _sources(self, now: Now, name: str) -> tuple[Kept, ...]:
        types = {kind.id for kind in _sealed_kinds(now)}
        return tuple(row for row in self.office.shelf(now).belonging(ITEM, name) if row.kind in types)

    def _opened(self, now: Now, kept: Kept) -> Mapping[str, str]:
        evidence, key = now.scheme.evidence[kept.kind], self.office.workspace.office_key
        sealed = [name for name in _sealed_fields(evidence) if kept.data[name] is not None]
        return {name: key.open(kept.data[name], sealing_context(now.scheme, evidence, name)) for name in sealed}

    def _kept_already(self, now: Now, name: str, subject: str) -> bool:
        """Whether this person keeps an item of that name about the subject already. Raises Conflict where another does."""
        kind = self._kind(now)
        rows = [row for row in self.office.shelf(now).of(ITEM) if row.data[kind.key[0]] == name]
        if rows and (rows[0].by != self.account or rows[0].data[kind.subjects[0]] != subject):
            raise Conflict("this key of an item is taken", remedy="open the form again")
        return bool(rows)

    def _log(self, now: Now, what: str, subjects: Sequence[str]) -> None:
        by_role: dict[str, list[str]] = {}
        for subject in dict.fromkeys(subjects):
            by_role.setdefault(self._handling(now, subject).role, []).append(subject)
        for role, names in by_role.items():
            self.office.note_each(self.account, role, what, names)

    def _read_rows(self, now: Now, kind: str, row: Mapping[str, object]) -> Intake:
        intake = read_rows([row], now.scheme.evidence[kind], zone=now.scheme.zone)
        self._want_none([replace(each, place=replace(each.place, sheet=kind)) for each in intake.findings])
        return intake

    def _want_none(self, found: Sequence[Finding]) -> None:
        if found:
            raise MingjianError("nothing was kept", why=f"{len(found)} findings", findings=found)


def _linked(now: Now, kind: str, said: Mapping[str, object], item: Mapping[str, Any]) -> Mapping[str, object]:
    """A row of a sealed type, with what links it to its item."""
    evidence, of = now.scheme.evidence[kind], now.scheme.evidence[ITEM]
    links = {field.name: item[of.key[0]] for field in evidence.fields.values() if field.to == ITEM}
    shared = {evidence.date: item[of.date]} if evidence.date == of.date else {}
    about = dict.fromkeys(evidence.subjects[:1], item[of.subjects[0]])
    return {**said, **links, **shared, **about}


def _sealed_kinds(now: Now) -> tuple[EvidenceType, ...]:
    return tuple(
        kind
        for kind in now.scheme.evidence.values()
        if _sealed_fields(kind) and any(field.to == ITEM for field in kind.fields.values())
    )


def _sealed_fields(kind: EvidenceType) -> tuple[str, ...]:
    return tuple(field.name for field in kind.fields.values() if field.label == "sealed")


def _told(now: Now, kept: Kept) -> Source:
    sealed = _sealed_fields(now.scheme.evidence[kept.kind])
    return Source(replace(kept, data={k: v for k, v in kept.data.items() if k not in sealed}), sealed)
