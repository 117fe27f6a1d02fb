"""`make faults`: processes are killed in the middle of everything, and what was said to be kept is there.

    python bench/faults.py [--kills 212] [--full 40] [--torn 60] [--seed 1]

Every victim works in one office for as long as it lives: it takes in files, moves cases, issues portraits with their papers,
makes the projection anew, serves the web face under a user. It is killed before one of its calls that change a file, with half of
that call done, or at any moment. The calls are spread over all that there are, moments over the time that the work takes;
both follow from ``--seed``. What an office must look like after each kill is in `fault_checks.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fault_disks import FILLED, filled, torn
from fault_runs import COUNT, DIE, TEAR, Ran, Reporter, Victims, free_port
from meter import Table

SHARES = {"add": 60, "act": 40, "issue": 40, "projections": 40, "serve": 32}  # of 212 kills
WAYS = {DIE: "before call", TEAR: "half of call"}
DEEP_EVERY = 5
FOUND = ("acknowledged", "lost", "halves", "wrong")
KILLED = Table({"work": "<12"} | dict.fromkeys(("kills", "before", "in half", "any time", *FOUND, "seconds"), ">12"))


@dataclass(frozen=True, slots=True)
class Blow:
    """One kill: ``at`` is the number of a call (by DIE or TEAR), or without a mode the seconds after which it comes."""

    work: str
    mode: int
    at: float

    def __str__(self) -> str:
        where = f"{WAYS[self.mode]} {int(self.at)}" if self.mode else f"after {self.at:.3f} s"
        return f"{self.work}, {where}"


@dataclass(slots=True)
class Line:
    """What became of the victims of one kind of work."""

    work: str
    kills: int = 0
    ways: dict[int, int] = field(default_factory=dict)
    acknowledged: int = 0
    lost: int = 0
    halves: int = 0
    wrong: int = 0
    seconds: float = 0.0


class Office:
    """The office, the book of what was acknowledged in it, and the last head that was seen."""

    def __init__(self, victims: Victims, place: Path, seed: int) -> None:
        self.victims, self.seed = victims, seed
        self.folder, self.book, self.rows = place / "office", place / "book.jsonl", place / "rows"
        self.scratch = place / "scratch.duckdb"
        self.rows.mkdir()
        self.book.touch()
        self.reporter = Reporter()
        self.modules = str(place / "modules.txt")
        built = victims.run("build", self.folder, rounds=1, modules=self.modules)
        if built.ended:
            raise RuntimeError(f"the office was not built: {built.last('broke')}")
        self.head: str = built.last("told")
        self._victim = 0

    def live(self, work: str, **order: object) -> Ran:
        """One victim at work; what it told is in the book."""
        self._victim += 1
        order |= {"seed": f"{self.seed}-{self._victim}", "rows": str(self.rows)}
        if work == "serve":
            port = free_port()
            order |= {"port": port, "use": self.reporter.work(port, 2)}
        ran = self.victims.run(work, self.folder, **order)
        with self.book.open("a") as book:
            book.writelines(json.dumps(one) + "\n" for one in ran.told)
        return ran

    def measured(self, work: str) -> Ran:
        """A whole round of a work: how often it changes a file (``seen``), and how long it takes."""
        ran = self.live(work, rounds=1, arm=[COUNT, 0], modules=self.modules)
        if ran.last("broke") or not ran.last("seen"):
            raise RuntimeError(f"{work} does not work: {ran.told}")
        return ran

    def faults(self, deep: bool) -> dict[str, list[str]]:
        """What is not as it must be: ``lost``, ``halves`` and ``wrong``."""
        given = {"book": str(self.book), "checkpoint": self.head, "deep": deep, "scratch": str(self.scratch)}
        ran = self.victims.run("check", self.folder, rounds=1, **given)
        found = ran.last("told")
        if found is None:
            return {"lost": [], "halves": [], "wrong": [f"it does not open: {ran.last('broke')}"]}
        self.head = found.pop("checkpoint")
        return found


def blows(calls: Mapping[str, Ran], kills: int, chance: random.Random) -> list[Blow]:
    """The kills, in any order of works: two of three at a call. ``calls`` has what a round of each work came to."""
    planned: list[Blow] = []
    for work, share in SHARES.items():
        count = max(1, round(kills * share / sum(SHARES.values())))
        exact = [mode for n in range(count) if (mode := (DIE, TEAR, 0)[n % 3])]
        each = calls[work].last("seen") / len(exact)
        planned += [Blow(work, mode, int((n + chance.random()) * each)) for n, mode in enumerate(exact)]
        planned += [Blow(work, 0, chance.random() * calls[work].lived) for _ in range(count - len(exact))]
    chance.shuffle(planned)
    return planned


def strike(office: Office, blow: Blow) -> Ran:
    """Have a victim killed."""
    if blow.mode:
        return office.live(blow.work, arm=[blow.mode, int(blow.at)])
    return office.live(blow.work, die_after=blow.at)


def killed(office: Office, planned: Iterable[Blow]) -> tuple[list[Line], list[str]]:
    """Kill, look at the office after each blow, and tell what became of the victims and what was found."""
    lines, faults = {work: Line(work) for work in SHARES}, []
    for number, blow in enumerate(planned, 1):
        line, began = lines[blow.work], time.perf_counter()
        ran = strike(office, blow)
        deep = blow.work == "projections" or number % DEEP_EVERY == 0
        found = office.faults(deep)
        if not ran.killed:
            found["wrong"].append(f"the victim was not killed but ended with {ran.ended}: {ran.last('broke')}")
        line.kills += 1
        line.ways[blow.mode] = line.ways.get(blow.mode, 0) + 1
        line.acknowledged += sum("done" in one for one in ran.told)
        for kind, each in found.items():
            setattr(line, kind, getattr(line, kind) + len(each))
            faults += [f"kill {number} ({blow}): {kind}: {one}" for one in each]
        line.seconds += time.perf_counter() - began
    for work in SHARES:  # after all that, everything still comes to its end
        again = office.live(work, rounds=1)
        if not again.last("done"):
            faults.append(f"at last: {work}: {again.last('broke')}")
    faults += [f"at last: {one}" for each in office.faults(True).values() for one in each]
    return list(lines.values()), faults


def show(line: Line) -> None:
    """Print a line of the table."""
    ways = (line.ways.get(mode, 0) for mode in (DIE, TEAR, 0))
    figures = (line.kills, *ways, *(getattr(line, name) for name in FOUND))
    KILLED.show(line.work, *map(str, figures), f"{line.seconds:.1f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, and print what was survived; 1 if anything was not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=212, help="how many processes are killed")
    parser.add_argument("--full", type=int, default=40, help="how many disks fill up")
    parser.add_argument("--torn", type=int, default=60, help="how many files are torn")
    parser.add_argument("--seed", type=int, default=1, help="the same kills at the same calls again")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mingjian-faults-") as place:
        victims = Victims(Path(place))
        try:
            faults = survived(victims, Path(place), asked)
        finally:
            victims.close()
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


def survived(victims: Victims, place: Path, asked: argparse.Namespace) -> list[str]:
    """Try everything, print what was survived, and tell what was not."""
    began, chance = time.perf_counter(), random.Random(asked.seed)
    office = Office(victims, place, asked.seed)
    calls = {work: office.measured(work) for work in SHARES}
    print(f"seed {asked.seed}")
    KILLED.head()
    lines, faults = killed(office, blows(calls, asked.kills, chance))
    for line in lines:
        show(line)
    sums = {name: sum(getattr(line, name) for line in lines) for name in ("kills", "lost", "halves", "wrong")}
    of = ", ".join(f"{line.work} {line.kills}" for line in lines)
    print("{kills} kills: {of}; {lost} lost, {halves} halves, {wrong} otherwise wrong".format(of=of, **sums))

    points = [(work, chance.randrange(calls[work].last("seen"))) for work in FILLED * (asked.full // len(FILLED))]
    counts, unsaid = filled(office, points)
    of = ", ".join(f"{work} {counts[work]}" for work in FILLED)
    print(f"{len(points)} full disks: {of}; {counts['told']} told, {counts['went on']} went on once there was room")

    counts, silent = torn(office, victims, asked.torn, place, chance)
    of = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("named", "whole", "silent", "broke"))
    print(f"{counts.total()} torn files: {of}")
    print(f"{time.perf_counter() - began:.0f} s")
    return faults + unsaid + silent


if __name__ == "__main__":
    sys.exit(main())
