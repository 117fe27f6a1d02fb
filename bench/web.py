"""The web face under people: pages by kind while many use it, the start, and a report that shows in its unit's numbers.

    python bench/web.py [--built build/chongqing] [--people 50] [--seconds 60]

``built`` is a folder that `mingjian demo` filled; it is copied, so that nothing of it changes. Every person signs in, looks
at a page of theirs, reads it for one to three seconds and goes on. The floor is the same server's ``/alive``, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
from fault_runs import free_port
from meter import Table, told

EXAMPLE = Path(__file__).parents[1] / "examples" / "chongqing-2021-09-07"
QUARTER = "2021Q3"
UNITS = 85
REACH = {"floor": 0.1, "page": 0.1, "panorama": 0.3, "portrait": 0.3, "why": 0.3}  # seconds at the 95th percentile
PAGES = Table({"what": "<20", "times": ">7", "median ms": ">9", "p95 ms": ">9", "reach ms": ">9"})

Timings = dict[str, list[float]]


def password() -> str:
    """That of everybody in the example."""
    declared = tomllib.loads((EXAMPLE / "example.toml").read_text("utf-8"))
    return next(str(p["office"]["password"]) for p in declared["programme"] if "office" in p)


@contextlib.contextmanager
def served(workspace: Path) -> Iterator[tuple[str, float]]:
    """A server over a workspace: its address, and how many seconds its start took."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mingjian")), "serve", "-w", str(workspace), "-s", "three_portraits"]
    started = time.perf_counter()
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{address}/alive").status_code == 200:
                    break
            time.sleep(0.02)
        yield address, time.perf_counter() - started
    finally:
        server.terminate()
        server.wait(20)


def kind_of(path: str) -> str:
    """Which figure a page counts for."""
    starts = {"/alive": "floor", "/panorama": "panorama", "/portraits/": "portrait", "/why/": "why"}
    return next((kind for start, kind in starts.items() if path.startswith(start)), "page")


def pages_of(who: str, chance: random.Random) -> str:
    """A page that this person would look at next."""
    unit = f"U{chance.randint(1, UNITS):02}"
    own = {"reporter": "U01", "reporter2": "U02", "head": "U01", "resident": "U03"}.get(who, unit)
    choices = ["/", "/tasks", "/alive", f"/portraits/{own}?period={QUARTER}", f"/why/{own}/assessment?period={QUARTER}"]
    choices += ["/tasks/duty?state=listed", "/portraits", "/verify"]
    if who in ("office", "assessor", "auditor"):
        choices += [f"/panorama?period={QUARTER}"]
    return chance.choice(choices)


@contextlib.asynccontextmanager
async def signed_in(address: str, who: str, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody who is signed in."""
    async with httpx.AsyncClient(base_url=address, timeout=60, follow_redirects=True) as browser:
        page = await browser.get("/sign-in")
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found is not None
        came = await browser.post("/sign-in", data={"csrf": found[1], "name": who, "password": secret})
        assert "/sign-in" not in str(came.url), f"{who} could not sign in"
        yield browser


async def live(browser: httpx.AsyncClient, who: str, until: float, chance: random.Random, timings: Timings) -> int:
    """One person at work until the time is over; how many of the answers were errors."""
    errors = 0
    await asyncio.sleep(chance.uniform(0.0, 3.0))  # people do not all come in the same instant
    while time.perf_counter() < until:
        path = pages_of(who, chance)
        started = time.perf_counter()
        answer = await browser.get(path)
        timings[kind_of(path)].append(time.perf_counter() - started)
        errors += answer.status_code >= 400
        await asyncio.sleep(chance.uniform(1.0, 3.0))
    return errors


async def load(address: str, names: Sequence[str], people: int, seconds: float) -> tuple[Timings, int]:
    """Many people at once: how long each kind of page took them, and how many errors there were."""
    timings: Timings = defaultdict(list)
    async with contextlib.AsyncExitStack() as open_:
        secret, crowd = password(), [names[n % len(names)] for n in range(people)]
        browsers = [await open_.enter_async_context(signed_in(address, who, secret)) for who in crowd]
        for path in (f"/panorama?period={QUARTER}", f"/portraits/U01?period={QUARTER}"):
            await browsers[0].get(path)  # the first look reckons; every later one finds it
        until = time.perf_counter() + seconds
        lives = (
            live(browser, who, until, random.Random(n), timings)
            for n, (browser, who) in enumerate(zip(browsers, crowd, strict=True))
        )
        return timings, sum(await asyncio.gather(*lives))


async def visible(address: str) -> float:
    """Seconds from a report of one row to the moment at which its unit's numbers show it, as late."""
    async with signed_in(address, "reporter", password()) as browser:
        queue = await browser.get("/tasks/duty?state=listed")
        found = re.search(r'href="(/tasks/duty/case\?id=[^"]*A1)"', queue.text)
        assert found is not None, "no task is open"
        quarter = re.search(r"(\d{4}Q\d)", found[1])
        assert quarter is not None
        case = found[1].replace("&amp;", "&")
        page = await browser.get(case)
        hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page.text) for name in ("csrf", "seen")}
        sent = {name: match[1] for name, match in hidden.items() if match is not None}
        sent |= {"act": "report", "rows.report": "1", "row.report.1.text": "逾期报告"}
        started = time.perf_counter()
        done = await browser.post(case, data=sent)
        assert done.status_code == 200
        shown = await browser.get(f"/portraits/U01?period={quarter[1]}")
        taken = time.perf_counter() - started
        assert re.search(r"逾期任务数</dt><dd>1 ", shown.text) or "Tasks reported late</dt><dd>1 " in shown.text
        return taken


def helped() -> float:
    """Seconds of ``mingjian --help``, the best of three."""
    command = [str(Path(sys.executable).with_name("mingjian")), "--help"]
    times = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def show(timings: Mapping[str, Sequence[float]], other: Mapping[str, tuple[float, float]]) -> None:
    """The lines of the table."""
    for kind in REACH:
        took = sorted(timings.get(kind, ()))
        if len(took) > 1:
            p95 = statistics.quantiles(took, n=20)[-1]
            numbers = (statistics.median(took), p95, REACH[kind])
            PAGES.show(kind, f"{len(took):,}", *(f"{1000 * number:,.0f}" for number in numbers))
    for what, (took_once, reach) in other.items():
        PAGES.show(what, "1", f"{1000 * took_once:,.0f}", "", f"{1000 * reach:,.0f}")


def main() -> int:
    """Run it; 1 where an answer was an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", type=Path, default=Path("build/chongqing"))
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    names = ("office", "assessor", "resident", "reporter", "reporter2", "head", "leader", "auditor")
    title = f"{given.people} people, {given.seconds:.0f} s"
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder, told(title, PAGES):
        workspace = Path(folder) / "workspace"
        shutil.copytree(given.built / "workspace", workspace)
        with served(workspace) as (address, start):
            timings, errors = asyncio.run(
                load(address, [n for n in names if n != "leader"], given.people, given.seconds)
            )
            shows = asyncio.run(visible(address))
        other = {"start of serve": (start, 3.0), "a report shows": (shows, 1.0), "mingjian --help": (helped(), 0.3)}
        show(timings, other)
    print(f"{sum(map(len, timings.values())):,} pages, {errors} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
