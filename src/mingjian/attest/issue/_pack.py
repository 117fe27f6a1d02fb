"""Packing: a signed statement with what its readers may see of the evidence under it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from mingjian.attest.issue._contents import Whom
from mingjian.attest.issue._disclosure import batched
from mingjian.attest.issue._issue import Issue
from mingjian.attest.statements import Level, Package, ProvenEntry, RowPlace, Statement
from mingjian.base.errors import Fault, Misuse
from mingjian.record.ledger import Ledger, LedgerState, RowProof

_TOGETHER: Final = 100  # statements whose rows are proved at once


def pack(issued: Issue, ledger: Ledger, level: Level) -> Iterator[tuple[Statement, Package]]:
    """Each statement of an issue with its package for readers of a level. One credential, whatever the level.

    They are made as they are taken: the rows of a few statements stand in memory at a time. Raises Fault where evidence was
    erased since it was measured, before any package is made.
    """
    lost = ledger.state().erased().keys()
    for group in batched(issued.contents, _TOGETHER) if lost else ():
        _prove(ledger, {place for of in group for place in issued.contents[of][level].rows if place[0] in lost})
    places = {of: row for row, of in enumerate(issued.statements)}
    entries: dict[int, ProvenEntry] = {}
    for group in batched(issued.contents, _TOGETHER):
        yield from _packed(issued, ledger, level, {of: places[of] for of in group}, entries)


def _packed(
    issued: Issue, ledger: Ledger, level: Level, places: Mapping[Whom, int], entries: dict[int, ProvenEntry]
) -> Iterator[tuple[Statement, Package]]:
    """Some statements with their packages; ``entries`` has those that were proved for others before, and gets new ones."""
    contents = {of: issued.contents[of][level] for of in places}
    snapshot, status = issued.snapshot.index, issued.status.index
    wanted = {place for found in contents.values() for place in found.rows}
    wanted |= {(snapshot, row) for found in contents.values() for row in found.attested}
    wanted |= {(status, row) for row in places.values()}
    proofs = _prove(ledger, wanted)
    state = ledger.state(issued.size)
    entries |= {index: _proven(ledger, state, index) for index in {entry for entry, _ in wanted} - entries.keys()}
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
        return ledger.prove_rows(entry, sorted(rows))
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
