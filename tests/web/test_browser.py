"""The face in a browser: a quarter by its people, at a desk and on a phone, with a keyboard, and without a script.

Where Chromium is not installed, or may not start, all of this is skipped and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Workspace

PEOPLE = {
    "office": ("office", "D"),
    "assessor": ("assessor", "D"),
    "auditor": ("auditor", "D"),
    "reporter": ("reporter", "U1"),
    "head": ("head", "U1"),
    "leader": ("described", "L1"),
}
PAGES = {
    "office": ["/", "/panorama?period=2021Q4", "/reads", "/people", "/ledger", "/tables", "/account"],
    "assessor": ["/tasks", "/tasks/duty?state=reported", "/panorama?period=2021Q4", "/portraits/U1?period=2021Q4"],
    "auditor": ["/reads", "/sign-ins", "/ledger"],
    "reporter": ["/tasks", "/tasks/duty/case?id=T1", "/portraits/U1?period=2021Q4"],
    "head": ["/portraits/U1?period=2021Q4", "/why/U1/assessment?period=2021Q4"],
    "leader": ["/portraits/L1?period=2021Q4"],
}
OPEN_PAGES = ["/sign-in", "/verify", "/statements", "/status"]


def rows() -> dict[str, list[dict[str, Any]]]:
    since = {"from": "2020-01-01"}
    task = {"quarter": "2021Q4", "deadline": "2031-11-10", "possible": "5.0"}
    indicator = {
        "aspect": "A",
        "aspect_zh": "组织",
        "aspect_en": "Organisation",
        "weight": "5.0",
        "since": "2020-01-01",
    }
    return {
        "subject": [
            {"id": "D", "type": "district", "zh": "北碚区", "en": "District", **since},
            {"id": "U1", "type": "unit", "parent": "D", "zh": "一局", "en": "Bureau one", **since},
            {"id": "U2", "type": "unit", "parent": "D", "zh": "二局", "en": "Bureau two", **since},
            {"id": "L1", "type": "leader", "parent": "U1", "zh": "龘靐", "en": "Da Bing", **since},
        ],
        "indicator": [
            {"code": "1", "zh": "研究部署", "en": "Study", **indicator},
            {"code": "2", "zh": "警示教育", "en": "Warning", **indicator},
        ],
        "task": [
            {"task": "T1", "unit": "U1", "indicator": "1", **task},
            {"task": "T2", "unit": "U1", "indicator": "2", "awarded": "3.0", "state": "on_time", **task},
            {"task": "T3", "unit": "U2", "indicator": "1", "awarded": "4.0", "state": "late", **task},
        ],
    }


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., str]) -> str:
    """A server over an office."""
    folder = tmp_path_factory.mktemp("browser") / "office"
    start = datetime(2021, 11, 8, 8, tzinfo=UTC)
    workspace = Workspace.create(folder, origin="example.org/office", clock=lambda: start)
    scheme = workspace.adopt("three_portraits", "setup")
    for kind, listed in rows().items():
        workspace.add(scheme, kind, read_rows(listed, evidence_types(scheme)[kind], zone=scheme.zone), "setup")
    return serve(workspace, PEOPLE)


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['id']} ({node['target']})"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def do(page: Page, case: str, act: str, files: Path | None = None, **fields: str) -> None:
    """Do an act as a person would: open its form, fill it in, send it, and see that it is done."""
    process, name = case.split("/", 1)
    page.goto(f"/tasks/{process}/case?{urlencode({'id': name})}")
    form = page.locator(f"#act-{act}")
    if form.get_attribute("open") is None:
        form.locator("summary").first.click()
    for field, value in fields.items():
        entry = form.locator(f"[name='{field.replace('__', '.')}']")
        within = entry.first.locator("xpath=ancestor::details[1]")
        if within.get_attribute("open") is None:
            within.locator("summary").first.click()
        if entry.first.evaluate("one => one.tagName") == "SELECT":
            entry.first.select_option(value)
        elif entry.first.get_attribute("type") == "radio":
            form.locator(f"[name='{field.replace('__', '.')}'][value='{value}']").check()
        else:
            entry.first.fill(value)
    if files is not None:
        form.locator("input[type=file]").set_input_files(files)
    form.locator(".actions button").last.click()
    page.locator("[role=status]").wait_for()


def test_a_quarter_is_played_through_by_its_people(come_in: Callable[..., Page], tmp_path: Path) -> None:
    proof = tmp_path / "纪要.pdf"
    proof.write_bytes(b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n")
    reporter, assessor, head = come_in("reporter"), come_in("assessor"), come_in("head")
    portrait = "/portraits/U1?period=2021Q4"

    do(reporter, "duty/T1", "report", proof, row__report__1__text="已学习四次")
    assessor.goto("/tasks/duty?state=reported")
    assert "T1" in assessor.locator("main").inner_text()
    deduction = {"kind": "deduction", "reason": "shallow", "points": "1.0", "note": "不深不细", "proof": "纪要.pdf"}
    do(
        assessor,
        "duty/T1",
        "review",
        fill__awarded="5.0",
        **{f"row__adjustment__1__{name}": value for name, value in deduction.items()},
    )
    reporter.goto("/tasks/duty/case?id=T1")
    assert "不深不细" in reporter.locator("main").inner_text()
    head.goto(portrait)
    assert head.locator(".big b").first.inner_text().startswith("70.00")

    do(head, "duty/T1", "appeal", row__appeal__1__disputed="扣1分", row__appeal__1__grounds="另有佐证")
    back = {"kind": "bonus", "reason": "upheld", "points": "1.0", "note": "申诉成立", "proof": "补充材料"}
    do(
        assessor,
        "duty/T1",
        "decide",
        fill__state="on_time",
        fill__awarded="5.0",
        **{f"row__adjustment__1__{name}": value for name, value in back.items()},
    )
    head.goto(portrait)
    assert head.locator(".big b").first.inner_text().startswith("80.00")

    assessor.goto("/tasks/duty/case?id=T1")
    adding = assessor.locator("details:has([name='row.problem.1.text'])").last
    if adding.get_attribute("open") is None:
        adding.locator("summary").first.click()
    adding.locator("[name='row.problem.1.text']").fill("台账缺页")
    adding.locator("[name='row.problem.1.deadline']").fill("2021-11-30")
    adding.locator("button").last.click()
    assessor.locator("[role=status]").wait_for()
    reporter.goto("/tasks/problem")
    problem = reporter.locator("main table a").first.get_attribute("href")
    assert problem is not None
    name = f"problem/{parse_qs(urlsplit(problem).query)['id'][0]}"
    do(reporter, name, "rectify", row__rectification__1__measures="已补齐")
    do(assessor, name, "recheck_ok")
    assert "已销号" in assessor.locator("main").inner_text()

    assessor.goto(portrait)
    assessor.get_by_role("button", name="出具画像").click()
    assessor.locator("[role=status]").wait_for()
    with head.expect_download() as paper:
        head.goto(portrait)
        head.get_by_role("link", name="下载 PDF").click()
    assert paper.value.path().read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("name", [*PAGES])
def test_nothing_keeps_anybody_out(come_in: Callable[..., Page], name: str) -> None:
    page = come_in(name)
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    found: list[str] = []
    for path in PAGES[name]:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        found += serious(page)
    assert not found
    assert not complaints, "a page asks for what its own policy forbids"


def test_what_anyone_may_see_keeps_nobody_out(chromium: Browser, address: str) -> None:
    page = chromium.new_page(base_url=address, locale="en-GB")
    found: list[str] = []
    for path in OPEN_PAGES:
        page.goto(path)
        found += serious(page)
    assert not found
    page.close()


@pytest.mark.parametrize("name", ["reporter", "office"])
def test_a_phone_is_wide_enough(come_in: Callable[..., Page], name: str) -> None:
    page = come_in(name, viewport={"width": 390, "height": 844})
    for path in PAGES[name]:
        page.goto(path)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 1, f"{path} is {beyond} pixels too wide"


def test_a_keyboard_is_enough(come_in: Callable[..., Page]) -> None:
    page = come_in("head")
    page.goto("/portraits/U1?period=2021Q4")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert any("依据" in text for text in reached)


def test_without_a_script_people_submit_and_verify(come_in: Callable[..., Page], tmp_path: Path) -> None:
    page = come_in("head", java_script_enabled=False)
    page.goto("/portraits/U1?period=2021Q4")
    page.locator("#replies summary").click()
    page.fill("[name='reply-text']", "已整改")
    page.locator("#replies button").click()
    assert "已整改" in page.content()
    stranger = tmp_path / "no.json"
    stranger.write_text("{}", "utf-8")
    page.goto("/verify")
    page.locator("input[type=file]").first.set_input_files(stranger)
    page.locator("main button").first.click()
    assert "no.json" in page.content()
