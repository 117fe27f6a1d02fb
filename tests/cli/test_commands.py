"""Every verb: what it says to a person, to a program, and with which exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mingjian.workspace import shipped_example, usual_folder


@pytest.fixture
def copy(there, tmp_path):
    """The workspace, to write to."""
    shutil.copytree(there / "w", tmp_path / "w")
    return tmp_path / "w"


# -- new, check --------------------------------------------------------------------------------------------------------


def test_a_new_scheme_passes_its_own_check_and_runs(run, tmp_path):
    made = run("new", "scheme", tmp_path / "mine")
    assert (made.code, "written" in made.out) == (0, True)
    checked = run("check", tmp_path / "mine")
    assert (checked.code, checked.out) == (0, "mine: everything holds (1 cases)\n")
    space = run("new", "workspace", tmp_path / "w", "--scheme", tmp_path / "mine", "--json")
    assert (space.code, list(space.json["schemes"]), space.json["origin"]) == (0, ["mine"], "mingjian.local/w")


def test_check_tells_every_fault_and_every_case_that_differs(run, tmp_path):
    run("new", "scheme", tmp_path / "mine")
    case = tmp_path / "mine" / "cases" / "first.toml"
    case.write_text(case.read_text("utf-8").replace("awarded = 4", "awarded = 3"), "utf-8")
    differs = run("check", tmp_path / "mine")
    assert (differs.code, "should be 90.00 (found: '80.00')" in differs.out) == (1, True)
    (tmp_path / "mine" / "measures.py").write_text(
        "def fulfilment(task, full_mark):\n    return 1\n\ndef other(task):\n    return 1\n"
    )
    faulty = run("check", tmp_path / "mine", "--json")
    assert (faulty.code, faulty.json["fingerprint"]) == (1, None)
    assert len(faulty.json["findings"]) >= 2
    assert all(f["place"]["file"] and f["rule"] for f in faulty.json["findings"])


# -- template, add -----------------------------------------------------------------------------------------------------


def test_a_form_is_written_and_read_back(run, copy, tmp_path):
    form = tmp_path / "task.xlsx"
    written = run("template", "task", form, "--filled", "-w", copy, "--json")
    assert (written.code, written.json) == (0, {"file": str(form), "rows": 1})
    added = run("add", "task", form, "-w", copy)
    assert (added.code, "1 rows taken in" in added.out) == (0, True)


def test_the_same_file_again_is_known(run, there, copy):
    known = run("add", "task", there / "task.jsonl", "-w", copy, "--json")
    assert (known.code, known.json["known"], known.json["rows"]) == (0, True, 0)
    assert "taken in before: nothing changed" in run("add", "task", there / "task.jsonl", "-w", copy).out


def test_bad_rows_are_told_and_nothing_lands(run, copy, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("task,unit,quarter,possible,awarded\n1,U9,2021Q3,10,11\n")
    before = run("ledger", "head", "-w", copy, "--json").json
    refused = run("add", "task", file, "-w", copy)
    assert (refused.code, refused.out) == (1, "")
    assert "nothing of this task was taken in" in refused.err
    assert "row 2, field awarded" in refused.err
    data = run("add", "task", file, "-w", copy, "--json")
    assert (data.code, data.json["error"], {f["rule"] for f in data.json["findings"]}) == (
        1, "MingjianError", {"above-other-field"},
    )  # fmt: skip
    assert run("ledger", "head", "-w", copy, "--json").json == before


def test_rows_left_out_are_told(run, copy, tmp_path):
    file = tmp_path / "reading.csv"
    file.write_text("unit,month,wh\nU1,2021-08,5\nU1,2021-09,-5\n")
    taken = run("add", "reading", file, "-w", copy)
    assert taken.code == 1
    assert "1 rows taken in" in taken.out
    assert "1 rows left out:" in taken.out
    assert "row 3, field wh" in taken.out


def test_a_scheme_is_added_like_evidence(run, copy, small):
    added = run("add", "scheme", small, "-w", copy)
    assert (added.code, added.out) == (0, "scheme recorded: small 1\n")
    assert run("add", "scheme", small, "-w", copy, "--json").json["fingerprint"].startswith("sha256:")


# -- measure, explain, claims ------------------------------------------------------------------------------------------


def test_measure_prints_values_and_gives_them_whole_to_programs(run, there):
    text = run("measure", "2021Q3", "-w", there / "w")
    assert text.code == 0
    assert "SYNTHETIC DATA" in text.out
    assert "85.00 %" in text.out
    assert "withheld" in text.out
    data = run(
        "measure", "2021Q3", "-m", "fulfilment", "-m", "approval", "--subject", "U1", "-w", there / "w", "--json"
    ).json
    assert (data["scheme"], data["synthetic"], data["size"]) == ("small", True, 6)
    assert {v["measure"]: (v["exact"], v["printed"]) for v in data["values"]} == {
        "approval": ("100", "100.0"), "fulfilment": ("85", "85.00"),
    }  # fmt: skip
    early = run("measure", "2021Q3", "--size", 2, "-w", there / "w", "--json").json
    assert (early["size"], early["synthetic"], {v["status"] for v in early["values"]}) == (2, False, {"none"})
    assert "no rows" in early["values"][0]["reason"]


def test_explain_shows_the_tree_down_to_the_proof(run, there):
    text = run("explain", "overall", "U1", "2021Q3", "-w", there / "w")
    assert text.code == 0
    for part in (
        "formula: ((fulfilment + approval) / 2)", "parameter points", "source: Rule 1", "task.jsonl line 1", "proof",
        "12 ballots, single ones are not shown",
    ):  # fmt: skip
        assert part in text.out
    data = run("explain", "fulfilment", "U1", "2021Q3", "-w", there / "w", "--json").json
    (row,) = data["reductions"][0]["rows"]
    assert (row["file"], row["line"], row["data"]["awarded"], row["by"]) == ("task.jsonl", 1, "8.5", "tester")
    assert row["proof"]


def test_explain_says_no_more_of_few_than_that_they_are_few(run, there):
    text = run("explain", "approval", "U2", "2021Q3", "-w", there / "w")
    assert "withheld" in text.out
    assert "too few to say" in text.out
    assert "3 ballots" not in text.out
    assert "= 100" not in text.out


def test_claims_that_are_contradicted_set_the_exit_code(run, there, tmp_path):
    def file(value):
        path = tmp_path / "claims.toml"
        path.write_text(
            f"""
            [source.p]
            title = "P"
            publisher = "P"
            date = 2021-10-01
            [claim.c]
            title = {{ en = "Claim", zh = "数" }}
            subject = "U1"
            source = "p"
            quote = "q"
            value = {value}
            unit = "percent"
            against = [{{ measure = "fulfilment", subject = "U1", period = "2021Q3" }}]
            """,
            "utf-8",
        )
        return path

    good = run("claims", file(85), "-w", there / "w")
    assert (good.code, "consistent" in good.out, "SYNTHETIC" in good.out) == (0, True, True)
    bad = run("claims", file(90), "-w", there / "w", "--json")
    assert (bad.code, len(bad.json)) == (1, 1)


# -- issue, revoke, verify ---------------------------------------------------------------------------------------------


def test_issue_verify_revoke(run, copy, tmp_path):
    out = tmp_path / "out"
    issued = run("issue", "portrait", "2021Q3", "--subject", "U1", "--pdf", "--into", out, "-w", copy, "--json")
    assert (issued.code, len(issued.json["statements"]), len(issued.json["papers"])) == (0, 1, 1)
    ((file, name),) = issued.json["statements"].items()

    good = run("verify", file)
    assert (good.code, "signature: good" in good.out, "1 statements: everything holds" in good.out) == (0, True, True)
    revoked = run("revoke", name, "--reason", "wrong", "--into", out, "-w", copy)
    assert (revoked.code, name in revoked.out) == (0, True)
    after = run("verify", file)
    assert (after.code, "status: revoked" in after.out) == (1, True)
    again = run("issue", "portrait", "2021Q3", "--subject", "U1", "--into", out, "-w", copy)
    assert (again.code, run("verify", file).code) == (0, 0)
    third = run("issue", "portrait", "2021Q3", "--subject", "U1", "--into", out, "-w", copy)
    assert (third.code, "still stand" in third.err, "--replace" in third.err) == (2, True, True)
    kept = shutil.copy(file, tmp_path / "kept.json")
    replaced = run("issue", "portrait", "2021Q3", "--subject", "U1", "--into", out, "--replace", "-w", copy)
    assert (replaced.code, run("verify", file).code) == (0, 0)
    former = run("verify", kept, "--trust", out / "trust.json", "--status", out / "status.json")
    assert (former.code, "status: revoked" in former.out) == (1, True)


def test_a_differing_number_sets_the_exit_code(run, there, tmp_path):
    shutil.copytree(there / "w" / "issued", tmp_path / "issued")
    files = sorted((tmp_path / "issued").glob("portrait-*.json"))
    assert run("verify", *sorted((tmp_path / "issued").glob("*.json"))).code == 0
    files[0].write_text(files[0].read_text("utf-8").replace('"85.00"', '"95.00"'), "utf-8")
    found = run("verify", *files)
    assert (found.code, "signature: bad" in found.out, "1 do not hold" in found.out) == (1, True, True)
    assert not run("verify", files[0], "--json").json["good"]


def test_without_trust_no_issuer_is_known(run, there, tmp_path):
    alone = shutil.copy(there / "w" / "issued" / "portrait-U1-2021Q3.json", tmp_path)
    found = run("verify", alone)
    assert (found.code, "unknown issuer" in found.out) == (1, True)
    trusted = run("verify", alone, "--trust", there / "w" / "issued" / "trust.json")
    assert "signature: good" in trusted.out


# -- ledger ------------------------------------------------------------------------------------------------------------


def test_ledger_head_checkpoint_prove_audit(run, there, tmp_path):
    w = ("-w", there / "w")
    head = run("ledger", "head", *w, "--json").json
    assert (head["origin"], head["size"]) == ("example.org/cli", 6)
    assert f"root: {head['root']}" in run("ledger", "head", *w).out
    note = run("ledger", "checkpoint", *w)
    assert note.out.startswith("example.org/cli\n6\n")
    assert run("ledger", "checkpoint", "--size", 3, *w, "--json").json["checkpoint"].startswith("example.org/cli\n3\n")
    proof = run("ledger", "prove", 2, "--row", 0, "--since", 3, *w, "--json").json
    assert {"entry", "path", "checkpoint", "row", "consistency"} == proof.keys()
    assert json.loads(run("ledger", "prove", 2, *w).out)["entry"]["kind"] == "task"
    (tmp_path / "note").write_text(note.out)
    audit = run("ledger", "audit", "--against", tmp_path / "note", *w)
    assert (audit.code, audit.out) == (0, "the ledger audits clean: 6 entries\n")


def test_an_audit_names_what_was_rewritten(run, there, copy, tmp_path):
    note = tmp_path / "note"
    note.write_text(run("ledger", "checkpoint", "-w", there / "w").out)
    run("add", "scheme", "green_power", "-w", copy)
    assert run("ledger", "audit", "--against", note, "-w", copy).code == 0
    shutil.rmtree(copy)
    run("new", "workspace", copy, "--origin", "example.org/cli")
    rewritten = run("ledger", "audit", "--against", note, "-w", copy, "--json")
    assert (rewritten.code, rewritten.json["error"]) == (1, "Tampered")


# -- demo --------------------------------------------------------------------------------------------------------------


def test_demo_builds_and_tells_its_steps(run, small, tmp_path, monkeypatch):
    (tmp_path / "example.toml").write_text(
        f'name = "small"\norigin = "example.org/demo"\n[[programme]]\nscheme = "{small}"\nseed = 1\n'
        '[[programme.issue]]\nperiod = "2021Q3"\nstatements = ["portrait"]\nlevel = "public"\n'
    )
    text = run("demo", tmp_path, tmp_path / "built")
    assert text.code == 0
    assert "issue small 2021Q3" in text.out
    assert "2 statements: everything holds" in text.out
    data = run("demo", tmp_path, tmp_path / "built", "--json").json
    assert (data["good"], data["steps"][0]["what"], data["claims"]) == (True, "add subject", [])

    # Without arguments it is the example that comes with Mingjian, and the place is build/ here.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mingjian.workspace.shipped_example", lambda: tmp_path)
    assert run("demo").code == 0
    assert (tmp_path / "build" / "small" / "issued" / "trust.json").is_file()


def test_an_example_comes_with_mingjian():
    assert usual_folder(shipped_example()) == Path("build/chongqing")


# -- misuse ------------------------------------------------------------------------------------------------------------

MISUSES = [
    "measure 2021Q9 -w W", "measure 2021Q3 --size 99 -w W", "measure 2021Q3 --size -1 -w W", "measure 2021Q3 -m x -w W",
    "measure 2021 -m energy -w W", "measure 2021Q3 -s other -w W", "measure 2021Q3 -w nowhere", "measure", "measures",
    "explain x U1 2021Q3 -w W", "explain energy U9 2021Q3 -w W", "explain energy U1 2019Q1 -w W", "explain energy U1 x -w W",
    "add task gone.csv -w W", "add task . -w W", "add task W/keys/ledger.pem -w W", "add tasks gone.csv -w W",
    "add scheme gone -w W", "template tasks x.xlsx -w W", "template task gone/x.xlsx -w W", "template task x.txt -w W",
    "issue diploma 2021Q3 -w W", "issue portrait 2021 -w W", "issue portrait 2021Q3 --subject U9 -w W",
    "issue portrait 2021Q3 --level secret -w W", "issue portrait 2021Q3 --level -w W",
    "issue certificate 2021Q3 --pdf -w W", "revoke urn:uuid:1 --reason x -w W", "revoke urn:uuid:1 -w W",
    "verify gone.json", "verify W/issued/portrait-U1-2021Q3.json --trust gone", "verify W/issued/status.json", "verify .",
    "verify W/issued/portrait-U1-2021Q3.json --trust W/keys/ledger.pem",
    "verify W/issued/portrait-U1-2021Q3.json --status gone",
    "claims gone.toml -w W", "claims W/issued/trust.json --factors gone.csv -w W",
    "ledger prove 99 -w W", "ledger prove -1 -w W", "ledger prove 2 --row 99 -w W", "ledger prove 2 --row -1 -w W",
    "ledger prove 2 --since 99 -w W", "ledger checkpoint --size 99 -w W", "ledger checkpoint --size -1 -w W",
    "ledger audit --against gone -w W", "ledger audit --against W/projection.duckdb -w W", "ledger", "new", "new scheme Bad-Name",
    "new scheme W", "new workspace W", "new workspace fresh --scheme gone", "check gone", "demo gone built", "demo . built",
]  # fmt: skip


@pytest.mark.parametrize("line", MISUSES)
def test_misuse_says_what_and_what_to_do_and_is_no_traceback(run, there, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    answer = run(*(word.replace("W", str(there / "w")) if word[0] == "W" else word for word in line.split()))
    assert answer.code in ((1, 2) if line.startswith(("claims W", "add task W", "ledger audit")) else (2,)), answer
    assert (answer.out + answer.err).strip()
    assert "Traceback" not in answer.err
    assert not list(tmp_path.glob("*.xlsx"))


def test_errors_go_to_the_error_stream_with_their_parts(run, tmp_path):
    text = run("measure", "2021Q3", "-w", tmp_path)
    assert (text.code, text.out) == (2, "")
    assert text.err.strip().endswith(f"{tmp_path} is no workspace → `mingjian new workspace {tmp_path}` makes one")
    data = run("measure", "2021Q3", "-w", tmp_path, "--json")
    assert (data.code, data.err) == (2, "")
    assert data.json.keys() == {"error", "what", "why", "where", "remedy", "findings"}
    assert data.json["error"] == "Misuse"


# -- languages, actors, processes --------------------------------------------------------------------------------------


def test_chinese_where_it_is_asked_for(run, there, monkeypatch):
    monkeypatch.setenv("MINGJIAN_LANG", "zh")
    measured = run("measure", "2021Q3", "-w", there / "w").out
    explained = run("explain", "overall", "U1", "2021Q3", "-w", there / "w").out
    for word, text in (
        ("合成数据", measured),
        ("不予公布", measured),
        ("公式", explained),
        ("综合", explained),
        ("依据", explained),
    ):
        assert word in text
    monkeypatch.delenv("MINGJIAN_LANG")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "账本审计无误" in run("ledger", "audit", "-w", there / "w").out


def test_who_acts_is_written_down(run, copy, tmp_path, monkeypatch):
    file = tmp_path / "one.csv"
    for name, by in (("li", ["--by", "li"]), ("tester", [])):
        file.write_text(f"task,unit,quarter,possible,awarded\n{name},U1,2021Q3,10,9\n")
        entry = run("add", "task", file, *by, "-w", copy, "--json").json["entry"]
        assert run("ledger", "prove", entry, "-w", copy, "--json").json["entry"]["by"] == name


def test_help_costs_no_more_than_it_needs():
    """`mingjian --help` answers at once: what reads rows, draws or serves is imported by the verbs that need it."""
    code = "import sys, mingjian.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "ibis",
        "duckdb",
        "pyarrow",
        "numpy",
        "sqlalchemy",
        "typst",
        "fastapi",
        "rich.console",
        "mingjian.workspace",
    }
    assert heavy & set(loaded) == set()


def test_a_process_answers_with_the_exit_code(there, tmp_path):
    code = "from mingjian.cli import main; main()"

    def process(*arguments):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    good = process("ledger", "head", "-w", there / "w", "--json")
    assert (good.returncode, json.loads(good.stdout)["size"], good.stderr) == (0, 6, "")
    bad = process("ledger", "head", "-w", tmp_path)
    assert (bad.returncode, bad.stdout, "is no workspace" in bad.stderr) == (2, "", True)
