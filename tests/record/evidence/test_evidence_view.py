"""What a formula can see: the rows that count, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.declare import EvidenceType
from mingjian.record.evidence import View, read_rows

Types = Mapping[str, EvidenceType]
REFUSED = (
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/etc/passwd')",
    "FROM '/etc/passwd.csv'",
    "FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '/tmp/mingjian-out.csv'",
    "EXPORT DATABASE '/tmp/mingjian-out'",
    "ATTACH '/tmp/mingjian-other.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET TimeZone = 'Asia/Shanghai'",
    "RESET enable_external_access",
)


def notes(types: Types, *texts: str) -> pa.Table:
    return read_rows([{"day": "2021-08-15", "text": text} for text in texts], types["note"]).table


def test_rows_have_their_types_and_where_they_come_from(types: Types) -> None:
    row = {"task": "T1", "unit": "U1", "indicator": "I1", "quarter": "2021Q3", "possible": "9.5", "state": "late"}
    with View.of({"task": read_rows([row], types["task"]).table}, {"task": types["task"]}, 7) as view:
        assert view.size == 7
        (found,) = view.arrow("task").to_pylist()
        assert found == {
            **row,
            "possible": Decimal("9.5"),
            "awarded": None,
            "proof": None,
            "note": None,
            "_entry": 0,
            "_row": 0,
            "_line": 1,
            "_date": date(2021, 7, 1),
        }
        assert view.arrow("task").schema.field("possible").type == pa.decimal128(18, 1)
        assert dict(view.rows("task").schema().items())["possible"].scale == 1


def test_a_type_without_rows_is_empty_and_an_unknown_one_is_misuse(types: Types) -> None:
    with View.of({}, {"note": types["note"]}) as view:
        assert view.rows("note").count().execute() == 0
        assert view.arrow("note").column_names == ["day", "text", "_entry", "_row", "_line", "_date"]
        with pytest.raises(Misuse, match="no rows of 'notes' here"):
            view.rows("notes")
    with pytest.raises(Misuse, match="no declared type"):
        View.of({"x": pa.table({"a": [1]})}, {"note": types["note"]})
    with pytest.raises(Misuse, match="unknown columns x"):
        View.of({"note": pa.table({"x": [1]})}, {"note": types["note"]})
    with pytest.raises(Misuse, match="column day"):
        View.of({"note": pa.table({"day": ["soon"]})}, {"note": types["note"]})


def test_the_last_row_of_a_key_counts_by_entry_and_row(types: Types) -> None:
    table = pa.table(
        {
            "code": ["A", "A", "B", "A"],
            "weight": [1, 2, 3, 4],
            "_entry": [5, 9, 5, 5],
            "_row": [3, 0, 1, 7],
        }
    )
    with View.of({"indicator": table}, {"indicator": types["indicator"]}) as view:
        rows = view.arrow("indicator").select(["code", "weight", "_entry", "_row", "_line"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("B", 3, 5, 1, None), ("A", 2, 9, 0, None)]


def test_without_a_key_every_row_counts(types: Types) -> None:
    with View.of({"note": notes(types, "a", "a", "b")}, {"note": types["note"]}) as view:
        assert view.arrow("note")["text"].to_pylist() == ["a", "a", "b"]


def test_a_time_dates_a_row_on_the_clock_of_the_scheme(types: Types) -> None:
    late = datetime(2021, 8, 31, 16, tzinfo=UTC)
    table = read_rows([{"meter": "M", "at": late, "wh": 1}], types["reading"]).table
    for zone, day in (("Asia/Shanghai", date(2021, 9, 1)), ("UTC", date(2021, 8, 31))):
        with View.of({"reading": table}, {"reading": types["reading"]}, zone=zone) as view:
            assert view.arrow("reading")["_date"].to_pylist() == [day]
            assert view.arrow("reading").schema.field("at").type == pa.timestamp("us", "UTC")
    with pytest.raises(Misuse, match="give the zone"):
        View.of({"reading": table}, {"reading": types["reading"]})


@pytest.mark.parametrize("statement", REFUSED)
def test_a_formula_reaches_nothing_outside(types: Types, statement: str) -> None:
    import duckdb

    with View.of({"note": notes(types, "a")}, {"note": types["note"]}) as view:
        with pytest.raises(duckdb.Error):
            view.connection.con.execute(statement).fetchall()
        assert view.rows("note").count().execute() == 1
    assert not list(Path("/tmp").glob("mingjian-o*"))


def test_rows_of_another_row_order_are_the_same_rows(types: Types) -> None:
    @settings(max_examples=15, deadline=None)
    @given(st.permutations("abcdef"))
    def shuffled(order: list[str]) -> None:
        with View.of({"note": notes(types, *order)}, {"note": types["note"]}) as view:
            assert sorted(view.arrow("note")["text"].to_pylist()) == list("abcdef")

    shuffled()


def test_what_is_asked_again_is_compiled_once_and_asked_of_the_rows_there_are(types: Types) -> None:
    compiled: list[str] = []

    def written(view: View) -> object:
        compiled.append("note")
        return view.rows("note").select("text")

    def asked(view: View, among: tuple[str, list[str]] | None) -> list[str]:
        found = view.select("texts", lambda: written(view), {}, among)
        return sorted(found["text"].to_pylist())

    hostile = "a' OR 1=1; --"
    with View.of({"note": notes(types, "a", "b", hostile)}, {"note": types["note"]}) as view:
        assert asked(view, None) == ["a", hostile, "b"]
        assert asked(view, ("text", ["b", "z"])) == ["b"]
        assert asked(view, ("text", [hostile])) == [hostile]
        assert asked(view, ("text", [])) == []
        assert compiled == ["note"]


def test_a_given_table_is_there_for_one_question_only(types: Types) -> None:
    import ibis

    given = pa.table({"wanted": ["b"]})
    with View.of({"note": notes(types, "a", "b")}, {"note": types["note"]}) as view:

        def joined() -> object:
            wanted = ibis.table({"wanted": "string"}, name="_wanted")
            return view.rows("note").semi_join(wanted, [("text", "wanted")]).select("text")

        assert view.select("some", joined, {"_wanted": given}, None)["text"].to_pylist() == ["b"]
        with pytest.raises(duckdb.CatalogException):
            view.select("some", joined, {}, None)
