"""Casework: what a person has to do, done case by case or a sheet at a time, and the lists that start it all."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse, Place
from mingjian.declare import Act, EvidenceType, Field, Process, Scheme, Title
from mingjian.record.evidence import read_rows
from mingjian.record.ledger import Batch, LedgerState
from mingjian.record.process import Case, Move, hindrance, moved
from mingjian.workspace._desk import ATTACHMENT, CaseSeen, Conflict, Desk, Form, form_of, fresh_key, process_of
from mingjian.workspace._office import Now
from mingjian.workspace._sheets import copied, link_to, loosened, read_cases, want_readable, write_cases
from mingjian.workspace._workspace import Taken

_LINE: Final = "_line"

Row = Mapping[str, object]
Files = Sequence[tuple[str, BinaryIO]]


@dataclass(frozen=True, slots=True)
class ToDo:
    """The acts that a person may do to a case now, and whether it waits for them.

    A case waits for those who may do the first act that is open to it, in the order in which the process declares them: the
    usual step stands before the exceptions.
    """

    acts: tuple[Act, ...]
    waits: bool


def deadlines(process: Process) -> frozenset[str]:
    """The states whose last day is one to act by. Where every act is open only before it, or only after it, it ends a term
    that may run out (to appeal), and nobody is late.
    """
    return frozenset(state for act in process.acts.values() if act.when == "any" for state in act.sources)


class Casework(Desk):
    """A desk with a pile on it: `Desk`, and what the people of a process need besides."""

    # -- what there is to do -------------------------------------------------------------------------------------------
    def todo(self, process: str, cases: Iterable[Case]) -> dict[str, ToDo]:
        """What this person may do now to each of these cases, by case id."""
        now = self.now
        declared = process_of(now.scheme, process)
        reached = self._reached(now, declared)
        from_state = {state: [a for a in declared.acts.values() if state in a.sources] for state in declared.states}
        onces = {state: frozenset(act.id for act in acts if act.once) for state, acts in from_state.items()}
        # What is open depends on the state, the deadline and the acts that may be done once; who may, on the subject. Of
        # thousands of cases most are alike.
        alike: dict[tuple[object, ...], ToDo] = {}
        found: dict[str, ToDo] = {}
        for case in cases:
            once = onces[case.state]
            done = once and frozenset(step.act for step in case.steps if step.act in once)
            place = (case.state, case.subject, case.late(now.day), case.due is None, done)
            if place not in alike:
                acts = [a for a in from_state[case.state] if hindrance(now.scheme, case, a.id, now.day) is None]
                mine = tuple(a for a in acts if any(case.subject in reached.get(role, ()) for role in a.by))
                alike[place] = ToDo(mine, mine[:1] == tuple(acts[:1]) != ())
            found[case.id] = alike[place]
        return found

    def concerned(self, process: str) -> bool:
        """Whether this person may do anything in a process, whatever there is to do just now."""
        held = set(self.roles())
        return any(held & set(act.by) for act in process_of(self.now.scheme, process).acts.values())

    def _reached(self, now: Now, process: Process) -> Mapping[str, frozenset[str]]:
        """By role that this person holds, the subjects of a process that it reaches."""
        of = now.scheme.evidence[process.of]
        types, actor = of.fields[of.subjects[0]].of, now.actor(self.account)
        return {
            role: frozenset(name for kind in types for name in now.policy.reach(actor, kind, role))
            for role in {grant.role for grant in actor.grants}
        }

    def names(self, kind: str) -> dict[str, Title]:
        """What the rows of a reference list (indicators) are called, by the key by which others refer to them."""
        now = self.now
        told = now.scheme.evidence[kind]
        if not told.dimension or not now.policy.see(now.actor(self.account), "", told.label).allowed:
            return {}
        (key,) = told.thread
        rows = sorted((row.data for row in self.office.shelf(now).of(kind)), key=lambda row: str(row[told.date]))
        return {str(row[key]): Title(*(str(row.get(name) or row[key]) for name in ("en", "zh"))) for row in rows}

    def called(self, subjects: Iterable[str]) -> dict[str, Title]:
        """What subjects are called, as of today or as last known."""
        now = self.now
        found = {name: now.hierarchy.at(name, now.day) or now.hierarchy.subject(name) for name in subjects}
        return {name: subject.title for name, subject in found.items() if subject is not None}

    def asked(self, process: str, act: str) -> tuple[Act, tuple[Field, ...], tuple[Form, ...]]:
        """An act with the fields of the case and the rows that it asks for, whatever state a case is in. Misuse for none."""
        now = self.now
        declared = process_of(now.scheme, process)
        if act not in declared.acts:
            raise Misuse(f"there is no act {act}", remedy=f"one of {', '.join(declared.acts)}")
        of, told = now.scheme.evidence[declared.of], declared.acts[act]
        kinds = [(kind, amount) for kind, amount in told.takes.items() if kind != ATTACHMENT]
        forms = tuple(form_of(now.scheme, of, kind, amount) for kind, amount in kinds)
        return told, tuple(of.fields[name] for name in told.fills), forms

    # -- doing it ------------------------------------------------------------------------------------------------------
    def do(
        self,
        process: str,
        name: str,
        act: str,
        *,
        expected: int,
        fills: Row,
        rows: Mapping[str, Sequence[Row]],
        files: Files,
        note: str,
    ) -> Case:
        """As `act`; the same again, by the same person with the same contents, is the case as it stands and no Conflict."""
        try:
            return self.act(process, name, act, expected=expected, fills=fills, rows=rows, files=files, note=note)
        except Conflict:
            now = self.now
            seen = self._case(now, process, name)
            step = seen.steps[-1] if seen.version == expected + 1 else None
            if step is None or (step.act, step.by, step.note.strip()) != (act, self.account, note.strip()):
                raise
            if not self._same(now, seen, fills, rows, files):
                raise
            return seen

    def _same(self, now: Now, seen: Case, fills: Row, rows: Mapping[str, Sequence[Row]], files: Files) -> bool:
        """Whether the last step of a case brought exactly these rows and files."""
        of = now.scheme.evidence[process_of(now.scheme, seen.process).of]
        after = seen.steps[-2].entry if seen.version > 1 else -1
        came: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.office.shelf(now).belonging(of.id, seen.id):
            if after < row.entry <= seen.steps[-1].entry and row.by == self.account:
                came.setdefault(row.kind, []).append(row.data)
        held = sorted(row["sha256"] for row in came.pop(ATTACHMENT, []))
        given = {kind: list(listed) for kind, listed in rows.items() if listed}
        return (
            came.keys() == given.keys()
            and all(_alike(now.scheme, now.scheme.evidence[kind], given[kind], came[kind]) for kind in given)
            and _alike(now.scheme, of, [fills], [seen.row])
            and held == sorted(_sha256(content) for _, content in files)
        )

    # -- a sheet at a time ---------------------------------------------------------------------------------------------
    def by_sheet(self, process: str) -> tuple[Act, ...]:
        """The acts of a process that this person may do a sheet at a time."""
        now = self.now
        declared, held = process_of(now.scheme, process), set(self.roles())
        return tuple(act for act in declared.acts.values() if held & set(act.by) and _taken(act))

    def act_sheet(self, process: str, act: str) -> bytes:
        """The workbook to fill for an act: a row for each case to which this person may do it now."""
        now = self.now
        kind, of = self._sheet(now, process, act)
        todo = self.todo(process, found := self.cases(process))
        cases = [case for case in found if any(each.id == act for each in todo[case.id].acts)]
        references = {field.to for field in of.fields.values() if field.type == "ref"}
        dimensions = [name for name in references if now.scheme.evidence[name].dimension]
        titles = self.called({case.subject for case in cases}).items()
        names = [*titles, *(pair for name in dimensions for pair in self.names(name).items())]
        return _written(lambda path: write_cases(kind, of, cases, {n: f"{n} {t.zh} {t.en}" for n, t in names}, path))

    def act_file(self, process: str, act: str, path: Path) -> int:
        """Do one act to many cases at once: each row of a file is what comes along with one. All land, or none; how many.

        For acts that take exactly one row of one type. A row of which nothing is filled in is left for later. Raises as
        `act` does, with the findings of every row at its cell.
        """
        now = self.now
        kind, of = self._sheet(now, process, act)
        table = read_cases(path, kind, of, now.scheme.zone).accepted(replace(kind, bad_rows="refuse"))
        moves: list[Move] = []
        refused: list[Finding] = []
        closed = False
        for row in table.to_pylist():
            try:
                moves.append(self._moved(now, process, act, kind, of, row, path.name))
            except MingjianError as error:
                closed = closed or isinstance(error, Forbidden)
                refused += _at_row(error, path.name, row, link_to(kind, of).name)
        if refused or not moves:
            what, why = "nothing of this was done", f"{len(refused)} findings" if refused else "nothing is filled in"
            raise (Forbidden if closed else MingjianError)(
                what, why=why, where=path.name, remedy="mend the rows and hand it in again", findings=refused
            )
        batches: list[Batch] = [batch for move in moves for batch in self._batches(now, move, path.name)]

        def still_so(head: LedgerState) -> None:
            there = self.office.at(head)
            for move in moves:
                self._still(there, move, act)

        self.office.workspace.ledger.append_all(batches, check=still_so)
        return len(moves)

    def _moved(
        self, now: Now, process: str, act: str, kind: EvidenceType, of: EvidenceType, row: Mapping[str, Any], file: str
    ) -> Move:
        seen = self._case(now, process, row[link_to(kind, of).name])
        self._may(now, seen, act, seen.version)
        given = {name: value for name, value in row.items() if name in kind.fields and value is not None}
        move = moved(
            now.scheme,
            seen,
            act,
            role=self._role(now, seen, act),
            by=self.account,
            at=self.office.workspace.clock(),
            rows={kind.id: [given]},
            file=file,
        )
        said = copied(kind, of, seen)  # of which the case is known, so that each row need not be looked up again
        self._known(now, move, {kind.id: [{n: v for n, v in given.items() if n not in said}]})
        return move

    def _sheet(self, now: Now, process: str, act: str) -> tuple[EvidenceType, EvidenceType]:
        """The type whose rows come along with an act, and that of its cases. Raises Misuse for one not done by sheet."""
        declared = process_of(now.scheme, process)
        taken = _taken(declared.acts[act]) if act in declared.acts else ""
        if not taken:
            raise Misuse(f"{act} is not done by file", remedy="open each case")
        return now.scheme.evidence[taken], now.scheme.evidence[declared.of]

    # -- lists that start cases ----------------------------------------------------------------------------------------
    def lists(self) -> tuple[EvidenceType, ...]:
        """The types of cases that this person may list."""
        now = self.now
        added = {kind for role in self.roles() if role in now.scheme.roles for kind in now.scheme.roles[role].adds}
        of = dict.fromkeys(process.of for process in now.scheme.processes.values())
        return tuple(now.scheme.evidence[kind] for kind in of if kind in added)

    def list_sheet(self, kind: str) -> bytes:
        """The workbook to fill for a list. Raises Forbidden for one that is not this person's to make."""
        self._want_list(kind)
        workspace, scheme = self.office.workspace, self.now.scheme
        return _written(lambda path: workspace.template(scheme, kind, path))

    def add_list(self, kind: str, path: Path) -> Taken:
        """Take in a list of cases. Raises as `want_readable` and `add_file` do."""
        self._want_list(kind)
        want_readable(path)
        return self.add_file(kind, path)

    def _want_list(self, kind: str) -> None:
        now = self.now
        if kind not in {of.id for of in self.lists()}:
            known = kind in {process.of for process in now.scheme.processes.values()}
            who = [role.title for role in now.scheme.roles.values() if kind in role.adds] if known else []
            may = ", ".join(f"{title.en} ({title.zh})" for title in who)
            raise Forbidden("there is no such list for you to make", remedy=f"who may: {may}" if may else "")

    def additions(self, seen: CaseSeen) -> tuple[Form, ...]:
        """The rows that start cases of their own (problems) and may be added to a case once something was done to it."""
        now = self.now
        of = now.scheme.evidence[process_of(now.scheme, seen.case.process).of]
        kinds = [kind for kind in self.lists() if seen.case.steps and any(f.to == of.id for f in kind.fields.values())]
        actor = now.actor(self.account)
        return tuple(
            form_of(now.scheme, of, kind.id, "one")
            for kind in kinds
            if now.policy.add(actor, kind.id, seen.case.subject).allowed
        )

    def add_to(self, process: str, name: str, kind: str, row: Row) -> str:
        """Add such a row, and the id of the case that it starts. The same again by the same person adds no second one.

        Raises Forbidden as `case` and `add` do, MingjianError with findings at the fields.
        """
        seen = self.case(process, name)
        form = next((form for form in self.additions(seen) if form.kind.id == kind), None)
        if form is None:
            raise Forbidden(f"nothing of this kind can be added to {name} now", remedy="open it again")
        now = self.now
        of = now.scheme.evidence[process_of(now.scheme, process).of]
        (key,) = form.kind.key
        for kept in seen.rows.get(kind, ()):
            if kept.by == self.account and _alike(now.scheme, form.kind, [row], [kept.data]):
                return str(kept.data[key])
        given = {**row, **copied(form.kind, of, seen.case), key: fresh_key(kind, name)}
        self.add(kind, seen.case.subject, given)
        return str(given[key])


def _taken(act: Act) -> str:
    """The type of which an act takes exactly one row, where a sheet can say all that it asks for; else ""."""
    one = [kind for kind, amount in act.takes.items() if amount == "one"]
    return one[0] if len(one) == 1 and not act.fills and "some" not in act.takes.values() else ""


def _alike(scheme: Scheme, kind: EvidenceType, given: Sequence[Row], held: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each held row says, of what was given, the same."""
    read = read_rows(given, loosened(kind), zone=scheme.zone)
    rows = [{n: v for n, v in row.items() if n in kind.fields and v is not None} for row in read.table.to_pylist()]
    return (
        not read.findings
        and len(rows) == len(held)
        and all(there.get(n) == v for row, there in zip(rows, held, strict=True) for n, v in row.items())
    )


def _sha256(content: BinaryIO) -> str:
    content.seek(0)
    return hashlib.sha256(content.read()).hexdigest()


def _at_row(error: MingjianError, file: str, row: Mapping[str, Any], link: str) -> list[Finding]:
    """What kept a row of a file out, at its cells."""
    if error.findings:
        return [replace(found, place=Place(file, row=row[_LINE], field=found.place.field)) for found in error.findings]
    message = f"{error.what}: {error.why}" if error.why else error.what
    return [Finding("not-open", message, Place(file, row=row[_LINE], field=link), str(row[link]), error.remedy)]


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        write(path)
        return path.read_bytes()
