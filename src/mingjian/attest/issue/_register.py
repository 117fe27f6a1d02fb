"""Which statements were issued, and which no longer stand: a fold over the ledger's entries of kind "status"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import pyarrow as pa

from mingjian.attest.statements import Bitstring, StatusList, veiled
from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey, suite
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState

KIND: Final = "status"
SUITE: Final = "eddsa-jcs-2022"
_COLUMNS: Final[dict[str, pa.DataType]] = {
    "statement": pa.string(),
    "index": pa.int64(),
    "act": pa.string(),
    "reason": pa.string(),
    "replaced_by": pa.string(),
    "commitment": pa.string(),
}

Act = Literal["issued", "revoked"]


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a status entry: a statement is issued, or revoked for a reason (perhaps because another stands for it).

    ``commitment`` has what was issued, in hexadecimal (see `statements.commitment`): who holds the issuer's key alone can sign
    nothing else that passes for issued.
    """

    statement: str
    index: int
    act: Act
    reason: str = ""
    replaced_by: str = ""
    commitment: str = ""

    def row(self) -> dict[str, str | int | None]:
        """The row as the ledger keeps it."""
        return {
            "statement": self.statement,
            "index": self.index,
            "act": self.act,
            "reason": self.reason or None,
            "replaced_by": self.replaced_by or None,
            "commitment": self.commitment or None,
        }


@dataclass(frozen=True, slots=True)
class Register:
    """All statements of a ledger: ``places`` has the bit of each by its id, ``revoked`` why one no longer stands.

    ``schemes`` has the scheme that each was issued under, ``roots`` the root of the snapshot in which its numbers stand;
    ``entries`` counts the status entries it was folded from.
    """

    places: Mapping[str, int]
    schemes: Mapping[str, str]
    roots: Mapping[str, bytes]
    revoked: Mapping[str, Change]
    entries: int

    @classmethod
    def of(cls, state: LedgerState) -> Register:
        """The register as of a state of the ledger."""
        places: dict[str, int] = {}
        schemes: dict[str, str] = {}
        roots: dict[str, bytes] = {}
        revoked: dict[str, Change] = {}
        entries = 0
        for entry in state.entries(kind=KIND):
            entries += 1
            # A snapshot and what was issued from it are appended together; before a mere revocation stands anything.
            root = bytes.fromhex(state.entry(max(0, entry.index - 1)).root)
            for row in state.table(entry.index).to_pylist():
                change = Change(
                    row["statement"], row["index"], row["act"], row["reason"] or "", row["replaced_by"] or ""
                )
                if change.act == "issued":
                    places[change.statement] = change.index
                    schemes[change.statement], roots[change.statement] = entry.scheme, root
                else:
                    revoked[change.statement] = change
        return cls(places, schemes, roots, revoked, entries)

    def numbered(self, statements: Sequence[str]) -> tuple[Change, ...]:
        """The issue of these statements, each with the next free bit. Raises Misuse for one that was issued before."""
        if known := [statement for statement in statements if statement in self.places]:
            raise Misuse(
                "this statement was issued before",
                why=known[0],
                remedy="what was issued stays as it is; measure as of a later size of the ledger and replace it",
            )
        return tuple(Change(statement, len(self.places) + n, "issued") for n, statement in enumerate(statements))

    def revocation(self, statement: str, reason: str, replaced_by: str = "") -> Change:
        """The revocation of a statement. Raises Misuse for one that was never issued, is revoked already, or no reason."""
        if statement not in self.places:
            raise Misuse(f"no statement {statement!r} was issued from this ledger")
        if statement in self.revoked:
            raise Misuse(f"{statement} is revoked already", why=self.revoked[statement].reason)
        if not reason:
            raise Misuse("a revocation without a reason", remedy="say why the statement no longer stands")
        return Change(statement, self.places[statement], "revoked", reason, replaced_by)

    def unchanged(self, state: LedgerState) -> None:
        """Raises Misuse if somebody issued or revoked since: the bits chosen may be taken."""
        if sum(1 for _ in state.entries(kind=KIND)) != self.entries:
            raise Misuse("somebody else issued or revoked in the meantime", remedy="do it again")


def status_batch(changes: Iterable[Change], scheme: str, by: str) -> Batch:
    """The changes as a batch for the ledger."""
    return Batch(
        KIND, scheme, by, pa.Table.from_pylist([change.row() for change in changes], schema=pa.schema(_COLUMNS))
    )


def revoke(ledger: Ledger, statement: str, *, reason: str, by: str) -> Entry:
    """Revoke one statement, for good: an entry of the ledger says who did it and why. Raises Misuse as `Register` does."""
    register = Register.of(ledger.state())
    revocation = register.revocation(statement, reason)
    batch = status_batch([revocation], register.schemes[statement], by)
    return ledger.append(batch, check=register.unchanged)


def list_id(origin: str) -> str:
    """The id of the status list of the ledger with this origin."""
    return f"https://{origin}/status"


def status_list(ledger: Ledger, key: SigningKey, now: datetime) -> dict[str, Any]:
    """The signed status list of all statements issued from this ledger, as of now; what was replaced names what stands for it."""
    register = Register.of(ledger.state())
    revoked = Bitstring.of((change.index for change in register.revoked.values()), at_least=len(register.places))
    replaced = {
        change.index: veiled(change.replaced_by, old, register.roots[old])
        for old, change in register.revoked.items()
        if change.replaced_by
    }
    said = StatusList(list_id(ledger.origin), key.public.did_key, now, revoked, replaced)
    return suite(SUITE).sign(said.credential(), key, created=now, verification_method=key.public.method)
