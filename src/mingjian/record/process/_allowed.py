"""Whether an act may be done to a case now, whoever does it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mingjian.base.errors import Forbidden, Misuse
from mingjian.declare import Act, Process, Scheme, Title, near
from mingjian.record.process._case import Case


def allowed(scheme: Scheme, case: Case, act_id: str, today: date) -> None:
    """Nothing, if the state of the case, its deadline and the acts so far allow the act on ``today``.

    Raises Forbidden, which says what the case allows and who may do that, and Misuse for an act that the process has not.
    Who may act is for access to decide.
    """
    process = scheme.processes[case.process]
    act = declared_act(process, act_id)
    why = _hindrance(process, act, case, today)
    if why:
        raise Forbidden(
            f"{named(act)} is not open to {case.id}", why=why.en, remedy=_open_acts(scheme, process, case, today)
        )


def hindrance(scheme: Scheme, case: Case, act_id: str, today: date) -> Title | None:
    """Why the act is not open to the case on ``today``, None where it is. Raises Misuse for an act that the process has not."""
    process = scheme.processes[case.process]
    return _hindrance(process, declared_act(process, act_id), case, today)


def declared_act(process: Process, act_id: str) -> Act:
    """The act of that id. Raises Misuse if there is none."""
    if act_id not in process.acts:
        raise Misuse(f"{process.id} has no act {act_id!r}", remedy=near(act_id, [*process.acts]))
    return process.acts[act_id]


def named(act: Act) -> str:
    """An act as messages name it."""
    return f"{act.title.zh} ({act.title.en})"


def roles_named(scheme: Scheme, roles: Iterable[str]) -> str:
    """Roles as messages name them."""
    return ", ".join(f"{scheme.roles[role].title.zh} ({scheme.roles[role].title.en})" for role in roles)


def _hindrance(process: Process, act: Act, case: Case, today: date) -> Title | None:
    """Why the act is not open, or None."""
    if case.state not in act.sources:
        state = process.states[case.state].title
        return Title(f"it is {state.zh} ({state.en})", f"目前状态为“{state.zh}”")
    if act.once and any(step.act == act.id for step in case.steps):
        return Title("it may be done once, and was", "只能办理一次，且已办理")
    if act.when == "before_due" and case.late(today):
        return Title(f"its last day was {case.due}", f"期限为 {case.due}，已过")
    if act.when == "after_due" and not case.late(today):
        if case.due is None:
            return Title("it has no deadline", "没有期限")
        return Title(f"its last day, {case.due}, is not over", f"期限为 {case.due}，尚未届满")
    return None


def _open_acts(scheme: Scheme, process: Process, case: Case, today: date) -> str:
    """What is open instead, and to whom."""
    acts = [act for act in process.acts.values() if not _hindrance(process, act, case, today)]
    if not acts:
        return "nothing is open to it" + (": it is closed" if process.states[case.state].final else "")
    return "open to it: " + "; ".join(f"{named(act)}, by {roles_named(scheme, act.by)}" for act in acts)
