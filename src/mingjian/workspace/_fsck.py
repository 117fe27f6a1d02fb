"""A workspace held against itself: the ledger against its roots, its blobs against their names, and what is made from the
ledger against the same made anew.

What is made from the ledger, and lies in a file, is the projection of the evidence and the index of the read log. Each is
made again beside the one that is there; a *canonical digest*, of rows and not of a file's bytes, says whether they are the same.
Of a ledger that is not whole nothing is made anew: what was made when it was whole may be all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mingjian.base.errors import Finding, MingjianError, Misuse, Place, Tampered
from mingjian.declare import evidence_types
from mingjian.record.access import ReadLog
from mingjian.record.evidence import Projection
from mingjian.record.ledger import RESTORE, Damaged, NoLedger, readable
from mingjian.workspace._office import READS
from mingjian.workspace._workspace import Workspace

_TRIES: Final = 5

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A file that is made from the ledger, made anew: its canonical ``digest``, and what was wrong with the one there was.

    ``fault`` is "" for nothing; else the new one stands in its place now.
    """

    file: str
    digest: str
    fault: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a workspace: ``size`` entries were read; ``rebuilt`` is empty where the ledger is not whole.

    ``unnamed`` are the blobs that no entry names. They do no harm: a writer died between blob and entry, or is at work.
    """

    size: int
    findings: tuple[Finding, ...]
    rebuilt: tuple[Rebuilt, ...]
    unnamed: tuple[str, ...]


def fsck(folder: Path, *, progress: Progress = lambda *_: None) -> Checked:
    """Check the ledger, its blobs, the read log and all that is made from them; what was made wrong is replaced.

    Others may work meanwhile. ``progress`` hears (what, done, in all) of "size" (entries) and "scheme". Damage is found,
    never raised. Raises Misuse where there is no workspace, MingjianError where a database, or the place of its blobs,
    cannot be reached.
    """
    try:
        with readable(str(folder)):
            workspace = Workspace.open(folder)
            reads = ReadLog.existing(folder / READS, workspace.clock)
            size = workspace.ledger.size
            findings = [*workspace.ledger.audit(progress=lambda done, of: progress("size", done, of))]
            findings += reads.check(workspace.ledger) if reads is not None else ()
            if findings:
                return Checked(size, tuple(findings), (), ())
            rebuilt = tuple(_rebuilt(workspace, reads, progress))
            unnamed = tuple(workspace.ledger.unnamed_blobs())
    except (Damaged, NoLedger) as fault:  # a folder with its key had a ledger
        return Checked(0, (_damage(fault),), (), ())
    return Checked(size, tuple(_finding(made) for made in rebuilt if made.fault), rebuilt, unnamed)


def _damage(fault: MingjianError) -> Finding:
    message = ": ".join(filter(None, (fault.what, fault.why)))
    return Finding("store-damaged", message, Place(file=str(fault.where)), remedy=RESTORE)


def _finding(made: Rebuilt) -> Finding:
    remedy = (
        "nothing is left to do: one made anew stands in its place; if this happens again, see who writes to the file"
    )
    return Finding("projection-differs", made.fault, Place(file=made.file), remedy=remedy)


def _rebuilt(workspace: Workspace, reads: ReadLog | None, progress: Progress) -> Iterator[Rebuilt]:
    if workspace.schemes():
        yield _projection(workspace, progress)
    if reads is not None:
        yield Rebuilt(f"{READS}/index.db", *reads.mend_index())


# -- the projection -----------------------------------------------------------------------------------------------------
def _projection(workspace: Workspace, progress: Progress) -> Rebuilt:
    """The projection against one made anew beside it, both as of one size of the ledger.

    Raises MingjianError where rows were erased, or a scheme changed, each time.
    """
    present, anew = workspace.projection, workspace.anew
    for _ in range(_TRIES):
        size, basis = workspace.ledger.size, _basis(workspace)
        try:
            _catch_up(workspace, anew, size, progress)
            digest = anew.digest(size)
            fault = _fault(workspace, present, digest, size) if present.path.exists() else ""
            if basis == _basis(workspace):
                if fault or not present.path.exists():
                    present.become(anew)
                return Rebuilt(present.path.name, digest, fault)
        except Misuse:  # an erasure has taken one of the files away
            if basis == _basis(workspace):
                raise
        finally:
            anew.forget()
    remedy = "try again when erasing, or changing a scheme, is done"
    raise MingjianError("the projection was not checked", why="it changed each time", remedy=remedy)


def _basis(workspace: Workspace) -> tuple[object, ...]:
    """What a projection depends on besides the rows up to a size."""
    return (workspace.ledger.erasures(), *(workspace.scheme(name).fingerprint for name in workspace.schemes()))


def _catch_up(workspace: Workspace, projection: Projection, size: int, progress: Progress) -> None:
    names = workspace.schemes()
    for done, name in enumerate(names, 1):
        scheme = workspace.scheme(name)
        projection.catch_up(name, evidence_types(scheme), zone=scheme.zone, size=size)
        progress("scheme", done, len(names))


def _fault(workspace: Workspace, present: Projection, digest: str, size: int) -> str:
    try:
        present.digest()  # first: to catch up makes a file that cannot be opened anew, and says nothing
        _catch_up(workspace, present, size, lambda *_: None)
        return "" if present.digest(size) == digest else "it has other rows than the ledger"
    except Tampered as fault:
        return f"{fault.what}: {fault.why}"
