"""The transparency-dev/merkle vectors: every good proof is accepted and every bad one refused."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mingjian.record.ledger import verify_consistency, verify_inclusion, verify_subtree

DATA = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
VECTORS = DATA / "merkle" / "testdata"

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no merkle vectors in {VECTORS}"),
]


def decoded(vector: dict[str, Any], name: str) -> bytes:
    return b64decode(vector[name] or "")


def proof(vector: dict[str, Any]) -> list[bytes]:
    return [b64decode(node) for node in vector["proof"] or []]


def inclusion(v: dict[str, Any]) -> bool:
    return verify_inclusion(decoded(v, "leafHash"), v["leafIdx"], v["treeSize"], proof(v), decoded(v, "root"))


def consistency(v: dict[str, Any]) -> bool:
    return verify_consistency(v["size1"], v["size2"], decoded(v, "root1"), decoded(v, "root2"), proof(v))


def subtree_inclusion(v: dict[str, Any]) -> bool:
    leaf, root = decoded(v, "leafHash"), decoded(v, "root")
    return verify_inclusion(leaf, v["leafIdx"] - v["start"], v["end"] - v["start"], proof(v), root)


def subtree_consistency(v: dict[str, Any]) -> bool:
    return verify_subtree(v["start"], v["end"], v["size"], decoded(v, "root1"), decoded(v, "root2"), proof(v))


@pytest.mark.parametrize(
    ("folder", "verify", "count"),
    [
        ("inclusion", inclusion, 98),
        ("consistency", consistency, 98),
        ("subtreeinclusion", subtree_inclusion, 204),
        ("subtreeconsistency", subtree_consistency, 118),
    ],
)
def test_each_proof_is_judged_as_marked(folder: str, verify: Callable[[dict[str, Any]], bool], count: int) -> None:
    vectors = {path: json.loads(path.read_bytes()) for path in sorted((VECTORS / folder).rglob("*.json"))}
    misjudged = [str(path) for path, vector in vectors.items() if verify(vector) == vector["wantErr"]]
    assert len(vectors) == count
    assert misjudged == []
