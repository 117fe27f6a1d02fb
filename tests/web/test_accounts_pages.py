"""Coming in and going out, one's own account, and who holds which role, as people do it in a browser."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwk, jwt

from mingjian.base.errors import Misuse
from mingjian.web import Oidc
from mingjian.web._serve import _listening, configured, oidc_in

PASSWORD = "a mirror, bright and still"
NEXT = "an even brighter mirror"
Text = Callable[[httpx.Response], str]


# -- the first run ------------------------------------------------------------------------------------------------------
FIRST = {
    "token": "once",
    "name": "first",
    "shown": "The First",
    "subject": "D",
    "password": PASSWORD,
    "again": PASSWORD,
}


def test_the_first_account_is_made_once_with_the_highest_role(make_office: Callable[..., Any], said: Text) -> None:
    office = make_office(setup_token="once")
    browser = office.stranger()
    assert "Head office" in said(browser.get("/setup?token=once"))
    page = browser.post("/setup", FIRST)
    assert (page.status_code, page.url.path) == (200, "/people")
    assert "The office is set up" in said(page)
    (account,) = office.house.accounts.accounts()
    now = office.house.office.now()
    (held,) = now.grants.of(account.id, now.day)
    assert (held.role, held.subject) == ("head", "D")
    assert browser.get("/setup?token=once").status_code == 404
    assert browser.post("/setup", {**FIRST, "name": "second"}).status_code == 404


@pytest.mark.parametrize("token", ["", "twice", "önce"])
def test_only_who_read_the_terminal_sets_up(make_office: Callable[..., Any], token: str) -> None:
    office = make_office(setup_token="once")
    assert office.stranger().get("/setup", params={"token": token}).status_code == 404
    assert office.stranger().post("/setup", {**FIRST, "token": token}).status_code == 404
    assert make_office().stranger().get("/setup", params={"token": token}).status_code == 404
    assert not office.house.accounts.accounts()


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("name", "", "fill this in"),
        ("password", "short", "12 characters"),
        ("again", "other", "not the same"),
        ("subject", "U1", "fill this in"),
        ("password", "", "fill this in"),
    ],
)
def test_what_is_wrong_stands_at_the_field(
    make_office: Callable[..., Any], said: Text, field: str, value: str, finding: str
) -> None:
    office = make_office(setup_token="once")
    sent = {**FIRST, field: value} | ({"again": value} if field == "password" else {})
    page = office.stranger().post("/setup", sent)
    assert page.status_code == 422
    assert finding in said(page)
    assert PASSWORD not in page.text
    assert not office.house.accounts.accounts()
    assert not list(office.workspace.ledger.entries(kind="grant"))


# -- at the door --------------------------------------------------------------------------------------------------------
def test_who_asks_for_more_is_asked_to_sign_in_and_led_back(office: Any) -> None:
    office.account("head", "head", "D")
    browser = office.stranger()
    door = browser.get("/people")
    assert str(door.url).endswith("/sign-in?back=/people")
    page = browser.post("/sign-in", {"name": "HEAD ", "password": PASSWORD, "back": "/people"})
    assert page.url.path == "/people"
    assert browser.get("/sign-in?back=/people").url.path == "/people"
    program = office.stranger().get("/people", headers={"Accept": "application/json"}, follow=False)
    assert program.status_code == 401


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(office: Any, back: str) -> None:
    office.account("head")
    led = office.stranger().post("/sign-in", {"name": "head", "password": PASSWORD, "back": back}, follow=False)
    assert (led.status_code, led.headers["Location"]) == (303, "/")


def test_nobody_learns_which_names_there_are(office: Any, said: Text) -> None:
    office.account("head")
    disabled = office.account("gone")
    office.house.accounts.disable(disabled.id)
    invited = office.house.accounts.create("invited")
    assert not invited.ready
    answers = []
    for name in ("head", "nobody", "gone", "invited", "", "x" * 5000):
        page = office.stranger().post("/sign-in", {"name": name, "password": "wrong and wrong again"})
        answers.append((page.status_code, said(page), {k for k in page.headers if k != "set-cookie"}))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 403


def test_a_session_has_a_token_that_nobody_had_before(office: Any) -> None:
    office.account("head")
    browser = office.stranger()
    browser.get("/")
    planted = "p" * 43
    for name in ("__Host-session", "__Host-visit"):
        browser.cookies.set(name, planted, domain="office.example")
    before = browser.csrf
    led = browser.post("/sign-in", {"name": "head", "password": PASSWORD}, follow=False)
    token = next(c for c in led.headers.get_list("Set-Cookie") if c.startswith("__Host-session="))
    assert planted not in token
    for flag in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert flag in token
    assert "Max-Age" not in token  # it ends with the browser
    assert browser.csrf != before
    assert office.house.accounts.session(planted) is None


def test_signing_out_ends_the_session_also_for_who_kept_its_token(office: Any) -> None:
    browser = office.browser("head")
    token = browser.cookies["__Host-session"]
    assert "You are signed out" in browser.post("/sign-out").text
    assert "__Host-session" not in browser.cookies
    thief = office.stranger()
    thief.cookies.set("__Host-session", token, domain="office.example")
    assert thief.get("/account").url.path == "/sign-in"


def test_a_session_unused_for_half_an_hour_is_over(office: Any) -> None:
    browser = office.browser("head")
    office.clock.later(minutes=29)
    assert browser.get("/account").url.path == "/account"
    office.clock.later(minutes=31)
    assert browser.get("/account").url.path == "/sign-in"


# -- one's own account --------------------------------------------------------------------------------------------------
def test_a_new_password_ends_all_other_sessions(office: Any) -> None:
    here, elsewhere = office.browser("head"), office.browser("head")
    sent = {"current": PASSWORD, "password": NEXT, "again": NEXT}
    assert "The password is changed" in here.post("/account/password", sent).text
    assert here.get("/account").url.path == "/account"
    assert elsewhere.get("/account").url.path == "/sign-in"
    assert elsewhere.post("/sign-in", {"name": "head", "password": PASSWORD}).status_code == 403
    assert elsewhere.post("/sign-in", {"name": "head", "password": NEXT}).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "again", "status", "finding"),
    [
        ("wrong", NEXT, NEXT, 403, "not the current password"),
        (PASSWORD, "short", "short", 422, "12 characters"),
        (PASSWORD, NEXT, "other", 422, "not the same"),
    ],
)
def test_a_password_is_not_changed(
    office: Any, said: Text, current: str, new: str, again: str, status: int, finding: str
) -> None:
    browser = office.browser("head")
    page = browser.post("/account/password", {"current": current, "password": new, "again": again})
    assert page.status_code == status
    assert finding in said(page)
    assert office.stranger().post("/sign-in", {"name": "head", "password": PASSWORD}).status_code == 200


def test_the_language_of_an_account_is_spoken_wherever_it_signs_in(office: Any) -> None:
    office.browser("head").post("/account/language", {"language": "zh"})
    assert 'lang="zh-CN"' in office.browser("head").get("/").text
    assert office.browser("head").post("/account/language", {"language": "xx"}).status_code == 400


# -- invitations --------------------------------------------------------------------------------------------------------
def invitation(page: httpx.Response) -> str:
    found = re.search(r"https://office\.example(/invitation/[\w-]+)", page.text)
    assert found is not None
    return found[1]


def test_somebody_is_invited_and_comes_in(office: Any, said: Text) -> None:
    head = office.browser("head", "head", "D")
    sent = {"name": "li", "shown": "Li <b>Si</b>", "language": "zh", "subject": ""}
    page = head.post("/people", sent)
    assert page.status_code == 200
    assert "<b>Si" not in page.text
    path = invitation(page)
    guest = office.stranger()
    assert "Li <b>Si</b>" in said(guest.get(path))
    wrong = guest.post(path, {"password": "short", "again": "short"})
    assert wrong.status_code == 422
    assert guest.post(path, {"password": NEXT, "again": "other"}).status_code == 422
    came = guest.post(path, {"password": NEXT, "again": NEXT})
    assert came.url.path == "/"
    assert 'lang="zh-CN"' in came.text
    assert office.stranger().get(path).status_code == 404
    assert office.stranger().post(path, {"password": NEXT, "again": NEXT}).status_code == 404


def test_an_invitation_ends_after_seven_days_and_by_a_newer_one(office: Any) -> None:
    head = office.browser("head", "head", "D")
    guest = office.account("li")
    first = invitation(head.post(f"/people/{guest.id}/invitation"))
    second = invitation(head.post(f"/people/{guest.id}/invitation"))
    assert office.stranger().get(first).status_code == 404
    assert office.stranger().get(second).status_code == 200
    office.clock.later(days=8)
    assert office.stranger().get(second).status_code == 404


def test_a_name_that_is_taken_is_found_at_its_field(office: Any, said: Text) -> None:
    head = office.browser("head", "head", "D")
    page = head.post("/people", {"name": "Head", "shown": "x", "language": "en"})
    assert page.status_code == 422
    assert "taken" in said(page)


# -- roles --------------------------------------------------------------------------------------------------------------
def test_a_role_is_given_and_taken_and_counts_at_once(office: Any) -> None:
    head = office.browser("head", "head", "D")
    other = office.browser("deputy")
    account = next(a for a in office.house.accounts.accounts() if a.name == "deputy")
    assert other.get("/people").status_code == 403
    given = head.post(f"/people/{account.id}/roles", {"role": "deputy", "subject": "D"})
    assert "The role is given" in given.text
    assert other.get("/people").status_code == 200
    head.post(f"/people/{account.id}/roles/taken", {"role": "deputy", "subject": "D"})
    assert other.get("/people").status_code == 403


def test_a_role_is_not_given_over_what_it_is_not_for(office: Any, said: Text) -> None:
    head = office.browser("head", "head", "D")
    account = office.account("li")
    for sent in ({"role": "reporter", "subject": "D"}, {"role": "king", "subject": "D"}, {}):
        page = head.post(f"/people/{account.id}/roles", sent)
        assert page.status_code == 422
        assert "not given over" in said(page)


def test_nobody_gives_a_role_that_theirs_does_not_give(office: Any) -> None:
    deputy = office.browser("deputy", "deputy", "D")
    account = office.account("li")
    page = deputy.post(f"/people/{account.id}/roles", {"role": "head", "subject": "D"})
    assert page.status_code == 403
    assert "Head office" in page.text
    assert deputy.post(f"/people/{account.id}/roles", {"role": "reporter", "subject": "U1"}).status_code == 200


def test_nobody_takes_over_an_account_above_them(office: Any) -> None:
    head = office.account("head", "head", "D")
    deputy, auditor = office.browser("deputy", "deputy", "D"), office.browser("auditor", "auditor", "D")
    for browser in (deputy, auditor):
        assert browser.get(f"/people/{head.id}").status_code == 200
        for act in ("invitation", "disabled", "enabled"):
            assert browser.post(f"/people/{head.id}/{act}").status_code == 403
    assert auditor.post("/people", {"name": "mine", "shown": "x"}).status_code == 403
    assert deputy.post("/people", {"name": "mine", "shown": "x"}).status_code == 200


def test_an_account_is_shut_at_once_and_nobody_shuts_their_own(office: Any) -> None:
    head, other = office.browser("head", "head", "D"), office.browser("li", "reporter", "U1")
    ids = {account.name: account.id for account in office.house.accounts.accounts()}
    assert head.post(f"/people/{ids['head']}/disabled").status_code == 403
    assert "The account is shut" in head.post(f"/people/{ids['li']}/disabled").text
    assert other.get("/account").url.path == "/sign-in"
    assert other.post("/sign-in", {"name": "li", "password": PASSWORD}).status_code == 403
    assert "open again" in head.post(f"/people/{ids['li']}/enabled").text
    assert other.post("/sign-in", {"name": "li", "password": PASSWORD}).status_code == 200


def test_an_account_that_is_not_there(office: Any) -> None:
    head = office.browser("head", "head", "D")
    assert head.get("/people/a-nobody").status_code == 404
    for act in ("invitation", "disabled", "enabled", "roles", "roles/taken"):
        assert head.post(f"/people/a-nobody/{act}", {"role": "reporter", "subject": "U1"}).status_code == 422


def test_every_try_at_the_door_is_seen_by_who_oversees(office: Any, said: Text) -> None:
    office.stranger().post("/sign-in", {"name": "my password by mistake", "password": "x"})
    auditor = office.browser("auditor", "auditor", "D")
    seen = said(auditor.get("/sign-ins"))
    assert "a name nobody has" in seen
    assert "signed in" in seen
    assert "192.0.2.7" in seen
    assert "by mistake" not in seen
    assert office.browser("li", "reporter", "U1").get("/sign-ins").status_code == 403


@pytest.mark.parametrize(("named", "noted"), [("192.0.2.7", "203.0.113.5"), ("198.51.100.1", "192.0.2.7")])
def test_only_a_proxy_that_was_named_says_who_comes(office: Any, named: str, noted: str) -> None:
    config = configured(office.app, [named])
    config.load()
    comes = office.stranger(through=config.loaded_app)
    comes.post("/sign-in", {"name": "nobody", "password": "x"}, headers={"X-Forwarded-For": "203.0.113.5"})
    assert [tried.address for tried in office.house.accounts.attempts()] == [noted]


def test_the_navigation_offers_what_one_may_do(office: Any) -> None:
    assert 'href="/people"' in office.browser("head", "head", "D").get("/").text
    assert 'href="/people"' not in office.browser("li", "reporter", "U1").get("/").text


SCRIPT = "\"><script>alert(1)</script>{{ 7*7 }}'`"


def test_script_in_every_field_is_shown_and_never_run(make_office: Callable[..., Any]) -> None:
    office = make_office(setup_token="once")
    pages = [office.stranger().post("/setup", {**FIRST, field: SCRIPT, "password": "x"}) for field in FIRST]
    office.account("head", "head", "D", shown=SCRIPT)
    head = office.browser("head")
    pages += [
        office.stranger().get("/sign-in", params={"back": f"/{SCRIPT}"}),
        office.stranger().post("/sign-in", {"name": SCRIPT, "password": SCRIPT, "back": f"/{SCRIPT}"}),
        head.get("/"),
        head.get("/account"),
        head.post("/people", {"name": SCRIPT, "shown": SCRIPT, "language": SCRIPT, "subject": SCRIPT}),
        head.post("/people", {"name": "head", "shown": SCRIPT, "language": SCRIPT, "subject": SCRIPT}),
        head.get("/people"),
        head.get("/sign-ins"),
        head.get(f"/people/{SCRIPT}"),
        head.post("/verify", {"text": SCRIPT}, files=[("files", (SCRIPT, b"{}"))]),
        head.get(f"/verify/{SCRIPT}"),
    ]
    account = office.account("li", "reporter", "U1", shown=SCRIPT)
    pages += [
        head.post(f"/people/{account.id}/roles", {"role": SCRIPT, "subject": SCRIPT}),
        head.post(f"/people/{account.id}/roles/taken", {"role": SCRIPT, "subject": SCRIPT}),
        head.get(f"/people/{account.id}"),
    ]
    for page in pages:
        assert "<script>alert" not in page.text, page.url
        assert '"><script' not in page.text, page.url
        assert not re.search(r">\s*49\s*<", page.text), page.url


# -- by a provider ------------------------------------------------------------------------------------------------------
ISSUER = "https://id.example"


class Provider:
    """A provider of identities that answers instead of the network."""

    def __init__(self) -> None:
        self.key = jwk.RSAKey.generate_key(2048, parameters={"kid": "1"})
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, list[str]] = {}
        self.configuration = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.signing: Any = self.key

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.configuration)
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        self.asked = parse_qs(request.content.decode())
        token = jwt.encode(self.header, self.claims, self.signing, algorithms=["RS256", "HS256"])
        return httpx.Response(200, json={"id_token": token, "access_token": "x", "token_type": "Bearer"})


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    found = Provider()
    real = httpx.Client

    def client(**given: Any) -> httpx.Client:
        return real(transport=httpx.MockTransport(found), **given)

    monkeypatch.setattr(httpx, "Client", client)
    return found


@pytest.fixture
def with_provider(make_office: Callable[..., Any], provider: Provider) -> Any:
    return make_office(oidc=Oidc(ISSUER, "office", "between us"))


def journey(
    browser: Any, provider: Provider, path: str = "/sign-in/external?back=/account", **claims: Any
) -> httpx.Response:
    """To the provider and back."""
    there = browser.get(path, follow=False)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["Location"]).query).items()}
    assert there.headers["Location"].startswith(f"{ISSUER}/authorize?")
    assert asked["code_challenge_method"] == "S256"
    now = int(time.time())
    provider.claims = {
        "iss": ISSUER,
        "aud": "office",
        "sub": "zhang",
        "iat": now,
        "exp": now + 60,
        "nonce": asked["nonce"],
    } | claims
    back = httpx.URL(asked["redirect_uri"], params={"code": "c", "state": asked["state"]})
    came: httpx.Response = browser.get(f"{back.path}?{back.query.decode()}")
    return came


def test_who_a_provider_vouches_for_is_let_in_once_bound(with_provider: Any, provider: Provider, said: Text) -> None:
    assert "Sign in with your organisation" in with_provider.stranger().get("/sign-in").text
    stranger = with_provider.stranger()
    refused = journey(stranger, provider)
    assert refused.status_code == 403
    assert "__Host-session" not in stranger.cookies
    bound = journey(with_provider.browser("head"), provider, "/account/external")
    assert "opens this account now" in said(bound)
    came = journey(stranger, provider)
    assert (came.status_code, came.url.path) == (200, "/account")
    assert provider.asked["code_verifier"]
    assert provider.asked["redirect_uri"] == ["https://office.example/sign-in/external/back"]
    other = journey(with_provider.browser("other"), provider, "/account/external")
    assert other.status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"nonce": "of another journey"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=json.dumps,
)
def test_a_word_that_is_not_the_provider_s_to_us_lets_nobody_in(
    with_provider: Any, provider: Provider, claims: dict[str, Any]
) -> None:
    account = with_provider.account("head")
    with_provider.house.accounts.bind(account.id, ISSUER, "zhang")
    assert journey(with_provider.stranger(), provider, **claims).status_code == 403
    assert journey(with_provider.stranger(), provider).status_code == 200


def test_a_word_signed_by_another_or_by_a_shared_secret_lets_nobody_in(with_provider: Any, provider: Provider) -> None:
    with_provider.house.accounts.bind(with_provider.account("head").id, ISSUER, "zhang")
    provider.signing = jwk.RSAKey.generate_key(2048, parameters={"kid": "1"})
    assert journey(with_provider.stranger(), provider).status_code == 403
    provider.signing, provider.header = jwk.OctKey.import_key(b"k" * 32, {"kid": "1"}), {"alg": "HS256", "kid": "1"}
    assert journey(with_provider.stranger(), provider).status_code == 403


@pytest.mark.parametrize("query", ["", "?code=c&state=s", "?code=c", "?error=access_denied"])
def test_a_way_back_without_a_way_there_leads_nowhere(with_provider: Any, provider: Provider, query: str) -> None:
    browser = with_provider.stranger()
    assert browser.get(f"/sign-in/external/back{query}").status_code == 403
    browser.cookies.set("__Host-journey", "e30=", domain="office.example")
    assert browser.get(f"/sign-in/external/back{query}").status_code == 403


def test_a_provider_that_is_another_or_silent_is_said_so(with_provider: Any, provider: Provider, said: Text) -> None:
    provider.configuration["issuer"] = "https://evil.example"
    page = with_provider.stranger().get("/sign-in/external")
    assert page.status_code == 422
    assert "describe itself" in said(page)


def test_without_a_provider_there_is_no_such_page(office: Any) -> None:
    assert "organisation" not in office.stranger().get("/sign-in").text
    assert office.stranger().get("/sign-in/external").status_code == 404
    assert office.stranger().get("/account/external").status_code == 404
    assert office.stranger().get("/sign-in/external/back?code=c&state=s").status_code == 404


def test_a_provider_is_named_whole_or_not_at_all() -> None:
    names = ("MINGJIAN_OIDC_ISSUER", "MINGJIAN_OIDC_CLIENT_ID", "MINGJIAN_OIDC_CLIENT_SECRET")
    assert oidc_in({}) is None
    assert oidc_in(dict.fromkeys(names, "x")) == Oidc("x", "x", "x")
    with pytest.raises(Misuse):
        oidc_in({names[0]: "x"})
    assert "x" not in repr(Oidc("i", "c", "x"))


def test_the_end_of_an_answer_does_not_wait_for_its_beginning_to_be_confirmed() -> None:
    """Of a socket that asyncio did not make itself it leaves Nagle's algorithm on: 40 ms a page."""
    with _listening("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
