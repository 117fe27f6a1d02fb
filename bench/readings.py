"""A year of readings every 15 minutes, taken in as one row a meter and month, and every month of it settled.

``--meters 3000 --months 12`` are 1.05e8 readings. They are synthetic, drawn from a fixed seed and marked so in the ledger.
Each step runs in a process of its own and prints wall seconds, CPU seconds and the peak of that process; the floor is DuckDB
adding up the same files, without a ledger, without findings and without a contract. The full size takes about 1.5 GB of disk
in the folder for temporary files, given back at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import ibis  # noqa: F401  # half a second that belongs to no step
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from meter import Meter, lines_of, told

from mingjian.base.values import Period
from mingjian.reckon.measures import evaluate
from mingjian.record.evidence import read_rows
from mingjian.workspace import Workspace

SCHEME, STEP = "green_power", 15
ZONE = ZoneInfo("Asia/Shanghai")
FIRST = Period.parse("2021-01")
CONSUMERS_A_PLANT = 59
SETTLED = ("month_green", "month_share", "month_gec")
TARGET = "120 s, 4 GiB"


@dataclass(frozen=True)
class Site:
    """How many meters are read, in how many months, and the folder where all of it lies."""

    meters: int
    months: int
    into: Path

    @property
    def plants(self) -> int:
        """The meters that stand at plants; the others are a consumer's each."""
        return -(-self.meters // (1 + CONSUMERS_A_PLANT))

    @property
    def periods(self) -> list[Period]:
        """The months."""
        return [Period("month", FIRST.index + number) for number in range(self.months)]

    def files(self, kind: str = "*") -> list[Path]:
        """The files of readings, in order of month."""
        return sorted(self.into.glob(f"{kind}-*.parquet"))


def draw(site: Site, meter: Meter) -> None:
    """The readings into files, one a month and kind, one line a reading."""
    chance = np.random.default_rng(2021)
    with meter.work("draw readings into files") as line:
        for period in site.periods:
            plants, consumers = site.plants, site.meters - site.plants
            line.count += _write(site, "generation", "plant", "P", plants, period, chance, 400_000)
            line.count += _write(site, "use", "consumer", "C", consumers, period, chance, 5_000)


def _write(
    site: Site, kind: str, whose: str, letter: str, count: int, period: Period, chance: np.random.Generator, most: int
) -> int:
    steps = period.steps(STEP, ZONE)
    start = int(period.start_at(ZONE).astimezone(UTC).timestamp()) * 1_000_000
    times = start + np.arange(steps) * STEP * 60_000_000
    names = pa.array([f"{letter}{number:05}" for number in range(count)])
    owner = pa.DictionaryArray.from_arrays(pa.array(np.repeat(np.arange(count, dtype=np.int32), steps)), names)
    columns = {
        "meter": owner,
        whose: owner,
        "time": pa.array(np.tile(times, count), pa.timestamp("us", "UTC")),
        "readings": pa.array(chance.integers(0, most, steps * count)),
    }
    pq.write_table(pa.table(columns), site.into / f"{kind}-{period}.parquet", compression="zstd")
    return steps * count


def prepare(site: Site, meter: Meter) -> None:
    """A workspace with the scheme, the subjects, and a contract a consumer and month."""
    with meter.work("workspace, subjects and contracts") as line:
        workspace = Workspace.create(site.into / "workspace", origin="example.org/readings")
        scheme = workspace.adopt(SCHEME, "bench")
        for kind, rows in (("subject", _subjects(site)), ("contract", _contracts(site))):
            intake = read_rows(rows, workspace.evidence_type(scheme, kind), zone=scheme.zone)
            line.count += workspace.add(scheme, kind, intake, "bench", synthetic=True).rows


def _subjects(site: Site) -> list[Mapping[str, object]]:
    kinds = [("R", "region", ""), *((f"P{n:05}", "plant", "R") for n in range(site.plants))]
    kinds += [(f"C{n:05}", "consumer", "R") for n in range(site.meters - site.plants)]
    since = date(2017, 1, 1)
    return [
        {
            "id": name,
            "type": kind,
            "zh": f"合成 {name}",
            "en": f"Synthetic {name}",
            "parent": above or None,
            "from": since,
        }
        for name, kind, above in kinds
    ]


def _contracts(site: Site) -> list[Mapping[str, object]]:
    terms = {"technology": "wind", "energy_price": 39640, "environmental_price": 3000}
    return [
        {
            "contract": f"K{n:05}",
            "month": str(period),
            "plant": f"P{n % site.plants:05}",
            "consumer": f"C{n:05}",
            "contracted": 7_000_000 + 1000 * (n % 997),
            **terms,
        }
        for period in site.periods
        for n in range(site.meters - site.plants)
    ]


def take_in(site: Site, meter: Meter) -> None:
    """Every file: read, grouped, held against the rules, recorded. The floor reads the same columns and does nothing."""
    workspace = Workspace.open(site.into / "workspace")
    scheme = workspace.scheme(SCHEME)
    with meter.work("take the files in") as line:
        for path in site.files():
            kind = path.name.split("-")[0]
            line.count += workspace.add_file(scheme, kind, path, "bench", synthetic=True).rows
    with meter.floor("pyarrow reading the same files"):
        for path in site.files():
            pq.read_table(path)


def catch_up(site: Site, meter: Meter) -> None:
    """The rows into the projection."""
    workspace = Workspace.open(site.into / "workspace")
    with meter.work("catch up") as line, workspace.view(workspace.scheme(SCHEME)) as view:
        line.count = sum(view.rows(kind).count().execute() for kind in ("generation", "use"))


def settle(site: Site, meter: Meter) -> None:
    """Least of three, share and certificates of every consumer, month after month, each a run of its own."""
    workspace = Workspace.open(site.into / "workspace")
    scheme = workspace.scheme(SCHEME)
    hierarchy = workspace.hierarchy(scheme)
    with meter.work(f"settle {site.months} months", TARGET) as line:
        for period in site.periods:
            with workspace.view(scheme) as view:
                results = evaluate(scheme, view, hierarchy, period, only=SETTLED)
                line.count += sum(1 for value in results if value.measure == "month_green" and value.number is not None)
    with meter.floor("DuckDB adding up the same files"), duckdb.connect() as connection:
        for path in site.files():
            connection.execute(f"SELECT meter, sum(readings) FROM '{path}' GROUP BY meter").fetchall()


STEPS: dict[str, Callable[[Site, Meter], None]] = {
    step.__name__: step for step in (draw, prepare, take_in, catch_up, settle)
}


def main() -> int:
    """Run the steps in order and print a line for each as it ends; 1 if one fails."""
    asked = _arguments()
    if asked.step:
        meter = Meter()
        STEPS[asked.step](Site(asked.meters, asked.months, asked.into), meter)
        print(meter.dumps())
        return 0
    title = f"{asked.meters:,} meters, {asked.months} months"
    with tempfile.TemporaryDirectory(prefix="mingjian-readings-") as folder, told(title):
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, "--into", folder]
            size = ["--meters", str(asked.meters), "--months", str(asked.months)]
            done = subprocess.run([*command, *size], stdout=subprocess.PIPE, text=True)
            if done.returncode:
                return 1
            for line in lines_of(done.stdout):
                line.show()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meters", type=int, default=3000, help="at least 2: of plants and of consumers")
    parser.add_argument("--months", type=int, default=12, help="from January 2021 on")
    parser.add_argument("--step", default="", choices=["", *STEPS], help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
