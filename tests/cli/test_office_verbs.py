"""The office's day on a terminal: what is open, acting on it, and destroying what may not be kept."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Office, Workspace, grants

OFFICE = Path(__file__).parent / "office"
SUBJECT = {"zh": "某", "en": "Somebody", "from": "2020-01-01"}
ROWS = {
    "subject": [
        {"id": "D", "type": "district", **SUBJECT},
        {"id": "U1", "type": "unit", "parent": "D", **SUBJECT},
        {"id": "U2", "type": "unit", "parent": "D", **SUBJECT},
        {"id": "L1", "type": "leader", "parent": "U1", **SUBJECT, "zh": "龘靐", "en": "Da Bing"},
    ],
    "task": [
        {"task": "T1", "unit": "U1", "quarter": "2021Q3", "deadline": "2021-09-30"},
        {"task": "T2", "unit": "U1", "quarter": "2021Q3", "deadline": "2999-12-31"},
        {"task": "T3", "unit": "U2", "quarter": "2021Q3", "deadline": "2999-12-31"},
    ],
    "item": [{"item": "I1", "leader": "L1", "day": "2021-08-01"}],
}
GRANTS = {"rep": ("reporter", "U1"), "ass": ("assessor", "D")}


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office") / "w"
    workspace = Workspace.create(folder, origin="example.org/office")
    scheme = workspace.adopt(str(OFFICE), "setup")
    for kind, rows in ROWS.items():
        workspace.add(scheme, kind, read_rows(rows, evidence_types(scheme)[kind], zone=scheme.zone), "setup")
    given = {"since": date(2021, 1, 1), "until": None, "by": "setup"}
    rows = [{"account": who, "role": role, "subject": over, **given} for who, (role, over) in GRANTS.items()]
    grants(Office(workspace), rows, "setup")
    return folder


@pytest.fixture
def office(laid, tmp_path, monkeypatch):
    shutil.copytree(laid, tmp_path / "w")
    monkeypatch.setenv("MINGJIAN_WORKSPACE", str(tmp_path / "w"))
    return tmp_path / "w"


@pytest.fixture
def reported(run, office, tmp_path):
    """T1, reported with a text and a file."""
    (tmp_path / "report.jsonl").write_text('{"text": "Done in four meetings"}\n')
    (tmp_path / "minutes.txt").write_text("Minutes")
    files = ("--rows", tmp_path / "report.jsonl", "--attach", tmp_path / "minutes.txt")
    return run("act", "duty", "T1", "report", "--as", "rep", *files, "--note", "as agreed", "--json")


def test_tasks_are_those_within_reach_and_tell_what_is_overdue(run, office):
    said = run("tasks", "--as", "rep")
    assert [line.split()[:4] for line in said.out.splitlines()[1:]] == [
        ["Duty", "T1", "U1", "Listed"], ["Duty", "T2", "U1", "Listed"],
    ]  # fmt: skip
    assert ["OVERDUE" in line for line in said.out.splitlines()[1:]] == [True, False]
    found = run("tasks", "duty", "--as", "ass", "--json").json
    assert [(case["case"], case["overdue"]) for case in found] == [("T1", True), ("T2", False), ("T3", False)]
    assert [case["case"] for case in run("tasks", "--as", "ass", "--overdue", "--json").json] == ["T1"]


def test_an_act_lands_with_its_rows_and_files(run, office, reported):
    assert (reported.code, reported.json["state"], reported.json["acts"]) == (0, "reported", 1)
    seen = Office(Workspace.open(office)).desk("rep").case("duty", "T1")
    assert [row.data["text"] for row in seen.rows["report"]] == ["Done in four meetings"]
    assert [row.data["name"] for row in seen.rows["attachment"]] == ["minutes.txt"]
    assert (seen.case.steps[0].by, seen.case.steps[0].note) == ("rep", "as agreed")


def test_what_is_done_is_no_longer_open(run, office, reported):
    done = run("act", "duty", "T1", "review", "--as", "ass", "--fill", "awarded=7.5")
    assert (done.code, done.out) == (0, "T1: Fixed\n")
    assert [case["case"] for case in run("tasks", "--as", "rep", "--json").json] == ["T2"]
    score = run("measure", "2021Q3", "-m", "score", "--subject", "U1", "--json").json["values"]
    assert [value["printed"] for value in score] == ["7.5"]


def test_the_table_and_the_letter_are_written(run, office, tmp_path):
    for file, begins in (("t.xlsx", b"PK"), ("t.pdf", b"%PDF"), ("l.pdf", b"%PDF")):
        verb = ("table", "portrait") if file.startswith("t") else ("letter", "U1")
        said = run(*verb, "2021Q3", tmp_path / file, "--json")
        assert (said.code, said.json) == (0, {"file": str(tmp_path / file)}), said.out
        assert (tmp_path / file).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("act duty T3 report --as rep", 1, "no case T3 here"),
        ("act duty T9 report --as rep", 1, "no case T9 here"),
        ("act duty T1 reprot --as rep", 2, "did you mean report?"),
        ("act duty T1 review --as ass", 2, "nothing that you can do"),
        ("act dutys T1 review --as ass", 2, "dutys"),
        ("act duty T1 report --as rep --rows task=x.csv", 2, "takes report"),
        ("act duty T1 report --as rep --rows x.csv", 2, "no file x.csv"),
        ("act duty T1 report --as rep --attach x.pdf", 2, "no file x.pdf"),
        ("act duty T1 report --as rep --fill awarded", 2, "FIELD=VALUE"),
        ("act duty T1 report --as rep", 1, "report"),
        ("tasks --as nobody", 2, "no account nobody"),
        ("tasks duties --as rep", 2, "one of duty"),
        ("table portrait 2021Q3 t.doc", 2, ".xlsx or .pdf"),
        ("table diploma 2021Q3 t.pdf", 2, "no statement diploma"),
        ("letter U1 2021Q3 gone/l.pdf", 2, "folder that is there"),
        ("letter U9 2021Q3 l.pdf", 2, "U9"),
        ("erase U1 --reason demand", 2, "no person"),
        ("erase L1 --reason 龘靐", 2, "names the person"),
    ],
)
def test_what_may_not_be_is_refused_with_its_reason(run, office, line, code, message):
    size = Workspace.open(office).ledger.size
    said = run(*line.split())
    assert said.code == code
    assert message in said.err
    assert "Traceback" not in said.err
    assert Workspace.open(office).ledger.size == size


def test_a_person_is_erased_and_a_term_runs_out(run, office):
    expired = run("expire")
    assert (expired.code, expired.out) == (0, "erased: 1 rows\n")
    assert run("expire", "--json").json == {"rows": 0, "files": []}
    run("issue", "leader_portrait", "2021Q3")
    erased = run("erase", "L1", "--reason", "on demand", "--json").json
    assert erased["rows"] == 1  # the one that states who they are
    assert [Path(file).name for file in erased["files"]] == ["leader_portrait-L1-2021Q3.json"]
    assert not [file for file in office.rglob("*") if file.is_file() and "龘靐".encode() in file.read_bytes()]
