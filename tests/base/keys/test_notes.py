import pytest

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys import NoteKey, SigningKey, open_note, sign_note

KEY, OTHER = SigningKey.from_seed(b"k" * 32), SigningKey.from_seed(b"o" * 32)
SIGNER, WITNESS = NoteKey("office.example/明鉴", KEY.public), NoteKey("witness", OTHER.public)
TEXT = "office.example/明鉴\n\n15\nroot\n"
NOTE = sign_note(TEXT, SIGNER.name, KEY)


def test_a_note_opens_for_who_knows_a_signer() -> None:
    both = NOTE + sign_note(TEXT, WITNESS.name, OTHER).rpartition("\n\n")[2]
    assert open_note(NOTE, [SIGNER, WITNESS]) == (TEXT, (SIGNER,))
    assert open_note(both, [WITNESS, SIGNER]) == (TEXT, (SIGNER, WITNESS))
    assert open_note(both + both.splitlines()[-1] + "\n", [WITNESS]) == (TEXT, (WITNESS,))


def test_a_vkey_leads_back() -> None:
    assert NoteKey.parse(str(SIGNER)) == SIGNER
    for text in (
        "",
        "name",
        "name+00000000+AQ==",
        str(SIGNER)[:-4],
        str(SIGNER).replace("+", "+0", 1),
        str(SIGNER) + "\n",
    ):
        with pytest.raises(Misuse, match="not a vkey"):
            NoteKey.parse(text)
    for name in ("", "a b", "a+b", "a\x07"):
        with pytest.raises(Misuse, match="cannot name"):
            NoteKey(name, KEY.public)


def test_no_flipped_byte_opens() -> None:
    data = NOTE.encode()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            note = changed.decode()
        except ValueError:
            continue
        with pytest.raises(Tampered):
            open_note(note, [SIGNER])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "- x\n",
        NOTE.replace("15", "1\t5"),
        NOTE + NOTE[-1:] * 101,
    ],
)
def test_malformed_notes_are_refused(note: str) -> None:
    with pytest.raises(Tampered, match="not a signed note"):
        open_note(note, [SIGNER])


def test_a_stranger_does_not_open_a_note() -> None:
    with pytest.raises(Tampered, match="no known key"):
        open_note(NOTE, [WITNESS, NoteKey("other", KEY.public)])


@pytest.mark.parametrize("text", ["", "no newline", "bell\x07\n", "return\r\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(Misuse, match="cannot be a note"):
        sign_note(text, SIGNER.name, KEY)
