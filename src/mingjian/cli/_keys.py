"""`keys`: which keys are in force, new ones for old, and what was signed by one that was stolen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.cli._options import HERE, By, Folder, Into, Json, actor, face, issued

if TYPE_CHECKING:
    from datetime import datetime

    from mingjian.cli._face import Face
    from mingjian.record.ledger import Entry
    from mingjian.workspace import KeyHeld, Workspace

Whose = Annotated[str, typer.Argument(metavar="ROLE", help="issuer, ledger or office.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    keys = typer.Typer(
        help="The keys: which are in force, rotation, revocation.", no_args_is_help=True, rich_markup_mode=None
    )
    keys.command("list")(list_keys)
    keys.command("rotate")(rotate)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="keys")


def list_keys(workspace: Folder = HERE, json: Json = False) -> None:
    """All keys of issuer, ledger and office: from which entry to which, and where their private halves lie."""
    from mingjian.workspace import Workspace, keys_held

    shown = face(json)
    found = keys_held(Workspace.open(workspace))
    shown.lines([_key_json(key) for key in found], (_key_line(key, shown) for key in found))


def rotate(role: Whose, into: Into = None, workspace: Folder = HERE, by: By = "", json: Json = False) -> None:
    """Make a new key and let it take the place of the one in force; what the old one signed stays good.

    The change is an entry of the ledger. Who trusts the old key follows with the file keys.json; hand over the new one all the
    same.
    """
    from mingjian.workspace import Workspace, role_of, rotate

    opened = Workspace.open(workspace)
    _said(rotate(opened, role_of(role), actor(by)), opened, issued(into, workspace), face(json))


def revoke(
    role: Whose,
    since: Annotated[
        str, typer.Option(help="From when it may have been in other hands: 2026-10-01, or with time and zone.")
    ],
    reason: Annotated[str, typer.Option(help="Why it is not to be trusted since then.")],
    into: Into = None,
    workspace: Folder = HERE,
    by: By = "",
    json: Json = False,
) -> None:
    """Revoke the issuer's key since a date, and begin a new one: what the ledger had before that date stays good.

    A date begins at midnight in this machine's zone. A ledger's key cannot be revoked: those who hold its checkpoints, and
    its witnesses, see what was done with it.
    """
    from mingjian.base.errors import Misuse
    from mingjian.workspace import Workspace, revoke_issuer, role_of

    if role_of(role) != "issuer":
        remedy = f"`mingjian keys rotate {role}`, and compare the ledger with checkpoints kept elsewhere"
        raise Misuse(
            f"the {role} key cannot be revoked", why="nothing that it did before can be told apart", remedy=remedy
        )
    opened = Workspace.open(workspace)
    _said(revoke_issuer(opened, _instant(since), reason, actor(by)), opened, issued(into, workspace), face(json))


def _said(entry: Entry, workspace: Workspace, folder: Path, shown: Face) -> None:
    """Write anew what stands beside the statements, and answer with the change."""
    from mingjian.workspace import write_standing

    written = write_standing(workspace, folder) if folder.is_dir() else ()
    change = next(change for change in workspace.ledger.keys.changes if change.place == entry.index)
    data = {
        "role": change.role,
        "old": change.old,
        "new": change.new,
        "since": None if change.since is None else change.since.isoformat(),
        "entry": entry.index,
        "files": [str(file) for file in written],
    }
    shown.lines(data, (f"{name}: {value}" for name, value in data.items() if value is not None and name != "files"))


def _instant(text: str) -> datetime:
    from datetime import datetime

    from mingjian.base.errors import Misuse

    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as fault:
        raise Misuse(
            f"{text!r} is no date", why=str(fault), remedy="write 2026-10-01, or 2026-10-01T08:00+08:00"
        ) from fault


def _key_json(key: KeyHeld) -> dict[str, object]:
    return {
        "role": key.role,
        "key": key.public,
        "from": key.since,
        "to": key.until,
        "revoked": None if key.revoked is None else key.revoked.isoformat(),
        "reason": key.reason,
        "file": None if key.file is None else str(key.file),
    }


def _key_line(key: KeyHeld, shown: Face) -> str:
    state = "in_force" if key.until is None else "key_revoked" if key.revoked is not None else "key_replaced"
    why = "" if key.revoked is None else f" {key.revoked.isoformat()}: {key.reason}"
    at = "" if key.until is None else f" ({shown.word('entry')} {key.until})"
    return f"{key.role}  {key.public}  {shown.word(state)}{why}{at}"
