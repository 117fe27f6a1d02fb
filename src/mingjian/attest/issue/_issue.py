"""Saying it: the values of a run committed once as a snapshot, then one signed statement a subject."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa

from mingjian.attest.issue._disclosure import Disclosure, Run, disclose, is_open, shows_figures, shows_peers, told
from mingjian.attest.issue._figures import figures, statistics
from mingjian.attest.issue._register import SUITE, Change, Register, list_id, status_batch
from mingjian.attest.statements import (
    SNAPSHOT_COLUMNS,
    Basis,
    Figure,
    Level,
    Package,
    ProvenEntry,
    Stated,
    Statement,
    StatusEntry,
    closure,
    kinds_under,
    peers_under,
    statement_id,
)
from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey, suite
from mingjian.base.values import digest
from mingjian.declare import StatementType, scheme_data
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState, RowProof

SNAPSHOT: Final = "snapshot"
_SCHEMA: Final = pa.schema([(column, pa.string()) for column in SNAPSHOT_COLUMNS])

Whom = tuple[str, str]  # statement type, subject


@dataclass(frozen=True)
class Issue:
    """What one call of `issue` said: a signed credential for each statement type and subject, and what it stands on.

    ``snapshot`` is the ledger entry with all values of the run in the order of ``stated``, then the ``figures`` under them.
    ``described`` is what those described are shown, by statement type and subject.
    """

    run: Run
    scheme: Mapping[str, Any]
    checkpoint: str
    size: int
    snapshot: Entry
    stated: tuple[Stated, ...]
    figures: tuple[Figure, ...]
    described: Mapping[str, Mapping[str, Disclosure]]
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
    entries made together, or not at all.

    Raises Misuse for an unknown statement type, a run of another period, a subject that has no values in it, and for a
    statement that was issued from the same ledger size before.
    """
    types = {name: _statement_type(run, name) for name in statements}
    whom = [(name, s) for name, chosen in statements.items() for s in _subjects(run, types[name], chosen)]
    stated = tuple(Stated.of(value) for value in run.values)
    values = _values(run, types, whom, stated)
    described = {
        name: disclose(run, told(run, declared, "described"), [s for n, s in whom if n == name], "described")
        for name, declared in types.items()
    }
    under = _figures(run, types, described)
    register = Register.of(ledger.state())
    ids = [_id(run, ledger, of) for of in whom]
    issued = register.numbered(ids)
    old = {replaced: ids[whom.index(of)] for of, replaced in (replaces or {}).items()}
    revoked = [register.revocation(statement, "replaced", new) for statement, new in old.items()]
    snapshot, last = ledger.append_all(
        [_snapshot(run, [*stated, *under], by), status_batch([*issued, *revoked], run.scheme.id, by)],
        check=register.unchanged,
    )
    size = last.index + 1
    data = scheme_data(run.scheme)
    basis = _basis(run, data, ledger.origin, ledger.state(size), snapshot)
    writer = _Writer(run, types, basis, key, now, values, {v: k for k, v in old.items()})
    said = {of: writer.statement(of, change) for of, change in zip(whom, issued, strict=True)}
    signed = {of: writer.signed(statement) for of, statement in said.items()}
    return Issue(run, data, ledger.checkpoint(size), size, snapshot, stated, under, described, said, signed)


def pack(issued: Issue, ledger: Ledger, level: Level) -> Iterator[tuple[Statement, Package]]:
    """Each statement of an issue with its package for readers of a level. One credential, whatever the level.

    The run's view is read by this call alone: it may be closed before the packages are taken.
    """
    by_type: dict[str, list[str]] = {}
    for name, subject in issued.statements:
        by_type.setdefault(name, []).append(subject)
    disclosed = {name: _disclosed(issued, level, name, subjects) for name, subjects in by_type.items()}
    return (pair for name in by_type for pair in _packed(issued, ledger, level, name, disclosed[name]))


def file_name(statement: Statement) -> str:
    """The name of a package's file: statement type, subject and period, safe on any file system."""
    return f"{statement.type}-{quote(statement.subject, safe='')}-{statement.period}.json"


def _disclosed(issued: Issue, level: Level, name: str, subjects: Collection[str]) -> Mapping[str, Disclosure]:
    if level == "described":
        return issued.described[name]
    return disclose(issued.run, told(issued.run, issued.run.scheme.statements[name], level), subjects, level)


def _packed(
    issued: Issue, ledger: Ledger, level: Level, name: str, disclosed: Mapping[str, Disclosure]
) -> Iterator[tuple[Statement, Package]]:
    places = _attested(issued, issued.run.scheme.statements[name], level, disclosed)
    wanted = {place for disclosure in disclosed.values() for place in disclosure.places}
    wanted |= {(issued.snapshot.index, row) for rows in places.values() for row in rows}
    proofs = _prove(ledger, wanted)
    state = ledger.state(issued.size)
    entries = {index: _proven(ledger, state, index) for index in {entry for entry, _ in wanted}}
    for subject, disclosure in disclosed.items():
        used = {entry for entry, _ in disclosure.places} | {issued.snapshot.index}
        package = Package(
            level=level,
            credential=issued.credentials[name, subject],
            checkpoint=issued.checkpoint,
            entries=tuple(entries[index] for index in sorted(used)),
            rows=tuple(proofs[place] for place in disclosure.places),
            attested=tuple(proofs[issued.snapshot.index, row] for row in places[subject]),
            given=disclosure.given,
            scheme=issued.scheme,
        )
        yield issued.statements[name, subject], package


def _attested(
    issued: Issue, declared: StatementType, level: Level, disclosed: Mapping[str, Disclosure]
) -> Mapping[str, Sequence[int]]:
    """The rows of the snapshot in each package: the numbers it tells, and the figures under those it takes as given."""
    run, names = issued.run, told(issued.run, declared, level)
    rows: dict[str, list[int]] = {subject: [] for subject in disclosed}
    for row, value in enumerate(issued.stated):
        if value.subject in rows and value.measure in names:
            rows[value.subject].append(row)
    shown = {name for name in names if shows_figures(run, declared, level, name)}
    peers = {measure for name in names for measure in peers_under(run.scheme, name)}
    seen = peers if shows_peers(run, declared, level) else set[str]()
    for row, figure in enumerate(issued.figures, len(issued.stated)):
        if not figure.subject and figure.measure in seen:
            for found in rows.values():
                found.append(row)
        elif figure.subject in rows and figure.measure in (disclosed[figure.subject].given.keys() & shown):
            rows[figure.subject].append(row)
    return rows


def _prove(ledger: Ledger, places: Collection[tuple[int, int]]) -> Mapping[tuple[int, int], RowProof]:
    by_entry: dict[int, list[int]] = {}
    for entry, row in places:
        by_entry.setdefault(entry, []).append(row)
    found = (proof for entry, rows in by_entry.items() for proof in ledger.prove_rows(entry, rows))
    return {(proof.entry, proof.row): proof for proof in found}


def _proven(ledger: Ledger, state: LedgerState, index: int) -> ProvenEntry:
    return ProvenEntry(state.entry(index), tuple(ledger.prove_entry(index, state.size)))


@dataclass(frozen=True)
class _Writer:
    """All that the statements of one issue have in common."""

    run: Run
    types: Mapping[str, StatementType]
    basis: Basis
    key: SigningKey
    now: datetime
    values: Mapping[Whom, tuple[Stated, ...]]
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


def _figures(
    run: Run, types: Mapping[str, StatementType], described: Mapping[str, Mapping[str, Disclosure]]
) -> tuple[Figure, ...]:
    """The figures that some package may need: under what those described take as given, and all under what the public sees."""
    hidden: set[str] = set()
    names: set[str] = set()
    for name, declared in types.items():
        under = closure(run.scheme, declared.show)
        names |= set(under)
        hidden |= set(under) if is_open(run, declared) else {m for d in described[name].values() for m in d.given}
    reduced = {name for name in hidden if kinds_under(run.scheme, name)}
    subjects = {subject for by_subject in described.values() for subject in by_subject}
    return (*figures(run, reduced, subjects), *statistics(run, names))


def _snapshot(run: Run, stated: Sequence[Stated | Figure], by: str) -> Batch:
    source = {"fingerprint": run.scheme.fingerprint, "period": str(run.period), "asOf": str(run.view.size)}
    table = pa.Table.from_pylist([value.row() for value in stated], schema=_SCHEMA)
    return Batch(SNAPSHOT, run.scheme.id, by, table, source)


def _basis(run: Run, data: Mapping[str, Any], origin: str, state: LedgerState, snapshot: Entry) -> Basis:
    return Basis(
        scheme=run.scheme.id,
        version=run.scheme.version,
        fingerprint=run.scheme.fingerprint,
        scheme_digest=digest(data),
        origin=origin,
        as_of=run.view.size,
        size=state.size,
        root=state.root(),
        snapshot=snapshot.index,
        snapshot_root=bytes.fromhex(snapshot.root),
    )
