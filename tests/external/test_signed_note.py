"""The vectors of C2SP signed notes, and the checkpoints of a log that others wrote."""

import json
import os
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys import NoteKey, SigningKey, cosigned_at, open_note, sign_note

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "signed-note"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no vectors at {ROOT}")]


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "vectors.json").read_text(encoding="utf-8"))
    return found


def test_vkeys_are_read_and_written_back(vectors: dict[str, Any]) -> None:
    for vkey in vectors["vkeys"]:
        key = NoteKey.parse(vkey)
        assert str(key) == vkey
        assert key.id.hex() == vkey.split("+")[1]


def test_bad_vkeys_are_refused(vectors: dict[str, Any]) -> None:
    for vkey in vectors["bad_vkeys"]:
        with pytest.raises(Misuse, match="not a vkey"):
            NoteKey.parse(vkey)


def test_signing_gives_the_same_line(vectors: dict[str, Any]) -> None:
    *_, name, _, encoded = vectors["skey"].split("+", 4)
    key = SigningKey.from_seed(b64decode(encoded)[1:])
    assert sign_note(vectors["text"], name, key) == f"{vectors['text']}\n{vectors['sigs'][0]}\n"


def test_a_note_of_two_signers_opens(vectors: dict[str, Any]) -> None:
    keys = [NoteKey.parse(vkey) for vkey in vectors["vkeys"]]
    note = vectors["text"] + "\n" + "".join(line + "\n" for line in vectors["sigs"])
    assert open_note(note, keys) == (vectors["text"], tuple(keys[:2]))
    assert open_note(note, keys[1:]) == (vectors["text"], (keys[1],))


def test_checkpoints_of_a_log_open_and_no_changed_one_does(vectors: dict[str, Any]) -> None:
    key = NoteKey.parse(vectors["vkeys"][2])
    checkpoints = sorted((ROOT / "tessera-checkpoints" / "log").glob("checkpoint*"))
    assert len(checkpoints) == 17
    for path in checkpoints:
        note = path.read_text(encoding="utf-8")
        text, signers = open_note(note, [key])
        assert text.startswith("example.com/log/testdata\n")
        assert signers == (key,)
        with pytest.raises(Tampered):
            open_note(note.replace("testdata\n", "testdatb\n", 1), [key])


# A checkpoint of a public log with the vkeys of the log and of one of its witnesses, as published in May 2026.
COSIGNED = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501
COSIGNERS = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
)


def test_a_witness_of_a_public_log_is_understood() -> None:
    log, witness = map(NoteKey.parse, COSIGNERS)
    assert (log.cosigns, witness.cosigns, str(witness)) == (False, True, COSIGNERS[1])
    assert open_note(COSIGNED, [log, witness])[1] == (log, witness)
    assert cosigned_at(COSIGNED, [witness]) == {witness: datetime.fromtimestamp(0x6A122120, UTC)}
    with pytest.raises(Tampered):
        cosigned_at(COSIGNED.replace("1432088532", "1432088533"), [witness])
