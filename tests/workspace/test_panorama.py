"""What a panorama says of the numbers laid out in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import Subject, Title
from mingjian.reckon.measures import Value
from mingjian.workspace import Member, Panorama

Q3 = Period.parse("2021Q3")
MEMBER = Member("1", "Study", "学习", "A", "Organisation", "组织")


def subject(name: str, kind: str = "") -> Subject:
    return Subject(name, "unit", Title(name, name), "", date(2020, 1, 1), None, "", kind)


def value(name: str, number: Fraction | None, member: str = "") -> Value:
    status = "none" if number is None else "value"
    return Value("index", name, "2021Q3", member, cast(Any, status), number, "point", 2)


def laid(scores: dict[str, Fraction | None], kinds: dict[str, str] | None = None) -> Panorama:
    subjects = tuple(subject(name, (kinds or {}).get(name, "")) for name in sorted(scores))
    whole = {name: value(name, number) for name, number in scores.items()}
    cells = {(name, "1"): value(name, number, "1") for name, number in scores.items()}
    bands = (Decimal(60), Decimal(80))
    return Panorama(Q3, cast(Any, None), "index", subjects, (MEMBER,), cells, whole, {}, (), (), bands)


numbers = st.fractions(min_value=-1000, max_value=100_000, max_denominator=100)


@given(st.lists(st.one_of(st.none(), numbers), max_size=40))
def test_everybody_with_a_number_stands_in_exactly_one_bin(given: list[Fraction | None]) -> None:
    scores = {f"U{place:02}": number for place, number in enumerate(given)}
    bins = laid(scores).distribution()
    assert sorted(s.id for one in bins for s in one.subjects) == sorted(n for n, x in scores.items() if x is not None)
    assert len(bins) <= 12
    assert len({one.high - one.low for one in bins}) <= 1
    assert all(low.high == high.low for low, high in pairwise(bins))


def test_a_bin_ends_before_the_next_begins_but_the_last() -> None:
    bins = laid({"U1": Fraction(0), "U2": Fraction(10), "U3": Fraction(100)}).distribution()
    assert [(int(one.low), int(one.high), [s.id for s in one.subjects]) for one in bins if one.subjects] == [
        (0, 10, ["U1"]),
        (10, 20, ["U2"]),
        (90, 100, ["U3"]),
    ]


@pytest.mark.parametrize(("number", "band"), [(None, None), ("59.994", 0), ("59.995", 1), ("80", 2), ("100", 2)])
def test_bands_are_of_the_printed_value(number: str | None, band: int | None) -> None:
    panorama = laid({"U1": None if number is None else Fraction(number)})
    assert panorama.band(panorama.scores["U1"]) == band
    assert panorama.band(None) is None


def test_a_tree_stands_among_its_kind_alone() -> None:
    scores: dict[str, Fraction | None] = {
        "U1": Fraction(50),
        "U2": Fraction(70),
        "U3": Fraction(90),
        "U4": Fraction(10),
    }
    forest = laid(scores, {"U4": "town"}).forest("U2")
    assert [s.id for s in forest.peers] == ["U1", "U2", "U3"]
    index, cell = forest.lines
    assert index.member is None
    assert cell.member == MEMBER
    assert [v.printed for v in (index.lowest, index.middle, index.highest) if v] == ["50.00", "70.00", "90.00"]
    with pytest.raises(Misuse, match="U9 is not in this panorama"):
        laid(scores).forest("U9")


def test_who_has_no_number_has_peers_all_the_same() -> None:
    (line, _) = laid({"U1": None, "U2": Fraction(70)}).forest("U1").lines
    assert (line.own, line.lowest.printed) == (None, "70.00")
    assert laid({"U1": None}).forest("U1").lines == ()
