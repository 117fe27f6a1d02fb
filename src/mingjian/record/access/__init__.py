"""Who may do what, who they are, and who read what.

Roles are granted as evidence (`Grants`), and one place decides on them (`Policy`). Accounts stand outside the ledger and can
be erased (`Accounts`). Every read of a confidential row goes to a log of its own (`ReadLog`).
"""

from mingjian.record.access._accounts import Accounts
from mingjian.record.access._grants import Actor, Grant, Grants
from mingjian.record.access._people import Account, Attempt, Outcome, Session
from mingjian.record.access._policy import Decision, Policy, Refused
from mingjian.record.access._read_index import Read
from mingjian.record.access._reads import ReadLog

__all__ = [
    "Account",
    "Accounts",
    "Actor",
    "Attempt",
    "Decision",
    "Grant",
    "Grants",
    "Outcome",
    "Policy",
    "Read",
    "ReadLog",
    "Refused",
    "Session",
]
