"""Keys: signing and checking, key files, signature suites for JSON documents, signed notes, derived secrets."""

from mingjian.base.keys._derive import derive
from mingjian.base.keys._keys import PublicKey, SigningKey
from mingjian.base.keys._notes import NoteKey, note_key_id, open_note, sign_note
from mingjian.base.keys._suites import EddsaJcs2022, SignatureCheck, Suite, suite

__all__ = [
    "EddsaJcs2022",
    "NoteKey",
    "PublicKey",
    "SignatureCheck",
    "SigningKey",
    "Suite",
    "derive",
    "note_key_id",
    "open_note",
    "sign_note",
    "suite",
]
