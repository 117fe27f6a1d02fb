"""Packing: a signed statement with what its readers may see of the evidence under it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mingjian.attest.issue._issue import Issue
from mingjian.attest.statements import Level, Package, ProvenEntry, RowPlace, Statement
from mingjian.base.errors import Fault, Misuse
from mingjian.record.ledger import Ledger, LedgerState, RowProof


def pack(issued: Issue, ledger: Ledger, level: Level) -> Iterator[tuple[Statement, Package]]:
    """Each statement of an issue with its package for readers of a level. One credential, whatever the level.

    Raises Fault where evidence was erased since it was measured, before any package is made.
    """
    contents = {of: by_level[level] for of, by_level in issued.contents.items()}
    snapshot, status = issued.snapshot.index, issued.status.index
    places = {of: row for row, of in enumerate(issued.statements)}
    wanted = {place for found in contents.values() for place in found.rows}
    wanted |= {(snapshot, row) for found in contents.values() for row in found.attested}
    wanted |= {(status, row) for row in places.values()}
    proofs = _prove(ledger, wanted)
    state = ledger.state(issued.size)
    entries = {index: _proven(ledger, state, index) for index in {entry for entry, _ in wanted}}
    for of, found in contents.items():
        used = {entry for entry, _ in found.rows} | {snapshot, status}
        package = Package(
            level=level,
            credential=issued.credentials[of],
            checkpoint=issued.checkpoint,
            entries=tuple(entries[index] for index in sorted(used)),
            issued=proofs[status, places[of]],
            rows=tuple(proofs[place] for place in sorted(found.rows)),
            attested=tuple(proofs[snapshot, row] for row in sorted(found.attested)),
            contents=found,
            scheme=issued.scheme,
        )
        yield issued.statements[of], package


def _prove(ledger: Ledger, places: Collection[RowPlace]) -> Mapping[RowPlace, RowProof]:
    by_entry: dict[int, list[int]] = {}
    for entry, row in places:
        by_entry.setdefault(entry, []).append(row)
    return {(p.entry, p.row): p for entry, rows in by_entry.items() for p in _proofs(ledger, entry, rows)}


def _proofs(ledger: Ledger, entry: int, rows: Collection[int]) -> list[RowProof]:
    try:
        return ledger.prove_rows(entry, rows)
    except Misuse as fault:
        if entry not in ledger.state().erased():
            raise
        raise Fault(
            "these packages can no longer be made: evidence was erased since it was measured",
            why=fault.what,
            remedy="measure and issue anew for those who are left; what was issued stays attested by its snapshot",
        ) from fault


def _proven(ledger: Ledger, state: LedgerState, index: int) -> ProvenEntry:
    return ProvenEntry(state.entry(index), tuple(ledger.prove_entry(index, state.size)))
