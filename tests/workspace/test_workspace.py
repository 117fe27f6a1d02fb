"""A workspace: made once, opened by anyone who holds it, and every change to it an entry of its ledger."""

from __future__ import annotations

import shutil
import stat
import threading
from fractions import Fraction

import pytest
import python_calamine
import xlsxwriter

from mingjian.base.errors import Fault, MingjianError, Misuse
from mingjian.base.values import Period
from mingjian.declare import Title
from mingjian.record.evidence import read_rows
from mingjian.workspace import Workspace, rows_of, scheme_folder

Q3 = Period.parse("2021Q3")


# -- making and opening ------------------------------------------------------------------------------------------------


def test_a_new_workspace_opens_with_the_keys_it_was_made_with(tmp_path):
    made = Workspace.create(tmp_path / "w", origin="example.org/w")
    opened = Workspace.open(tmp_path / "w")
    assert (opened.ledger.origin, opened.ledger.vkey, opened.issuer.public) == (
        "example.org/w", made.ledger.vkey, made.issuer.public,
    )  # fmt: skip
    for key in ("ledger", "issuer"):
        assert stat.S_IMODE((tmp_path / "w" / "keys" / f"{key}.pem").stat().st_mode) == 0o600
    assert opened.schemes() == ()


def test_a_workspace_is_never_made_over_anything(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(Misuse, match="not empty"):
        Workspace.create(tmp_path / "full", origin="example.org/w")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_what_is_no_workspace_says_how_to_make_one(tmp_path):
    with pytest.raises(Misuse, match="no workspace") as error:
        Workspace.open(tmp_path)
    assert "mingjian new workspace" in error.value.remedy


# -- schemes -----------------------------------------------------------------------------------------------------------


def test_adopting_the_same_version_again_changes_nothing(fresh, small):
    workspace, scheme = fresh
    before = workspace.ledger.size
    assert workspace.adopt(str(small), "tester").fingerprint == scheme.fingerprint
    assert workspace.ledger.size == before


VERSION_2 = ('version = "1"', 'version = "2"')
TITLE = ('en = "Small"', 'en = "Smaller"')
HALF = ("100 * task.awarded", "50 * task.awarded")
LABEL = ('key = ["task"]', 'key = ["task"]\nlabel = "confidential"')


def rewritten(small, folder, changes):
    """A copy of the small scheme with one text replaced in each of some files."""
    copy = folder / "changed"
    shutil.copytree(small, copy, dirs_exist_ok=True)
    for name, (old, new) in changes.items():
        text = (copy / name).read_text("utf-8")
        assert old in text
        (copy / name).write_text(text.replace(old, new), "utf-8")
    return copy


def test_a_scheme_whose_cases_fail_is_not_recorded(fresh, small, tmp_path):
    workspace, scheme = fresh
    size = workspace.ledger.size
    changed = rewritten(small, tmp_path, {"scheme.toml": VERSION_2, "measures.py": HALF})
    with pytest.raises(Fault, match="does not pass its own cases") as error:
        workspace.adopt(str(changed), "tester")
    assert ["nine-of-ten" in str(finding) for finding in error.value.findings] == [True]
    assert f"mingjian check {changed}" in error.value.remedy
    assert (workspace.ledger.size, workspace.scheme().fingerprint) == (size, scheme.fingerprint)


def test_one_version_has_one_meaning(fresh, small, tmp_path):
    """Also when another version was in force in between."""
    workspace, scheme = fresh
    half = {"measures.py": HALF, "cases/first.toml": ('"90.00"', '"45.00"')}
    other = rewritten(small, tmp_path / "other", {**half, "scheme.toml": VERSION_2})
    workspace.adopt(str(other), "tester")
    workspace.adopt(str(small), "tester")
    assert workspace.scheme().fingerprint == scheme.fingerprint
    size = workspace.ledger.size
    with pytest.raises(Misuse, match="version 1 of small is recorded with another meaning") as error:
        workspace.adopt(str(rewritten(small, tmp_path, half)), "tester")
    assert error.value.remedy == "raise the version in scheme.toml"
    assert workspace.ledger.size == size


@pytest.mark.parametrize("change", [TITLE, LABEL], ids=["a title", "who may read"])
def test_what_changes_no_result_is_recorded_under_the_same_version(fresh, small, tmp_path, change):
    workspace, scheme = fresh
    size = workspace.ledger.size
    changed = rewritten(small, tmp_path, {"scheme.toml": change})
    workspace.adopt(str(changed), "tester")
    assert (workspace.scheme().fingerprint, workspace.ledger.size) == (scheme.fingerprint, size + 1)
    now = workspace.scheme()
    assert (now.title.en, now.evidence["task"].label) in (("Smaller", "internal"), ("Small", "confidential"))
    workspace.adopt(str(changed), "tester")
    assert workspace.ledger.size == size + 1


def test_old_results_keep_the_rules_of_their_day(fresh, small, write, task, tmp_path):
    workspace, scheme = fresh
    workspace.add_file(scheme, "task", write("rules", [task("1", "U1", "8")]), "tester")
    size = workspace.ledger.size
    before = list(workspace.measure(scheme, Q3))

    half = {"measures.py": HALF, "cases/first.toml": ('"90.00"', '"45.00"')}
    changed = rewritten(small, tmp_path, {"scheme.toml": VERSION_2, **half})
    new = workspace.adopt(str(changed), "tester")

    assert new.fingerprint != scheme.fingerprint
    assert workspace.scheme().fingerprint == new.fingerprint
    assert workspace.scheme("small", size).fingerprint == scheme.fingerprint
    assert workspace.measure(workspace.scheme(), Q3).value("fulfilment", "U1").number == 40
    assert list(workspace.measure(workspace.scheme("small", size), Q3, size=size)) == before


def test_a_workspace_of_several_schemes_asks_which(fresh):
    workspace, _ = fresh
    workspace.adopt("green_power", "tester")
    assert workspace.schemes() == ("green_power", "small")
    with pytest.raises(Misuse, match="which scheme") as error:
        workspace.scheme()
    assert "green_power, small" in error.value.why
    assert "-s NAME" in error.value.remedy
    with pytest.raises(Misuse, match="does not run scheme other") as error:
        workspace.scheme("other")
    assert "green_power, small" in error.value.remedy


def test_schemes_are_found_by_name_or_folder(small):
    assert scheme_folder(str(small)) == small
    assert (scheme_folder("three_portraits") / "scheme.toml").is_file()
    with pytest.raises(Misuse, match="no scheme four_portraits") as error:
        scheme_folder("four_portraits")
    assert "three_portraits" in error.value.remedy


# -- adding ------------------------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing_and_says_so(fresh, write, task):
    workspace, scheme = fresh
    file = write("twice", [task("1", "U1", "8")])
    first = workspace.add_file(scheme, "task", file, "tester")
    size = workspace.ledger.size
    again = workspace.add_file(scheme, "task", file, "someone else")
    assert (again.entry, again.rows, again.known) == (None, 0, first.entry)
    assert workspace.ledger.size == size


def test_an_entry_says_who_added_which_file(fresh, write, task):
    workspace, scheme = fresh
    entry = workspace.add_file(scheme, "task", write("whose", [task("1", "U1", "8")]), "li", synthetic=True).entry
    assert (entry.by, entry.kind, entry.scheme, entry.source["file"], entry.source["synthetic"]) == (
        "li", "task", "small", "whose.jsonl", "true",
    )  # fmt: skip
    assert workspace.synthetic(scheme)
    assert not workspace.synthetic(scheme, entry.index)


def test_ballots_are_recorded_in_an_order_that_says_nothing(fresh, write):
    """Neighbours in a file belong together; in the ledger they do not, nor does a row say on which line it stood."""
    workspace, scheme = fresh
    given = [{"day": "2021-08-15", "unit": "U1", "grade": "good" if n < 40 else "poor"} for n in range(80)]
    entry = workspace.add_file(scheme, "ballot", write("ballots", given), "tester").entry
    table = workspace.ledger.table(entry.index)
    grades = table["grade"].to_pylist()
    assert "_line" not in table.column_names
    assert sorted(grades) == ["good"] * 40 + ["poor"] * 40
    assert grades not in (sorted(grades), sorted(grades, reverse=True))


def test_a_batch_with_a_bad_row_lands_not_at_all(fresh, write, task):
    workspace, scheme = fresh
    size = workspace.ledger.size
    rows = [task("1", "U1", "8"), task("2", "U1", "11"), task("3", "U9", "8"), task("4", "U1", "x")]
    with pytest.raises(MingjianError, match="nothing of this task was taken in") as error:
        workspace.add_file(scheme, "task", write("bad", rows), "tester")
    assert {(f.place.row, f.place.field) for f in error.value.findings} == {(2, "awarded"), (3, "unit"), (4, "awarded")}
    assert workspace.ledger.size == size


def test_a_batch_lands_without_its_bad_rows_where_the_type_says_so(fresh, write):
    workspace, scheme = fresh
    rows = [{"unit": u, "month": "2021-08", "wh": wh} for u, wh in (("U1", 5), ("U9", 6), ("U2", -7))]
    taken = workspace.add_file(scheme, "reading", write("some", rows), "tester")
    assert (taken.rows, taken.refused, [f.place.row for f in taken.findings]) == (1, 2, [3, 2])
    assert workspace.measure(scheme, Q3).value("energy", "U1").number == 5


def test_a_file_of_bad_rows_only_lands_nowhere(fresh, write):
    workspace, scheme = fresh
    size = workspace.ledger.size
    taken = workspace.add_file(
        scheme, "reading", write("none", [{"unit": "U9", "month": "2021-08", "wh": 1}]), "tester"
    )
    assert (taken.entry, taken.rows, taken.refused) == (None, 0, 1)
    assert workspace.ledger.size == size


def test_subjects_that_form_no_hierarchy_land_not(fresh, write):
    workspace, scheme = fresh
    row = {"id": "U3", "type": "unit", "zh": "三", "en": "Three", "from": "2021-01-01"}
    for name, bad in (
        ("parent", {"parent": "D9"}),
        ("type", {"type": "ward", "parent": "D"}),
        ("above", {"parent": "U1"}),
    ):
        with pytest.raises(MingjianError) as error:
            workspace.add_file(scheme, "subject", write(f"subject-{name}", [row | bad]), "tester")
        assert error.value.findings, name
    assert len(workspace.hierarchy(scheme)) == 3


def test_a_subject_moves_by_a_later_row(fresh, write, task):
    workspace, scheme = fresh
    rows = [
        {"id": "D2", "type": "district", "zh": "新区", "en": "New", "from": "2021-01-01"},
        {"id": "U1", "type": "unit", "parent": "D2", "zh": "一单位", "en": "Unit one", "from": "2021-07-01"},
    ]
    workspace.add_file(scheme, "subject", write("move", rows), "tester")
    tasks = [task("1", "U1", "8"), task("2", "U1", "2", quarter="2021Q2")]
    workspace.add_file(scheme, "task", write("moved", tasks), "tester")
    quarters = (Period.parse("2021Q2"), Q3)
    found = [[workspace.measure(scheme, q).value("fulfilment", d).number for d in ("D", "D2")] for q in quarters]
    assert found == [[20, None], [None, 80]]


def test_an_unknown_kind_of_rows_is_named(fresh, write):
    workspace, scheme = fresh
    with pytest.raises(Misuse, match="no evidence tasks") as error:
        workspace.add_file(scheme, "tasks", write("x", [{}]), "tester")
    assert "task" in error.value.remedy


def test_rows_are_held_against_what_came_in_meanwhile(fresh, write, monkeypatch):
    """Between looking and landing somebody else's row makes these wrong: U1 is above itself only with both."""
    workspace, scheme = fresh
    other = Workspace.open(workspace.folder)
    move = {
        "id": "D",
        "type": "district",
        "zh": "区",
        "en": "District",
        "from": "2021-01-01",
        "until": "2021-06-01",
        "into": "D2",
    }
    new = {"id": "D2", "type": "district", "zh": "新", "en": "New", "from": "2021-01-01"}
    back = {
        "id": "D2",
        "type": "district",
        "zh": "新",
        "en": "New",
        "from": "2021-01-01",
        "until": "2021-06-01",
        "into": "D",
    }
    workspace.add_file(scheme, "subject", write("new", [new]), "tester")
    append = workspace.ledger.append

    def late(batch, *, check):
        other.add_file(other.scheme(), "subject", write("back", [back]), "other")
        return append(batch, check=check)

    monkeypatch.setattr(workspace.ledger, "append", late)
    size = workspace.ledger.size
    with pytest.raises(MingjianError, match="nothing of this subject was taken in"):
        workspace.add_file(scheme, "subject", write("gone", [move]), "tester")
    assert other.ledger.size == size + 1


def test_two_who_add_at_once_both_land(fresh, write, task):
    workspace, _ = fresh
    size = workspace.ledger.size
    failures = []

    def add(name):
        try:
            own = Workspace.open(workspace.folder)
            own.add_file(own.scheme(), "task", write(f"race-{name}", [task(name, "U1", "8")]), name)
        except MingjianError as error:
            failures.append(error)

    racers = [threading.Thread(target=add, args=(name,)) for name in ("a", "b", "c")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert not failures
    assert workspace.ledger.size == size + 3
    assert workspace.measure(workspace.scheme(), Q3).value("fulfilment", "U1").number == 80
    assert not workspace.ledger.audit()


# -- forms -------------------------------------------------------------------------------------------------------------


def test_weights_edited_in_the_sheet_change_the_assessment(tmp_path, write):
    """The office takes the list of duties out to Excel, edits a weight, and adds the file back."""
    workspace = Workspace.create(tmp_path / "w", origin="example.org/w")
    scheme = workspace.adopt("three_portraits", "tester")
    subjects = [
        {"id": "D", "type": "district", "zh": "区", "en": "District", "from": "2020-01-01"},
        {"id": "U1", "type": "unit", "parent": "D", "zh": "单位", "en": "Unit", "from": "2020-01-01"},
    ]
    workspace.add_file(scheme, "subject", write("p-subjects", subjects), "tester")
    workspace.add_file(scheme, "indicator", scheme_folder("three_portraits") / "indicators.csv", "tester")
    with workspace.view(scheme) as view:
        codes = view.arrow("indicator")["code"].to_pylist()
    tasks = [
        {
            "task": code, "unit": "U1", "indicator": code, "quarter": "2021Q3", "deadline": "2021-09-30",
            "possible": "10", "awarded": "0" if code == codes[0] else "10", "state": "on_time",
        }
        for code in codes
    ]  # fmt: skip
    workspace.add_file(scheme, "task", write("p-tasks", tasks), "tester")
    before = workspace.measure(scheme, Q3).value("assessment", "U1").number

    form, edited = tmp_path / "form.xlsx", tmp_path / "edited.xlsx"
    assert workspace.template(scheme, "indicator", form, filled=True) == len(codes) == 19
    sheet = python_calamine.CalamineWorkbook.from_path(form).get_sheet_by_index(0).to_python()
    weight, code = (next(i for i, c in enumerate(sheet[0]) if w in str(c)) for w in ("权重分值", "指标编号"))
    with xlsxwriter.Workbook(edited) as book:
        page = book.add_worksheet()
        for i, row in enumerate(sheet):
            row[weight] = 0 if row[code] == codes[0] else row[weight]
            for j, cell in enumerate(row):
                page.write(i, j, cell.isoformat() if hasattr(cell, "isoformat") else cell)
    taken = workspace.add_file(scheme, "indicator", edited, "tester")
    assert (taken.rows, taken.refused) == (19, 0)
    assert before < 100
    assert workspace.measure(scheme, Q3).value("assessment", "U1").number == pytest.approx(100)


def test_a_form_offers_the_subjects_there_are(filled, tmp_path):
    workspace, scheme = filled
    assert workspace.template(scheme, "task", tmp_path / "task.xlsx") == 0
    book = python_calamine.CalamineWorkbook.from_path(tmp_path / "task.xlsx")
    cells = {cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row}
    assert {"U1", "U2"} <= cells


# -- measuring and explaining ------------------------------------------------------------------------------------------


def test_results_of_any_size_stay_as_they_were(filled):
    """What came later changes no earlier result, whether it is asked for then or now."""
    workspace, scheme = filled
    later = Workspace.open(workspace.folder)
    found = {}
    for size in range(1, workspace.ledger.size + 1):
        found[size] = [
            v.printed for v in later.measure(scheme, Q3, size=size) if (v.measure, v.subject) == ("fulfilment", "U1")
        ]
    assert found == {1: [], 2: [""], 3: ["80.00"], 4: ["80.00"], 5: ["80.00"]}


def test_later_rows_change_no_earlier_result(fresh, write, task):
    workspace, scheme = fresh
    kept = {}
    for step in range(3):
        rows = [task(str(i), f"U{1 + (i + step) % 2}", str(step + i)) for i in range(step + 1)]
        workspace.add_file(scheme, "task", write(f"step{step}", rows), "tester")
        kept[workspace.ledger.size] = list(workspace.measure(scheme, Q3))
    assert len({str(v) for v in kept.values()}) == len(kept)
    again = Workspace.open(workspace.folder)
    assert {size: list(again.measure(scheme, Q3, size=size)) for size in kept} == kept


def test_what_is_about_few_is_withheld(filled):
    workspace, scheme = filled
    results = workspace.measure(scheme, Q3)
    assert [(results.value(m, u).status) for u in ("U1", "U2") for m in ("approval", "overall")] == [
        "value", "value", "withheld", "withheld",
    ]  # fmt: skip
    assert results.value("approval", "U1").number == 75
    assert results.value("energy", "U1").number == 3 * 2**62 + 24


def test_an_explanation_has_each_rows_file_line_entry_and_proof(filled):
    workspace, scheme = filled
    found = workspace.explain(scheme, "fulfilment", "U1", Q3)
    rows = list({(row.entry, row.row): row for row in rows_of(found.root)}.values())
    assert [(found.entries[r.entry].source["file"], r.line, r.data["task"]) for r in rows] == [
        ("filled-task.jsonl", 1, "1"), ("filled-task.jsonl", 2, "2"),
    ]  # fmt: skip
    assert {(p.entry, p.row) for p in found.proofs.values()} == {(r.entry, r.row) for r in rows}


def test_an_explanation_shows_neither_ballots_nor_figures_about_few(filled):
    workspace, scheme = filled
    many, few = (workspace.explain(scheme, "overall", unit, Q3) for unit in ("U1", "U2"))
    fulfilment, approval = few.root.inputs
    assert (few.root.value.status, approval.value.status, fulfilment.value.number) == ("withheld", "withheld", 10)
    (reduction,) = approval.reductions
    assert (reduction.value, reduction.count, reduction.rows) == (None, None, ())
    (shown,) = many.root.inputs[1].reductions
    assert (shown.value, shown.count, shown.rows) == (Fraction(75), 12, ())
    assert "ballot" not in {found.entries[r.entry].kind for found in (many, few) for r in rows_of(found.root)}


def test_who_gets_a_statement_of_a_type(filled):
    workspace, scheme = filled
    assert workspace.subjects(scheme, "portrait", Q3) == ("U1", "U2")
    assert workspace.subjects(scheme, "portrait", Q3, ["U2", "U9"]) == ("U2",)
    assert workspace.subjects(scheme, "portrait", Period.parse("2020Q3")) == ()
    with pytest.raises(Misuse, match="no statement diploma"):
        workspace.subjects(scheme, "diploma", Q3)


# -- claims ------------------------------------------------------------------------------------------------------------


def test_claims_are_held_against_what_is_measured_here(filled, tmp_path, claimed):
    workspace, _ = filled
    file = tmp_path / "claims.toml"
    figures = {
        name: ("完成80%", 80, "percent", "fulfilment", subject, "2021Q3")
        for name, subject in (("right", "U1"), ("wrong", "U2"), ("nobody", "U9"))
    }
    file.write_text(claimed(**figures), "utf-8")
    assert {v.claim.id: v.outcome for v in workspace.claims(file)} == {
        "right": "consistent", "wrong": "contradicted", "nobody": "unsupported",
    }  # fmt: skip


def test_rows_given_by_a_program_land_too(fresh, task):
    workspace, scheme = fresh
    intake = read_rows([task("1", "U1", "8")], scheme.evidence["task"])
    assert workspace.add(scheme, "task", intake, "program").rows == 1
    assert workspace.scheme().title == Title("Small", "小方案")
