"""Verification of packages by whoever holds them: offline, from their bytes alone, running nobody's code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mingjian.attest.statements import (
    Figure,
    Malformed,
    Package,
    Shared,
    Stated,
    Statement,
    because,
    malformed,
    read_package,
)
from mingjian.attest.verify._credential import StatusLists, Trust
from mingjian.attest.verify._evidence import Claimed, Namespaces, Snapshot
from mingjian.attest.verify._inclusion import check_contents, check_inclusion
from mingjian.attest.verify._issuer import Histories
from mingjian.attest.verify._numbers import cannot_all, judge
from mingjian.attest.verify._report import Checked, Report
from mingjian.attest.verify._rules import Schemes
from mingjian.attest.verify._witnesses import check_witnesses
from mingjian.base.errors import Misuse
from mingjian.declare import Scheme

NOBODY = Trust()


def verify(
    packages: Iterable[tuple[str, bytes]],
    *,
    now: datetime,
    trust: Trust = NOBODY,
    status_lists: Sequence[object] = (),
    key_histories: Sequence[object] = (),
) -> Report:
    """Check packages, each a (name, bytes of its file); those of one run are recomputed together.

    ``trust`` says whom the reader knows; a signature of anybody else is "unknown issuer" and the package is not good.
    ``status_lists`` are the signed lists at hand, ``now`` the instant at which the statements should stand.
    ``key_histories`` say which keys followed those that the reader knows, or went before them, and which were revoked.

    Whatever a package holds leads to an answer, never to an exception. Raises Misuse for a ``now`` without a zone,
    Malformed for a status list that is none or not what its issuer signed, and for a key history that does not hold.
    """
    if now.tzinfo is None:
        raise Misuse("the instant of verification has no zone", why=str(now))
    return _Verifier(trust, StatusLists.of(status_lists), Histories(key_histories, trust), now).report(packages)


@dataclass
class _Verifier:
    trust: Trust
    lists: StatusLists
    histories: Histories
    now: datetime

    def __post_init__(self) -> None:
        self._shared = Shared()
        self._schemes = Schemes()
        self._namespaces: dict[str, Namespaces] = {}

    def report(self, packages: Iterable[tuple[str, bytes]]) -> Report:
        checked: list[Checked] = []
        claimed: list[Claimed] = []
        places: list[int] = []
        for name, data in packages:
            answers, claim = self._checked(name, data)
            if claim is not None:
                places.append(len(checked))
                claimed.append(claim)
            checked.append(answers)
        for place, numbers in zip(places, judge(claimed), strict=True):
            checked[place] = replace(checked[place], numbers=numbers)
        return Report(tuple(checked))

    def _checked(self, name: str, data: bytes) -> tuple[Checked, Claimed | None]:
        """All answers but those on numbers, and the claim to be recomputed where the rest allows it."""
        try:
            package = read_package(data, self._shared)
            statement = package.statement
        except Malformed as fault:
            return Checked(name, malformed=fault.reason), None
        rules, scheme = self._schemes.check(package, statement)
        inclusion = check_inclusion(package, statement, self.histories)
        answers = Checked(
            name=name,
            level=package.level,
            statement=statement,
            signature=self.histories.check(package, statement),
            status=self.lists.standing(statement, self.now, self.histories.of(statement.basis.origin)),
            inclusion=inclusion,
            contents=check_contents(package, statement),
            scheme=rules,
            witnesses=check_witnesses(package, statement, self.histories, self.trust.witnesses),
        )
        if inclusion.outcome != "proven" or scheme is None:
            return replace(answers, numbers=cannot_all(statement.values, because("ground-tampered"))), None
        return self._claimed(answers, package, statement, scheme)

    def _claimed(
        self, answers: Checked, package: Package, statement: Statement, scheme: Scheme
    ) -> tuple[Checked, Claimed | None]:
        try:
            snapshot = _snapshot(package, statement)
        except Malformed as fault:
            return replace(answers, malformed=fault.reason, inclusion=None), None
        shown = set(scheme.statements[statement.type].show)
        if stray := sorted({value.measure for value in statement.values} - shown):
            why = because("not-of-statement", statement=statement.type, measure=stray[0])
            return replace(answers, numbers=cannot_all(statement.values, why)), None
        namespaces = self._namespaces.setdefault(statement.basis.scheme_digest, Namespaces(scheme))
        kinds = {proven.entry.index: proven.entry.kind for proven in package.entries}
        whole = answers.contents is not None and answers.contents.outcome == "complete"
        return answers, Claimed(statement, namespaces, package.rows, kinds, snapshot, package.contents.given, whole)


def _snapshot(package: Package, statement: Statement) -> Snapshot:
    """What the package shows of the snapshot: all of it about the statement's own subject, or about peers and nobody."""
    numbers: list[Stated] = []
    figures: list[Figure] = []
    for row in package.attested:
        where = f"$.attested row {row.row}"
        if row.values.get("part") == "":
            numbers.append(Stated.from_json(row.values, str(row.values.get("subject")), where))
            about = numbers[-1].subject
        else:
            figures.append(Figure.from_json(row.values, where))
            about = figures[-1].subject or statement.subject
        if about != statement.subject:
            raise malformed(where, because("somebody-else"))
    return Snapshot.of(numbers, figures)
