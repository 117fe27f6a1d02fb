"""What anyone sees: verdicts, the status of a statement, the keys, and no more of anybody than is public."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mingjian.attest.statements import read_package
from mingjian.attest.verify import Trust, verify
from mingjian.base.keys import NoteKey
from mingjian.record.ledger import parse_checkpoint

Text = Callable[[httpx.Response], str]
MINGJIAN = (sys.executable, "-c", "from mingjian.cli import main; main()")


def package(office: Any, name: str) -> bytes:
    content: bytes = (office.house.office.issued / f"{name}.json").read_bytes()
    return content


# -- verifying ----------------------------------------------------------------------------------------------------------
def test_a_good_statement_is_said_to_hold_each_answer_apart(office: Any, said: Text) -> None:
    sent = package(office, "portrait-U1-2021Q3")
    page = office.stranger().post("/verify", files=[("files", ("portrait.json", sent))])
    text = said(page)
    assert page.status_code == 200
    for part in (
        "Everything holds",
        "Unit one",
        "signed by this office",
        "stands",
        "proven",
        "recomputed from evidence",
    ):
        assert part in text
    zh = office.stranger("zh").post("/verify", {"text": sent.decode()})
    for part in ("全部无误", "一单位", "由本处签发", "由证据重算一致", "粘贴的内容"):
        assert part in said(zh)


def test_several_at_once_and_what_is_none_among_them(office: Any, said: Text) -> None:
    sent = [("files", (f"{n}.json", package(office, n))) for n in ("portrait-U1-2021Q3", "portrait-U2-2021Q3")]
    page = office.stranger().post("/verify", files=[*sent, ("files", ("none.json", b"[1, 2"))])
    assert said(page).count("Everything holds") == 2
    assert "This is no statement" in said(page)
    answer = office.stranger().post("/verify", files=sent, headers={"Accept": "application/json"})
    assert answer.json()["good"] is True


def test_a_changed_number_is_named_with_what_it_comes_to(office: Any, said: Text) -> None:
    changed = (
        package(office, "portrait-U1-2021Q3")
        .replace(b'"exact":"80"', b'"exact":"99"', 1)
        .replace(b"80.00", b"99.00", 1)
    )
    page = office.stranger().post("/verify", files=[("files", ("p.json", changed))])
    assert "This does not hold" in said(page)
    assert "not signed by whom it says" in said(page)
    assert "it comes to 80" in said(page)


def test_a_revoked_statement_is_said_to_be(office: Any, said: Text) -> None:
    sent = package(office, "certificate-U1-2021Q3")
    number = read_package(sent).statement.id
    browser = office.stranger()
    assert "Issued here" in said(browser.get(f"/verify/{number.removeprefix('urn:uuid:')}"))
    office.workspace.revoke(number, "a meter was misread at Zhang's", "tester")
    page = browser.get(f"/verify/{number}")
    assert "revoked" in said(page)
    assert "Zhang" not in page.text
    assert "This does not hold" in said(browser.post("/verify", files=[("files", ("c.json", sent))]))


def test_the_code_on_a_paper_leads_to_its_status_and_to_nothing_of_its_contents(office: Any, said: Text) -> None:
    statement = read_package(package(office, "portrait-U1-2021Q3")).statement
    page = office.stranger().get(f"/verify/{statement.id.removeprefix('urn:uuid:')}")
    assert page.status_code == 200
    for content in ("Unit one", "一单位", "2021Q3", "Portrait", "80.00"):
        assert content not in said(page)
    program = office.stranger().get(f"/verify/{statement.id}", headers={"Accept": "application/json"})
    assert program.json() == {"id": statement.id, "issued": True, "status": "valid", "replaced_by": ""}


@pytest.mark.parametrize("number", ["00000000-0000-8000-8000-000000000000", "x", "..%2fstatus", "0" * 400])
def test_a_statement_that_was_never_issued(office: Any, number: str) -> None:
    page = office.stranger().get(f"/verify/{number}")
    assert page.status_code == 404
    assert "Issued here" not in page.text


def test_nothing_sent_and_too_much_sent(office: Any, said: Text) -> None:
    assert "Choose a file" in said(office.stranger().post("/verify", {"text": "  "}))
    many = [("files", (f"{n}.json", b"{}")) for n in range(51)]
    page = office.stranger().post("/verify", files=many)
    assert page.status_code == 422
    assert "No more than 50" in said(page)
    large = [("files", ("large.json", b" " * (25 * 1024 * 1024 + 1)))]
    assert office.stranger().post("/verify", files=large).status_code == 413


def test_one_address_does_not_keep_the_machine_busy(office: Any) -> None:
    browser = office.stranger()
    answers = [browser.post("/verify", {"text": "x"}).status_code for _ in range(25)]
    assert answers[0] == 200
    assert answers[-1] == 429


# -- what it stands on --------------------------------------------------------------------------------------------------
def test_what_is_posted_verifies_our_statements_elsewhere(office: Any) -> None:
    browser = office.stranger()
    trust = browser.get("/.well-known/mingjian.json").json()
    statuses = browser.get("/status", headers={"Accept": "*/*"}).json()
    assert statuses == browser.get("/status.json").json()
    known = Trust.of(trust["issuers"], trust["ledgers"])
    sent = [("p", package(office, "portrait-U1-2021Q3"))]
    report = verify(sent, now=office.clock(), trust=known, status_lists=[statuses])
    assert report.good
    status = report.packages[0].status
    assert status is not None
    assert status.outcome == "valid"


def test_the_head_of_the_ledger_is_signed_text(office: Any) -> None:
    answer = office.stranger().get("/checkpoint")
    assert answer.headers["Content-Type"].startswith("text/plain")
    keys = [NoteKey.parse(key) for key in office.house.bulletin.trust()["ledgers"]]
    assert parse_checkpoint(answer.text, keys).size == office.workspace.ledger.size


def test_the_page_of_the_status_counts(office: Any, said: Text) -> None:
    assert "4 statements issued" in said(office.stranger().get("/status"))


def test_only_public_statements_are_public(office: Any, said: Text) -> None:
    browser = office.stranger()
    page = browser.get("/statements")
    assert said(page).count("Certificate") == 2
    assert "Portrait" not in said(page)
    certificate = read_package(package(office, "certificate-U1-2021Q3")).statement.id.removeprefix("urn:uuid:")
    portrait = read_package(package(office, "portrait-U1-2021Q3")).statement.id.removeprefix("urn:uuid:")
    file = browser.get(f"/statements/{certificate}.json")
    assert file.content == package(office, "certificate-U1-2021Q3")
    assert "attachment" in file.headers["Content-Disposition"]
    assert browser.get(f"/statements/{portrait}.json").status_code == 404
    assert browser.get("/statements/..%2F..%2Fkeys%2Fissuer.pem").status_code == 404


def test_a_public_statement_about_a_person_is_not_listed(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = office.house.scheme.subjects["unit"]
    object.__setattr__(unit, "person", True)
    try:
        assert office.house.bulletin.public() == ()
    finally:
        object.__setattr__(unit, "person", False)
    assert len(office.house.bulletin.public()) == 2


def test_a_file_that_is_no_statement_does_not_break_the_list(office: Any) -> None:
    (office.house.office.issued / "stray.json").write_text("{")
    assert office.stranger().get("/statements").status_code == 200


# -- served -------------------------------------------------------------------------------------------------------------
def test_serve_opens_a_workspace_and_prints_the_way_to_the_first_page(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "w")
    with subprocess.Popen(
        [*MINGJIAN, "serve", "-w", str(tmp_path / "w"), "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        try:
            told = json.loads("".join(iter(served.stdout.readline, "}\n")) + "}")
            with urllib.request.urlopen(told["address"] + "/alive", timeout=60) as answer:
                assert answer.read() == b"alive\n"
                assert "server" not in {name.lower() for name in answer.headers}
            with urllib.request.urlopen(told["setup"], timeout=60) as answer:
                assert answer.status == 200
        finally:
            served.terminate()


def test_a_port_in_use_is_said_so(built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [
            sys.executable,
            "-c",
            "from mingjian.cli import main; main()",
            "serve",
            "-w",
            str(built),
            "--port",
            port,
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "name another port" in ended.stderr
