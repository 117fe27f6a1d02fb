"""Subjects through time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Fault
from mingjian.declare import Hierarchy, SubjectType, Title

TYPES = {
    "district": SubjectType("district", Title("District", "区")),
    "unit": SubjectType("unit", Title("Unit", "单位"), "district"),
    "leader": SubjectType("leader", Title("Leader", "领导"), "unit", person=True),
}
START = date(2021, 1, 1)


def row(name: str, kind: str, parent: str = "", start: date = START, **more: object) -> dict[str, Any]:
    return {"id": name, "type": kind, "zh": name, "en": name, "parent": parent, "from": start, **more}


BASE = [row("D", "district"), row("A", "unit", "D"), row("B", "unit", "D"), row("L", "leader", "A")]
MOVE = date(2021, 7, 15)


def hierarchy(*more: Mapping[str, Any]) -> Hierarchy:
    return Hierarchy.of_rows([*BASE, *more], TYPES)


def rules(*more: Mapping[str, Any]) -> list[str]:
    with pytest.raises(Fault) as caught:
        hierarchy(*more)
    return [finding.rule for finding in caught.value.findings]


def test_a_leader_who_moves_counts_where_they_stood_on_each_day() -> None:
    known = hierarchy(row("L", "leader", "B", MOVE))

    assert known.ancestor("L", "unit", MOVE - timedelta(days=1)) == "A"
    assert known.ancestor("L", "unit", MOVE) == "B"
    assert [a for a in known.ancestry("unit") if a[0] == "L"] == [("L", "A", START, MOVE), ("L", "B", MOVE, None)]
    assert [a for a in known.ancestry("district") if a[0] == "L"] == [("L", "D", START, None)]


def test_alive_gives_each_subject_once_as_last_known_inside_the_window() -> None:
    known = hierarchy(row("L", "leader", "B", MOVE))

    def of(first: date, end: date) -> list[tuple[str, str]]:
        return [(s.id, s.parent) for s in known.alive("leader", first, end)]

    assert of(date(2021, 7, 1), date(2021, 10, 1)) == [("L", "B")]
    assert of(date(2021, 4, 1), date(2021, 7, 1)) == [("L", "A")]
    assert of(date(2020, 4, 1), START) == []
    assert [s.id for s in known.alive("unit", START, date(2022, 1, 1))] == ["A", "B"]


def test_a_unit_that_merges_keeps_its_past_and_hands_its_leaders_over() -> None:
    known = hierarchy(row("A", "unit", "D", date(2021, 3, 1), until=MOVE, into="B"))

    assert [s.id for s in known.alive("unit", START, MOVE)] == ["A", "B"]
    assert [s.id for s in known.alive("unit", MOVE, date(2022, 1, 1))] == ["B"]
    assert known.at("A", MOVE) is None
    assert known.ancestor("L", "unit", MOVE - timedelta(days=1)) == "A"
    assert known.ancestor("L", "unit", MOVE) == "B"
    assert [a for a in known.ancestry("unit") if a[0] in "AL"] == [
        ("A", "A", START, MOVE),
        ("L", "A", START, MOVE),
        ("L", "B", MOVE, None),
    ]
    last = known.subject("A")
    assert last is not None
    assert (last.until, last.into) == (MOVE, "B")


def test_a_unit_that_ends_without_a_successor_leaves_its_leaders_under_nobody() -> None:
    known = hierarchy(row("A", "unit", "D", date(2021, 3, 1), until=MOVE))

    assert known.ancestor("L", "unit", MOVE) is None
    assert [a for a in known.ancestry("unit") if a[0] == "L"] == [("L", "A", START, MOVE)]


def test_an_id_that_comes_back_is_absent_in_between() -> None:
    back = date(2022, 1, 1)
    known = hierarchy(row("L", "leader", "A", date(2021, 2, 1), until=MOVE), row("L", "leader", "B", back))

    assert known.at("L", MOVE) is None
    assert known.alive("leader", MOVE, back) == ()
    assert [a for a in known.ancestry("unit") if a[0] == "L"] == [("L", "A", START, MOVE), ("L", "B", back, None)]


def test_a_successor_may_end_too_and_a_merged_id_may_come_back() -> None:
    later, back = date(2022, 1, 1), date(2023, 1, 1)
    known = hierarchy(
        row("C", "unit", "D"),
        row("A", "unit", "D", date(2021, 3, 1), until=MOVE, into="B"),
        row("B", "unit", "D", date(2021, 3, 1), until=later, into="C"),
        row("A", "unit", "D", back),
    )

    assert [a for a in known.ancestry("unit") if a[0] == "L"] == [
        ("L", "A", START, MOVE),
        ("L", "B", MOVE, later),
        ("L", "C", later, back),
        ("L", "A", back, None),
    ]


def test_what_is_unknown_has_no_place() -> None:
    known = hierarchy()

    assert known.subject("X") is None
    assert known.at("X", START) is None
    assert known.ancestor("X", "unit", START) is None
    assert known.ancestor("D", "unit", START) is None
    assert len(known) == 4


def test_every_wrong_row_is_named() -> None:
    assert rules(row("X", "unit", "Z")) == ["unknown-parent"]
    assert rules(row("X", "leader", "D")) == ["wrong-parent"]
    assert rules(row("X", "unit")) == ["wrong-parent"]
    assert rules(row("X", "district", "D")) == ["wrong-parent"]
    assert rules(row("X", "unti", "D")) == ["unknown-type"]
    assert rules(row("L", "leader", "B")) == ["same-day"]
    assert rules(row("X", "unit", "D", until=START)) == ["until-before-from"]
    assert rules(row("A", "leader", "B", MOVE)) == ["changed-type", "wrong-parent"]
    assert rules(row("X", "unit", "D", until=MOVE, into="L")) == ["bad-merger"]
    assert rules(row("X", "unit", "D", into="B")) == ["bad-merger"]
    assert rules(row("X", "unit", "X")) == ["wrong-parent", "own-ancestor"]
    assert rules(row("X", "unit", "Y"), row("Y", "unit", "X")).count("own-ancestor") == 2
    assert rules(row("X", "unit", "D", until=MOVE, into="Y"), row("Y", "unit", "D", until=MOVE, into="X")) == [
        "own-ancestor",
        "own-ancestor",
    ]


def test_a_finding_names_the_line_of_its_row() -> None:
    with pytest.raises(Fault) as caught:
        hierarchy(row("X", "unit", "Z", _line=7))

    (finding,) = caught.value.findings
    assert (finding.place.row, finding.place.field, finding.value) == (7, "parent", "X")


days = st.integers(0, 40).map(lambda n: START + timedelta(days=n))


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = [row("D", "district"), row("A", "unit", "D"), row("B", "unit", "D"), row("C", "unit", "D")]
    ends = draw(days.filter(lambda day: day > START + timedelta(days=1)))
    rows.append(row("A", "unit", "D", START + timedelta(days=1), until=ends, into=draw(st.sampled_from("BC"))))
    for name in ("L", "M"):
        for start in draw(st.sets(days, min_size=1, max_size=4)):
            until = start + timedelta(days=draw(st.integers(1, 20))) if draw(st.booleans()) else None
            rows.append(row(name, "leader", draw(st.sampled_from("ABC")), start, until=until))
    return rows


@given(histories(), days, st.randoms())
def test_intervals_and_days_agree_whatever_the_order_of_rows(
    rows: list[dict[str, Any]], day: date, random: Any
) -> None:
    known = Hierarchy.of_rows(rows, TYPES)
    shuffled = random.sample(rows, len(rows))

    assert Hierarchy.of_rows(shuffled, TYPES).ancestry("unit") == known.ancestry("unit")
    for name in ("L", "M", "A"):
        standing = [
            a for s, a, start, end in known.ancestry("unit") if s == name and start <= day and (not end or day < end)
        ]
        assert standing == [a for a in [known.ancestor(name, "unit", day)] if a]
        alive = {s.id for kind in ("unit", "leader") for s in known.alive(kind, day, day + timedelta(days=1))}
        assert (name in alive) == (known.at(name, day) is not None)
