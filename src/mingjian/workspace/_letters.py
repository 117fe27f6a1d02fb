"""Letters: what an office writes to one subject about a period. A letter says what was found; it is no signed statement.

A scheme that has letters lays their template beside those of its statements, as ``templates/letter.typ``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mingjian.base.errors import Misuse
from mingjian.base.typeset import Typesetter
from mingjian.base.values import Period
from mingjian.declare import LABELS, EvidenceType, Scheme, Subject, Title
from mingjian.record.evidence import View
from mingjian.record.process import Case, Docket
from mingjian.workspace._paper_facts import Facts, row_texts, titles
from mingjian.workspace._papers import run_in
from mingjian.workspace._workspace import Workspace

TEMPLATE: Final = "templates/letter.typ"
_SHOWN: Final = LABELS[: LABELS.index("internal") + 1]  # a letter lies open on a desk: nothing confidential is in it

Rows = dict[str, list[Mapping[str, Any]]]


class Letters:
    """The letters of one period, as of now. What they need of the rows is read when this is made."""

    def __init__(
        self,
        workspace: Workspace,
        scheme: Scheme,
        period: Period,
        *,
        office: Title | None = None,
        typesetter: Typesetter | None = None,
    ) -> None:
        self.template: Path = workspace.papers(scheme) / TEMPLATE
        if not self.template.is_file():
            raise Misuse(f"scheme {scheme.id} has no letters", remedy=f"lay a {TEMPLATE} into its folder")
        state = workspace.ledger.state()
        self.scheme, self.period = scheme, period
        with workspace.view(scheme, state.size) as view:
            self.facts = Facts(run_in(workspace, scheme, view, period), view)
            self._rows = _rows(scheme, view, period)
        self.office = office or self.facts.head(workspace.ledger.origin)
        self._docket = Docket.read(scheme, state)
        self._ledger = {
            "origin": workspace.ledger.origin,
            "size": str(state.size),
            "root": state.root().hex(),
            "fingerprint": scheme.fingerprint,
        }
        self._given = typesetter

    @cached_property
    def typesetter(self) -> Typesetter:
        """The one given, or one of its own, made when first wanted."""
        return self._given or Typesetter()

    def pdf(self, subject: str, language: str, *, at: datetime) -> bytes:
        """The letter to a subject in "zh" or "en", dated ``at``. Raises Misuse for a subject that there is not."""
        return self.typesetter.pdf(self.template, self.data(subject, language, at=at), at=at)

    def data(self, subject: str, language: str, *, at: datetime) -> dict[str, Any]:
        """What the template is given; its head says what it uses of it."""
        facts = self.facts
        told = facts.subject(subject)
        above = facts.above(told)
        values = facts.values(subject, [*self.scheme.measures, *self.scheme.indices])
        rows = self._rows.get(subject, {})
        return {
            "language": language,
            "synthetic": facts.run.synthetic,
            "office": titles(self.office),
            "date": at.astimezone(ZoneInfo(self.scheme.zone)).date().isoformat(),
            "period": str(self.period),
            "subject": _subject(told, above),
            "values": values,
            "members": {**facts.members, **facts.named(values)},
            "parameters": facts.parameters,
            "rows": {
                kind: [row_texts(self.scheme.evidence[kind], row) for row in found] for kind, found in rows.items()
            },
            "cases": self._cases(subject, rows),
            "terms": self._terms,
            "ledger": self._ledger,
        }

    def _cases(self, subject: str, rows: Rows) -> dict[str, dict[str, dict[str, Any]]]:
        """By process and key of the case's row, the cases that the letter's rows are: their state and its last day."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for process in self.scheme.processes.values():
            (key,) = self.scheme.evidence[process.of].key
            here = {str(row[key]) for row in rows.get(process.of, ())}
            cases = self._docket.cases(process.id, subjects=[subject])
            found[process.id] = {case.id: self._case(case) for case in cases if case.id in here}
        return found

    def _case(self, case: Case) -> dict[str, Any]:
        state = self.scheme.processes[case.process].states[case.state]
        due = case.due.isoformat() if case.due is not None else ""
        return {"state": case.state, "title": titles(state.title), "due": due, "final": state.final}

    @cached_property
    def _terms(self) -> dict[str, dict[str, dict[str, str]]]:
        """By process and state, how many days (calendar or working) a case may stay in it, where that is declared."""
        return {
            process.id: {
                state.id: {"within": str(state.within), "days": state.days}
                for state in process.states.values()
                if state.within is not None
            }
            for process in self.scheme.processes.values()
        }


def letter(
    workspace: Workspace, scheme: Scheme, subject: str, period: Period, language: str, *, office: Title | None = None
) -> bytes:
    """One letter as of now, as a PDF. For many, make `Letters` once."""
    return Letters(workspace, scheme, period, office=office).pdf(subject, language, at=workspace.clock())


def _subject(subject: Subject, above: Subject | None) -> dict[str, Any]:
    parent = titles(above.title) if above is not None else {"en": "", "zh": ""}
    return {"id": subject.id, "title": titles(subject.title), "parent": parent}


def _rows(scheme: Scheme, view: View, period: Period) -> dict[str, Rows]:
    """By subject and evidence type the rows of a period that may be told: dated in it, or referring to one that is."""
    told = [kind for kind in scheme.evidence.values() if kind.subjects and not kind.ballots and kind.label in _SHOWN]
    found: dict[str, Rows] = {}
    keys: dict[str, set[str]] = {}
    for kind in sorted(told, key=lambda kind: not kind.date):  # those with a date first: others refer to them
        for row in view.arrow(kind.id).to_pylist():
            if _within(kind, row, period) if kind.date else _refers(kind, row, keys):
                shown = {f.name: row[f.name] for f in kind.fields.values() if f.label in _SHOWN}
                found.setdefault(str(row[kind.subjects[0]]), {}).setdefault(kind.id, []).append(shown)
                if len(kind.key) == 1:
                    keys.setdefault(kind.id, set()).add(str(row[kind.key[0]]))
    return found


def _within(kind: EvidenceType, row: Mapping[str, Any], period: Period) -> bool:
    when = row[kind.date]
    if isinstance(when, datetime | date):
        day: date = row["_date"]
        return period.first <= day < period.end
    return str(when) == str(period)


def _refers(kind: EvidenceType, row: Mapping[str, Any], keys: Mapping[str, set[str]]) -> bool:
    return any(str(row[f.name]) in keys.get(f.to, ()) for f in kind.fields.values() if f.to)
