"""Saying it: the values of a run committed once as a snapshot, then one signed statement a subject."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa

from mingjian.attest.issue._contents import Whom, plan
from mingjian.attest.issue._disclosure import Run, batched
from mingjian.attest.issue._register import SUITE, Change, Register, list_id, status_batch
from mingjian.attest.statements import (
    SNAPSHOT_COLUMNS,
    Basis,
    Contents,
    Figure,
    Level,
    Stated,
    Statement,
    StatusEntry,
    commitment,
    statement_id,
)
from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey, suite
from mingjian.base.values import digest
from mingjian.declare import StatementType, scheme_data
from mingjian.record.ledger import EMPTY_ROOT, Batch, Entry, KeyHistory, Ledger, LedgerState

SNAPSHOT: Final = "snapshot"
_SCHEMA: Final = pa.schema([(column, pa.string()) for column in SNAPSHOT_COLUMNS])
_TOGETHER: Final = 10_000  # rows that stand in memory one by one


@dataclass(frozen=True)
class Issue:
    """What one call of `issue` said: a signed credential for each statement type and subject, and what it stands on.

    ``snapshot`` is the ledger entry with all values of the run in the order of ``stated`` (then what they were in the period
    before, where some look back on it, and the ``figures`` under them). ``status`` is the entry that says which statements were
    issued, row by row in the order of ``statements``. ``contents`` has what belongs to each package.
    """

    run: Run
    scheme: Mapping[str, Any]
    checkpoint: str
    size: int
    snapshot: Entry
    status: Entry
    contents: Mapping[Whom, Mapping[Level, Contents]]
    statements: Mapping[Whom, Statement]
    credentials: Mapping[Whom, Mapping[str, Any]]


def issue(
    run: Run,
    statements: Mapping[str, Collection[str] | None],
    *,
    ledger: Ledger,
    key: SigningKey,
    now: datetime,
    by: str,
    replaces: Mapping[Whom, str] | None = None,
) -> Issue:
    """Commit the values of a run, with the figures under them that a reader may need instead of rows, and sign a statement of
    each type for each subject (None: all there are in the period).

    ``ledger`` must be open with its key; ``key`` signs the statements, which hold from ``now``. ``replaces`` names the
    statements that are revoked because these stand for them. The snapshot and what happened to which statement are
    entries made together, or not at all. The run's view may be closed when this returns.

    Raises Misuse for an unknown statement type, a run of another period, a subject that has no values in it, for a statement
    that was issued from the same ledger size before, and for a ``key`` that is not the issuer's any more.
    """
    types = {name: _statement_type(run, name) for name in statements}
    whom = [(name, s) for name, chosen in statements.items() for s in _subjects(run, types[name], chosen)]
    stated = tuple(Stated.of(value) for value in run.values)
    values = _values(run, types, whom, stated)
    told = plan(run, [(declared, [s for n, s in whom if n == name]) for name, declared in types.items()], stated)
    register = Register.of(ledger.state())
    ids = [_id(run, ledger, of) for of in whom]
    numbered = register.numbered(ids)
    old = {replaced: ids[whom.index(of)] for of, replaced in (replaces or {}).items()}
    revoked = [register.revocation(statement, "replaced", new) for statement, new in old.items()]
    data = scheme_data(run.scheme)
    basis = _basis(run, data, ledger.origin)
    writer = _Writer(run, types, basis, key, now, values, told.contents, {v: k for k, v in old.items()})
    drafts = [writer.statement(of, change) for of, change in zip(whom, numbered, strict=True)]
    issued = [replace(c, commitment=commitment(s.credential()).hex()) for c, s in zip(numbered, drafts, strict=True)]

    def still(head: LedgerState) -> None:
        register.unchanged(head)
        _want_in_force(head, ledger.origin, key)

    snapshot, status = ledger.append_all(
        [_snapshot(run, told.committed, by), status_batch([*issued, *revoked], run.scheme.id, by)], check=still
    )
    basis = _headed(basis, ledger.state(status.index + 1), snapshot)
    said = {of: replace(draft, basis=basis) for of, draft in zip(whom, drafts, strict=True)}
    signed = {of: writer.signed(statement) for of, statement in said.items()}
    note = ledger.checkpoint(basis.size)
    return Issue(run, data, note, basis.size, snapshot, status, told.contents, said, signed)


def file_name(statement: Statement) -> str:
    """The name of a package's file: statement type, subject and period, safe on any file system."""
    return f"{file_stem(statement.type, statement.subject, statement.period)}.json"


def file_stem(type: str, subject: str, period: str) -> str:
    """The name that a statement's files have in common, without an ending."""
    return f"{type}-{quote(subject, safe='')}-{period}"


@dataclass(frozen=True)
class _Writer:
    """All that the statements of one issue have in common."""

    run: Run
    types: Mapping[str, StatementType]
    basis: Basis
    key: SigningKey
    now: datetime
    values: Mapping[Whom, tuple[Stated, ...]]
    contents: Mapping[Whom, Mapping[Level, Contents]]
    replaced: Mapping[str, str]

    def statement(self, of: Whom, change: Change) -> Statement:
        declared = self.types[of[0]]
        subject = self.run.hierarchy.subject(of[1])
        assert subject is not None  # it is alive in the period
        until = None if declared.valid_days is None else self.now + timedelta(days=declared.valid_days)
        return Statement(
            id=change.statement,
            issuer=self.key.public.did_key,
            type=declared.id,
            kind=declared.kind,
            title=declared.title,
            subject=subject.id,
            subject_type=subject.type,
            name=subject.title,
            period=str(self.run.period),
            basis=self.basis,
            values=self.values[of],
            synthetic=self.run.synthetic,
            contents={level: found.digest() for level, found in self.contents[of].items()},
            valid_from=self.now,
            valid_until=until,
            status=StatusEntry(list_id(self.basis.origin), change.index),
            replaces=self.replaced.get(change.statement, ""),
        )

    def signed(self, statement: Statement) -> dict[str, Any]:
        method = self.key.public.method
        return suite(SUITE).sign(statement.credential(), self.key, created=self.now, verification_method=method)


def _statement_type(run: Run, name: str) -> StatementType:
    declared = run.scheme.statements.get(name)
    if declared is None:
        raise Misuse(
            f"scheme {run.scheme.id} declares no statement {name!r}",
            remedy=f"it declares {', '.join(run.scheme.statements)}",
        )
    if declared.period != run.period.kind:
        raise Misuse(f"a {name} is about a {declared.period}", why=f"the run is of {run.period}")
    return declared


def _subjects(run: Run, declared: StatementType, chosen: Collection[str] | None) -> tuple[str, ...]:
    alive = tuple(s.id for s in run.hierarchy.alive(declared.of, run.period.first, run.period.end))
    if unknown := sorted(set(chosen or ()) - set(alive)):
        raise Misuse(f"no {declared.of} {unknown[0]!r} in {run.period}")
    return alive if chosen is None else tuple(s for s in alive if s in set(chosen))


def _id(run: Run, ledger: Ledger, of: Whom) -> str:
    return statement_id(run.scheme.id, *of, str(run.period), run.view.size, ledger.origin)


def _values(
    run: Run, types: Mapping[str, StatementType], whom: Collection[Whom], stated: Collection[Stated]
) -> Mapping[Whom, tuple[Stated, ...]]:
    """What each statement says: the values of its subject that its type shows."""
    by_subject: dict[str, list[Stated]] = {}
    for value in stated:
        by_subject.setdefault(value.subject, []).append(value)
    said = {of: tuple(v for v in by_subject.get(of[1], ()) if v.measure in types[of[0]].show) for of in whom}
    if silent := [f"{name} of {subject}" for (name, subject), values in said.items() if not values]:
        raise Misuse(f"nothing to say in a {silent[0]}", why=f"nothing was measured of it in {run.period}")
    return said


def _snapshot(run: Run, stated: Sequence[Stated | Figure], by: str) -> Batch:
    source = {"fingerprint": run.scheme.fingerprint, "period": str(run.period), "asOf": str(run.view.size)}
    rows = ([value.row() for value in some] for some in batched(stated, _TOGETHER))
    table = pa.concat_tables([_SCHEMA.empty_table(), *(pa.Table.from_pylist(some, schema=_SCHEMA) for some in rows)])
    return Batch(SNAPSHOT, run.scheme.id, by, table, source)


def _want_in_force(head: LedgerState, origin: str, key: SigningKey) -> None:
    """Raises Misuse where the ledger says that another key is the issuer's now: nobody would accept this one's word."""
    names = KeyHistory.of_state(head, origin).keys("issuer")
    if names and names[-1] != key.public.did_key:
        raise Misuse("the issuer's key was changed", why=f"{names[-1]} is in force", remedy="sign with that one")


def _basis(run: Run, data: Mapping[str, Any], origin: str) -> Basis:
    """What the statements stand on, but for the head of the ledger, which is not yet known: see `_headed`."""
    return Basis(
        scheme=run.scheme.id,
        version=run.scheme.version,
        fingerprint=run.scheme.fingerprint,
        scheme_digest=digest(data),
        origin=origin,
        as_of=run.view.size,
        size=0,
        root=EMPTY_ROOT,
        snapshot=0,
        snapshot_root=EMPTY_ROOT,
    )


def _headed(basis: Basis, state: LedgerState, snapshot: Entry) -> Basis:
    """The same with the head of the ledger that has the snapshot."""
    root = bytes.fromhex(snapshot.root)
    return replace(basis, size=state.size, root=state.root(), snapshot=snapshot.index, snapshot_root=root)
