"""A file of rows made from the ledger: the same however it was made, and as of any size."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.keys import SigningKey
from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence import Projection, View, read_rows
from mingjian.record.ledger import Batch, Ledger, Run

Types = Mapping[str, EvidenceType]
Rows = Sequence[tuple[str, int]]
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 9)), max_size=4, unique_by=lambda row: row[0]),
    max_size=6,
)


@dataclass(frozen=True)
class Listed:
    index: int
    kind: str
    scheme: str
    rows: int


@dataclass
class Batches:
    """A ledger in memory, as far as a projection reads one."""

    tables: list[tuple[str, str, pa.Table]] = field(default_factory=list)

    def add(self, type: EvidenceType, rows: Rows, scheme: str = "s") -> None:
        table = read_rows([{"code": code, "weight": weight} for code, weight in rows], type).table
        self.tables.append((type.id, scheme, table))

    @property
    def size(self) -> int:
        return len(self.tables)

    def entries(self, start: int, end: int, kind: str, scheme: str) -> Iterator[Listed]:
        for index, (its, of, table) in enumerate(self.tables[start:end], start):
            if (its, of) == (kind, scheme):
                yield Listed(index, its, of, table.num_rows)

    def runs(self, entries: Iterable[Listed]) -> Iterator[Run]:
        for entry in entries:
            table = self.tables[entry.index][2]
            yield Run(
                table, pa.array([entry.index] * table.num_rows, pa.int64()), pa.array(range(table.num_rows), pa.int64())
            )

    def erasures(self) -> int:
        return 0


def content(view: View, kind: str = "indicator") -> set[tuple[Any, ...]]:
    with view:
        return {(row["code"], row["weight"]) for row in view.arrow(kind).to_pylist()}


def projection(folder: Path | str, ledger: Any, name: str = "p.duckdb", **more: Any) -> Projection:
    return Projection(Path(folder) / name, ledger, **more)


@settings(max_examples=10, deadline=None)
@given(batches=BATCHES, stops=st.sets(st.integers(0, 3)))
def test_as_of_any_size_the_last_row_of_each_key_counts(types: Types, batches: list[Rows], stops: set[int]) -> None:
    """Whatever was caught up when; adding more never changes what an earlier size showed; made anew, it is the same."""
    indicator = {"indicator": types["indicator"]}
    ledger, state = Batches(), dict[str, int]()
    expected = [set(state.items())]
    with tempfile.TemporaryDirectory() as folder:
        grown = projection(folder, ledger)
        for number, rows in enumerate(batches):
            ledger.add(types["indicator"], rows)
            state.update(rows)
            expected.append(set(state.items()))
            if number in stops:
                grown.catch_up("s", indicator)
        assert grown.catch_up("s", indicator) == len(batches)
        assert [content(grown.view("s", size)) for size in range(len(batches) + 1)] == expected
        anew = projection(folder, ledger, "q.duckdb")
        anew.catch_up("s", indicator)
        assert anew.digest() == grown.digest()
        numbered = [_numbered(ledger.tables[number][2], number) for number in range(ledger.size)]
        if numbered:
            assert content(View.of({"indicator": pa.concat_tables(numbered)}, indicator)) == expected[-1]


def _numbered(table: pa.Table, entry: int) -> pa.Table:
    entries, rows = [entry] * table.num_rows, list(range(table.num_rows))
    for name, numbers in {"_entry": entries, "_row": rows}.items():
        table = table.append_column(name, pa.array(numbers, pa.int64()))
    return table


@settings(max_examples=5, deadline=None)
@given(order=st.permutations([("A", 1), ("B", 2), ("C", 3), ("D", 4), ("E", 5)]), cuts=st.sets(st.integers(1, 4)))
def test_the_order_of_rows_and_batches_never_changes_the_rows(
    types: Types, order: list[tuple[str, int]], cuts: set[int]
) -> None:
    ledger, bounds = Batches(), [0, *sorted(cuts), 5]
    for start, end in pairwise(bounds):
        ledger.add(types["indicator"], order[start:end])
    with tempfile.TemporaryDirectory() as folder:
        made = projection(folder, ledger)
        made.catch_up("s", {"indicator": types["indicator"]})
        assert content(made.view("s")) == set(order)


@pytest.fixture
def ledger(types: Types) -> Batches:
    batches = Batches()
    batches.add(types["indicator"], [("A", 1), ("B", 2)])
    batches.add(types["indicator"], [("A", 3)])
    return batches


def test_rows_come_from_a_real_ledger_with_their_provenance(tmp_path: Path, types: Types) -> None:
    ledger = Ledger.create(tmp_path / "ledger", origin="example.org/log", key=SigningKey.generate())
    row = {"meter": "M", "at": "2021-08-31T16:00:00Z", "wh": 2**62}
    for wh in (1, 2**62):
        intake = read_rows([{**row, "meter": f"M{wh}"}, {**row, "wh": wh}], types["reading"])
        ledger.append(Batch("reading", "green", "office", intake.accepted(types["reading"])))
    made = projection(tmp_path, ledger)
    made.catch_up("green", types, zone="Asia/Shanghai")
    with made.view("green") as view:
        rows = view.arrow("reading").select(["meter", "wh", "_entry", "_row", "_line"]).to_pylist()
        assert [tuple(each.values()) for each in rows] == [
            ("M1", 2**62, 0, 0, 1),
            (f"M{2**62}", 2**62, 1, 0, 1),
            ("M", 2**62, 1, 1, 2),
        ]
        assert {str(day) for day in view.arrow("reading")["_date"].to_pylist()} == {"2021-09-01"}
        assert view.rows("task").count().execute() == 0


def test_of_several_later_rows_the_first_one_supersedes(tmp_path: Path, types: Types, ledger: Batches) -> None:
    indicator = {"indicator": types["indicator"]}
    made = projection(tmp_path, ledger)
    made.catch_up("s", indicator)
    for weight in (4, 5):
        ledger.add(types["indicator"], [("A", weight)])
    made.catch_up("s", indicator)  # both at once
    for size, weight in ((1, 1), (2, 3), (3, 4), (4, 5)):
        assert content(made.view("s", size)) == {("A", weight), ("B", 2)}


def test_schemes_and_kinds_are_apart(tmp_path: Path, types: Types, ledger: Batches) -> None:
    ledger.add(types["indicator"], [("Z", 9)], scheme="other")
    made = projection(tmp_path, ledger)
    for scheme in ("s", "other"):
        made.catch_up(scheme, {"indicator": types["indicator"]})
    assert content(made.view("s")) == {("A", 3), ("B", 2)}
    assert content(made.view("other")) == {("Z", 9)}


def test_a_view_reaches_nothing_but_its_rows_and_changes_none(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    made.catch_up("s", {"indicator": types["indicator"]})
    before = made.digest()
    with made.view("s") as view:
        for statement in (
            "FROM read_csv('/etc/passwd')",
            "COPY indicator TO '/tmp/mingjian-copy.csv'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            'DELETE FROM projection."s/indicator"',
            'DROP TABLE projection."s/indicator"',
        ):
            with pytest.raises(duckdb.Error):
                view.connection.con.execute(statement)
        assert view.rows("indicator").count().execute() == 2
    assert made.digest() == before


def test_a_size_not_caught_up_to_is_misuse(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    for ask in (lambda: made.view("s"), made.digest):
        with pytest.raises(Misuse, match="catch up first"):
            ask()
    made.catch_up("s", {"indicator": types["indicator"]})
    with pytest.raises(Misuse, match="caught up to 2"):
        made.view("s", 3)
    with pytest.raises(Misuse, match="no rows of 'x'"):
        made.view("x")


def test_a_type_that_is_declared_no_more_does_not_hold_up_the_others(
    tmp_path: Path, types: Types, ledger: Batches
) -> None:
    made = projection(tmp_path, ledger)
    made.catch_up("s", types, zone="UTC")
    ledger.add(types["indicator"], [("C", 5)])
    made.catch_up("s", {"indicator": types["indicator"]})
    with made.view("s") as view:
        assert (view.size, view.kinds) == (3, {"indicator"})
    with made.view("s", 2) as view:
        assert view.kinds == types.keys()


def test_a_type_that_gained_no_rows_is_caught_up_too(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    made.catch_up("s", types, zone="UTC")
    for rows, scheme in (([("C", 5)], "s"), ([("Z", 9)], "other")):
        ledger.add(types["indicator"], rows, scheme)
        assert made.catch_up("s", types, zone="UTC") == ledger.size
        for seen in (made, projection(tmp_path, ledger)):  # as the one who wrote knows it, and as another reads it
            with seen.view("s") as view:
                assert (view.size, view.kinds) == (ledger.size, types.keys())
                assert view.arrow("indicator").num_rows == 3
                assert view.arrow("task").num_rows == 0


def test_a_type_that_changed_is_read_anew(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    made.catch_up("s", {"indicator": types["indicator"]})
    kept = {name: each for name, each in types["indicator"].fields.items() if name != "parent"}
    added = Field("group", "text", Title("Group", "组"), optional=True)
    changed = replace(types["indicator"], fields={**kept, "group": added}, key=())
    made.catch_up("s", {"indicator": changed})
    with made.view("s") as view:
        assert view.arrow("indicator").column_names[:3] == ["code", "weight", "group"]
        assert view.arrow("indicator")["weight"].to_pylist() == [1, 2, 3]
    as_number = replace(kept["code"], type="integer")
    with pytest.raises(Misuse, match="column code"):
        made.catch_up("s", {"indicator": replace(changed, fields={**kept, "code": as_number})})
    assert content(made.view("s")) == {("A", 1), ("B", 2), ("A", 3)}  # what failed left nothing behind


def test_who_finds_the_file_busy_waits_and_then_says_so(tmp_path: Path, types: Types, ledger: Batches) -> None:
    indicator = {"indicator": types["indicator"]}
    made = projection(tmp_path, ledger, wait=0.2)
    made.catch_up("s", indicator)
    with made.view("s"), made.view("s", 1):
        assert made.catch_up("s", indicator) == 2  # nothing to take in: no need to wait
        ledger.add(types["indicator"], [("C", 1)])
        assert made.catch_up("s", indicator, size=2) == 3  # that size was reached before
        with pytest.raises(MingjianError, match=r"the rows are in use.*close open views"):
            made.catch_up("s", indicator)
    assert made.catch_up("s", indicator) == 3
    patient, view = projection(tmp_path, ledger), made.view("s")
    ledger.add(types["indicator"], [("D", 1)])
    threading.Timer(0.3, view.close).start()
    assert patient.catch_up("s", indicator) == 4


def test_many_catch_up_at_once(tmp_path: Path, types: Types, ledger: Batches) -> None:
    reached: list[int] = []

    def catch_up() -> None:
        reached.append(projection(tmp_path, ledger).catch_up("s", {"indicator": types["indicator"]}))

    threads = [threading.Thread(target=catch_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reached == [2] * 4
    assert content(projection(tmp_path, ledger).view("s")) == {("A", 3), ("B", 2)}


@pytest.mark.parametrize("left", [0, 1, 4096, 8192, 12288, 14000])
def test_a_file_whose_maker_was_killed_over_it_is_made_again(
    tmp_path: Path, types: Types, ledger: Batches, left: int
) -> None:
    made = projection(tmp_path, ledger)
    made.catch_up("s", {"indicator": types["indicator"]})
    with made.path.open("r+b") as file:
        file.truncate(left)
    again = projection(tmp_path, ledger)
    assert again.catch_up("s", {"indicator": types["indicator"]}) == 2
    assert content(again.view("s")) == {("A", 3), ("B", 2)}


def test_a_file_that_is_none_is_made_again(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    made.path.write_bytes(b"not a database" * 1000)
    assert made.catch_up("s", {"indicator": types["indicator"]}) == 2
    assert content(made.view("s")) == {("A", 3), ("B", 2)}


def test_what_another_does_to_the_file_is_seen(tmp_path: Path, types: Types, ledger: Batches) -> None:
    """What was caught up to is remembered only while the file stays as it was."""
    indicator = {"indicator": types["indicator"]}
    mine, other = projection(tmp_path, ledger), projection(tmp_path, ledger)
    for weight in (4, 5):
        for one in (mine, other):
            one.catch_up("s", indicator)
            one.catch_up("s", indicator)
            assert content(mine.view("s")) == content(other.view("s")) == {("A", weight - 1), ("B", 2)}
        ledger.add(types["indicator"], [("A", weight)])
    other.catch_up("s", indicator)
    assert content(mine.view("s")) == {("A", 5), ("B", 2)}
    other.path.unlink()
    mine.catch_up("s", indicator)
    assert content(other.view("s")) == {("A", 5), ("B", 2)}


def test_a_file_that_nobody_finished_is_finished(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path, ledger)
    duckdb.connect(made.path).close()
    assert made.catch_up("s", {"indicator": types["indicator"]}) == 2
    assert content(made.view("s")) == {("A", 3), ("B", 2)}


def test_large_entries_are_taken_in_one_after_another(
    tmp_path: Path, types: Types, ledger: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mingjian.record.evidence._projection._GROUP", 1)
    made = projection(tmp_path, ledger)
    made.catch_up("s", {"indicator": types["indicator"]})
    assert content(made.view("s", 1)) == {("A", 1), ("B", 2)}
    assert content(made.view("s")) == {("A", 3), ("B", 2)}


def test_a_folder_with_a_quote_in_its_name_is_a_folder(tmp_path: Path, types: Types, ledger: Batches) -> None:
    made = projection(tmp_path / "it's", ledger)
    made.catch_up("s", {"indicator": types["indicator"]})
    assert content(made.view("s")) == {("A", 3), ("B", 2)}


def test_a_file_from_before_an_erasure_is_made_anew_without_the_rows_that_are_gone(
    types: Types, tmp_path: Path
) -> None:
    indicator = {"indicator": types["indicator"]}
    ledger = Ledger.create(tmp_path / "log", origin="example.org/log", key=SigningKey.generate())
    rows = read_rows(
        [{"code": code, "weight": weight} for code, weight in [("䶮", 1), ("b", 2), ("c", 3)]], indicator["indicator"]
    )
    ledger.append(Batch("indicator", "s", "office", rows.table, owners=["person/1", "", "person/2"]))
    rows_of = projection(tmp_path, ledger)
    rows_of.catch_up("s", indicator)
    ledger.erase(["person/1"], by="office")
    rows_of.catch_up("s", indicator)
    with rows_of.view("s") as view:
        assert [(row["_row"], row["code"]) for row in view.arrow("indicator").to_pylist()] == [(1, "b"), (2, "c")]
    assert all("䶮".encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    anew = projection(tmp_path, ledger, "anew.duckdb")
    anew.catch_up("s", indicator)
    assert anew.digest() == rows_of.digest()
