"""Giving orders to victims, killing them, and using the web face until it dies under its user."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
from fault_checks import CASES, PASSWORD

HERE = Path(__file__).parent
OFF, COUNT, DIE, TEAR, FULL = range(5)  # the modes of faults.c

Told = dict[str, Any]


@dataclass(slots=True)
class Ran:
    """What one victim told, how it ended (a negative signal, or an exit code) and how long it lived, in seconds."""

    told: list[Told] = field(default_factory=list)
    ended: int = 0
    lived: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether it was killed, as opposed to having come to an end."""
        return self.ended == -signal.SIGKILL

    def last(self, key: str) -> Any:
        """The latest value told under that name, None where there is none."""
        return next((one[key] for one in reversed(self.told) if key in one), None)


class Victims:
    """The process that forks victims, with the failing disk preloaded."""

    def __init__(self, place: Path) -> None:
        self.place = place
        disk = place / "faults.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", disk, HERE / "faults.c", "-ldl"], check=True)
        self._log = (place / "victims.log").open("ab")
        self._forks = subprocess.Popen(
            [sys.executable, str(HERE / "fault_victims.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"LD_PRELOAD": str(disk)},
        )

    def close(self) -> None:
        """Fork no more."""
        assert self._forks.stdin is not None
        self._forks.stdin.close()
        self._forks.wait(30)
        self._log.close()

    def run(
        self, work: str, folder: Path, *, die_after: float | None = None, use: Use | None = None, **order: Any
    ) -> Ran:
        """Have one victim live: it is killed after so many seconds, or by its own disk (``arm``), or comes to an end.

        ``use`` is called with the victim's process id, and what it returns is told too.
        """
        ran, killer = Ran(), None
        began = time.perf_counter()
        self._give({"work": work, "folder": str(folder), "log": str(self.place / "victims.log"), **order})
        for one in self._lines():
            if "victim" in one:
                if die_after is not None:
                    killer = Timer(die_after, _kill, [one["victim"]])
                    killer.start()
                if use is not None:
                    ran.told += use(one["victim"])
            elif "ended" in one:
                ran.ended = one["ended"]
                break
            else:
                ran.told.append(one)
        ran.lived = time.perf_counter() - began
        if killer is not None:
            killer.cancel()
        return ran

    def _give(self, order: Told) -> None:
        assert self._forks.stdin is not None
        self._forks.stdin.write(json.dumps(order).encode() + b"\n")
        self._forks.stdin.flush()

    def _lines(self) -> Iterator[Told]:
        assert self._forks.stdout is not None
        for line in self._forks.stdout:
            yield json.loads(line)
        raise RuntimeError(f"nobody forks any more: see {self.place / 'victims.log'}")


Use = Callable[[int], list[Told]]


def _kill(process: int) -> None:
    """The victim and all that it started: each becomes a session of its own, unless it dies before it comes to that."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(process, signal.SIGKILL)


# -- the web face and its user ------------------------------------------------------------------------------------------
def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Reporter:
    """Somebody who hands in reports in the browser. Each case is one that nobody else acts on."""

    def __init__(self) -> None:
        self._next = CASES - 1

    def work(self, port: int, reports: int) -> Use:
        """Sign in and report, until the server is gone; once so many reports are in, it is told to tell and die."""

        def use(process: int) -> list[Told]:
            told: list[Told] = []
            with suppress(httpx.TransportError), signed_in(port) as browser:
                told.append({"alive": True})
                for _ in range(reports):
                    self.report(browser, told)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGUSR1)
            return told

        return use

    def report(self, browser: httpx.Client, told: list[Told]) -> None:
        """One report with a file. It is acknowledged once the answer says so."""
        case = f"A{self._next:03}"
        self._next -= 1
        page = browser.get(f"/tasks/duty/case?id={case}")
        data = {"csrf": csrf_in(page), "act": "report", "seen": "0", "rows.report": "1", "row.report.1.text": "done"}
        told.append({"doing": "report", "case": case})
        files = {"files": ("proof.txt", f"proof of {case}".encode() * 500)}
        answer = browser.post(f"/tasks/duty/case?id={case}", data=data, files=files, follow_redirects=False)
        if answer.status_code != 303:
            told.append({"broke": f"reporting {case} was answered by {answer.status_code}"})
        else:
            told.append({"done": "report", "case": case, "version": 1})


@contextmanager
def signed_in(port: int) -> Iterator[httpx.Client]:
    """The browser of somebody who may report, once the server is there. Raises TransportError once it is gone."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, follow_redirects=True) as browser:
        for tries in range(400):
            with suppress(httpx.ConnectError if tries < 399 else ()):
                browser.get("/alive")
                break
            time.sleep(0.02)
        page = browser.get("/sign-in")
        browser.post("/sign-in", data={"csrf": csrf_in(page), "name": "web", "password": PASSWORD})
        yield browser


def csrf_in(page: httpx.Response) -> str:
    """What a form of that page carries."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    if found is None:
        raise RuntimeError(f"{page.url} has no form: {page.status_code}")
    return found[1]
