"""A workspace ties the floors together: the one way in for the command line, the web face and scripts."""

from mingjian.workspace._acting import account_of, act_from_files
from mingjian.workspace._attachments import Attachment
from mingjian.workspace._backup import Backup, back_up, restore
from mingjian.workspace._cases import run_cases
from mingjian.workspace._casework import Casework, ToDo, deadlines
from mingjian.workspace._demo import Built, Step, build_example, sample_rows, shipped_example, usual_folder
from mingjian.workspace._desk import CaseSeen, Conflict, Desk, Form, Offer, Portrait, portrait_type
from mingjian.workspace._erasing import Gone, Purged, erase_person, expire, lacking, sealing_context
from mingjian.workspace._errands import Busy, Errand
from mingjian.workspace._explained import Explained, rows_of
from mingjian.workspace._fsck import Checked, Rebuilt, fsck
from mingjian.workspace._issued import (
    BESIDE,
    KEYS_FILE,
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Written,
    issue_into,
    level_of,
    package_files,
    trust_in,
    write_standing,
    write_status,
)
from mingjian.workspace._items import ITEM, Items, ItemSeen
from mingjian.workspace._keyring import KeyHeld, keys_held, revoke_issuer, role_of, rotate
from mingjian.workspace._letters import Letters, letter
from mingjian.workspace._office import Now, Office
from mingjian.workspace._oversight import Oversight
from mingjian.workspace._panorama import Beside, Bin, Common, Forest, Member, Mover, Panorama
from mingjian.workspace._papers import Papers
from mingjian.workspace._schemes import scheme_folder
from mingjian.workspace._settings import Settings
from mingjian.workspace._shelf import Kept
from mingjian.workspace._steward import Steward, grant, grants
from mingjian.workspace._tables import Table, evaluation, table_pdf, workbook
from mingjian.workspace._verifying import read_trust, verify_files
from mingjian.workspace._witnessed import put_witnessed
from mingjian.workspace._workspace import Taken, Workspace

__all__ = [
    "BESIDE",
    "ITEM",
    "KEYS_FILE",
    "STATUS_FILE",
    "TRUST_FILE",
    "Attachment",
    "Backup",
    "Beside",
    "Bin",
    "Built",
    "Busy",
    "CaseSeen",
    "Casework",
    "Checked",
    "Common",
    "Conflict",
    "Desk",
    "Errand",
    "Explained",
    "Forest",
    "Form",
    "Gone",
    "ItemSeen",
    "Items",
    "Kept",
    "KeyHeld",
    "Letters",
    "Member",
    "Mover",
    "Now",
    "Offer",
    "Office",
    "Order",
    "Oversight",
    "Panorama",
    "Papers",
    "Portrait",
    "Purged",
    "Rebuilt",
    "Settings",
    "Step",
    "Steward",
    "Table",
    "Taken",
    "ToDo",
    "Workspace",
    "Written",
    "account_of",
    "act_from_files",
    "back_up",
    "build_example",
    "deadlines",
    "erase_person",
    "evaluation",
    "expire",
    "fsck",
    "grant",
    "grants",
    "issue_into",
    "keys_held",
    "lacking",
    "letter",
    "level_of",
    "package_files",
    "portrait_type",
    "put_witnessed",
    "read_trust",
    "restore",
    "revoke_issuer",
    "role_of",
    "rotate",
    "rows_of",
    "run_cases",
    "sample_rows",
    "scheme_folder",
    "sealing_context",
    "shipped_example",
    "table_pdf",
    "trust_in",
    "usual_folder",
    "verify_files",
    "workbook",
    "write_standing",
    "write_status",
]
