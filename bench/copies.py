"""Rows many times over: copies of a programme's subjects, each with all that is known of it, in the projection alone.

Of a ledger with a thousand times the rows of the example a machine would make hours; what is measured reads them from the
projection, and there a copy is made by the million a second. Nothing can be explained or issued of copies.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from mingjian.declare import EvidenceType, Scheme, evidence_types
from mingjian.workspace import Workspace

SUBJECT = "subject"
NAMES = ("id", "parent", "into")  # the columns of a subject's row that name subjects
APART = 10**12  # between the places of a row and of its copy


def copy_rows(workspace: Workspace, scheme: Scheme, copies: int) -> int:
    """Lay each row about a subject ``copies`` times into the projection, as of as many subjects; how many rows that adds."""
    types, added = evidence_types(scheme), 0
    with duckdb.connect(workspace.projection.path) as connection:
        for kind in copied(types):
            table = f'"{scheme.id}/{kind}"'
            for copy in range(1, copies):
                named = "".join(f""", "{name}" || '~{copy}' AS "{name}\"""" for name in renamed(types, kind))
                replaced = f"* REPLACE (_row + {copy * APART} AS _row{named})"
                connection.execute(f"INSERT INTO {table} SELECT {replaced} FROM {table} WHERE _row < {APART}")
                added += sum(row[0] for row in connection.fetchall())
    return added


def copied(types: Mapping[str, EvidenceType]) -> tuple[str, ...]:
    """The types whose rows are about subjects, or name a row that is."""
    found = {SUBJECT, *(kind for kind, type in types.items() if type.subjects)}
    while more := {
        kind for kind, type in types.items() if kind not in found and any(f.to in found for f in type.fields.values())
    }:
        found |= more
    return tuple(kind for kind in types if kind in found)


def renamed(types: Mapping[str, EvidenceType], kind: str) -> tuple[str, ...]:
    """The columns of such a type whose texts name subjects, or rows that are copied, its own among them."""
    if kind == SUBJECT:
        return NAMES
    type, all_copied = types[kind], copied(types)
    return tuple(
        name
        for name, field in type.fields.items()
        if field.type == "subject" or field.to in all_copied or (name in type.key and field.type == "text")
    )
