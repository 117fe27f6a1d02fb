"""What witnesses cosigned, put into the packages that it covers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mingjian.attest.statements import Malformed, Witnessed, read_package, write_package
from mingjian.base.errors import Misuse
from mingjian.base.files import write_whole
from mingjian.base.keys import NoteKey, cosigned_at
from mingjian.record.ledger import parse_checkpoint
from mingjian.workspace._workspace import Workspace


def put_witnessed(workspace: Workspace, note: str, witnesses: Iterable[NoteKey], folder: Path) -> tuple[Path, ...]:
    """Put a cosigned head of the ledger into every package in a folder that stands below it. The files that were changed.

    Raises Tampered for a note that the ledger or one of these witnesses did not sign, Misuse where a witness is missing.
    """
    wanted = tuple(witnesses)
    head = parse_checkpoint(note, [NoteKey.parse(vkey) for vkey in workspace.ledger.vkeys])
    if missing := set(wanted) - cosigned_at(note, wanted).keys():
        raise Misuse(f"{missing.pop().name} did not cosign this head", remedy="give its whole answer")
    changed = []
    for file in sorted(folder.glob("*.json")):
        try:
            package = read_package(file.read_bytes())
            basis = package.statement.basis
        except Malformed:  # a status list, whom to trust: no package
            continue
        if basis.origin == head.origin and basis.size <= head.size:
            proof = tuple(workspace.ledger.prove_consistency(basis.size, head.size))
            write_whole(file, write_package(replace(package, witnessed=Witnessed(note, proof))))
            changed.append(file)
    return tuple(changed)
