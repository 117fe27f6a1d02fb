"""A witness in another folder, and a ledger that was copied and went two ways."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from mingjian.base.errors import Forbidden, Misuse, Tampered
from mingjian.base.keys import NoteKey, SigningKey, cosigned_at
from mingjian.record.ledger import Batch, Conflict, Ledger, Witness, write_request

KEY = SigningKey.from_seed(b"l" * 32)
NOW = datetime(2026, 10, 1, 8, tzinfo=UTC)


def grown(ledger: Ledger, *texts: str) -> Ledger:
    for text in texts:
        ledger.append(Batch("note", "", "office", pa.table({"text": [text]})))
    return ledger


def note_of(request: bytes, line: str) -> str:
    return request.decode().partition("\n\n")[2] + line + "\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger.create(tmp_path / "office", origin="office.example/log", key=KEY, now=lambda: NOW)
    return grown(made, "a", "b", "c")


@pytest.fixture
def witness(tmp_path: Path, ledger: Ledger) -> Witness:
    made = Witness.create(tmp_path / "elsewhere", "witness.example/w1", lambda: NOW)
    made.trust(NoteKey.parse(ledger.vkey))
    return made


def test_it_cosigns_what_follows_and_says_when(ledger: Ledger, witness: Witness) -> None:
    for since in (0, 3, 5, 5):  # the last time for the same head: an answer may be lost
        request = write_request(ledger, since)
        note = note_of(request, Witness(witness.folder, lambda: NOW).cosign(request))
        assert cosigned_at(note, [witness.vkey]) == {witness.vkey: NOW}
        if ledger.size < 5:
            grown(ledger, "d", "e")


def test_a_ledger_that_went_two_ways_is_refused(ledger: Ledger, witness: Witness, tmp_path: Path) -> None:
    fork = Ledger.open(shutil.copytree(tmp_path / "office", tmp_path / "fork"), key=KEY, now=lambda: NOW)
    grown(ledger, "told to some"), grown(fork, "told to others")
    witness.cosign(write_request(ledger, 0))
    with pytest.raises(Conflict) as same_size:
        witness.cosign(write_request(fork, 4))
    assert same_size.value.size == 4
    grown(fork, "and on")
    with pytest.raises(Tampered, match="another history"):
        witness.cosign(write_request(fork, 4))
    witness.cosign(write_request(grown(ledger, "and on"), 4))


def test_rollbacks_strangers_and_garbage_are_refused(ledger: Ledger, witness: Witness, tmp_path: Path) -> None:
    witness.cosign(write_request(ledger, 0))
    for since, size in ((0, 3), (0, 2), (2, 3)):
        with pytest.raises(Conflict):
            witness.cosign(write_request(ledger, since, size))
    with pytest.raises(Misuse, match="beyond 2"):
        witness.cosign(write_request(ledger, 0, 2).replace(b"old 0", b"old 3"))
    stranger = Ledger.create(tmp_path / "x", origin="x.example/log", key=KEY)
    with pytest.raises(Misuse, match="told of no ledger"):
        witness.cosign(write_request(stranger, 0))
    forged = Ledger.create(tmp_path / "y", origin=ledger.origin, key=SigningKey.from_seed(b"y" * 32))
    with pytest.raises(Forbidden, match="did not sign"):
        witness.cosign(write_request(forged, 0))
    for garbage in (b"", b"old 3\n\n", b"old 03\n\nx", b"old x\n\n", b"\xff", b"old 3\nAA==\n\n" + b"x" * 70_000):
        with pytest.raises((Misuse, Forbidden)):
            witness.cosign(garbage)


def test_a_new_key_of_the_ledger_is_followed_once_it_is_told(ledger: Ledger, witness: Witness) -> None:
    witness.cosign(write_request(ledger, 0))
    ledger.rotate(SigningKey.from_seed(b"n" * 32), by="office")
    with pytest.raises(Forbidden):
        witness.cosign(write_request(ledger, 3))
    witness.trust(NoteKey.parse(ledger.vkey))
    witness.cosign(write_request(ledger, 3))


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from mingjian.record.ledger import Witness, _witness

_witness.cosignature = lambda *_: os._exit(9)
Witness(Path(sys.argv[1]), lambda: datetime.now(UTC)).cosign(Path(sys.argv[2]).read_bytes())
"""


def test_killed_before_it_answers_it_remembers_what_it_promised(
    ledger: Ledger, witness: Witness, tmp_path: Path
) -> None:
    fork = Ledger.open(shutil.copytree(tmp_path / "office", tmp_path / "fork"), key=KEY, now=lambda: NOW)
    grown(ledger, "told to some"), grown(fork, "told to others")
    (tmp_path / "request").write_bytes(write_request(ledger, 0))
    done = subprocess.run([sys.executable, "-c", KILLED, witness.folder, tmp_path / "request"], check=False)
    assert done.returncode == 9
    for since in (0, 4):
        with pytest.raises(Conflict):
            witness.cosign(write_request(fork, since))
    witness.cosign(write_request(ledger, 4))
