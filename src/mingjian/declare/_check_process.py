"""Whether work can go on as declared: processes that lead from their start to an end, roles that can do something somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from mingjian.declare._check_formulas import upwards
from mingjian.declare._checker import Checker
from mingjian.declare._fields import NUMERIC, SUBJECT
from mingjian.declare._model import EvidenceType, Field, Scheme
from mingjian.declare._process import Act, Process, Role, State, Year
from mingjian.declare._section import Report, near

_WEEKEND: Final = 5  # the number of Saturday
_FLAGS: Final = ("true", "false")


def check_processes(scheme: Scheme, report: Report) -> None:
    """Every fault of the processes, roles and calendar of a scheme whose subject types lead to the top."""
    checker = _Checker(scheme, report)
    for process in scheme.processes.values():
        checker.process(process)
    for role in scheme.roles.values():
        checker.role(role)
    checker.calendar()


class _Checker(Checker):
    # -- processes ------------------------------------------------------------------------------------------------------
    def process(self, process: Process) -> None:
        of = self.scheme.evidence.get(process.of)
        if of is None:
            self.unknown("evidence type", process.of, self.scheme.evidence, process.id, process.line)
        else:
            self.cases(process, of)
        if not process.states:
            self.fault("missing-key", f"{process.id} has no state", process.line, f"[process.{process.id}.state]")
        for state in process.states.values():
            self.state(process, state, of)
        for act in process.acts.values():
            self.act(process, act)
            if of is not None:
                self.row(process, act, of)
                self.takes(process, act, of)
        if self.known_states(process):  # else what follows from a misspelt name would be called a fault too
            self.ways(process)

    def cases(self, process: Process, of: EvidenceType) -> None:
        """Whether each row of a type can be a case: named by one field, and about somebody."""
        if len(of.key) != 1:
            message = f"{process.id} has cases of {of.id}, whose key is not one field"
            self.fault("bad-case", message, process.line, 'key = ["..."], so that a row is known by one name')
        about = of.fields.get(next(iter(of.subjects), ""))
        if about is None:
            message = f"{process.id} has cases of {of.id}, which is about nobody"
            self.fault("bad-case", message, process.line, "give it a subject field: roles reach cases through it")
        elif about.optional:
            message = f"{process.id} has cases of {of.id}, whose {about.name} is optional"
            self.fault("bad-case", message, process.line, "a case about nobody is within nobody's reach")

    def state(self, process: Process, state: State, of: EvidenceType | None) -> None:
        who = f"{process.id}.{state.id}"
        if state.due and state.within is not None:
            self.fault("bad-deadline", f"{who} has both due and within", state.line, "keep one")
        if state.final and _timed(state):
            self.fault("bad-deadline", f"{who} is final and has a deadline", state.line, "a closed case is not late")
        if state.due and of is not None and state.due not in of.fields:
            self.unknown("field", state.due, of.fields, f"due of {who}", state.line)
        elif state.due and of is not None and of.fields[state.due].type != "date":
            message = f"{who} is due on {of.id}.{state.due}, which is no date"
            dates = [name for name, field in of.fields.items() if field.type == "date"]
            self.fault("bad-deadline", message, state.line, near(state.due, dates, "a field of type date"))
        if state.within is not None and state.days == "working" and not self.scheme.calendar:
            message = f"{who} counts working days, and no calendar is declared"
            self.fault("no-calendar", message, state.line, "[calendar.2021] with holidays, workdays and source")

    def act(self, process: Process, act: Act) -> None:
        who = f"{process.id}.{act.id}"
        for name in act.sources:
            if name in process.states and process.states[name].final:
                self.fault("bad-act", f"{who} leads out of {name}, which is final", act.line, "a closed case rests")
        if not act.sources:
            self.fault("missing-key", f"{who} starts from no state", act.line, 'from = ["..."]')
        if not act.by:
            self.fault("missing-key", f"{who} may be done by nobody", act.line, 'by = ["..."]')
        for name in act.by:
            if name not in self.scheme.roles:
                self.unknown("role", name, self.scheme.roles, who, act.line)
        sources = [process.states[name] for name in act.sources if name in process.states]
        if sources and not any(map(_timed, sources)):
            for key in [key for key, asked in (("sets_late", act.sets_late), ("when", act.when != "any")) if asked]:
                message = f"{who} has {key}, and no state that it starts from has a deadline"
                self.fault("no-deadline", message, act.line, "give the state due or within, or remove it")

    def row(self, process: Process, act: Act, of: EvidenceType) -> None:
        """What an act changes in the case's own row, and whose reach the case must be in."""
        who = f"{process.id}.{act.id}"
        fixed = dict.fromkeys(of.key, "the key") | dict.fromkeys(of.subjects[:1], "whom it is about")
        for name in (*act.fills, *act.sets, *act.sets_late):
            if name not in of.fields:
                self.unknown("field", name, of.fields, who, act.line)
            elif name in fixed:
                self.fault("bad-act", f"{who} changes {of.id}.{name}, {fixed[name]}", act.line, "a case stays itself")
        for name in [name for name in act.fills if name in act.sets or name in act.sets_late]:
            self.fault("bad-act", f"{who} both fills and sets {name}", act.line, "keep one")
        for name, value in (*act.sets.items(), *act.sets_late.items()):
            field = of.fields.get(name)
            if field is not None and name not in fixed and (wrong := _unfit(field, value)):
                self.fault("bad-value", f"{who} sets {name} = {value!r}, {wrong[0]}", act.line, wrong[1])
        about = of.fields.get(next(iter(of.subjects), ""))
        for role in [self.scheme.roles[name] for name in act.by if name in self.scheme.roles]:
            if about is not None and not self.reaches(role, about.of):
                message = f"{who} is for {role.id}, which reaches no {' or '.join(about.of)}"
                self.fault("out-of-reach", message, act.line, f"it is granted over a {role.of}")

    def takes(self, process: Process, act: Act, of: EvidenceType) -> None:
        for kind in act.takes:
            who = f"{process.id}.{act.id}"
            taken = self.scheme.evidence.get(kind)
            if taken is None:
                self.unknown("evidence type", kind, self.scheme.evidence, who, act.line)
                continue
            refs = [field.name for field in taken.fields.values() if field.type == "ref" and field.to == of.id]
            if len(refs) != 1 or kind == of.id:
                message = f"{who} takes {kind}, which has {len(refs) or 'no'} {'refs' if refs else 'ref'} to {of.id}"
                self.fault(
                    "bad-act", message, act.line, f'one field of type = "ref", to = "{of.id}" ties it to the case'
                )
            named = [name for name in taken.key if name in taken.fields]
            if named and not {*refs} & {*named} and [taken.fields[name].type for name in named] != ["text"]:
                message = f"{who} takes {kind}, whose key does not keep the rows of two cases apart"
                self.fault(
                    "bad-act", message, act.line, "put the ref to the case in the key, or give rows a name of their own"
                )
            if taken.ballots:
                self.fault("bad-act", f"{who} takes {kind}, which are ballots", act.line, "nobody brings a vote alone")

    def known_states(self, process: Process) -> bool:
        named = [(process.start, f"start of {process.id}", process.line)]
        for act in process.acts.values():
            named += [(name, f"{process.id}.{act.id}", act.line) for name in (*act.sources, act.to)]
        wrong = [each for each in named if each[0] not in process.states]
        for name, who, line in wrong if process.states else ():
            self.unknown("state", name, process.states, who, line)
        return not wrong

    def ways(self, process: Process) -> None:
        """Whether every state can be come to, and left if it is not the end."""
        acts = process.acts.values()
        reached, open_ = set(), {process.start}
        while open_:
            reached |= open_
            open_ = {act.to for act in acts if reached.intersection(act.sources)} - reached
        for state in process.states.values():
            who = f"{process.id}.{state.id}"
            if state.id not in reached:
                self.fault("unreachable", f"no act leads to {who}", state.line, "remove it, or let an act lead there")
            if not state.final and not any(state.id in act.sources for act in acts):
                self.fault("dead-end", f"no act leads out of {who}", state.line, "final = true, or an act from it")

    # -- roles ----------------------------------------------------------------------------------------------------------
    def role(self, role: Role) -> None:
        scheme, line = self.scheme, role.line
        if role.of not in scheme.subjects:
            self.unknown("subject type", role.of, scheme.subjects, role.id, line)
        for kind in role.adds:
            if kind != SUBJECT and kind not in scheme.evidence:
                self.unknown("evidence type", kind, [SUBJECT, *scheme.evidence], role.id, line)
            elif kind != SUBJECT:
                about = [t for name in _subject_fields(scheme.evidence[kind]) for t in name.of]
                self.within(role, f"adds {kind}", about)
        for name in role.issues:
            if name not in scheme.statements:
                self.unknown("statement", name, scheme.statements, role.id, line)
            else:
                self.within(role, f"issues {name}", [scheme.statements[name].of])
        for name in role.grants:
            if name not in scheme.roles:
                self.unknown("role", name, scheme.roles, role.id, line)
            else:
                self.within(role, f"grants {name}", [scheme.roles[name].of])
        acts = any(role.id in act.by for process in scheme.processes.values() for act in process.acts.values())
        granted = any(role.id in other.grants for other in scheme.roles.values())
        does = role.adds or role.issues or role.grants or role.unseals or role.oversees or acts
        if not granted and not does:
            message = f"nobody may grant {role.id}, and it may do nothing"
            self.fault("idle-role", message, line, "let a role grant it, give it something to do, or remove it")

    def within(self, role: Role, what: str, about: Iterable[str]) -> None:
        known = [kind for kind in about if kind in self.scheme.subjects]
        if known and not self.reaches(role, known):
            message = f"{role.id} {what}, which is of {' or '.join(known)}, and reaches none"
            self.fault("out-of-reach", message, role.line, f"it is granted over a {role.of} and reaches what is below")

    def reaches(self, role: Role, kinds: Iterable[str]) -> bool:
        """Whether a grant of the role can reach a subject of one of these types; so too where a name is unknown anyway."""
        if role.of not in self.scheme.subjects:
            return True
        known = [kind for kind in kinds if kind in self.scheme.subjects]
        return not known or any(role.of in upwards(self.scheme, kind) for kind in known)

    # -- calendar -------------------------------------------------------------------------------------------------------
    def calendar(self) -> None:
        seen: set[int] = set()
        for year in self.scheme.calendar:
            if year.year in seen:
                self.fault("bad-calendar", f"the calendar has {year.year} twice", year.line, "keep one")
            seen.add(year.year)
            self.year(year)

    def year(self, year: Year) -> None:
        for day in sorted(year.holidays | year.workdays):
            if day.year != year.year:
                self.fault("bad-calendar", f"{day} is not in {year.year}", year.line, f"[calendar.{day.year}]")
        for day in sorted(year.holidays):
            if day.weekday() >= _WEEKEND:
                message = f"{day} is a {day:%A}: nobody works then anyway"
                self.fault("bad-calendar", message, year.line, "holidays are weekdays on which nobody works")
        for day in sorted(year.workdays):
            if day.weekday() < _WEEKEND:
                message = f"{day} is a {day:%A}: it is worked anyway"
                self.fault("bad-calendar", message, year.line, "workdays are days of a weekend that are worked")


def _timed(state: State) -> bool:
    return bool(state.due) or state.within is not None


def _subject_fields(kind: EvidenceType) -> Iterable[Field]:
    return [kind.fields[name] for name in kind.subjects if name in kind.fields]


def _unfit(field: Field, value: str) -> tuple[str, str] | None:
    """What is wrong with a value that a rule sets, and the remedy."""
    if not value:
        return None if field.optional else ("and it is not optional", "give a value")
    if field.label == "sealed":
        return "which is sealed", "what a rule says is no secret"
    words: Mapping[str, object] = dict.fromkeys(_FLAGS) if field.type == "flag" else field.choices
    if field.type in ("flag", "choice"):
        return None if value in words else ("which is no choice of it", near(value, words))
    if field.type in NUMERIC:
        return None if _number_fits(field, value) else ("which is no such number", "keep to its bounds and decimals")
    return None if field.type == "text" else (f"which is a {field.type}", "let the actor fill it")


def _number_fits(field: Field, value: str) -> bool:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    if not number.is_finite() or number != round(number, field.decimals):
        return False
    return (field.min is None or number >= field.min) and (field.max is None or number <= field.max)
