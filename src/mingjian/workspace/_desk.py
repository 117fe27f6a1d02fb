"""A desk: what one person may see and do in an office. Faces call this and nothing below it.

Every call decides anew by the grants of the moment, and every reading of what is confidential goes into the read log before
anything is shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from mingjian.attest.issue import file_stem
from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse
from mingjian.base.values import Period
from mingjian.declare import Act, EvidenceType, Field, Process, Scheme, StatementType, Subject, Title, evidence_types
from mingjian.reckon.measures import Value
from mingjian.record.access import Decision
from mingjian.record.evidence import read_file, read_rows
from mingjian.record.ledger import Batch, LedgerState
from mingjian.record.process import Case, Move, allowed, hindrance, moved
from mingjian.workspace._attachments import Attachment
from mingjian.workspace._explained import Explained, rows_of
from mingjian.workspace._limited import limited
from mingjian.workspace._office import Now, Office, kind_of
from mingjian.workspace._panorama import Panorama, charted
from mingjian.workspace._paper_facts import grade
from mingjian.workspace._shelf import Kept
from mingjian.workspace._workspace import Taken

ATTACHMENT, REPLY, USE = "attachment", "reply", "use"  # evidence types that faces know how to draw, where declared


class Conflict(Forbidden):
    """Somebody else was faster: what the actor saw is no longer how things stand."""


@dataclass(frozen=True, slots=True)
class Form:
    """Rows that an act takes: of which type, how many, and the fields that the actor gives; the kernel fills the others."""

    kind: EvidenceType
    amount: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that a person sees on a case: whether it may be done now, and if not, why and who may."""

    act: Act
    allowed: bool
    why: Title | None
    fills: tuple[Field, ...]
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case as one person sees it, with the rows that belong to it, by evidence type."""

    case: Case
    subject: Subject
    offers: tuple[Offer, ...]
    rows: Mapping[str, tuple[Kept, ...]]


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything shown of a subject in a period: its values by measure and member, what it replied, what it was used for."""

    subject: Subject
    period: Period
    statement: StatementType
    values: Mapping[str, Mapping[str, Value]]
    grades: Mapping[str, Title]
    before: Mapping[str, Value]
    members: Mapping[str, Title]
    replies: tuple[Kept, ...]
    uses: tuple[Kept, ...]
    below: tuple[Subject, ...]


class Desk:
    """The office as one account may use it. ``account`` "" is anyone: what is public, and nothing else."""

    def __init__(self, office: Office, account: str) -> None:
        self.office, self.account = office, account

    # -- who -----------------------------------------------------------------------------------------------------------
    @property
    def now(self) -> Now:
        """How things stand now."""
        return self.office.now()

    def reach(self, subject_type: str, role: str = "") -> tuple[Subject, ...]:
        """The subjects of a type that are within this person's reach (by that role, or by any), by id."""
        now = self.now
        names = now.policy.reach(now.actor(self.account), subject_type, role or None)
        found = (now.hierarchy.at(name, now.day) or now.hierarchy.subject(name) for name in names)
        return tuple(subject for subject in found if subject is not None)

    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """The roles this person holds today, each with the subjects it is granted over."""
        held: dict[str, tuple[str, ...]] = {}
        now = self.now
        for grant in now.actor(self.account).grants:
            held[grant.role] = (*held.get(grant.role, ()), grant.subject)
        return held

    # -- cases ---------------------------------------------------------------------------------------------------------
    def cases(self, process: str, *, states: Collection[str] | None = None, subject: str = "") -> tuple[Case, ...]:
        """The cases of a process about those within reach, or about one ``subject`` there. Forbidden for one that is not."""
        now = self.now
        declared = process_of(now.scheme, process)
        kind = now.scheme.evidence[declared.of]
        if subject:
            self._must(now, now.policy.see(now.actor(self.account), subject, kind.label), f"see the cases of {subject}")
            return now.docket.cases(process, subjects=[subject], states=states)
        types = {t for name in kind.subjects[:1] for t in kind.fields[name].of}
        names = [s.id for t in sorted(types) for s in self.reach(t)]
        return now.docket.cases(process, subjects=names, states=states)

    def case(self, process: str, name: str) -> CaseSeen:
        """One case, with what may be done to it. Raises Forbidden for one out of reach, as for one that is not there."""
        now = self.now
        seen = self._case(now, process, name)
        subject = now.hierarchy.at(seen.subject, now.day) or now.hierarchy.subject(seen.subject)
        if subject is None:
            raise Misuse(f"there is no subject {seen.subject}")
        declared = now.scheme.processes[process]
        kept = self.office.shelf(now).belonging(declared.of, name)
        rows: dict[str, tuple[Kept, ...]] = {}
        for row in kept:
            if self._sees(now, seen.subject, now.scheme.evidence[row.kind]):
                rows[row.kind] = (*rows.get(row.kind, ()), self._open(now, seen.subject, row))
        return CaseSeen(seen, subject, tuple(self._offers(now, seen)), rows)

    def act(
        self,
        process: str,
        name: str,
        act: str,
        *,
        expected: int,
        fills: Mapping[str, object] | None = None,
        rows: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
        files: Iterable[tuple[str, BinaryIO]] = (),
        note: str = "",
    ) -> Case:
        """Do something to a case: the act and all that comes with it land together, or nothing does.

        ``expected`` is how many acts the actor had seen. Raises Conflict where there are more by now, Forbidden naming who
        may or why not now, MingjianError with findings at the fields for rows that break a rule.
        """
        now = self.now
        seen = self._case(now, process, name)
        self._may(now, seen, act, expected)
        given = {kind: list(listed) for kind, listed in (rows or {}).items()}
        for file, content in files:
            given.setdefault(ATTACHMENT, []).append(_attached(self.office.attachments.keep(file, content)))
        role = self._role(now, seen, act)
        move = moved(
            now.scheme,
            seen,
            act,
            role=role,
            by=self.account,
            at=self.office.workspace.clock(),
            note=note,
            fills=fills or {},
            rows=given,
        )
        self._known(now, move, given)

        def still_so(head: LedgerState) -> None:
            self._still(self.office.at(head), move, act)

        self.office.workspace.ledger.append_all(self._batches(now, move), check=still_so)
        return self.now.docket.case(process, name)

    def attachment(self, process: str, name: str, sha256: str) -> tuple[Attachment, bytes]:
        """A file that belongs to a case within reach. Raises Forbidden or Misuse as `case` does."""
        for row in self.case(process, name).rows.get(ATTACHMENT, ()):
            if row.data["sha256"] == sha256:
                told = Attachment(row.data["name"], row.data["media"], int(row.data["size"]), sha256)
                return told, self.office.attachments.read(sha256)
        raise Misuse("there is no such attachment")

    # -- figures -------------------------------------------------------------------------------------------------------
    def portrait(self, subject: str, period: Period) -> Portrait:
        """A portrait as it stands by the evidence of now. The reading of a person's goes into the read log first."""
        now = self.now
        told = self._described(now, subject, period, "portrait")
        statement = portrait_type(now.scheme, told.type)
        values: dict[str, dict[str, Value]] = {}
        for value in self.office.values(now, subject, period):
            if value.measure in statement.show:
                values.setdefault(value.measure, {})[value.member] = value
        earlier = self.office.values(now, subject, period.previous())
        shelf = self.office.shelf(now)
        return Portrait(
            told,
            period,
            statement,
            values,
            _grades(now.scheme, values),
            {value.measure: value for value in earlier if not value.member and value.measure in statement.show},
            self.titles(period),
            tuple(row for row in shelf.about(REPLY, subject) if row.data.get("period", str(period)) == str(period)),
            tuple(row for row in shelf.about(USE, subject) if self._sees(now, subject, now.scheme.evidence[USE])),
            tuple(
                below
                for kind in now.scheme.subjects.values()
                if kind.parent == told.type
                for below in now.hierarchy.alive(kind.id, period.first, period.end)
                if below.parent == subject and now.policy.describe(now.actor(self.account), below.id).allowed
            ),
        )

    def described(self, subject_type: str) -> tuple[Subject, ...]:
        """Those of a type whose portrait this person may see, as they are today, by id."""
        now = self.now
        actor = now.actor(self.account)
        alive = {s.id for s in now.hierarchy.alive(subject_type, now.day, now.day + timedelta(days=1))}
        names = [name for name in now.policy.reach(actor, subject_type) if name in alive]
        seen = (now.hierarchy.at(name, now.day) for name in names if now.policy.describe(actor, name).allowed)
        return tuple(subject for subject in seen if subject is not None)

    def may_add(self, kind: str, subject: str) -> bool:
        """Whether this person may add a row of that type about the subject."""
        now = self.now
        return now.policy.add(now.actor(self.account), kind, subject).allowed

    def lies(self, subject: str, period: Period) -> frozenset[str]:
        """What was issued of a portrait and lies here: ".json", ".pdf"."""
        found = (self._file(subject, period, ending) for ending in (".json", ".pdf"))
        return frozenset(file.suffix for file in found if file.is_file())

    def issued(self, subject: str, period: Period, ending: str) -> bytes:
        """A portrait as it was issued. Raises Forbidden as `portrait` does, Misuse where none was issued."""
        self._described(self.now, subject, period, "statement")
        file = self._file(subject, period, ending)
        if not file.is_file():
            raise Misuse(f"no portrait of {subject} was issued for {period}", remedy="ask for it to be issued")
        return file.read_bytes()

    def _file(self, subject: str, period: Period, ending: str) -> Path:
        now = self.now
        told = now.hierarchy.subject(subject)
        if told is None:
            raise Misuse(f"there is no subject {subject}")
        return (
            self.office.issued / f"{file_stem(portrait_type(now.scheme, told.type).id, subject, str(period))}{ending}"
        )

    def titles(self, period: Period) -> Mapping[str, Title]:
        """What the members of the panorama's columns and their groups are called, as of a period."""
        now = self.now
        if not any(node.members for index in now.scheme.indices.values() for node in index.nodes()):
            return {}
        members = self.office.members(now, period)
        groups = {member.group: Title(member.group_en, member.group_zh) for member in members}
        return groups | {member.id: Title(member.en, member.zh) for member in members}

    def periods(self) -> tuple[Period, ...]:
        """The periods that there are cases of, or else the last four; the earliest first."""
        now = self.now
        found = self.office.periods(now)
        last = Period.of(now.day, kind_of(now.scheme))
        return found or tuple(sorted((last, *_before(last, 3))))

    def current(self) -> Period:
        """The period to look at first: the last that is over, or the only ones there are."""
        known = self.periods()
        over = [period for period in known if period.end <= self.now.day]
        return (over or known)[-1]

    def explain(self, measure: str, subject: str, period: Period, member: str = "") -> Explained:
        """Why a number is what it is. Rows above what this person may see are counted, and not shown."""
        now = self.now
        self._described(now, subject, period, f"explain {measure}")
        found = self.office.explained(now, measure, subject, period, member)
        types = evidence_types(now.scheme)
        hidden = {kind for kind, evidence in types.items() if not self._sees(now, subject, evidence)}
        shown = limited(found, now.scheme, hidden)
        for kind in sorted({row.kind for row in rows_of(shown.root) if types[row.kind].label == "confidential"}):
            self._read(now, subject, kind, period)
        return shown

    def panorama(self, period: Period) -> Panorama:
        """Everybody at a glance. Raises Forbidden unless all of them are within reach."""
        now = self.now
        index, _ = charted(now.scheme)
        within = set(now.policy.reach(now.actor(self.account), index.of))
        for subject in now.hierarchy.alive(index.of, period.first, period.end):
            if subject.id not in within:
                self._must(now, now.policy.describe(now.actor(self.account), subject.id), "see the panorama")
        return self.office.panorama(now, period)

    def _described(self, now: Now, subject: str, period: Period, what: str) -> Subject:
        """The subject, once it is decided that its numbers may be seen; of a person, once that is in the read log."""
        told = now.hierarchy.at(subject, period.first) or now.hierarchy.subject(subject)
        self._must(now, now.policy.describe(now.actor(self.account), subject), f"see the figures of {subject}")
        if told is None:
            raise Misuse(f"there is no subject {subject}")
        if now.scheme.subjects[told.type].person:
            self._read(now, subject, what, period)
        return told

    # -- rows by hand --------------------------------------------------------------------------------------------------
    def add(self, kind: str, subject: str, row: Mapping[str, object]) -> Taken:
        """Add one row by hand: a reply, a decision, a problem.

        It gets a key of its own where ``row`` has none. Raises Forbidden naming who may, Conflict for a key that is there
        already (what was said stays said), and MingjianError with findings at the fields.
        """
        now = self.now
        evidence = self.office.workspace.evidence_type(now.scheme, kind)
        self._must(now, now.policy.add(now.actor(self.account), kind, subject), f"add a {kind} about {subject}")
        given = {**row, **dict.fromkeys(evidence.subjects[:1], subject)}
        for name in evidence.key:
            if evidence.fields[name].type == "text" and not given.get(name):
                given[name] = fresh_key(kind, subject)
        if evidence.key and self.office.shelf(now).row(kind, [given.get(name) for name in evidence.key]) is not None:
            raise Conflict(f"this {kind} is there already", remedy="open the page again")
        if "by" in evidence.fields:
            given["by"] = self.account
        return self.office.workspace.add(
            now.scheme, kind, read_rows([given], evidence, zone=now.scheme.zone), self.account
        )

    def add_file(self, kind: str, path: Path) -> Taken:
        """Add a file of rows.

        Raises Forbidden for a row about a subject out of reach, or in place of one that is, and findings at the cells.
        """
        now = self.now
        evidence = self.office.workspace.evidence_type(now.scheme, kind)
        intake = read_file(path, evidence, zone=now.scheme.zone)
        actor = now.actor(self.account)
        shelf, about = self.office.shelf(now), evidence.subjects[:1]
        names = {name for field in about for name in intake.table[field].to_pylist() if name}
        for row in intake.table.select(evidence.key).to_pylist() if evidence.key else ():
            before = shelf.row(kind, [row[name] for name in evidence.key])  # which this one would supersede
            names |= {before.data[field] for field in about} if before is not None else set()
        for name in sorted(names) or [""]:
            self._must(now, now.policy.add(actor, kind, name), f"add a {kind} about {name or 'nobody'}")
        return self.office.workspace.add(now.scheme, kind, intake, self.account)

    # -- decisions -----------------------------------------------------------------------------------------------------
    def _must(self, now: Now, decision: Decision, what: str) -> str:
        """The role that allows it. Raises Forbidden naming those that would."""
        now.policy.refuse(decision, f"you may not {what}")
        return decision.role

    def _sees(self, now: Now, subject: str, kind: EvidenceType) -> bool:
        return now.policy.see(now.actor(self.account), subject, kind.label).allowed

    def _open(self, now: Now, subject: str, row: Kept) -> Kept:
        """The row without the fields whose own label is above what this person sees."""
        fields, actor = now.scheme.evidence[row.kind].fields, now.actor(self.account)
        labels = {field.label for field in fields.values()}
        if labels <= {"public", "internal"}:
            return row
        seen = {label for label in labels if now.policy.see(actor, subject, label).allowed}
        return replace(row, data={name: value for name, value in row.data.items() if fields[name].label in seen})

    def _read(self, now: Now, subject: str, what: str, period: Period | None) -> None:
        role = now.policy.describe(now.actor(self.account), subject).role
        self.office.note(self.account, role, what, subject, str(period or ""))

    def _case(self, now: Now, process: str, name: str) -> Case:
        declared = process_of(now.scheme, process)
        try:
            seen = now.docket.case(process, name)
        except Misuse as fault:  # the same answer as for one out of reach: nobody learns which cases there are
            raise Forbidden(f"there is no case {name} here", remedy="open it from your list") from fault
        decision = now.policy.see(now.actor(self.account), seen.subject, now.scheme.evidence[declared.of].label)
        if not decision.allowed:
            raise Forbidden(f"there is no case {name} here", remedy="open it from your list")
        return seen

    def _known(self, now: Now, move: Move, given: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """Raises MingjianError with findings for rows or subjects that the actor named and that are not there."""
        findings: list[Finding] = []
        for kind, listed in given.items():
            named = {name for row in listed for name in row}
            if any(
                field.type in ("ref", "subject")
                for field in now.scheme.evidence[kind].fields.values()
                if field.name in named
            ):
                found = self.office.workspace.check(now.scheme, kind, move.intakes[kind], now.size)
                findings += [replace(each, place=replace(each.place, sheet=kind)) for each in found]
        if findings:
            raise MingjianError("nothing of this was done", why=f"{len(findings)} findings", findings=findings)

    def _batches(self, now: Now, move: Move, file: str = "") -> tuple[Batch, ...]:
        source = {"file": file} if file else {}
        return tuple(
            self.office.workspace.batch(now.scheme, kind, intake.table, self.account, source)
            for kind, intake in move.intakes.items()
        )

    def _may(self, now: Now, seen: Case, act: str, expected: int) -> None:
        self._role(now, seen, act)
        if seen.version != expected:
            raise Conflict(
                f"{seen.id} has moved on",
                why=f"it is {now.scheme.processes[seen.process].states[seen.state].title.en} now",
                remedy="open it again and see what was done",
            )
        allowed(now.scheme, seen, act, now.day)

    def _still(self, there: Now, move: Move, act: str) -> None:
        """Raises Conflict where anything of the case, its own row too, is no longer what the act was made of."""
        case = there.docket.case(move.case.process, move.case.id)
        self._may(there, case, act, move.case.version)
        if case != move.case:
            raise Conflict(f"{case.id} has changed", why="its row is another now", remedy="open it again")

    def _role(self, now: Now, seen: Case, act: str) -> str:
        if act not in now.scheme.processes[seen.process].acts:
            raise Misuse(
                f"there is no act {act}", remedy=f"one of {', '.join(now.scheme.processes[seen.process].acts)}"
            )
        decision = now.policy.act(now.actor(self.account), seen.process, act, seen.subject)
        return self._must(now, decision, f"{act} {seen.id}")

    def _offers(self, now: Now, seen: Case) -> Iterable[Offer]:
        process = now.scheme.processes[seen.process]
        actor = now.actor(self.account)
        for act in process.acts.values():
            if seen.state not in act.sources or not now.policy.act(actor, seen.process, act.id, seen.subject).allowed:
                continue
            why = hindrance(now.scheme, seen, act.id, now.day)
            kind = now.scheme.evidence[process.of]
            forms = tuple(
                form_of(now.scheme, kind, name, amount) for name, amount in act.takes.items() if name != ATTACHMENT
            )
            yield Offer(act, why is None, why, tuple(kind.fields[name] for name in act.fills), forms)


def _before(period: Period, count: int) -> Iterable[Period]:
    for _ in range(count):
        period = period.previous()
        yield period


def _grades(scheme: Scheme, values: Mapping[str, Mapping[str, Value]]) -> dict[str, Title]:
    """The band that each measure as a whole has reached, where it declares any."""
    found: dict[str, Title] = {}
    for name, by_member in values.items():
        declared = scheme.measures.get(name) or scheme.indices[name]
        reached = grade(declared.grades, by_member[""]) if "" in by_member else None
        if reached is not None:
            found[name] = reached.title
    return found


def fresh_key(kind: str, subject: str) -> str:
    """A key that no other row has, also of those that others add at the same moment."""
    return f"{kind}/{subject}/{secrets.token_hex(6)}"


def portrait_type(scheme: Scheme, subject_type: str) -> StatementType:
    """The portrait that a scheme makes of subjects of a type. Raises Misuse where it makes none."""
    for statement in scheme.statements.values():
        if statement.kind == "portrait" and statement.of == subject_type:
            return statement
    raise Misuse(f"scheme {scheme.id} makes no portrait of a {subject_type}")


def process_of(scheme: Scheme, process: str) -> Process:
    """The process of that name. Raises Misuse where there is none."""
    if process not in scheme.processes:
        raise Misuse(f"there is no process {process}", remedy=f"one of {', '.join(scheme.processes) or 'none'}")
    return scheme.processes[process]


def form_of(scheme: Scheme, case: EvidenceType, kind: str, amount: str) -> Form:
    """What the actor fills in: neither what links the row to the case nor what the case's own row says already."""
    evidence = scheme.evidence[kind]
    fields = tuple(
        field
        for field in evidence.fields.values()
        if field.to != case.id
        and not (field.name in case.fields and field.type in ("subject", "ref", "period"))
        and not (field.name in evidence.key and field.type == "text")
        and field.name != "by"
    )
    return Form(evidence, amount, fields)


def _attached(kept: Attachment) -> dict[str, object]:
    return {"name": kept.name, "media": kept.media, "size": kept.size, "sha256": kept.sha256}
