"""The ledger: what happened, in order, so that nobody can change it unseen and one row can be shown alone.

A *batch* of rows becomes an *entry*, whose root commits to every row under a salt; entries form an RFC 6962 tree, whose
head is a signed *checkpoint*. The functions here need no store: who verifies has only bytes.
"""

from mingjian.record.ledger._audit import readable
from mingjian.record.ledger._checkpoint import Checkpoint, parse_checkpoint
from mingjian.record.ledger._database import RESTORE, Damaged
from mingjian.record.ledger._entry import Batch, Entry, RowProof
from mingjian.record.ledger._key_history import read_key_history, write_key_history
from mingjian.record.ledger._keys import ROLES, KeyChange, KeyHistory, Role, by_issuers, by_nobody, change_key
from mingjian.record.ledger._ledger import Erased, Ledger
from mingjian.record.ledger._merkle import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    root_of,
    row_leaf,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)
from mingjian.record.ledger._payload import Placed
from mingjian.record.ledger._rows import canonical_rows, columns_of, table_of
from mingjian.record.ledger._runs import Run
from mingjian.record.ledger._sqlite_file import sqlite_engine
from mingjian.record.ledger._state import LedgerState
from mingjian.record.ledger._store import NoLedger
from mingjian.record.ledger._witness import Conflict, Witness, write_request

__all__ = [
    "EMPTY_ROOT",
    "RESTORE",
    "ROLES",
    "Batch",
    "Checkpoint",
    "Conflict",
    "Damaged",
    "Entry",
    "Erased",
    "KeyChange",
    "KeyHistory",
    "Ledger",
    "LedgerState",
    "NoLedger",
    "Placed",
    "Role",
    "RowProof",
    "Run",
    "Witness",
    "by_issuers",
    "by_nobody",
    "canonical_rows",
    "change_key",
    "columns_of",
    "leaf_hash",
    "node_hash",
    "parse_checkpoint",
    "read_key_history",
    "readable",
    "root_of",
    "row_leaf",
    "sqlite_engine",
    "table_of",
    "verify_consistency",
    "verify_inclusion",
    "verify_subtree",
    "write_key_history",
    "write_request",
]
