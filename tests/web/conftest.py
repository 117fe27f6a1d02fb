"""A small programme with roles behind the web face, and browsers of the people in it. No sockets, no network."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Error, Page, sync_playwright

from mingjian.base.values import Period
from mingjian.record.access import Account, Accounts
from mingjian.web import Settings, create_app
from mingjian.web._page import Pages
from mingjian.web._words import LANGUAGES, Language
from mingjian.workspace import Order, Workspace, grant, issue_into

SMALL = Path(__file__).parents[1] / "workspace" / "small"
PASSWORD = "a mirror, bright and still"
ADDRESS = "https://office.example"
CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]

ROLES = """
[role.head]
title = { en = "Head office", zh = "主管办公室" }
of = "district"
reads = "sealed"
grants = ["head", "deputy", "reporter"]
unseals = true
oversees = true
[role.deputy]
title = { en = "Deputy", zh = "副手" }
of = "district"
reads = "confidential"
grants = ["reporter"]
oversees = true
[role.auditor]
title = { en = "Auditor", zh = "审计" }
of = "district"
oversees = true
[role.reporter]
title = { en = "Reporter", zh = "填报员" }
of = "unit"
adds = ["task"]
"""

SUBJECTS = [
    {"id": "D", "type": "district", "zh": "城区", "en": "City district", "from": "2021-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "一单位", "en": "Unit one", "from": "2021-01-01"},
    {"id": "U2", "type": "unit", "parent": "D", "zh": "二单位", "en": "Unit two", "from": "2021-01-01"},
]


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.time = datetime(2021, 10, 8, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def later(self, **by: float) -> None:
        self.time += timedelta(**by)


class Browser:
    """A browser without a script: keeps cookies, sends forms from where it is, and follows where it is led."""

    def __init__(self, app: FastAPI, language: str = "en", address: str = ADDRESS) -> None:
        self.app, self.address = app, address
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 4242))
        headers = {"Accept": "text/html", "Accept-Language": language}
        self._client = httpx.AsyncClient(transport=transport, base_url=address, headers=headers)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request, with nothing added and nothing followed."""
        return self._runner.run(self._client.request(method, path, **given))

    def get(self, path: str, *, follow: bool = True, **given: Any) -> httpx.Response:
        """A page."""
        return self.ask("GET", path, follow_redirects=follow, **given)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        files: Sequence[tuple[str, tuple[str, bytes]]] = (),
        follow: bool = True,
        **given: Any,
    ) -> httpx.Response:
        """A form as a page of ours would send it."""
        sent = {"csrf": self.csrf, **(data or {})}
        return self.ask("POST", path, data=sent, files=list(files) or None, follow_redirects=follow, **given)

    @property
    def csrf(self) -> str:
        """What forms of this session carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        assert found is not None
        return found[1]

    @property
    def cookies(self) -> httpx.Cookies:
        """What it keeps."""
        return self._client.cookies

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


def with_cheap_passwords(app: FastAPI, path: Path, clock: Callable[[], datetime]) -> None:
    """Accounts in a file of their own, whose passwords cost nothing to check."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    app.state.house.office.__dict__["accounts"] = Accounts(path, clock, hasher=cheap)


class Office:
    """The application, its clock, and browsers at it."""

    def __init__(self, workspace: Workspace, clock: Clock, **settings: Any) -> None:
        self.workspace, self.clock = workspace, clock
        self.app = create_app(workspace, Settings(**{"base_url": ADDRESS, "secure_cookies": True, **settings}))
        self.house = self.app.state.house
        with_cheap_passwords(self.app, workspace.folder / f"accounts-{id(self)}.db", clock)
        self._browsers: list[Browser] = []

    def account(self, name: str, role: str = "", subject: str = "", shown: str = "") -> Account:
        """An account with a role over a subject."""
        made: Account = self.house.accounts.create(name, shown or name.title(), language="en", password=PASSWORD)
        if role:
            grant(self.house.office, made.id, role, subject, since=self.clock().date(), by=made.id)
        return made

    def stranger(self, language: str = "en", through: Any = None) -> Browser:
        """The browser of somebody who is not signed in, and comes ``through`` what wraps the application."""
        self._browsers.append(Browser(through or self.app, language))
        return self._browsers[-1]

    def browser(self, name: str, role: str = "", subject: str = "") -> Browser:
        """The browser of somebody who is; the account is made unless there is one of that name."""
        if name not in {account.name for account in self.house.accounts.accounts()}:
            self.account(name, role, subject)
        browser = self.stranger()
        came = browser.post("/sign-in", {"name": name, "password": PASSWORD})
        assert came.status_code == 200, came.text
        return browser

    def close(self) -> None:
        for browser in self._browsers:
            browser.close()
        self.house.accounts.close()


class Templates(BytecodeCache):
    """Those that were compiled, by what Jinja calls them."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def templates_once() -> Iterator[None]:
    """The templates that one application compiled are there for all others: almost every test has an application of its own."""
    kept = {language: Templates() for language in LANGUAGES}

    def environment(
        pages: Pages, language: Language, make: Callable[..., Environment] = Pages._environment
    ) -> Environment:
        made = make(pages, language)
        made.bytecode_cache = kept[language]
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pages, "_environment", environment)
        yield


def text_of(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture
def said() -> Callable[[httpx.Response], str]:
    return text_of


def build(folder: Path, clock: Clock) -> Workspace:
    """The workspace: the small programme with roles, some rows, a portrait for its reader and certificates for everybody."""
    programme = folder / "small"
    shutil.copytree(SMALL, programme)
    with (programme / "scheme.toml").open("a", encoding="utf-8") as file:
        file.write(ROLES)
    workspace = Workspace.create(folder / "workspace", origin="office.example/ledger", clock=clock)
    scheme = workspace.adopt(str(programme), "tester")
    readings = [{"unit": u, "month": f"2021-{m:02}", "wh": 1000 + m} for u in ("U1", "U2") for m in (7, 8, 9)]
    tasks = [
        {"task": n, "unit": u, "quarter": "2021Q3", "possible": "10", "awarded": a}
        for n, u, a in (("1", "U1", "8.5"), ("2", "U1", "7.5"), ("3", "U2", "1"))
    ]
    batches: dict[str, Sequence[Mapping[str, object]]] = {"subject": SUBJECTS, "task": tasks, "reading": readings}
    for kind, rows in batches.items():
        path = folder / f"{kind}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        workspace.add_file(scheme, kind, path, "tester")
    period = Period.parse("2021Q3")
    for statement, level in (("portrait", "described"), ("certificate", "public")):
        order = Order(period, {statement: None}, level)  # type: ignore[arg-type]
        issue_into(workspace, scheme, order, workspace.folder / "issued", by="tester")
    return workspace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace's folder, built once; tests work on copies of it."""
    return build(tmp_path_factory.mktemp("web"), Clock()).folder


@pytest.fixture
def make_office(built: Path, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """An office of one's own, with settings."""
    made: list[Office] = []

    def make(**settings: Any) -> Office:
        folder = tmp_path / f"office-{len(made)}"
        shutil.copytree(built, folder)
        clock = Clock()
        clock.later(hours=1)
        made.append(Office(Workspace.open(folder, clock=clock), clock, **settings))
        return made[-1]

    yield make
    for office in made:
        office.close()


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    """An office of one's own."""
    return make_office()


# -- real browsers ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium. Where there is none, or it may not start, whoever asks for it is skipped."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except Error as fault:
            pytest.skip(f"Chromium does not start here: {fault.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., str]]:
    """Serve a workspace from a thread, to people with a role over a subject each, and give its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(workspace: Workspace, people: Mapping[str, tuple[str, str]], language: str = "zh") -> str:
        app = create_app(workspace, Settings())
        with_cheap_passwords(app, workspace.folder / "accounts.db", workspace.clock)
        office = app.state.house.office
        for name, (role, subject) in people.items():
            account = office.accounts.create(name, name.title(), language=language, password=PASSWORD)
            grant(office, account.id, role, subject, since=workspace.clock().date(), by="setup")
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture
def come_in(chromium: Chromium, address: str) -> Iterator[Callable[..., Page]]:
    """Sign somebody in at ``address``, in a window of their own."""
    opened: list[Page] = []

    def come_in(name: str, **given: Any) -> Page:
        page = chromium.new_context(base_url=address, locale="en-GB", **given).new_page()
        page.set_default_timeout(30_000)
        opened.append(page)
        page.goto("/sign-in")
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.locator("main button").first.click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield come_in
    for page in opened:
        page.context.close()
