"""Schemes: what a programme declares, read from a folder, frozen, fingerprinted and carried as data."""

from mingjian.declare._data import meaning, scheme_data, scheme_from_data
from mingjian.declare._expressions import (
    Expr,
    FormulaError,
    carry,
    coalesce,
    greatest,
    least,
    literal,
    missing,
    previous,
    split,
    total,
    walk,
    where,
)
from mingjian.declare._expressions import from_data as expr_from_data
from mingjian.declare._expressions import text as formula_text
from mingjian.declare._fields import TIME, evidence_types, row_fields, source_type, subject_evidence
from mingjian.declare._load import inspect, load
from mingjian.declare._model import (
    Case,
    Dated,
    Derivation,
    EvidenceType,
    Expected,
    Field,
    Grade,
    Index,
    Measure,
    Node,
    Parameter,
    Scheme,
    StatementType,
    SubjectType,
)
from mingjian.declare._new import new_scheme
from mingjian.declare._process import Act, Amount, Process, Role, State, Year
from mingjian.declare._section import Report, Section, near
from mingjian.declare._section import read_file as read_toml
from mingjian.declare._subjects import Hierarchy, Subject
from mingjian.declare._titles import LABELS, Label, Title

__all__ = [
    "LABELS",
    "TIME",
    "Act",
    "Amount",
    "Case",
    "Dated",
    "Derivation",
    "EvidenceType",
    "Expected",
    "Expr",
    "Field",
    "FormulaError",
    "Grade",
    "Hierarchy",
    "Index",
    "Label",
    "Measure",
    "Node",
    "Parameter",
    "Process",
    "Report",
    "Role",
    "Scheme",
    "Section",
    "State",
    "StatementType",
    "Subject",
    "SubjectType",
    "Title",
    "Year",
    "carry",
    "coalesce",
    "evidence_types",
    "expr_from_data",
    "formula_text",
    "greatest",
    "inspect",
    "least",
    "literal",
    "load",
    "meaning",
    "missing",
    "near",
    "new_scheme",
    "previous",
    "read_toml",
    "row_fields",
    "scheme_data",
    "scheme_from_data",
    "source_type",
    "split",
    "subject_evidence",
    "total",
    "walk",
    "where",
]
