"""Disks that fill up, and files that are torn: what is said of it, and whether work goes on."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_runs import FULL, Victims

FILLED = ("add", "act", "issue", "projections")
TORN = ("ledger.db", "ledger.db-wal", "reads/ledger.db", "blobs/*", "projection.duckdb", "attachments/*/*")
PAGE = 4096


@dataclass(frozen=True, slots=True)
class Tear:
    """What happens to a file: cut off from ``at`` on, or so many bytes from there on zeroed, as of a page that was lost."""

    file: str
    at: int
    zeroed: int = 0

    def __str__(self) -> str:
        return f"{self.file} " + (f"without {self.zeroed} bytes from {self.at}" if self.zeroed else f"cut at {self.at}")

    def tear(self, folder: Path) -> None:
        """Do it."""
        with (folder / self.file).open("r+b") as file:
            if self.zeroed:
                file.seek(self.at)
                file.write(bytes(min(self.zeroed, (folder / self.file).stat().st_size - self.at)))
            else:
                file.truncate(self.at)


def filled(office: Any, works: Iterable[tuple[str, int]]) -> tuple[Counter[str], list[str]]:
    """The disk fills up at so many calls of each work: how often it was said, and what was wrong with that."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for work, at in works:
        ran = office.live("full", of=work, arm=[FULL, at], rounds=1)
        found = [f"{kind}: {one}" for kind, each in office.faults(True).items() for one in each]
        if ran.last("broke"):
            found.append(ran.last("broke"))
        elif ran.last("full") and "room" not in ran.last("said"):
            found.append(f"it does not say why: {ran.last('said')}")
        counts[work] += 1
        counts["told"] += bool(ran.last("full"))
        counts["went on"] += bool(ran.last("again"))
        faults += [f"{work}, full at call {at}: {one}" for one in found]
    return counts, faults


def torn(
    office: Any, victims: Victims, count: int, place: Path, chance: random.Random
) -> tuple[Counter[str], list[str]]:
    """Tear a file of a copy of the office, so many times: how often that was named, or did no harm, and what else came of it."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(count):
        copy = place / f"torn-{number}"
        shutil.copytree(office.folder, copy)
        tear = _tear(copy, TORN[number % len(TORN)], chance)
        if tear is not None:
            tear.tear(copy)
            given = {"book": str(office.book), "checkpoint": office.head, "deep": True, "scratch": f"{copy}.duckdb"}
            ran = victims.run("inspect", copy, rounds=1, **given)
            outcome, why = ran.last("told") or ("broke", ran.last("broke"))
            counts[outcome] += 1
            if outcome in ("silent", "broke"):
                faults.append(f"{tear}: {outcome}: {json.dumps(why)}")
        shutil.rmtree(copy)
    return counts, faults


def _tear(folder: Path, pattern: str, chance: random.Random) -> Tear | None:
    """A tear of a file that is there: half of them cut it, half lose a page."""
    there = sorted(file for file in folder.glob(pattern) if file.is_file() and file.stat().st_size)
    if not there:
        return None
    file = chance.choice(there)
    at = chance.randrange(file.stat().st_size)
    name = str(file.relative_to(folder))
    return Tear(name, at) if chance.random() < 0.5 else Tear(name, at // PAGE * PAGE, PAGE)
