"""What is posted for anyone: whom to trust, which statements stand, and those that are public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from mingjian.attest.issue import Change, Register, status_list
from mingjian.attest.statements import Statement, read_package
from mingjian.attest.verify import Report, Trust, verify
from mingjian.base.errors import Fault
from mingjian.record.ledger import write_key_history
from mingjian.workspace import Office, package_files, trust_in

URN: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Posted:
    """What stands at one size of the ledger: the register of statements, the signed list of those revoked, the keys' history."""

    size: int
    register: Register
    statuses: Mapping[str, Any]
    keys: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Public:
    """A statement that anyone may read, and its file."""

    statement: Statement
    file: Path
    revoked: Change | None


class Bulletin:
    """Reads the ledger once a size, and each file of a statement once."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = Lock()
        self._posted: Posted | None = None
        self._files: dict[Path, tuple[int, Statement | None]] = {}

    def trust(self) -> dict[str, list[str]]:
        """Whom a reader of our statements must know."""
        return trust_in(self._office.workspace)

    def posted(self) -> Posted:
        """What stands now. The list is signed anew when the ledger has grown."""
        workspace = self._office.workspace
        state = workspace.ledger.state()
        with self._lock:
            if self._posted is None or self._posted.size != state.size:
                signed = status_list(workspace.ledger, workspace.issuer, workspace.clock())
                keys = write_key_history(workspace.ledger)
                self._posted = Posted(state.size, Register.of(state), signed, keys)
            return self._posted

    def checked(self, packages: list[tuple[str, bytes]]) -> Report:
        """Packages verified as by a reader who trusts this office and nobody else."""
        said = self.trust()
        return verify(
            packages,
            now=self._office.workspace.clock(),
            trust=Trust.of(said["issuers"], said["ledgers"]),
            status_lists=[self.posted().statuses],
            key_histories=[self.posted().keys],
        )

    def public(self) -> tuple[Public, ...]:
        """The statements issued for everybody: of the public level, and about no person. The latest periods first."""
        revoked = self.posted().register.revoked
        found = []
        for file in package_files(self._office.issued):
            statement = self._public(file)
            if statement is not None:
                found.append(Public(statement, file, revoked.get(statement.id)))
        return tuple(sorted(found, key=lambda one: (one.statement.period, one.statement.id), reverse=True))

    def _public(self, file: Path) -> Statement | None:
        """The public statement in a file, or None. A file that changed is read again."""
        persons = {kind.id for kind in self._office.now().scheme.subjects.values() if kind.person}
        changed = file.stat().st_mtime_ns
        known = self._files.get(file)
        if known is None or known[0] != changed:
            known = self._files[file] = (changed, _public_in(file.read_bytes()))
        statement = known[1]
        return statement if statement is not None and statement.subject_type not in persons else None


def _public_in(content: bytes) -> Statement | None:
    try:
        package = read_package(content)
        return package.statement if package.level == "public" else None
    except Fault:
        return None
