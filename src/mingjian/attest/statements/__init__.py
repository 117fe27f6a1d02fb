"""What is said, as data: statements, packages and status lists, shared by those who issue and those who verify.

Nothing here signs, measures or judges. Readers raise Malformed, which names the place where a document has not the shape.
"""

from mingjian.attest.statements._bitstring import MINIMUM_BITS, Bitstring
from mingjian.attest.statements._contents import LEVELS, SALT_SIZE, Contents, Level, RowPlace, Why
from mingjian.attest.statements._figure import REDUCING, Figure, Place, places
from mingjian.attest.statements._graph import (
    closure,
    declared,
    dimensions_under,
    kinds_under,
    looks_back,
    peers_under,
    read_by,
)
from mingjian.attest.statements._package import Package, ProvenEntry, Witnessed, read_package, write_package
from mingjian.attest.statements._reading import Malformed, malformed
from mingjian.attest.statements._reason import Reason, because
from mingjian.attest.statements._shared import Shared
from mingjian.attest.statements._stated import SNAPSHOT_COLUMNS, Stated
from mingjian.attest.statements._statement import (
    Basis,
    Statement,
    StatusEntry,
    commitment,
    instant_text,
    statement_id,
)
from mingjian.attest.statements._status_list import StatusList, veiled

__all__ = [
    "LEVELS",
    "MINIMUM_BITS",
    "REDUCING",
    "SALT_SIZE",
    "SNAPSHOT_COLUMNS",
    "Basis",
    "Bitstring",
    "Contents",
    "Figure",
    "Level",
    "Malformed",
    "Package",
    "Place",
    "ProvenEntry",
    "Reason",
    "RowPlace",
    "Shared",
    "Stated",
    "Statement",
    "StatusEntry",
    "StatusList",
    "Why",
    "Witnessed",
    "because",
    "closure",
    "commitment",
    "declared",
    "dimensions_under",
    "instant_text",
    "kinds_under",
    "looks_back",
    "malformed",
    "peers_under",
    "places",
    "read_by",
    "read_package",
    "statement_id",
    "veiled",
    "write_package",
]
