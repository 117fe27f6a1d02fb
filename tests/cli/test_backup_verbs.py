"""`backup` and `restore` on a terminal."""

from __future__ import annotations

import stat


def test_a_workspace_goes_into_one_file_and_comes_back(run, there, tmp_path):
    head = run("ledger", "head", "-w", there / "w", "--json").json
    said = run("backup", tmp_path / "b.tar", "-w", there / "w")
    assert (said.code, said.out.splitlines()) == (
        0,
        [f"written {tmp_path / 'b.tar'}", f"{head['size']} entries", f"root: {head['root']}"],
    )
    assert stat.S_IMODE((tmp_path / "b.tar").stat().st_mode) == 0o600

    back = run("restore", tmp_path / "b.tar", tmp_path / "again", "--json").json
    assert {name: back[name] for name in ("size", "root", "origin")} == {n: head[n] for n in ("size", "root", "origin")}
    assert run("ledger", "head", "-w", tmp_path / "again", "--json").json == head
    asked = ("measure", "2021Q3", "--json", "-w")
    assert run(*asked, tmp_path / "again").json == run(*asked, there / "w").json
    issued = sorted(path.name for path in (there / "w" / "issued").iterdir())
    assert sorted(path.name for path in (tmp_path / "again" / "issued").iterdir()) == issued


def test_restoring_says_that_the_ledger_was_audited(run, there, tmp_path, monkeypatch):
    taken = run("backup", tmp_path / "b.tar", "-w", there / "w", "--json").json
    monkeypatch.setenv("MINGJIAN_LANG", "zh")
    said = run("restore", tmp_path / "b.tar", tmp_path / "again")
    assert said.out.splitlines() == [
        f"已写出 {tmp_path / 'again'}",
        f"账本审计无误: {taken['size']} 条目数",
        f"根: {taken['root']}",
    ]


def test_a_backup_that_was_changed_is_refused(run, there, tmp_path):
    run("backup", tmp_path / "b.tar", "-w", there / "w")
    content = bytearray((tmp_path / "b.tar").read_bytes())
    content[content.index(b"BEGIN PRIVATE KEY")] ^= 1
    (tmp_path / "b.tar").write_bytes(content)
    said = run("restore", tmp_path / "b.tar", tmp_path / "again", "--json")
    assert (said.code, said.json["error"]) == (1, "Tampered")
    assert said.json["findings"][0]["place"]["file"].startswith("keys/")
    assert not (tmp_path / "again").exists()


def test_what_cannot_be_says_what_to_do(run, there, tmp_path):
    (tmp_path / "b.tar").write_bytes(b"")
    said = run("backup", tmp_path / "b.tar", "-w", there / "w")
    assert (said.code, "name a new file" in said.err) == (2, True)
    said = run("restore", tmp_path / "b.tar", tmp_path / "again")
    assert (said.code, "`mingjian backup` wrote" in said.err) == (2, True)


def test_the_help_says_that_keys_are_in_it(run):
    assert "THE FILE HOLDS THE KEYS" in run("backup", "--help").out


def test_a_backup_is_restored_to_the_places_that_are_named(run, there, tmp_path):
    taken = run("backup", tmp_path / "b.tar", "-w", there / "w", "--json").json
    places = ("--ledger", f"sqlite:///{tmp_path}/served/ledger.db", "--blobs", tmp_path / "kept")
    back = run("restore", tmp_path / "b.tar", tmp_path / "again", *places, "--json").json
    assert (back["size"], back["root"]) == (taken["size"], taken["root"])
    assert not {"ledger.db", "blobs"} & {path.name for path in (tmp_path / "again").iterdir()}
    assert run("ledger", "audit", "-w", tmp_path / "again").code == 0
    said = run("restore", tmp_path / "b.tar", tmp_path / "twice", *places)
    assert (said.code, "choose another place" in said.err) == (2, True)
