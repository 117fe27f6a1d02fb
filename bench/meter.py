"""What a piece of work costs: wall seconds, CPU seconds of all threads, and the peak memory of its process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Line:
    """One line of the table: a piece of work, how much of it, and what the least that could do it costs (the floor)."""

    what: str
    count: int = 0
    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds
    peak: float = 0.0  # MiB: the most the process has held since it started
    floor: str = ""
    floor_wall: float = 0.0  # seconds
    target: str = ""


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
    def floor(self, what: str) -> Iterator[None]:
        """Measure what the last line is compared with."""
        wall = time.perf_counter()
        yield
        self.lines[-1].floor, self.lines[-1].floor_wall = what, time.perf_counter() - wall

    def dumps(self) -> str:
        """The lines as JSON, from the process that measured them to the one that prints them."""
        return json.dumps([asdict(line) for line in self.lines])


def lines_of(text: str) -> list[Line]:
    """What `Meter.dumps` wrote."""
    found: list[dict[str, Any]] = json.loads(text)
    return [Line(**line) for line in found]


def _cpu() -> float:
    """Seconds of all threads, and of the processes that were started and have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak() -> float:
    """Peak resident memory in MiB. Not getrusage: there a process begins with the peak of the one that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
