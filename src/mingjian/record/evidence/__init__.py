"""Evidence: files and forms to typed rows and findings, and the rows of a type as a table as of any size of the ledger."""

from mingjian.record.evidence._checks import check_rows
from mingjian.record.evidence._intake import Intake, read_rows, shuffled
from mingjian.record.evidence._projection import Projection
from mingjian.record.evidence._proven import proven_rows
from mingjian.record.evidence._readers import read_file, want_unfolded
from mingjian.record.evidence._schema import arrow_schema
from mingjian.record.evidence._series import Series, shown_row, text_of
from mingjian.record.evidence._templates import write_template
from mingjian.record.evidence._view import Compiled, Engine, Statements, View, dates

__all__ = [
    "Compiled",
    "Engine",
    "Intake",
    "Projection",
    "Series",
    "Statements",
    "View",
    "arrow_schema",
    "check_rows",
    "dates",
    "proven_rows",
    "read_file",
    "read_rows",
    "shown_row",
    "shuffled",
    "text_of",
    "want_unfolded",
    "write_template",
]
