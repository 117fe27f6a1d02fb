"""A made-up programme of tasks, readings and forms, on which the evidence room is tried."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mingjian.declare import EvidenceType, Field, Hierarchy, SubjectType, Title


def _type(id: str, *fields: Field, **more: object) -> EvidenceType:
    return EvidenceType(id, Title(id.capitalize(), id), {field.name: field for field in fields}, **more)  # type: ignore[arg-type]


TASK = _type(
    "task",
    Field("task", "text", Title("Task", "任务编号")),
    Field("unit", "subject", Title("Unit", "单位"), of=("unit",)),
    Field("indicator", "ref", Title("Indicator", "考核指标"), to="indicator"),
    Field("quarter", "period", Title("Quarter", "季度"), of=("quarter",)),
    Field("possible", "decimal", Title("Points possible", "满分"), decimals=1, min=Decimal(0), max=Decimal(100)),
    Field("awarded", "decimal", Title("Points awarded", "得分"), decimals=1, at_most="possible", optional=True),
    Field(
        "state",
        "choice",
        Title("State", "状态"),
        choices={
            "reported": Title("Reported", "已报"),
            "late": Title("Late", "迟报"),
            "exempt": Title("Exempt", "不适用"),
        },
    ),
    Field("proof", "flag", Title("Has a proof", "有佐证"), optional=True),
    Field("note", "text", Title("Note", "备注"), optional=True),
    key=("task",),
    date="quarter",
)
READING = _type(
    "reading",
    Field("meter", "text", Title("Meter", "电表")),
    Field("at", "time", Title("Read at", "抄表时间")),
    Field("wh", "quantity", Title("Energy", "电量"), unit="Wh", min=Decimal(0)),
    Field("month", "period", Title("Month", "月份"), of=("month",), optional=True),
    Field("checked", "date", Title("Checked on", "核验日期"), optional=True),
    key=("meter", "at"),
    date="at",
    bad_rows="leave_out",
)
INDICATOR = _type(
    "indicator",
    Field("code", "text", Title("Code", "编号")),
    Field("parent", "ref", Title("Part of", "上级指标"), to="indicator", optional=True),
    Field("weight", "integer", Title("Weight", "权重"), min=Decimal(0)),
    key=("code",),
)
NOTE = _type(
    "note", Field("day", "date", Title("Day", "日期")), Field("text", "text", Title("Text", "内容")), date="day"
)

SUBJECTS = {
    "district": SubjectType("district", Title("District", "区")),
    "unit": SubjectType("unit", Title("Unit", "单位"), parent="district"),
}


@pytest.fixture(scope="session")
def types() -> dict[str, EvidenceType]:
    return {type.id: type for type in (TASK, READING, INDICATOR, NOTE)}


@pytest.fixture(scope="session")
def hierarchy() -> Hierarchy:
    def subject(id: str, type: str, start: date, **more: object) -> dict[str, object]:
        return {"id": id, "type": type, "zh": id, "en": id, "from": start, **more}

    return Hierarchy.of_rows(
        [
            subject("D", "district", date(2020, 1, 1)),
            subject("U01", "unit", date(2020, 1, 1), parent="D"),
            subject("U02", "unit", date(2020, 1, 1), parent="D", until=date(2021, 4, 1), into="U01"),
            subject("U03", "unit", date(2021, 8, 1), parent="D", until=date(2021, 8, 20)),
        ],
        SUBJECTS,
    )
