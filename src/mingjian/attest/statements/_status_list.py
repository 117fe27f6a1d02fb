"""The credential that carries a status list (W3C Bitstring Status List 1.0, section 2.2), without its proof.

Beside the bits it has a term of our own: ``replacedBy`` names the statement that stands for a replaced one, by its bit. The
id of a statement can be guessed from what it is about, and whose portrait was made anew is nobody's business: the new id
is veiled, so that only who holds the old statement reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from mingjian.attest.statements._bitstring import Bitstring
from mingjian.attest.statements._reading import (
    Malformed,
    Record,
    choice_of,
    instant_of,
    malformed,
    other_writing,
    record_of,
    text_of,
)
from mingjian.attest.statements._reason import because
from mingjian.attest.statements._statement import CONTEXT, Statement, instant_text
from mingjian.base.values import sha256

LIST_TYPES: Final = ("VerifiableCredential", "BitstringStatusListCredential")
_VEILED: Final = 16  # bytes of a UUID


@dataclass(frozen=True, slots=True)
class StatusList:
    """Which statements of an issuer are revoked, as of an instant; ``replaced`` has veiled ids by the bit of the old one."""

    id: str
    issuer: str
    valid_from: datetime
    revoked: Bitstring
    replaced: Mapping[int, bytes] = field(default_factory=dict)

    def replacement(self, statement: Statement) -> str:
        """The id of the statement that stands for this one; "" where none is named."""
        veiled = self.replaced.get(statement.status.index)
        return "" if veiled is None else unveiled(veiled, statement.id, statement.basis.snapshot_root)

    def credential(self) -> dict[str, Any]:
        """The unsigned credential. `from_credential` reads it back, signed or not."""
        said: dict[str, Any] = {
            "id": f"{self.id}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": self.revoked.encode(),
        }
        if self.replaced:
            said["replacedBy"] = {str(index): self.replaced[index].hex() for index in sorted(self.replaced)}
        return {
            "@context": list(CONTEXT),
            "id": self.id,
            "type": list(LIST_TYPES),
            "issuer": self.issuer,
            "validFrom": instant_text(self.valid_from),
            "credentialSubject": said,
        }

    @classmethod
    def from_credential(cls, credential: object) -> StatusList:
        """The list of a credential of this shape. Raises Malformed, naming the place, for anything else."""
        try:
            return cls._read(record_of(credential, "$"))
        except Malformed as fault:
            raise Malformed(fault.place, fault.cause, "status-list") from fault

    @classmethod
    def _read(cls, credential: Record) -> StatusList:
        if credential.get("type") != list(LIST_TYPES):
            found = repr(credential.get("type"))[:80]
            raise malformed("$.type", because("other-choice", found=found, allowed=", ".join(LIST_TYPES)))
        at = "$.credentialSubject"
        said = record_of(credential.get("credentialSubject"), at)
        choice_of(said, "type", at, ("BitstringStatusList",))
        choice_of(said, "statusPurpose", at, ("revocation",))
        replaced = record_of(said.get("replacedBy", {}), f"{at}.replacedBy")
        return cls(
            id=text_of(credential, "id", "$"),
            issuer=text_of(credential, "issuer", "$"),
            valid_from=instant_of(credential, "validFrom", "$"),
            revoked=Bitstring.decode(text_of(said, "encodedList", at)),
            replaced=dict(_veiled(replaced, index, f"{at}.replacedBy") for index in replaced),
        )


def veiled(new: str, old: str, snapshot_root: bytes) -> bytes:
    """The 16 bytes of a new statement's id (a ``urn:uuid:``), to be read with the old one's id and root alone.

    The root of a snapshot is over salted rows: nobody knows it but the ledger and those who hold a statement of that run.
    """
    return _apart(UUID(new).bytes, old, snapshot_root)


def unveiled(said: bytes, old: str, snapshot_root: bytes) -> str:
    """The id that `veiled` was given."""
    return UUID(bytes=_apart(said, old, snapshot_root)).urn


def _apart(number: bytes, old: str, snapshot_root: bytes) -> bytes:
    pad = sha256(snapshot_root + old.encode())[:_VEILED]
    return bytes(a ^ b for a, b in zip(number, pad, strict=True))


def _veiled(record: Record, index: str, where: str) -> tuple[int, bytes]:
    text = text_of(record, index, where)
    try:
        bit, number = int(index), bytes.fromhex(text)
    except ValueError as fault:
        raise malformed(f"{where}.{index[:40]}", other_writing(text, "hashes")) from fault
    if len(number) != _VEILED:
        raise malformed(f"{where}.{index[:40]}", other_writing(text, "hashes"))
    return bit, number
