"""The example says who can sign in, so that it can be tried."""

from __future__ import annotations

import pytest

from mingjian.workspace import Built, Workspace
from mingjian.workspace._demo_office import Login, people_text

LOGINS = [Login("reporter", "林川瑾", ("reporter U01",)), Login("head", "王明安", ("head U01", "described L001"))]
PASSWORD = "evidence in, portraits out"


@pytest.fixture
def built(tmp_path, monkeypatch):
    (tmp_path / "example.toml").write_text('name = "people"\n')
    workspace = Workspace.create(tmp_path / "w", origin="example.org/people")
    built = Built(workspace, tmp_path, logins=LOGINS, password=PASSWORD)
    monkeypatch.setattr("mingjian.workspace.build_example", lambda *_, **__: built)
    return tmp_path


@pytest.mark.parametrize(("language", "head"), [("en", "who can sign in"), ("zh", "可登录的用户")])
def test_demo_says_who_can_sign_in(run, built, monkeypatch, language, head):
    monkeypatch.setenv("MINGJIAN_LANG", language)
    lines = run("demo", built, built / "into").out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(head))
    assert lines[at + 2].split() == ["head", "王明安", "head", "U01,", "described", "L001"]
    assert lines[at + 3].endswith(PASSWORD)


def test_demo_tells_programs_too(run, built):
    said = run("demo", built, built / "into", "--json").json
    assert said["password"] == PASSWORD
    assert said["people"][0] == {"user": "reporter", "name": "林川瑾", "roles": ["reporter U01"]}


def test_the_file_that_make_serve_shows_has_all_of_them():
    text = people_text(LOGINS, PASSWORD)
    assert [line.split()[0] for line in text.splitlines()] == ["Who", "reporter", "head", "Password"]
    assert PASSWORD in text
