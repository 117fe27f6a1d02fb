"""An office at work: who sees what, who may do what, and a quarter played through by its people."""

from __future__ import annotations

import io
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from mingjian.base.errors import Forbidden, MingjianError
from mingjian.base.values import Period
from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Casework, Conflict, Desk, Office, Steward, Workspace, grants

Q4 = Period.parse("2021Q4")
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"


class Calendar:
    """The day that it is in the office."""

    def __init__(self) -> None:
        self.at = datetime(2021, 10, 12, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def turn_to(self, day: str) -> None:
        self.at = datetime.fromisoformat(f"{day}T02:00:00+00:00")


SUBJECTS = [
    {"id": "D", "type": "district", "zh": "北碚区", "en": "District", "from": "2020-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "一局", "en": "Bureau one", "from": "2020-01-01"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二局", "en": "Bureau two", "from": "2020-01-01"},
    {"id": "L1", "type": "leader", "parent": "U1", "zh": "龘靐", "en": "Da Bing", "from": "2020-01-01"},
    {"id": "L2", "type": "leader", "parent": "U2", "zh": "丁", "en": "Ding", "from": "2020-01-01"},
]
INDICATOR = {
    "code": "1",
    "aspect": "A",
    "aspect_zh": "组织",
    "aspect_en": "Organisation",
    "zh": "研究部署",
    "en": "Study",
}
GRANTS = {
    "office": ("office", "D"),
    "assessor": ("assessor", "D"),
    "assessor2": ("assessor", "D"),
    "rep1": ("reporter", "U1"),
    "rep2": ("reporter", "U2"),
    "head1": ("head", "U1"),
    "leader1": ("described", "L1"),
    "body1": ("resident", "U1"),
}


def task(name: str, unit: str, deadline: str = "2021-11-10") -> dict[str, Any]:
    return {"task": name, "unit": unit, "indicator": "1", "quarter": "2021Q4", "deadline": deadline, "possible": "5.0"}


@pytest.fixture
def clock() -> Calendar:
    return Calendar()


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office on its first day, to be copied: recording a scheme runs all its cases, once is enough."""
    folder = tmp_path_factory.mktemp("laid") / "office"
    workspace = Workspace.create(folder, origin="example.org/office", clock=Calendar())
    opened = Office(workspace, workspace.adopt("three_portraits", "setup").id)
    put(opened, "subject", SUBJECTS)
    put(opened, "indicator", [{**INDICATOR, "weight": "5.0", "since": "2020-01-01"}])
    put(opened, "task", [task("T1", "U1"), task("T2", "U1"), task("T3", "U2")])
    rows = [
        {"account": who, "role": role, "subject": over, "since": date(2021, 1, 1), "until": None, "by": "setup"}
        for who, (role, over) in GRANTS.items()
    ]
    grants(opened, rows, "setup")
    return folder


@pytest.fixture
def office(laid: Path, tmp_path: Path, clock: Calendar) -> Office:
    shutil.copytree(laid, tmp_path / "office")
    return Office(Workspace.open(tmp_path / "office", clock=clock))


def put(office: Office, kind: str, rows: list[dict[str, Any]]) -> None:
    scheme = office.workspace.scheme(office.id)
    office.workspace.add(scheme, kind, read_rows(rows, evidence_types(scheme)[kind], zone=scheme.zone), "setup")


def report(desk: Desk, name: str, seen: int = 0) -> None:
    rows = {"report": [{"text": "已组织专题学习四次"}]}
    desk.act("duty", name, "report", expected=seen, rows=rows, files=[("纪要.pdf", io.BytesIO(PDF))])


def test_a_quarter_is_played_through(office: Office, clock: Calendar) -> None:
    reporter, assessor = office.desk("rep1"), office.desk("assessor")
    assert [case.id for case in reporter.cases("duty")] == ["T1", "T2"]

    report(reporter, "T1")
    seen = assessor.case("duty", "T1")
    assert seen.rows["report"][0].data["text"] == "已组织专题学习四次"
    kept, content = assessor.attachment("duty", "T1", seen.rows["attachment"][0].data["sha256"])
    assert (kept.name, content) == ("纪要.pdf", PDF)

    deduction = {"kind": "deduction", "reason": "shallow", "points": "1.5", "note": "不深不细", "proof": "纪要.pdf"}
    assessor.act("duty", "T1", "review", expected=1, fills={"awarded": "5.0"}, rows={"adjustment": [deduction]})
    shown = reporter.case("duty", "T1")
    assert shown.case.state == "reviewed"
    assert shown.case.due == date(2021, 10, 19)  # five working days
    assert shown.rows["adjustment"][0].data["reason"] == "shallow"
    before = reporter.portrait("U1", Q4)
    assert before.values["assessment"][""].printed == "70.00"

    appeal = {"disputed": "扣1.5分", "grounds": "另有佐证"}
    reporter.act("duty", "T1", "appeal", expected=2, rows={"appeal": [appeal]})
    given_back = {"kind": "bonus", "reason": "upheld", "points": "1.0", "note": "部分成立", "proof": "补充材料"}
    fills = {"awarded": "5.0", "state": "on_time"}
    assessor.act("duty", "T1", "decide", expected=3, fills=fills, rows={"adjustment": [given_back]})
    assert reporter.case("duty", "T1").case.state == "fixed"
    assert reporter.portrait("U1", Q4).values["assessment"][""].printed == "90.00"

    clock.turn_to("2021-11-11")
    report(reporter, "T2")
    assert reporter.case("duty", "T2").case.row["state"] == "late"
    assessor.act("duty", "T3", "missing", expected=0)
    assert assessor.case("duty", "T3").case.row["state"] == "missing"


def test_another_units_list_is_as_if_it_were_not_there(office: Office) -> None:
    reporter = office.desk("rep1")
    with pytest.raises(Forbidden) as hidden:
        reporter.case("duty", "T3")
    with pytest.raises(Forbidden) as absent:
        reporter.case("duty", "T999")
    assert str(hidden.value).replace("T3", "T999") == str(absent.value)
    for forbidden in (
        lambda: reporter.cases("duty", subject="U2"),
        lambda: report(reporter, "T3"),
        lambda: reporter.portrait("U2", Q4),
        lambda: reporter.explain("assessment", "U2", Q4),
        lambda: reporter.panorama(Q4),
        lambda: office.desk("").portrait("U1", Q4),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_a_role_that_is_taken_away_ends_at_once(office: Office) -> None:
    reporter = office.desk("rep1")
    assert reporter.cases("duty")
    Steward(office, "office").take("rep1", "reporter", "U1")
    assert not reporter.cases("duty")
    with pytest.raises(Forbidden, match="no case T1"):
        report(reporter, "T1")


def test_only_those_who_may_give_roles_give_them(office: Office) -> None:
    with pytest.raises(Forbidden, match="you may not give"):
        Steward(office, "assessor").give("mallory", "assessor", "D")
    Steward(office, "office").give("new", "reporter", "U2")
    assert [case.id for case in office.desk("new").cases("duty")] == ["T3"]


def test_two_assessors_on_one_item_at_once(office: Office) -> None:
    report(office.desk("rep1"), "T1")
    barrier, outcomes = Barrier(2), []

    def review(who: str, points: str) -> None:
        barrier.wait()
        try:
            office.desk(who).act("duty", "T1", "review", expected=1, fills={"awarded": points})
            outcomes.append("done")
        except Conflict:
            outcomes.append("conflict")

    threads = [Thread(target=review, args=pair) for pair in (("assessor", "5.0"), ("assessor2", "3.0"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "done"]
    assert office.desk("assessor").case("duty", "T1").case.version == 2


def test_a_deadline_that_passes_while_the_form_is_open(office: Office, clock: Calendar) -> None:
    report(office.desk("rep1"), "T1")
    office.desk("assessor").act("duty", "T1", "review", expected=1, fills={"awarded": "4.0"})
    assert [offer.act.id for offer in office.desk("rep1").case("duty", "T1").offers if offer.allowed] == ["appeal"]
    clock.turn_to("2021-10-20")
    appeal = {"disputed": "x", "grounds": "y"}
    with pytest.raises(Forbidden, match="last day was 2021-10-19"):
        office.desk("rep1").act("duty", "T1", "appeal", expected=2, rows={"appeal": [appeal]})
    (offer,) = office.desk("rep1").case("duty", "T1").offers
    assert not offer.allowed
    assert offer.why is not None
    assert "2021-10-19" in offer.why.en
    assert "已过" in offer.why.zh


def test_a_bad_row_keeps_the_whole_act_out(office: Office) -> None:
    report(office.desk("rep1"), "T1")
    size = office.workspace.ledger.size
    deduction = {"kind": "deduction", "reason": "mood", "points": "-1", "note": "", "proof": "p"}
    assessor = office.desk("assessor")
    with pytest.raises(MingjianError) as refused:
        assessor.act("duty", "T1", "review", expected=1, fills={"awarded": "9.0"}, rows={"adjustment": [deduction]})
    assert {f.place.field for f in refused.value.findings} >= {"awarded", "reason", "points", "note"}
    assert office.workspace.ledger.size == size


def test_a_person_sees_their_own_portrait_and_every_read_is_logged(office: Office) -> None:
    leader = office.desk("leader1")
    assert leader.portrait("L1", Q4).subject.id == "L1"
    for who in ("rep1", "head1", "rep2", ""):
        with pytest.raises(Forbidden):
            office.desk(who).portrait("L1", Q4)
    office.desk("assessor").portrait("L1", Q4)
    assert [(r.account, r.what, r.subject) for r in Steward(office, "office").reads()] == [
        ("assessor", "portrait", "L1"),
        ("leader1", "portrait", "L1"),
    ]
    with pytest.raises(Forbidden):
        Steward(office, "assessor").reads()


def test_a_reply_is_the_subjects_own_and_stands_on_the_portrait(office: Office) -> None:
    row = {"period": "2021Q4", "text": "已整改", "date": "2021-10-12"}
    with pytest.raises(Forbidden):
        office.desk("head1").add("reply", "U2", row)
    office.desk("leader1").add("reply", "L1", row)
    office.desk("leader1").add("reply", "L1", {**row, "text": "补充说明"})
    assert [r.data["text"] for r in office.desk("assessor").portrait("L1", Q4).replies] == ["已整改", "补充说明"]


def test_what_a_portrait_was_used_for_names_who_decided(office: Office) -> None:
    row = {"period": "2021Q4", "purpose": "feedback", "decision": "谈话", "decided_by": "组长", "date": "2021-10-12"}
    with pytest.raises(Forbidden):
        office.desk("rep1").add("use", "U1", row)
    office.desk("assessor").add("use", "U1", row)
    assert office.desk("assessor").portrait("U1", Q4).uses[0].data["decided_by"] == "组长"
    assert office.desk("leader1").portrait("L1", Q4).uses == ()


def test_rows_above_a_readers_label_are_counted_and_not_shown(office: Office) -> None:
    item = {
        "item": "I1",
        "received": "2021-10-10",
        "about": "U1",
        "severity": "minor",
        "established": "2021-10-11",
        "source": "daily",
        "state": "substantiated",
    }
    put(office, "item", [item])
    shown = office.desk("assessor").explain("items_substantiated", "U1", Q4).root.reductions[0]
    hidden = office.desk("head1").explain("items_substantiated", "U1", Q4).root.reductions[0]
    assert (shown.count, len(shown.rows)) == (1, 1)
    assert (hidden.count, len(hidden.rows)) == (1, 0)
    assert [r.what for r in Steward(office, "office").reads(account="assessor")] == ["item"]


def test_a_list_is_filled_in_a_file_and_lands_whole(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "报告.csv"
    file.write_text("task,unit,text,planned,done\nT1,U1,已办,4,4\nT2,U1,已办,2,1\n", "utf-8")
    assert Casework(office, "rep1").act_file("duty", "report", file) == 2
    assert {case.state for case in office.desk("rep1").cases("duty")} == {"reported"}
    file.write_text("task,unit,text,planned,done\nT3,U2,已办,4,4\n", "utf-8")
    with pytest.raises(Forbidden, match="no case T3"):
        Casework(office, "rep1").act_file("duty", "report", file)
    assert office.desk("rep2").cases("duty")[0].state == "listed"


def test_the_office_reads_the_same_after_a_restart(office: Office) -> None:
    report(office.desk("rep1"), "T1")
    again = Office(Workspace.open(office.workspace.folder, clock=office.workspace.clock), office.id)
    assert again.desk("rep1").case("duty", "T1") == office.desk("rep1").case("duty", "T1")


def test_the_panorama_lays_out_every_unit_by_id(office: Office) -> None:
    report(office.desk("rep1"), "T1")
    office.desk("assessor").act("duty", "T1", "review", expected=1, fills={"awarded": "4.0"})
    laid = office.desk("assessor").panorama(Q4)
    assert [s.id for s in laid.subjects] == ["U1", "U2"]
    assert laid.cells["U1", "1"].printed == "80.00"
    assert laid.members[0].group_zh == "组织"


def test_what_two_say_at_once_stays_said(office: Office) -> None:
    row = {"period": "2021Q4", "date": "2021-10-12"}
    barrier = Barrier(2)

    def reply(text: str) -> None:
        barrier.wait()
        office.desk("head1").add("reply", "U1", {**row, "text": text})

    threads = [Thread(target=reply, args=[text]) for text in ("一", "二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    replies = office.desk("assessor").portrait("U1", Q4).replies
    assert sorted(kept.data["text"] for kept in replies) == ["一", "二"]
    with pytest.raises(Conflict, match="there already"):
        office.desk("head1").add("reply", "U1", {**row, "reply": replies[0].data["reply"], "text": "改口"})


def test_a_file_does_not_take_the_place_of_anothers_row(office: Office, tmp_path: Path) -> None:
    item = {"item": "I1", "received": "2021-10-10", "severity": "minor", "source": "daily", "state": "received"}
    put(office, "item", [{**item, "about": "U2"}])
    file = tmp_path / "items.csv"
    file.write_text(",".join([*item, "about"]) + "\n" + ",".join([*item.values(), "U1"]) + "\n", "utf-8")
    with pytest.raises(Forbidden, match="U2"):
        office.desk("body1").add_file("item", file)
    file.write_text(file.read_text("utf-8").replace("I1", "I2"), "utf-8")
    assert office.desk("body1").add_file("item", file).rows == 1


def test_an_act_does_not_undo_a_row_that_changed_meanwhile(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new deadline comes in between what the reporter saw and what they send."""
    real = office.workspace.ledger.append_all

    def after_a_change(batches: Any, check: Any = None) -> Any:
        monkeypatch.setattr(office.workspace.ledger, "append_all", real)
        put(office, "task", [task("T1", "U1", "2021-12-31")])
        return real(batches, check=check)

    monkeypatch.setattr(office.workspace.ledger, "append_all", after_a_change)
    with pytest.raises(Conflict, match="has changed"):
        report(office.desk("rep1"), "T1")
    assert office.desk("rep1").case("duty", "T1").case.due == date(2021, 12, 31)


def test_why_the_first_index_is_what_it_is_lies_ready_when_people_come(
    office: Office, clock: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.turn_to("2022-01-10")
    office.make_ready()
    monkeypatch.setattr(office.workspace, "explain", lambda *_, **__: pytest.fail("it was worked out again"))
    assert [office.desk("assessor").explain("assessment", unit, Q4).root.value.subject for unit in ("U1", "U2")] == [
        "U1",
        "U2",
    ]
