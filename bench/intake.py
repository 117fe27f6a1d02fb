"""A million rows from a file to a durable entry of a ledger: CSV, Parquet and Excel, each beside its parser alone.

    python bench/intake.py [--rows 1000000]

The rows have a text of their own, a subject, an instant, a whole number, a price and a choice. Each format is taken in by a
process of its own, so that its peak is nobody else's. What is measured is `Workspace.add_file`: read, typed, held against the
rules and the subjects, hashed row by row, encoded and on disk; not the interpreter's start.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import ibis  # noqa: F401  # half a second that belongs to no format
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import python_calamine
import xlsxwriter
from meter import Meter, lines_of, told

from mingjian.workspace import Workspace

UNITS = 3000
TARGETS = {".csv": "5 s, 1 GiB", ".parquet": "3 s, 1 GiB", ".xlsx": "25 s, 1.5 GiB"}
SCHEME = Path(__file__).parent / "intake"


def main() -> int:
    """Take the rows in from each format and print the table; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--take", type=Path, help=argparse.SUPPRESS)  # one file, in the process that measures it
    asked = parser.parse_args()
    if asked.take:
        print(measured(asked.take))
        return 0
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder, told(f"{asked.rows:,} rows"):
        write(Path(folder), asked.rows)
        for suffix in TARGETS:
            command = [sys.executable, __file__, "--take", str(Path(folder) / f"rows{suffix}")]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if done.returncode:
                return 1
            for line in lines_of(done.stdout):
                line.show()
    return 0


def write(folder: Path, rows: int) -> None:
    """The same rows in each format."""
    numbers = np.arange(rows)
    each = -(-rows // UNITS)
    random = np.random.default_rng(1)
    at = np.datetime64("2021-07-01T00:00:00", "us") + (numbers % each) * np.timedelta64(15, "m")
    fen = random.integers(0, 10**6, rows).tolist()
    table = pa.table(
        {
            "编号": [f"R{number:07}" for number in range(rows)],
            "单位": pa.array([f"U{number:04}" for number in range(UNITS)]).take(pa.array(numbers // each)),
            "抄表时间": pc.strftime(pa.array(at).cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"),
            "电量": random.integers(0, 10**7, rows),
            "电价": pa.array([f"{price // 100}.{price % 100:02}" for price in fen]).cast(pa.decimal128(18, 2)),
            "状态": pa.array(["正常", "估算"]).take(pa.array(random.integers(0, 2, rows))),
        }
    )
    pyarrow.csv.write_csv(table, folder / "rows.csv")
    pyarrow.parquet.write_table(table, folder / "rows.parquet")
    with xlsxwriter.Workbook(folder / "rows.xlsx", {"constant_memory": True}) as book:
        page, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        page.write_row(0, 0, table.column_names)
        instants = pa.array(at).to_pylist()
        for batch in table.to_batches(max_chunksize=2**16):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number = int(row[0][1:])
                page.write_row(number + 1, 0, row)
                page.write_datetime(number + 1, 2, instants[number], moment)


def measured(file: Path) -> str:
    """One file into a new workspace, and its floor."""
    meter = Meter()
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-", dir=file.parent) as folder:
        workspace, scheme = opened(Path(folder))
        with meter.work(f"take in rows{file.suffix}", TARGETS[file.suffix]) as line:
            line.count = workspace.add_file(scheme, "reading", file, "bench", synthetic=True).rows
        name, floor = FLOORS[file.suffix]
        with meter.floor(name):
            floor(file)
    return meter.dumps()


def opened(folder: Path):  # type: ignore[no-untyped-def]
    """A workspace with the scheme and its subjects."""
    workspace = Workspace.create(folder / "workspace", origin="example.org/bench")
    scheme = workspace.adopt(str(SCHEME), "bench")
    heads = "id,type,zh,en,from\n"
    subjects = folder / "subjects.csv"
    subjects.write_text(heads + "".join(f"U{n:04},unit,U{n:04},U{n:04},2020-01-01\n" for n in range(UNITS)), "utf-8")
    workspace.add_file(scheme, "subject", subjects, "bench")
    return workspace, scheme


def _calamine(file: Path) -> None:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes()))
    for _ in book.get_sheet_by_index(0).iter_rows():
        pass


FLOORS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    ".csv": ("pyarrow.csv.read_csv", lambda file: pyarrow.csv.read_csv(file)),
    ".parquet": ("pyarrow.parquet.read_table", lambda file: pyarrow.parquet.read_table(file)),
    ".xlsx": ("calamine's rows", _calamine),
}

if __name__ == "__main__":
    sys.exit(main())
