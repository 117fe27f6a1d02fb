"""The office's quarter as declared and as played through: by when, by whom, and that no synthetic act breaks a rule."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import chinese_calendar
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mingjian.attest.verify._evidence import Namespaces
from mingjian.base.errors import Forbidden, MingjianError
from mingjian.declare import Hierarchy, Scheme, evidence_types
from mingjian.record.access import Actor, Grant, Policy
from mingjian.record.evidence import View, check_rows, read_rows
from mingjian.record.process import Case, Step, allowed, moved, working_days_after
from mingjian.schemes.three_portraits.sample import PROOF, open_quarter, people, sample

YEARS = range(2020, 2027)
WRITTEN = ["report", "appeal", "problem", "rectification", "attachment", "informant", "reply", "use", "act"]


@pytest.fixture(scope="module")
def rows() -> dict[str, pa.Table]:
    return sample()


@pytest.fixture(scope="module")
def hierarchy(rows: dict[str, pa.Table], scheme: Scheme) -> Hierarchy:
    return Hierarchy.of_rows(rows["subject"].to_pylist(), scheme.subjects)


# -- the calendar -----------------------------------------------------------------------------------------------------


def test_every_day_is_worked_or_free_as_the_state_council_laid_down(scheme: Scheme) -> None:
    declared = {year.year: year for year in scheme.calendar}
    assert list(declared) == list(YEARS)
    day = date(YEARS[0], 1, 1)
    while day.year in declared:
        year = declared[day.year]
        worked = day in year.workdays if day.weekday() >= 5 else day not in year.holidays
        assert worked == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_appeal_is_open_for_five_working_days(scheme: Scheme) -> None:
    state = scheme.processes["duty"].states["reviewed"]
    assert (state.within, state.days) == (5, "working")
    # Wednesday before the National Day holiday of 2021; the Saturday after it is worked.
    assert working_days_after(date(2021, 9, 29), 5, scheme.calendar) == date(2021, 10, 12)


# -- the process ------------------------------------------------------------------------------------------------------

TASK = {
    "task": "T1", "unit": "U01", "indicator": "A1", "quarter": "2021Q4", "deadline": date(2021, 12, 10),
    "possible": "5.0", "awarded": None, "state": None,
}  # fmt: skip


def case(stands: str = "listed", due: date = date(2021, 12, 10), **row: Any) -> Case:
    return Case("duty", "T1", "U01", {**TASK, **row}, stands, date(2021, 12, 1), due, ())


def done(scheme: Scheme, seen: Case, act: str, on: date, role: str = "assessor", **given: Any) -> Mapping[str, Any]:
    """The rows that an act makes, by evidence type, the first of each."""
    at = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    move = moved(scheme, seen, act, role=role, by="somebody", at=at, **given)
    return {kind: intake.table.to_pylist()[0] for kind, intake in move.intakes.items()}


@pytest.mark.parametrize(("day", "state"), [(10, "on_time"), (11, "late")])
def test_report_is_on_time_on_its_last_day_and_late_after(day: int, state: str, scheme: Scheme) -> None:
    report = {"report": [{"text": "已完成"}]}
    made = done(scheme, case(), "report", date(2021, 12, day), "reporter", rows=report)
    assert made["task"]["state"] == state
    assert made["report"]["unit"] == "U01"


@pytest.mark.parametrize("state", ["on_time", "late"])
def test_who_reports_again_keeps_the_state_of_the_first_report(state: str, scheme: Scheme) -> None:
    seen = case("returned", date(2021, 12, 15), state=state)
    made = done(scheme, seen, "report_again", date(2021, 12, 14), "reporter", rows={"report": [{"text": "补报"}]})
    assert made.get("task", {"state": state})["state"] == state


def test_nothing_is_missing_before_its_deadline_is_over(scheme: Scheme) -> None:
    with pytest.raises(Forbidden):
        done(scheme, case(), "missing", date(2021, 12, 10))
    made = done(scheme, case(), "missing", date(2021, 12, 11))
    assert (made["task"]["state"], made["task"]["awarded"]) == ("missing", 0)


def test_what_does_not_apply_has_no_points(scheme: Scheme) -> None:
    made = done(scheme, case("reported", date(2021, 12, 24), state="on_time"), "not_applicable", date(2021, 12, 13))
    assert (made["task"]["state"], made["task"]["awarded"]) == ("not_applicable", None)


def test_deduction_says_its_reason_and_proof_and_the_case_says_the_rest(scheme: Scheme) -> None:
    seen = case("reported", date(2021, 12, 24), state="on_time")
    told = {"kind": "deduction", "points": "1.0", "reason": "shallow", "note": "不深不细", "proof": "检查记录"}
    made = done(scheme, seen, "review", date(2021, 12, 13), fills={"awarded": "5.0"}, rows={"adjustment": [told]})
    assert (made["adjustment"]["task"], made["adjustment"]["indicator"]) == ("T1", "A1")
    for field in ("reason", "proof"):
        less = {"adjustment": [{**told, field: None}]}
        with pytest.raises(MingjianError) as error:
            done(scheme, seen, "review", date(2021, 12, 13), fills={"awarded": "5.0"}, rows=less)
        assert [finding.place.field for finding in error.value.findings] == [field]


def test_unit_appeals_once_and_in_time(scheme: Scheme) -> None:
    seen = case("reviewed", date(2021, 12, 20), state="on_time", awarded="3.0")
    allowed(scheme, seen, "appeal", date(2021, 12, 20))
    with pytest.raises(Forbidden):
        allowed(scheme, seen, "appeal", date(2021, 12, 21))
    with pytest.raises(Forbidden):
        allowed(scheme, seen, "fix", date(2021, 12, 20))
    allowed(scheme, seen, "fix", date(2021, 12, 21))


def test_upheld_appeal_against_missing_gives_state_and_points(scheme: Scheme) -> None:
    seen = case("appealed", date(2021, 12, 30), state="missing", awarded="0")
    made = done(scheme, seen, "decide", date(2021, 12, 21), fills={"state": "late", "awarded": "4.0"})
    assert (made["task"]["state"], made["task"]["awarded"]) == ("late", 4)


# -- who may ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def may(scheme: Scheme, hierarchy: Hierarchy):
    """The policy, and the actor behind a login."""
    policy = Policy(scheme, hierarchy, date(2021, 10, 20))
    held: dict[str, list[Grant]] = defaultdict(list)
    for person in people():
        held[person.login].append(Grant(person.login, person.role, person.subject, date(2021, 1, 1), None))
    return policy, {login: Actor(login, tuple(grants)) for login, grants in held.items()}


def test_there_is_somebody_for_each_role_over_somebody_there_is(scheme: Scheme, hierarchy: Hierarchy) -> None:
    assert {person.role for person in people()} == set(scheme.roles)
    for person in people():
        subject = hierarchy.subject(person.subject)
        assert subject is not None
        assert subject.type == scheme.roles[person.role].of


@pytest.mark.parametrize(
    ("act", "who"),
    [
        ("duty.report", {"reporter"}),
        ("duty.review", {"assessor"}),
        ("duty.appeal", {"reporter", "head"}),
        ("duty.decide", {"assessor"}),
        ("problem.rectify", {"reporter"}),
        ("problem.recheck_ok", {"assessor", "resident"}),
    ],
)
def test_each_act_is_for_few_and_not_for_another_unit(act: str, who: set[str], may) -> None:
    policy, actors = may
    process, name = act.split(".")
    assert {login for login, actor in actors.items() if policy.act(actor, process, name, "U01")} == who


@pytest.mark.parametrize(
    ("what", "who"),
    [
        (("see", "U01", "internal"), {"office", "assessor", "resident", "reporter", "head", "auditor"}),
        (("see", "L002", "confidential"), {"office", "assessor", "resident", "leader", "auditor"}),
        (("see", "L002", "sealed"), {"office"}),
        (("describe", "U01"), {"office", "assessor", "resident", "reporter", "head", "auditor"}),
        (("describe", "L002"), {"office", "assessor", "resident", "leader", "auditor"}),
        (("add", "reply", "L002"), {"leader"}),
        (("add", "reply", "U01"), {"head"}),
        (("add", "reply", "U02"), set()),
        (("add", "use", "L002"), {"assessor"}),
        (("add", "item", "L002"), {"assessor", "resident"}),
        (("add", "informant", ""), {"assessor"}),
        (("issue", "leader_portrait", "L002"), {"office", "assessor"}),
        (("grant", "reporter", "U01"), {"office"}),
        (("oversee",), {"office", "auditor"}),
        (("unseal",), {"office"}),
    ],
    ids=lambda value: "-".join(filter(None, value)) if isinstance(value, tuple) else "",
)
def test_least_privilege(what: tuple[str, ...], who: set[str], may) -> None:
    policy, actors = may
    question, *about = what
    assert {login for login, actor in actors.items() if getattr(policy, question)(actor, *about)} == who


def test_no_row_about_who_reported_shares_a_type_with_what_is_counted(scheme: Scheme) -> None:
    """A type with a sealed field is in no package: were it counted, no number from it could be recomputed."""
    sealed = {t.id for t in scheme.evidence.values() if any(f.label == "sealed" for f in t.fields.values())}
    assert sealed == {"informant"}
    assert {scheme.evidence[name].retain for name in ("item", "informant", "form")} == {3}


def test_packages_of_a_run_are_recomputed_together(scheme: Scheme) -> None:
    """One by one, 605 statements take minutes: what people write beside the figures must not keep packages apart."""
    assert Namespaces(scheme).separable


# -- the quarters played through --------------------------------------------------------------------------------------


def test_sizes_are_believable(rows: dict[str, pa.Table]) -> None:
    states = {v["values"]: v["counts"] for v in rows["task"]["state"].value_counts().to_pylist()}
    assert len(rows["report"]) == states["on_time"] + states["late"]
    assert 50 < len(rows["appeal"]) < 130
    assert 400 < len(rows["problem"]) < 900
    assert 0 < len(rows["rectification"]) < len(rows["problem"])
    assert set(rows["attachment"]["sha256"].to_pylist()) == {hashlib.sha256(PROOF).hexdigest()}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_people_wrote_is_good_evidence(
    kind: str, rows: dict[str, pa.Table], scheme: Scheme, hierarchy: Hierarchy
) -> None:
    types = evidence_types(scheme)
    intake = read_rows(rows[kind].to_pylist(), types[kind], zone=scheme.zone)
    assert intake.findings == ()
    with View.of({name: rows[name] for name in ("task", "problem", "item", "indicator")}, types) as view:
        assert check_rows(intake, types[kind], types, view, hierarchy, zone=scheme.zone) == ()


def test_every_act_was_open_to_its_case_on_its_day(rows: dict[str, pa.Table], scheme: Scheme) -> None:
    """Each case is played through again under the rules; what it ends in is what its row says."""
    acts: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for act in rows["act"].to_pylist():
        acts[act["process"], act["case"]].append(act)
    played = {
        (process, row[process if process == "problem" else "task"]): play(scheme, process, row, acts)
        for process, kind in (("duty", "task"), ("problem", "problem"))
        for row in rows[kind].to_pylist()
    }
    assert acts.keys() <= played.keys()
    assert {end for (process, _), end in played.items() if process == "duty"} == {"fixed"}
    assert {end for (process, _), end in played.items() if process == "problem"} == {"found", "rectified", "closed"}
    tasks = {row["task"]: row["state"] for row in rows["task"].to_pylist()}
    for (process, name), steps in acts.items():
        if process == "duty":
            first = steps[0]["act"], steps[0]["late"]
            assert tasks[name] == {
                ("report", False): "on_time", ("report", True): "late", ("missing", True): "missing",
                ("not_applicable", False): "not_applicable",
            }[first]  # fmt: skip


def play(
    scheme: Scheme, process: str, row: dict[str, Any], acts: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> str:
    """The state in which a case ends; fails at an act that was not open, or late without saying so."""
    declared = scheme.processes[process]
    name = row[declared.of]
    state, since, steps = declared.start, date(2020, 10, 1), ()
    for act in acts.get((process, name), ()):
        now = declared.states[state]
        due = row[now.due] if now.due else None
        if now.within is not None:
            counts = now.days == "working"
            due = (
                working_days_after(since, now.within, scheme.calendar) if counts else since + timedelta(days=now.within)
            )
        seen = Case(process, name, row["unit"], row, state, since, due, tuple(steps))
        allowed(scheme, seen, act["act"], act["on"])
        assert (act["frm"], act["to"], act["late"]) == (state, declared.acts[act["act"]].to, seen.late(act["on"])), act
        assert act["role"] in declared.acts[act["act"]].by
        said = {key: act[key] for key in ("act", "late", "role", "by", "on", "at")}
        steps = (*steps, Step(**said, before=act["frm"], after=act["to"], note="", entry=0))
        state, since = act["to"], act["on"]
    return state


def test_open_quarter_is_a_list_with_one_deadline_missed(scheme: Scheme, run, rows: dict[str, pa.Table]) -> None:
    today = date(2021, 10, 20)
    tasks = open_quarter(7, "2021Q4", today)["task"]
    assert len(tasks) == 85 * 19
    assert not pc.any(pc.is_in(tasks["task"], value_set=rows["task"]["task"].combine_chunks())).as_py()
    assert read_rows(tasks.slice(0, 200).to_pylist(), evidence_types(scheme)["task"]).findings == ()
    missed = {row["indicator"] for row in tasks.to_pylist() if row["deadline"] < today}
    assert missed == {"A1"}
    assert max(tasks["deadline"].to_pylist()) < today + timedelta(days=31)


def test_open_quarter_counts_for_and_against_nobody(run, rows: dict[str, pa.Table]) -> None:
    opened = open_quarter(7, "2021Q4", date(2021, 10, 20))["task"].to_pylist()
    some = {
        "subject": rows["subject"],
        "indicator": rows["indicator"],
        "task": [row for row in opened if row["unit"] == "U01"],
    }
    assert run(some, "2021Q4").value("assessment", "U01").status == "none"
