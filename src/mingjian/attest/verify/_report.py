"""What verification answers: each question apart, so that a good signature never hides a wrong number, nor the reverse."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from mingjian.attest.statements import Level, Reason, Statement

Outcome = Literal["recomputed from evidence", "recomputed from attested values", "differs", "cannot"]
SignatureOutcome = Literal["good", "bad", "unknown issuer", "not issued", "key not in force"]
StatusOutcome = Literal["valid", "revoked", "expired", "unknown"]
InclusionOutcome = Literal["proven", "tampered"]
ContentsOutcome = Literal["complete", "incomplete"]
SchemeOutcome = Literal["same", "tampered"]
WitnessOutcome = Literal["cosigned", "too few"]


@dataclass(frozen=True, slots=True)
class _Answer:
    """``reason`` says why the outcome is what it is, in both languages; None where the outcome says it all."""

    reason: Reason | None = field(default=None, kw_only=True)

    @property
    def why(self) -> str:
        """The reason in English, or ""."""
        return "" if self.reason is None else self.reason.said()

    @property
    def code(self) -> str:
        """The reason's code, or ""."""
        return "" if self.reason is None else self.reason.code


@dataclass(frozen=True, slots=True)
class Signature(_Answer):
    """Whether the issuer signed the statement as it is, and whether the reader knows that issuer.

    ``not issued`` is what the ledger does not have as issued, ``key not in force`` what it had only after the key was
    replaced or revoked: who stole an issuer's key signs no more than that.
    """

    outcome: SignatureOutcome


@dataclass(frozen=True, slots=True)
class Standing(_Answer):
    """Whether the statement still stands; ``unknown`` without a status list of its issuer.

    ``replaced_by`` is the id of the statement that stands for a revoked one, where the status list names it.
    """

    outcome: StatusOutcome
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class Inclusion(_Answer):
    """Whether the checkpoint, the entries, the rows and the snapshot are those of the ledger that the statement names, and
    nothing is among them that the statement does not sign for.
    """

    outcome: InclusionOutcome


@dataclass(frozen=True, slots=True)
class Completeness(_Answer):
    """Whether all is there that the issuer put into the package of this level, or somebody took something out since."""

    outcome: ContentsOutcome


@dataclass(frozen=True, slots=True)
class Rules(_Answer):
    """Whether the package's own scheme has the fingerprint that the statement was signed with."""

    outcome: SchemeOutcome


@dataclass(frozen=True, slots=True)
class Witnesses(_Answer):
    """Whether all witnesses that the reader named cosigned a head of the ledger that holds the statement; ``names`` did."""

    outcome: WitnessOutcome
    names: tuple[str, ...] = ()


Answer = Signature | Standing | Inclusion | Completeness | Rules | Witnesses | None


@dataclass(frozen=True, slots=True)
class Verdict(_Answer):
    """The verdict on one number: ``stated`` as the statement says it, ``found`` what it comes to ("" where it cannot)."""

    measure: str
    member: str
    period: str
    outcome: Outcome
    stated: str
    found: str = ""

    def to_json(self) -> dict[str, str]:
        """The verdict as a JSON object."""
        return {
            "measure": self.measure,
            "member": self.member,
            "period": self.period,
            "verdict": self.outcome,
            "stated": self.stated,
            "found": self.found,
            "code": self.code,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """All answers about one package. ``malformed`` says why it is no package at all; the other answers are then None.

    ``contents`` is None too where the list of contents is not the one that was signed, ``witnesses`` where the reader named none.
    """

    name: str
    malformed: Reason | None = None
    level: Level | None = None
    statement: Statement | None = None
    signature: Signature | None = None
    status: Standing | None = None
    inclusion: Inclusion | None = None
    contents: Completeness | None = None
    scheme: Rules | None = None
    witnesses: Witnesses | None = None
    numbers: tuple[Verdict, ...] = ()

    @property
    def good(self) -> bool:
        """Signed by a known issuer, not known to be withdrawn, nothing tampered with or taken out, and no number differs."""
        return (
            self.signature is not None
            and self.signature.outcome == "good"
            and self.status is not None
            and self.status.outcome in ("valid", "unknown")
            and self.inclusion is not None
            and self.inclusion.outcome == "proven"
            and self.contents is not None
            and self.contents.outcome == "complete"
            and self.scheme is not None
            and self.scheme.outcome == "same"
            and (self.witnesses is None or self.witnesses.outcome == "cosigned")
            and all(number.outcome != "differs" for number in self.numbers)
        )

    def to_json(self) -> dict[str, Any]:
        """The answers as a JSON object."""
        return {
            "name": self.name,
            "good": self.good,
            "malformed": None if self.malformed is None else _reason_json(self.malformed),
            "level": self.level,
            "statement": self.statement.id if self.statement else None,
            "replaced_by": self.status.replaced_by if self.status else "",
            **{question: _answer_json(answer) for question, answer in self.answers},
            "numbers": [number.to_json() for number in self.numbers],
        }

    @property
    def answers(self) -> tuple[tuple[str, Answer], ...]:
        """Each question by its name, with its answer."""
        return (
            ("signature", self.signature),
            ("status", self.status),
            ("inclusion", self.inclusion),
            ("contents", self.contents),
            ("scheme", self.scheme),
            ("witnesses", self.witnesses),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The answers about every package asked for, in the order given."""

    packages: tuple[Checked, ...]

    @property
    def good(self) -> bool:
        """Whether there are packages and all of them are good."""
        return bool(self.packages) and all(package.good for package in self.packages)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many numbers of all packages came to which verdict."""
        return dict(Counter(number.outcome for package in self.packages for number in package.numbers))

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return {
            "good": self.good,
            "counts": self.counts,
            "packages": [package.to_json() for package in self.packages],
        }


def _reason_json(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "why": reason.said()}


def _answer_json(answer: Answer) -> dict[str, str] | None:
    return None if answer is None else {"outcome": answer.outcome, "code": answer.code, "why": answer.why}
