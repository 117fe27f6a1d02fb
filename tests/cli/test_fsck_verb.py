"""`ledger fsck` on a terminal."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def workspace(there, tmp_path):
    shutil.copytree(there / "w", tmp_path / "w")
    return tmp_path / "w"


def test_a_good_workspace_is_said_to_be_good(run, workspace, monkeypatch):
    asked = run("ledger", "fsck", "-w", workspace, "--json")
    (made,) = asked.json["rebuilt"]
    size = asked.json["size"]
    assert (asked.code, asked.json["findings"], asked.json["unnamed_blobs"], made["fault"]) == (0, [], [], "")
    (workspace / "blobs" / ("0" * 64)).write_bytes(b"of a writer who died")
    said = run("ledger", "fsck", "-w", workspace)
    assert (said.code, said.out.splitlines()) == (
        0,
        [
            f"the ledger audits clean: {size} entries",
            f"projection.duckdb: the same when made anew, {made['digest']}",
            "blobs that no entry names, left where they are: 1",
            f"  - {'0' * 64}",
        ],
    )
    monkeypatch.setenv("MINGJIAN_LANG", "zh")
    assert run("ledger", "fsck", "-w", workspace).out.splitlines()[:2] == [
        f"账本审计无误: {size} 条目数",
        f"projection.duckdb: 重建后一致, {made['digest']}",
    ]


def test_a_projection_of_no_sense_is_replaced(run, workspace):
    (workspace / "projection.duckdb").write_bytes(b"no sense" * 1000)
    said = run("ledger", "fsck", "-w", workspace)
    first, last = said.out.splitlines()
    assert (said.code, said.err) == (1, "")
    assert first.startswith("  - projection.duckdb: the rows cannot be read")
    assert first.endswith("[projection-differs]")
    assert last.startswith("projection.duckdb: replaced by one made anew, sha256:")
    assert run("ledger", "fsck", "-w", workspace).code == 0


def test_a_truncated_database_is_told_and_no_workspace_is_misuse(run, workspace, tmp_path):
    for path in workspace.glob("ledger.db*"):
        path.write_bytes(b"")
    said = run("ledger", "fsck", "-w", workspace, "--json")
    assert (said.code, [finding["rule"] for finding in said.json["findings"]]) == (1, ["store-damaged"])
    assert run("ledger", "fsck", "-w", tmp_path).code == 2
