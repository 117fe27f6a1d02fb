"""The feedback letter: a page of findings, problems and deadlines in both languages, more pages where there is more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mingjian.base.typeset import Typesetter

AT = datetime(2021, 10, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


def title(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def case(state: str, due: str) -> dict[str, Any]:
    return {"state": state, "title": title("办理中", "At work"), "due": due, "final": False}


def data(language: str, findings: int) -> dict[str, Any]:
    """What the template is given, as its head says: each finding a task that lost points, each a problem too."""
    tasks = [f"U01-2021Q3-{n:02}" for n in range(findings)]
    reason = {"reason": title("内容不完整", "Incomplete"), "kind": title("扣分", "Deduction")}
    return {
        "language": language,
        "synthetic": True,
        "office": title("示例机关", "Example office"),
        "date": "2021-10-11",
        "period": "2021Q3",
        "subject": {"id": "U01", "title": title("龘靐齉" * 10, "A very long name of an office " * 3), "parent": title("", "")},
        "values": {"assessment": {"": {"status": "value", "printed": "85.00", "grade": title("良好", "Good")}}},
        "members": {"D1": title("廉政风险排查", "Identification of risks")},
        "rows": {
            "task": [
                {"task": t, "indicator": "D1", "state": "missing", "titles": {"state": title("未报告", "Missing")}} for t in tasks
            ],
            "adjustment": [
                {
                    "adjustment": f"K{t}", "task": t, "indicator": "D1", "kind": "deduction", "reason": "incomplete",
                    "points": "2.5", "note": "报告内容不完整" * 4, "proof": "佐证-" + t, "titles": reason,
                }
                for t in tasks
            ],
            "problem": [
                {"problem": f"W{t}", "task": t, "indicator": "D1", "text": "问题" * 20, "deadline": "2021-11-13"} for t in tasks
            ],
        },
        "cases": {
            "duty": {t: case("reviewed", "2021-10-15") for t in tasks},
            "problem": {f"W{t}": case("found", "2021-11-13") for t in tasks},
        },
        "terms": {"duty": {"reviewed": {"within": "5", "days": "working"}}},
        "ledger": {"origin": "ledger.example", "size": "12", "root": "ab" * 32, "fingerprint": "sha256:" + "cd" * 32},
    }  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("findings", "pages"), [(0, 1), (2, 1), (30, 5)])
def test_it_is_drawn_whatever_was_found(
    typesetter: Typesetter, folder: Path, language: str, findings: int, pages: int
) -> None:
    given = data(language, findings)
    drawn = typesetter.png(folder / "templates/letter.typ", given, at=AT, ppi=20)
    assert len(drawn) <= pages
    assert (len(drawn) > 1) == (findings > 10)
    assert typesetter.pdf(folder / "templates/letter.typ", given, at=AT).startswith(b"%PDF")


def test_several_last_days_are_told_apart(typesetter: Typesetter, folder: Path) -> None:
    same, other = data("zh", 2), data("zh", 2)
    other["cases"]["duty"]["U01-2021Q3-01"]["due"] = "2021-10-18"
    pages = [typesetter.png(folder / "templates/letter.typ", given, at=AT, ppi=40) for given in (same, other)]
    assert pages[0] != pages[1]


def test_a_quarter_that_nobody_reviewed_is_drawn(typesetter: Typesetter, folder: Path) -> None:
    given = data("en", 0) | {"values": {}, "cases": {}, "terms": {}, "rows": {}}
    assert len(typesetter.png(folder / "templates/letter.typ", given, at=AT, ppi=20)) == 1
