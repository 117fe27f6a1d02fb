"""Bitstring Status List: the list of W3C's specification, and lists that were packed elsewhere."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mingjian.attest.statements import Bitstring

VECTORS = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "vc"
FILE = VECTORS / "bitstring_vectors.json"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not FILE.is_file(), reason=f"no vectors at {FILE}")]


def vectors() -> list[dict[str, Any]]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else []


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_a_list_unfolds_to_its_bits(vector: dict[str, Any]) -> None:
    bits = Bitstring.decode(vector["encodedList"])
    assert len(bits) == vector["bits"]
    assert [position for position in range(len(bits)) if bits[position]] == vector["set"]
    # How GZIP packs is each packer's own affair, so the texts may differ where the bits agree.
    assert Bitstring.decode(Bitstring.of(vector["set"]).encode()) == bits
