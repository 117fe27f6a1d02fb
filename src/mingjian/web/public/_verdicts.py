"""The answers of verification as a page shows them: each apart, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mingjian.attest.verify import Checked, Verdict
from mingjian.declare import Scheme, Title

KINDS: Final = {
    "good": "calm",
    "valid": "calm",
    "proven": "calm",
    "same": "calm",
    "recomputed from evidence": "calm",
    "recomputed from attested values": "calm",
    "unknown": "attention",
    "unknown issuer": "warning",
    "cannot": "attention",
}

WORST_FIRST: Final = ("differs", "cannot", "recomputed from attested values", "recomputed from evidence")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer: the group of words it is said in, the outcome, and why (as found)."""

    question: str
    outcome: str
    why: str

    @property
    def kind(self) -> str:
        """The badge it is shown with."""
        return KINDS.get(self.outcome, "warning")


@dataclass(frozen=True, slots=True)
class Number:
    """The verdict on one number, under the name that this office has for it (else its id), as it is printed."""

    title: Title
    verdict: Verdict
    printed: str
    unit: str

    @property
    def kind(self) -> str:
        """The badge it is shown with."""
        return KINDS.get(self.verdict.outcome, "warning")


@dataclass(frozen=True, slots=True)
class Shown:
    """A package with its answers. ``numbers`` has those that differ or cannot be made anew first."""

    checked: Checked
    answers: tuple[Answer, ...]
    numbers: tuple[Number, ...]
    counts: Counter[str]


def shown(checked: Checked, scheme: Scheme) -> Shown:
    """The answers about a package."""
    questions = (
        ("signature", checked.signature),
        ("status", checked.status),
        ("inclusion", checked.inclusion),
        ("rules", checked.scheme),
    )
    answers = tuple(Answer(name, said.outcome, said.why) for name, said in questions if said is not None)
    verdicts = sorted(checked.numbers, key=lambda number: WORST_FIRST.index(number.outcome))
    numbers = tuple(_numbers(checked, verdicts, scheme))
    return Shown(checked, answers, numbers, Counter(verdict.outcome for verdict in verdicts))


def _numbers(checked: Checked, verdicts: Iterable[Verdict], scheme: Scheme) -> Iterator[Number]:
    values = checked.statement.values if checked.statement is not None else ()
    stated = {(value.measure, value.member, value.period): value for value in values}
    for verdict in verdicts:
        declared = scheme.measures.get(verdict.measure) or scheme.indices.get(verdict.measure)
        title = declared.title if declared is not None else Title(verdict.measure, verdict.measure)
        value = stated.get((verdict.measure, verdict.member, verdict.period))
        yield Number(title, verdict, value.printed if value else verdict.stated, value.unit if value else "")
