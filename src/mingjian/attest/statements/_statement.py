"""A portrait or a certificate as a W3C Verifiable Credential 2.0, without its proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast
from urllib.parse import quote
from uuid import UUID

from mingjian.attest.statements._contents import LEVELS, Level
from mingjian.attest.statements._reading import (
    Record,
    choice_of,
    flag_of,
    hash_of,
    instant_of,
    list_of,
    malformed,
    other_writing,
    record_of,
    text_of,
    whole_of,
)
from mingjian.attest.statements._reason import because
from mingjian.attest.statements._stated import Stated
from mingjian.base.errors import Misuse
from mingjian.base.values import Period, canonical, sha256
from mingjian.declare import Title

# The second context is W3C's own for terms that no published vocabulary defines (VC Data Model 2.0, section 5.2).
CONTEXT: Final = ("https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2")
TYPES: Final = ("VerifiableCredential", "MingjianStatement")
MOST_VALUES: Final = 20_000

StatementKind = Literal["portrait", "certificate"]


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where a statement's revocation is looked up: bit ``index`` of the status list with the id ``list_id``."""

    list_id: str
    index: int

    def to_json(self) -> dict[str, str]:
        """A BitstringStatusListEntry."""
        return {
            "id": f"{self.list_id}#{self.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_id,
        }

    @classmethod
    def from_json(cls, record: Record, where: str) -> StatusEntry:
        """The entry that `to_json` wrote. Raises Malformed for another shape."""
        choice_of(record, "type", where, ("BitstringStatusListEntry",))
        choice_of(record, "statusPurpose", where, ("revocation",))
        return cls(text_of(record, "statusListCredential", where), whole_of(record, "statusListIndex", where))


@dataclass(frozen=True, slots=True)
class Basis:
    """What fixes the numbers of a run: the rules, the evidence, and the snapshot in which all its values were committed.

    ``as_of`` is the ledger's size from which the values were measured; ``size`` and ``root`` are those of the later
    checkpoint that holds the snapshot too, as entry ``snapshot`` with the root ``snapshot_root``. ``scheme_digest`` is
    over the scheme's data as the package carries it, ``fingerprint`` over its meaning.
    """

    scheme: str
    version: str
    fingerprint: str
    scheme_digest: str
    origin: str
    as_of: int
    size: int
    root: bytes
    snapshot: int
    snapshot_root: bytes

    def to_json(self) -> dict[str, Any]:
        """The basis as part of a credential's subject."""
        return {
            "scheme": {
                "id": self.scheme,
                "version": self.version,
                "fingerprint": self.fingerprint,
                "digest": self.scheme_digest,
            },
            "ledger": {
                "origin": self.origin,
                "asOf": str(self.as_of),
                "size": str(self.size),
                "root": self.root.hex(),
            },
            "snapshot": {"entry": str(self.snapshot), "root": self.snapshot_root.hex()},
        }

    @classmethod
    def from_json(cls, said: Record, where: str) -> Basis:
        """The basis that `to_json` wrote. Raises Malformed for another shape."""
        scheme, ledger, snapshot = (
            record_of(said.get(name), f"{where}.{name}") for name in ("scheme", "ledger", "snapshot")
        )
        return cls(
            scheme=text_of(scheme, "id", f"{where}.scheme"),
            version=text_of(scheme, "version", f"{where}.scheme"),
            fingerprint=text_of(scheme, "fingerprint", f"{where}.scheme"),
            scheme_digest=text_of(scheme, "digest", f"{where}.scheme"),
            origin=text_of(ledger, "origin", f"{where}.ledger"),
            as_of=whole_of(ledger, "asOf", f"{where}.ledger"),
            size=whole_of(ledger, "size", f"{where}.ledger"),
            root=hash_of(ledger, "root", f"{where}.ledger"),
            snapshot=whole_of(snapshot, "entry", f"{where}.snapshot"),
            snapshot_root=hash_of(snapshot, "root", f"{where}.snapshot"),
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """What a credential says: of whom, for which period, on which basis, and each of its numbers.

    ``type`` is the scheme's statement type, ``subject_type`` the type of the subject whose id is ``subject`` and whose
    name is ``name``. ``synthetic`` marks numbers drawn from made-up evidence. ``contents`` has, for each level, the digest of
    what belongs to its package. ``replaces`` is the id of an earlier statement that this one stands for, or "".
    """

    id: str
    issuer: str
    type: str
    kind: StatementKind
    title: Title
    subject: str
    subject_type: str
    name: Title
    period: str
    basis: Basis
    values: tuple[Stated, ...]
    synthetic: bool
    contents: Mapping[Level, bytes]
    valid_from: datetime
    valid_until: datetime | None
    status: StatusEntry
    replaces: str = ""

    def credential(self) -> dict[str, Any]:
        """The unsigned credential; all numbers are texts. `from_credential` reads it back, signed or not."""
        said: dict[str, Any] = {
            "id": f"https://{self.basis.origin}/subject/{quote(self.subject, safe='')}",
            "statement": self.type,
            "kind": self.kind,
            "title": _title_json(self.title),
            "subject": self.subject,
            "subjectType": self.subject_type,
            "name": _title_json(self.name),
            "period": self.period,
            **self.basis.to_json(),
            "values": [value.to_json() for value in self.values],
            "synthetic": self.synthetic,
            "contents": {level: self.contents[level].hex() for level in LEVELS},
        }
        if self.replaces:
            said["replaces"] = self.replaces
        credential: dict[str, Any] = {
            "@context": list(CONTEXT),
            "id": self.id,
            "type": list(TYPES),
            "issuer": self.issuer,
            "validFrom": instant_text(self.valid_from),
            "credentialStatus": self.status.to_json(),
            "credentialSubject": said,
        }
        if self.valid_until is not None:
            credential["validUntil"] = instant_text(self.valid_until)
        return credential

    @classmethod
    def from_credential(cls, credential: Record, where: str = "credential") -> Statement:
        """What a credential of this shape says. Raises Malformed, naming the place, for any other."""
        if credential.get("@context") != list(CONTEXT) or credential.get("type") != list(TYPES):
            raise malformed(where, because("other-document"))
        at = f"{where}.credentialSubject"
        said = record_of(credential.get("credentialSubject"), at)
        subject, period = text_of(said, "subject", at), text_of(said, "period", at)
        _check_period(period, at)
        values = list_of(said, "values", at, MOST_VALUES)
        contents = record_of(said.get("contents"), f"{at}.contents")
        until = instant_of(credential, "validUntil", where) if "validUntil" in credential else None
        return cls(
            id=text_of(credential, "id", where),
            issuer=text_of(credential, "issuer", where),
            type=text_of(said, "statement", at),
            kind=cast(StatementKind, choice_of(said, "kind", at, ("portrait", "certificate"))),
            title=_title(said, "title", at),
            subject=subject,
            subject_type=text_of(said, "subjectType", at),
            name=_title(said, "name", at),
            period=period,
            basis=Basis.from_json(said, at),
            values=tuple(
                Stated.from_json(record_of(v, f"{at}.values[{n}]"), subject, f"{at}.values[{n}]")
                for n, v in enumerate(values)
            ),
            synthetic=flag_of(said, "synthetic", at),
            contents={level: hash_of(contents, level, f"{at}.contents") for level in LEVELS},
            valid_from=instant_of(credential, "validFrom", where),
            valid_until=until,
            status=StatusEntry.from_json(record_of(credential.get("credentialStatus"), f"{where}.status"), where),
            replaces=text_of(said, "replaces", at) if "replaces" in said else "",
        )


def commitment(credential: Record) -> bytes:
    """The 32 bytes by which the ledger commits to a credential before anybody signs it.

    They are over all of it but its proof and the head of the ledger, which is not known until the commitment stands there.
    ``credential`` has the shape of a statement's. Raises MingjianError where it has no canonical form.
    """
    said = credential["credentialSubject"]
    head = {name: value for name, value in said["ledger"].items() if name not in ("size", "root")}
    about = {name: value for name, value in said.items() if name != "snapshot"}
    bare = {name: value for name, value in credential.items() if name != "proof"}
    return sha256(canonical({**bare, "credentialSubject": {**about, "ledger": head}}))


def statement_id(scheme: str, statement: str, subject: str, period: str, as_of: int, origin: str) -> str:
    """The id that these determine: a UUID of version 8 (RFC 9562) cut from their SHA-256, as a URN."""
    named = {
        "scheme": scheme,
        "statement": statement,
        "subject": subject,
        "period": period,
        "asOf": str(as_of),
        "origin": origin,
    }
    number = int.from_bytes(sha256(canonical(named))[:16], "big")
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return UUID(int=number).urn


def instant_text(instant: datetime) -> str:
    """The instant in UTC to the second, as credentials write it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _title_json(title: Title) -> dict[str, str]:
    return {"en": title.en, "zh": title.zh}


def _title(said: Record, name: str, where: str) -> Title:
    title = record_of(said.get(name), f"{where}.{name}")
    return Title(text_of(title, "en", f"{where}.{name}"), text_of(title, "zh", f"{where}.{name}"))


def _check_period(period: str, where: str) -> None:
    try:
        Period.parse(period)
    except Misuse as fault:
        raise malformed(f"{where}.period", other_writing(period, "period")) from fault
