"""A quarter of reporters and assessors over HTTP, and everything that somebody might try meanwhile."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import quote

import pytest
import python_calamine
import xlsxwriter

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Office, Steward, Workspace

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
ACTIVE_PDF = (
    b"%PDF-1.7\n1 0 obj << /Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >> endobj\n%%EOF\n"
)
SCRIPT = "<script>alert('明')</script>"
SUBJECTS = [
    {"id": "D", "type": "district", "zh": "北碚区", "en": "District", "from": "2020-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "一局", "en": "Bureau one", "from": "2020-01-01"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二局", "en": "Bureau two", "from": "2020-01-01"},
]
INDICATORS = [
    {"code": code, "aspect": "A", "aspect_zh": "组织", "aspect_en": "Organisation", "zh": zh, "en": en}
    | {"weight": "5.0", "since": "2020-01-01"}
    for code, zh, en in (("1", "研究部署", "Study"), ("2", "警示教育", "Warning"))
]
NOTHING: Mapping[str, str] = {}
ODD = "任务/二 ../T&2?"  # a key may be anything


def task(name: str, unit: str, indicator: str = "1", deadline: str = "2021-11-10") -> dict[str, Any]:
    quarter = {"quarter": "2021Q4", "deadline": deadline, "possible": "5.0"}
    return {"task": name, "unit": unit, "indicator": indicator, **quarter}


def put(office: Office, kind: str, rows: list[dict[str, Any]]) -> None:
    scheme = office.workspace.scheme(office.id)
    office.workspace.add(scheme, kind, read_rows(rows, evidence_types(scheme)[kind], zone=scheme.zone), "setup")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office on its first day: recording a scheme runs all its cases, once is enough."""
    folder = tmp_path_factory.mktemp("work") / "office"
    start = datetime(2021, 10, 8, 8, tzinfo=UTC)
    workspace = Workspace.create(folder, origin="example.org/office", clock=lambda: start)
    office = Office(workspace, workspace.adopt("three_portraits", "setup").id)
    put(office, "subject", SUBJECTS)
    put(office, "indicator", INDICATORS)
    put(office, "task", [task("T1", "U1"), task(ODD, "U1", "2"), task("T3", "U2")])
    return folder


@pytest.fixture
def people(office: Any) -> dict[str, Any]:
    """Who works here."""
    roles = {"assessor": ("assessor", "D"), "rep1": ("reporter", "U1"), "rep2": ("reporter", "U2")}
    return {name: office.browser(name, *role) for name, role in roles.items()}


def at(case: str, process: str = "duty") -> str:
    return f"/tasks/{process}/case?id={quote(case, safe='')}"


def acted(browser: Any, case: str, act: str, seen: int, *, process: str = "duty", files: Any = (), **data: Any) -> Any:
    """An act as its form sends it; ``rows`` and fields have dots in their names, so they come in ``more``."""
    more = data.pop("more", {})
    return browser.post(at(case, process), {"act": act, "seen": str(seen), **more, **data}, files=files)


def report(browser: Any, case: str, seen: int = 0, text: str = "已学习四次", files: Any = ()) -> Any:
    return acted(browser, case, "report", seen, files=files, more={"rows.report": "1", "row.report.1.text": text})


def reviewed(browser: Any, case: str, row: Mapping[str, str] = NOTHING, *, seen: int = 1, awarded: str = "5.0") -> Any:
    """A review with the second row of deductions filled in and the first left empty."""
    more = {"fill.awarded": awarded, **{f"row.adjustment.2.{name}": value for name, value in row.items()}}
    return acted(browser, case, "review", seen, more={"rows.adjustment": "2", **more})


DEDUCTION = {"kind": "deduction", "reason": "shallow", "points": "1.5", "note": "不深不细", "proof": "纪要"}
PROOF = [("files", ("纪要.pdf", PDF))]


# -- the quarter --------------------------------------------------------------------------------------------------------
def test_a_quarter_is_played_through(office: Any, people: dict[str, Any], said: Any) -> None:
    assessor, reporter = people["assessor"], people["rep1"]
    listed = said(reporter.get("/tasks"))
    for words in ("Task of the list", "Study", "Warning", "33 days left", "Report"):
        assert words in listed
    assert "Bureau two" not in listed

    done = report(reporter, "T1", files=PROOF)
    assert done.status_code == 200
    assert "Done: Report. It is now: Reported." in said(done)
    queue = said(assessor.get("/tasks/duty?state=reported"))
    assert "1 found" in queue
    shown = assessor.get(at("T1"))
    assert "已学习四次" in shown.text
    link = re.search(r'href="(/tasks/duty/attachment[^"]+)"', shown.text)
    assert link is not None
    file = assessor.get(unescape(link[1]))
    assert file.content == PDF
    assert file.headers["Content-Type"] == "application/pdf"
    assert file.headers["Content-Disposition"].startswith("attachment; ")
    assert f"filename*=UTF-8''{quote('纪要.pdf')}" in file.headers["Content-Disposition"]
    assert file.headers["Content-Security-Policy"].startswith("sandbox")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Cache-Control"] == "no-store"

    assert "It is now: Reviewed" in said(reviewed(assessor, "T1", DEDUCTION))
    seen = said(reporter.get(at("T1")))
    for words in ("Deduction", "Neither deep nor fine", "1.5", "不深不细", "Assessor", "Appeal"):
        assert words in seen
    appeal = {"rows.appeal": "1", "row.appeal.1.disputed": "扣1.5分", "row.appeal.1.grounds": "另有佐证"}
    assert "Under appeal" in said(acted(reporter, "T1", "appeal", 2, more=appeal))
    back = {"kind": "bonus", "reason": "upheld", "points": "1.0", "note": "部分成立", "proof": "补充材料"}
    more = {f"row.adjustment.1.{name}": value for name, value in back.items()} | {"rows.adjustment": "2"}
    fills = {"fill.awarded": "5.0", "fill.state": "on_time"}
    assert "Fixed" in said(acted(assessor, "T1", "decide", 3, more=more | fills, note="部分采纳"))
    assert "部分采纳" in said(reporter.get(at("T1")))

    found = {"kind": "problem", "row.problem.1.text": "台账缺页", "row.problem.1.deadline": "2021-10-20"}
    for _ in range(2):  # twice is once
        added = assessor.post(f"/tasks/duty/case/add?id={quote('T1')}", found)
        assert "Added: Problem" in said(added)
    (problem,) = office.house.office.desk(people_account(office, "rep1")).cases("problem")
    assert problem.due == date(2021, 10, 20)
    mended = {"rows.rectification": "1", "row.rectification.1.measures": "已补齐"}
    assert "To be checked again" in said(acted(reporter, problem.id, "rectify", 0, process="problem", more=mended))
    assert "已补齐" in said(assessor.get(at(problem.id, "problem")))
    again = acted(
        assessor, problem.id, "send_back", 1, process="problem", more={"fill.deadline": "2021-10-29"}, note="未到位"
    )
    assert "29 Oct 2021" in said(again)


def people_account(office: Any, name: str) -> str:
    return str(next(account.id for account in office.house.accounts.accounts() if account.name == name))


def test_late_is_said_before_and_after(office: Any, people: dict[str, Any], said: Any) -> None:
    office.clock.later(days=40)
    reporter = office.browser("rep1")
    assert "days overdue" in said(reporter.get("/tasks"))
    assert "this will be recorded as late" in said(reporter.get(at("T1")))
    assert "after the deadline" in said(report(reporter, "T1"))
    assessor = office.browser("assessor")
    assert "2 found" in said(assessor.get("/tasks/duty?show=late"))
    assert "Missing" in said(acted(assessor, "T3", "missing", 0))


def test_a_key_may_be_anything(office: Any, people: dict[str, Any], said: Any) -> None:
    address = re.search(r'href="(/tasks/duty/case[^"]+T%26[^"]+)"', people["rep1"].get("/tasks").text)
    assert address is not None
    page = people["rep1"].get(unescape(address[1]))
    assert ODD in said(page)
    back = re.search(r'name="back" value="([^"]+)"', page.text)
    assert back is not None
    assert ODD in said(people["rep1"].post("/language", {"language": "en", "back": unescape(back[1])}))
    asked = office.stranger().get(unescape(address[1]))
    assert unescape(address[1]) in unescape(asked.text)  # whoever signs in first is led back to it
    assert "Done: Report" in said(report(people["rep1"], ODD))
    assert "Reported" in said(people["rep1"].get(unescape(address[1])))


def test_filters_find_what_they_say(people: dict[str, Any], said: Any) -> None:
    assessor = people["assessor"]
    for query, count in (("", 3), ("?about=U2", 1), ("?member=2", 1), ("?period=2021Q4", 3), ("?show=late", 0)):
        assert f"{count} found" in said(assessor.get(f"/tasks/duty{query}"))
    assert "0 found" in said(assessor.get("/tasks/duty?show=mine&state=listed"))
    report(people["rep1"], "T1")
    assert "1 found" in said(assessor.get("/tasks/duty?show=mine"))
    assert assessor.get("/tasks/nothing").status_code == 404
    assert assessor.get("/tasks/duty?page=x").status_code == 404
    assert assessor.get("/tasks/duty?page=99").status_code == 200


def test_long_lists_come_fifty_at_a_time(office: Any, people: dict[str, Any], said: Any) -> None:
    put(office.house.office, "task", [task(f"L{n:03}", "U2") for n in range(120)])
    first, last = people["assessor"].get("/tasks/duty?about=U2"), people["assessor"].get("/tasks/duty?about=U2&page=3")
    assert "121 found" in said(first)
    assert "Page 1 of 3" in said(first)
    assert first.text.count("/tasks/duty/case?id=") == 50
    assert last.text.count("/tasks/duty/case?id=") == 21


def test_the_same_pages_in_chinese(people: dict[str, Any], said: Any) -> None:
    reporter = people["rep1"]
    reporter.post("/language", {"language": "zh"})
    page = said(reporter.get("/tasks"))
    for words in ("我的工作", "研究部署", "一局", "待报告", "还剩"):
        assert words in page
    assert "已办理：报告完成情况" in said(report(reporter, "T1"))
    refused = report(reporter, ODD, text="")
    assert "请填写" in said(refused)
    assert "a value is required" not in refused.text


# -- forms --------------------------------------------------------------------------------------------------------------
def test_findings_stand_at_their_field_and_what_was_typed_stays(people: dict[str, Any], said: Any) -> None:
    report(people["rep1"], "T1")
    wrong = {**DEDUCTION, "points": "-1", "note": "", "reason": "mood"}
    page = reviewed(people["assessor"], "T1", wrong, awarded="9.0")
    assert page.status_code == 422
    for name in ("fill-awarded", "row-adjustment-2-points", "row-adjustment-2-note", "row-adjustment-2-reason"):
        assert f'id="bad-review-{name}"' in page.text, name
    assert 'id="bad-review-row-adjustment-1-points"' not in page.text
    assert 'value="9.0"' in page.text
    assert "at most 5" in said(page)
    assert "It is now: Reviewed" in said(reviewed(people["assessor"], "T1", DEDUCTION))


def test_rows_can_be_added_without_a_script(people: dict[str, Any], said: Any) -> None:
    report(people["rep1"], "T1")
    assessor = people["assessor"]
    assert "row.adjustment.3.points" not in assessor.get(at("T1")).text
    typed = {"act": "review", "seen": "1", "rows.adjustment": "2", "row.adjustment.1.note": "写了一半"}
    page = assessor.post(at("T1"), {**typed, "more": "adjustment"})
    assert page.status_code == 200
    assert 'name="row.adjustment.3.points"' in page.text
    assert "写了一半" in page.text
    huge = assessor.post(at("T1"), {**typed, "more": "adjustment", "rows.adjustment": "999"})
    assert 'name="row.adjustment.101.points"' not in huge.text


def test_the_same_act_twice_is_once(office: Any, people: dict[str, Any], said: Any) -> None:
    for _ in range(2):
        page = report(people["rep1"], "T1", files=PROOF)
        assert page.status_code == 200
        assert "Done: Report" in said(page)
    size = office.workspace.ledger.size
    for text, files in (("另一说法", PROOF), ("已学习四次", [("files", ("b.pdf", PDF + b"\n"))]), ("已学习四次", ())):
        other = report(people["rep1"], "T1", text=text, files=files)
        assert other.status_code == 409
        assert "Somebody was faster" in said(other)
        assert text in said(other)
    assert office.workspace.ledger.size == size
    for _ in range(2):
        assert "Done: Review" in said(reviewed(people["assessor"], "T1", DEDUCTION))
    assert reviewed(people["assessor"], "T1", DEDUCTION, awarded="4.0").status_code == 409


def test_two_assessors_on_one_case_at_once(office: Any, people: dict[str, Any]) -> None:
    report(people["rep1"], "T1")
    browsers = [people["assessor"], office.browser("second", "assessor", "D")]
    barrier, answers = Barrier(2), []

    def review(browser: Any, points: str) -> None:
        barrier.wait()
        answers.append((reviewed(browser, "T1", awarded=points).status_code, points))

    threads = [Thread(target=review, args=pair) for pair in zip(browsers, ("5.0", "3.0"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = dict(answers)
    assert sorted(statuses) == [200, 409]
    case = office.house.office.desk(people_account(office, "assessor")).case("duty", "T1").case
    assert (case.version, str(case.row["awarded"])) == (2, statuses[200])


def test_a_deadline_that_passes_while_the_form_is_open(office: Any, people: dict[str, Any], said: Any) -> None:
    report(people["rep1"], "T1")
    reviewed(people["assessor"], "T1")
    appeal = {"rows.appeal": "1", "row.appeal.1.disputed": "扣分", "row.appeal.1.grounds": "理由甚多"}
    office.clock.later(days=12)
    late = office.browser("rep1")
    page = acted(late, "T1", "appeal", 2, more=appeal)
    assert page.status_code == 403
    assert "its last day was 2021-10-14" in said(page)
    assert "理由甚多" in said(page)
    late.post("/language", {"language": "zh"})
    assert "期限为 2021-10-14，已过" in said(late.get(at("T1")))


# -- who may ------------------------------------------------------------------------------------------------------------
def test_another_units_case_is_as_if_it_were_not_there(people: dict[str, Any], said: Any) -> None:
    reporter = people["rep1"]
    digest = "0" * 64
    tries: tuple[Callable[[str], Any], ...] = (
        lambda case: reporter.get(at(case)),
        lambda case: report(reporter, case),
        lambda case: reporter.post(f"/tasks/duty/case/add?id={case}", {"kind": "problem"}),
        lambda case: reporter.get(f"/tasks/duty/attachment?id={case}&sha256={digest}"),
    )
    for change in tries:
        hidden, absent = change("T3"), change("T999")
        assert hidden.status_code == absent.status_code == 403
        assert said(hidden).replace("T3", "T999") == said(absent)
    assert "0 found" in said(reporter.get("/tasks/duty?about=U2"))


def test_a_role_taken_away_ends_with_the_next_request(office: Any, people: dict[str, Any], said: Any) -> None:
    reporter = people["rep1"]
    assert reporter.get(at("T1")).status_code == 200
    office.account("office", "office", "D")
    steward = Steward(office.house.office, people_account(office, "office"))
    steward.take(people_account(office, "rep1"), "reporter", "U1")
    assert reporter.get(at("T1")).status_code == 403
    assert report(reporter, "T1").status_code == 403
    assert "Nothing waits for you" in said(reporter.get("/tasks"))
    sent = [("file", ("a.csv", b"task,unit,text\nT1,U1,x\n"))]
    assert reporter.post("/tasks/duty/sheet/report", files=sent).status_code == 403


def test_only_those_who_may_do_an_act(office: Any, people: dict[str, Any], said: Any) -> None:
    refused = reviewed(people["rep1"], "T1", seen=0)
    assert refused.status_code == 403
    assert "Assessor" in said(refused)
    assert acted(people["rep1"], "T1", "nothing", 0).status_code == 422
    assert people["rep1"].get("/tasks-lists").status_code == 403
    assert people["rep1"].get("/tasks-lists/task").status_code == 403
    assert people["rep1"].post("/tasks-lists/task", files=[("file", ("a.csv", b"task\n"))]).status_code == 403
    for path in ("/tasks", at("T1"), "/tasks-lists"):
        assert "/sign-in" in str(office.stranger().get(path).url)


def test_nothing_is_taken_from_other_pages(office: Any, people: dict[str, Any]) -> None:
    size = office.workspace.ledger.size
    other = people["rep2"].csrf
    for path in (at("T1"), "/tasks/duty/case/add?id=T1", "/tasks/duty/sheet/report", "/tasks-lists/task"):
        for token in ("", "forged", other):
            answer = people["rep1"].ask("POST", path, data={"csrf": token, "act": "report", "seen": "0"})
            assert answer.status_code == 403
            assert "no longer valid" in answer.text
    assert office.workspace.ledger.size == size


# -- what is handed in --------------------------------------------------------------------------------------------------
def test_script_in_every_text_comes_out_as_text(people: dict[str, Any], said: Any) -> None:
    name = f"{SCRIPT.replace('/', '')}.pdf"
    acted(
        people["rep1"],
        "T1",
        "report",
        0,
        files=[("files", (name, PDF))],
        note=SCRIPT,
        more={"rows.report": "1", "row.report.1.text": SCRIPT},
    )
    page = people["assessor"].get(at("T1"))
    bad = reviewed(people["assessor"], "T1", {**DEDUCTION, "note": SCRIPT, "reason": SCRIPT}, awarded=SCRIPT)
    reviewed(people["assessor"], "T1", {**DEDUCTION, "note": SCRIPT, "proof": SCRIPT})
    found = {"kind": "problem", "row.problem.1.text": SCRIPT, "row.problem.1.deadline": "2021-10-20"}
    people["assessor"].post("/tasks/duty/case/add?id=T1", found)
    sheet = people["rep1"].post(
        "/tasks/duty/sheet/report", files=[("file", (f"{SCRIPT}.csv", f"task,unit,{SCRIPT}\n{SCRIPT},U1,x\n".encode()))]
    )
    assert bad.status_code == sheet.status_code == 422
    for shown in (page, bad, sheet, people["rep1"].get(at("T1")), people["rep1"].get("/tasks")):
        assert "<script>alert" not in shown.text
        assert "alert(" not in re.sub(r"&lt;script&gt;alert\(&#39;明&#39;\)", "", shown.text)
    assert SCRIPT in said(page)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("large.pdf", b"%PDF-" + b"0" * (26 * 1024 * 1024), 413),
        ("active.pdf", ACTIVE_PDF, 422),
        ("page.html", b"<script>alert(1)</script>", 422),
        ("drawing.svg", b"<svg onload='alert(1)'/>", 422),
        ("false.png", b"MZ not a picture", 422),
        ("empty.pdf", b"", 422),
    ],
    ids=["large", "active", "html", "svg", "false", "empty"],
)
def test_what_is_no_proof_is_not_taken(
    office: Any, people: dict[str, Any], name: str, content: bytes, status: int
) -> None:
    size = office.workspace.ledger.size
    page = report(people["rep1"], "T1", files=[("files", (name, content))])
    assert page.status_code == status
    assert office.workspace.ledger.size == size
    if status == 422:
        assert 'id="bad-report-files"' in page.text
        assert "已学习四次" in page.text


def test_a_zip_bomb_as_proof_or_as_a_sheet_is_not_unfolded(office: Any, people: dict[str, Any], said: Any) -> None:
    size = office.workspace.ledger.size
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        for part in range(8):
            book.writestr(f"xl/worksheets/sheet{part}.xml", b" " * (32 << 20))
    bomb = packed.getvalue()
    lying = bomb.replace((32 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    for sent, why in ((bomb, "unfolds to more than"), (lying, "is not what the archive says of it")):
        page = people["rep1"].post("/tasks/duty/sheet/report", files=[("file", ("a.xlsx", sent))])
        assert page.status_code == 422
        assert why in said(page)
    assert report(people["rep1"], "T1", files=[("files", ("a.xlsx", bomb))]).status_code == 422
    assert office.workspace.ledger.size == size


NAMES = ["../../etc/passwd.pdf", "..\\..\\a.pdf", "/etc/a.pdf", "a\r\nX-Evil: 1.pdf", 'a"; x=".pdf', "%2e%2e%2fa.pdf"]


@pytest.mark.parametrize("name", NAMES)
def test_a_files_name_leads_nowhere(office: Any, people: dict[str, Any], name: str) -> None:
    report(people["rep1"], "T1", files=[("files", (name, PDF))])
    link = re.search(r'href="(/tasks/duty/attachment[^"]+)"', people["rep1"].get(at("T1")).text)
    assert link is not None
    told = people["rep1"].get(unescape(link[1]))
    disposition = told.headers["Content-Disposition"]
    assert re.fullmatch(r"""attachment; filename="[A-Za-z0-9._-]+"; filename\*=UTF-8''[A-Za-z0-9._~%-]+""", disposition)
    assert "X-Evil" not in told.headers
    assert not disposition.lower().count("%2f")
    kept = [path for path in office.workspace.folder.joinpath("attachments").rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in kept)


@pytest.mark.parametrize(
    "digest", ["../../keys/ledger.pem", "..%2f..%2fledger.db", "0" * 64, "", "A" * 64, "/etc/passwd"]
)
def test_no_digest_leads_out_of_the_case(people: dict[str, Any], digest: str) -> None:
    report(people["rep1"], "T1", files=PROOF)
    answer = people["rep1"].get(f"/tasks/duty/attachment?id=T1&sha256={digest}")
    assert answer.status_code == 404
    assert "Content-Disposition" not in answer.headers


def test_a_file_is_had_through_its_own_case_only(people: dict[str, Any]) -> None:
    report(people["rep1"], "T1", files=PROOF)
    link = re.search(r"sha256=([0-9a-f]{64})", people["rep1"].get(at("T1")).text)
    assert link is not None
    assert people["rep2"].get(f"/tasks/duty/attachment?id=T1&sha256={link[1]}").status_code == 403
    assert people["rep2"].get(f"/tasks/duty/attachment?id=T3&sha256={link[1]}").status_code == 404


# -- by the sheet -------------------------------------------------------------------------------------------------------
def cells(content: bytes, sheet: int = 0) -> list[list[Any]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [list(row) for row in book.get_sheet_by_index(sheet).to_python()]


def workbook(rows: list[list[str]]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return made.getvalue()


def test_a_sheet_goes_down_is_filled_in_in_part_and_comes_up(office: Any, people: dict[str, Any], said: Any) -> None:
    reporter = people["rep1"]
    down = reporter.get("/tasks/duty/sheet/report")
    assert down.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert down.headers["Content-Disposition"].startswith("attachment")
    heading, *rows = cells(down.content)
    assert [row[0] for row in rows] == ["T1", ODD]  # my own, and no other unit's
    assert "Study" in str(cells(down.content, 1))
    rows[0][heading.index("完成情况")] = "已办四次"
    done = reporter.post("/tasks/duty/sheet/report", files=[("file", ("a.xlsx", workbook([heading, *rows])))])
    assert "Done for 1: Report." in said(done)
    desk = office.house.office.desk(people_account(office, "rep1"))
    assert {case.id: case.state for case in desk.cases("duty")} == {"T1": "reported", ODD: "listed"}
    assert [row[0] for row in cells(reporter.get("/tasks/duty/sheet/report").content)[1:]] == [ODD]
    nothing = reporter.post("/tasks/duty/sheet/report", files=[("file", ("a.xlsx", workbook([heading, rows[1]])))])
    assert nothing.status_code == 422
    assert "nothing is filled in" in said(nothing)


def test_findings_of_a_sheet_stand_at_their_cells_and_nothing_lands(
    office: Any, people: dict[str, Any], said: Any
) -> None:
    size = office.workspace.ledger.size
    sheet = f"task,unit,text,planned,done\nT1,U1,已办,四,4\n{ODD},U1,已办,4,-4\nT1,U1,重复,1,1\n"
    page = people["rep1"].post("/tasks/duty/sheet/report", files=[("file", ("报告.csv", sheet.encode()))])
    assert page.status_code == 422
    rows = re.findall(r'<th scope="row">(\d+)</th>\s*<td data-label="Column">([^<]+)</td>', page.text)
    assert {("2", "Number planned"), ("3", "Number done")} <= set(rows)
    assert "四" in said(page)
    others = "task,unit,text\nT1,U1,已办\nT3,U2,别人的\nT999,U1,没有的\n"
    page = people["rep1"].post("/tasks/duty/sheet/report", files=[("file", ("报告.csv", others.encode()))])
    assert page.status_code == 403
    for name in ("T3", "T999"):  # of another's case nobody hears that there is one
        assert f"{name} There is no case of this name here" in said(page)
    assert office.workspace.ledger.size == size
    people["rep1"].post("/language", {"language": "zh"})
    page = people["rep1"].post("/tasks/duty/sheet/report", files=[("file", ("报告.csv", sheet.encode()))])
    assert "四 不是数字，请只填写数字" in said(page)
    for name in ("a.parquet", "a.exe", "..", ""):
        assert people["rep1"].post("/tasks/duty/sheet/report", files=[("file", (name, b"x"))]).status_code == 422


@pytest.mark.parametrize("first", ["=", "+", "-", "@"])
def test_no_text_of_a_sheet_becomes_a_formula(office: Any, people: dict[str, Any], first: str) -> None:
    evil = f'{first}HYPERLINK("http://evil.example","x")'
    put(office.house.office, "task", [task(evil, "U1")])
    content = people["rep1"].get("/tasks/duty/sheet/report").content
    assert evil in [row[0] for row in cells(content)]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for part in book.namelist():
            text = book.read(part).decode("utf-8", "replace")
            assert "<f>" not in text, part
            assert "<hyperlink" not in text, part


def test_an_assessor_issues_lists(office: Any, people: dict[str, Any], said: Any) -> None:
    assessor = people["assessor"]
    assert "Task" in said(assessor.get("/tasks-lists"))
    heading = cells(assessor.get("/tasks-lists/task").content)[0]
    row = dict(task("N1", "U2"), awarded="", state="")
    order = ["task", "unit", "indicator", "quarter", "deadline", "possible", "awarded", "state"]
    made = workbook([heading, [str(row[name]) for name in order]])
    assert "Issued: 1 rows" in said(assessor.post("/tasks-lists/task", files=[("file", ("a.xlsx", made))]))
    assert "issued before" in said(assessor.post("/tasks-lists/task", files=[("file", ("a.xlsx", made))]))
    assert "N1" in said(people["rep2"].get("/tasks"))
    wrong = workbook([heading, ["N2", "U9", "99", "2021Q4", "someday", "5.0", "", ""]])
    page = assessor.post("/tasks-lists/task", files=[("file", ("b.xlsx", wrong))])
    assert page.status_code in (403, 422)
    assert "someday" in said(page)
