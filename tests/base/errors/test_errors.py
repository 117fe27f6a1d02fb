import json

import pytest

from mingjian.base.errors import Fault, Finding, Forbidden, MingjianError, Misuse, Place, Tampered

CELL = Place("tasks.xlsx", "2021Q3", 7, "awarded")
FINDING = Finding("above", "5.5 is above possible, 5.0", CELL, "5.5", "award at most what is possible")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place("a.csv"), "a.csv"),
        (Place("a.csv", row=0), "a.csv, row 0"),
        (Place(field="unit"), "field unit"),
        (CELL, "tasks.xlsx [2021Q3], row 7, field awarded"),
    ],
)
def test_a_place_says_what_is_known_of_it(place: Place, text: str) -> None:
    assert str(place) == text


def test_a_finding_is_one_line_with_place_value_remedy_and_rule() -> None:
    assert str(FINDING) == (
        "tasks.xlsx [2021Q3], row 7, field awarded: 5.5 is above possible, 5.0 (found: '5.5')"
        " → award at most what is possible [above]"
    )
    assert str(Finding("late", "too late")) == "too late [late]"


def test_an_error_says_what_why_where_and_the_remedy_and_lists_its_findings() -> None:
    error = Fault(
        "nothing was taken in", why="one row is bad", where="tasks.xlsx", remedy="mend it", findings=[FINDING]
    )
    head, *rest = str(error).split("\n")
    assert head == "tasks.xlsx: nothing was taken in: one row is bad → mend it"
    assert rest == [f"  - {FINDING}"]
    assert str(Misuse("which scheme?")) == "which scheme?"
    assert str(Misuse("gone", where=Place("a.csv", row=3))) == "a.csv, row 3: gone"


def test_findings_given_once_can_be_read_twice() -> None:
    error = Fault("bad", findings=(f for f in [FINDING]))
    assert error.findings == (FINDING,)
    assert error.findings == (FINDING,)


@pytest.mark.parametrize(("kind", "code"), [(Misuse, 2), (Fault, 1), (Forbidden, 1), (Tampered, 1), (MingjianError, 1)])
def test_a_command_line_answers_2_for_a_wrong_call_and_1_for_the_rest(kind: type[MingjianError], code: int) -> None:
    assert kind("x").exit_code == code
    with pytest.raises(MingjianError):
        raise kind("x")


def test_json_has_every_part() -> None:
    said = json.loads(json.dumps(Tampered("a row differs", where=CELL, findings=[FINDING]).to_json()))
    assert said["error"] == "Tampered"
    assert said["where"] == str(CELL)
    assert said["findings"] == [
        {
            "rule": "above",
            "message": "5.5 is above possible, 5.0",
            "place": {"file": "tasks.xlsx", "sheet": "2021Q3", "row": 7, "field": "awarded"},
            "value": "5.5",
            "remedy": "award at most what is possible",
        }
    ]
