"""`mingjian serve` that is told to end (SIGTERM): what was asked is answered, and nobody who stopped halfway holds it up."""

from __future__ import annotations

import fcntl
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import csrf_in, free_port, signed_in

from mingjian.workspace import Office, Workspace

CASE = "/tasks/duty/case?id=A001"


@pytest.fixture
def serving(office: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server over the office, and its port."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mingjian")), "serve", "-w", str(office), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdout is not None
    assert str(port).encode() in server.stdout.readline()
    yield server, port
    server.kill()
    server.wait()
    server.stdout.close()


def test_it_answers_what_was_asked_and_ends(office: Path, serving: tuple[subprocess.Popen[bytes], int]) -> None:
    server, port = serving
    answers: list[int] = []
    with signed_in(port) as browser, socket.create_connection(("127.0.0.1", port)) as halfway:
        halfway.sendall(b"POST /sign-in HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nname=")
        data = {"csrf": csrf_in(browser.get(CASE)), "act": "report", "seen": "0"}
        data |= {"rows.report": "1", "row.report.1.text": "done"}

        def report() -> None:
            answers.append(browser.post(CASE, data=data, follow_redirects=False).status_code)

        asking = threading.Thread(target=report)
        with (office / "ledger.db.lock").open("a") as held:  # so that the report waits for its turn
            fcntl.flock(held, fcntl.LOCK_EX)
            asking.start()
            time.sleep(1.5)
            server.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert server.poll() is None
            assert not answers
        asking.join()
        assert answers == [303]
        server.wait(20)
    case = Office(Workspace.open(office)).now().docket.case("duty", "A001")
    assert case.state == "reported"
