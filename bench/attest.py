"""Signing, checking signatures, and verifying everything that the example issued in one run, beside bare Ed25519.

Needs what `make run` builds. One statement more is a copy in which a number was changed, so that all four answers are given;
how many numbers came to each is told below the table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from meter import Line, Meter, told

from mingjian.attest.verify import Report
from mingjian.base.keys import SigningKey, suite
from mingjian.workspace import read_trust, verify_files

BUILT = Path("build/chongqing")
SIGNATURES = 5_000
ANSWERS = ("recomputed from evidence", "recomputed from attested values", "cannot", "differs")


def main() -> int:
    """Measure all, one line each, and what the verification answered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", type=Path, default=BUILT, help="the folder that the example was built into")
    issued = parser.parse_args().built / "issued"
    if not issued.is_dir():
        print(f"there is no {issued}: `make run` builds it", file=sys.stderr)
        return 2
    meter = Meter()
    with told("what is attested"):
        signatures(meter, issued / "unit_portrait-U01-2021Q3.json")
        report = statements(meter, issued)
    counts: Counter[str] = Counter(number.outcome for checked in report.packages for number in checked.numbers)
    print(*(f"{counts[answer]:,} {answer}" for answer in ANSWERS), sep="\n")
    return 0


def signatures(meter: Meter, file: Path) -> None:
    """A portrait's credential signed, and its signature checked, one after the other."""
    credential: dict[str, Any] = orjson.loads(file.read_bytes())["credential"]
    del credential["proof"]
    key, eddsa = SigningKey.generate(), suite("eddsa-jcs-2022")
    message = bytes(64)
    with meter.work("sign a credential", "5,000 a second") as line:
        for _ in range(SIGNATURES):
            signed = eddsa.sign(
                credential, key, created=datetime(2021, 10, 8, tzinfo=UTC), verification_method=key.public.method
            )
        line.count = SIGNATURES
    show(meter, line, "Ed25519 over 64 bytes", lambda: key.sign(message))
    with meter.work("check a signature", "2,000 a second") as line:
        for _ in range(SIGNATURES):
            assert eddsa.verify(signed, key.public)
        line.count = SIGNATURES
    bare = key.sign(message)
    show(meter, line, "Ed25519 over 64 bytes", lambda: key.public.verify(bare, message))


def statements(meter: Meter, issued: Path) -> Report:
    """All that was issued, and one that was changed, in one run."""
    trust = read_trust(issued / "trust.json")
    files = sorted(issued.glob("*_*-*.json"))
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder:
        copy = Path(folder, "changed.json")
        copy.write_bytes(changed((issued / "unit_portrait-U01-2021Q3.json").read_bytes()))
        now = datetime.now(UTC)
        with meter.work("verify statements, one run", "5 s for 605") as line:
            report = verify_files([*files, copy], trust=trust, now=now, status=[issued / "status.json"])
            line.count = len(report.packages)
    key = SigningKey.generate()
    bare = key.sign(bytes(64))
    show(meter, line, "one Ed25519 each", lambda: key.public.verify(bare, bytes(64)))
    return report


def changed(package: bytes) -> bytes:
    """The same package with another number in its statement; the snapshot that it shows still has the one that was issued."""
    document: dict[str, Any] = orjson.loads(package)
    value = next(value for value in document["credential"]["credentialSubject"]["values"] if "exact" in value)
    value.update(exact="95", printed="95.00")
    return orjson.dumps(document)


def show(meter: Meter, line: Line, floor: str, once: Callable[[], object]) -> None:
    """Print a line beside what it costs to do its least part as often."""
    with meter.floor(floor):
        for _ in range(line.count):
            once()
    line.show()


if __name__ == "__main__":
    sys.exit(main())
