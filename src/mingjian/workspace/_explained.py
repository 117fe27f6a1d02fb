"""An explanation as it may be shown: through the release gate, every row with its place and proof in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mingjian.base.errors import Tampered
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, Scheme, source_type
from mingjian.reckon.measures import Explanation, ReductionSeen, Results, RowSeen, explain_each
from mingjian.reckon.release import release
from mingjian.record.evidence import View, proven_rows
from mingjian.record.ledger import Entry, Ledger, LedgerState, RowProof

_AUDIT: Final = (
    "`mingjian ledger audit` names every entry that is not what it was; if it finds none, delete projection.duckdb:\
 it is made again"
)


@dataclass(frozen=True, slots=True)
class Explained:
    """The tree of an explanation, the entries its rows came with and a proof of each row, by (entry, row)."""

    root: Explanation
    entries: Mapping[int, Entry]
    proofs: Mapping[tuple[int, int], RowProof]


def explained(
    scheme: Scheme,
    view: View,
    hierarchy: Hierarchy,
    ledger: Ledger,
    measure: str,
    subjects: Collection[str],
    period: Period,
    member: str,
) -> Iterator[Explained]:
    """Explain a number of each of these subjects, locate each row behind it and hold it against its proof.

    Raises Misuse as `explain` does, Tampered naming the first entry of which a row is not what was recorded.
    """
    state = ledger.state()
    for root in explain_each(scheme, view, hierarchy, measure, subjects, period, member):
        yield _proven(scheme, ledger, state, gated(root, scheme.minimum_group))


def _proven(scheme: Scheme, ledger: Ledger, state: LedgerState, root: Explanation) -> Explained:
    """An explanation with the entries and the proofs of its rows."""
    seen = {(row.entry, row.row): row for row in rows_of(root)}
    entries: dict[int, Entry] = {}
    proofs: dict[tuple[int, int], RowProof] = {}
    for index in sorted({entry for entry, _ in seen}):
        rows = [row for entry, row in sorted(seen) if entry == index]
        try:
            entries[index] = state.entry(index)
            found = ledger.prove_rows(index, rows)
            _hold(scheme, entries[index], found, [seen[index, row] for row in rows])
        except Tampered as fault:
            raise Tampered(fault.what, why=fault.why, where=fault.where or f"entry {index}", remedy=_AUDIT) from fault
        proofs |= {(index, proof.row): proof for proof in found}
    return Explained(root, entries, proofs)


def _hold(scheme: Scheme, entry: Entry, proofs: Sequence[RowProof], seen: Sequence[RowSeen]) -> None:
    """Raises Tampered for a row that was reckoned with, and would be shown, but is not what was recorded."""
    type = source_type(scheme, seen[0].kind)
    assert type is not None  # its rows were just read
    for row, said in zip(seen, proven_rows(proofs, entry, type, zone=scheme.zone), strict=True):
        for field, value in said.items():
            if row.data.get(field) != value:
                raise Tampered(
                    "a row is not what was recorded",
                    why=f"its {field} was reckoned as {row.data.get(field)}, and its proof says {value}",
                    where=f"entry {entry.index}, row {row.row}",
                )


def rows_of(explanation: Explanation) -> Iterator[RowSeen]:
    """Every row in the tree."""
    for reduction in explanation.reductions:
        yield from reduction.rows
    for part in explanation.inputs:
        yield from rows_of(part)


def gated(explanation: Explanation, minimum: int) -> Explanation:
    """The tree with every figure about few withheld, also those inside a figure that may be shown."""
    (value,) = release(Results(explanation.value.period, [explanation.value]), minimum)
    return replace(
        explanation,
        value=value,
        reductions=tuple(_gated(r, minimum) for r in explanation.reductions),
        inputs=tuple(gated(part, minimum) for part in explanation.inputs),
        contribution=explanation.contribution if value.number is not None else None,
    )


def _gated(reduction: ReductionSeen, minimum: int) -> ReductionSeen:
    if not reduction.ballots or reduction.count is None or reduction.count >= minimum:
        return reduction
    return replace(reduction, value=None, count=None)
