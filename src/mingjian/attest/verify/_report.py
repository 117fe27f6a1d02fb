"""What verification answers: each question apart, so that a good signature never hides a wrong number, nor the reverse."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from mingjian.attest.statements import Level, Statement

Outcome = Literal["recomputed from evidence", "recomputed from attested values", "differs", "cannot"]
SignatureOutcome = Literal["good", "bad", "unknown issuer"]
StatusOutcome = Literal["valid", "revoked", "expired", "unknown"]
InclusionOutcome = Literal["proven", "tampered"]
SchemeOutcome = Literal["same", "tampered"]


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether the issuer signed the statement as it is, and whether the reader knows that issuer."""

    outcome: SignatureOutcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the statement still stands; ``unknown`` without a status list of its issuer."""

    outcome: StatusOutcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Whether the checkpoint, the entries, the rows and the snapshot are those of the ledger that the statement names."""

    outcome: InclusionOutcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """Whether the package's own scheme has the fingerprint that the statement was signed with."""

    outcome: SchemeOutcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one number: ``stated`` as the statement says it, ``found`` what it comes to ("" where it cannot)."""

    measure: str
    member: str
    period: str
    outcome: Outcome
    stated: str
    found: str = ""
    why: str = ""

    def to_json(self) -> dict[str, str]:
        """The verdict as a JSON object."""
        return {
            "measure": self.measure,
            "member": self.member,
            "period": self.period,
            "verdict": self.outcome,
            "stated": self.stated,
            "found": self.found,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """All answers about one package. ``malformed`` says why it is no package at all; the other answers are then empty."""

    name: str
    malformed: str = ""
    level: Level | None = None
    statement: Statement | None = None
    signature: Signature | None = None
    status: Standing | None = None
    inclusion: Inclusion | None = None
    scheme: Rules | None = None
    numbers: tuple[Verdict, ...] = ()

    @property
    def good(self) -> bool:
        """Signed by a known issuer, not known to be withdrawn, nothing tampered with, and no number differs."""
        return (
            self.signature is not None
            and self.signature.outcome == "good"
            and self.status is not None
            and self.status.outcome in ("valid", "unknown")
            and self.inclusion is not None
            and self.inclusion.outcome == "proven"
            and self.scheme is not None
            and self.scheme.outcome == "same"
            and all(number.outcome != "differs" for number in self.numbers)
        )

    def to_json(self) -> dict[str, Any]:
        """The answers as a JSON object."""
        answers = {
            "signature": self.signature,
            "status": self.status,
            "inclusion": self.inclusion,
            "scheme": self.scheme,
        }
        return {
            "name": self.name,
            "good": self.good,
            "malformed": self.malformed,
            "level": self.level,
            "statement": self.statement.id if self.statement else None,
            **{
                name: {"outcome": answer.outcome, "why": answer.why} if answer is not None else None
                for name, answer in answers.items()
            },
            "numbers": [number.to_json() for number in self.numbers],
        }


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
