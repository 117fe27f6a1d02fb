"""What holds of every page: who may send forms, how much is read, what is said to the browser, in which language."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from starlette.routing import BaseRoute

import mingjian.web
from mingjian.base.errors import Fault, Misuse
from mingjian.record.access import Outcome
from mingjian.web._guards import MOST_BODY, MOST_FILES_BODY
from mingjian.web._rate import Rate
from mingjian.web._visit import Said, language_of, local, read_said, said_text
from mingjian.web._words import LANGUAGES, Words

WEB = Path(mingjian.web.__file__).parent
SAFE = {"GET", "HEAD", "OPTIONS"}


def routes(app: Any) -> Iterator[APIRoute]:
    """Every route of the application, those of its areas too."""

    def within(found: list[BaseRoute]) -> Iterator[APIRoute]:
        for route in found:
            inner = getattr(route, "original_router", None) or getattr(route, "app", None)
            if isinstance(route, APIRoute):
                yield route
            elif inner is not None and hasattr(inner, "routes"):
                yield from within(inner.routes)
            else:
                raise AssertionError(f"{route!r}: what is this, and who guards it?")

    return within(app.routes)


def address(route: APIRoute) -> str:
    return re.sub(r"{[^}]+}", "x", route.path)


# -- forms come from our own pages --------------------------------------------------------------------------------------
def test_no_unsafe_route_takes_what_no_page_of_ours_sent(office: Any) -> None:
    unsafe = [(route, m) for route in routes(office.app) for m in sorted((route.methods or set()) - SAFE)]
    assert len(unsafe) > 8
    head = office.browser("head", "head", "D")
    other = office.browser("other").csrf
    for route, method in unsafe:
        for sent in ({}, {"csrf": ""}, {"csrf": "forged"}, {"csrf": other}):
            answer = head.ask(method, address(route), data=sent)
            assert answer.status_code == 403, (method, route.path, sent)
            assert "no longer valid" in answer.text
        assert head.ask(method, address(route), files={"csrf": ("csrf", head.csrf.encode())}).status_code == 403
    assert head.get("/account").status_code == 200  # nobody was signed out


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_of_another_site_is_refused_though_it_knew_the_token(office: Any, headers: dict[str, str]) -> None:
    browser = office.stranger()
    assert browser.post("/language", {"language": "zh"}, headers=headers).status_code == 403
    assert (
        browser.post("/language", {"language": "zh"}, headers={"Origin": "https://office.example"}).status_code == 200
    )


def test_a_get_changes_nothing(office: Any) -> None:
    head = office.browser("head", "head", "D")
    size = office.workspace.ledger.size
    for route in routes(office.app):
        if "GET" in (route.methods or ()):
            head.get(address(route), follow=False)
    assert office.workspace.ledger.size == size
    assert head.get("/account").status_code == 200


# -- no more is read than a form holds ----------------------------------------------------------------------------------
@pytest.mark.parametrize(("path", "most"), [("/language", MOST_BODY), ("/verify", MOST_FILES_BODY)])
def test_a_body_too_large_is_refused_by_its_length_before_a_byte_is_read(office: Any, path: str, most: int) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    headers = {"Content-Length": str(most + 1), "Content-Type": "application/x-www-form-urlencoded"}
    answer = office.stranger().ask("POST", path, content=never(), headers=headers)
    assert answer.status_code == 413
    assert "25 MB" in answer.text


@pytest.mark.parametrize(("path", "most"), [("/language", MOST_BODY), ("/verify", MOST_FILES_BODY)])
@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", 'multipart/form-data; boundary="b"'])
def test_a_body_without_a_length_is_read_no_further_than_the_limit(
    office: Any, path: str, most: int, media: str
) -> None:
    read = 0
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' if "multipart" in media else b"a="
    piece = b"x" * 65536

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield head
        while True:
            read += len(piece)
            assert read < most + 10 * len(piece)
            yield piece

    answer = office.stranger().ask("POST", path, content=endless(), headers={"Content-Type": media})
    assert answer.status_code in (400, 413)


def test_a_form_of_too_many_fields_is_refused(office: Any) -> None:
    body = "&".join(f"f{n}=1" for n in range(6000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert office.stranger().ask("POST", "/language", content=body, headers=headers).status_code == 400


def test_control_characters_in_a_text_are_refused(office: Any) -> None:
    assert office.stranger().post("/sign-in", {"name": "a\x00b", "password": "x"}).status_code == 400


# -- what the browser is told -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/nowhere", "/sign-in", "/verify", "/status", "/checkpoint", "/people"])
def test_every_answer_says_what_may_be_done_with_it(office: Any, path: str) -> None:
    told = office.stranger().get(path, follow=False).headers
    policy = told["Content-Security-Policy"]
    for rule in ("default-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Referrer-Policy"] == "same-origin"
    assert "camera=()" in told["Permissions-Policy"]
    assert "max-age" in told["Strict-Transport-Security"]
    assert told["Cache-Control"] == "no-store"


def test_no_page_has_a_script_or_a_style_in_it(office: Any) -> None:
    for file in WEB.rglob("templates/**/*.html"):
        text = re.sub(r"{#.*?#}", "", file.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text), file
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), file
        assert "|safe" not in text.replace(" ", ""), file
        for form in re.findall(r'<form[^>]*method="post".*?</form>', text, flags=re.DOTALL):
            assert "csrf(visit)" in form, f"{file}: a form without its token"


def test_every_page_of_a_programme_with_synthetic_rows_says_so(office: Any, said: Any, tmp_path: Path) -> None:
    browser = office.browser("head", "head", "D")
    pages = [
        "/",
        "/portraits",
        "/portraits/U1?period=2021Q3",
        "/why/U1/score?period=2021Q3",
        "/ledger",
        "/verify",
        "/nowhere",
    ]
    assert not any("Synthetic data" in said(browser.get(path)) for path in pages)
    drawn = tmp_path / "drawn.jsonl"
    drawn.write_text('{"unit": "U1", "month": "2021-06", "wh": 5}\n', "utf-8")
    workspace = office.workspace
    workspace.add_file(workspace.scheme(), "reading", drawn, "tester", synthetic=True)
    assert [path for path in pages if "Synthetic data" not in said(browser.get(path))] == []


def test_cookies_are_for_us_alone(office: Any, make_office: Callable[..., Any]) -> None:
    visited = office.stranger().get("/").headers["Set-Cookie"]
    assert visited.startswith("__Host-visit=")
    for flag in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert flag in visited
    assert "Domain" not in visited
    plain = make_office(secure_cookies=False, base_url="http://127.0.0.1:8000").stranger().get("/")
    assert plain.headers["Set-Cookie"].startswith("visit=")
    assert "Strict-Transport-Security" not in plain.headers


# -- files of the look --------------------------------------------------------------------------------------------------
def test_files_are_kept_for_good_under_an_address_of_their_content(office: Any) -> None:
    browser = office.stranger()
    path = re.search(r'href="(/static/[0-9a-f]{12}/house.css)"', browser.get("/").text)
    assert path is not None
    found = browser.get(path[1])
    assert "immutable" in found.headers["Cache-Control"]
    assert found.headers["Content-Type"].startswith("text/css")
    assert found.headers["Content-Encoding"] == "gzip"
    assert browser.get(path[1], headers={"Accept-Encoding": "identity"}).content == found.content
    with pytest.raises(Misuse):
        office.house.pages.static.address("nothing.css")


@pytest.mark.parametrize(
    "path",
    [
        "../_app.py",
        "..%2f_app.py",
        "%2e%2e/%2e%2e/_app.py",
        "....//_app.py",
        "/etc/passwd",
        "x/house.css",
        "vendor/README.md",
    ],
)
def test_no_path_leads_out_of_the_folder_of_the_look(office: Any, path: str) -> None:
    edition = office.house.pages.static.address("house.css").split("/")[2]
    browser = office.stranger()
    assert browser.get(f"/static/{path}").status_code == 404
    assert browser.get(f"/static/{edition}/{path}").status_code == 404


# -- language -----------------------------------------------------------------------------------------------------------
def test_pages_speak_the_language_of_the_browser_until_another_is_chosen(office: Any) -> None:
    browser = office.stranger("zh-CN,zh;q=0.9,en;q=0.8")
    assert 'lang="zh-CN"' in browser.get("/").text
    assert "这里没有内容" in browser.get("/nowhere").text
    assert 'lang="en"' in browser.post("/language", {"language": "en", "back": "/verify"}).text
    assert "Verify a statement" in browser.get("/verify").text
    assert browser.post("/language", {"language": "fr"}).status_code == 400


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "zh"),
        ("", "fr", "zh"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "fr, en;q=0.3, zh;q=0.8", "zh"),
        ("", "zh;q=0, en;q=0.1", "en"),
        ("", "en;q=none, zh;q=0.1", "zh"),
        ("en", "zh", "en"),
        ("xx", "en", "en"),
    ],
)
def test_language(chosen: str, accepted: str, language: str) -> None:
    assert language_of(chosen, accepted) == language


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\nb"]
)
def test_nobody_is_led_elsewhere(office: Any, path: str) -> None:
    assert local(path) == "/"
    led = office.stranger().post("/language", {"language": "en", "back": path}, follow=False)
    assert led.headers["Location"] == "/"


# -- messages -----------------------------------------------------------------------------------------------------------
@given(st.text(max_size=300))
def test_a_made_up_message_is_none(text: str) -> None:
    assert read_said(text, frozenset({"a.b"})) is None


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=3))
def test_a_message_comes_as_it_was_left(values: dict[str, str]) -> None:
    assert read_said(said_text(Said("a.b", values)), frozenset({"a.b"})) == Said("a.b", values)
    assert read_said(said_text(Said("a.c", values)), frozenset({"a.b"})) is None


# -- words --------------------------------------------------------------------------------------------------------------
WORDS = Words()
AREAS = {key.partition(".")[0] for key in WORDS.keys}
LITERAL = re.compile(rf"""["']((?:{"|".join(sorted(AREAS))})(?:\.[a-z][a-z0-9_]*)+)["']""")


def rules_in(place: Path) -> set[str]:
    """What may be the name of a rule, in a file or a folder of sources."""
    files = place.rglob("*.py") if place.is_dir() else [place]
    return {rule for file in files for rule in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', file.read_text("utf-8"))}


def test_every_word_is_used_and_every_word_used_is_there() -> None:
    sources = [*WEB.rglob("*.html"), *WEB.rglob("*.py")]
    used = {key for file in sources for key in LITERAL.findall(file.read_text("utf-8"))}
    used -= {file.name for file in (WEB / "static").iterdir()}
    groups = {key.rpartition(".")[0] for key in WORDS.keys if key.count(".") > 1}
    assert sorted(used - WORDS.keys - groups) == [], "used, and nobody wrote it"
    reached = {key for key in WORDS.keys if key in used or key.rpartition(".")[0] in used}
    reached |= {f"rule.{rule.replace('-', '_')}" for rule in rules_in(WEB.parent)}
    assert sorted(WORDS.keys - reached) == [], "written, and nobody says it"


def test_whatever_can_be_wrong_with_what_people_hand_in_has_words_in_their_language() -> None:
    work = WEB.parent / "workspace"
    rooms = (WEB.parent / "record", work / "_attachments.py", work / "_casework.py", work / "_items.py")
    broken = {rule for room in rooms for rule in rules_in(room) if "-" in rule}
    broken -= {*get_args(Outcome), "yyyy-mm-dd"}
    assert {"doubled-key", "not-a-number", "hidden-row", "history-rewritten", "unfit-file"} < broken
    assert sorted(rule for rule in broken if f"rule.{rule.replace('-', '_')}" not in WORDS.keys) == []


def test_a_word_in_one_language_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('x = { en = "X" }\ny = { en = "Y", zh = "" }\n[g]\nz = { en = "Z", zh = "子" }\n')
    with pytest.raises(Fault) as caught:
        Words(tmp_path)
    assert {found.message.split()[0] for found in caught.value.findings} == {"a.x", "a.y"}


def test_words_have_the_same_places_in_both_languages() -> None:
    for key in sorted(WORDS.keys):
        en, zh = (set(re.findall(r"{(\w+)}", WORDS.text(key, language))) for language in LANGUAGES)
        assert en == zh, key


def test_a_key_nobody_wrote_is_a_fault() -> None:
    with pytest.raises(Misuse):
        WORDS.text("shell.nothing_of_this_name", "en")


def test_a_name_nobody_gave_is_a_fault(office: Any) -> None:
    environment = office.house.pages._environments["en"]
    with pytest.raises(UndefinedError):
        environment.from_string("{{ nobody }}").render()
    assert environment.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


# -- refusals -----------------------------------------------------------------------------------------------------------
def test_a_page_that_is_not_there_says_so_to_people_and_programs(office: Any) -> None:
    browser = office.stranger()
    assert browser.get("/nowhere").status_code == 404
    answer = browser.get("/nowhere", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert browser.ask("PUT", "/sign-in", data={"csrf": browser.csrf}).status_code == 405


def test_our_own_fault_says_a_number_and_nothing_else(office: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("the secret name of a source")

    office.app.add_api_route("/broken", broken)

    caplog.set_level(logging.INFO, "mingjian.web")
    answer = office.stranger().get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    number = re.search(r"<code>([0-9a-f]{8})</code>", answer.text)
    assert number is not None
    assert f"fault {number[1]}: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_the_log_names_nobody(office: Any, caplog: pytest.LogCaptureFixture) -> None:
    head = office.browser("zhang-san", "head", "D")
    caplog.set_level(logging.INFO, "mingjian.web")
    head.get(f"/people/{office.house.accounts.accounts()[0].id}?q=zhang-san")
    assert "GET /people/{account} 200" in caplog.text
    for personal in ("zhang-san", "192.0.2.7", office.house.accounts.accounts()[0].id):
        assert personal not in caplog.text


def test_refusals_name_who_may_in_the_reader_s_language(office: Any) -> None:
    reporter = office.browser("reporter", "reporter", "U1")
    for language, why in (("en", "no role of yours"), ("zh", "您所持角色")):
        reporter.post("/language", {"language": language})
        page = reporter.get("/people")
        assert page.status_code == 403
        assert "Head office (主管办公室)" in page.text
        assert why in page.text
    answer = reporter.get("/people", headers={"Accept": "application/json"})
    assert answer.json()["error"] == "Refused"


def test_a_fault_before_the_visitor_is_known_has_a_page_too(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(token: str) -> None:
        raise OSError("disk")

    browser = office.browser("head", "head", "D")
    monkeypatch.setattr(office.house.accounts, "session", broken)
    assert browser.get("/").status_code == 500


def test_a_rate_gives_so_many_and_then_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    time = 0.0
    monkeypatch.setattr("mingjian.web._rate.monotonic", lambda: time)
    rate = Rate(2, 10)
    rate.take("a")
    rate.take("a")
    with pytest.raises(Exception, match="429"):
        rate.take("a")
    rate.take("b")
    time = 10.0
    rate.take("a")
    with pytest.raises(Exception, match="429"):
        rate.take("a")


def test_only_what_anyone_may_see_is_served_where_that_was_asked(make_office: Callable[..., Any]) -> None:
    browser = make_office(public_only=True).stranger()
    assert browser.get("/verify").status_code == 200
    for path in ("/sign-in", "/people", "/account"):
        assert browser.get(path, follow=False).status_code == 404
    assert "/sign-in" not in browser.get("/").text
