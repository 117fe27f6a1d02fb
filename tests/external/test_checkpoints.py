"""Checkpoints of a log that others wrote: Tessera's test log, and the note of the C2SP signed-note test."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError, Tampered
from mingjian.base.keys import NoteKey, open_note
from mingjian.record.ledger import parse_checkpoint, root_of, verify_consistency
from mingjian.record.ledger._merkle import proof_ranges

DATA = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "signed-note"
LOG = DATA / "tessera-checkpoints" / "log"

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no signed notes in {DATA}"),
]


@pytest.fixture(scope="module")
def keys() -> dict[str, NoteKey]:
    vectors = json.loads((DATA / "vectors.json").read_bytes())
    return {key.name: key for key in map(NoteKey.parse, vectors["vkeys"])}


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    tiles = LOG / "tile" / "0" / "000.p"
    tile = max(tiles.iterdir(), key=lambda path: int(path.name)).read_bytes()
    return [tile[at : at + 32] for at in range(0, len(tile), 32)]


def test_every_checkpoint_of_the_log_has_the_root_of_its_tile(keys: dict[str, NoteKey], leaves: list[bytes]) -> None:
    notes = [path.read_text() for path in LOG.glob("checkpoint*")]
    assert len(notes) == 17
    for note in notes:
        checkpoint = parse_checkpoint(note, keys.values())
        assert checkpoint.origin == "example.com/log/testdata"
        assert [signer.name for signer in checkpoint.signers] == [checkpoint.origin]
        assert checkpoint.root == root_of(leaves[: checkpoint.size])


def test_each_checkpoint_is_consistent_with_the_last(keys: dict[str, NoteKey], leaves: list[bytes]) -> None:
    last = parse_checkpoint((LOG / "checkpoint").read_text(), keys.values())
    for size in range(1, last.size + 1):
        old = parse_checkpoint((LOG / f"checkpoint.{size}").read_text(), keys.values())
        proof = [root_of(leaves[low:high]) for low, high in proof_ranges(0, size, last.size)]
        assert verify_consistency(size, last.size, old.root, last.root, proof)
        assert size == last.size or not verify_consistency(size, last.size, last.root, old.root, proof)


def test_a_checkpoint_with_any_byte_changed_is_refused(keys: dict[str, NoteKey]) -> None:
    note = (LOG / "checkpoint.7").read_bytes()
    for at in range(len(note)):
        changed = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        with pytest.raises((MingjianError, UnicodeDecodeError)):
            parse_checkpoint(changed.decode(), keys.values())


def test_a_note_that_is_no_checkpoint_is_refused(keys: dict[str, NoteKey]) -> None:
    vectors = json.loads((DATA / "vectors.json").read_bytes())
    note = vectors["text"] + "\n" + "\n".join(vectors["sigs"]) + "\n"
    assert open_note(note, keys.values())[0] == vectors["text"]
    with pytest.raises(Tampered, match="not a checkpoint"):
        parse_checkpoint(note, keys.values())


def test_a_witness_alone_cannot_speak_for_the_log(keys: dict[str, NoteKey]) -> None:
    note = (LOG / "checkpoint.7").read_text()
    with pytest.raises(Tampered, match="no known key"):
        parse_checkpoint(note, [key for key in keys.values() if key.name != "example.com/log/testdata"])
