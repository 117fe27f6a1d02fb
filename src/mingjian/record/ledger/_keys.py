"""Which keys are in force: each change of one is an entry, so that the ledger says whose signature counts from where on.

An entry of kind "key" has one row: whose key (a *role*), which one ends, which one begins. What a key signed before the
entry stays good; from the entry on only the new one counts. A key that was stolen is *revoked* since an instant, and what it
signed stays good only where the ledger had it before that. The ledger's key and the issuer's change by a note that the old
key and the new one both sign, except that a stolen key has no say in who follows it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, get_args

import pyarrow as pa

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.keys import NoteKey, PublicKey, SigningKey, open_note, sign_again, sign_note
from mingjian.record.ledger._entry import Batch, Entry

if TYPE_CHECKING:
    from mingjian.record.ledger._ledger import Ledger
    from mingjian.record.ledger._state import LedgerState

KEY: Final = "key"  # the kind of an entry

Role = Literal["issuer", "ledger", "office"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("role", "old", "new", "since", "reason", "note")])
_TRIES: Final = 20  # of a change that must say what stands before it, while others append
_DID: Final = "did:key:"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of a key: entry ``place``, made ``at`` an instant, ends ``old`` and begins ``new``.

    Keys are written as their role does: the issuer's as ``did:key:...``, the ledger's as a vkey, the office's in hexadecimal.
    ``since`` is from when the old one is revoked, None where it was only replaced. ``note`` is what the keys themselves signed
    of it; "" for the office's, which cannot sign.
    """

    place: int
    at: datetime
    role: Role
    old: str
    new: str
    since: datetime | None = None
    reason: str = ""
    note: str = ""

    @classmethod
    def of_row(cls, entry: Entry, row: Mapping[str, object]) -> KeyChange:
        """The change that the row of an entry says. Raises Tampered where it says none."""
        said = {name: row.get(name) or "" for name in _SCHEMA.names}
        role = next((role for role in ROLES if role == said["role"]), None)
        if role is None or not all(isinstance(text, str) for text in said.values()):
            raise Tampered("not a change of a key", why="role and keys are wanted", where=f"entry {entry.index}")
        old, new, since, reason, note = (str(said[name]) for name in _SCHEMA.names[1:])
        try:
            revoked = datetime.fromisoformat(since) if since else None
        except ValueError as fault:
            raise Tampered("not a change of a key", why=str(fault), where=f"entry {entry.index}") from fault
        return cls(entry.index, entry.at, role, old, new, revoked, reason, note)

    def row(self) -> dict[str, str | None]:
        """The row as the ledger keeps it."""
        since = None if self.since is None else self.since.astimezone(UTC).isoformat()
        said = (self.role, self.old, self.new, since, self.reason or None, self.note or None)
        return dict(zip(_SCHEMA.names, said, strict=True))

    def attested(self, origin: str) -> str:
        """The text of its note, once the keys that must have signed it. Raises Tampered where they did not."""
        try:
            signers = _signers(origin, self)
            text, signed = open_note(self.note, signers)
        except MingjianError as fault:
            raise Tampered("a change of a key is not attested", why=str(fault), where=f"entry {self.place}") from fault
        said = f"{origin}\n{self.place}\n"
        if set(signed) != set(signers) or not (text.startswith(said) and text.endswith(f"\n{_extension(self)}\n")):
            why = "its note is of another change, or lacks a signature"
            raise Tampered("a change of a key is not attested", why=why, where=f"entry {self.place}")
        return text


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """All changes of keys in a ledger of that origin, as of ``size`` entries, in order."""

    origin: str
    size: int
    changes: tuple[KeyChange, ...]

    def __post_init__(self) -> None:
        """Raises Tampered where a key ends that was not in force, or one begins that had been there before."""
        for role in ROLES:
            names = self.keys(role)
            if len(set(names)) < len(names) or any(
                c.old != name for c, name in zip(self.of(role), names, strict=False)
            ):
                raise Tampered("the keys of a ledger do not follow each other", why=role, where=self.origin)

    @classmethod
    def of_state(cls, state: LedgerState, origin: str) -> KeyHistory:
        """The changes in a ledger as it stood at a size."""
        entries = list(state.entries(kind=KEY))
        rows = ((entry, row) for entry in entries for row in state.table(entry.index).to_pylist())
        return cls(origin, state.size, tuple(KeyChange.of_row(entry, row) for entry, row in rows))

    def of(self, role: Role) -> tuple[KeyChange, ...]:
        """The changes of one role's key."""
        return tuple(change for change in self.changes if change.role == role)

    def keys(self, role: Role) -> tuple[str, ...]:
        """All keys that a role had, the first one first; none where it never changed: then only the role knows its own."""
        changes = self.of(role)
        return (changes[0].old, *(change.new for change in changes)) if changes else ()

    def present(self, role: Role, first: str) -> str:
        """The key in force, where ``first`` is what the role began with."""
        return (self.keys(role) or (first,))[-1]

    def ended(self, role: Role, key: str) -> KeyChange | None:
        """The change that ended a key; None for one in force, or of somebody else."""
        return next((change for change in self.of(role) if change.old == key), None)

    def began(self, role: Role, key: str) -> KeyChange | None:
        """The change that began a key; None for the first one, or one of somebody else."""
        return next((change for change in self.of(role) if change.new == key), None)

    def signers(self, known: Iterable[NoteKey], size: int) -> tuple[NoteKey, ...]:
        """Whose signature counts under a checkpoint of so many entries, for a reader who knows these keys.

        A key that was replaced counts for what the ledger was before; the new one for all sizes, since who holds it may
        sign an old head again. Where none of the ledger's keys is known, none counts.
        """
        ours = {str(key): key for key in known if key.name == self.origin and not key.cosigns}
        names = self.keys("ledger")
        if not names:
            return tuple(ours.values())
        if not ours.keys() & set(names):
            return ()
        ends = ((name, self.ended("ledger", name)) for name in names)
        return tuple(NoteKey.parse(name) for name, end in ends if end is None or size <= end.place)


Attest = Callable[[str], str]  # from the text of a change to the note that attests it


def change_key(
    ledger: Ledger,
    role: Role,
    old: str,
    new: str,
    attest: Attest,
    *,
    by: str,
    since: datetime | None = None,
    reason: str = "",
) -> Entry:
    """Record that a role's key changed; see `KeyChange`. ``attest`` makes the note of a text that says what stands before it.

    Raises Misuse for a key that is not in force any more, and for a new one that had been before.
    """
    for _ in range(_TRIES):
        head = ledger.state()
        draft = KeyChange(head.size, datetime.min.replace(tzinfo=UTC), role, old, new, since, reason)
        root = b64encode(head.root()).decode()
        text = f"{ledger.origin}\n{head.size}\n{root}\n{_extension(draft)}\n"
        change = KeyChange(draft.place, draft.at, role, old, new, since, reason, attest(text))
        batch = Batch(KEY, "", by, pa.Table.from_pylist([change.row()], schema=_SCHEMA))
        try:
            return ledger.append(batch, check=lambda state, change=change: _want_follows(state, ledger, change))  # type: ignore[misc]
        except _Moved:
            continue
    raise MingjianError("the key was not changed", why="others kept appending meanwhile", remedy="do it again")


class _Moved(Exception):
    """Somebody appended since a change was drawn up."""


def _want_follows(head: LedgerState, ledger: Ledger, change: KeyChange) -> None:
    """Raises Misuse where a change does not follow from what is in force, _Moved where it is not of this head."""
    names = KeyHistory.of_state(head, ledger.origin).keys(change.role)
    if names and names[-1] != change.old:
        raise Misuse(f"the {change.role} key is not in force", why=f"{names[-1]} is", remedy="open the workspace anew")
    if change.new in (*names, change.old):
        raise Misuse(f"this {change.role} key was in force before", remedy="make a new one")
    if head.size != change.place:
        raise _Moved


def by_ledgers(origin: str, old: SigningKey, new: SigningKey) -> Attest:
    """How the ledger's keys attest a change: both sign the head before it, with the new key on a line of its own."""
    return lambda text: sign_again(sign_note(text, origin, old), origin, new)


def by_issuers(origin: str, old: SigningKey | None, new: SigningKey) -> Attest:
    """How the issuer's keys attest a change: both sign, or the new one alone where the old was stolen."""
    name = _issuer_name(origin)
    if old is None:
        return lambda text: sign_note(text, name, new)
    return lambda text: sign_again(sign_note(text, name, old), name, new)


def by_nobody(text: str) -> str:
    """How the office's key, which only opens what is sealed, attests a change."""
    return ""


def issuer_key(did: str) -> PublicKey:
    """The key that ``did:key:...`` names. Raises Misuse for other text."""
    return PublicKey.from_multibase(did.removeprefix(_DID))


def _issuer_name(origin: str) -> str:
    """Who signs as issuer: not the name of the ledger, so that such a note is never taken for a checkpoint."""
    return f"{origin}/issuer"


def _extension(change: KeyChange) -> str:
    """The line below a head that says the change."""
    return f"mingjian/key {change.role} {change.new}"


def _signers(origin: str, change: KeyChange) -> Sequence[NoteKey]:
    """Who must have signed the note of a change."""
    if change.role == "ledger":
        return [NoteKey.parse(change.old), NoteKey.parse(change.new)]
    keys = (change.new,) if change.since is not None else (change.old, change.new)
    return [NoteKey(_issuer_name(origin), issuer_key(key)) for key in keys]
