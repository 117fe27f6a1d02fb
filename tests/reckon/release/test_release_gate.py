"""Nothing counted from fewer ballots than the minimum gets through the gate, nor how many they were."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Finding, Misuse
from mingjian.reckon.measures import Results, Value
from mingjian.reckon.release import release

APPROVAL = Value("approval", "U07", "2021Q3", "integrity", "value", Fraction(245, 3), "percent", 2, group=11)


def gate(value: Value, minimum: int = 10) -> Value:
    (released,) = release(Results("2021Q3", [value]), minimum)
    return released


def test_enough_ballots_pass_unchanged() -> None:
    assert gate(replace(APPROVAL, group=10)) == replace(APPROVAL, group=10)


def test_what_no_ballot_enters_passes_unchanged() -> None:
    assert gate(replace(APPROVAL, group=None)) == replace(APPROVAL, group=None)


def test_few_ballots_are_withheld_in_plain_words() -> None:
    released = gate(replace(APPROVAL, group=3))
    assert (released.status, released.number, released.printed) == ("withheld", None, "")
    assert released.key == APPROVAL.key
    assert released.reason is not None
    assert released.reason.rule == "small-group"
    assert "approval of U07 (integrity) in 2021Q3 is withheld: it was counted from fewer than 10 ballots" in str(
        released.reason
    )


def test_the_same_is_said_of_one_ballot_and_of_nine() -> None:
    assert len({json.dumps(str(gate(replace(APPROVAL, group=group)))) for group in range(1, 10)}) == 1


def test_no_value_of_a_few_ballots_is_withheld_too() -> None:
    blank = replace(APPROVAL, group=3, status="none", number=None, reason=Finding("zero-denominator", "nobody marked"))
    assert gate(blank) == gate(replace(APPROVAL, group=3))


def test_no_ballot_is_no_value() -> None:
    released = gate(replace(APPROVAL, group=0, number=Fraction(0)))
    assert (released.status, released.number) == ("none", None)
    assert released.reason is not None
    assert released.reason.rule == "no-ballots"
    why = Finding("zero-denominator", "nobody marked")
    assert gate(replace(APPROVAL, group=0, status="none", number=None, reason=why)).reason == why


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=20), st.integers(0, 20))
def test_no_small_group_gets_through_and_releasing_twice_changes_nothing(
    groups: list[int | None], minimum: int
) -> None:
    values = [replace(APPROVAL, subject=f"U{place:02}", group=group) for place, group in enumerate(groups)]
    once = release(Results("2021Q3", values), minimum)
    assert once.period == "2021Q3"
    assert list(release(once, minimum)) == list(once)
    for before, after in zip(values, once, strict=True):
        small = before.group is not None and before.group < max(minimum, 1)
        assert (after.number is None) == small
        assert small or after == before


def test_a_negative_minimum_is_refused() -> None:
    with pytest.raises(Misuse, match="minimum group"):
        release(Results("2021Q3", []), -1)
