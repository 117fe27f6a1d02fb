"""What does not hold together in a scheme that is well written."""

from __future__ import annotations

from mingjian.declare._code import Code
from mingjian.declare._model import Scheme
from mingjian.declare._section import Report


def check(scheme: Scheme, code: Code, report: Report) -> None:
    """Report every fault."""
