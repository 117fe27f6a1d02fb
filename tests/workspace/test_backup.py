"""Backups are taken while people write, and every one of them comes back whole, audits clean and says the same."""

from __future__ import annotations

import json
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from argon2 import PasswordHasher

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.values import Period
from mingjian.record.access import Accounts, ReadLog
from mingjian.record.evidence import read_rows
from mingjian.workspace import Backup, Workspace, back_up, erase_person, restore, write_status
from mingjian.workspace._attachments import Attachments

PEOPLE = Path(__file__).parent / "people"
QUARTER = Period.parse("2021Q3")
SINCE = {"from": "2018-01-01"}
SUBJECTS = [
    {"id": "U1", "type": "unit", "zh": "单位", "en": "Unit", **SINCE},
    {"id": "L1", "type": "leader", "zh": "某甲", "en": "Somebody", "parent": "U1", **SINCE},
    {"id": "L2", "type": "leader", "zh": "某乙", "en": "Another", "parent": "U1", **SINCE},
]
LONG = "说明" * 400  # forty of them do not stand inline
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OTHER_PROCESS = """
import sys
from pathlib import Path
from mingjian.record.evidence import read_rows
from mingjian.workspace import Workspace

workspace, stop, number = Workspace.open(Path(sys.argv[1])), Path(sys.argv[2]), 0
scheme = workspace.scheme()
while not stop.exists():
    number += 1
    row = {"score": f"P{number}", "leader": "L2", "quarter": "2021Q3", "points": "70"}
    workspace.add(scheme, "score", read_rows([row], scheme.evidence["score"], zone=scheme.zone), "process")
"""


class Desk:
    """Somebody who writes into a workspace: one round writes something of every kind."""

    def __init__(self, workspace: Workspace, rounds: int = 0) -> None:
        self.workspace, self.scheme = workspace, workspace.scheme()
        self.accounts = Accounts(workspace.folder / "accounts.db", workspace.clock, hasher=FAST)
        self.reads = ReadLog(workspace.folder / "reads", workspace.clock)
        self.attachments = Attachments(workspace.folder / "attachments")
        self.rounds = rounds

    def add(self, kind: str, *rows: dict[str, Any]) -> None:
        """Append rows without holding them against others, so that there are many rounds a second."""
        evidence = self.workspace.evidence_type(self.scheme, kind)
        table = read_rows(rows, evidence, zone=self.scheme.zone).accepted(evidence)
        self.workspace.ledger.append(self.workspace.batch(self.scheme, kind, table, "desk", {}))

    def round(self) -> None:
        self.rounds += 1
        name = f"T{self.rounds}"
        dated = {"quarter": "2021Q3"}
        self.accounts.create(name, password="correct horse battery")
        about = {"unit": "U1", "about": "U1", "points": "1.5", "note": LONG, **dated}
        self.add("mark", *({"mark": f"{name}-{n}", **about} for n in range(40)))
        self.add("score", {"score": name, "leader": "L1", "points": "60", **dated})
        proof = self.attachments.keep("proof.txt", BytesIO(f"proof {name}".encode()))
        self.add("attachment", {"attachment": name, "about": "L1", "sha256": proof.sha256, **dated})
        self.reads.note(name, "office", "portrait", "L1", "2021Q3")
        self.reads.anchor(self.workspace.ledger, date.fromordinal(date(2021, 10, 1).toordinal() + self.rounds))
        write_status(self.workspace, self.workspace.folder / "issued")


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with something of every kind in it, to be copied."""
    workspace = Workspace.create(tmp_path_factory.mktemp("laid") / "workspace", origin="example.org/backup")
    workspace.adopt(str(PEOPLE), "setup")
    (workspace.folder / "issued").mkdir()
    (workspace.folder / "issued" / "画像 U1.json").write_text("{}")
    (workspace.folder / "papers" / "people").mkdir(parents=True, exist_ok=True)
    (workspace.folder / "papers" / "people" / "portrait.typ").write_text("= Portrait")
    desk = Desk(workspace)
    desk.add("subject", *SUBJECTS)
    desk.round()
    return workspace.folder


@pytest.fixture
def desk(laid: Path, tmp_path: Path) -> Desk:
    shutil.copytree(laid, tmp_path / "workspace")
    return Desk(Workspace.open(tmp_path / "workspace"), rounds=1)


@contextmanager
def working(desk: Desk, place: Path) -> Iterator[None]:
    """While a thread, and another process, write; the thread begins once the process, which takes longer to start, does."""
    done, stop, faults = Event(), place / "stop", []

    def work() -> None:
        try:
            while not done.is_set():
                desk.round()
        except BaseException as fault:
            faults.append(fault)
            raise

    thread = Thread(target=work)
    other = subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, desk.workspace.folder, stop])
    try:
        grown(desk.workspace, "process")
        thread.start()
        yield
    finally:
        done.set()
        stop.touch()
        thread.join()
        assert (other.wait(), faults) == (0, [])


def grown(workspace: Workspace, by: str) -> None:
    """Wait until somebody has written something more."""
    start, until = workspace.ledger.size, time.monotonic() + 60
    while all(entry.by != by for entry in workspace.ledger.entries(start)):
        assert time.monotonic() < until, f"{by} writes nothing"
        time.sleep(0.05)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def numbers(workspace: Workspace, size: int) -> dict[tuple[str, str], str]:
    results = workspace.measure(workspace.scheme(), QUARTER, size=size)
    asked = [("level", "L1"), ("level", "L2"), ("proofs", "L1"), ("marks", "U1"), ("items", "U1")]
    return {place: value.printed for place in asked if (value := results.get(*place)) is not None}


def check(restored: Workspace, backup: Backup, live: Workspace) -> None:
    """A restored workspace is what the live one was at the size of the backup."""
    ledger, head = restored.ledger, backup.head
    assert (ledger.size, ledger.state().root()) == (head.size, head.root)
    assert ledger.state().root() == live.ledger.state(head.size).root()
    assert ledger.audit(live.ledger.checkpoint(head.size)) == []
    assert numbers(restored, head.size) == numbers(live, head.size)
    there = Desk(restored)
    assert there.reads.check(ledger) == ()
    anchors = [ledger.table(entry.index)["size"][0].as_py() for entry in ledger.entries(kind="anchor")]
    assert len(there.reads.rows(limit=10_000)) >= max(anchors) > 0
    rows = [ledger.table(entry.index).to_pylist()[0] for entry in ledger.entries(kind="attachment")]
    for row in rows:
        assert there.attachments.read(row["sha256"]) == f"proof {row['attachment']}".encode()
    assert {row["attachment"] for row in rows} <= {account.shown for account in there.accounts.accounts()}
    json.loads((restored.folder / "issued" / "status.json").read_bytes())


def test_what_is_backed_up_while_people_write_comes_back_whole(desk: Desk, tmp_path: Path) -> None:
    taken: list[tuple[Path, Backup]] = []
    with working(desk, tmp_path):
        for n in range(2):
            grown(desk.workspace, "process")
            grown(desk.workspace, "desk")
            file = tmp_path / f"{n}.tar"
            taken.append((file, back_up(desk.workspace, file)))
    for file, backup in taken:
        folder = tmp_path / "restored" / file.stem
        assert restore(file, folder) == backup
        check(Workspace.open(folder), backup, desk.workspace)


def test_what_is_written_between_the_copies_does_not_tear_them_apart(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mingjian.workspace import _backup

    copy_database = _backup._copy_database

    def copy_and_write(source: Path, into: Path) -> None:
        copy_database(source, into)
        desk.round()

    monkeypatch.setattr(_backup, "_copy_database", copy_and_write)
    backup = back_up(desk.workspace, tmp_path / "b.tar")
    assert backup.head.size < desk.workspace.ledger.size
    restore(tmp_path / "b.tar", tmp_path / "again")
    check(Workspace.open(tmp_path / "again"), backup, desk.workspace)


def test_a_restored_workspace_goes_on(desk: Desk, tmp_path: Path) -> None:
    backup = back_up(desk.workspace, tmp_path / "b.tar")
    restore(tmp_path / "b.tar", tmp_path / "again")
    again = Desk(Workspace.open(tmp_path / "again"), rounds=1)
    session = again.accounts.sign_in("T1", "correct horse battery", "127.0.0.1")
    assert session.account.name == "t1"
    again.round()
    assert again.workspace.ledger.size > backup.head.size
    assert again.workspace.ledger.audit(desk.workspace.ledger.checkpoint()) == []


def test_it_holds_what_cannot_be_made_again_for_its_owner_alone(desk: Desk, tmp_path: Path) -> None:
    folder, file = desk.workspace.folder, tmp_path / "b.tar"
    numbers(desk.workspace, desk.workspace.ledger.size)
    desk.attachments.keep("unnamed.txt", BytesIO(b"no row names it"))
    (folder / "blobs" / ".draft").write_bytes(b"half")
    back_up(desk.workspace, file)
    assert mode(file) == 0o600
    with tarfile.open(file) as archive:
        names = archive.getnames()
    tops = ("keys/", "papers/", "issued/", "attachments/", "blobs/", "reads/")
    living = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and "index.db" not in path.name
        and not path.name.endswith((".lock", ".next", "-wal", "-shm", ".draft"))
    }
    unnamed = {n for n in living if n.startswith("attachments/") and (folder / n).read_bytes() == b"no row names it"}
    assert set(names) == living - {"projection.duckdb"} - unnamed | {"manifest.json"}
    assert names[-1] == "manifest.json"
    assert all(any(n.startswith(top) for n in names) for top in tops)
    restore(file, tmp_path / "again")
    for path in (tmp_path / "again").rglob("*"):
        assert mode(path) & 0o077 == 0 or path.name.endswith((".lock", ".next", "-wal", "-shm")), path
    assert (tmp_path / "again" / "issued" / "画像 U1.json").read_text() == "{}"


def test_what_is_erased_while_it_is_taken_is_not_in_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mingjian.workspace import _backup

    add_file, erased = _backup._add_file, []

    def add_after_erasing(*arguments: Any) -> Any:
        if not erased:
            erased.append(erase_person(desk.workspace, desk.scheme, "L1", by="desk", reason="on demand", folders=[]))
        return add_file(*arguments)

    monkeypatch.setattr(_backup, "_add_file", add_after_erasing)
    back_up(desk.workspace, tmp_path / "b.tar")
    restore(tmp_path / "b.tar", tmp_path / "again")
    restored = Workspace.open(tmp_path / "again")
    assert restored.ledger.erased() == desk.workspace.ledger.erased() != {}
    assert not list((tmp_path / "again").glob("attachments/*/*"))


def test_a_backup_has_an_erasure_whole_or_not_at_all(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mingjian.workspace import _erasing

    about, half, go_on = _erasing._about, Event(), Event()

    def about_after_a_while(*arguments: Any) -> Any:
        half.set()  # the rows are gone, the account is not
        go_on.wait(60)
        return about(*arguments)

    def erase() -> None:
        issued = [desk.workspace.folder / "issued"]
        erase_person(desk.workspace, desk.scheme, "L1", by="desk", reason="x", folders=issued, accounts=desk.accounts)

    monkeypatch.setattr(_erasing, "_about", about_after_a_while)
    desk.accounts.create("somebody", password="correct horse battery", subject="L1")
    erasing = Thread(target=erase)
    backing_up = Thread(target=back_up, args=(desk.workspace, tmp_path / "b.tar"))
    erasing.start()
    assert half.wait(60)
    backing_up.start()
    backing_up.join(1)
    assert backing_up.is_alive(), "it waits for the erasure to end"
    go_on.set()
    erasing.join()
    backing_up.join()
    restore(tmp_path / "b.tar", tmp_path / "again")
    restored = Desk(Workspace.open(tmp_path / "again"))
    assert restored.workspace.ledger.erased() == desk.workspace.ledger.erased() != {}
    assert "L1" not in {account.subject for account in restored.accounts.accounts()}


def test_a_workspace_that_never_keeps_still_gives_no_backup(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mingjian.workspace import _backup

    add_file = _backup._add_file

    def add_and_write(*arguments: Any) -> Any:
        added = add_file(*arguments)
        (desk.workspace.folder / "issued" / "status.json").write_text(f"{random.random()}")
        return added

    monkeypatch.setattr(_backup, "_add_file", add_and_write)
    with pytest.raises(MingjianError, match="try again when issuing"):
        back_up(desk.workspace, tmp_path / "b.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]


# -- what is refused ----------------------------------------------------------------------------------------------------
@pytest.fixture
def archive(desk: Desk, tmp_path: Path) -> Path:
    back_up(desk.workspace, tmp_path / "b.tar")
    return tmp_path / "b.tar"


Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


def rewritten(archive: Path, change: Change) -> Path:
    """The archive with its members changed."""
    with tarfile.open(archive) as old:
        members = [(info, (old.extractfile(info) or BytesIO()).read()) for info in old]
    change(members)
    file = archive.with_name("changed.tar")
    with tarfile.open(file, "w") as new:
        for info, content in members:
            info.size = len(content)
            new.addfile(info, BytesIO(content))
    return file


def with_member(name: str, **more: Any) -> Change:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info = tarfile.TarInfo(name)
        for field, value in more.items():
            setattr(info, field, value)
        members.insert(0, (info, b"" if more else b"x"))

    return change


def without(name: str) -> Change:
    return lambda members: members.remove(next(m for m in members if m[0].name == name))


def other_bytes(name: str) -> Change:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        at = next(n for n, m in enumerate(members) if m[0].name == name)
        info, content = members[at]
        members[at] = (info, content[:-1] + bytes([content[-1] ^ 1]))

    return change


REFUSED: dict[str, tuple[Change, str]] = {
    "traversal": (with_member("issued/../../out"), "no backup has"),
    "absolute": (with_member("/out"), "no backup has"),
    "nameless": (with_member("."), "no backup has"),
    "doubled slash": (with_member("issued//x"), "no backup has"),
    "unknown": (with_member("projection.duckdb"), "no backup has"),
    "unknown folder": (with_member("web/index.html"), "no backup has"),
    "journal": (with_member("reads/ledger.db-wal"), "no backup has"),
    "link": (with_member("issued/x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no backup has"),
    "hard link": (with_member("issued/x", type=tarfile.LNKTYPE, linkname="keys/ledger.pem"), "no backup has"),
    "folder": (with_member("issued/x", type=tarfile.DIRTYPE), "no backup has"),
    "device": (with_member("issued/x", type=tarfile.CHRTYPE), "no backup has"),
    "unlisted": (with_member("issued/x"), "not in the list"),
    "twice": (with_member("keys/ledger.pem"), "File exists"),
    "file and folder": (with_member("keys/ledger.pem/x"), "File exists"),
    "file missing": (without("keys/office.pem"), "it is missing"),
    "no manifest": (without("manifest.json"), "which comes last"),
    "no JSON": (other_bytes("manifest.json"), "no list of its files"),
    "changed": (other_bytes("ledger.db"), "other bytes"),
    "key changed": (other_bytes("keys/ledger.pem"), "other bytes"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_archive_with_anything_else_in_it_is_refused(archive: Path, tmp_path: Path, what: str) -> None:
    change, why = REFUSED[what]
    file = rewritten(archive, change)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MingjianError, match=why):
        restore(file, tmp_path / "again")
    assert sorted(tmp_path.iterdir()) == before


def test_an_archive_that_lost_its_end_or_its_sense_is_refused(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    drawn = random.Random(3)
    before = sorted([*tmp_path.iterdir(), tmp_path / "bad.tar"])
    for cut in [0, 1, 512, *drawn.choices(range(len(content) - 20_480), k=20)]:
        (tmp_path / "bad.tar").write_bytes(content[:cut])
        with pytest.raises(MingjianError):
            restore(tmp_path / "bad.tar", tmp_path / "again")
        assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "bad.tar").write_bytes(drawn.randbytes(100_000))
    with pytest.raises(Misuse, match="no whole backup"):
        restore(tmp_path / "bad.tar", tmp_path / "again")


def test_a_ledger_that_is_not_the_one_that_was_signed_is_refused(desk: Desk, archive: Path, tmp_path: Path) -> None:
    def listed_anew(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        desk.round()
        later = dict(taken(desk, tmp_path))
        now = json.loads(later["manifest.json"])
        was = json.loads(next(content for info, content in members if info.name == "manifest.json"))
        members[:] = [(tarfile.TarInfo(name), content) for name, content in later.items()]
        members[-1] = (members[-1][0], json.dumps(now | {"checkpoint": was["checkpoint"]}).encode())

    with pytest.raises(Tampered, match="does not audit clean"):
        restore(rewritten(archive, listed_anew), tmp_path / "again")
    assert not (tmp_path / "again").exists()


def taken(desk: Desk, place: Path) -> Iterator[tuple[str, bytes]]:
    back_up(desk.workspace, place / "later.tar")
    with tarfile.open(place / "later.tar") as archive:
        for info in archive:
            yield info.name, (archive.extractfile(info) or BytesIO()).read()


def test_a_backup_of_another_format_says_so(archive: Path, tmp_path: Path) -> None:
    def older(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info, content = members[-1]
        members[-1] = (info, content.replace(b"mingjian-backup-1", b"mingjian-backup-0"))

    with pytest.raises(Misuse, match="another format"):
        restore(rewritten(archive, older), tmp_path / "again")


def test_nothing_is_overwritten(desk: Desk, archive: Path, tmp_path: Path) -> None:
    for file, why in [
        (archive, "never overwritten"),
        (tmp_path / "no" / "b.tar", "no folder"),
        (desk.workspace.folder / "issued" / "b.tar", "lies in the workspace"),
    ]:
        with pytest.raises(Misuse, match=why):
            back_up(desk.workspace, file)
    for file, folder, why in [
        (archive, desk.workspace.folder, "not empty"),
        (archive, archive, "not empty"),
        (tmp_path / "no.tar", tmp_path / "again", "no file"),
    ]:
        with pytest.raises(Misuse, match=why):
            restore(file, folder)
    (tmp_path / "empty").mkdir()
    restore(archive, tmp_path / "empty")
    assert Workspace.open(tmp_path / "empty").ledger.size
