"""The office over HTTP: everybody at a glance, tables, the ledger, who read what, erasure, items, and who may see which."""

from __future__ import annotations

import io
import logging
import re
import time
import zipfile
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import python_calamine

from mingjian.base.errors import Finding, Place
from mingjian.base.keys import NoteKey
from mingjian.declare import evidence_types
from mingjian.record.evidence import read_rows
from mingjian.record.ledger import Entry, parse_checkpoint, verify_inclusion
from mingjian.workspace import Office, Oversight, Workspace

SOURCE = "KWHISTLEQ"  # who reported: it must stand nowhere
FORMULA = '=HYPERLINK("http://x","单位")'
SUBJECTS = [
    {"id": "D", "type": "district", "zh": "北碚区", "en": "District"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "一局", "en": "Bureau one", "kind": "bureau"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二局", "en": "Bureau two", "kind": "bureau"},
    {"id": "U3", "type": "unit", "parent": "D", "zh": FORMULA, "en": FORMULA, "kind": "bureau"},
    {"id": "U4", "type": "unit", "parent": "D", "zh": "某镇", "en": "A town", "kind": "town"},
    {"id": "L1", "type": "leader", "parent": "U1", "zh": "龘靐", "en": "Da Bing"},
    {"id": "L2", "type": "leader", "parent": "U2", "zh": "丁某", "en": "Ding Mou"},
]
INDICATORS = [
    {"code": code, "aspect": "A", "aspect_zh": "组织", "aspect_en": "Organisation", "zh": zh, "en": en}
    | {"weight": "5.0", "since": "2020-01-01"}
    for code, zh, en in (("1", "研究部署", "Study"), ("2", "警示教育", "Warning"))
]
# By quarter and unit, what was awarded of ten for each indicator: the first is weak in three units.
AWARDED = {
    "2021Q2": {"U1": ("9.0", "9.0"), "U2": ("5.0", "8.0"), "U3": ("5.0", "8.0"), "U4": ("8.0", "8.0")},
    "2021Q3": {"U1": ("5.0", "9.0"), "U2": ("5.0", "10.0"), "U3": ("4.0", "9.0"), "U4": ("8.0", "8.0")},
}
ITEMS = [("I1", "U1"), ("I2", "L1"), ("I3", "U2")]
ROLES = {
    "office": ("office", "D"),
    "assessor": ("assessor", "D"),
    "auditor": ("auditor", "D"),
    "resident": ("resident", "U1"),
    "reporter": ("reporter", "U1"),
    "head": ("head", "U1"),
    "described": ("described", "L1"),
}
PAGES = {  # who may open what; all others are refused
    "/panorama": "office assessor auditor",
    "/tables": "office assessor auditor",
    "/tables/unit_portrait.xlsx": "office assessor auditor",
    "/tables/leader_portrait.xlsx": "office assessor auditor",
    "/tables/letter.pdf?subject=U1": "office assessor auditor resident reporter head",
    "/tables/letter.pdf?subject=U2": "office assessor auditor",
    "/claims": "office assessor auditor",
    "/ledger": "office assessor auditor",
    "/ledger/0": "office assessor auditor",
    "/reads": "office auditor",
    "/erasure": "office",
    "/items": "office assessor auditor resident",
    "/items?subject=L1": "office assessor auditor resident",
    "/items?subject=U2": "office assessor auditor",
    "/items/new": "assessor resident",
    "/items/I1": "office assessor auditor resident",
    "/items/I2": "office assessor auditor resident",
    "/items/I3": "office assessor auditor",
}


def put(office: Office, kind: str, rows: list[dict[str, Any]]) -> None:
    scheme = office.workspace.scheme(office.id)
    office.workspace.add(scheme, kind, read_rows(rows, evidence_types(scheme)[kind], zone=scheme.zone), "setup")


def tasks() -> list[dict[str, Any]]:
    deadlines = {"2021Q2": "2021-05-10", "2021Q3": "2021-08-10"}
    return [
        {"task": f"{quarter}-{unit}-{place}", "unit": unit, "indicator": str(place), "quarter": quarter}
        | {"deadline": deadlines[quarter], "possible": "10.0", "awarded": awarded, "state": "on_time"}
        for quarter, units in AWARDED.items()
        for unit, marks in units.items()
        for place, awarded in enumerate(marks, 1)
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district with two quarters behind it: recording a scheme runs all its cases, once is enough."""
    folder = tmp_path_factory.mktemp("above") / "office"
    start = datetime(2021, 10, 8, 8, tzinfo=UTC)
    workspace = Workspace.create(folder, origin="example.org/office", clock=lambda: start)
    office = Office(workspace, workspace.adopt("three_portraits", "setup").id)
    put(office, "subject", [{**row, "from": "2020-01-01"} for row in SUBJECTS])
    put(office, "indicator", INDICATORS)
    put(office, "task", tasks())
    common = {"received": "2021-09-10", "severity": "serious", "source": "petitions", "state": "verifying"}
    put(office, "item", [{"item": name, "about": about, **common} for name, about in ITEMS])
    informants = [{"item": name, "received": "2021-09-10", "reporter": SOURCE} for name, _ in ITEMS]
    put(office, "informant", informants)
    return folder


def come(office: Any, name: str) -> Any:
    return office.browser(name, *ROLES[name])


def until_over(browser: Any, path: str, said: Any, *words: str) -> str:
    """What a page says once what it waits for is over."""
    for _ in range(300):
        text: str = said(browser.get(path))
        if any(word in text for word in words):
            return text
        time.sleep(0.1)
    raise AssertionError(text)


# -- who may ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ROLES)
def test_each_page_is_for_those_who_may(office: Any, name: str) -> None:
    browser = come(office, name)
    for path, who in PAGES.items():
        wanted = 200 if name in who.split() else 403
        assert browser.get(path).status_code == wanted, path


def test_strangers_are_asked_to_sign_in_first(office: Any) -> None:
    stranger = office.stranger()
    for path in PAGES:
        assert stranger.get(path).url.path == "/sign-in", path
    for path in ("/tables/issuing", "/ledger/audit", "/reads/check", "/erasure", "/erasure/terms", "/items/I1/source"):
        assert stranger.post(path).url.path == "/sign-in", path


@pytest.mark.parametrize("name", [name for name in ROLES if name != "office"])
def test_only_the_office_unseals_erases_and_lets_expire(office: Any, name: str) -> None:
    browser, before = come(office, name), office.workspace.ledger.erasures()
    assert browser.post("/items/I1/source").status_code == 403
    sure = {"subject": "L1", "again": "L1", "reason": "on demand"}
    assert browser.post("/erasure", sure).status_code == 403
    assert browser.post("/erasure/terms").status_code == 403
    assert office.workspace.ledger.erasures() == before


def test_the_navigation_offers_what_may_be_opened(office: Any) -> None:
    for name in ROLES:
        browser = come(office, name)
        for path in ("/panorama", "/items", "/tables", "/ledger"):
            assert (f'href="{path}"' in browser.get("/").text) == (name in PAGES[path].split()), (name, path)


# -- a source's identity ------------------------------------------------------------------------------------------------
def everywhere(browser: Any) -> dict[str, bytes]:
    """The pages and files that links lead to, at most a dozen of a kind, and those at the addresses above."""
    found: dict[str, bytes] = {}
    kinds: Counter[str] = Counter()
    open_ = ["/", *PAGES, "/why/U1/gravity?period=2021Q3", "/why/L1/leader_gravity?period=2021Q3"]
    while open_:
        path = open_.pop(0)
        kind = path.split("?")[0].split("/")[1]
        if path in found or kinds[kind] >= 12:
            continue
        page = browser.get(path)
        found[path] = page.content
        kinds[kind] += 1
        if "html" in page.headers.get("Content-Type", ""):
            links = (urljoin(path, unescape(link)) for link in re.findall(r'(?:href|action)="([^"]+)"', page.text))
            open_ += [link.partition("#")[0] for link in links if not urlsplit(link).netloc and "/static/" not in link]
    return found


def unpacked(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return b"".join(book.read(name) for name in book.namelist())


@pytest.mark.parametrize("name", ROLES)
def test_who_reported_stands_on_no_page_in_no_file_and_in_no_log(
    office: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = come(office, name)
    pages = everywhere(browser)
    assert len(pages) > 10
    assert [path for path, content in pages.items() if SOURCE.encode() in unpacked(content)] == []
    refused = browser.post("/items/new", {"item": "20211008-00000000", "subject": "U1", "informant-reporter": SOURCE})
    assert SOURCE not in refused.text
    assert SOURCE not in caplog.text
    kept = [
        path for path in office.workspace.folder.rglob("*") if path.is_file() and SOURCE.encode() in path.read_bytes()
    ]
    assert kept == []


def test_the_office_unseals_a_source_and_that_is_noted(office: Any, said: Any) -> None:
    browser = come(office, "office")
    assert "Sealed" in said(browser.get("/items/I2"))
    opened = browser.post("/items/I2/source")
    assert SOURCE in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert SOURCE not in browser.get("/items/I2").text
    note = office.house.office.reads.rows(subject="L1")[1]  # then the item itself was read once more
    assert (note.what, note.role) in {("informant", "office"), ("item", "office")}
    assert "informant" in {read.what for read in office.house.office.reads.rows(subject="L1")}


# -- the panorama -------------------------------------------------------------------------------------------------------
def test_the_panorama_shows_what_is_weak_who_moved_and_a_tree_in_its_forest(office: Any, said: Any) -> None:
    page = come(office, "assessor").get("/panorama?unit=U1")
    text = said(page)
    assert "Study weak in 3 of 4 Bureau one Bureau two" in text
    assert "Warning weak in" not in text
    assert "▼ Down (1)" in text
    assert "Bureau one 90.00 → 70.00" in text
    assert "▼ 20.00" in text
    assert "▲ Up (1)" in text
    assert "Bureau two 65.00 → 75.00" in text
    assert "Bureau one beside the 3 units of its kind" in text
    assert re.search(r"Study 50\.00 40\.00 50\.00 50\.00", text)
    order = [page.text.index(f">{name}</a></th>") for name in ("Bureau one", "Bureau two", "A town")]
    assert order == sorted(order)
    assert "rank" not in text.replace("nobody is ranked", "")


def test_the_panorama_of_a_period_before_any_score_says_so(office: Any, said: Any) -> None:
    assert "Nothing of 2021Q1 has been scored yet" in said(come(office, "office").get("/panorama?period=2021Q1"))


def test_the_heat_map_leads_to_the_portraits(office: Any) -> None:
    page = come(office, "office").get("/panorama")
    assert page.text.count("/portraits/U4?period=2021Q3") >= 2
    assert "function" not in re.findall(r'<script type="application/json" id="data-heat">(.*?)</script>', page.text)[0]


def test_the_panorama_has_new_evidence_at_once_in_the_language_of_each(office: Any, said: Any) -> None:
    one, other = come(office, "office"), come(office, "assessor")
    other.post("/language", {"language": "zh"})
    assert "Bureau two 65.00 → 75.00" in said(one.get("/panorama"))
    assert "二局 65.00 → 75.00" in said(other.get("/panorama"))
    put(office.house.office, "task", [{**row, "awarded": "7.0"} for row in tasks() if row["task"] == "2021Q3-U2-1"])
    assert "Bureau two 65.00 → 85.00" in said(one.get("/panorama"))
    assert "二局 65.00 → 85.00" in said(other.get("/panorama"))


# -- tables and letters -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("statement", ["unit_portrait", "leader_portrait"])
def test_a_table_is_a_workbook_without_formulas(office: Any, statement: str) -> None:
    got = come(office, "office").get(f"/tables/{statement}.xlsx")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert b"<f>" not in unpacked(got.content)
    rows = python_calamine.load_workbook(io.BytesIO(got.content)).get_sheet_by_index(0).to_python()
    cells = {cell for row in rows for cell in row}
    assert (FORMULA in cells) == (statement == "unit_portrait")


def test_taking_a_table_of_persons_is_noted_for_each(office: Any) -> None:
    come(office, "auditor").get("/tables/leader_portrait.xlsx?period=2021Q3")
    notes = {(note.subject, note.what, note.period) for note in office.house.office.reads.rows()}
    assert notes == {("L1", "table", "2021Q3"), ("L2", "table", "2021Q3")}


def test_a_letter_is_a_paper(office: Any) -> None:
    got = come(office, "head").get("/tables/letter.pdf?subject=U1&period=2021Q3")
    assert got.content.startswith(b"%PDF")
    assert got.headers["Content-Type"] == "application/pdf"


def test_what_there_is_not_is_not_found(office: Any) -> None:
    browser = come(office, "office")
    for path in (
        "/tables/unit_portrait.exe",
        "/tables/nothing.xlsx",
        "/tables/issuing",
        "/ledger/999",
        "/ledger/audit",
        "/panorama?unit=U9",
        "/panorama?period=nonsense",
    ):
        assert browser.get(path).status_code == 404, path


# -- issuing ------------------------------------------------------------------------------------------------------------
def test_portraits_are_issued_for_everybody_while_one_may_watch(office: Any, said: Any) -> None:
    browser = come(office, "office")
    begun = browser.post("/tables/issuing", {"statement": "unit_portrait", "period": "2021Q3"})
    assert begun.url.path == "/tables/issuing"
    text = until_over(browser, "/tables/issuing", said, "Done", "Broke off")
    assert "4 portraits signed, 4 drawn" in text
    assert browser.get("/portraits/U1/paper.pdf?period=2021Q3").content.startswith(b"%PDF")


def test_a_second_run_is_refused_while_the_first_is_under_way(
    office: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, runs = Event(), []

    def slow(*_: Any, progress: Any, **__: Any) -> None:
        runs.append(1)
        progress("draw", 3, 4)
        go_on.wait(20)
        raise ZeroDivisionError(SOURCE)

    monkeypatch.setattr(Oversight, "issue", slow)
    browser = come(office, "office")
    wanted = {"statement": "unit_portrait", "period": "2021Q3"}
    browser.post("/tables/issuing", wanted)
    watched = until_over(browser, "/tables/issuing", said, "3 / 4")
    assert "Under way" in watched
    assert 'http-equiv="refresh"' in browser.get("/tables/issuing").text  # for whoever has no script
    assert "there is never a second one" in said(browser.post("/tables/issuing", wanted))
    go_on.set()
    assert SOURCE not in until_over(browser, "/tables/issuing", said, "Broke off")
    assert runs == [1]


def test_who_may_not_issue_starts_no_run(office: Any) -> None:
    browser = come(office, "auditor")
    assert browser.post("/tables/issuing", {"statement": "unit_portrait", "period": "2021Q3"}).status_code == 403
    assert "Portraits for everybody" not in browser.get("/tables").text


# -- published figures --------------------------------------------------------------------------------------------------
def test_published_figures_stand_with_what_becomes_of_them(office: Any, said: Any, claimed: Callable[..., str]) -> None:
    browser = come(office, "office")
    assert "No file of published figures" in said(browser.get("/claims"))
    figures = claimed(
        units=("形成85个单位", 85, "unit", "units_described", "D", "2021"),
        score=("某人80分", 80, "point", "leader_gravity", "L1", "2021Q3"),
    )
    (office.workspace.folder / "claims.toml").write_text(figures, "utf-8")
    text = said(browser.get("/claims"))
    assert "Contradicted" in text
    assert "The figure units" in text
    assert "形成85个单位" in text
    assert "某人80分" in text


# -- the ledger ---------------------------------------------------------------------------------------------------------
def test_an_entry_has_a_proof_that_anyone_can_check(office: Any, said: Any) -> None:
    browser = come(office, "auditor")
    head = office.workspace.ledger
    assert head.state().root().hex() in browser.get("/ledger").text
    item = next(entry.index for entry in head.entries(kind="item"))
    page = browser.get(f"/ledger/{item}")
    assert "Supervision item" in said(page)
    assert not [word for word in ("serious", "verifying", "petitions", SOURCE) if word in said(page)]
    told = browser.get(f"/ledger/{item}", headers={"Accept": "application/json"}).json()
    signed = parse_checkpoint(told["checkpoint"], [NoteKey.parse(head.vkey)])
    leaf = Entry.from_json(told["entry"]).leaf_hash
    assert verify_inclusion(leaf, item, signed.size, [b64decode(step) for step in told["path"]], signed.root)


def test_an_audit_says_what_it_found(office: Any, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = come(office, "auditor")
    assert browser.post("/ledger/audit").url.path == "/ledger/audit"
    assert "entries are as they were written" in until_over(browser, "/ledger/audit", said, "Over at")
    found = [Finding("rows-differ", "its rows are others", Place(file="entry 3"), remedy="restore it")]
    monkeypatch.setattr(office.workspace.ledger, "audit", lambda **_: found)
    browser.post("/ledger/audit")
    text = until_over(browser, "/ledger/audit", said, "1 findings")
    assert "entry 3 : The rows are not those that were appended" in text
    assert "[rows-differ: its rows are others]" in text  # the rule and the words of the log itself, in any language


# -- who read what ------------------------------------------------------------------------------------------------------
def test_reads_are_found_by_person_and_by_subject(office: Any, said: Any) -> None:
    come(office, "described").get("/portraits/L1")
    come(office, "assessor").get("/portraits/L2")
    browser = come(office, "auditor")
    everything = said(browser.get("/reads"))
    assert "Described" in everything
    assert "Da Bing" in everything
    assert "Ding Mou" in everything
    one = browser.get("/reads?subject=L1")
    assert "Da Bing" in one.text
    assert "Ding Mou" not in one.text
    account = next(a.id for a in office.house.accounts.accounts() if a.name == "assessor")
    theirs = browser.get(f"/reads?account={account}")
    assert "Ding Mou" in theirs.text
    assert "Da Bing" not in theirs.text


def test_the_read_log_is_held_against_its_anchor(office: Any, said: Any) -> None:
    come(office, "assessor").get("/portraits/L2")
    office.clock.later(days=1)
    come(office, "assessor").get("/portraits/L2")
    browser = come(office, "auditor")
    assert "Last anchored on" in said(browser.get("/reads"))
    browser.post("/reads/check")
    assert "The log is the one that was anchored" in until_over(browser, "/reads/check", said, "Over at")


# -- erasure ------------------------------------------------------------------------------------------------------------
def test_a_person_is_erased_once_the_number_is_typed_twice(office: Any, said: Any) -> None:
    browser = come(office, "office")
    wrong = browser.post("/erasure", {"subject": "L1", "again": "L2", "reason": "本人申请"})
    assert wrong.status_code == 422
    assert "This is not the same number" in said(wrong)
    assert "本人申请" in wrong.text
    named = browser.post("/erasure", {"subject": "L1", "again": "L1", "reason": "龘靐申请"})
    assert named.status_code == 422
    assert "the reason names the person" in said(named)
    assert "龘靐" in browser.get("/erasure").text or "Da Bing" in browser.get("/erasure").text
    done = browser.post("/erasure", {"subject": "L1", "again": "L1", "reason": "本人申请"})
    assert "Erased:" in said(done)
    assert "本人申请" in said(done)
    for path in ("/erasure", "/items", "/portraits", "/reads"):
        assert "Da Bing" not in browser.get(path).text, path
    assert browser.get("/items/I2").status_code == 403


def test_what_has_expired_is_listed_and_destroyed(office: Any, said: Any) -> None:
    browser = come(office, "office")
    assert "Nothing is over" in said(browser.get("/erasure"))
    assert "nothing whose term was over" in said(browser.post("/erasure/terms"))
    office.clock.later(days=4 * 366)
    browser = come(office, "office")
    assert "Supervision item · 2021" in said(browser.get("/erasure"))
    assert "Destroyed: 6 rows" in said(browser.post("/erasure/terms"))
    assert browser.get("/items/I1").status_code == 403


# -- items --------------------------------------------------------------------------------------------------------------
NEW = {
    "item": "20211008-0a1b2c3d",
    "subject": "U1",
    "item-received": "2021-10-08",
    "item-severity": "minor",
    "item-source": "daily",
    "item-state": "received",
}


def rows(office: Any, kind: str) -> list[dict[str, Any]]:
    inside = office.house.office
    return [row.data for row in inside.shelf(inside.now()).of(kind)]


def test_an_item_is_kept_once_with_who_reported_it_sealed(office: Any, said: Any) -> None:
    browser = come(office, "assessor")
    for _ in range(2):
        kept = browser.post("/items/new", {**NEW, "informant-reporter": "QUIETBIRD"})
        assert kept.url.path == f"/items/{NEW['item']}"
        assert "The item is recorded" in said(kept)
    assert len([row for row in rows(office, "item") if row["item"] == NEW["item"]]) == 1
    (informant,) = [row for row in rows(office, "informant") if row["item"] == NEW["item"]]
    assert informant["reporter"].startswith("sealed1.")
    assert "QUIETBIRD" in come(office, "office").post(f"/items/{NEW['item']}/source").text


def test_findings_stand_at_their_fields_and_nothing_is_kept(office: Any, said: Any) -> None:
    browser = come(office, "assessor")
    bad = browser.post("/items/new", {**NEW, "item-received": "some day", "informant-reporter": "QUIETBIRD"})
    assert bad.status_code == 422
    assert 'id="bad-item-received"' in bad.text
    assert 'value="some day"' in bad.text
    assert "QUIETBIRD" not in bad.text
    assert len(rows(office, "item")) == len(ITEMS)
    assert browser.post("/items/new", {**NEW, "item": "I1"}).status_code == 422


def test_nobody_takes_over_the_item_of_another(office: Any) -> None:
    come(office, "assessor").post("/items/new", {**NEW, "subject": "U2"})
    assert come(office, "resident").post("/items/new", NEW).status_code == 409
    (kept,) = [row for row in rows(office, "item") if row["item"] == NEW["item"]]
    assert kept["about"] == "U2"
    assert come(office, "resident").post("/items/new", {**NEW, "subject": "U2"}).status_code == 403


def test_an_item_is_taken_further_by_whoever_saw_it_as_it_is(office: Any, said: Any) -> None:
    browser = come(office, "assessor")
    seen = re.search(r'name="seen" value="(\d+)"', browser.get("/items/I1").text)
    assert seen is not None
    further = {"item-severity": "serious", "item-source": "petitions", "item-state": "substantiated"}
    further |= {"item-established": "2021-09-20", "seen": seen[1]}
    assert "Substantiated" in said(browser.post("/items/I1", further))
    assert browser.post("/items/I1", further).status_code == 409
    kept = next(row for row in rows(office, "item") if row["item"] == "I1")
    assert (kept["about"], str(kept["received"]), kept["state"]) == ("U1", "2021-09-10", "substantiated")


def test_what_is_shown_of_items_is_noted_and_nothing_else(office: Any) -> None:
    come(office, "resident").get("/items")
    notes = {(note.subject, note.what, note.role) for note in office.house.office.reads.rows()}
    assert notes == {("U1", "item", "resident"), ("L1", "item", "resident")}
