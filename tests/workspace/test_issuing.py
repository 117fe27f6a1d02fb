"""Issuing into a folder, revoking and replacing, and checking the files as whoever holds them would."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.record.evidence import Projection
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Workspace,
    issue_into,
    level_of,
    read_trust,
    trust_in,
    verify_files,
    write_status,
)  # fmt: skip

Q3 = Period.parse("2021Q3")
LATER = datetime(2021, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def issued(filled, tmp_path_factory):
    """A copy of the filled workspace that has issued every unit's portrait, U1's on paper too."""
    workspace, _ = filled
    folder = tmp_path_factory.mktemp("issued")
    shutil.copytree(workspace.folder, folder / "workspace")
    copy = Workspace.open(folder / "workspace", clock=workspace.clock)
    order = Order(Q3, {"portrait": None}, level_of("described"), papers=["U1"])
    steps = []
    written = issue_into(
        copy, copy.scheme(), order, folder / "out", by="tester", progress=lambda *step: steps.append(step)
    )
    return copy, written, folder / "out", steps


def check(files, folder):
    return verify_files(files, trust=read_trust(folder / TRUST_FILE), now=LATER, status=[folder / STATUS_FILE])


def test_every_subject_gets_a_file_and_the_chosen_ones_paper(issued):
    _, written, folder, steps = issued
    assert sorted(p.name for p in folder.iterdir()) == [
        "portrait-U1-2021Q3.json", "portrait-U1-2021Q3.pdf", "portrait-U2-2021Q3.json", STATUS_FILE, TRUST_FILE,
    ]  # fmt: skip
    assert written.papers[0].read_bytes().startswith(b"%PDF")
    assert steps == [("issue", 1, 2), ("issue", 2, 2), ("draw", 1, 1)]


def test_what_was_issued_is_recomputed(issued):
    _, written, folder, _ = issued
    report = check(written.files, folder)
    assert report.good
    assert {n.outcome for c in report.packages for n in c.numbers} <= {
        "recomputed from evidence", "recomputed from attested values", "cannot",
    }  # fmt: skip
    assert report.counts["recomputed from evidence"] >= 4


def test_a_changed_number_differs(issued, tmp_path):
    _, written, folder, _ = issued
    text = written.files[0].read_text("utf-8")
    assert text.count('"80.00"') >= 1
    forged = tmp_path / "forged.json"
    forged.write_text(text.replace('"80.00"', '"90.00"'), "utf-8")
    assert not check([forged], folder).good


def test_whom_to_trust_is_handed_over_in_a_file(issued, tmp_path):
    workspace, written, folder, _ = issued
    assert json.loads((folder / TRUST_FILE).read_text()) == trust_in(workspace)
    stranger = Workspace.create(tmp_path / "stranger", origin="example.org/stranger")
    (tmp_path / "trust.json").write_text(json.dumps(trust_in(stranger)))
    report = verify_files(written.files, trust=read_trust(tmp_path / "trust.json"), now=LATER)
    assert {c.signature.outcome for c in report.packages} == {"unknown issuer"}


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"issuer": ["did:key:x"]}', '{"issuers": "did:key:x"}', '{"issuers": [1]}', "no json", "null"]
)
def test_what_is_no_trust_file_is_refused(tmp_path, text):
    (tmp_path / "trust.json").write_text(text)
    with pytest.raises(Misuse):
        read_trust(tmp_path / "trust.json")


def test_a_missing_file_is_named(tmp_path, issued):
    _, _, folder, _ = issued
    with pytest.raises(Misuse, match=r"no file .*gone\.json"):
        check([tmp_path / "gone.json"], folder)


def test_revoked_stays_revoked_and_the_new_one_stands(issued, tmp_path):
    original, written, folder, _ = issued
    shutil.copytree(original.folder, tmp_path / "workspace")
    workspace = Workspace.open(tmp_path / "workspace", clock=original.clock)
    one, two = written.files
    entry = workspace.revoke(written.ids[one], "wrong task", "tester")
    assert (entry.by, workspace.ledger.size) == ("tester", entry.index + 1)
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    write_status(workspace, out)
    found = {c.name.split("/")[-1]: c.status.outcome for c in check(written.files, out).packages}
    assert sorted(found.values()) == ["revoked", "valid"]
    with pytest.raises(Misuse, match="revoked already"):
        workspace.revoke(written.ids[one], "again", "tester")
    with pytest.raises(Misuse, match="no statement"):
        workspace.revoke("urn:uuid:unknown", "why", "tester")

    kept = shutil.copy(two, tmp_path / "kept.json")
    order = Order(Q3, {"portrait": ["U2"]}, level_of("public"))
    with pytest.raises(Misuse, match="still stand"):
        issue_into(workspace, workspace.scheme(), order, out, by="tester")
    new = issue_into(workspace, workspace.scheme(), replace(order, replace=True), out, by="tester")
    assert check(new.files, out).good
    (old,) = check([kept], out).packages
    assert old.status.outcome == "revoked"


@pytest.mark.parametrize("level", ["public", "described", "auditor"])
def test_rows_are_taken_in_while_files_are_written(fresh, write, task, tmp_path, level):
    workspace, scheme = fresh
    workspace.add_file(scheme, "task", write("busy", [task("1", "U1", "8")]), "tester")
    other = Workspace.open(workspace.folder)
    other.projection = Projection(other.projection.path, other.ledger, wait=0)

    def meanwhile(_: str, done: int, __: int) -> None:
        other.add_file(scheme, "task", write(f"busy-{level}-{done}", [task(str(done), "U2", str(done))]), "other")
        other.measure(scheme, Q3)

    order = Order(Q3, {"portrait": None}, level_of(level), papers=["U2"])
    written = issue_into(workspace, scheme, order, tmp_path, by="tester", progress=meanwhile)
    assert (len(written.files), len(written.papers)) == (2, 1)
    assert check(written.files, tmp_path).good


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (Order(Q3, {"diploma": None}, "public"), "diploma"),
        (Order(Q3, {"portrait": ["U9"]}, "public"), "U9"),
        (Order(Period.parse("2021"), {"portrait": None}, "public"), "2021"),
        (Order(Q3, {"certificate": None}, "public", papers=["U1"]), "certificate has no template"),
    ],
)  # fmt: skip
def test_what_cannot_be_issued_leaves_no_trace(issued, tmp_path, order, message):
    workspace, *_ = issued
    size = workspace.ledger.size
    with pytest.raises(Misuse, match=message):
        issue_into(workspace, workspace.scheme(), order, tmp_path / "out", by="tester")
    assert workspace.ledger.size == size
    assert not list(tmp_path.glob("out/*.json"))


def test_levels_are_known_by_name():
    assert [level_of(name) for name in ("public", "described", "auditor")] == ["public", "described", "auditor"]
    with pytest.raises(Misuse, match="no level secret"):
        level_of("secret")


def test_papers_are_given_every_number_as_text(issued):
    """A template reckons nothing: what it is given has no number in it that is not printed already."""
    from mingjian.attest.issue import Run, issue, pack
    from mingjian.workspace._papers import Papers

    original, *_ = issued
    workspace = original
    scheme = workspace.scheme()
    with workspace.view(scheme) as view:
        hierarchy = workspace.hierarchy(scheme, view.size)
        run = Run(scheme, view, hierarchy, workspace.measure(scheme, Q3), False)
        now = workspace.clock() + timedelta(days=1)
        said = issue(run, {"portrait": ["U1"]}, ledger=workspace.ledger, key=workspace.issuer, now=now, by="tester")
        ((statement, package),) = pack(said, workspace.ledger, "described")
        data = Papers(said.run, workspace.papers(scheme)).data(statement, package, "zh")
    assert data["values"]["fulfilment"][""] == {
        "status": "value", "printed": "80.00", "unit": "percent", "period": "2021Q3",
        "title": {"en": "Fulfilment", "zh": "完成率"},
    }  # fmt: skip
    assert data["subject"]["title"]["zh"] == "一单位龘"
    assert data["subject"]["parent"]["en"] == "District"
    assert data["peers"]["fulfilment"] == {"lowest": "10.00", "middle": "10.00", "highest": "80.00", "count": "2"}
    assert [row["task"] for row in data["rows"]["task"]] == ["1", "2"]
    assert "ballot" not in data["rows"]
    assert data["beside"]["values"]["fulfilment"][""]["printed"] == "56.67"
    assert not [v for v in _leaves(data) if not isinstance(v, str | bool)]


def _leaves(data):
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value)
    else:
        yield data
