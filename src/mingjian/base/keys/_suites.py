"""Signed JSON documents: W3C Data Integrity 1.0, one object a cryptosuite.

A caller names a suite and never its algorithm, so that a suite on other curves and hashes (SM2 with SM3) is one more
entry of the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final, Protocol

from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.keys._base58 import decode, encode
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.values import canonical, sha256

Document = Mapping[str, Any]

_PURPOSE: Final = "assertionMethod"


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Whether a proof holds; if not, ``reason`` says why. True and false as it holds or not."""

    holds: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds


class Suite(Protocol):
    """A way to sign a JSON document and to check what was signed."""

    @property
    def name(self) -> str:
        """The cryptosuite's registered name."""

    def sign(
        self,
        document: Document,
        key: SigningKey,
        *,
        created: datetime,
        verification_method: str,
        purpose: str = _PURPOSE,
    ) -> dict[str, Any]:
        """The document with its ``proof``. Raises Misuse if it has one, or if ``created`` has no zone."""

    def verify(self, document: Document, public: PublicKey, *, purpose: str = _PURPOSE) -> SignatureCheck:
        """Whether ``public`` signed this document for this purpose; never raises for what a document holds."""


class EddsaJcs2022:
    """``eddsa-jcs-2022`` of W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.3."""

    name: Final = "eddsa-jcs-2022"

    def sign(
        self,
        document: Document,
        key: SigningKey,
        *,
        created: datetime,
        verification_method: str,
        purpose: str = _PURPOSE,
    ) -> dict[str, Any]:
        """See :class:`Suite`; ``created`` is kept to the second, in UTC."""
        if "proof" in document:
            raise Misuse("the document is signed already", remedy="sign it without its proof")
        if created.tzinfo is None:
            raise Misuse("the time of signing has no zone", why=str(created), remedy="give an aware datetime")
        config = {
            "type": "DataIntegrityProof",
            "cryptosuite": self.name,
            "created": created.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z",
            "verificationMethod": verification_method,
            "proofPurpose": purpose,
        }
        if "@context" in document:
            config["@context"] = document["@context"]
        signature = key.sign(self.hash_data(document, config))
        return {**document, "proof": {**config, "proofValue": "z" + encode(signature)}}

    def verify(self, document: Document, public: PublicKey, *, purpose: str = _PURPOSE) -> SignatureCheck:
        """See :class:`Suite`. A ``did:key`` method must be the key's own; resolving others is the caller's part."""
        proof = document.get("proof")
        if not isinstance(proof, dict):
            return SignatureCheck(False, "there is no single proof")
        wanted = {"type": "DataIntegrityProof", "cryptosuite": self.name, "proofPurpose": purpose}
        for field, value in wanted.items():
            if proof.get(field) != value:
                return SignatureCheck(False, f"{field} is {proof.get(field)!r}, not {value!r}")
        method = proof.get("verificationMethod")
        if not isinstance(method, str) or (method.startswith("did:key:") and method != public.method):
            return SignatureCheck(False, f"signed under {method!r}, not under {public.method!r}")
        signature = _signature(proof.get("proofValue"))
        if signature is None:
            return SignatureCheck(False, "proofValue is not a base58btc signature of 64 bytes")
        unsecured = {name: value for name, value in document.items() if name != "proof"}
        config = {name: value for name, value in proof.items() if name != "proofValue"}
        if "@context" in config:
            if not _begins_with(unsecured.get("@context"), config["@context"]):
                return SignatureCheck(False, "the context does not begin with the one that was signed")
            unsecured["@context"] = config["@context"]
        try:
            message = self.hash_data(unsecured, config)
        except MingjianError as fault:
            return SignatureCheck(False, str(fault))
        if not public.verify(signature, message):
            return SignatureCheck(False, "the signature is not of this document by this key")
        return SignatureCheck(True)

    def hash_data(self, document: Document, config: Document) -> bytes:
        """The 64 bytes that are signed: the hash of the proof's options, then that of the document."""
        return sha256(canonical(dict(config))) + sha256(canonical(dict(document)))


_SUITES: Final[dict[str, Suite]] = {one.name: one for one in (EddsaJcs2022(),)}


def suite(name: str) -> Suite:
    """The suite of that name. Raises Misuse, naming what there is, for an unknown one."""
    if name not in _SUITES:
        near = get_close_matches(name, _SUITES, n=1)
        raise Misuse(
            f"unknown suite {name!r}", remedy=f"did you mean {near[0]!r}?" if near else f"one of {', '.join(_SUITES)}"
        )
    return _SUITES[name]


def _signature(text: object) -> bytes | None:
    if not isinstance(text, str) or not text.startswith("z"):
        return None
    try:
        signature = decode(text[1:])
    except ValueError:
        return None
    return signature if len(signature) == 64 else None


def _begins_with(context: object, signed: object) -> bool:
    whole, head = (value if isinstance(value, list) else [value] for value in (context, signed))
    return whole[: len(head)] == head
