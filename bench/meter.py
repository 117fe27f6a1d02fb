"""What a piece of work costs: wall seconds, CPU seconds of all threads, and the peak memory of its process; and the one table
in which every bench prints it, between what the machine itself did in a second before and after."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

SYNCS, TURNS = 100, 2_000_000  # of a pace


@dataclass
class Line:
    """One line of the table: a piece of work, how much of it, and what the least that could do it costs (the floor)."""

    what: str
    count: int = 0
    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds
    peak: float = 0.0  # MiB: the most the process has held since it started
    floor: str = ""
    floor_count: int = 0
    floor_wall: float = 0.0  # seconds
    target: str = ""

    def show(self) -> None:
        """Print it, as a line of `WORK`."""
        rate = self.count / self.wall
        least = self.floor_count / self.floor_wall if self.floor else 0.0
        compared = (_rate(least), f"{least / rate:.1f}") if rate and least else ("", "")
        figures = (f"{self.count:,}", f"{self.wall:.2f}", f"{self.cpu:.2f}", f"{self.peak:,.0f}", _rate(rate))
        WORK.show(self.what, *figures, *compared, self.target, self.floor)


@dataclass
class Meter:
    """The lines that one process has measured."""

    lines: list[Line] = field(default_factory=list)

    @contextmanager
    def work(self, what: str, target: str = "") -> Iterator[Line]:
        """Measure a piece of work as a new line; who does it puts the count in."""
        line = Line(what, target=target)
        self.lines.append(line)
        wall, cpu = time.perf_counter(), _cpu()
        yield line
        line.wall, line.cpu = time.perf_counter() - wall, _cpu() - cpu
        line.peak = _peak()

    @contextmanager
    def floor(self, what: str, count: int = 0) -> Iterator[None]:
        """Measure what the last line is compared with: as many, unless ``count`` says otherwise."""
        line, wall = self.lines[-1], time.perf_counter()
        yield
        line.floor, line.floor_wall = what, time.perf_counter() - wall
        line.floor_count = count or line.count

    def dumps(self) -> str:
        """The lines as JSON, from the process that measured them to the one that prints them."""
        return json.dumps([asdict(line) for line in self.lines])


def lines_of(text: str) -> list[Line]:
    """What `Meter.dumps` wrote."""
    found: list[dict[str, Any]] = json.loads(text)
    return [Line(**line) for line in found]


@dataclass(frozen=True)
class Table:
    """Lines of one form: each column's name, and how its cells stand (a format of text)."""

    columns: Mapping[str, str]

    def show(self, *cells: str) -> None:
        """Print one line, as soon as it is known."""
        shown = (format(cell, form) for cell, form in zip(cells, self.columns.values(), strict=True))
        print("  ".join(shown).rstrip(), flush=True)

    def head(self) -> None:
        """Print the names of the columns."""
        self.show(*self.columns)


WORK = Table(
    {
        "step": "<56",
        "count": ">11",
        "wall s": ">7",
        "CPU s": ">7",
        "peak MiB": ">8",
        "a second": ">10",
        "floor a second": ">14",
        "times": ">6",
        "target": "<18",
        "floor": "",
    }
)


@contextmanager
def told(title: str, table: Table = WORK) -> Iterator[None]:
    """The table of a bench, to be filled; the machine's own pace stands above and below, to read the figures of a slow day."""
    print(f"{title}; {pace()}")
    table.head()
    yield
    print(pace(), flush=True)


def pace() -> str:
    """What the machine does in a second right now: syncs of 4 KiB in the temporary folder, turns of an empty Python loop."""
    with tempfile.TemporaryFile(buffering=0) as file:
        began = time.perf_counter()
        synced(file, SYNCS)
        syncs = SYNCS / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(TURNS):
        pass
    turns = TURNS / (time.perf_counter() - began)
    return f"the machine: {syncs:,.0f} syncs and {turns / 1e6:.1f} million turns a second"


def synced(file: IO[bytes], times: int) -> None:
    """4 KiB written over and synced, so many times. ``file`` has no buffer."""
    for _ in range(times):
        file.seek(0)
        file.write(secrets.token_bytes(4096))
        os.fsync(file.fileno())


def _rate(a_second: float) -> str:
    return f"{a_second:,.0f}" if a_second >= 100 else f"{a_second:.3g}"


def _cpu() -> float:
    """Seconds of all threads, and of the processes that were started and have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak() -> float:
    """Peak resident memory in MiB. Not getrusage: there a process begins with the peak of the one that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
