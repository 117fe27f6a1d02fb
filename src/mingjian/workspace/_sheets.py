"""Sheets that people fill in: cases going out, and what is looked into before one that came back is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from mingjian.declare import EvidenceType, Field
from mingjian.record.evidence import Intake, arrow_schema, read_file, want_unfolded, write_template
from mingjian.record.process import Case

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type

LARGEST_UNFOLDED: Final = 64 * 1024 * 1024  # bytes of a workbook's parts, all together
_LINE: Final = "_line"


def want_readable(path: Path) -> None:
    """Nothing, for a file that a server can read for somebody. Raises as `want_unfolded` does."""
    want_unfolded(path, LARGEST_UNFOLDED)


# -- cases going out and coming back ------------------------------------------------------------------------------------
def link_to(kind: EvidenceType, of: EvidenceType) -> Field:
    """The field by which a row of type ``kind`` names its case, a row of type ``of``; every type that an act takes has one."""
    return next(field for field in kind.fields.values() if field.to == of.id)


def copied(kind: EvidenceType, of: EvidenceType, case: Case) -> dict[str, object]:
    """What a row of type ``kind`` says that its case says already."""
    link = link_to(kind, of).name
    return {name: case.id if name == link else case.row[name] for name in _said(kind, of)}


def _said(kind: EvidenceType, of: EvidenceType) -> tuple[str, ...]:
    """The fields that name the case, or say what it says under the same name."""
    link = link_to(kind, of).name
    types = ("subject", "ref", "period")
    like = (
        f.name for f in kind.fields.values() if f.type in types and getattr(of.fields.get(f.name), "type", "") == f.type
    )
    return tuple(dict.fromkeys((link, *like)))


def write_cases(
    kind: EvidenceType, of: EvidenceType, cases: Sequence[Case], names: Mapping[str, str], path: Path
) -> None:
    """A workbook with a row for each case, of which only what the person says is empty; on a second sheet, what each case is
    about (``names``: the text shown for each row or subject that a case names).
    """
    rows = [copied(kind, of, case) for case in cases]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(kind))
    shown = [field for field in of.fields.values() if field.label in ("public", "internal")]
    heading = [f"{field.title.zh} {field.title.en}" for field in shown]
    told = [[_told(field, case.row[field.name], names) for field in shown] for case in cases]
    write_template(kind, path, rows=table, beside=[heading, *told])


def _told(field: Field, value: object, names: Mapping[str, str]) -> str:
    if value is None:
        return ""
    text = str(value)
    if field.type == "choice":
        return f"{field.choices[text].zh} {field.choices[text].en}"
    return names.get(text, text) if field.type in ("ref", "subject") else text


def loosened(kind: EvidenceType) -> EvidenceType:
    """The type with every field optional and no key: what a person gave may be read before the kernel fills in the rest."""
    fields = {name: replace(field, optional=True, at_most="") for name, field in kind.fields.items()}
    return replace(kind, fields=fields, key=(), date="", bad_rows="leave_out")


def read_cases(path: Path, kind: EvidenceType, of: EvidenceType, zone: str) -> Intake:
    """The rows of a sheet that `write_cases` wrote; cases of which nothing was filled in are left for later.

    Raises as `want_readable` and `read_file` do.
    """
    want_readable(path)
    given = [name for name in kind.fields if name not in _said(kind, of)]
    anyhow = read_file(path, loosened(kind), zone=zone).table
    left = {row[_LINE] for row in anyhow.to_pylist() if all(row[name] is None for name in given)}
    intake = read_file(path, kind, zone=zone)
    return replace(
        intake,
        table=intake.table.filter(pc.invert(pc.is_in(intake.table[_LINE], pa.array(sorted(left), pa.int64())))),
        findings=tuple(found for found in intake.findings if found.place.row not in left),
        refused=len({found.place.row for found in intake.findings} - left),
    )
