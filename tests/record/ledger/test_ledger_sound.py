"""The audit passes over an entry without reading its header in full only where reading it would find nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Finding
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger
from mingjian.record.ledger._audit import _entry_findings, is_sound
from mingjian.record.ledger._payload import Stored
from mingjian.record.ledger._store import Record

TABLE = pa.table({"text": ["a", None, "丙"], "count": pa.array([1, 2, 3], pa.int64())})
SOURCES: tuple[dict[str, str], ...] = (
    {"sha256": "00", "name": "a.csv"},
    {},
    {"名": '"\\', "\U0001f600": "1", "\uffee": "2"},  # these two stand in another order in UTF-16
    {"x": ',"index":0,"kind":"task"'},
)


def records(where: Path) -> list[Record]:
    key, at = SigningKey.from_seed(b"k" * 32), datetime(2021, 9, 7, 8, tzinfo=UTC)
    ledger = Ledger.create(where, origin="example.org/test", key=key, now=lambda: at)
    ledger.append_all(Batch("task", "三", "office", TABLE, source) for source in SOURCES)
    ledger.append(Batch('a"kind', "", '市,"index":7', TABLE.slice(0, 1)))
    return ledger._store.records(0, ledger.size)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return records(tmp_path_factory.mktemp("log"))[0]


def findings(record: Record) -> list[Finding]:
    """What is found by whoever reads all of it."""
    header, inline, key = record.header, record.inline, record.key
    assert isinstance(header, bytes)
    assert isinstance(inline, bytes)
    assert isinstance(key, bytes)
    return list(_entry_findings(record, header, Stored(inline, True, key)))


def test_small_entries_are_passed_over_whatever_their_texts(tmp_path: Path) -> None:
    for record in records(tmp_path):
        assert findings(record) == []
        assert is_sound(record), record.header


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text(max_size=3), children, max_size=2),
    max_leaves=4,
)
NAMES = ("at", "by", "columns", "index", "kind", "root", "rows", "scheme", "source", "more")
NEARLY: dict[str, Any] = {
    "at": ["2024-02-29T00:00:00.000Z", "2023-02-29T00:00:00.000Z", "2021-09-07T08:00:00.000+", "20210907T080000.000Z"],
    "by": ["", "nobody", 'a"b', "\U0001f600"],
    "columns": [[], [["a", "string"]], [["a"]], [["a", 1]], ["ab"], [["a", "b", "c"]], [["a", ["b"]]]],
    "source": [{}, {"sha256": "00"}, {"sha256": 0}, {"b": "1", "a": "2"}, [], [["sha256", "00"]]],
    "rows": [3.0, True, "3", 2**60],
}


@st.composite
def headers(draw: st.DrawFn, header: bytes) -> bytes:
    """A header with another value somewhere, written in some way, and perhaps with other bytes somewhere."""
    value = orjson.loads(header)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        value[name] = draw(st.sampled_from(NEARLY[name]) | JSON if name in NEARLY else JSON)
    how = draw(st.sampled_from([orjson.OPT_SORT_KEYS] * 4 + [0, orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2]))
    with suppress(orjson.JSONEncodeError):  # numbers beyond 64 bits
        header = orjson.dumps(value, option=how)
    if draw(st.booleans()):
        start = draw(st.integers(0, len(header)))
        end = draw(st.integers(start, min(start + 3, len(header))))
        header = header[:start] + draw(st.binary(max_size=3) | st.sampled_from([b" ", b"\\u0061", b"0"])) + header[end:]
    return header


@given(data=st.data())
def test_no_entry_is_passed_over_in_which_something_would_be_found(record: Record, data: st.DataObject) -> None:
    assert isinstance(record.header, bytes)
    changed = record._replace(header=data.draw(headers(record.header)))
    assert not is_sound(changed) or findings(changed) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2021-09-07T08:00:00.000Z", b"2021-09-31T08:00:00.000Z"),
        (b"2021-09-07T08:00:00.000Z", b"20210907T080000.000+0000"),
        (b"2021-09-07T08:00:00.000Z", b"2021-09-07T08:00:00.0000Z"),
        (b'"by":"office"', b'"by":5'),
        (b'"by":"office"', b'"by":"\\u006fffice"'),
        (b'"by":"office"', b'"by":"office","by":"office"'),
        (b'"by":"office"', b'"by":"office","bz":"office"'),
        (b'"columns":[["text","string"]', b'"columns":[["text","string",1]'),
        (b'"columns":[["text","string"]', b'"columns":[["text"]'),
        (b'"columns":[', b'"columns":[ '),
        (b',"index":0', b',"index":00'),
        (b',"index":0', b',"index":1'),
        (b'"rows":3', b'"rows":3.0'),
        (b'"rows":3', b'"rows":4'),
        (b'"source":{', b'"source":{ '),
        (b'"sha256":"00"}}', b'"sha256":0}}'),
        (b'"sha256":"00"}}', b'"sha256":"\\u00300"}}'),
        (b'"sha256":"00"}}', b'"sha256":"00","sha256":"00"}}'),
        (b'"sha256":"00"}}', b'"sha256":"00","a":"0"}}'),
        (b'"sha256":"00"}}', b'"sha256":"00","x":5}}'),
        (b'"sha256":"00"}}', b'"sha256":"00"},"zone":""}'),
        (b'"sha256":"00"}}', b'"sha256":"00"}} '),
        (b'"sha256":"00"}}', b'"sha256":"00"}'),
        (b'"sha256":"00"}}', b'"sha256":"01"}}'),
    ],
)
def test_a_header_that_says_it_otherwise_is_found(record: Record, old: bytes, new: bytes) -> None:
    assert isinstance(record.header, bytes)
    assert old in record.header
    changed = record._replace(header=record.header.replace(old, new))
    assert not is_sound(changed)
    assert [finding.rule for finding in findings(changed)] in (["rows-differ"], ["lookup-differs"])


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "四"},
        {"scheme": None},
        {"kind": b"task"},
        {"kind": 5},
        {"source_sha256": None},
        {"source_sha256": b"00"},
        {"inline": b"{}"},
        {"inline": b""},
        {"key": b"k" * 32},
        {"key": b"k" * 65},
    ],
    ids=str,
)
def test_columns_that_differ_from_the_header_are_found(record: Record, change: dict[str, object]) -> None:
    changed = record._replace(**change)  # type: ignore[arg-type]
    assert not is_sound(changed)
    assert findings(changed)


def test_a_number_that_no_header_can_have_is_found_and_does_not_end_the_audit(record: Record) -> None:
    assert isinstance(record.header, bytes)
    changed = record._replace(header=record.header.replace(b'"rows":3', b'"rows":9007199254740993'))
    assert [finding.message.partition(":")[0] for finding in findings(changed)] == ["the header of an entry is garbled"]
