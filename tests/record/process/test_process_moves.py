"""What an act brings into the ledger, and everything that is wrong with it at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mingjian.base.errors import Finding, Forbidden, MingjianError, Misuse
from mingjian.record.process import allowed


def _rows(move: Any, kind: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "_line"} for row in move.intakes[kind].table.to_pylist()]


def _found(office: Any, task: str, act: str, **more: Any) -> tuple[Finding, ...]:
    with pytest.raises(MingjianError) as caught:
        office.move(office.case(task), act, **more)
    return caught.value.findings


def _places(findings: tuple[Finding, ...]) -> list[tuple[str, str, int | None, str]]:
    return [(found.rule, found.place.sheet, found.place.row, found.place.field) for found in findings]


# -- what comes of it -----------------------------------------------------------------------------------------------------
def test_an_act_brings_its_rows_the_changed_case_and_itself(office: Any) -> None:
    office.list("T1")
    office.now(2021, 9, 2, 1)

    move = office.move(
        office.case("T1"), "report", note="As asked", rows={"report": [{"text": "Done."}], "attachment": []}
    )

    assert list(move.intakes) == ["report", "task", "act"]
    assert move.case == office.case("T1")
    assert _rows(move, "report") == [
        {"report": "T1/duty/1.1", "task": "T1", "unit": "U1", "day": date(2021, 9, 2), "text": "Done."}
    ]
    assert _rows(move, "task")[0] == {**office.case("T1").row, "state": "on_time"}
    assert _rows(move, "act") == [
        {
            "process": "duty",
            "case": "T1",
            "act": "report",
            "frm": "listed",
            "to": "reported",
            "late": False,
            "role": "reporter",
            "by": "somebody",
            "on": date(2021, 9, 2),
            "at": datetime(2021, 9, 2, 1, tzinfo=UTC),
            "note": "As asked",
        }
    ]


def test_fields_of_other_names_follow_from_the_case_too(office: Any) -> None:
    office.list("T1")
    office.act("T1", "report")

    given = [{"points": "0.5", "reason": "Late"}, {"points": "1.0", "reason": "Short", "adjustment": "T1/duty/1.7"}]
    move = office.move(office.case("T1"), "review", fills={"awarded": "3.5"}, rows={"adjustment": given})

    first, second = _rows(move, "adjustment")
    assert (first["of_task"], first["about"], first["season"], first["adjustment"]) == (
        "T1",
        "U1",
        "2021Q3",
        "T1/duty/2.1",
    )
    assert (second["adjustment"], second["points"]) == ("T1/duty/1.7", Decimal("1.0"))
    assert _rows(move, "task")[0]["awarded"] == Decimal("3.5")


def test_a_case_whose_row_does_not_change_gets_no_new_one(office: Any) -> None:
    office.list("T1")
    for act in ("report", "review"):
        office.act("T1", act)

    move = office.move(office.case("T1"), "appeal")

    assert list(move.intakes) == ["attachment", "act"]
    assert _rows(move, "attachment")[0]["at"] == office.clock[0]


def test_late_missing_and_not_applicable_are_three_things(office: Any) -> None:
    office.list("T1", "T2", "T3")
    office.list("T4", deadline=None)
    office.now(2021, 9, 30, 16)  # October in Shanghai

    late = office.act("T1", "report")
    assert (late.steps[0].late, late.row["state"]) == (True, "late")
    missing = office.act("T2", "miss")
    exempt = office.act("T3", "exempt")
    assert (missing.row["state"], missing.row["awarded"]) == ("missing", Decimal("0.0"))
    assert (exempt.row["state"], exempt.row["awarded"]) == ("exempt", None)
    assert not office.act("T4", "report").steps[0].late  # nothing is late without a deadline


# -- what is not open -----------------------------------------------------------------------------------------------------
def test_a_forbidden_act_says_what_is_open_and_to_whom(office: Any) -> None:
    office.list("T1")

    with pytest.raises(Forbidden) as caught:
        allowed(office.scheme, office.case("T1"), "review", date(2021, 9, 30))

    assert caught.value.why == "it is 已下发 (Listed)"
    assert caught.value.remedy == (
        "open to it: 填报 (Report), by 填报员 (Reporter); 认定不适用 (Find not applicable), by 考核员 (Assessor)"
    )


def test_a_last_day_counts_whole_on_the_clock_of_the_scheme(office: Any) -> None:
    office.list("T1")
    case = office.case("T1")

    with pytest.raises(Forbidden, match="its last day, 2021-09-30, is not over"):
        office.move(case, "miss", at=datetime(2021, 9, 30, 15, 59, 59, tzinfo=UTC))
    office.move(case, "miss", at=datetime(2021, 9, 30, 16, tzinfo=UTC))


def test_one_may_appeal_once_within_five_working_days(office: Any) -> None:
    office.list("T1")
    office.now(2021, 9, 30, 2)
    for act in ("report", "review"):
        office.act("T1", act)
    assert office.case("T1").due == date(2021, 10, 13)  # a week off, and Saturday the 9th worked

    with pytest.raises(Forbidden, match="its last day was 2021-10-13"):
        office.move(office.case("T1"), "appeal", at=datetime(2021, 10, 14, 2, tzinfo=UTC))
    for act in ("appeal", "review"):
        office.act("T1", act)
    with pytest.raises(Forbidden, match="it may be done once, and was"):
        office.move(office.case("T1"), "appeal")


def test_nothing_is_open_to_a_closed_case_and_no_deadline_is_never_over(office: Any) -> None:
    office.list("T1", deadline=None)
    with pytest.raises(Forbidden, match="it has no deadline"):
        office.move(office.case("T1"), "miss")
    office.act("T1", "exempt")

    with pytest.raises(Forbidden, match="nothing is open to it: it is closed"):
        office.move(office.case("T1"), "report")


def test_an_act_is_for_its_roles_and_of_its_process(office: Any) -> None:
    office.list("T1")
    case = office.case("T1")

    with pytest.raises(Forbidden, match=r"not for assessor.*it is for 填报员 \(Reporter\)"):
        office.move(case, "report", role="assessor")
    with pytest.raises(Misuse, match=r"no act 'reprt'.*did you mean report\?"):
        office.move(case, "reprt")
    with pytest.raises(Misuse, match="at no instant"):
        office.move(case, "report", at=datetime(2021, 9, 1, 2))


# -- what is wrong --------------------------------------------------------------------------------------------------------
def test_every_finding_comes_at_once_with_its_place(office: Any) -> None:
    office.list("T1")
    office.act("T1", "report")

    rows = {
        "adjustment": [{"points": "0.5", "reason": "Late"}, {"points": "much", "reason": ""}],
        "report": [{"text": "Again"}],
    }
    findings = _found(
        office, "T1", "review", fills={"awarded": "5.5", "possible": "9"}, rows=rows, note="x\u202ey", file="form"
    )

    assert _places(findings) == [
        ("not-taken", "report", None, ""),
        ("not-a-number", "adjustment", 2, "points"),
        ("missing-value", "adjustment", 2, "reason"),
        ("not-filled", "task", None, "possible"),
        ("above-other-field", "task", None, "awarded"),
        ("control-character", "act", None, "note"),
    ]
    assert {found.place.file for found in findings} == {"form"}


@pytest.mark.parametrize("given", [{}, {"awarded": None}, {"awarded": "  "}], ids=["absent", "none", "blank"])
def test_what_an_act_asks_for_is_given(office: Any, given: dict[str, object]) -> None:
    """Also where the field is optional: then nobody knew the value before, and now somebody does."""
    office.list("T1")
    office.act("T1", "report")

    assert _places(_found(office, "T1", "review", fills=given)) == [("missing-value", "task", None, "awarded")]


@pytest.mark.parametrize(
    ("act", "rows", "kind"),
    [
        ("report", {"report": []}, "report"),
        ("report", {"report": [{"text": "a"}] * 2}, "report"),
        ("appeal", {}, "attachment"),
    ],
    ids=["none of one", "two of one", "none of some"],
)
def test_as_many_rows_come_along_as_are_wanted(office: Any, act: str, rows: Any, kind: str) -> None:
    office.list("T1")
    for before in ("report", "review") if act == "appeal" else ():
        office.act("T1", before)

    assert _places(_found(office, "T1", act, rows=rows)) == [("wrong-number", kind, None, "")]


@pytest.mark.parametrize("name", ["unit", "task"])
def test_rows_of_another_case_do_not_come_along(office: Any, name: str) -> None:
    office.list("T1")

    same = office.move(office.case("T1"), "report", rows={"report": [{"text": "a", "unit": "U1", "task": "T1"}]})
    assert _rows(same, "report")[0]["unit"] == "U1"
    findings = _found(office, "T1", "report", rows={"report": [{"text": "a", name: "T2"}]})
    assert _places(findings) == [("another-case", "report", 1, name)]


@pytest.mark.parametrize("name", ["T2/duty/1.1", "T1/1.1", "A7", "T1/duty/1", "T1/duty/1.1/duty/1.1"])
def test_an_act_supersedes_no_row_of_another_case(office: Any, name: str) -> None:
    office.list("T1")
    office.act("T1", "report")

    given = {"adjustment": [{"points": "0.5", "reason": "Late", "adjustment": name}]}
    assert _places(_found(office, "T1", "review", fills={"awarded": "1"}, rows=given)) == [
        ("another-case", "adjustment", 1, "adjustment")
    ]


def test_texts_have_an_end(office: Any) -> None:
    office.list("T1")
    longest = "好" * 20_000

    office.move(office.case("T1"), "report", note=longest, rows={"report": [{"text": longest}]})
    findings = _found(office, "T1", "report", note=longest + "x", rows={"report": [{"text": longest + "x"}]})
    assert _places(findings) == [("too-long", "report", 1, "text"), ("too-long", "act", None, "note")]
    assert all(len(found.value) < 10 for found in findings)


def test_what_stands_in_the_case_already_may_be_longer(office: Any) -> None:
    """A sealed text is: whoever acts next did not write it."""
    office.list("T1")
    office.add("task", [{**office.case("T1").row, "asker": "A" * 30_000}])

    assert len(office.act("T1", "report").row["asker"]) == 30_000
