"""`backup` and `restore`: a whole workspace in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingjian.cli._options import HERE, Folder, Json, face

if TYPE_CHECKING:
    from mingjian.workspace import Backup


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="The new file to write (a tar).")],
    workspace: Folder = HERE,
    json: Json = False,
) -> None:
    """Write the whole workspace into one file, as of one moment, while people go on working.

    THE FILE HOLDS THE KEYS: whoever has it reads all that is sealed and issues statements in the office's name. It is readable
    to you alone (mode 0600); keep it so, away from this machine, and destroy old ones: whom an erasure takes out of the
    workspace is still in the backups from before.
    """
    from mingjian.workspace import Workspace, back_up

    shown = face(json)
    with shown.progress() as progress:
        taken = back_up(
            Workspace.open(workspace), file, progress=lambda done, of: progress(shown.word("written"), done, of)
        )
    lines = [f"{shown.word('written')} {file}", f"{taken.head.size} {shown.word('size')}"]
    shown.lines({"file": str(file), **_json(taken)}, [*lines, f"{shown.word('root')}: {taken.head.root.hex()}"])


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `mingjian backup` wrote.")],
    folder: Annotated[Path, typer.Argument(help="A new folder, which becomes the workspace.")],
    ledger: Annotated[str, typer.Option(help="Where its ledger goes: a postgresql:// URL (default: here).")] = "",
    blobs: Annotated[str, typer.Option(help="Where large payloads go: s3://bucket/prefix (default: here).")] = "",
    json: Json = False,
) -> None:
    """Make the workspace of a backup again, and audit its ledger and read log.

    All of it comes back, or nothing, wherever it lay before: into the folder, or its ledger and blobs to the places that are
    named. Passwords, roles and erased people are as they were when the backup was taken: erase again what was erased since.
    """
    from mingjian.workspace import Settings
    from mingjian.workspace import restore as restored

    shown = face(json)
    with shown.progress() as progress:
        settings = Settings(ledger, blobs)
        back = restored(
            file, folder, settings=settings, progress=lambda done, of: progress(shown.word("size"), done, of)
        )
    audited = f"{shown.word('audited')}: {back.head.size} {shown.word('size')}"
    lines = [f"{shown.word('written')} {folder}", audited, f"{shown.word('root')}: {back.head.root.hex()}"]
    shown.lines({"folder": str(folder), **_json(back)}, lines)


def _json(backup: Backup) -> dict[str, Any]:
    head = backup.head
    numbers = {"files": backup.files, "bytes": backup.bytes}
    return {**numbers, "origin": head.origin, "size": head.size, "root": head.root.hex()}
