"""What is committed of a run beside its values, and what of it belongs to the package of each statement and level."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from mingjian.attest.issue._disclosure import (
    Disclosed,
    Disclosure,
    Run,
    disclose,
    is_open,
    shows_figures,
    shows_peers,
    told,
)
from mingjian.attest.issue._figures import before, figures, statistics
from mingjian.attest.statements import (
    LEVELS,
    SALT_SIZE,
    Contents,
    Figure,
    Level,
    Stated,
    Why,
    closure,
    kinds_under,
    peers_under,
)
from mingjian.base.values import canonical
from mingjian.declare import StatementType

Whom = tuple[str, str]  # statement type, subject


class Kept(Mapping[Level, Contents]):
    """The contents of one statement's packages by level, as their canonical bytes: a twentieth of what they are in sets."""

    def __init__(self, contents: Mapping[Level, Contents]) -> None:
        self._bytes = {level: canonical(found.to_json()) for level, found in contents.items()}

    def __getitem__(self, level: Level) -> Contents:
        return Contents.from_json(orjson.loads(self._bytes[level]), level)

    def __iter__(self) -> Iterator[Level]:
        return iter(self._bytes)

    def __len__(self) -> int:
        return len(self._bytes)


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of the snapshot, in their order, and the contents of every package that draws on it."""

    committed: tuple[Stated | Figure, ...]
    contents: Mapping[Whom, Mapping[Level, Contents]]


def plan(run: Run, statements: Sequence[tuple[StatementType, Collection[str]]], stated: Sequence[Stated]) -> Plan:
    """What a run commits and shows, for statements of these types about these subjects."""
    disclosed = {declared.id: of for (declared, _), of in zip(statements, disclose(run, statements), strict=True)}
    subjects = {subject for _, about in statements for subject in about}
    names = {name for declared, _ in statements for name in closure(run.scheme, declared.show)}
    earlier = [Stated.of(value) for value in before(run, names, subjects)]
    reduced = {m for declared, _ in statements for m in _hidden(run, declared, disclosed[declared.id])}
    under = [*figures(run, reduced, subjects), *statistics(run, names)]
    committed: tuple[Stated | Figure, ...] = (*stated, *earlier, *under)
    by_subject: dict[str, list[int]] = {}
    for row, said in enumerate(committed):
        by_subject.setdefault(said.subject, []).append(row)
    contents: dict[Whom, Mapping[Level, Contents]] = {}
    for declared, about in statements:
        tellings = {level: _telling(run, declared, level) for level in LEVELS}
        for subject in about:
            rows = [*by_subject.get(subject, ()), *by_subject.get("", ())]
            shown = {level: disclosed[declared.id][level][subject] for level in LEVELS}
            contents[declared.id, subject] = Kept(
                {level: _contents(shown[level], tellings[level], committed, rows) for level in LEVELS}
            )
    return Plan(committed, contents)


def _hidden(run: Run, declared: StatementType, disclosed: Disclosed) -> set[str]:
    """The measures under whose numbers some package needs figures: what those described take as given, and all under
    what the public sees.
    """
    if is_open(run, declared):
        names = set(closure(run.scheme, declared.show))
    else:
        names = {measure for disclosure in disclosed["described"].values() for measure in _with_figures(disclosure)}
    return {name for name in names if kinds_under(run.scheme, name)}


def _with_figures(disclosure: Disclosure) -> set[str]:
    """The measures taken as given for which figures may stand in: not for those that lack rows that were erased."""
    return {measure for measure, why in disclosure.given.items() if why != "erased"}


@dataclass(frozen=True, slots=True)
class _Telling:
    """What packages of a statement type and level tell of the snapshot: the numbers of the measures ``names``, of ``figured``
    the figures under those taken as given (unless rows under them were erased), of ``peers`` the statistics.
    """

    names: frozenset[str]
    figured: frozenset[str]
    peers: frozenset[str]

    def tells(self, said: Stated | Figure, given: Mapping[str, Why]) -> bool:
        if isinstance(said, Stated):
            return said.measure in self.names
        if not said.subject:
            return said.measure in self.peers
        return said.measure in self.figured and given.get(said.measure, "erased") != "erased"


def _telling(run: Run, declared: StatementType, level: Level) -> _Telling:
    names = frozenset(told(run, declared, level))
    placed = (measure for name in names for measure in peers_under(run.scheme, name))
    return _Telling(
        names=names,
        figured=frozenset(name for name in names if shows_figures(run, declared, level, name)),
        peers=frozenset(placed if shows_peers(run, declared, level) else ()),
    )


def _contents(
    disclosure: Disclosure, telling: _Telling, committed: Sequence[Stated | Figure], rows: Sequence[int]
) -> Contents:
    """The contents of one package; ``rows`` are those of the snapshot about its subject, and about peers."""
    return Contents(
        salt=secrets.token_bytes(SALT_SIZE),
        rows=frozenset((entry, row) for entry, row in disclosure.places.tolist()),
        attested=frozenset(row for row in rows if telling.tells(committed[row], disclosure.given)),
        given=disclosure.given,
    )
