"""What only a browser shows of work: rows that are added in place, and that nothing handed in ever runs.

Where Chromium is not installed, or may not start, all of this is skipped and says so.
"""

from __future__ import annotations

import io
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Dialog, Error, Page, sync_playwright

from mingjian.declare import evidence_types
from mingjian.record.access import Accounts
from mingjian.record.evidence import read_rows
from mingjian.web import Settings, create_app
from mingjian.workspace import Office, Workspace, grant

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
PASSWORD = "a mirror, bright and still"
SCRIPT = "</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
CASE = "/tasks/duty/case?id=T1"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)")


def build(folder: Path) -> tuple[Workspace, Office]:
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
    return workspace, office


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over it, in a thread."""
    folder = tmp_path_factory.mktemp("work") / "office"
    workspace, _ = build(folder)
    app = create_app(workspace, Settings())
    office: Office = app.state.house.office
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    office.__dict__["accounts"] = Accounts(folder / "accounts.db", workspace.clock, hasher=cheap)
    account = office.accounts.create("assessor", "Assessor", language="en", password=PASSWORD)
    grant(office, account.id, "assessor", "D", since=workspace.clock().date(), by="setup")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except Error as fault:
            pytest.skip(f"Chromium does not start here: {fault.message.splitlines()[0]}")
        yield browser
        browser.close()


def signed_in(chromium: Browser, address: str, *, script: bool = True) -> Page:
    context = chromium.new_context(base_url=address, locale="en-GB", java_script_enabled=script)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=name]", "assessor")
    page.fill("[name=password]", PASSWORD)
    page.locator("main button").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


@pytest.mark.parametrize("script", [True, False], ids=["htmx", "no-script"])
def test_a_row_is_added_and_what_was_typed_stays(chromium: Browser, address: str, script: bool) -> None:
    page = signed_in(chromium, address, script=script)
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
    page.context.close()


def test_nothing_that_was_handed_in_runs(chromium: Browser, address: str) -> None:
    page = signed_in(chromium, address)
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
    page.context.close()
