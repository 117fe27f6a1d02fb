"""A type with a field of each kind, and how many examples the fuzzers draw: ``MINGJIAN_FUZZ=5000 pytest tests/hostile``."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mingjian.base.errors import MingjianError
from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence import Intake, read_file

settings.register_profile(
    "hostile",
    max_examples=int(os.environ.get("MINGJIAN_FUZZ", "30")),
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
FIELDS = (
    Field("code", "text", Title("Code", "编号")),
    Field("unit", "subject", Title("Unit", "单位"), of=("unit",), optional=True),
    Field("whole", "integer", Title("Number", "数量"), optional=True),
    Field("points", "decimal", Title("Points", "得分"), decimals=2, min=Decimal(0), optional=True),
    Field("mark", "choice", Title("Mark", "等次"), choices={"good": Title("Good", "好")}, optional=True),
    Field("sure", "flag", Title("Sure", "确定"), optional=True),
    Field("day", "date", Title("Day", "日期"), optional=True),
    Field("at", "time", Title("At", "时刻"), optional=True),
    Field("quarter", "period", Title("Quarter", "季度"), of=("quarter",), optional=True),
)
ROW = EvidenceType("row", Title("Row", "行"), {field.name: field for field in FIELDS}, bad_rows="leave_out")


@pytest.fixture(scope="session")
def row() -> EvidenceType:
    return ROW


Taken = Callable[[str, bytes], Intake]


@pytest.fixture
def holds() -> Callable[[Callable[[], Intake]], Intake | None]:
    """What a reader gives; None where it refuses. Any other exception than ours, and any half-taken row, is a failure."""
    return _holds


@pytest.fixture
def taken(tmp_path: Path) -> Taken:
    """Read the bytes of a file of some name."""

    def read(name: str, data: bytes) -> Intake:
        path = tmp_path / name
        path.write_bytes(data)
        return read_file(path, ROW, zone="Asia/Shanghai")

    return read


def _holds(read: Callable[[], Intake]) -> Intake | None:
    try:
        intake = read()
        table = intake.accepted(ROW)
    except MingjianError:
        return None
    assert all(str(finding) for finding in intake.findings)
    assert not set(table["_line"].to_pylist()) & {finding.place.row for finding in intake.findings}
    assert all(table["code"].to_pylist())
    table.validate(full=True)
    return intake
