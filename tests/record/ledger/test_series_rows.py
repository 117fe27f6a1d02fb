"""A series is one leaf: canonical JSON by RFC 8785, back as it was, and proved like any row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger, canonical_rows, columns_of, table_of

SERIES = pa.list_(pa.int64())
VALUES = st.none() | st.integers(-(2**63), 2**63 - 1)


def table(series: list[Any], item: str = "item") -> pa.Table:
    kind = pa.list_(pa.field(item, pa.int64()))
    return pa.table({"meter": [str(number) for number in range(len(series))], "wh": pa.array(series, kind)})


@settings(max_examples=30)
@given(st.lists(st.none() | st.lists(VALUES, max_size=9), min_size=1, max_size=80))
def test_rows_are_what_the_standard_says_and_come_back(series: list[Any]) -> None:
    rows = canonical_rows(table(series, "element"))  # as Parquet names them
    texts = [None if s is None else [None if v is None else str(v) for v in s] for s in series]
    assert rows == [rfc8785.dumps({"meter": str(i), "wh": text}) for i, text in enumerate(texts)]
    assert columns_of(table(series)) == (("meter", "string"), ("wh", "list(int64)"))
    assert table_of(rows, columns_of(table(series))).equals(table(series))


def test_a_row_among_long_series_is_shown_alone(tmp_path: Path) -> None:
    long = [[number + place for place in range(40_000)] for number in range(40)] + [[], None, [None, 7]]
    with_short = [[number] for number in range(600)]  # more rows than are written at a time beside the long ones
    ledger = Ledger.create(tmp_path, origin="example.org/series", key=SigningKey.generate())
    for series in (with_short, long + with_short):
        entry = ledger.append(Batch("reading", "s", "grid", table(series)))
        assert ledger.state().table(entry.index, verify=True)["wh"].to_pylist() == series
        places = [0, 42, len(series) - 1]
        for place, proof in zip(places, ledger.prove_rows(entry.index, places), strict=True):
            assert proof.holds(entry)
            assert json.loads(proof.content)["wh"] == [None if v is None else str(v) for v in series[place]]
    assert ledger.audit() == []
