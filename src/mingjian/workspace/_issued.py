"""Issuing into a folder: packages as files, papers beside them, the status list that revokes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from mingjian.attest.issue import Register, file_name, issue, pack, status_list
from mingjian.attest.statements import LEVELS, Level, Package, Statement, read_package, write_package
from mingjian.base.errors import Misuse
from mingjian.base.files import write_whole
from mingjian.base.values import Period
from mingjian.declare import Scheme, Title
from mingjian.record.ledger import write_key_history
from mingjian.workspace._papers import Papers, run_in
from mingjian.workspace._workspace import Workspace

STATUS_FILE: Final = "status.json"
TRUST_FILE: Final = "trust.json"
KEYS_FILE: Final = "keys.json"
BESIDE: Final = (STATUS_FILE, TRUST_FILE, KEYS_FILE)  # what stands beside the packages in a folder

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be issued: for a period, of each statement type the subjects (None: all), for readers of a level.

    ``papers`` are the subjects whose statements are drawn as PDF too, in ``language``, with ``office`` as the issuer on top.
    With ``replace``, the new ones stand for those of the same subject and period that lie in the folder, which are revoked.
    """

    period: Period
    statements: Mapping[str, Collection[str] | None]
    level: Level = "described"
    papers: Collection[str] = ()
    language: str = "zh"
    replace: bool = False
    office: Title | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What issuing left in the folder. ``ids`` has each statement's id by its file."""

    files: tuple[Path, ...]
    papers: tuple[Path, ...]
    ids: Mapping[Path, str]
    snapshot: int


def issue_into(
    workspace: Workspace, scheme: Scheme, order: Order, folder: Path, *, by: str, progress: Progress = lambda *_: None
) -> Written:
    """Measure, commit, sign and write; the status list is written anew. Whenever it breaks off, each file is whole: issue again.

    Raises Misuse, before anything is issued, for what cannot be (an unknown statement type or subject, a period of another
    kind) or cannot be drawn (a statement type without a template), and for what would silently stand beside an earlier
    statement in the folder.
    """
    _drawable(scheme, order)
    standing = _standing(workspace, scheme, order, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with workspace.view(scheme, whole=True) as view:
        run = run_in(workspace, scheme, view, order.period)
        said = issue(
            run,
            order.statements,
            ledger=workspace.ledger,
            key=workspace.issuer,
            now=workspace.clock(),
            by=by,
            replaces=standing,
        )
        drawn = Papers(run, workspace.papers(scheme), office=order.office) if order.papers else None
        packed = pack(said, workspace.ledger, order.level)

    # The view is closed: others can take in rows while the files are written.
    total = len(said.statements)
    ids: dict[Path, str] = {}
    written = _written(packed, folder, ids, lambda done: progress("issue", done, total))
    asked = (pair for pair in written if pair[0].subject in order.papers)
    papers: list[Path] = []
    if drawn is not None:
        wanted = sum(subject in order.papers for _, subject in said.statements)
        papers = drawn.write_all(asked, folder, order.language, lambda done: progress("draw", done, wanted))
    for _ in asked:  # without papers, nobody has taken the packages yet
        pass
    write_standing(workspace, folder)
    return Written(tuple(ids), tuple(papers), ids, said.snapshot.index)


def _written(
    packed: Iterator[tuple[Statement, Package]], folder: Path, ids: dict[Path, str], progress: Callable[[int], None]
) -> Iterator[tuple[Statement, Package]]:
    """Each statement with its package, once this is written; its id goes into ``ids``."""
    for statement, package in packed:
        file = folder / file_name(statement)
        write_whole(file, write_package(package))
        ids[file] = statement.id
        progress(len(ids))
        yield statement, package


def _standing(workspace: Workspace, scheme: Scheme, order: Order, folder: Path) -> dict[tuple[str, str], str]:
    """The ids of the statements in the folder for which new ones would stand, by statement type and subject."""
    revoked = Register.of(workspace.ledger.state()).revoked
    found: dict[tuple[str, str], str] = {}
    for name in order.statements:
        wanted = workspace.subjects(scheme, name, order.period, order.statements[name])
        for file in sorted(folder.glob(f"{name}-*-{order.period}.json")):
            said = read_package(file.read_bytes()).statement
            if said.subject in wanted and said.id not in revoked and said.basis.origin == workspace.ledger.origin:
                found[name, said.subject] = said.id
    if found and not order.replace:
        raise Misuse(
            f"{len(found)} of these statements were issued already and still stand",
            why=f"{folder} has {next(iter(found.values()))}",
            remedy="issue with --replace to revoke them for the new ones, or into another folder",
        )
    return found


def _drawable(scheme: Scheme, order: Order) -> None:
    for name in order.statements if order.papers else ():
        if name in scheme.statements and not scheme.statements[name].template:
            raise Misuse(f"{name} has no template", remedy="name one in its declaration, or draw no PDF")


def package_files(folder: Path) -> list[Path]:
    """The packages in a folder of what was issued, by name."""
    return sorted(file for file in folder.glob("*.json") if file.name not in BESIDE)


def write_status(workspace: Workspace, folder: Path) -> Path:
    """Write the signed status list as of now."""
    file = folder / STATUS_FILE
    write_whole(file, orjson.dumps(status_list(workspace.ledger, workspace.issuer, workspace.clock())))
    return file


def write_standing(workspace: Workspace, folder: Path) -> tuple[Path, ...]:
    """Write what stands beside the packages as of now: the status list, whom to trust, the history of keys if any changed."""
    written = [write_status(workspace, folder), folder / TRUST_FILE]
    write_whole(folder / TRUST_FILE, orjson.dumps(trust_in(workspace), option=orjson.OPT_INDENT_2))
    if workspace.ledger.keys.changes:
        written.append(folder / KEYS_FILE)
        write_whole(folder / KEYS_FILE, orjson.dumps(write_key_history(workspace.ledger)))
    return tuple(written)


def trust_in(workspace: Workspace) -> dict[str, list[str]]:
    """Whom a verifier must know to believe this workspace's statements; to be handed over by another way than they are."""
    return {"issuers": [workspace.issuer.public.did_key], "ledgers": [workspace.ledger.vkey]}


def level_of(text: str) -> Level:
    """A level of packages by its name. Raises Misuse for another."""
    for level in LEVELS:
        if level == text:
            return level
    raise Misuse(f"there is no level {text}", remedy=f"one of {', '.join(LEVELS)}")
