"""Why an act is not open, in both languages, for pages that show it before anybody tries."""

from __future__ import annotations

from datetime import date
from typing import Any

from mingjian.declare import Title
from mingjian.record.process import hindrance


def test_why_an_act_is_not_open_is_said_in_both_languages(office: Any) -> None:
    office.list("T1")
    why = hindrance(office.scheme, office.case("T1"), "miss", date(2021, 9, 30))
    assert why == Title("its last day, 2021-09-30, is not over", "期限为 2021-09-30，尚未届满")
    assert hindrance(office.scheme, office.case("T1"), "report", date(2021, 9, 30)) is None
