"""Processes at work: in which state each case is, what may be done to it and by when, and the rows that doing it makes."""

from mingjian.record.process._allowed import allowed, hindrance
from mingjian.record.process._case import Case, Step
from mingjian.record.process._deadline import working_days_after
from mingjian.record.process._docket import Docket
from mingjian.record.process._move import Move, moved

__all__ = ["Case", "Docket", "Move", "Step", "allowed", "hindrance", "moved", "working_days_after"]
