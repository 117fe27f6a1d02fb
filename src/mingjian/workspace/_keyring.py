"""The private keys of a workspace: which file holds which, and how a new one takes the place of an old one.

Which key is in force the ledger says, not a file's name: the first key of a role lies in ``keys/<role>.pem``, each later one in
``keys/<role>-<public key>.pem``, and no file is ever moved or overwritten. So a crash in between leaves at most a key that
nobody uses. An issuer's or a ledger's key that was replaced may be destroyed; the office's must stay, to open what was sealed
to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.keys import NoteKey, SealingKey, SealingKeys, SigningKey
from mingjian.record.ledger import ROLES, Entry, Ledger, Role, by_issuers, by_nobody, change_key

if TYPE_CHECKING:
    from mingjian.workspace._workspace import Workspace

KEYS: Final = "keys"
LEDGER_KEY: Final = f"{KEYS}/ledger.pem"
ISSUER_KEY: Final = f"{KEYS}/issuer.pem"
OFFICE_KEY: Final = f"{KEYS}/office.pem"

_DID: Final = "did:key:"


@dataclass(frozen=True, slots=True)
class KeyHeld:
    """One key of a role, as `keys list` shows it: in force from entry ``since`` on (None: from the start) to ``until``.

    ``revoked`` is the instant from which it does not count, where it was stolen; ``file`` holds its private half, None where
    that is not here.
    """

    role: Role
    public: str
    since: int | None
    until: int | None
    revoked: datetime | None
    reason: str
    file: Path | None


def ledger_keyring(folder: Path) -> Callable[[NoteKey], SigningKey]:
    """How a ledger finds its key in a workspace's folder."""
    return lambda wanted: SigningKey.load(key_file(folder, "ledger", str(wanted)))


def issuer_key(folder: Path, ledger: Ledger) -> SigningKey:
    """The issuer's key that is in force. Raises Misuse where it is not here."""
    names = ledger.keys.keys("issuer")
    if not names:
        return SigningKey.load(folder / ISSUER_KEY)
    key = SigningKey.load(key_file(folder, "issuer", names[-1]))
    if key.public.did_key != names[-1]:
        raise Misuse("the issuer's key in force is not here", why=names[-1], where=str(folder / KEYS))
    return key


def office_keys(folder: Path, ledger: Ledger) -> SealingKeys:
    """The office's key that is in force, and those before it that are still here. Raises Misuse where the first is not."""
    names = ledger.keys.keys("office")
    if not names:
        return SealingKeys((SealingKey.load(folder / OFFICE_KEY),))
    files = dict.fromkeys(key_file(folder, "office", name) for name in reversed(names))
    held = {key.public.raw.hex(): key for key in (SealingKey.load(file) for file in files if file.is_file())}
    if names[-1] not in held:
        raise Misuse("the office's key in force is not here", why=names[-1], where=str(folder / KEYS))
    return SealingKeys(tuple(held[name] for name in reversed(names) if name in held))


def key_file(folder: Path, role: Role, public: str) -> Path:
    """The file in which the private half of a role's key is looked for."""
    own = _own_file(folder, role, public)
    return own if own.is_file() else folder / KEYS / f"{role}.pem"


def rotate(workspace: Workspace, role: Role, by: str) -> Entry:
    """Make a new key for a role, and let it take the place of the one in force. See `record.ledger.KeyChange`."""
    ledger = workspace.ledger
    if role == "office":
        fresh = SealingKey.generate()
        public = fresh.public.raw.hex()
        with _saved(fresh, _own_file(workspace.folder, role, public)):
            old = workspace.office_key.public.raw.hex()
            return change_key(ledger, role, old, public, by_nobody, by=by)
    new = SigningKey.generate()
    if role == "ledger":
        with _saved(new, _own_file(workspace.folder, role, str(NoteKey(ledger.origin, new.public)))):
            return ledger.rotate(new, by=by)
    issuer = workspace.issuer
    with _saved(new, _own_file(workspace.folder, role, new.public.did_key)):
        attest = by_issuers(ledger.origin, issuer, new)
        return change_key(ledger, role, issuer.public.did_key, new.public.did_key, attest, by=by)


def revoke_issuer(workspace: Workspace, since: datetime, reason: str, by: str) -> Entry:
    """Revoke the issuer's key since an instant, and begin a new one.

    What was issued from then on counts no more, whatever its signature is dated; what was issued before stays good. Raises
    Misuse without a reason, and for an instant without a zone or still to come.
    """
    if since.tzinfo is None or since > workspace.clock():
        raise Misuse("a key cannot be revoked since then", why=str(since), remedy="give an instant that is past")
    if not reason:
        raise Misuse("a revocation without a reason", remedy="say why the key is not to be trusted")
    new, origin = SigningKey.generate(), workspace.ledger.origin
    old, public = workspace.issuer.public.did_key, new.public.did_key
    with _saved(new, _own_file(workspace.folder, "issuer", public)):
        attest = by_issuers(origin, None, new)
        return change_key(workspace.ledger, "issuer", old, public, attest, by=by, since=since, reason=reason)


def keys_held(workspace: Workspace) -> tuple[KeyHeld, ...]:
    """All keys that the roles of a workspace have or had, the first one of each first."""
    history = workspace.ledger.keys
    present: dict[Role, str] = {
        "ledger": workspace.ledger.vkey,
        "issuer": workspace.issuer.public.did_key,
        "office": workspace.office_key.public.raw.hex(),
    }
    found = []
    for role in ROLES:
        for public in history.keys(role) or (present[role],):
            began, ended = history.began(role, public), history.ended(role, public)
            file = key_file(workspace.folder, role, public)
            found.append(
                KeyHeld(
                    role,
                    public,
                    None if began is None else began.place,
                    None if ended is None else ended.place,
                    None if ended is None else ended.since,
                    "" if ended is None else ended.reason,
                    file if file.is_file() and (began is None or file.stem != role) else None,
                )
            )
    return tuple(found)


def role_of(text: str) -> Role:
    """A role by its name. Raises Misuse for another."""
    for role in ROLES:
        if role == text:
            return role
    raise Misuse(f"there is no key of {text}", remedy=f"one of {', '.join(ROLES)}")


def _own_file(folder: Path, role: Role, public: str) -> Path:
    name = NoteKey.parse(public).public.multibase if role == "ledger" else public.removeprefix(_DID)
    return folder / KEYS / f"{role}-{name}.pem"


@contextmanager
def _saved(key: SigningKey | SealingKey, file: Path) -> Iterator[None]:
    """Write a new key into its file before the ledger names it; take it away again where the ledger refuses to."""
    key.save(file)
    try:
        yield
    except MingjianError:
        file.unlink()
        raise
