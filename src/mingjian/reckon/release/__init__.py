"""The gate that every figure counted from ballots passes before anyone sees it."""

from mingjian.reckon.release._gate import release

__all__ = ["release"]
