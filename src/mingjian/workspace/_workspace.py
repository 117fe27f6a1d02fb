"""A workspace: a ledger, its keys and its projection in one directory, and the floors tied together over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa

from mingjian.attest.issue import revoke
from mingjian.base.errors import Fault, Finding, Misuse
from mingjian.base.keys import SealingKey, SealingKeys, SigningKey
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Hierarchy, Scheme, Title, evidence_types, load
from mingjian.reckon.claims import Measured, Verdict, check_claims, load_claims
from mingjian.reckon.measures import Results, Spark, evaluate
from mingjian.reckon.release import release
from mingjian.record.evidence import Intake, Projection, View, check_rows, read_file, shuffled, write_template
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState
from mingjian.workspace._erasing import protected
from mingjian.workspace._explained import Explained, explained
from mingjian.workspace._keyring import (
    ISSUER_KEY,
    LEDGER_KEY,
    OFFICE_KEY,
    issuer_key,
    ledger_keyring,
    office_keys,
)
from mingjian.workspace._reach import ERASURE, Reach, measured
from mingjian.workspace._schemes import (
    adopted,
    latest,
    recorded,
    scheme_batch,
    scheme_folder,
    want_passed,
    want_unambiguous,
)
from mingjian.workspace._settings import Settings, read_settings

PROJECTION: Final = "projection.duckdb"
ANEW: Final = "projection.anew.duckdb"  # the same made anew, while both are compared
PAPERS: Final = "papers"
RUNS_KEPT: Final = 4
HERE: Final = Settings()

Clock = Callable[[], datetime]


def now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """What adding a file came to: the entry, or None where the same file was there already (``known``)."""

    entry: Entry | None
    rows: int
    refused: int
    findings: tuple[Finding, ...]
    known: Entry | None = None


class Workspace:
    """The one way in for faces: opens what there is, and runs each verb over the floors below."""

    def __init__(self, folder: Path, ledger: Ledger, clock: Clock, settings: Settings) -> None:
        self.folder, self.ledger, self.clock, self.settings = folder, ledger, clock, settings
        self.projection = Projection(folder / PROJECTION, ledger)
        self.anew = Projection(folder / ANEW, ledger)
        self._latest: dict[str, tuple[int, int]] = {}  # by scheme: a ledger's size, and the entry of its version then
        self._schemes: dict[tuple[str, int], Scheme] = {}
        self._hierarchies: dict[tuple[str, int], Hierarchy] = {}
        self._results: dict[tuple[str, int, str], Results] = {}
        self._reached: dict[str, tuple[int, Reach]] = {}
        self._erasures = ledger.erasures()

    @classmethod
    def create(cls, folder: Path, *, origin: str, clock: Clock = now, settings: Settings = HERE) -> Workspace:
        """An empty workspace with keys of its own. ``origin`` names its ledger, like a URL without a scheme.

        ``settings`` say what it is run on, from now on. Raises Misuse where there is one, or the folder holds something else;
        MingjianError where a place that they name cannot be reached.
        """
        if folder.exists() and any(folder.iterdir()):
            raise Misuse(f"{folder} is not empty", remedy="name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "keys").mkdir(mode=0o700)
        key = SigningKey.generate()
        key.save(folder / LEDGER_KEY)
        SigningKey.generate().save(folder / ISSUER_KEY)
        SealingKey.generate().save(folder / OFFICE_KEY)
        where, blobs = settings.places(folder)
        ledger = Ledger.create(where, origin=origin, key=key, blobs=blobs, now=clock)
        settings.save(folder)
        return cls(folder, ledger, clock, settings)

    @classmethod
    def open(cls, folder: Path, *, clock: Clock = now) -> Workspace:
        """The workspace in ``folder``. Raises Misuse where there is none."""
        if not (folder / LEDGER_KEY).is_file():
            raise Misuse(f"{folder} is no workspace", remedy=f"`mingjian new workspace {folder}` makes one")
        settings = read_settings(folder)
        where, blobs = settings.places(folder)
        ledger = Ledger.open(where, key=ledger_keyring(folder), blobs=blobs, now=clock)
        return cls(folder, ledger, clock, settings)

    @property
    def issuer(self) -> SigningKey:
        """The key that signs statements, as of now."""
        return issuer_key(self.folder, self.ledger)

    @cached_property
    def _engine(self) -> Spark:
        return Spark(self.settings.engine, self.projection.laid_out)

    @property
    def office_key(self) -> SealingKeys:
        """The key to which sealed fields are sealed, as of now, with those before it, which still open."""
        return office_keys(self.folder, self.ledger)

    # -- schemes --------------------------------------------------------------------------------------------------------
    def adopt(self, name: str, by: str) -> Scheme:
        """Record the scheme of that name or folder as it is now; the same again changes nothing in the ledger.

        The templates of its statements are copied: papers are drawn from here, wherever the scheme came from.

        Raises Fault for a scheme with faults or whose cases fail, Misuse where its version was recorded with another meaning.
        """
        source = scheme_folder(name)
        scheme = load(source)
        state = self.ledger.state()
        if not adopted(state, scheme):
            want_unambiguous(state, scheme)
            want_passed(scheme, name)
            self.ledger.append(scheme_batch(scheme, by), check=lambda head: want_unambiguous(head, scheme))
        for parent in {Path(s.template).parent for s in scheme.statements.values() if s.template}:
            shutil.copytree(source / parent, self.papers(scheme) / parent, dirs_exist_ok=True)
        return scheme

    def papers(self, scheme: Scheme) -> Path:
        """The folder under which a scheme's templates lie."""
        return self.folder / PAPERS / scheme.id

    def schemes(self) -> tuple[str, ...]:
        """The ids of the schemes that run here."""
        return tuple(sorted({entry.scheme for entry in self.ledger.entries(kind="scheme")}))

    def scheme(self, name: str = "", size: int | None = None) -> Scheme:
        """The scheme as recorded at a ledger size; without a name the only one there is. Raises Misuse otherwise."""
        if not name:
            there = self.schemes()
            if len(there) != 1:
                raise Misuse(
                    "which scheme?",
                    why=f"this workspace runs {', '.join(there) or 'none'}",
                    remedy="name it: -s NAME" if there else "`mingjian add scheme` its name or folder",
                )
            name = there[0]
        state = self.ledger.state(size)
        size_seen, version = self._latest.get(name, (-1, -1))
        if size_seen != state.size:  # every page and every decision asks; the ledger is read once a size
            version = latest(state, name)
            self._latest[name] = (state.size, version)
        if (name, version) not in self._schemes:
            self._schemes[name, version] = recorded(state, version)
        return self._schemes[name, version]

    # -- evidence -------------------------------------------------------------------------------------------------------
    def evidence_type(self, scheme: Scheme, kind: str) -> EvidenceType:
        """The evidence type of that name. Raises Misuse where the scheme has none."""
        types = evidence_types(scheme)
        if kind not in types:
            raise Misuse(f"scheme {scheme.id} declares no evidence {kind}", remedy=f"it declares {', '.join(types)}")
        return types[kind]

    def add_file(self, scheme: Scheme, kind: str, path: Path, by: str, *, synthetic: bool = False) -> Taken:
        """Take in a file of rows. Raises as `read_file` and `add` do."""
        intake = read_file(path, self.evidence_type(scheme, kind), zone=scheme.zone)
        return self.add(scheme, kind, intake, by, synthetic=synthetic)

    def add(self, scheme: Scheme, kind: str, intake: Intake, by: str, *, synthetic: bool = False) -> Taken:
        """Take in rows that were read, held against those already there, also those that came in meanwhile.

        Those of a file that was taken in before change nothing. Raises MingjianError with every finding where nothing lands.
        """
        evidence = self.evidence_type(scheme, kind)
        if (known := self._known(scheme, kind, intake.sha256)) is not None:
            return Taken(None, 0, 0, (), known)
        size = self.ledger.size
        judged = intake.judged(self.check(scheme, kind, intake, size))
        table = judged.accepted(evidence)
        if not table.num_rows:
            return Taken(None, 0, judged.refused, judged.findings)
        source = {k: v for k, v in (("file", intake.file), ("sha256", intake.sha256)) if v}
        batch = self.batch(scheme, kind, table, by, source | ({"synthetic": "true"} if synthetic else {}))

        def still_fits(head: LedgerState) -> None:
            if head.size != size:
                again = replace(judged, findings=())
                strict = replace(evidence, bad_rows="refuse")
                again.judged(self.check(scheme, kind, again, head.size)).accepted(strict)

        entry = self.ledger.append(batch, check=still_fits)
        return Taken(entry, table.num_rows, judged.refused, judged.findings)

    def _known(self, scheme: Scheme, kind: str, sha256: str) -> Entry | None:
        found = self.ledger.state().find(sha256, kind) if sha256 else None
        return found if found is not None and found.scheme == scheme.id else None

    def batch(self, scheme: Scheme, kind: str, table: pa.Table, by: str, source: Mapping[str, str]) -> Batch:
        """Rows of a type as a batch for the ledger: ballots in an order that says nothing of the file's, fields sealed that are
        declared so, each row under the key of whom it describes.
        """
        recorded_rows = shuffled(table) if self.evidence_type(scheme, kind).ballots else table
        batch = Batch(kind, scheme.id, by, recorded_rows, source)
        return protected(batch, scheme, hierarchy=lambda: self.hierarchy(scheme), key=lambda: self.office_key.public)

    def check(self, scheme: Scheme, kind: str, intake: Intake, size: int) -> tuple[Finding, ...]:
        """Findings about rows that name a row or a subject that is not there as of a ledger size."""
        types = evidence_types(scheme)
        with self.view(scheme, size) as view:
            if kind == "subject":
                return _subject_findings(scheme, [*view.arrow("subject").to_pylist(), *intake.table.to_pylist()])
            hierarchy = self._hierarchy_in(scheme, view, self.reach(scheme, size))
            return check_rows(intake, types[kind], types, view, hierarchy, zone=scheme.zone)

    def template(self, scheme: Scheme, kind: str, path: Path, *, filled: bool = False) -> int:
        """Write the workbook to fill for an evidence type, ``filled`` with the rows there are; how many these are.

        Raises Misuse for a path that is no .xlsx file in a folder.
        """
        if path.suffix.lower() != ".xlsx" or not path.parent.is_dir():
            raise Misuse(f"no sheet can be written to {path}", remedy="name an .xlsx file in a folder that is there")
        evidence = self.evidence_type(scheme, kind)
        with self.view(scheme) as view:
            rows = view.arrow(kind).select([*evidence.fields]) if filled else None
            write_template(evidence, path, rows=rows, members=self._members(scheme, evidence, view))
        return rows.num_rows if rows is not None else 0

    def _members(self, scheme: Scheme, evidence: EvidenceType, view: View) -> Mapping[str, Sequence[str]]:
        """The keys that a sheet's lists offer, by field."""
        offered: dict[str, Sequence[str]] = {}
        today = self.clock().date()
        hierarchy = self._hierarchy_in(scheme, view, self.reach(scheme, view.size))
        for field in evidence.fields.values():
            if field.type == "subject":
                alive = (s.id for t in field.of for s in hierarchy.alive(t, today, today + timedelta(days=1)))
                offered[field.name] = tuple(alive)
            elif field.type == "ref" and scheme.evidence[field.to].dimension:
                (key,) = scheme.evidence[field.to].thread
                offered[field.name] = sorted({str(code) for code in view.arrow(field.to)[key].to_pylist()})
        return offered

    @contextmanager
    def view(self, scheme: Scheme, size: int | None = None, *, whole: bool = False) -> Iterator[View]:
        """The rows of a scheme as of a ledger size; for a ``whole`` run, over everybody, on the engine of the settings."""
        self.projection.catch_up(scheme.id, evidence_types(scheme), zone=scheme.zone, size=size)
        with self.projection.view(scheme.id, size) as view:
            yield view.on(self._engine) if whole and self.settings.engine else view

    def hierarchy(self, scheme: Scheme, size: int | None = None) -> Hierarchy:
        """The subjects of a scheme as known at a ledger size."""
        reach = self.reach(scheme, size)
        known = self._hierarchies.get((scheme.id, reach.subjects))
        if known is None:
            with self.view(scheme, size) as view:
                known = self._hierarchy_in(scheme, view, reach)
        return known

    def _hierarchy_in(self, scheme: Scheme, view: View, reach: Reach) -> Hierarchy:
        """The same, read through a view that is open already."""
        known = self._hierarchies.get((scheme.id, reach.subjects))
        if known is None:
            known = Hierarchy.of_rows(view.arrow("subject").to_pylist(), scheme.subjects)
            self._hierarchies[scheme.id, reach.subjects] = known
        return known

    def forget(self) -> None:
        """Let go of all that was read from the ledger, in memory and on disk: rows that were erased may be in it."""
        self._hierarchies, self._results = {}, {}
        self.projection.forget()
        self.anew.forget()

    def reach(self, scheme: Scheme, size: int | None = None) -> Reach:
        """What of the ledger the scheme's results at a size stand on."""
        erasures = self.ledger.erasures()
        if erasures != self._erasures:  # also another process's; an erasure takes rows from every size
            self._hierarchies, self._results, self._erasures = {}, {}, erasures
        at = self.ledger.size if size is None else size
        start, found = self._reached.get(scheme.id, (0, Reach(0, 0, False)))
        if start == at and start:
            return found
        if start > at:
            start, found = 0, Reach(0, 0, False)
        counted = {*evidence_types(scheme), ERASURE}
        read = measured(scheme)
        for entry in self.ledger.entries(start, at, scheme=scheme.id):
            if entry.kind in counted:
                found = found.grown(entry, read)
        self._reached[scheme.id] = (at, found)
        return found

    def synthetic(self, scheme: Scheme, size: int | None = None) -> bool:
        """Whether any evidence of the scheme is synthetic: all that is drawn from it is marked so."""
        return self.reach(scheme, size).synthetic

    def subjects(
        self, scheme: Scheme, statement: str, period: Period, chosen: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """The ids of those a statement type is issued to in a period, or of the ``chosen`` ones. Misuse for an unknown type."""
        if statement not in scheme.statements:
            raise Misuse(
                f"scheme {scheme.id} declares no statement {statement}",
                remedy=f"it declares {', '.join(scheme.statements)}",
            )
        alive = self.hierarchy(scheme).alive(scheme.statements[statement].of, period.first, period.end)
        return tuple(subject.id for subject in alive if chosen is None or subject.id in chosen)

    def revoke(self, statement: str, reason: str, by: str) -> Entry:
        """Revoke a statement for good. Raises Misuse for one never issued here or revoked before."""
        return revoke(self.ledger, statement, reason=reason, by=by)

    # -- measures -------------------------------------------------------------------------------------------------------
    def measure(
        self,
        scheme: Scheme,
        period: Period,
        *,
        size: int | None = None,
        only: Collection[str] | None = None,
        subjects: Collection[str] | None = None,
    ) -> Results:
        """The values of a period as of a ledger size, through the release gate.

        Evidence, fingerprint and period fix them, so the latest whole runs are kept.
        """
        reach = self.reach(scheme, size)
        whole = (scheme.fingerprint, reach.evidence, str(period))
        if only is None and subjects is None and whole in self._results:
            return self._results[whole]
        with self.view(scheme, size, whole=subjects is None) as view:
            hierarchy = self._hierarchy_in(scheme, view, reach)
            found = evaluate(scheme, view, hierarchy, period, only=only, subjects=subjects)
        released = release(found, scheme.minimum_group)
        if only is None and subjects is None:
            self._results = {**dict(list(self._results.items())[1 - RUNS_KEPT :]), whole: released}
        return released

    def explain(
        self, scheme: Scheme, measure: str, subject: str, period: Period, member: str = "", *, size: int | None = None
    ) -> Explained:
        """Why a number is what it is, through the release gate, and where in the ledger its rows stand."""
        (found,) = self.explain_each(scheme, measure, [subject], period, member, size=size)
        return found

    def explain_each(
        self,
        scheme: Scheme,
        measure: str,
        subjects: Collection[str],
        period: Period,
        member: str = "",
        *,
        size: int | None = None,
    ) -> Iterator[Explained]:
        """`explain` for each of these subjects, in their order, from one reading of the rows."""
        with self.view(scheme, size) as view:
            hierarchy = self._hierarchy_in(scheme, view, self.reach(scheme, view.size))
            yield from explained(scheme, view, hierarchy, self.ledger, measure, subjects, period, member)

    def claims(self, file: Path, factors: Path | None = None) -> tuple[Verdict, ...]:
        """What becomes of published figures when they are held against the evidence and against each other.

        A measure is looked for in every scheme that runs here. Raises Fault for a claims file that does not hold together,
        Misuse where there is none.
        """
        if not file.is_file():
            raise Misuse(f"there is no file {file}", remedy="name a .toml file of published figures")
        return check_claims(load_claims(file), self._published, factors)

    def _published(self, measure: str, subject: str, period: str) -> Measured | None:
        for name in self.schemes():
            scheme = self.scheme(name)
            if measure in scheme.measures or measure in scheme.indices:
                value = self.measure(scheme, Period.parse(period)).get(measure, subject)
                if value is not None:
                    declared = scheme.measures.get(measure) or scheme.indices[measure]
                    found = self.hierarchy(scheme).subject(subject)
                    about = Title(subject, subject) if found is None else found.title
                    return Measured(value, self.synthetic(scheme), declared.title, about)
        return None


def _subject_findings(scheme: Scheme, rows: Iterable[Mapping[str, object]]) -> tuple[Finding, ...]:
    """What does not hold of the hierarchy once new rows are in it; the last row of a subject and day counts."""
    current = {(row["id"], row["from"]): row for row in rows}
    try:
        Hierarchy.of_rows(current.values(), scheme.subjects)
    except Fault as fault:
        return fault.findings
    return ()
