"""A list of duties that changes from a day on: earlier quarters stay as they were, at whatever size they are reckoned."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import python_calamine
import xlsxwriter

from mingjian.attest.issue import Run, issue, pack
from mingjian.base.values import Period
from mingjian.workspace import (
    STATUS_FILE,
    TRUST_FILE,
    Order,
    Workspace,
    issue_into,
    read_trust,
    scheme_folder,
    verify_files,
)
from mingjian.workspace._papers import Papers

Q2, Q3 = Period.parse("2021Q2"), Period.parse("2021Q3")
SUBJECTS = [
    {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2020-01-01"},
    {"id": "U1", "type": "unit", "parent": "D", "zh": "单位", "en": "Unit", "from": "2020-01-01"},
]
LIST = ("A1", "A2")  # of five points each


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, write):
    """All of A1 and none of A2 was awarded in both quarters; from the second on, A1 weighs three times as much."""
    folder = tmp_path_factory.mktemp("dated")
    made = Workspace.create(folder / "w", origin="example.org/dated")
    scheme = made.adopt("three_portraits", "tester")
    made.add_file(scheme, "subject", write("dated-subjects", SUBJECTS), "tester")
    made.add_file(scheme, "indicator", scheme_folder("three_portraits") / "indicators.csv", "tester")
    tasks = [
        {
            "task": f"{quarter}-{code}", "unit": "U1", "indicator": code, "quarter": str(quarter),
            "deadline": "2021-09-20", "possible": "10", "awarded": awarded, "state": "on_time",
        }
        for quarter in (Q2, Q3)
        for code, awarded in zip(LIST, ("10", "0"), strict=True)
    ]  # fmt: skip
    made.add_file(scheme, "task", write("dated-tasks", tasks), "tester")
    assert [assessment(made, quarter) for quarter in (Q2, Q3)] == [50, 50]
    made.template(scheme, "indicator", folder / "list.xlsx", filled=True)
    head, *rows = python_calamine.CalamineWorkbook.from_path(folder / "list.xlsx").get_sheet_by_index(0).to_python()
    code, weight, since = (head.index(title) for title in ("指标编号", "权重分值", "生效日期"))
    (new,) = (row for row in rows if row[code] == "A1")
    new[weight], new[since] = 15, date(2021, 7, 1)
    with xlsxwriter.Workbook(folder / "edited.xlsx") as book:
        page = book.add_worksheet()
        for i, row in enumerate([head, *rows]):
            page.write_row(i, 0, [cell.isoformat() if hasattr(cell, "isoformat") else cell for cell in row])
    made.add_file(scheme, "indicator", folder / "edited.xlsx", "tester")
    return made


def assessment(workspace, quarter, size=None):
    return workspace.measure(workspace.scheme(), quarter, size=size).value("assessment", "U1").number


def test_a_new_weight_leaves_the_quarter_before_it_and_changes_its_own(workspace):
    assert assessment(workspace, Q2) == 50
    assert assessment(workspace, Q3) == 75  # 15 of 20 points
    assert assessment(workspace, Q3, workspace.ledger.size - 1) == 50


def test_the_filled_sheet_lists_every_row_and_comes_back_unchanged(workspace, tmp_path):
    scheme, form = workspace.scheme(), tmp_path / "list.xlsx"
    assert workspace.template(scheme, "indicator", form, filled=True) == 20
    taken = workspace.add_file(scheme, "indicator", form, "tester")
    assert (taken.rows, taken.refused) == (20, 0)
    assert [assessment(workspace, quarter) for quarter in (Q2, Q3)] == [50, 75]


@pytest.mark.parametrize(("quarter", "weight"), [(Q2, "5.0"), (Q3, "15.0")], ids=str)
def test_a_paper_shows_the_weight_of_its_quarter(workspace, quarter, weight):
    scheme = workspace.scheme()
    with workspace.view(scheme) as view:
        run = Run(scheme, view, workspace.hierarchy(scheme, view.size), workspace.measure(scheme, quarter))
        said = issue(
            run,
            {"unit_portrait": ["U1"]},
            ledger=workspace.ledger,
            key=workspace.issuer,
            now=datetime(2021, 10, 8, tzinfo=UTC),
            by="tester",
        )
        ((statement, package),) = pack(said, workspace.ledger, "described")
        members = Papers(said.run, workspace.papers(scheme)).data(statement, package, "zh")["members"]
    assert members["A1"]["weight"] == weight
    assert members["A2"]["weight"] == "5.0"


@pytest.mark.parametrize("quarter", [Q2, Q3], ids=str)
def test_a_reader_recomputes_each_quarter_with_its_own_weights(workspace, tmp_path, quarter):
    issued = issue_into(workspace, workspace.scheme(), Order(quarter, {"unit_portrait": ["U1"]}), tmp_path, by="tester")
    report = verify_files(
        issued.files, trust=read_trust(tmp_path / TRUST_FILE), now=workspace.clock(), status=[tmp_path / STATUS_FILE]
    )
    assert report.good
    (package,) = report.packages
    (number,) = (n for n in package.numbers if (n.measure, n.member) == ("assessment", ""))
    assert number.outcome == "recomputed from evidence"
