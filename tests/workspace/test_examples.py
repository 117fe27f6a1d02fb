"""Examples built from nothing, and the cases by which an author tries a scheme."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mingjian.base.errors import Misuse
from mingjian.declare import Case, Expected, load
from mingjian.workspace import build_example, run_cases, sample_rows


@pytest.fixture
def example(tmp_path, small, claimed):
    folder = tmp_path / "example"
    folder.mkdir()
    (folder / "example.toml").write_text(
        f"""
        origin = "example.org/example"
        claims = "claims.toml"
        [[programme]]
        scheme = "{small}"
        seed = 7
        [[programme.issue]]
        period = "2021Q3"
        statements = ["portrait"]
        level = "auditor"
        papers = ["U1"]
        """,
        "utf-8",
    )
    figures = claimed(energy=("一亿度", 100_000_000, "kWh", "energy", "U1", "2021Q3"))
    (folder / "claims.toml").write_text(figures, "utf-8")
    return folder


def test_an_example_is_built_issued_verified_and_held_against_its_claims(example, tmp_path):
    seen = []
    built = build_example(example, tmp_path / "built", progress=lambda *step: seen.append(step))
    assert built.report.good
    assert [v.outcome for v in built.verdicts] == ["contradicted"]
    assert [(step.what, step.count) for step in built.steps] == [
        ("add subject", 3), ("add task", 2), ("add reading", 2), ("measure small 2021Q3", 9), ("issue small 2021Q3", 2),
        ("verify", 2), ("claims", 1),
    ]  # fmt: skip
    assert ("small: add", 3, 3) in seen
    assert {p.name for p in (tmp_path / "built" / "issued").glob("*U1*")} == {
        "portrait-U1-2021Q3.json",
        "portrait-U1-2021Q3.pdf",
    }
    assert built.workspace.synthetic(built.workspace.scheme())
    assert all(c.statement.synthetic for c in built.report.packages)

    again = build_example(example, tmp_path / "built", scale=2)
    assert again.report.good
    assert len(again.report.packages) == 4
    assert len(list((tmp_path / "built" / "issued").glob("portrait-*.json"))) == 4


def test_a_foreign_folder_is_never_cleared(example, tmp_path):
    foreign = tmp_path / "home"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    with pytest.raises(Misuse, match="not empty"):
        build_example(example, foreign)
    assert (foreign / "letter.txt").read_text() == "mine"


def test_a_folder_without_an_example_is_refused_before_anything_is_cleared(tmp_path):
    built = tmp_path / "built"
    built.mkdir()
    (built / ".mingjian-example").touch()
    with pytest.raises(Misuse, match="is no example"):
        build_example(tmp_path, built)
    assert (built / ".mingjian-example").exists()


def test_samples_are_the_same_for_the_same_seed(small, tmp_path):
    first, second, other = (sample_rows(str(small), seed) for seed in (7, 7, 8))
    assert first == second != other
    (tmp_path / "scheme.toml").touch()
    with pytest.raises(Misuse, match=r"no sample\.py"):
        sample_rows(str(tmp_path), 7)


# -- cases -------------------------------------------------------------------------------------------------------------


def test_cases_that_hold_give_no_finding(small):
    steps = []
    assert run_cases(load(small), lambda: steps.append(1)) == ()
    assert len(steps) == 1


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        ({"expected": [Expected("fulfilment", "U1", "91.00", line=12)]}, "case-differs", "should be 91.00"),
        ({"expected": [Expected("fulfilment", "U1", status="none")]}, "case-differs", "should be none"),
        ({"expected": [Expected("approval", "U1", "100.0")]}, "case-differs", "should be 100.0"),
        ({"expected": [Expected("fulfilment", "U9", "1")]}, "case-differs", "fulfilment of U9"),
        ({"expected": [Expected("fulfilment", "U1", "90.00", member="x")]}, "case-differs", r"U1 (x)"),
        ({"rows": {"task": [{"awarded": "11"}]}}, "above-other-field", "more than possible"),
        ({"rows": {"task": [{"unit": "U9"}]}}, "unknown-subject", "U9"),
        ({"rows": {"subject": [{"parent": "D9"}]}}, "unknown-parent", "D9"),
        ({"rows": {"sheet": [{"a": "1"}]}}, "unknown-evidence", "sheet"),
    ],
)  # fmt: skip
def test_a_case_that_does_not_hold_says_where_and_what_came_out(small, change, rule, words):
    scheme = load(small)
    (case,) = scheme.cases
    rows = dict(case.rows)
    for kind, changes in change.get("rows", {}).items():
        *others, last = rows.get(kind, ({},))
        rows[kind] = (*others, last | changes[0])
    changed: Case = replace(case, rows=rows, expected=tuple(change.get("expected", case.expected)))
    found = [f for f in run_cases(replace(scheme, cases=(changed,))) if f.rule == rule]
    assert found, run_cases(replace(scheme, cases=(changed,)))
    assert words in str(found[0])
    if rule == "case-differs":
        assert found[0].place.file.startswith("cases/first.toml:")
