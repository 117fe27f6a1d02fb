"""Papers of statements, letters: what they are given, and that many are drawn as one is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mingjian.attest.issue import issue, pack
from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Title
from mingjian.workspace import Letters, Order, Papers, Workspace, issue_into, letter
from mingjian.workspace._papers import run_in

FEEDBACK = Path(__file__).parent / "feedback"
Q3 = Period.parse("2021Q3")
AT = datetime(2021, 10, 20, 1, tzinfo=UTC)
OFFICE = Title("The office", "某办公室")


def subject(name: str, type: str, zh: str, parent: str = "") -> dict[str, str]:
    return {"id": name, "type": type, "zh": zh, "en": name, "from": "2021-01-01"} | (
        {"parent": parent} if parent else {}
    )


def task(name: str, unit: str, points: str | None, quarter: str = "2021Q3", **more: str) -> dict[str, str | None]:
    return {"task": name, "unit": unit, "quarter": quarter, "area": "study", "points": points, **more}


ROWS = {
    "subject": [
        subject("U1", "unit", "=一单位龘"),
        subject("U2", "unit", "二单位"),
        subject("U3", "unit", "三单位"),
        subject("L9", "leader", "甲", "U1"),
        subject("L1", "leader", "乙", "U2"),
    ],
    "task": [
        task("T1", "U1", "60.0", secret="谁也不给看"),
        task("T2", "U1", "-5.5", area="work"),
        task("T3", "U2", "10.0"),
        task("T4", "U3", None),
        task("T0", "U1", "1.0", "2021Q2"),
    ],
    "report": [{"task": "T1", "unit": "U1", "text": "已完成"}, {"task": "T0", "unit": "U1", "text": "早已完成"}],
    "item": [{"item": "I1", "unit": "U1", "day": "2021-08-01"}],
    "reply": [
        {"reply": "2", "about": "U1", "period": "2021Q3", "text": "又及", "date": "2021-10-12"},
        {"reply": "1", "about": "U1", "period": "2021Q3", "text": "已整改", "date": "2021-10-11"},
        {"reply": "3", "about": "U1", "period": "2021Q2", "text": "上季度的", "date": "2021-08-01"},
        {"reply": "4", "about": "L9", "period": "2021Q3", "text": "个人答复", "date": "2021-10-12"},
    ],
    "vote": [{"about": "L9", "day": "2021-08-01", "mark": m} for m in range(10)]
    + [{"about": "L1", "day": "2021-08-01", "mark": 3}],
}


@pytest.fixture(scope="module")
def office(office_with) -> Workspace:
    return office_with("papers", FEEDBACK, ROWS, synthetic="item")


@pytest.fixture(scope="module")
def issued(office):
    """Papers, and the statements of all units with their packages."""
    scheme = office.scheme()
    papers = Papers.of(office, scheme, Q3, office=OFFICE)
    with office.view(scheme) as view:
        run = run_in(office, scheme, view, Q3)
        said = issue(run, {"unit_portrait": None}, ledger=office.ledger, key=office.issuer, now=AT, by="tester")
        return papers, list(pack(said, office.ledger, "described"))


def test_many_are_drawn_as_each_alone(issued, tmp_path):
    papers, items = issued
    seen: list[int] = []
    written = papers.write_all(iter(items), tmp_path, "zh", seen.append)
    assert [file.name for file in written] == [f"unit_portrait-{name}-2021Q3.pdf" for name in ("U1", "U2", "U3")]
    assert seen == [1, 2, 3]
    for file, (statement, package) in zip(written, items, strict=True):
        assert file.read_bytes() == papers.pdf(statement, package, "zh")


def test_what_cannot_be_drawn_stops_them(office, issued, tmp_path, monkeypatch):
    _, items = issued
    monkeypatch.setattr(office, "papers", lambda scheme: tmp_path)
    lost = Papers.of(office, office.scheme(), Q3)
    with pytest.raises(Misuse, match="no such template"):
        lost.write_all(items, tmp_path, "zh")


def test_the_office_stands_on_top_and_the_ledger_where_it_is_verified(issued):
    papers, items = issued
    data = papers.data(*items[0], "en")
    assert data["statement"]["issuer"] == {"en": "The office", "zh": "某办公室"}
    assert data["verify"]["origin"] == "example.org/papers"


def test_replies_to_this_portrait_stand_on_it(issued):
    papers, items = issued
    replies = [papers.data(*item, "zh")["replies"] for item in items]
    assert [[reply["text"] for reply in each] for each in replies] == [["已整改", "又及"], [], []]


def test_a_parameter_that_is_a_table_is_told(issued):
    papers, items = issued
    worth = papers.data(*items[0], "zh")["parameters"]["worth"]
    assert [(row["name"], row["value"], row["title"]["zh"]) for row in worth["table"]] == [
        ("study", "2", "=学习"), ("work", "3", "工作"),
    ]  # fmt: skip
    assert "value" not in worth


def test_a_reply_that_came_later_stands_on_a_paper_drawn_again(office, write, tmp_path):
    scheme = office.scheme()
    before = office.ledger.size
    late = [{"reply": "5", "about": "U2", "period": "2021Q3", "text": "迟到的", "date": "2021-11-01"}]
    office.add_file(scheme, "reply", write("papers-late", late), "tester")
    papers = Papers.of(office, scheme, Q3, size=before)
    assert [reply["text"] for reply in papers.facts.replies("U2")] == ["迟到的"]
    assert papers.facts.run.view.size == before


def test_papers_are_issued_for_people_too(office, tmp_path):
    order = Order(Q3, {"leader_portrait": None}, papers=["L9"], language="en", office=OFFICE)
    written = issue_into(office, office.scheme(), order, tmp_path, by="tester")
    assert [file.name for file in written.papers] == ["leader_portrait-L9-2021Q3.pdf"]
    assert len(written.files) == 2


# -- letters -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def letters(office) -> Letters:
    return Letters(office, office.scheme(), Q3, office=OFFICE)


def test_a_letter_has_the_rows_of_the_quarter_and_what_refers_to_them(letters):
    rows = letters.data("U1", "zh", at=AT)["rows"]
    assert {kind: [row["task"] for row in found] for kind, found in rows.items()} == {
        "task": ["T1", "T2"],
        "report": ["T1"],
    }
    assert rows["task"][0] == {
        "task": "T1", "unit": "U1", "quarter": "2021Q3", "area": "study", "points": "60.0",
        "titles": {"area": {"en": "=Study", "zh": "=学习"}},
    }  # fmt: skip


def test_nothing_confidential_is_in_a_letter(letters):
    told = str(letters.data("U1", "zh", at=AT))
    assert "谁也不给看" not in told
    assert "I1" not in told
    assert "已整改" not in told


def test_a_letter_knows_until_when(letters):
    data = letters.data("U1", "zh", at=AT)
    assert set(data["cases"]["duty"]) == {"T1", "T2"}
    case = data["cases"]["duty"]["T1"]
    assert case["state"] == "open"
    assert case["due"] > "2021-10-08"
    assert data["terms"] == {"duty": {"open": {"within": "5", "days": "calendar"}}}


def test_a_letter_is_drawn_the_same_twice(office, letters):
    first = letters.pdf("U1", "zh", at=office.clock())
    assert first.startswith(b"%PDF")
    assert first == letter(office, office.scheme(), "U1", Q3, "zh", office=OFFICE)
    assert first != letters.pdf("U2", "zh", at=office.clock())
    assert letters.data("U1", "zh", at=datetime(2021, 10, 19, 17, tzinfo=UTC))["date"] == "2021-10-20"


def test_whoever_is_not_there_gets_no_letter(letters):
    with pytest.raises(Misuse, match="no subject U7"):
        letters.pdf("U7", "zh", at=AT)


def test_a_scheme_without_letters_says_so(filled):
    workspace, scheme = filled
    with pytest.raises(Misuse, match=r"has no letters.*templates/letter\.typ"):
        Letters(workspace, scheme, Q3)
