"""The office of an example, ready to be tried: papers for everybody, accounts for each role, a list that is out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mingjian.base.typeset import Typesetter
from mingjian.base.values import Period
from mingjian.declare import Scheme
from mingjian.workspace._letters import Letters
from mingjian.workspace._office import Office, kind_of
from mingjian.workspace._steward import grants
from mingjian.workspace._tables import evaluation, table_pdf, workbook
from mingjian.workspace._workspace import Workspace

SINCE: Final = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can try the office out: a name to sign in with, the name shown, and the roles they hold."""

    name: str
    shown: str
    roles: tuple[str, ...]


def write_letters(
    workspace: Workspace, scheme: Scheme, period: Period, folder: Path, language: str, progress: Callable[[int], None]
) -> list[Path]:
    """A feedback letter to every subject that a letter can be written to, on all cores."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = Letters(workspace, scheme, period, typesetter=Typesetter())
    at = workspace.clock()
    kinds = {scheme.evidence[p.of].fields[scheme.evidence[p.of].subjects[0]].of[0] for p in scheme.processes.values()}
    hierarchy = workspace.hierarchy(scheme)
    names = [s.id for kind in sorted(kinds) for s in hierarchy.alive(kind, period.first, period.end)]

    def write(name: str) -> Path:
        file = folder / f"letter-{name}-{period}.pdf"
        file.write_bytes(letters.pdf(name, language, at=at))
        return file

    written: list[Path] = []
    with ThreadPoolExecutor() as pool:
        for file in pool.map(write, names):
            written.append(file)
            progress(len(written))
    return written


def write_tables(
    workspace: Workspace, scheme: Scheme, statements: Iterable[str], period: Period, folder: Path, language: str
) -> list[Path]:
    """The evaluation table of each statement type, as workbook and on paper."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for statement in statements:
        table = evaluation(workspace, scheme, statement, period)
        stem = folder / f"table-{statement}-{period}"
        for ending, content in (
            (".xlsx", workbook(table, language)),
            (".pdf", table_pdf(table, language, at=workspace.clock())),
        ):
            file = stem.with_suffix(ending)
            file.write_bytes(content)
            written.append(file)
    return written


def people_in(office: Office, sample: Any, seed: int, password: str, by: str) -> list[Login]:
    """Make the accounts of the sample's people, all with one password, and give them their roles.

    The bytes that all attachments of the sample have are laid where they are looked for.
    """
    office.attachments.keep("proof.txt", BytesIO(sample.PROOF))
    held: dict[str, list[Any]] = {}
    for person in sample.people(seed):
        held.setdefault(person.login, []).append(person)
    rows: list[dict[str, Any]] = []
    logins: list[Login] = []
    for name, roles in held.items():
        own = next((person.subject for person in roles if person.role == "described"), "")
        account = office.accounts.create(name, roles[0].zh, password=password, subject=own)
        logins.append(Login(name, roles[0].zh, tuple(f"{person.role} {person.subject}" for person in roles)))
        rows += [
            {"account": account.id, "role": p.role, "subject": p.subject, "since": SINCE, "until": None, "by": by}
            for p in roles
        ]
    grants(office, rows, by)
    return logins


def people_text(logins: Iterable[Login], password: str) -> str:
    """Who can sign in, a line each: name, what they are shown as, and their roles; then the password of all."""
    lines = [f"{login.name:<12} {', '.join(login.roles):<40} {login.shown}" for login in logins]
    return "\n".join(["Who can sign in 可登录的用户", *lines, f"Password 密码: {password}", ""])


def open_list(
    workspace: Workspace, scheme: Scheme, sample: Any, seed: int, write: Callable[[str, Any], Path], by: str
) -> int:
    """Put out the list of the quarter that it is now: nothing of it is reported yet."""
    now: datetime = workspace.clock().astimezone(ZoneInfo(scheme.zone))
    quarter = str(Period.of(now.date(), kind_of(scheme)))
    rows = 0
    for kind, table in sample.open_quarter(seed, quarter, now.date()).items():
        rows += workspace.add_file(scheme, kind, write(f"{kind}-{quarter}", table), by, synthetic=True).rows
    return rows
