"""Whose word counts when: whether the ledger has a statement as issued, and while its issuer's key was in force.

A thief with an issuer's key may date a signature back; what cannot be dated back is the entry of the ledger in which a
statement was committed before it was signed. So that place alone decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from mingjian.attest.statements import (
    Malformed,
    Package,
    Reason,
    Statement,
    because,
    commitment,
    instant_text,
)
from mingjian.attest.verify._credential import Trust, signed_by
from mingjian.attest.verify._report import Signature
from mingjian.base.errors import MingjianError, Tampered
from mingjian.record.ledger import Checkpoint, Entry, KeyHistory, parse_checkpoint, read_key_history

STATUS: Final = "status"  # the kind of the entries that say what was issued


class Histories:
    """The key histories at hand, of each ledger the latest: only those that the reader's own keys prove."""

    def __init__(self, documents: Iterable[object], trust: Trust) -> None:
        """Raises Malformed for a document that is none, does not hold, or is of a ledger that the reader does not know."""
        latest: dict[str, KeyHistory] = {}
        for document in documents:
            try:
                found = read_key_history(document, trust.ledgers)
            except MingjianError as fault:
                raise Malformed("$", because("keys-bad", detail=fault), "key-history") from fault
            if found.origin not in latest or latest[found.origin].size < found.size:
                latest[found.origin] = found
        self._latest: Mapping[str, KeyHistory] = latest
        self._trust = trust
        self.head = cache(self._head)  # all packages of a run have the same

    def of(self, origin: str) -> KeyHistory:
        """What is known of the keys of a ledger: no changes where no history is at hand."""
        return self._latest.get(origin) or KeyHistory(origin, 0, ())

    def knows(self, origin: str) -> bool:
        """Whether the reader knows a key of the ledger of that origin."""
        return any(key.name == origin for key in self._trust.ledgers)

    def _head(self, origin: str, note: str) -> Checkpoint:
        """The head of a ledger that a note carries, cosigned by those of the reader's witnesses who did.

        Raises Tampered where none of the ledger's keys signed it that counts for its size.
        """
        history, known = self.of(origin), self._trust.ledgers
        head = parse_checkpoint(note, (*history.signers(known, 0), *self._trust.witnesses))
        if head.origin != origin or not {*head.signers} & {*history.signers(known, head.size)}:
            raise Tampered("the ledger's key had been replaced before this checkpoint", where=head.origin)
        return head

    def check(self, package: Package, statement: Statement) -> Signature:
        """Whether its issuer signed a statement, may be believed, had issued it, and while the key was in force."""
        signed = signed_by(package.credential, statement.issuer)
        if not signed:
            return Signature("bad", reason=because("signature-bad", detail=signed.reason))
        history = self.of(statement.basis.origin)
        if not self._trust.issuers & {statement.issuer, *_line_of(history, statement.issuer)}:
            return Signature("unknown issuer", reason=because("issuer-unknown", issuer=statement.issuer))
        entry = _issued(package, statement)
        if entry is None:
            return Signature("not issued", reason=because("not-issued"))
        against = _out_of_force(history, statement.issuer, entry)
        if against is not None:
            return Signature("key not in force", reason=against)
        end = history.ended("issuer", statement.issuer)
        return Signature("good", reason=None if end is None else because("key-of-its-day", at=instant_text(end.at)))


def _line_of(history: KeyHistory, issuer: str) -> tuple[str, ...]:
    """All keys of the issuer who has this one."""
    names = history.keys("issuer")
    return names if issuer in names else ()


def _issued(package: Package, statement: Statement) -> Entry | None:
    """The entry by which the ledger says that this very statement was issued; None where it says no such thing."""
    row = package.issued
    entry = next((proven.entry for proven in package.entries if proven.entry.index == row.entry), None)
    if entry is None or entry.kind != STATUS or entry.scheme != statement.basis.scheme or not row.holds(entry):
        return None
    try:
        committed = commitment(package.credential).hex()
    except MingjianError:  # a part of it that is no statement's has no canonical form, so nobody signed it either
        return None
    said = {name: row.values.get(name) for name in ("statement", "index", "act", "commitment")}
    wanted = {"statement": statement.id, "index": str(statement.status.index), "act": "issued", "commitment": committed}
    return entry if said == wanted else None


def _out_of_force(history: KeyHistory, issuer: str, issued: Entry) -> Reason | None:
    """Why an issuer's key does not count for what was issued there; None where it does."""
    began, ended = history.began("issuer", issuer), history.ended("issuer", issuer)
    if began is not None and issued.index < began.place:
        return because("key-not-yet", at=instant_text(began.at), issued=instant_text(issued.at))
    if ended is None:
        return None
    if ended.since is not None and (issued.at >= ended.since or issued.index > ended.place):
        since = instant_text(ended.since)
        return because("key-revoked", since=since, why=ended.reason, issued=instant_text(issued.at))
    if issued.index > ended.place:
        return because("key-replaced", at=instant_text(ended.at), issued=instant_text(issued.at))
    return None
