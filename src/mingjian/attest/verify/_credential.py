"""Whom a reader knows, what they signed, and whether a statement still stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mingjian.attest.statements import Malformed, Statement, StatusList, because, instant_text
from mingjian.attest.verify._report import Standing
from mingjian.base.errors import Misuse
from mingjian.base.keys import NoteKey, PublicKey, SignatureCheck, suite
from mingjian.record.ledger import KeyHistory

_DID: Final = "did:key:"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the reader knows: issuers by their ``did:key:...``, ledgers by the keys of their checkpoints (vkeys).

    Without a ledger's key only the issuer vouches for its head, since the statement signs that too. ``witnesses`` are those
    who must all have cosigned what the reader accepts.
    """

    issuers: frozenset[str] = frozenset()
    ledgers: tuple[NoteKey, ...] = ()
    witnesses: tuple[NoteKey, ...] = ()

    @classmethod
    def of(cls, issuers: Iterable[str] = (), vkeys: Iterable[str] = (), witnesses: Iterable[str] = ()) -> Trust:
        """Trust in these. Raises Misuse for text that is no vkey, and for a witness's that is not one of cosignatures."""
        ledgers, seen = (tuple(NoteKey.parse(vkey) for vkey in dict.fromkeys(given)) for given in (vkeys, witnesses))
        for key, cosigns in [*((key, False) for key in ledgers), *((key, True) for key in seen)]:
            if key.cosigns is not cosigns:
                whose = "witness" if cosigns else "ledger"
                raise Misuse(f"{key} is not the key of a {whose}", remedy=f"give the vkey that the {whose} told you")
        return cls(frozenset(issuers), ledgers, seen)


def signed_by(credential: Mapping[str, Any], issuer: str) -> SignatureCheck:
    """Whether ``issuer`` signed this credential."""
    proof = credential.get("proof")
    named = proof.get("cryptosuite") if isinstance(proof, dict) else None
    if not isinstance(named, str):
        return SignatureCheck(False, "there is no single proof of a named suite")
    try:
        public = PublicKey.from_multibase(issuer.removeprefix(_DID))
        if public.did_key != issuer:
            return SignatureCheck(False, f"{issuer[:80]!r} is not a did:key")
        return suite(named).verify(credential, public)
    except Misuse as fault:
        return SignatureCheck(False, fault.what)


@dataclass(frozen=True, slots=True)
class StatusLists:
    """The status lists at hand, by (list id, issuer): only those whose signature holds, of each the latest."""

    lists: Mapping[tuple[str, str], StatusList]

    @classmethod
    def of(cls, credentials: Sequence[object]) -> StatusLists:
        """The lists of these signed credentials. Raises Malformed for what is none, or not what its issuer signed."""
        latest: dict[tuple[str, str], StatusList] = {}
        for credential in credentials:
            found = StatusList.from_credential(credential)
            check = signed_by(credential, found.issuer) if isinstance(credential, dict) else SignatureCheck(False)
            if not check:
                raise Malformed(found.id, because("list-unsigned", detail=check.reason), "status-list")
            known = latest.get((found.id, found.issuer))
            if known is None or known.valid_from < found.valid_from:
                latest[found.id, found.issuer] = found
        return cls(latest)

    def standing(self, statement: Statement, now: datetime, keys: KeyHistory) -> Standing:
        """Whether the statement stands at ``now``. Only a list signed by its own issuer speaks for it, by the key in force."""
        names = keys.keys("issuer")
        signer = names[-1] if statement.issuer in names else statement.issuer
        found = self.lists.get((statement.status.list_id, signer))
        told = found is not None and statement.status.index < len(found.revoked)
        at = instant_text(found.valid_from) if found is not None else ""
        if found is not None and told and found.revoked[statement.status.index]:
            if by := found.replacement(statement):
                return Standing("revoked", by, reason=because("replaced", at=at, by=by))
            return Standing("revoked", reason=because("revoked", at=at))
        if statement.valid_until is not None and now >= statement.valid_until:
            return Standing("expired", reason=because("expired", until=instant_text(statement.valid_until)))
        if now < statement.valid_from:
            return Standing("unknown", reason=because("not-yet", start=instant_text(statement.valid_from)))
        if found is None:
            return Standing("unknown", reason=because("no-status-list", list=statement.status.list_id))
        if not told:
            return Standing("unknown", reason=because("status-list-short", at=at))
        return Standing("valid", reason=because("valid", at=at))
