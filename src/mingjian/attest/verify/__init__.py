"""Verifying: who signed, whether it stands, whether it is the ledger's, under which rules, and each number made anew."""

from mingjian.attest.verify._credential import Trust
from mingjian.attest.verify._report import (
    Checked,
    Completeness,
    Inclusion,
    Report,
    Rules,
    Signature,
    Standing,
    Verdict,
    Witnesses,
)
from mingjian.attest.verify._verify import verify

__all__ = [
    "Checked",
    "Completeness",
    "Inclusion",
    "Report",
    "Rules",
    "Signature",
    "Standing",
    "Trust",
    "Verdict",
    "Witnesses",
    "verify",
]
