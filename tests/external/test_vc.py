"""The W3C vectors of eddsa-jcs-2022, byte for byte."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base58
import pytest

from mingjian.base.keys import EddsaJcs2022, PublicKey, SigningKey
from mingjian.base.values import canonical, sha256

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "vc"
VECTORS = ROOT / "eddsa-jcs-2022"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no vectors at {ROOT}")]


def text(name: str) -> str:
    return (VECTORS / name).read_text(encoding="utf-8").rstrip("\n")


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def key() -> SigningKey:
    pair = read(ROOT / "keyPair.json")
    key = SigningKey.from_seed(base58.b58decode(pair["privateKeyMultibase"][1:])[2:])
    assert key.public == PublicKey.from_multibase(pair["publicKeyMultibase"])
    assert key.public.multibase == pair["publicKeyMultibase"]
    return key


def test_every_step_on_the_way_to_the_signature(key: SigningKey) -> None:
    document, config = read(ROOT / "unsigned.json"), read(VECTORS / "proofConfigJCS.json")
    assert canonical(document).decode() == text("canonDocJCS.txt")
    assert canonical(config).decode() == text("proofCanonJCS.txt")
    assert sha256(canonical(document)).hex() == text("docHashJCS.txt")
    assert sha256(canonical(config)).hex() == text("proofHashJCS.txt")
    combined = EddsaJcs2022().hash_data(document, config)
    assert combined.hex() == text("combinedHashJCS.txt")
    assert key.sign(combined).hex() == text("sigHexJCS.txt")
    assert "z" + base58.b58encode(key.sign(combined)).decode() == text("sigBTC58JCS.txt")


def test_signing_gives_the_signed_document(key: SigningKey) -> None:
    signed = EddsaJcs2022().sign(
        read(ROOT / "unsigned.json"),
        key,
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
        verification_method=key.public.method,
    )
    assert signed == read(VECTORS / "signedJCS.json")


def test_the_signed_document_verifies(key: SigningKey) -> None:
    assert EddsaJcs2022().verify(read(VECTORS / "signedJCS.json"), key.public)


def test_each_flipped_byte_is_refused(key: SigningKey) -> None:
    # The compact form has no byte that means nothing, so each change must break the JSON or the proof.
    data, suite = canonical(read(VECTORS / "signedJCS.json")), EddsaJcs2022()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            document = json.loads(changed)
        except ValueError:
            continue
        assert not suite.verify(document, key.public), changed[max(0, position - 20) : position + 20]
