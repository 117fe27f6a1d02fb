"""The credential that carries a status list (W3C Bitstring Status List 1.0, section 2.2), without its proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mingjian.attest.statements._bitstring import Bitstring
from mingjian.attest.statements._reading import Record, choice_of, instant_of, malformed, record_of, text_of
from mingjian.attest.statements._statement import CONTEXT, instant_text

LIST_TYPES: Final = ("VerifiableCredential", "BitstringStatusListCredential")


@dataclass(frozen=True, slots=True)
class StatusList:
    """Which statements of an issuer are revoked, as of an instant."""

    id: str
    issuer: str
    valid_from: datetime
    revoked: Bitstring

    def credential(self) -> dict[str, Any]:
        """The unsigned credential. `from_credential` reads it back, signed or not."""
        return {
            "@context": [CONTEXT[0]],
            "id": self.id,
            "type": list(LIST_TYPES),
            "issuer": self.issuer,
            "validFrom": instant_text(self.valid_from),
            "credentialSubject": {
                "id": f"{self.id}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": self.revoked.encode(),
            },
        }

    @classmethod
    def from_credential(cls, credential: Record, where: str = "status list") -> StatusList:
        """The list of a credential of this shape. Raises Fault, naming the place, for any other."""
        if credential.get("type") != list(LIST_TYPES):
            raise malformed(where, "its type is not that of a status list")
        at = f"{where}.credentialSubject"
        said = record_of(credential.get("credentialSubject"), at)
        choice_of(said, "type", at, ("BitstringStatusList",))
        choice_of(said, "statusPurpose", at, ("revocation",))
        return cls(
            id=text_of(credential, "id", where),
            issuer=text_of(credential, "issuer", where),
            valid_from=instant_of(credential, "validFrom", where),
            revoked=Bitstring.decode(text_of(said, "encodedList", at)),
        )
