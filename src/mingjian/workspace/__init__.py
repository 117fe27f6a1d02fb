"""A workspace ties the floors together: the one way in for the command line, the web face and scripts."""

from mingjian.workspace._cases import run_cases
from mingjian.workspace._demo import Built, Step, build_example, sample_rows
from mingjian.workspace._explained import Explained, rows_of
from mingjian.workspace._issued import (
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Written,
    issue_into,
    level_of,
    trust_in,
    write_status,
)
from mingjian.workspace._schemes import scheme_folder
from mingjian.workspace._verifying import read_trust, verify_files
from mingjian.workspace._workspace import Taken, Workspace

__all__ = [
    "STATUS_FILE",
    "TRUST_FILE",
    "Built",
    "Explained",
    "Order",
    "Step",
    "Taken",
    "Workspace",
    "Written",
    "build_example",
    "issue_into",
    "level_of",
    "read_trust",
    "rows_of",
    "run_cases",
    "sample_rows",
    "scheme_folder",
    "trust_in",
    "verify_files",
    "write_status",
]
