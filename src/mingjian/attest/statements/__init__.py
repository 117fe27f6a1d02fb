"""What is said, as data: statements, packages and status lists, shared by those who issue and those who verify.

Nothing here signs, measures or judges. Readers raise a Fault that names the place where a document has not the shape.
"""

from mingjian.attest.statements._bitstring import MINIMUM_BITS, Bitstring
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
from mingjian.attest.statements._package import (
    LEVELS,
    WHY_GIVEN,
    Level,
    Package,
    ProvenEntry,
    Why,
    read_package,
    write_package,
)
from mingjian.attest.statements._stated import SNAPSHOT_COLUMNS, Stated
from mingjian.attest.statements._statement import Basis, Statement, StatusEntry, instant_text, statement_id
from mingjian.attest.statements._status_list import StatusList

__all__ = [
    "LEVELS",
    "MINIMUM_BITS",
    "REDUCING",
    "SNAPSHOT_COLUMNS",
    "WHY_GIVEN",
    "Basis",
    "Bitstring",
    "Figure",
    "Level",
    "Package",
    "Place",
    "ProvenEntry",
    "Stated",
    "Statement",
    "StatusEntry",
    "StatusList",
    "Why",
    "closure",
    "declared",
    "dimensions_under",
    "instant_text",
    "kinds_under",
    "looks_back",
    "peers_under",
    "places",
    "read_by",
    "read_package",
    "statement_id",
    "write_package",
]
