"""The ledger alone: durable appends beside what the disk can sync, a row tree, an audit and proofs beside bare hashing.

``--entries 1000000`` is the full size; ``--url`` measures appends on another store than SQLite in a temporary folder, say a
PostgreSQL of one's own (its blobs stay in the folder). The disk's rate is that of 4 KiB written over and synced, in the folder
where the ledger lies, right after the step.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

import pyarrow as pa
from meter import Meter, synced, told

from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger, canonical_rows, leaf_hash, verify_consistency, verify_inclusion
from mingjian.record.ledger._merkle import root_of, row_leaves
from mingjian.record.ledger._owned import row_salts

WRITERS, APPENDS, COMMIT, PROOFS, ROWS = 16, 300, 1_000, 1_000, 1_000_000
SALTING = secrets.token_bytes(32)


@dataclass(frozen=True)
class Site:
    """Where the ledgers lie, how many entries the large one has, and the store of the appends."""

    folder: Path
    entries: int
    url: str

    def ledger(self, name: str) -> Ledger:
        """An empty ledger for one step."""
        where = self.url or str(self.folder / name)
        blobs = self.folder / "blobs" if self.url else None
        return Ledger.create(where, origin=f"bench.example/{name}", key=SigningKey.generate(), blobs=blobs)


def main() -> int:
    """Measure all, one line each."""
    asked = _arguments()
    meter = Meter()
    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder, told("the ledger alone"):
        site = Site(Path(folder), asked.entries, asked.url)
        if asked.url:
            appends(site, meter, asked.writers)
        else:
            appends(site, meter, 1)
            appends(site, meter, WRITERS)
            tree(meter)
            large(site, meter)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the ledger that is audited")
    parser.add_argument("--url", default="", help="append to an empty store at this URL instead, and no more")
    parser.add_argument("--writers", type=int, default=WRITERS, help="threads that append at a --url")
    return parser.parse_args()


def appends(site: Site, meter: Meter, writers: int) -> None:
    """Entries of one row each, every one on disk before the next of its writer. What a first one costs once is not counted."""
    ledger = site.ledger(f"{writers}-writers")
    batches = [_batch(number) for number in range(APPENDS)]
    ledger.append(batches[0])
    target = "1.4 times" if writers == 1 else "under 1 time"
    with meter.work(f"durable appends, {writers} at once", target) as line, ThreadPoolExecutor(writers) as pool:
        line.count = sum(pool.map(lambda _: _append(ledger, batches), range(writers)))
    with (site.folder / "synced").open("wb", buffering=0) as file, meter.floor("4 KiB written and synced", APPENDS):
        synced(file, APPENDS)
    line.show()


def _append(ledger: Ledger, batches: Sequence[Batch]) -> int:
    for batch in batches:
        ledger.append(batch)
    return len(batches)


def tree(meter: Meter) -> None:
    """Salts, leaves and root of a million rows that stand as canonical JSON."""
    numbers = range(ROWS)
    rows = canonical_rows(pa.table({"case": [f"case-{n}" for n in numbers], "value": pa.array(numbers, pa.int64())}))
    with meter.work("row tree, salted", "1.5 s") as line:
        root_of(row_leaves(row_salts(SALTING, numbers), rows))
        line.count = ROWS
    with meter.floor("a keyed BLAKE2b and two SHA-256 a row"):
        _salted(ROWS)
        _hashed(rows * 2)
    line.show()


def large(site: Site, meter: Meter) -> None:
    """A ledger of many small entries: made, audited, and proven from. The same batches come again and again: to make them is
    the work of others.
    """
    ledger = site.ledger("large")
    batches = [_batch(number) for number in range(COMMIT)]
    with meter.work(f"durable appends, {COMMIT:,} a commit", "20,000 a second") as line:
        for start in range(0, site.entries, COMMIT):
            ledger.append_all(batches[: site.entries - start])
        line.count = ledger.size
    # As they are stored: bytes that orjson has just written hold 4 KiB for as long as they are kept.
    pages = (ledger._store.headers(start, site.entries, COMMIT) for start in range(0, site.entries, COMMIT))
    leaves = [header for page in pages for _, header in page]
    with meter.floor("as many SHA-256 of headers"):
        _hashed(leaves)
    line.show()

    with meter.work("audit", f"{8 * site.entries / 1e6:g} s") as line:
        assert not ledger.audit()
        line.count = ledger.size
    with meter.floor("a hash of each header, salt, row and node"):
        _salted(len(leaves))
        _hashed(leaves * 3)
    line.show()
    _proofs(ledger, meter, leaves)


def _proofs(ledger: Ledger, meter: Meter, leaves: list[bytes]) -> None:
    size, root = ledger.size, ledger.state().root()
    wanted = [(number * 7919) % size for number in range(PROOFS)]
    with meter.work("inclusion proofs", "5 ms each") as line:
        paths = [ledger.prove_entry(index) for index in wanted]
        line.count = PROOFS
    with meter.floor("verifying them"):
        assert all(
            verify_inclusion(leaf_hash(leaves[index]), index, size, path, root)
            for index, path in zip(wanted, paths, strict=True)
        )
    line.show()
    sizes = [index + 1 for index in wanted]
    with meter.work("consistency proofs", "5 ms each") as line:
        proofs = [ledger.prove_consistency(old) for old in sizes]
        line.count = PROOFS
    roots = [ledger.state(old).root() for old in sizes]
    with meter.floor("verifying them"):
        assert all(
            verify_consistency(old, size, before, root, proof)
            for old, before, proof in zip(sizes, roots, proofs, strict=True)
        )
    line.show()


def _batch(number: int) -> Batch:
    table = pa.table({"case": [f"case-{number}"], "value": pa.array([number], pa.int64())})
    return Batch("act", "bench", "bench", table, {"synthetic": "true"})


def _salted(times: int) -> None:
    for place in range(times):
        blake2b(place.to_bytes(8, "big"), key=SALTING, digest_size=16).digest()


def _hashed(texts: Iterable[bytes]) -> None:
    for text in texts:
        sha256(text).digest()


if __name__ == "__main__":
    started = time.perf_counter()
    code = main()
    print(f"{time.perf_counter() - started:.0f} s in all")
    sys.exit(code)
