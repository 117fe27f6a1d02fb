"""Whether what a package shows is what the ledger holds (checkpoint, entries, rows, the snapshot of the values), and all that
belongs to it and nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping

from mingjian.attest.statements import Basis, Package, Reason, Statement, because
from mingjian.attest.verify._issuer import Histories
from mingjian.attest.verify._report import Completeness, Inclusion
from mingjian.base.errors import MingjianError
from mingjian.record.ledger import Entry, RowProof, verify_inclusion


def check_inclusion(package: Package, statement: Statement, histories: Histories) -> Inclusion:
    """Whether every part of the package leads up to the head that the statement names. The first that does not is named."""
    broken = next(_broken(package, statement, histories), None)
    if broken is not None:
        return Inclusion("tampered", reason=broken)
    known = histories.knows(statement.basis.origin)
    return Inclusion("proven", reason=None if known else because("ledger-unknown"))


def _broken(package: Package, statement: Statement, histories: Histories) -> Iterator[Reason]:
    basis = statement.basis
    yield from _broken_checkpoint(package.checkpoint, basis, histories)
    entries = {proven.entry.index: proven.entry for proven in package.entries}
    if len(entries) < len(package.entries):
        yield because("entry-twice")
    for proven in package.entries:
        entry = proven.entry
        if not verify_inclusion(entry.leaf_hash, entry.index, basis.size, proven.path, basis.root):
            yield because("entry-not-in-ledger", entry=entry.index, size=basis.size)
    yield from _broken_rows(package.rows, entries, basis)
    yield from _broken_snapshot(package.attested, entries, basis)
    yield from _beyond_contents(package, statement)


def _broken_checkpoint(note: str, basis: Basis, histories: Histories) -> Iterator[Reason]:
    if not note.startswith(f"{basis.origin}\n{basis.size}\n{b64encode(basis.root).decode()}\n"):
        yield because("checkpoint-other")
    if histories.knows(basis.origin):
        try:
            histories.head(basis.origin, note)
        except MingjianError as fault:
            yield because("checkpoint-bad", detail=fault)


def _broken_rows(rows: tuple[RowProof, ...], entries: Mapping[int, Entry], basis: Basis) -> Iterator[Reason]:
    if len({(row.entry, row.row) for row in rows}) < len(rows):
        yield because("row-twice")
    for row in rows:
        entry = entries.get(row.entry)
        if entry is None or not row.holds(entry):
            yield because("row-not-in-entry", row=row.row, entry=row.entry)
        elif entry.scheme != basis.scheme or entry.index >= basis.as_of:
            yield because("row-not-evidence", row=row.row, entry=row.entry)


def _broken_snapshot(rows: tuple[RowProof, ...], entries: Mapping[int, Entry], basis: Basis) -> Iterator[Reason]:
    snapshot = entries.get(basis.snapshot)
    if snapshot is None or snapshot.kind != "snapshot" or bytes.fromhex(snapshot.root) != basis.snapshot_root:
        yield because("snapshot-other")
        return
    for row in rows:
        if row.entry != basis.snapshot or not row.holds(snapshot):
            yield because("value-not-in-snapshot", row=row.row)


def _beyond_contents(package: Package, statement: Statement) -> Iterator[Reason]:
    contents = package.contents
    if not signs_for(package, statement):
        yield because("contents-other")
        return
    beyond = {(row.entry, row.row) for row in package.rows} - contents.rows
    beyond |= {(row.entry, row.row) for row in package.attested if row.row not in contents.attested}
    for entry, row in sorted(beyond):
        yield because("row-beyond-contents", entry=entry, row=row)


def signs_for(package: Package, statement: Statement) -> bool:
    """Whether the statement signs for this list of contents, at this level."""
    return package.contents.digest() == statement.contents[package.level]


def check_contents(package: Package, statement: Statement) -> Completeness | None:
    """Whether all rows and attested values are there that belong to the package; None where nobody signed what does."""
    if not signs_for(package, statement):
        return None
    contents = package.contents
    rows = len(contents.rows - {(row.entry, row.row) for row in package.rows})
    values = len(contents.attested - {row.row for row in package.attested})
    if not rows and not values:
        return Completeness("complete")
    code = "rows-and-values-missing" if rows and values else "rows-missing" if rows else "values-missing"
    counts = {"rows": rows, "all_rows": len(contents.rows), "values": values, "all_values": len(contents.attested)}
    return Completeness("incomplete", reason=because(code, **counts))
