"""Keys: signing and checking, key files, suites for JSON documents, signed notes, sealed texts, derived secrets."""

from mingjian.base.keys._derive import derive
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.keys._notes import NoteKey, note_key_id, open_note, sign_note
from mingjian.base.keys._sealing import PublicSealingKey, SealingKey, is_sealed_text
from mingjian.base.keys._suites import EddsaJcs2022, SignatureCheck, Suite, suite

__all__ = [
    "EddsaJcs2022",
    "NoteKey",
    "PublicKey",
    "PublicSealingKey",
    "SealingKey",
    "SignatureCheck",
    "SigningKey",
    "Suite",
    "derive",
    "is_sealed_text",
    "note_key_id",
    "open_note",
    "sign_note",
    "suite",
]
