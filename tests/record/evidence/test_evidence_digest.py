"""The canonical digest of a projection: of rows, by whatever maker, as of any size of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest

from mingjian.base.errors import Tampered
from mingjian.base.keys import SigningKey
from mingjian.declare import EvidenceType
from mingjian.record.evidence import Projection
from mingjian.record.ledger import Batch, Ledger

STEPS = ([("A", 1), ("B", 2)], [("B", 3), ("C", 4), ("C", 5)], [("A", 6)])
SHAPE = {
    "columns": [["code", "string"], ["parent", "string"], ["weight", "int64"]],
    "key": ["code"],
    "date": "",
    "zone": "",
    "erasures": 0,
}


@pytest.fixture
def indicator(types: Mapping[str, EvidenceType]) -> dict[str, EvidenceType]:
    return {"indicator": types["indicator"]}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger.create(tmp_path / "log", origin="example.org/digest", key=SigningKey.generate())
    for rows in STEPS:
        table = pa.table({"code": [code for code, _ in rows], "weight": [weight for _, weight in rows]})
        ledger.append(Batch("indicator", "s", "office", table))
    return ledger


def by_hand(size: int) -> str:
    """The digest of what the first ``size`` entries come to, made without a database."""
    lines: list[dict[str, Any]] = []
    last: dict[str, dict[str, Any]] = {}
    for entry, rows in enumerate(STEPS[:size]):
        for number, (code, weight) in enumerate(rows):
            line = {"code": code, "parent": None, "weight": str(weight), "_entry": str(entry), "_row": str(number)}
            if code in last:
                last[code]["_superseded"] = str(entry)
            last[code] = line | {"_line": None, "_date": None, "_superseded": None}
            lines.append(last[code])
    head = ["s", "indicator", orjson.dumps(SHAPE, option=orjson.OPT_SORT_KEYS).decode()]
    text = b"".join(orjson.dumps(value, option=orjson.OPT_SORT_KEYS) + b"\n" for value in (head, *lines))
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def test_it_is_that_of_another_maker_as_of_every_size(
    tmp_path: Path, ledger: Ledger, indicator: dict[str, EvidenceType]
) -> None:
    made = Projection(tmp_path / "p.duckdb", ledger)
    made.catch_up("s", indicator)
    assert [made.digest(size) for size in (1, 2, 3)] == [by_hand(size) for size in (1, 2, 3)]
    assert made.digest() == by_hand(3)


def test_another_takes_its_place(tmp_path: Path, ledger: Ledger, indicator: dict[str, EvidenceType]) -> None:
    made, anew = (Projection(tmp_path / name, ledger) for name in ("p.duckdb", "anew.duckdb"))
    anew.catch_up("s", indicator)
    made.path.write_bytes(b"no sense" * 1000)
    with pytest.raises(Tampered, match="delete the file"):
        made.digest()
    made.become(anew)
    assert not anew.path.exists()
    assert made.digest(2) == by_hand(2)
    with made.view("s") as view:
        assert view.rows("indicator").count().execute() == 3
