"""Every number made anew from what the packages show, and held against what they say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

import duckdb

from mingjian.attest.statements import Reason, Stated, because, declared
from mingjian.attest.verify._evidence import Claimed, lay
from mingjian.attest.verify._report import Outcome, Verdict
from mingjian.base.errors import MingjianError
from mingjian.base.values import Period, digest, fraction_text, round_float, round_half_away
from mingjian.reckon.measures import Key, Value, evaluate
from mingjian.record.evidence import View

TOLERANCE: Final = 1e-12  # relative; doubles depend on the processor's powers in the last bits

# What a stranger's rows or formulas may bring about, in whatever they pass through; the package then has no verdicts.
_UNFIT: Final = (MingjianError, ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)

Found = Mapping[Key, Value]


def judge(claimed: Sequence[Claimed]) -> list[tuple[Verdict, ...]]:
    """The verdicts on each package's numbers. Packages of one run are recomputed together."""
    verdicts: list[tuple[Verdict, ...]] = [()] * len(claimed)
    for group in _groups(claimed):
        for place, found in _recomputed(claimed, group):
            one = claimed[place]
            if isinstance(found, Reason):
                verdicts[place] = tuple(_cannot(value, found) for value in one.statement.values)
            else:
                verdicts[place] = tuple(_verdict(one, value, found, _prefix(place)) for value in one.statement.values)
    return verdicts


def cannot_all(values: Sequence[Stated], why: Reason) -> tuple[Verdict, ...]:
    """The verdict "cannot", for one reason, on all numbers."""
    return tuple(_cannot(value, why) for value in values)


def _prefix(place: int) -> str:
    return f"{place}/"


def _groups(claimed: Sequence[Claimed]) -> list[list[int]]:
    """The places of the packages that are recomputed together."""
    groups: dict[object, list[int]] = {}
    for place, one in enumerate(claimed):
        basis = one.statement.basis
        alone = None if one.namespaces.separable else place
        try:
            shared = digest(one.shared)
        except MingjianError as fault:  # rows of a kind that there is not: for `lay` to say
            shared, alone = str(fault), place
        groups.setdefault(
            (basis.scheme_digest, one.statement.period, shared, one.snapshot.statistics, alone), []
        ).append(place)
    return list(groups.values())


def _recomputed(claimed: Sequence[Claimed], group: list[int]) -> Iterator[tuple[int, Found | Reason]]:
    """For each package of a group the numbers found, or why there are none.

    Where something in the group cannot be reckoned with, it is halved until that stands alone.
    """
    try:
        found = _evaluated([claimed[place] for place in group], [_prefix(place) for place in group])
    except (*_UNFIT, duckdb.Error) as fault:
        if len(group) == 1:
            why = str(fault) if isinstance(fault, MingjianError) else f"{type(fault).__name__}: {fault}"
            whole = claimed[group[0]].whole
            yield group[0], because("unreckonable", detail=why[:500]) if whole else because("incomplete")
        else:
            middle = len(group) // 2
            yield from _recomputed(claimed, group[:middle])
            yield from _recomputed(claimed, group[middle:])
        return
    yield from ((place, found) for place in group)


def _evaluated(claimed: Sequence[Claimed], prefixes: Sequence[str]) -> Found:
    first = claimed[0]
    wanted = {v.measure for one in claimed for v in one.statement.values if one.follows(v)}
    if not wanted:
        return {}
    ground = lay(claimed, prefixes)
    scheme, period = first.scheme, Period.parse(first.statement.period)
    described = (ground.hierarchy.subject(p + one.statement.subject) for one, p in zip(claimed, prefixes, strict=True))
    types = {subject.type for subject in described if subject is not None}  # of those above them no number is stated
    with View.of(ground.tables, first.namespaces.types, zone=scheme.zone) as view:
        results = evaluate(
            scheme, view, ground.hierarchy, period, only=sorted(wanted), types=types, attested=ground.attested
        )
        return {value.key: value for value in results}


def _verdict(one: Claimed, stated: Stated, found: Found, prefix: str) -> Verdict:
    what = declared(one.scheme, stated.measure)
    attested = one.snapshot.numbers.get(stated.key)
    if attested is None:
        return _cannot(stated, because("value-missing"))
    if attested != stated:
        return _differs(stated, attested.number, attested.printed, because("snapshot-differs"))
    if stated.status == "withheld":
        return _cannot(stated, because("withheld"))
    if stated.unit != what.unit or stated.printed != _printed(stated.number, what.decimals):
        return _differs(stated, stated.number, _printed(stated.number, what.decimals), because("misprinted"))
    if not one.follows(stated):
        given = one.given.get(stated.measure, "level")
        return _cannot(stated, because(f"given-{given}" if one.whole else "incomplete"))
    number = _number(one, stated, found.get(one.namespaces.key(stated, prefix)))
    if stated.number is None and number is not None and not one.shows_all_under(stated.measure):
        return _cannot(stated, because("no-ballots"))
    if not _same(stated.number, number):
        if not one.whole:  # whoever took a row out does not make the issuer a liar
            return _cannot(stated, because("incomplete"))
        why = because("figures-differ" if stated.measure in one.given else "evidence-differs")
        return _differs(stated, number, _printed(number, what.decimals), why)
    return Verdict(
        stated.measure, stated.member, stated.period, _basis(one, stated.measure), _text(stated), _text(stated)
    )


def _number(one: Claimed, stated: Stated, value: Value | None) -> Fraction | float | None:
    """The number found, as it passes the release gate: of no ballots at all there is no value."""
    if value is None or (value.group == 0 and not one.figured(stated.measure)):
        return None
    return value.number


def _basis(one: Claimed, measure: str) -> Outcome:
    attested = one.given.keys() & one.namespaces.under[measure]
    return "recomputed from attested values" if attested else "recomputed from evidence"


def _same(stated: Fraction | float | None, found: Fraction | float | None) -> bool:
    if isinstance(stated, float) and isinstance(found, float):
        return math.isclose(stated, found, rel_tol=TOLERANCE, abs_tol=0.0)
    return type(stated) is type(found) and stated == found


def _printed(number: Fraction | float | None, decimals: int) -> str:
    match number:
        case None:
            return ""
        case Fraction():
            return format(round_half_away(number, decimals), "f")
    return format(round_float(number, decimals), "f")


def _text(stated: Stated) -> str:
    return _said(stated.number, stated.printed)


def _said(number: Fraction | float | None, printed: str) -> str:
    match number:
        case None:
            return "no value"
        case Fraction():
            return printed if fraction_text(number) == printed else f"{printed} ({fraction_text(number)})"
    return f"{printed} ({number!r})"


def _cannot(stated: Stated, why: Reason) -> Verdict:
    said = "withheld" if stated.status == "withheld" else _text(stated)
    return Verdict(stated.measure, stated.member, stated.period, "cannot", said, reason=why)


def _differs(stated: Stated, number: Fraction | float | None, printed: str, why: Reason) -> Verdict:
    return Verdict(
        stated.measure, stated.member, stated.period, "differs", _text(stated), _said(number, printed), reason=why
    )
