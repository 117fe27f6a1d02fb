"""What only a browser shows of work: rows that are added in place, and that nothing handed in ever runs.

Where Chromium is not installed, or may not start, all of this is skipped and says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page

from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.workspace import Office, Workspace, grant

SCRIPT = "</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
CASE = "/tasks/duty/case?id=T1"


def build(folder: Path) -> Workspace:
    """An office in which a task was reported, with a script in the text and in the note."""
    start = datetime(2021, 10, 8, 8, tzinfo=UTC)
    workspace = Workspace.create(folder, origin="example.org/office", clock=lambda: start)
    scheme = workspace.adopt("three_portraits", "setup")
    aspect = {"aspect": "A", "aspect_zh": "组织", "aspect_en": "Organisation"}
    task = {"task": "T1", "unit": "U1", "indicator": "1", "quarter": "2021Q4", "deadline": "2021-11-10"}
    rows = {
        "subject": [
            {"id": "D", "type": "district", "zh": "北碚区", "en": "District", "from": "2020-01-01"},
            {"id": "U1", "type": "unit", "parent": "D", "zh": SCRIPT, "en": SCRIPT, "from": "2020-01-01"},
        ],
        "indicator": [{"code": "1", "zh": SCRIPT, "en": SCRIPT, "weight": "5.0", "since": "2020-01-01", **aspect}],
        "task": [{"possible": "5.0", **task}],
    }
    for kind, listed in rows.items():
        workspace.add(scheme, kind, read_rows(listed, evidence_types(scheme)[kind], zone=scheme.zone), "setup")
    office = Office(workspace, scheme.id)
    for account, role, over in (("assessor", "assessor", "D"), ("reporter", "reporter", "U1")):
        grant(office, account, role, over, since=start.date(), by="setup")
    file = [("<img src=x onerror=alert(3)>.pdf", io.BytesIO(PDF))]
    said = {"report": [{"text": SCRIPT}]}
    office.desk("reporter").act("duty", "T1", "report", expected=0, rows=said, files=file, note=SCRIPT)
    return workspace


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., str]) -> str:
    """A server over it."""
    workspace = build(tmp_path_factory.mktemp("work") / "office")
    return serve(workspace, {"assessor": ("assessor", "D")}, "en")


@pytest.mark.parametrize("script", [True, False], ids=["htmx", "no-script"])
def test_a_row_is_added_and_what_was_typed_stays(come_in: Callable[..., Page], script: bool) -> None:
    page = come_in("assessor", java_script_enabled=script)
    page.goto(CASE)
    page.locator("[name='fill.awarded']").fill("4.5")
    first = page.locator("details:has(> fieldset [name='row.adjustment.1.note'])")
    first.locator("summary").click()
    page.locator("[name='row.adjustment.1.note']").fill("写了一半")
    assert page.locator("[name='row.adjustment.3.note']").count() == 0
    if script:
        page.evaluate("window.same = true")
    page.get_by_role("button", name="Add a row").click()
    page.locator("[name='row.adjustment.3.note']").wait_for(state="visible")
    if script:
        assert page.evaluate("window.same"), "the page was left, though only its rows change"
    assert page.locator("[name='row.adjustment.1.note']").input_value() == "写了一半"
    assert page.locator("[name='fill.awarded']").input_value() == "4.5"
    page.locator("[name='row.adjustment.3.points']").press("Enter")  # sends the form, which wants more
    page.get_by_text("Nothing was taken yet").wait_for()
    assert page.locator("[aria-invalid=true]").count() > 0
    assert page.locator("[name='row.adjustment.4.note']").count() == 0


def test_nothing_that_was_handed_in_runs(come_in: Callable[..., Page]) -> None:
    page = come_in("assessor")
    ran: list[str] = []

    def note(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    for path in ("/tasks", "/tasks/duty", CASE):
        page.goto(path)
        assert page.locator("main script, main img").count() == 0
    page.locator("[name='fill.awarded']").fill(SCRIPT)
    page.locator("#act-review .actions button").click()
    page.get_by_text("Nothing was taken yet").wait_for()
    assert page.locator("[name='fill.awarded']").input_value() == SCRIPT
    with page.expect_download() as kept:
        page.locator("#proof ~ p a").first.click()
    assert "onerror" in kept.value.suggested_filename  # kept under its name, not opened
    assert kept.value.path().read_bytes() == PDF
    assert not ran
