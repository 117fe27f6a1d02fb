"""From a statement to paper: what its template is given, and the documents drawn from it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from mingjian.attest.issue import Run, file_name
from mingjian.attest.statements import Package, Statement
from mingjian.base.errors import Misuse
from mingjian.base.files import write_whole
from mingjian.base.typeset import Typesetter, qr_svg
from mingjian.base.values import Period
from mingjian.declare import Scheme, Title
from mingjian.record.evidence import View
from mingjian.workspace._erasing import lacking
from mingjian.workspace._paper_facts import Facts, row_texts, titles
from mingjian.workspace._workspace import Workspace

_AHEAD: Final = 4  # papers a core that are given out before the first of them is awaited


class Papers:
    """Draws the statements of one run. ``folder`` is the scheme's, where the templates lie.

    A template reckons nothing: it is given every number as the text it is printed as. ``office`` is what stands as the
    issuer on top of the paper; without it the ledger's origin does. The run's view is read when this is made, and may be
    closed after. Many threads may draw at once.
    """

    def __init__(
        self,
        run: Run,
        folder: Path,
        *,
        office: Title | None = None,
        typesetter: Typesetter | None = None,
        answers: View | None = None,
    ) -> None:
        self.folder, self.office = folder, office
        self.scheme: Scheme = run.scheme
        self.facts = Facts(run, answers or run.view)
        self._given = typesetter

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        scheme: Scheme,
        period: Period,
        *,
        size: int | None = None,
        office: Title | None = None,
        typesetter: Typesetter | None = None,
    ) -> Papers:
        """To draw what was issued before. ``size`` is the ledger size that its numbers stand on; replies are today's."""
        with workspace.view(scheme) as today, workspace.view(scheme, size) as view:
            run = run_in(workspace, scheme, view, period)
            folder = workspace.papers(scheme)
            return cls(run, folder, office=office, typesetter=typesetter, answers=today)

    @cached_property
    def typesetter(self) -> Typesetter:
        """The one given, or one of its own, made when first wanted."""
        return self._given or Typesetter()

    def pdf(self, statement: Statement, package: Package, language: str) -> bytes:
        """The statement as a PDF in "zh" or "en", with the rows that its package shows.

        Raises Misuse for a statement type without a template, and Fault for a name that no font can write.
        """
        declared = self.scheme.statements[statement.type]
        if not declared.template:
            raise Misuse(f"{declared.id} has no template", remedy="name one in its declaration")
        data = self.data(statement, package, language)
        return self.typesetter.pdf(self.folder / declared.template, data, at=statement.valid_from)

    def write_all(
        self,
        items: Iterable[tuple[Statement, Package]],
        folder: Path,
        language: str,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[Path]:
        """Write each statement as a PDF named like its package, on all cores; ``progress`` is told how many there are.

        ``items`` are taken as they are wanted: few are held at a time. Raises as `pdf` does; what was written stays.
        """
        cores = len(os.sched_getaffinity(0))
        written: list[Path] = []
        waiting: deque[Future[Path]] = deque()
        self.typesetter  # noqa: B018  made here, so that no two threads make it

        def await_one() -> None:
            written.append(waiting.popleft().result())
            progress(len(written))

        with ThreadPoolExecutor(cores) as pool:
            for statement, package in items:
                waiting.append(pool.submit(self._write, statement, package, folder, language))
                if len(waiting) > _AHEAD * cores:
                    await_one()
            while waiting:
                await_one()
        return written

    def _write(self, statement: Statement, package: Package, folder: Path, language: str) -> Path:
        file = (folder / file_name(statement)).with_suffix(".pdf")
        write_whole(file, self.pdf(statement, package, language))
        return file

    def data(self, statement: Statement, package: Package, language: str) -> dict[str, Any]:
        """What the template is given; the head of each template says what it uses of it."""
        basis = statement.basis
        facts = self.facts
        subject = facts.subject(statement.subject)
        above = facts.above(subject)
        values = facts.values(subject.id, self.scheme.statements[statement.type].show)
        data: dict[str, Any] = {
            "language": language,
            "synthetic": statement.synthetic,
            "statement": {
                "id": statement.id,
                "title": titles(statement.title),
                "issuer": titles(self.office or facts.head(basis.origin)),
                "issued": statement.valid_from.astimezone(ZoneInfo(self.scheme.zone)).date().isoformat(),
            },
            "period": statement.period,
            "subject": {
                "id": subject.id,
                "title": titles(subject.title),
                "parent": titles(above.title) if above is not None else {"en": "", "zh": ""},
            },
            "values": values,
            "members": {**facts.members, **facts.named(values)},
            "parameters": facts.parameters,
            "rows": self._rows(package),
            "peers": facts.peers(subject, values),
            "replies": facts.replies(subject.id),
            "qr_svg": qr_svg(f"https://{basis.origin}/verify/{statement.id.removeprefix('urn:uuid:')}"),
            "verify": {
                "command": f"mingjian verify {file_name(statement)}",
                "origin": basis.origin,
                "size": str(basis.size),
                "root": basis.root.hex(),
                "fingerprint": basis.fingerprint,
            },
        }
        beside = facts.values(above.id, [*self.scheme.measures, *self.scheme.indices]) if above is not None else {}
        return data | ({"beside": {"title": titles(above.title), "values": beside}} if above and beside else {})

    def _rows(self, package: Package) -> Mapping[str, list[dict[str, Any]]]:
        """The rows that the package shows, by evidence type."""
        kinds = {proven.entry.index: proven.entry.kind for proven in package.entries}
        rows: dict[str, list[dict[str, Any]]] = {}
        for proof in package.rows:
            evidence = self.scheme.evidence.get(kinds[proof.entry])
            if evidence is not None:
                rows.setdefault(evidence.id, []).append(row_texts(evidence, proof.values))
        return rows


def run_in(workspace: Workspace, scheme: Scheme, view: View, period: Period) -> Run:
    """The run of a period over the rows of a view."""
    hierarchy = workspace.hierarchy(scheme, view.size)
    results = workspace.measure(scheme, period, size=view.size)
    gone = lacking(workspace.ledger.state(), scheme, hierarchy, period)
    return Run(scheme, view, hierarchy, results, workspace.synthetic(scheme, view.size), gone)
