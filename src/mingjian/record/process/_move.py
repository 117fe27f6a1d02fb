"""An act done to a case, as rows on their way into the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse, Place
from mingjian.declare import Act, EvidenceType, Process, Scheme, evidence_types, near
from mingjian.record.evidence import Intake, read_rows
from mingjian.record.process._allowed import allowed, declared_act, named, roles_named
from mingjian.record.process._case import Case
from mingjian.record.process._docket import ACT
from mingjian.record.process._filled import blank, filled

LONGEST_TEXT: Final = 20_000  # characters
_LINE: Final = "_line"

Rows = Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Move:
    """What an act brings into the ledger, all of it in one transaction or nothing.

    ``case`` is the case as the actor saw it: the move holds only while a docket still has exactly this one (an act by
    somebody else makes it another, and so does a later row, which the act would undo). ``intakes`` has rows by evidence
    type, in the order in which they are recorded: those that come along, the case's own where it changes, the act. None of
    them has a finding; whether the rows that they name exist is for `check_rows`.
    """

    case: Case
    intakes: Mapping[str, Intake]


def moved(
    scheme: Scheme,
    case: Case,
    act_id: str,
    *,
    role: str,
    by: str,
    at: datetime,
    note: str = "",
    fills: Mapping[str, object] | None = None,
    rows: Rows | None = None,
    file: str = "",
) -> Move:
    """The rows that an act makes when account ``by`` does it in ``role`` at an instant.

    ``fills`` are the fields of the case's own row that the act asks for, all of them with a value; ``rows`` the rows that
    come along, by evidence type, of which each says only what does not follow from the case (`filled`).

    Raises Forbidden where the act is not open to the case or to the role, naming who may; Misuse for an act that there is
    not; MingjianError with every Finding otherwise. Of a finding's place, ``sheet`` is the evidence type and ``row`` the
    number of a row that comes along (from 1); a field of the case's own row or the note has no row.
    """
    if at.tzinfo is None:
        raise Misuse("an act at no instant", why=str(at), remedy="attach its zone")
    process = scheme.processes[case.process]
    act = declared_act(process, act_id)
    day = at.astimezone(ZoneInfo(scheme.zone)).date()
    allowed(scheme, case, act_id, day)
    if role not in act.by:
        raise Forbidden(f"{named(act)} is not for {role}", remedy=f"it is for {roles_named(scheme, act.by)}")
    making = _Making(scheme, process, act, case, day, at, file)
    making.take(rows or {})
    making.fill(fills or {})
    making.record(role, by, note)
    if making.findings:
        raise MingjianError(
            f"{named(act)} was not done to {case.id}",
            why=f"{len(making.findings)} findings",
            where=file,
            remedy="mend what is named and do it again",
            findings=making.findings,
        )
    return Move(case, making.intakes)


@dataclass(slots=True)
class _Making:
    """The intakes of one act, as they are made."""

    scheme: Scheme
    process: Process
    act: Act
    case: Case
    day: date
    at: datetime
    file: str
    intakes: dict[str, Intake] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def of(self) -> EvidenceType:
        return self.scheme.evidence[self.process.of]

    def finding(self, rule: str, message: str, kind: str, name: str = "", *, value: str = "", remedy: str = "") -> None:
        self.findings.append(Finding(rule, message, Place(self.file, kind, field=name), value, remedy))

    def read(self, rows: Sequence[Mapping[str, object]], type: EvidenceType) -> Intake:
        """Rows as an intake, their findings noted with the type as the sheet; what comes along keeps its row's number."""
        intake = read_rows(rows, type, self.file, zone=self.scheme.zone)
        own = type.id not in self.act.takes
        # What stands in the case's row already is not the actor's, and a sealed text is longer than what was written.
        written = self.act.fills if type.id == self.process.of else type.fields
        for found in (
            *intake.findings,
            *_too_long(intake, [name for name in written if type.fields[name].type == "text"]),
        ):
            place = Place(self.file, type.id, None if own else found.place.row, found.place.field)
            self.findings.append(replace(found, place=place))
        return intake

    def take(self, rows: Rows) -> None:
        """The rows that come along."""
        for kind in rows:
            if kind not in self.act.takes and rows[kind]:
                remedy = near(kind, [*self.act.takes], "leave it out")
                self.finding("not-taken", f"{named(self.act)} takes no {kind}", kind, remedy=remedy)
        for kind, amount in self.act.takes.items():
            type, given = self.scheme.evidence[kind], rows.get(kind, ())
            if (amount == "one" and len(given) != 1) or (amount == "some" and not given):
                wanted = "exactly one" if amount == "one" else "at least one"
                message = f"{named(self.act)} wants {wanted} {type.title.zh} ({type.title.en})"
                self.finding("wrong-number", message, kind, value=str(len(given)))
            if given:
                self.along(type, given)

    def along(self, type: EvidenceType, given: Sequence[Mapping[str, object]]) -> None:
        follows = filled(self.case, self.of, type, self.day, self.at)
        intake = self.read([follows.row(row, number) for number, row in enumerate(given, 1)], type)
        for found in follows.strangers(intake, type):
            self.findings.append(replace(found, place=replace(found.place, file=self.file, sheet=type.id)))
        self.intakes[type.id] = intake

    def fill(self, fills: Mapping[str, object]) -> None:
        """The case's own row as it is after the act."""
        for name in fills:
            if name not in self.act.fills:
                remedy = near(name, self.act.fills, "leave it out")
                self.finding(
                    "not-filled", f"{named(self.act)} does not change this field", self.of.id, name, remedy=remedy
                )
        given = {name: fills[name] for name in self.act.fills if not blank(fills.get(name))}
        for name in self.act.fills:
            if name not in given:
                title = self.of.fields[name].title
                remedy = f"give {title.zh} ({title.en})"
                self.finding("missing-value", f"{named(self.act)} wants a value", self.of.id, name, remedy=remedy)
        late = self.case.late(self.day) and self.act.sets_late
        changes = {**given, **(self.act.sets_late if late else self.act.sets)}
        if changes:
            self.intakes[self.of.id] = self.read([{**self.case.row, **changes}], self.of)

    def record(self, role: str, by: str, note: str) -> None:
        """The act itself."""
        row: dict[str, Any] = {
            "process": self.process.id,
            "case": self.case.id,
            "act": self.act.id,
            "frm": self.case.state,
            "to": self.act.to,
            "late": self.case.late(self.day),
            "role": role,
            "by": by,
            "on": self.day,
            "at": self.at,
            "note": note,
        }
        self.intakes[ACT] = self.read([row], evidence_types(self.scheme)[ACT])


def _too_long(intake: Intake, names: Sequence[str]) -> Iterator[Finding]:
    for row in intake.table.select([*names, _LINE]).to_pylist():
        for name in names:
            if len(row[name] or "") > LONGEST_TEXT:
                message = f"longer than {LONGEST_TEXT} characters"
                yield Finding(
                    "too-long", message, Place(row=row[_LINE], field=name), f"{len(row[name])}", "attach it as a file"
                )
