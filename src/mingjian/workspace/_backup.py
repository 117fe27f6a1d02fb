"""A whole workspace in one file, taken while people write, and made a workspace again.

The file is a plain tar, so that it can be read without this program. Its last member lists all others with their sizes and
SHA-256, and has the signed head of the ledger: what was cut off or changed is noticed. It holds the keys of the workspace.

The ledger is copied first. Blobs and attachments are there before an entry names them, accounts are made before a grant names
them, and reads are written before an anchor vouches for them: whatever the copied ledger names is found after it. Lock files
and what can be made again (the projection, the index of the read log) are left out, and so are blobs and attachments that
nothing names. Wherever the ledger and its blobs lie, in the file they are a SQLite database and files.

An erasure takes keys and rows out of the ledger, then files and an account out of the workspace. A backup holds all of a person
or nothing: none is begun while an erasure runs, and one that an erasure overtakes is taken anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import orjson

from mingjian.base.errors import Finding, MingjianError, Misuse, Place, Tampered
from mingjian.base.files import DRAFT, keep_names
from mingjian.base.keys import NoteKey
from mingjian.base.values import read_json
from mingjian.record.access import ReadLog
from mingjian.record.ledger import Checkpoint, Ledger, LedgerState, parse_checkpoint, readable
from mingjian.workspace._attachments import ATTACHMENTS
from mingjian.workspace._erasing import ATTACHMENT, erasing
from mingjian.workspace._office import ACCOUNTS, ISSUED, READS
from mingjian.workspace._settings import Settings
from mingjian.workspace._workspace import HERE, PAPERS, Clock, Workspace, now

MANIFEST: Final = "manifest.json"
FORMAT: Final = "mingjian-backup-1"

_LEDGER: Final = "ledger.db"
_DATABASES: Final = (_LEDGER, ACCOUNTS, f"{READS}/{_LEDGER}")  # in the order in which they are copied
_KEYS, _BLOBS = "keys", "blobs"
_COPIED: Final = (ISSUED, PAPERS, _KEYS, READS, ATTACHMENTS)  # first what is written anew at times
_FOLDERS: Final = (*_COPIED, _BLOBS)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PATIENCE: Final = 30.0  # seconds that a copy of a database waits for others
_TRIES: Final = 5
_CHUNK: Final = 1 << 20

Progress = Callable[[int, int], None]
Listed = dict[str, dict[str, Any]]  # by name: {"size": bytes, "sha256": hexadecimal}


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: so many files of so many bytes together, and a ledger of this head."""

    files: int
    bytes: int
    head: Checkpoint


# -- taking one ---------------------------------------------------------------------------------------------------------
def back_up(workspace: Workspace, file: Path, *, progress: Progress = lambda *_: None) -> Backup:
    """Write a workspace into a new file of mode 0600, whole or not at all, while others write to the workspace.

    ``progress`` hears (files done, files in all). Raises Misuse where the file is there, or would lie in the workspace; Tampered
    where the ledger, or a blob that it names, cannot be read; MingjianError where the workspace does not keep still for long
    enough: rows were erased, or files written anew, each time.
    """
    if file.exists():
        raise Misuse(f"{file} is there already", remedy="name a new file: a backup is never overwritten")
    if not file.parent.is_dir():
        raise Misuse(f"there is no folder {file.parent}", remedy="name a file in a folder that is there")
    if file.resolve().is_relative_to(workspace.folder.resolve()):
        raise Misuse(f"{file} lies in the workspace", remedy="keep backups elsewhere, best on another machine")
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as place:  # of mode 0700
            draft = Path(place, "draft")
            try:
                with readable(str(workspace.folder)):
                    backup = _archived(workspace, draft, Path(place), progress)
            except _Moved:
                continue
            draft.replace(file)
            keep_names(file.parent)
            return backup
    raise MingjianError(
        "no backup was taken",
        why="files of the workspace were erased or written anew while they were read",
        where=str(workspace.folder),
        remedy="try again when issuing, or erasing, is done",
    )


class _Moved(Exception):
    """Something of the workspace changed that should not change while it is copied."""


def _archived(workspace: Workspace, draft: Path, place: Path, progress: Progress) -> Backup:
    """Write the archive, using ``place`` for copies of the databases. Raises _Moved where these do not fit the files."""
    made = int(workspace.clock().timestamp())
    with erasing(workspace.folder):
        erasures = workspace.ledger.erasures()
    copies = _copied_databases(workspace, place)
    copied = Ledger.open(place)
    state, blobs = workspace.ledger.state(copied.size), copied.blobs()
    files = copies | {name: workspace.folder / name for name in _living(workspace.folder, _attached(state))}
    listed: Listed = {}
    seen: dict[str, tuple[int, int]] = {}
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for done, (name, path) in enumerate(files.items(), 1):
                listed[name], seen[name] = _add_file(archive, name, path, made)
                progress(done, len(files) + len(blobs))
            for done, name in enumerate(blobs, len(files) + 1):
                listed[f"{_BLOBS}/{name}"] = _add(archive, f"{_BLOBS}/{name}", workspace.ledger.blob(name), made)
                progress(done, len(files) + len(blobs))
            note = workspace.ledger.checkpoint(state.size)
            manifest = {"format": FORMAT, "made": made, "checkpoint": note, "files": listed}
            _add(archive, MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2), made)
        raw.flush()
        os.fsync(raw.fileno())
    with erasing(workspace.folder):  # and a status list may be written anew: none of it may come half
        moved = any(_stat(files[name]) != found for name, found in seen.items() if name not in copies)
        if moved or workspace.ledger.erasures() != erasures:
            raise _Moved
    return _backup(listed, _signed(workspace.ledger, note))


def _copied_databases(workspace: Workspace, place: Path) -> dict[str, Path]:
    """The databases of a workspace by name, copied into ``place``; the ledger first, and each as of one moment."""
    workspace.ledger.snapshot(place)
    found = [name for name in _DATABASES if name != _LEDGER and (workspace.folder / name).is_file()]
    for name in found:
        _copy_database(workspace.folder / name, place / name)
    return {name: place / name for name in (_LEDGER, *found)}


def _copy_database(source: Path, into: Path) -> None:
    """A SQLite file as of one moment, while others read and write it; without what was deleted in it."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source, timeout=_PATIENCE)) as connection:
        connection.execute("VACUUM INTO ?", (str(into),))


def _attached(state: LedgerState) -> frozenset[str]:
    """The digests of all attachments that a row names, superseded or not."""
    tables = (state.table(entry.index) for entry in state.entries(kind=ATTACHMENT))
    return frozenset(
        digest for t in tables if "sha256" in t.column_names for digest in t["sha256"].to_pylist() if digest
    )


def _living(folder: Path, attached: frozenset[str]) -> Iterator[str]:
    """The names of the files of a workspace that are copied as they are."""
    for top in _COPIED:
        for path in sorted((folder / top).rglob("*")):
            name = PurePosixPath(path.relative_to(folder).as_posix())
            if path.is_file() and _kept(name) and (top != ATTACHMENTS or name.name in attached):
                yield str(name)


def _kept(name: PurePosixPath) -> bool:
    """Whether a backup has a file of that name in it, besides databases: in some folders others are drafts, or made again."""
    if len(name.parts) < 2 or name.parts[0] not in _FOLDERS or name.name == DRAFT:
        return False
    if name.parts[0] in (_BLOBS, ATTACHMENTS, READS):
        return bool(_DIGEST.fullmatch(name.name)) or (name.parts[0] == READS and name.suffix == ".pem")
    return True


def _add_file(archive: tarfile.TarFile, name: str, path: Path, made: int) -> tuple[dict[str, Any], tuple[int, int]]:
    """Put a file into the archive. Returns its line of the manifest, and size and time of change when it was opened."""
    try:
        source = path.open("rb")
    except FileNotFoundError as fault:
        raise _Moved from fault
    with source:
        stat = os.fstat(source.fileno())
        reader = _Digesting(source)
        archive.addfile(_member(name, stat.st_size, made), reader)  # type: ignore[arg-type]  # it only reads
    return {"size": stat.st_size, "sha256": reader.digest.hexdigest()}, (stat.st_size, stat.st_mtime_ns)


def _add(archive: tarfile.TarFile, name: str, content: bytes, made: int) -> dict[str, Any]:
    """Put some bytes into the archive. Returns their line of the manifest."""
    archive.addfile(_member(name, len(content), made), BytesIO(content))
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


class _Digesting:
    """A file that is digested while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        if len(data) < size:  # it is shorter than when it was opened
            raise _Moved
        self.digest.update(data)
        return data


def _member(name: str, size: int, made: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, made, 0o600
    return info


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns


# -- and back -----------------------------------------------------------------------------------------------------------
def restore(
    file: Path, folder: Path, *, settings: Settings = HERE, clock: Clock = now, progress: Progress = lambda *_: None
) -> Backup:
    """Make the workspace of a backup in a new folder, whole or not at all, and audit it.

    All in it is its owner's alone (folders 0700, files 0600). ``settings`` say what it is run on from now on: its ledger and
    blobs, once they are audited, go there. ``progress`` hears (entries audited, entries in all). Raises Misuse for a file that
    is no backup, a folder that is not empty and a place that has a ledger or blobs; Tampered where anything is not what was
    backed up, or does not belong in a backup; MingjianError where a file cannot be written, or a place not be reached. What was
    brought to such a place by then stays there.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misuse(f"{folder} is not empty", remedy="name a new folder")
    if not file.is_file():
        raise Misuse(f"there is no file {file}", remedy="name one that `mingjian backup` wrote")
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        note, listed = _unpacked(file, place)
        head = _audited(place, note, clock, progress)
        if settings.ledger or settings.blobs:
            _carry(place, settings, head)
        settings.save(place)
        os.sync()  # the files before the name under which they are found
        place.replace(folder)
    finally:
        if place.exists():
            shutil.rmtree(place)
    keep_names(folder.parent)
    return _backup(listed, head)


def _unpacked(file: Path, place: Path) -> tuple[str, Listed]:
    """Unpack an archive and hold it against its manifest; the checkpoint and the list in this."""
    listed: Listed = {}
    manifest: bytes | None = None
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                _want_member(member)
                source = archive.extractfile(member)
                if source is None:
                    raise _foreign(member)
                if member.name == MANIFEST:
                    manifest = source.read()
                else:
                    listed[member.name] = _unpack(source, place, member.name)
    except (tarfile.TarError, ValueError) as fault:  # ValueError: a garbled header
        raise Misuse(
            f"{file} is no whole backup", why=str(fault), remedy="name one that `mingjian backup` wrote"
        ) from fault
    if manifest is None:
        raise Tampered("a backup is not whole", why=f"it has no {MANIFEST}, which comes last", where=str(file))
    return _held(file, manifest, listed), listed


def _want_member(member: tarfile.TarInfo) -> None:
    """Raises Tampered for what no backup has in it: links, devices, holes, and any name but those of a workspace."""
    name = PurePosixPath(member.name)
    known = member.name in (MANIFEST, *_DATABASES) or _kept(name)
    plain = str(name) == member.name and ".." not in name.parts and "\0" not in member.name
    if not (known and plain and member.isreg() and not member.issparse()):
        raise _foreign(member)


def _foreign(member: tarfile.TarInfo) -> Tampered:
    return Tampered("nothing was restored", why=f"no backup has {member.name!r} in it", remedy="take another backup")


def _unpack(source: Any, place: Path, name: str) -> dict[str, Any]:
    digest, size, path = hashlib.sha256(), 0, place / name
    try:
        for above in reversed(PurePosixPath(name).parents):
            (place / above).mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += file.write(chunk)
    except OSError as fault:  # also a name that comes twice, as a file and as a folder
        raise MingjianError("nothing was restored", why=fault.strerror or str(fault), where=str(path)) from fault
    return {"size": size, "sha256": digest.hexdigest()}


def _held(file: Path, content: bytes, found: Listed) -> str:
    """The checkpoint in a manifest that lists what was found. Raises Tampered for any difference, Misuse for another format."""
    try:
        manifest = read_json(content)
    except ValueError as fault:
        raise Tampered("a backup has no list of its files", why=str(fault), where=str(file)) from fault
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Misuse(f"{file} is a backup of another format", remedy="restore it with the version that wrote it")
    listed, note = manifest.get("files"), manifest.get("checkpoint")
    if not isinstance(listed, dict) or not isinstance(note, str):
        raise Tampered("a backup has no list of its files, or no head", where=str(file))
    differing = sorted(name for name in {*listed, *found} if listed.get(name) != found.get(name))
    if differing:
        findings = [Finding("file-differs", _difference(name, listed, found), Place(name)) for name in differing]
        raise Tampered("a backup is not what was written", where=str(file), findings=findings)
    return note


def _difference(name: str, listed: Mapping[str, object], found: Mapping[str, object]) -> str:
    if name not in found:
        return "it is missing"
    return "it has other bytes than were backed up" if name in listed else "it is not in the list"


def _audited(place: Path, note: str, clock: Clock, progress: Progress) -> Checkpoint:
    """The head of an unpacked ledger, which is the one that was signed. Raises Tampered for all else, with every finding."""
    ledger = Workspace.open(place, clock=clock).ledger
    head, state = _signed(ledger, note), ledger.state()
    findings = ledger.audit(note, progress)
    if (reads := ReadLog.existing(place / READS, clock)) is not None:
        findings += reads.check(ledger)
    if findings or (state.size, state.root()) != (head.size, head.root):
        raise Tampered("the ledger of this backup does not audit clean", findings=findings)
    return head


def _carry(place: Path, settings: Settings, head: Checkpoint) -> None:
    """Bring an unpacked ledger to where the settings have it. Raises Tampered where it does not arrive as it left."""
    Ledger.open(place).carry(settings.ledger, settings.blobs)
    if settings.ledger:
        for path in place.glob(f"{_LEDGER}*"):
            path.unlink()
    if settings.blobs and (place / _BLOBS).is_dir():
        shutil.rmtree(place / _BLOBS)
    where, blobs = settings.places(place)
    arrived = Ledger.open(where, blobs=blobs)
    if (arrived.size, arrived.state().root()) != (head.size, head.root):
        raise Tampered("the ledger did not arrive as it left", remedy="restore it to another place")


def _signed(ledger: Ledger, note: str) -> Checkpoint:
    return parse_checkpoint(note, [NoteKey.parse(ledger.vkey)])


def _backup(listed: Listed, head: Checkpoint) -> Backup:
    return Backup(len(listed), sum(line["size"] for line in listed.values()), head)
