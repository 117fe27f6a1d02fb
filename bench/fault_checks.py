"""The office in which victims are killed, and what must hold of it after each of them."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mingjian.base.errors import MingjianError
from mingjian.base.values import Period, read_json
from mingjian.declare import Scheme, evidence_types
from mingjian.record.evidence import Projection, read_rows
from mingjian.record.ledger import Ledger
from mingjian.workspace import Office, Workspace, grants, read_trust, verify_files

SCHEME = Path(__file__).parents[1] / "tests" / "cli" / "office"
QUARTER = Period.parse("2021Q3")
ISSUED_TO = ("U3", "U4")
CASES = 400
PASSWORD = "a mirror, bright and still"

Told = dict[str, Any]


def build(folder: Path, _order: Told) -> Iterator[Any]:
    """An office with cases to act on, people to describe, and somebody who can sign in."""
    workspace = Workspace.create(folder, origin="example.org/faults")
    scheme = workspace.adopt(str(SCHEME), "setup")
    named = {"zh": "某", "en": "Somebody", "from": "2020-01-01"}
    unit = {"type": "unit", "parent": "D", **named}
    task = {"quarter": "2021Q3", "deadline": "2999-12-31"}
    rows: dict[str, list[Told]] = {
        "subject": [
            {"id": "D", "type": "district", **named},
            *({"id": f"U{n}", **unit} for n in range(1, 5)),
            *({"id": f"L{n}", "type": "leader", "parent": "U1", **named} for n in (1, 2)),
        ],
        "task": [
            *({"task": f"A{n:03}", "unit": "U1", **task} for n in range(CASES)),
            *({"task": f"T{n}", "unit": f"U{n}", "awarded": "5.0", **task} for n in (3, 4)),
        ],
    }
    for kind, listed in rows.items():
        workspace.add(scheme, kind, read_rows(listed, evidence_types(scheme)[kind], zone=scheme.zone), "setup")
    office = Office(workspace)
    web = office.accounts.create("web", "Web", language="en", password=PASSWORD).id
    since = {"since": date(2021, 1, 1), "until": None, "by": "setup"}
    given = {"rep": ("reporter", "U1"), web: ("reporter", "U1"), "ass": ("assessor", "D")}
    grants(office, [{"account": who, "role": r, "subject": s, **since} for who, (r, s) in given.items()], "setup")
    yield workspace.ledger.checkpoint()


def check(folder: Path, order: Told) -> Iterator[Any]:
    """Everything that must hold: what is wrong, one line each, and the head to hold the next check against.

    ``order`` has the ``book`` of all that was acknowledged, a ``checkpoint`` from before, and whether to look ``deep``.
    """
    told = [json.loads(line) for line in Path(order["book"]).read_text().splitlines()]
    lost: list[str] = []
    halves: list[str] = []
    workspace = Workspace.open(folder)
    halves += [str(found) for found in workspace.ledger.audit(order["checkpoint"])]
    lost += _lost(workspace, told)
    halves += _half_batches(workspace.ledger, told) + _half_cases(workspace) + _half_papers(folder, order["deep"])
    wrong = _held_locks(folder) + _drafts(folder)
    if order["deep"]:
        wrong += _projection(workspace, Path(order["scratch"])) + _reads(workspace)
    yield {"lost": lost, "halves": halves, "wrong": wrong, "checkpoint": workspace.ledger.checkpoint()}


def _lost(workspace: Workspace, told: list[Told]) -> Iterator[str]:
    """What was acknowledged and is not there as it was."""
    ledger, size = workspace.ledger, workspace.ledger.size
    for one in told:
        if one.get("done") == "add":
            entry = ledger.state().entry(one["entry"]) if one["entry"] < size else None
            if entry is None or (entry.root, entry.rows) != (one["root"], one["count"]):
                yield f"{one['file']} was acknowledged as entry {one['entry']}"
    docket = Office(workspace).now().docket
    for case, version in {c["case"]: c["version"] for c in told if c.get("done") in ("report", "review")}.items():
        if docket.case("duty", case).version < version:
            yield f"act {version} on {case} was acknowledged"
    issued = {row["statement"] for e in ledger.entries(kind="status") for row in ledger.table(e.index).to_pylist()}
    for one in told:
        if one.get("done") == "issue" and not issued.issuperset(one["ids"]):
            yield f"a statement of snapshot {one['snapshot']} was acknowledged"


def _half_batches(ledger: Ledger, told: list[Told]) -> list[str]:
    """Files of which not all rows landed, or which landed twice."""
    meant = {one["file"]: one["rows"] for one in told if one.get("doing") == "add"}
    found = [(entry.source["file"], entry.rows) for entry in ledger.entries() if entry.source.get("file") in meant]
    halves = [f"{rows} of {meant[file]} rows of {file}" for file, rows in found if rows != meant[file]]
    twice = [f"{file} landed {times} times" for file, times in Counter(file for file, _ in found).items() if times > 1]
    snapshots = [entry.index for entry in ledger.entries(kind="snapshot")]
    statuses = {entry.index for entry in ledger.entries(kind="status")}
    return (
        halves
        + twice
        + [f"snapshot {index} without its statements" for index in snapshots if index + 1 not in statuses]
    )


def _half_cases(workspace: Workspace) -> list[str]:
    """Acts without their rows, rows without their act. Raises as `Attachments.read` for those without their bytes."""
    office = Office(workspace)
    desk, halves = office.desk("ass"), []
    landed = Counter(e.kind for e in workspace.ledger.entries())
    acted = [case for case in desk.cases("duty", subject="U1") if case.version]
    steps = sum(case.version for case in acted)
    if (landed["act"], landed["report"], landed["attachment"]) != (steps, len(acted), len(acted)):
        halves.append(f"{dict(landed)} entries, but {steps} acts on {len(acted)} cases")
    for digest in _attached(workspace):
        office.attachments.read(digest)
    return halves


def _attached(workspace: Workspace) -> Iterator[str]:
    """The digests of all attachments that a row names."""
    for entry in workspace.ledger.entries(kind="attachment"):
        yield from workspace.ledger.table(entry.index)["sha256"].to_pylist()


def _half_papers(folder: Path, deep: bool) -> list[str]:
    """Files of issued papers that are not whole under their own names."""
    papers = [file for file in (folder / "issued").glob("*") if not file.name.startswith(".")]
    halves = []
    for file in papers:
        content = file.read_bytes()
        try:
            if file.suffix == ".json":
                read_json(content)
            elif not (content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")):
                halves.append(f"{file.name} has {len(content)} bytes")
        except ValueError as fault:
            halves.append(f"{file.name}: {fault}")
    packages = sorted(file for file in papers if file.name.startswith("portrait-") and file.suffix == ".json")
    if deep and not halves and packages:
        trusted = read_trust(folder / "issued" / "trust.json")
        status = [folder / "issued" / "status.json"]
        report = verify_files(packages, trust=trusted, now=datetime.now(UTC), status=status)
        halves += [f"{checked.name} does not verify" for checked in report.packages if not checked.good]
    return halves


def _held_locks(folder: Path) -> list[str]:
    """Locks that a dead process left behind."""
    held = []
    for file in folder.rglob("*.lock"):
        with file.open("a") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(f"{file.name} is held")
    return held


def _drafts(folder: Path) -> list[str]:
    """Files that a dead process began; each place may keep a few until it is written to again."""
    begun = [file for place in ("blobs", "issued", "attachments") for file in (folder / place).glob(".*")]
    return [f"{len(begun)} drafts pile up"] if len(begun) > 12 else []


def _projection(workspace: Workspace, scratch: Path) -> list[str]:
    """The projection as it was found, caught up, beside one made from the ledger alone."""
    scheme: Scheme = workspace.scheme()
    types = evidence_types(scheme)
    digests = []
    for projection in (workspace.projection, Projection(scratch, workspace.ledger)):
        projection.catch_up(scheme.id, types, zone=scheme.zone)
        digests.append(projection.digest())
    scratch.unlink()
    return [] if digests[0] == digests[1] else ["the projection has other rows than the ledger"]


def _reads(workspace: Workspace) -> list[str]:
    """What is wrong with the log of reads, and whether one more can be written."""
    reads = Office(workspace).reads
    reads.note("checker", "", "check", "U1")
    return [str(finding) for finding in reads.check(workspace.ledger)]


def inspect(folder: Path, order: Told) -> Iterator[Any]:
    """What is made of a torn office: "named" (and how), "whole" (it did no harm), or "silent" (something is gone, unsaid)."""
    try:
        found = list(Workspace.open(folder).ledger.audit(order["checkpoint"]))
        found += _reads(Workspace.open(folder))
        if found:
            yield "named", [str(one) for one in found]
            return
        (told,) = check(folder, order)
    except MingjianError as fault:
        yield "named", [str(fault)]
        return
    faults = [one for kind in ("lost", "halves", "wrong") for one in told[kind]]
    yield ("silent", faults) if faults else ("whole", [])
