"""What a checkpoint must be, and who must have signed it."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mingjian.base.errors import Tampered
from mingjian.base.keys import NoteKey, SigningKey, sign_note
from mingjian.record.ledger import parse_checkpoint

ORIGIN = "example.org/test"
KEY = SigningKey.from_seed(b"k" * 32)
ROOT = b64encode(b"r" * 32).decode()
LOG = NoteKey(ORIGIN, KEY.public)


def test_a_checkpoint_may_carry_further_lines() -> None:
    checkpoint = parse_checkpoint(sign_note(f"{ORIGIN}\n12\n{ROOT}\nmore\n", ORIGIN, KEY), [LOG])
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 12, b"r" * 32)
    assert checkpoint.signers == (LOG,)


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n012\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n{10**20}\n{ROOT}\n",
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n12\ncm9vdA==\n",
        f"{ORIGIN}\n12\n{ROOT[:-2]}J=\n",
        f"{ORIGIN}\n12\n{ROOT}\n\nmore\n",
        f"\n12\n{ROOT}\n",
    ],
)
def test_anything_else_is_no_checkpoint(body: str) -> None:
    with pytest.raises(Tampered, match="not a checkpoint"):
        parse_checkpoint(sign_note(body, ORIGIN, KEY), [LOG])


def test_a_witness_cannot_speak_for_the_log() -> None:
    witness = SigningKey.from_seed(b"w" * 32)
    note = sign_note(f"{ORIGIN}\n12\n{ROOT}\n", "witness", witness)
    with pytest.raises(Tampered, match="the log did not sign"):
        parse_checkpoint(note, [LOG, NoteKey("witness", witness.public)])
