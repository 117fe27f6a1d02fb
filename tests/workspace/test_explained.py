"""What an explanation shows was recorded so: a byte changed anywhere between is told, not shown."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from mingjian.base.errors import Tampered
from mingjian.base.values import Period
from mingjian.workspace import Workspace, rows_of

Q3 = Period.parse("2021Q3")
MANY = 3_000  # rows that lie in a blob


def test_a_flipped_byte_of_a_blob_is_told_with_its_entry(fresh, write, task):
    workspace, scheme = fresh
    rows = [task(str(n), f"U{1 + n % 2}", "8") for n in range(MANY)]
    entry = workspace.add_file(scheme, "task", write("many", rows), "tester").entry
    opened = Workspace.open(workspace.folder)
    assert len([*rows_of(opened.explain(scheme, "fulfilment", "U1", Q3).root)]) == MANY  # half of them, twice

    (blob,) = (workspace.folder / "blobs").iterdir()
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    with pytest.raises(Tampered, match=f"entry {entry.index}") as error:
        Workspace.open(workspace.folder).explain(scheme, "fulfilment", "U1", Q3)
    assert "mingjian ledger audit" in error.value.remedy


@pytest.mark.parametrize(
    ("change", "field"),
    [("awarded = 10", "awarded"), ("task = 'else'", "task"), ("unit = 'U2'", "unit")],
)
def test_rows_reckoned_with_that_are_not_those_recorded_are_told(fresh, write, task, change, field):
    workspace, scheme = fresh
    rows = [task("1", "U1", "8"), task("2", "U1", "7")]
    entry = workspace.add_file(scheme, "task", write("changed", rows), "tester").entry
    workspace.explain(scheme, "fulfilment", "U1", Q3)
    with duckdb.connect(str(workspace.folder / "projection.duckdb")) as connection:
        connection.execute(f"""UPDATE "small/task" SET {change} WHERE task = '2'""")
    whose = "U2" if field == "unit" else "U1"
    with pytest.raises(
        Tampered, match=f"entry {entry.index}, row 1: a row is not what was recorded: its {field}"
    ) as error:
        Workspace.open(workspace.folder).explain(scheme, "fulfilment", whose, Q3)
    assert "ledger audit" in error.value.remedy
    (workspace.folder / "projection.duckdb").unlink()  # as the remedy says
    assert Workspace.open(workspace.folder).explain(scheme, "fulfilment", "U1", Q3).root.value.printed == "75.00"


def test_rows_recorded_before_a_field_was_declared_are_shown(fresh, small, write, task, tmp_path):
    """A type may have gained fields and decimals since: the row says what it said."""
    workspace, scheme = fresh
    workspace.add_file(scheme, "task", write("earlier", [task("1", "U1", "8.5")]), "tester")
    changed = tmp_path / "small"
    shutil.copytree(small, changed)
    text = (changed / "scheme.toml").read_text("utf-8").replace('version = "1"', 'version = "2"')
    text = text.replace('awarded = { type = "decimal", decimals = 1', 'awarded = { type = "decimal", decimals = 2')
    note = 'note = { type = "text", optional = true, title = { en = "Note", zh = "备注" } }\n'
    (changed / "scheme.toml").write_text(
        text.replace("[evidence.task.field]\n", "[evidence.task.field]\n" + note), "utf-8"
    )
    found = workspace.explain(workspace.adopt(str(changed), "tester"), "fulfilment", "U1", Q3)
    assert {str(row.data["awarded"]) for row in rows_of(found.root)} == {"8.50"}
