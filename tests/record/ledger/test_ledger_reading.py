"""Many entries read together come out as each of them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import event

from mingjian.base.errors import Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger
from mingjian.record.ledger._draft import Draft
from mingjian.record.ledger._rows import columns_of

Query = Callable[..., list[tuple[Any, ...]]]
COLUMNS = pa.schema([("text", pa.string()), ("n", pa.int64())])


def batch(start: int, rows: int, owners: list[str] | None = None) -> Batch:
    values = [{"text": f"{n} 名", "n": n} for n in range(start, start + rows)]
    return Batch("task", "three", "office", pa.Table.from_pylist(values, COLUMNS), {}, owners)


@pytest.fixture
def ledger(place: dict[str, Any]) -> Ledger:
    """Every kind of entry: of few rows and many, of none, as a blob, of owners, partly erased, of other columns."""
    made = Ledger.create(**place, origin="example.org/read", key=SigningKey.from_seed(b"k" * 32))
    other = Batch("task", "three", "office", pa.table({"other": [True]}))
    owned = batch(10, 4, ["person/A", "", "person/B", "person/A"])
    made.append_all(
        [batch(0, 1), batch(1, 3), other, batch(4, 0), owned, batch(20, 100), batch(200, 5000), batch(6000, 1)]
    )
    made.erase(["person/B"], by="office")
    return made


def test_many_entries_are_read_as_each_alone(ledger: Ledger) -> None:
    entries = list(ledger.entries())
    assert [entry for entry, _ in ledger.rows(entries)] == entries
    for entry, rows in ledger.rows(reversed(entries)):
        assert rows == ledger.table(entry.index).to_pylist()
    runs = list(ledger.runs(entries))
    assert [run.table.schema for run in runs].count(COLUMNS) == 4, (
        "what follows each other with the same columns is one run"
    )
    found = [
        (entry, place, row)
        for run in runs
        for entry, place, row in zip(
            run.entries.to_pylist(), run.places.to_pylist(), run.table.to_pylist(), strict=True
        )
    ]
    alone = [(entry.index, ledger.placed(entry.index)) for entry in entries]
    assert found == [
        (index, place, row)
        for index, placed in alone
        for place, row in zip(placed.places.to_pylist(), placed.table.to_pylist(), strict=True)
    ]


def test_a_thousand_entries_take_a_handful_of_queries(ledger: Ledger) -> None:
    ledger.append_all([batch(n, 1) for n in range(1000)])
    statements: list[str] = []
    for engine in vars(ledger._store.database).values():
        if hasattr(engine, "dialect"):
            event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(list(ledger.rows(ledger.entries()))) == 1009
    assert 0 < len(statements) < 15


def test_the_entry_that_is_not_what_it_was_is_named(ledger: Ledger, query: Query) -> None:
    query(ledger, 'UPDATE payload SET inline = ? WHERE "index" = 1', b'{"n":"x","text":"1"}')
    with pytest.raises(Tampered, match="not rows of this batch"):
        list(ledger.rows(ledger.entries()))
    query(ledger, 'DELETE FROM payload WHERE "index" = 1')
    with pytest.raises(Tampered, match="entry 1"):
        list(ledger.rows(ledger.entries()))


def test_a_draft_writes_the_header_that_its_entry_reads(ledger: Ledger) -> None:
    given = Batch("task", "three", 'o"龘', batch(0, 2).table, {"sha256": "00", "file": "表\n.xlsx"})
    draft = Draft.of(given, columns_of(given.table), bytes(32))
    for entry in ledger.entries():
        drafted, leaf = draft.entry(entry.index, entry.at)
        assert leaf == drafted.leaf
        assert (drafted.index, drafted.at, drafted.by, drafted.source) == (
            entry.index,
            entry.at,
            given.by,
            given.source,
        )
