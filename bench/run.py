"""`make bench`: wall seconds, CPU seconds and peak memory of each step of `make run`, beside a floor.

Each step runs in a process of its own, forked from one that has imported everything and done nothing: its peak is nobody
else's (interpreter and libraries included, about 200 MiB), its seconds are those of the step alone. The floor is measured in
the same process right after the step, and so under the same load. ``--scale 100`` multiplies units, leaders, ballots, tasks
and items; ``--copies 10`` on top of it lays each row ten times into the projection, to measure a thousand times the example.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from meter import Line, Meter, told
from steps import Site, Step, steps

EXAMPLE = Path(__file__).parent.parent / "examples" / "chongqing-2021-09-07"


def main() -> int:
    """Run the steps in order, up to the last one asked for, and print those asked for as they end; 1 if one fails."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder:
        site = Site(asked.example, Path(folder), asked.scale, asked.copies)
        known = dict(steps(site))
        wanted = [name for name in known if asked.only in name]
        if not wanted:
            print(f"no step has {asked.only!r} in its name: {', '.join(known)}", file=sys.stderr)
            return 2
        with told(f"{asked.example.name}, {asked.scale * asked.copies} times its size"):
            for name, step in list(known.items())[: [*known].index(wanted[-1]) + 1]:
                lines = _apart(site, step)
                if lines is None:
                    return 1
                scheme, _, _ = name.rpartition(": ")
                for line in lines if name in wanted else []:
                    line.what = f"{scheme} {line.what}".strip()
                    line.show()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, help="so many times the size of the example")
    parser.add_argument("--copies", type=int, default=1, help="lay each row so often, and measure no more than values")
    parser.add_argument("--only", default="", metavar="STEP", help="only steps with this in their name")
    parser.add_argument("--example", type=Path, default=EXAMPLE, help="a folder with an example.toml")
    return parser.parse_args()


def _apart(site: Site, step: Step) -> list[Line] | None:
    """What a step measured in a process of its own; None where it failed, which said why."""
    forking = get_context("fork")
    reader, writer = forking.Pipe(duplex=False)
    process = forking.Process(target=_measure, args=(site, step, writer))
    process.start()
    writer.close()
    try:
        lines: list[Line] = reader.recv()
    except EOFError:
        return None
    finally:
        process.join()
    return lines


def _measure(site: Site, step: Step, into: Connection) -> None:
    meter = Meter()
    step(site, meter)
    into.send(meter.lines)


if __name__ == "__main__":
    sys.exit(main())
