"""Whose rows are whose, and how they are erased: on a person's demand, or once the term they are kept for is over.

The names of owners are ``person/<scheme>/<subject>`` for what describes a person, with ``/<type>/<year>`` behind it for rows
that are kept for a term, and ``term/<scheme>/<type>/<year>`` for such rows about no person. Subjects are quoted in them.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute

from mingjian.attest.statements import read_package
from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.keys import PublicSealingKey, is_sealed_text
from mingjian.base.values import Period
from mingjian.declare import EvidenceType, Hierarchy, Scheme, evidence_types
from mingjian.record.access import Accounts
from mingjian.record.evidence import dates
from mingjian.record.ledger import Batch, Entry, Erased, LedgerState
from mingjian.workspace._attachments import ATTACHMENTS, Attachments
from mingjian.workspace._reach import ERASURE

if TYPE_CHECKING:
    from mingjian.workspace._workspace import Workspace

pc: Final[Any] = pyarrow.compute  # its stubs refuse texts among arrays

SUBJECT: Final = "subject"
ATTACHMENT: Final = "attachment"
_TERM: Final = "term"
_ERASING: Final = "erasing.lock"


# -- on the way in ------------------------------------------------------------------------------------------------------
def owners(
    scheme: Scheme, evidence: EvidenceType, table: pa.Table, hierarchy: Callable[[], Hierarchy]
) -> list[str] | None:
    """The owner of each row, "" for rows of nobody that are kept for good; None where all are such.

    A row belongs to the person that it describes: of the subject rows, to that subject; of others, to the first of its
    subject fields that names a person. ``hierarchy`` is asked for where a field may.
    """
    names = _persons(scheme, evidence, table, hierarchy)
    if evidence.retain is not None:
        years = pc.cast(pc.year(dates(table[evidence.date], evidence, scheme.zone, table.num_rows)), pa.string())
        terms = pc.binary_join_element_wise(evidence.id, years, "/")
        whose = pc.fill_null(names, f"{_TERM}/{quote(scheme.id, safe='')}")
        names = pc.coalesce(pc.binary_join_element_wise(whose, terms, "/"), names)  # a row may have no date
    found: list[str] = pc.fill_null(names, "").to_pylist()
    return found if any(found) else None


def _persons(scheme: Scheme, evidence: EvidenceType, table: pa.Table, hierarchy: Callable[[], Hierarchy]) -> Any:
    """The owner of each row that describes a person, null for the others."""
    persons = {kind.id for kind in scheme.subjects.values() if kind.person}
    found: Any = pa.nulls(table.num_rows, pa.string())
    if evidence.id == SUBJECT:
        person = pc.is_in(table["type"], pa.array(sorted(persons), pa.string()))
        return pc.if_else(person, _named(scheme, table["id"], lambda _: True), found)
    for field in evidence.fields.values():
        if field.type == "subject" and persons & set(field.of):
            subjects = hierarchy()

            def is_person(name: str, subjects: Hierarchy = subjects) -> bool:
                subject = subjects.subject(name)
                return subject is not None and subject.type in persons

            found = pc.coalesce(found, _named(scheme, table[field.name], is_person))
    return found


def _named(scheme: Scheme, column: Any, wanted: Callable[[str], bool]) -> Any:
    """The owner for each subject that is ``wanted``, null for the others."""
    ids = pc.unique(column).drop_null()
    names = [person_owner(scheme, name) if wanted(name) else None for name in ids.to_pylist()]
    return pc.take(pa.array(names, pa.string()), pc.index_in(column, ids))


def person_owner(scheme: Scheme, subject: str) -> str:
    """The owner above all that describes a person."""
    return f"person/{quote(scheme.id, safe='')}/{quote(subject, safe='')}"


def sealed(scheme: Scheme, evidence: EvidenceType, table: pa.Table, key: Callable[[], PublicSealingKey]) -> pa.Table:
    """The same rows with their sealed fields readable to the office's key alone; the place each belongs to is bound to it.

    ``key`` is asked for where a field is sealed. What is empty stays so, and so does what is sealed already: rows that come
    back from a filled sheet.
    """
    for field in evidence.fields.values():
        if field.label == "sealed":
            public, context = key(), sealing_context(scheme, evidence, field.name)
            given = table[field.name].to_pylist()
            texts = [text and (text if is_sealed_text(text) else public.seal(text, context)) for text in given]
            at = table.column_names.index(field.name)
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    return table


def sealing_context(scheme: Scheme, evidence: EvidenceType, field: str) -> str:
    """The context under which the texts of a sealed field are sealed and opened."""
    return f"{scheme.id}/{evidence.id}/{field}"


def protected(
    batch: Batch, scheme: Scheme, *, hierarchy: Callable[[], Hierarchy], key: Callable[[], PublicSealingKey]
) -> Batch:
    """A batch as it may be recorded: sealed where a field is, and each row under the key of its owner."""
    evidence = evidence_types(scheme)[batch.kind]
    table = sealed(scheme, evidence, batch.table, key)
    return replace(batch, table=table, owners=owners(scheme, evidence, table, hierarchy))


# -- and out ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Purged:
    """What an erasure came to: in the ledger (`Erased`), and which files outside it were deleted."""

    erased: Erased
    files: tuple[Path, ...]


def erase_person(
    workspace: Workspace,
    scheme: Scheme,
    subject: str,
    *,
    by: str,
    reason: str,
    folders: Iterable[Path] = (),
    accounts: Accounts | None = None,
) -> Purged:
    """Destroy all that describes a person: rows, projections, caches, attachments, their account, and in ``folders`` the
    statements about them and every package that carries their rows, with the papers beside these.

    The ledger says for good that it was done, of which subject id, by whom and for what ``reason``. Doing it again wipes
    what was left by one that was broken off. Rows of others stay, also where someone named this person in a text.

    Raises Misuse for who is no person or was never there, for a person above other subjects, and for a reason that holds
    the name.
    """
    above = _above(workspace, scheme, subject, reason)
    source = {"subject": subject, "reason": reason, "above": json.dumps(above, ensure_ascii=False)}
    with erasing(workspace.folder):
        erased = _erase(workspace, scheme, [person_owner(scheme, subject)], by, source)
        files = [file for folder in folders for file in _about(folder, subject)]
        for file in files:
            file.unlink()
        for account in accounts.accounts() if accounts is not None else ():
            if accounts is not None and account.subject == subject:
                accounts.erase(account.id)
    return Purged(erased, tuple(files))


@contextmanager
def erasing(folder: Path) -> Iterator[None]:
    """While somebody erases in a workspace; one at a time. Who holds it without erasing sees each erasure whole or not at all."""
    with (folder / _ERASING).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _above(workspace: Workspace, scheme: Scheme, subject: str, reason: str) -> list[str]:
    """Whom a person ever stood under. Raises Misuse where an erasure may not be: see `erase_person`."""
    hierarchy = workspace.hierarchy(scheme)
    known = hierarchy.subject(subject)
    if known is None:
        if subject not in {gone.subject for gone in erasures(workspace.ledger.state(), scheme)}:
            raise Misuse(f"no subject {subject}", remedy="give the id of a person")
        return []
    if not scheme.subjects[known.type].person:
        raise Misuse(f"{subject} is a {known.type}, and no person", remedy="only what describes persons is erased")
    if known.title.zh in reason or known.title.en in reason:
        raise Misuse("the reason names the person", why="the ledger keeps it for good", remedy="give it without")
    if below := sorted(hierarchy.below([subject])):
        raise Misuse(f"{below[0]} stands under {subject}", remedy="erase or move what stands below first")
    return sorted(
        {up for kind in scheme.subjects for down, up, *_ in hierarchy.ancestry(kind) if down == subject != up}
    )


def expire(workspace: Workspace, scheme: Scheme, today: date, *, by: str) -> Purged | None:
    """Destroy the rows whose declared term is over: those of a type with ``retain`` go that many years after the end of the
    year of their date. None where there are no such rows.

    Statements that were issued from them stay: a term is for evidence.
    """
    over = _over(workspace, scheme, today)
    if not over:
        return None
    terms = sorted({"/".join(map(str, term)) for owner in over if (term := _term(scheme, owner))})
    source = {"reason": "term", "terms": json.dumps(terms, ensure_ascii=False)}
    with erasing(workspace.folder):
        return Purged(_erase(workspace, scheme, over, by, source), ())


def overdue(workspace: Workspace, scheme: Scheme, today: date) -> tuple[tuple[str, int], ...]:
    """The rows whose declared term is over and that are still there: evidence type and year of their date."""
    return tuple(sorted({term for owner in _over(workspace, scheme, today) if (term := _term(scheme, owner))}))


def _over(workspace: Workspace, scheme: Scheme, today: date) -> list[str]:
    return [
        owner
        for owner in workspace.ledger.owners()
        if (term := _term(scheme, owner)) and today.year > term[1] + (scheme.evidence[term[0]].retain or 0)
    ]


def _term(scheme: Scheme, owner: str) -> tuple[str, int] | None:
    """Evidence type and year of an owner whose rows this scheme keeps for a term."""
    parts = owner.split("/")
    mine = len(parts) > 3 and parts[1] == quote(scheme.id, safe="")
    kind = scheme.evidence.get(parts[-2]) if mine else None
    return (kind.id, int(parts[-1])) if kind is not None and kind.retain is not None else None


def _erase(workspace: Workspace, scheme: Scheme, names: Sequence[str], by: str, source: Mapping[str, str]) -> Erased:
    before = _attached(workspace, scheme)
    erased = workspace.ledger.erase(names, by=by, scheme=scheme.id, source=source)
    workspace.forget()
    for digest in before - _attached(workspace, scheme):
        Attachments(workspace.folder / ATTACHMENTS).drop(digest)
    return erased


def _attached(workspace: Workspace, scheme: Scheme) -> frozenset[str]:
    """The digests of all attachments that a row names, superseded or not."""
    state = workspace.ledger.state()
    if ATTACHMENT not in scheme.evidence or "sha256" not in scheme.evidence[ATTACHMENT].fields:
        return frozenset()
    entries = state.entries(kind=ATTACHMENT, scheme=scheme.id)
    return frozenset(digest for e in entries for digest in state.table(e.index)["sha256"].to_pylist() if digest)


def _about(folder: Path, subject: str) -> Iterator[Path]:
    """The packages that are about a subject or carry rows that state it, and the papers beside them."""
    for file in sorted(folder.rglob("*.json")):
        try:
            package = read_package(file.read_bytes())
            statement = package.statement
        except MingjianError:
            continue  # another kind of file: a status list, whom to trust
        stating = {proven.entry.index for proven in package.entries if proven.entry.kind == SUBJECT}
        stated = {row.values.get("id") for row in package.rows if row.entry in stating}
        if subject in {statement.subject, *stated}:
            yield from sorted(file.parent.glob(f"{file.stem}.*"))


# -- and afterwards -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Gone:
    """One erasure as the ledger tells of it: of a ``subject``, who stood under those ``above``, or of ``terms`` that were over.

    ``kinds`` are the evidence types that lost rows.
    """

    entry: Entry
    subject: str
    above: frozenset[str]
    terms: Mapping[str, int]
    kinds: frozenset[str]


def erasures(state: LedgerState, scheme: Scheme) -> tuple[Gone, ...]:
    """Every erasure of a scheme's rows, in the order of the ledger."""
    return tuple(_gone(state, entry) for entry in state.entries(kind=ERASURE, scheme=scheme.id))


def _gone(state: LedgerState, entry: Entry) -> Gone:
    kinds = frozenset(state.entry(row["entry"]).kind for row in state.table(entry.index).to_pylist())
    terms: dict[str, int] = {}
    for kind, _, year in (term.rpartition("/") for term in json.loads(entry.source.get("terms", "[]"))):
        terms[kind] = max(int(year), terms.get(kind, 0))
    above = frozenset(json.loads(entry.source.get("above", "[]")))
    return Gone(entry, entry.source.get("subject", ""), above, terms, kinds)


def lacking(state: LedgerState, scheme: Scheme, hierarchy: Hierarchy, period: Period) -> Mapping[str, frozenset[str]]:
    """By evidence type, the subjects whose numbers of a period may lack rows, since these were erased.

    Of an erased person, those above and who has the id now; of a term that was over, everybody in the periods up to its year.
    """
    found: dict[str, frozenset[str]] = {}
    for gone in erasures(state, scheme):
        for kind in gone.kinds:
            whom = gone.above | ({gone.subject} - {""})
            if period.first.year <= gone.terms.get(kind, 0):
                whom |= {s.id for of in scheme.subjects for s in hierarchy.alive(of, period.first, period.end)}
            found[kind] = found.get(kind, frozenset()) | whom
    return found
