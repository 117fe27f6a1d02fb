"""The present state is a fold: whatever is tried, in whatever order, and however it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Fault, Forbidden, MingjianError, Misuse
from mingjian.base.keys import SigningKey
from mingjian.declare import Scheme
from mingjian.record.ledger import Batch, Ledger
from mingjian.record.process import Case, Docket


# -- reading --------------------------------------------------------------------------------------------------------------
def test_a_row_that_nobody_acted_on_is_in_the_first_state_since_the_day_it_was_recorded(office: Any) -> None:
    office.now(2021, 8, 31, 17)  # in Shanghai it is September already
    office.list("T1")

    case = office.case("T1")
    assert (case.state, case.since, case.due, case.version) == ("listed", date(2021, 9, 1), date(2021, 9, 30), 0)
    assert (case.subject, case.row["quarter"], str(case.row["possible"])) == ("U1", "2021Q3", "5.0")


def test_an_act_is_a_step_and_the_state_it_leads_to(office: Any) -> None:
    office.list("T1")
    office.now(2021, 9, 30, 15, 59)  # a minute before midnight in Shanghai

    case = office.act("T1", "report", note="With thanks")

    (step,) = case.steps
    assert (case.state, case.since, case.due, case.version) == ("reported", date(2021, 9, 30), None, 1)
    assert (step.act, step.before, step.after, step.late) == ("report", "listed", "reported", False)
    assert (step.role, step.by, step.on, step.at) == ("reporter", "somebody", date(2021, 9, 30), office.clock[0])
    assert step.note == "With thanks"
    assert office.ledger.entry(step.entry).kind == "act"


def test_a_later_row_of_a_case_changes_it_and_may_move_it_to_another_subject(office: Any) -> None:
    office.list("T1", "T2")
    office.act("T1", "report")
    before = office.docket()
    office.list("T1", unit="U2", deadline=date(2021, 10, 15))

    after = before.advanced(office.ledger.state())
    assert [case.id for case in after.cases("duty", subjects=["U1"])] == ["T2"]
    assert (after.case("duty", "T1").subject, after.case("duty", "T1").state) == ("U2", "reported")
    assert [case.id for case in before.cases("duty", subjects=["U1"])] == ["T1", "T2"]  # the old one still holds
    assert after.case("duty", "T2") is before.case("duty", "T2")


def test_cases_are_found_by_subject_and_state_and_those_overdue_come_longest_first(office: Any) -> None:
    office.list("T3", deadline=date(2021, 9, 20))
    office.list("T1", "T2", unit="U2")
    office.list("T4", deadline=None)
    office.act("T2", "report")
    docket = office.docket()

    assert [case.id for case in docket.cases("duty")] == ["T1", "T2", "T3", "T4"]
    assert [case.id for case in docket.cases("duty", subjects=["U2"], states=["listed"])] == ["T1"]
    assert [case.id for case in docket.cases("duty", subjects=["U9"])] == []
    assert [case.id for case in docket.overdue("duty", date(2021, 9, 30))] == ["T3"]  # a last day counts whole
    assert [case.id for case in docket.overdue("duty", date(2021, 10, 1))] == ["T3", "T1"]
    assert [case.id for case in docket.overdue("duty", date(2021, 10, 1), subjects=["U2"])] == ["T1"]


def test_what_is_not_there_is_misuse(office: Any) -> None:
    with pytest.raises(Misuse, match="no case 'T9'"):
        office.docket().case("duty", "T9")
    with pytest.raises(Misuse, match=r"no process 'dty'.*did you mean duty\?"):
        office.docket().cases("dty")


def test_a_docket_that_has_read_further_is_returned_as_it_is(office: Any) -> None:
    office.list("T1")
    docket = office.docket()

    assert docket.advanced(office.ledger.state(0)) is docket


def _recorded(office: Any, **wrong: object) -> None:
    """An act that was put there by hand."""
    row = office.move(office.case("T1"), "report").intakes["act"].table.to_pylist()[0] | wrong
    schema = office.move(office.case("T1"), "report").intakes["act"].table.schema
    office.ledger.append(Batch("act", office.scheme.id, "hand", pa.Table.from_pylist([row], schema)))


@pytest.mark.parametrize("wrong", [{"frm": "reviewed"}, {"case": "T9"}], ids=lambda wrong: next(iter(wrong)))
def test_an_act_that_does_not_follow_is_never_passed_over(office: Any, wrong: dict[str, object]) -> None:
    office.list("T1")
    _recorded(office, **wrong)

    with pytest.raises(Fault, match="an act that does not follow") as caught:
        office.docket()
    assert str(caught.value.where) == "entry 1"


def test_a_state_that_the_scheme_gave_up_is_said(office: Any) -> None:
    office.list("T1")
    _recorded(office, to="pending")

    with pytest.raises(Fault, match="in state pending, which the scheme does not declare"):
        office.docket()


def test_acts_of_a_process_that_the_scheme_gave_up_are_let_lie(office: Any) -> None:
    office.list("T1")
    _recorded(office, process="former", frm="x")

    assert office.case("T1").version == 0


# -- whatever is tried ----------------------------------------------------------------------------------------------------
WAYS = {  # what the scheme declares, told again in another way
    "report": (("listed",), "reported"),
    "return": (("reported",), "listed"),
    "review": (("reported",), "reviewed"),
    "appeal": (("reviewed",), "reported"),
    "fix": (("reviewed",), "fixed"),
    "miss": (("listed",), "fixed"),
    "exempt": (("listed", "reported"), "fixed"),
}
REST = {date(2021, 10, day) for day in range(1, 8)} | {date(2021, 1, 1)}


def _fifth_working_day_after(day: date) -> date:
    left = 5
    while left:
        day += timedelta(days=1)
        left -= day == date(2021, 10, 9) or (day.weekday() < 5 and day not in REST)
    return day


@dataclass
class Plain:
    """A case as a clerk would keep it in a book."""

    unit: str
    deadline: date | None
    state: str
    since: date
    acts: list[str]
    outcome: str | None = None

    @property
    def due(self) -> date | None:
        return {"listed": self.deadline, "reviewed": _fifth_working_day_after(self.since)}.get(self.state)

    def tries(self, act: str, today: date) -> bool:
        late = self.due is not None and today > self.due
        sources, to = WAYS[act]
        refused = self.state not in sources or (act in ("return", "appeal") and act in self.acts)
        if refused or (act == "appeal" and late) or (act in ("fix", "miss") and not late):
            return False
        self.outcome = {"report": "late" if late else "on_time", "miss": "missing", "exempt": "exempt"}.get(
            act, self.outcome
        )
        if act == "return":
            self.deadline = date(2021, 12, 31)
        self.state, self.since = to, today
        self.acts.append(act)
        return True

    def holds(self, case: Case) -> bool:
        seen = (
            case.subject,
            case.row["deadline"],
            case.state,
            case.since,
            [s.act for s in case.steps],
            case.row["state"],
        )
        return case.due == self.due and seen == (
            self.unit,
            self.deadline,
            self.state,
            self.since,
            self.acts,
            self.outcome,
        )


TRIES = st.lists(
    st.tuples(st.sampled_from(["T1", "T2"]), st.integers(0, 50), st.integers(0, 6), st.sampled_from(["U1", "U2"])),
    min_size=12,
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES, deadline=st.sampled_from([None, date(2021, 9, 10), date(2021, 9, 30)]))
def test_the_present_state_is_a_fold(
    scheme: Scheme, office: Any, tmp_path_factory: pytest.TempPathFactory, tries: list[Any], deadline: date | None
) -> None:
    """Of acts tried at random, half of them likely to be open, and of rows that change in between."""
    folder = tmp_path_factory.mktemp("fold")
    office.ledger = Ledger.create(
        folder, origin="office.example/2", key=SigningKey.generate(), now=lambda: office.clock[0]
    )
    office.now(2021, 9, 1, 3)
    office.list("T1", "T2", deadline=deadline)
    book = {task: Plain("U1", deadline, "listed", date(2021, 9, 1), []) for task in ("T1", "T2")}
    today, docket = date(2021, 9, 1), Docket.read(scheme, office.ledger.state())
    first, before = docket, docket.cases("duty")
    for task, choice, days, unit in tries:
        today += timedelta(days=days)
        office.now(today.year, today.month, today.day, 3)
        open_ = [act for act in WAYS if replace(book[task], acts=[*book[task].acts]).tries(act, today)]
        act = [*open_, *open_, *WAYS, "row"][choice % (2 * len(open_) + len(WAYS) + 1)]
        if act == "row":
            book[task].unit = unit
            office.add("task", [{**docket.case("duty", task).row, "unit": unit}])
        else:
            _try(office, docket, book[task], task, act, today)
        docket = docket.advanced(office.ledger.state())
        assert all(plain.holds(docket.case("duty", name)) for name, plain in book.items())
    anew = Docket.read(scheme, office.ledger.state())
    assert anew.cases("duty") == docket.cases("duty")
    for unit in ("U1", "U2"):
        assert anew.cases("duty", subjects=[unit]) == docket.cases("duty", subjects=[unit])
    assert first.cases("duty") == before


def _try(office: Any, docket: Docket, plain: Plain, task: str, act: str, today: date) -> None:
    case = docket.case("duty", task)
    before = replace(plain, acts=[*plain.acts])
    if plain.tries(act, today):
        office.ledger.append_all(office.batches(office.move(case, act)))
        return
    assert plain == before
    with pytest.raises(Forbidden):
        office.move(case, act)


def test_two_who_act_on_one_case_at_once_do_not_both_succeed(office: Any) -> None:
    office.list("T1")
    office.act("T1", "report")
    seen = office.case("T1")
    first, second = office.move(seen, "review"), office.move(seen, "exempt")

    def as_seen(move: Any) -> Callable[[Any], None]:
        def check(head: Any) -> None:
            if Docket.read(office.scheme, head).case("duty", "T1") != move.case:
                raise MingjianError("somebody was faster")

        return check

    office.ledger.append_all(office.batches(first), check=as_seen(first))
    with pytest.raises(MingjianError, match="faster"):
        office.ledger.append_all(office.batches(second), check=as_seen(second))
    assert office.case("T1").state == "reviewed"


def test_a_row_that_changed_in_between_is_another_case(office: Any, tmp_path: Path) -> None:
    """Else the act would bring back what the row said before."""
    office.list("T1")
    move = office.move(office.case("T1"), "report")
    office.list("T1", deadline=date(2021, 12, 1))

    assert office.case("T1").version == move.case.version
    assert office.case("T1") != move.case
