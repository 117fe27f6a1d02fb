"""Whether what a package shows is what the ledger holds: checkpoint, entries, rows, and the snapshot of the values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping

from mingjian.attest.statements import Basis, Package, Statement
from mingjian.attest.verify._credential import Trust
from mingjian.attest.verify._report import Inclusion
from mingjian.base.errors import MingjianError
from mingjian.record.ledger import Entry, RowProof, parse_checkpoint, verify_inclusion

_UNKNOWN_LEDGER = "the reader has no key of this ledger: the issuer alone vouches for its head"


def check_inclusion(package: Package, statement: Statement, trust: Trust) -> Inclusion:
    """Whether every part of the package leads up to the head that the statement names. The first that does not is named."""
    basis = statement.basis
    known = [key for key in trust.ledgers if key.name == basis.origin]
    broken = next(_broken(package, statement, trust), "")
    if broken:
        return Inclusion("tampered", broken)
    return Inclusion("proven", "" if known else _UNKNOWN_LEDGER)


def _broken(package: Package, statement: Statement, trust: Trust) -> Iterator[str]:
    basis = statement.basis
    yield from _broken_checkpoint(package.checkpoint, basis, trust)
    entries = {proven.entry.index: proven.entry for proven in package.entries}
    if len(entries) < len(package.entries):
        yield "two entries have one index"
    for proven in package.entries:
        entry = proven.entry
        if not verify_inclusion(entry.leaf_hash, entry.index, basis.size, proven.path, basis.root):
            yield f"entry {entry.index} is not in the ledger at size {basis.size}"
    yield from _broken_rows(package.rows, entries, basis)
    yield from _broken_snapshot(package.attested, entries, basis)


def _broken_checkpoint(note: str, basis: Basis, trust: Trust) -> Iterator[str]:
    if not note.startswith(f"{basis.origin}\n{basis.size}\n{b64encode(basis.root).decode()}\n"):
        yield "the checkpoint is not the head that the statement names"
    known = [key for key in trust.ledgers if key.name == basis.origin]
    if known:
        try:
            parse_checkpoint(note, known)
        except MingjianError as fault:
            yield str(fault)


def _broken_rows(rows: tuple[RowProof, ...], entries: Mapping[int, Entry], basis: Basis) -> Iterator[str]:
    if len({(row.entry, row.row) for row in rows}) < len(rows):
        yield "a row is shown twice"
    for row in rows:
        entry = entries.get(row.entry)
        if entry is None or not row.holds(entry):
            yield f"row {row.row} is not in entry {row.entry}"
        elif entry.scheme != basis.scheme or entry.index >= basis.as_of:
            yield f"row {row.row} of entry {row.entry} is not evidence that the statement was measured from"


def _broken_snapshot(rows: tuple[RowProof, ...], entries: Mapping[int, Entry], basis: Basis) -> Iterator[str]:
    snapshot = entries.get(basis.snapshot)
    if snapshot is None or snapshot.kind != "snapshot" or bytes.fromhex(snapshot.root) != basis.snapshot_root:
        yield "the snapshot is not the one that the statement names"
        return
    for row in rows:
        if row.entry != basis.snapshot or not row.holds(snapshot):
            yield f"attested row {row.row} is not in the snapshot"
