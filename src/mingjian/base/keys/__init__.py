"""Keys: signing and checking, key files, suites for JSON documents, signed and cosigned notes, sealed texts, derived secrets."""

from mingjian.base.keys._derive import derive
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.keys._notes import NoteKey, cosignature, cosigned_at, open_note, sign_again, sign_note
from mingjian.base.keys._sealing import PublicSealingKey, SealingKey, SealingKeys, is_sealed_text
from mingjian.base.keys._suites import EddsaJcs2022, SignatureCheck, Suite, suite

__all__ = [
    "EddsaJcs2022",
    "NoteKey",
    "PublicKey",
    "PublicSealingKey",
    "SealingKey",
    "SealingKeys",
    "SignatureCheck",
    "SigningKey",
    "Suite",
    "cosignature",
    "cosigned_at",
    "derive",
    "is_sealed_text",
    "open_note",
    "sign_again",
    "sign_note",
    "suite",
]
