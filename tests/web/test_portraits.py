"""Portraits in the browser: who sees whose, why each number is what it is, replies, uses and issuing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Workspace

SCRIPT = "<script>alert('明')</script>"
SUBJECTS = [
    {"id": "D", "type": "district", "zh": "北碚区", "en": "District", "from": "2020-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": f"一局{SCRIPT}", "en": "Bureau one", "from": "2020-01-01"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二局", "en": "Bureau two", "from": "2020-01-01"},
    {"id": "L1", "type": "leader", "parent": "U1", "zh": "龘靐", "en": "Da Bing", "from": "2020-01-01"},
    {"id": "L2", "type": "leader", "parent": "U2", "zh": "丁", "en": "Ding", "from": "2020-01-01"},
]
INDICATORS = [
    {"code": code, "aspect": "A", "aspect_zh": "组织", "aspect_en": "Organisation", "zh": zh, "en": en}
    | {"weight": "5.0", "since": "2020-01-01"}
    for code, zh, en in (("1", "研究部署", "Study"), ("2", "警示教育", "Warning"))
]
PEOPLE = {
    "assessor": ("assessor", "D"),
    "head1": ("head", "U1"),
    "rep2": ("reporter", "U2"),
    "leader1": ("described", "L1"),
}
PORTRAIT = "/portraits/U1?period=2021Q3"


def task(name: str, unit: str, indicator: str, awarded: str) -> dict[str, Any]:
    said = {"quarter": "2021Q3", "deadline": "2021-09-10", "possible": "5.0", "awarded": awarded, "state": "on_time"}
    return {"task": name, "unit": unit, "indicator": indicator, **said}


def item(name: str, about: str) -> dict[str, Any]:
    kind = {"severity": "minor", "source": "daily", "state": "substantiated"}
    return {"item": name, "received": "2021-08-10", "about": about, "established": "2021-08-11", **kind}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with one quarter behind it."""
    folder = tmp_path_factory.mktemp("portraits") / "office"
    start = datetime(2021, 10, 8, 8, tzinfo=UTC)
    workspace = Workspace.create(folder, origin="example.org/office", clock=lambda: start)
    scheme = workspace.adopt("three_portraits", "setup")
    tasks = [task("T1", "U1", "1", "5.0"), task("T2", "U1", "2", "2.0"), task("T3", "U2", "1", "4.0")]
    rows = {"subject": SUBJECTS, "indicator": INDICATORS, "task": tasks, "item": [item("I1", "U1"), item("I2", "L1")]}
    for kind, listed in rows.items():
        workspace.add(scheme, kind, read_rows(listed, evidence_types(scheme)[kind], zone=scheme.zone), "setup")
    return folder


@pytest.fixture
def people(office: Any) -> dict[str, Any]:
    return {name: office.browser(name, *role) for name, role in PEOPLE.items()}


def test_a_portrait_says_the_weakest_first_and_why(people: dict[str, Any], said: Any) -> None:
    page = said(people["head1"].get(PORTRAIT))
    assert "70.00" in page
    assert page.index("Weakest first") < page.index("Warning") < page.index("All 2 indicators")
    why = said(people["head1"].get("/why/U1/indicator_score?period=2021Q3&member=2"))
    assert "40.00" in why
    for words in ("Base points awarded", "Points possible", "Formula", "T2"):
        assert words in why


def test_who_sees_whose(people: dict[str, Any], office: Any) -> None:
    seen = {
        name: {
            subject: browser.get(f"/portraits/{subject}?period=2021Q3").status_code for subject in ("U1", "U2", "L1")
        }
        for name, browser in people.items()
    }
    assert seen == {
        "assessor": {"U1": 200, "U2": 200, "L1": 200},
        "head1": {"U1": 200, "U2": 403, "L1": 403},
        "rep2": {"U1": 403, "U2": 200, "L1": 403},
        "leader1": {"U1": 403, "U2": 403, "L1": 200},
    }
    assert office.stranger().get(PORTRAIT, follow=False).status_code == 303
    assert "/portraits/L1" in str(people["leader1"].get("/portraits").url)


def test_every_look_at_a_person_is_logged(people: dict[str, Any], office: Any) -> None:
    people["assessor"].get("/portraits/L1?period=2021Q3")
    people["head1"].get("/portraits/L1?period=2021Q3")
    reads = office.house.office.reads.rows()
    assert [(read.what, read.subject) for read in reads] == [("portrait", "L1")]


def test_rows_above_a_label_are_counted_and_not_shown(people: dict[str, Any], said: Any) -> None:
    address = "/why/U1/items_substantiated?period=2021Q3"
    assert "I1" in said(people["assessor"].get(address))
    hidden = said(people["head1"].get(address))
    assert "I1" not in hidden
    assert "not shown at your level" in hidden


def test_those_described_answer_and_nobody_in_their_place(people: dict[str, Any], said: Any) -> None:
    sent = {"period": "2021Q3", "reply-text": f"已整改 {SCRIPT}"}
    assert people["rep2"].post("/portraits/U1/reply", sent).status_code == 403
    assert people["head1"].post("/portraits/L1/reply", sent).status_code == 403
    page = people["head1"].post("/portraits/U1/reply", sent)
    assert "The reply is recorded" in said(page)
    assert SCRIPT not in page.text
    assert "已整改" in said(people["assessor"].get(PORTRAIT))
    empty = people["head1"].post("/portraits/U1/reply", {"period": "2021Q3", "reply-text": ""})
    assert empty.status_code == 422
    assert 'id="bad-reply-text"' in empty.text


def test_a_use_names_who_decided(people: dict[str, Any], said: Any) -> None:
    sent = {"period": "2021Q3", "use-purpose": "feedback", "use-decision": "谈话提醒", "use-decided_by": "组长"}
    assert people["head1"].post("/portraits/U1/use", sent).status_code == 403
    assert "组长" in said(people["assessor"].post("/portraits/U1/use", sent))
    lacking = people["assessor"].post("/portraits/U1/use", {**sent, "use-decided_by": " "})
    assert lacking.status_code == 422
    assert 'id="bad-use-decided_by"' in lacking.text


def test_issued_on_paper_and_as_a_statement(people: dict[str, Any], said: Any) -> None:
    assert people["head1"].post("/portraits/U1/issue", {"period": "2021Q3"}).status_code == 403
    assert "issued and signed" in said(people["assessor"].post("/portraits/U1/issue", {"period": "2021Q3"}))
    paper = people["head1"].get("/portraits/U1/paper.pdf?period=2021Q3")
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["Content-Disposition"].startswith("attachment")
    assert people["rep2"].get("/portraits/U1/paper.pdf?period=2021Q3").status_code == 403
    statement = people["head1"].get("/portraits/U1/statement.json?period=2021Q3").json()
    assert statement["credential"]["credentialSubject"]["id"].endswith("U1")
    assert people["head1"].get("/portraits/U1/keys.pem?period=2021Q3").status_code == 404


@pytest.mark.parametrize("path", ["/portraits/U1/reply", "/portraits/U1/use", "/portraits/U1/issue"])
def test_forms_of_other_sites_are_refused(people: dict[str, Any], path: str) -> None:
    for browser in (people["head1"], people["assessor"]):
        assert browser.ask("POST", path, data={"period": "2021Q3", "reply-text": "x"}).status_code == 403


def test_names_are_shown_as_text(people: dict[str, Any]) -> None:
    people["assessor"].post("/language", {"language": "zh", "back": "/"})
    for path in ("/portraits", PORTRAIT, "/why/U1/assessment?period=2021Q3"):
        page = people["assessor"].get(path)
        assert SCRIPT not in page.text
        assert "一局" in page.text


@pytest.mark.parametrize("path", ["/portraits/U9", "/why/U9/assessment?period=2021Q3"], ids=["portrait", "why"])
def test_who_is_not_there_is_as_one_out_of_reach(people: dict[str, Any], path: str) -> None:
    assert people["rep2"].get(path).status_code == 403
    assert people["rep2"].get("/portraits/U2?period=nonsense").status_code in (400, 404, 422)
