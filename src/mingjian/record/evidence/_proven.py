"""What rows say by their proofs, to be held against what a view shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mingjian.declare import EvidenceType
from mingjian.record.evidence._series import Series
from mingjian.record.evidence._view import with_provenance
from mingjian.record.ledger import Entry, RowProof, table_of


def proven_rows(
    proofs: Sequence[RowProof], entry: Entry, type: EvidenceType, *, zone: str = ""
) -> list[dict[str, Any]]:
    """The fields of rows of one entry as `shown_row` has them, from the contents that are proved and nothing else.

    ``zone`` is needed where a field of type time dates rows. Raises Tampered for contents that are no rows of the entry.
    """
    table = table_of([proof.content for proof in proofs], entry.columns)
    fields = [name for name in table.column_names if name in type.fields]
    rows = with_provenance(table.select(fields), type, zone).select([*type.fields]).to_pylist()
    return [{name: Series.of(v) if isinstance(v, list) else v for name, v in row.items()} for row in rows]
