"""Published figures held against measures, against each other, and against units and magnitudes."""

from mingjian.reckon.claims._check import check_claims
from mingjian.reckon.claims._model import Claim, ClaimSet, Comparison, Lookup, Measured, Outcome, Source, Verdict
from mingjian.reckon.claims._read import load_claims

__all__ = [
    "Claim",
    "ClaimSet",
    "Comparison",
    "Lookup",
    "Measured",
    "Outcome",
    "Source",
    "Verdict",
    "check_claims",
    "load_claims",
]
