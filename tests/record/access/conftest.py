"""A made-up programme with people in it."""

from __future__ import annotations

from typing import Any

import pytest

from mingjian.declare import Act, EvidenceType, Process, Role, Scheme, State, StatementType, SubjectType, Title

ROLES = {
    role.id: role
    for role in (
        Role("reporter", Title("Reporter", "填报员"), of="unit", adds=("report",)),
        Role("described", Title("Person described", "本人"), of="leader", reads="confidential", adds=("reply",)),
        Role("resident", Title("Resident body", "派驻机构"), of="unit", reads="confidential"),
        Role("guest", Title("Guest", "来宾"), of="district", reads="public"),
        Role("assessor", Title("Assessor", "考核员"), of="district", adds=("report",), issues=("portrait",)),
        Role(
            "office",
            Title("Office", "主管科室"),
            of="district",
            reads="confidential",
            grants=("reporter", "described", "resident", "assessor"),
            unseals=True,
            oversees=True,
        ),
    )
}
SUBJECTS = {
    "district": SubjectType("district", Title("District", "区")),
    "unit": SubjectType("unit", Title("Unit", "单位"), parent="district"),
    "leader": SubjectType("leader", Title("Leader", "领导干部"), parent="unit", person=True),
}


def title(id: str) -> Title:
    return Title(id.capitalize(), id)


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    """Two floors of subjects over persons, and a role of each kind."""
    act = Act("report", title("report"), sources=("listed",), to="done", by=("reporter", "assessor"))
    states = {"listed": State("listed", title("listed")), "done": State("done", title("done"), final=True)}
    given: dict[str, Any] = {
        "id": "three",
        "version": "1",
        "title": title("three"),
        "period": "quarter",
        "zone": "Asia/Shanghai",
        "law": (),
        "subjects": SUBJECTS,
        "evidence": {id: EvidenceType(id, title(id), {}) for id in ("report", "reply", "item")},
        "parameters": {},
        "measures": {},
        "indices": {},
        "derivations": {},
        "statements": {"portrait": StatementType("portrait", title("portrait"), "portrait", "unit", "quarter", ())},
        "minimum_group": 10,
        "cases": (),
        "folder": None,
        "fingerprint": "",
        "processes": {"duty": Process("duty", title("duty"), "item", "listed", states, {"report": act})},
        "roles": ROLES,
    }
    return Scheme(**given)
