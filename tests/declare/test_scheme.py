"""A scheme read from its folder, carried as data, and its fingerprint."""

from __future__ import annotations

import copy
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Fault, Misuse
from mingjian.base.values import canonical
from mingjian.declare import (
    Scheme,
    evidence_types,
    formula_text,
    inspect,
    load,
    meaning,
    new_scheme,
    row_fields,
    scheme_data,
    scheme_from_data,
    source_type,
    subject_evidence,
)

RICH = Path(__file__).parent / "rich"


@pytest.fixture(scope="module")
def rich() -> Scheme:
    return load(RICH)


@pytest.fixture(scope="module")
def data(rich: Scheme) -> dict[str, Any]:
    return scheme_data(rich)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str, str], Scheme]:
    """The rich scheme with one text of one file replaced."""

    def edit(file: str, old: str, new: str) -> Scheme:
        folder = tmp_path / "rich"
        shutil.copytree(RICH, folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return load(folder)

    return edit


# -- reading ------------------------------------------------------------------------------------------------------------
def test_a_scheme_holds_what_its_folder_says(rich: Scheme) -> None:
    assert (rich.id, rich.version, rich.period, rich.minimum_group) == ("rich", "2021.1", "quarter", 12)
    assert rich.law == ("Article 1", "Article 2")
    assert (rich.title.text("en"), rich.title.text("zh")) == ("Rich", "全")
    assert rich.lineage_of("leader") == ("leader", "unit", "district")
    assert rich.evidence["task"].subjects == ("unit", "leader")
    assert list(rich.evidence["task"].fields["state"].choices) == ["open", "done"]
    assert rich.measures["change"].period == "quarter"
    assert rich.measures["fulfilment"].grades[0].at == Decimal(85)
    assert rich.statements["certificate"].valid_days == 730
    assert [node.id for node in rich.indices["total"].nodes()] == ["total", "grown", "fulfilment"]
    assert rich.indices["total"].root.children[1].title == rich.measures["fulfilment"].title


def test_a_parameter_is_that_in_force_on_the_day(rich: Scheme) -> None:
    half_life = rich.parameters["half_life"]

    values = [half_life.on(day) for day in (date(2020, 12, 31), date(2021, 12, 31), date(2022, 1, 1))]

    assert [value and value.value for value in values] == [None, Decimal(180), Decimal("90.50")]


def test_formulas_are_recorded_with_their_kind_and_line(rich: Scheme) -> None:
    fulfilment, gravity = rich.measures["fulfilment"], rich.measures["gravity"]

    assert formula_text(fulfilment.expr) == (
        '((100 * task.awarded.sum(where=task.state.isin(["open", "done"]))) / task.possible.sum(where=~task.late))'
    )
    assert (fulfilment.expr.kind, gravity.expr.kind) == ("exact", "score")
    assert (RICH / "measures.py").read_text().splitlines()[fulfilment.code_line - 1].startswith("def fulfilment(")


def test_cases_keep_their_rows_as_written_with_exact_numbers(rich: Scheme) -> None:
    (case,) = rich.cases

    assert case.rows["task"][0] == {"task": "T", "unit": "U", "possible": 100, "awarded": Decimal("85.0")}
    assert case.rows["subject"][0]["from"] == date(2021, 1, 1)
    assert [(e.measure, e.value, e.status, e.member, e.period) for e in case.expected] == [
        ("fulfilment", "85.00", "value", "", ""),
        ("each_indicator", "", "none", "I1", "2021Q2"),
    ]
    assert (case.file, case.line, case.expected[0].line) == ("cases/one.toml", 1, 20)


def test_rows_of_a_derivation_have_the_fields_they_come_from_and_the_results(rich: Scheme) -> None:
    fields = row_fields(rich, "carried")

    assert list(fields) == [*rich.evidence["contract"].fields, "part", "whole", "rest"]
    assert (fields["whole"].type, fields["whole"].unit) == ("quantity", "certificate")
    assert source_type(rich, "carried") == rich.evidence["contract"]
    assert row_fields(rich, "nothing") == {}
    assert source_type(rich, "nothing") is None


def test_how_work_goes_on_is_data(rich: Scheme) -> None:
    work = rich.processes["work"]

    assert (work.of, work.start, list(work.states), list(work.acts)) == (
        "errand",
        "open",
        ["open", "answered", "closed"],
        ["answer", "return", "close"],
    )
    assert [(s.due, s.within, s.days, s.final) for s in work.states.values()] == [
        ("deadline", None, "calendar", False),
        ("", 5, "working", False),
        ("", None, "calendar", True),
    ]
    answer, back = work.acts["answer"], work.acts["return"]
    assert (answer.sources, answer.to, answer.by, answer.takes) == (
        ("open",),
        "answered",
        ("clerk",),
        {"answer": "some"},
    )
    assert (answer.sets, answer.sets_late) == ({"outcome": "good"}, {"outcome": "late"})
    assert (back.fills, back.when, back.once) == (("deadline",), "before_due", True)
    assert (rich.roles["head"].grants, rich.roles["head"].oversees) == (("clerk", "head"), True)
    assert rich.evidence["errand"].retain == 5


def test_of_a_range_of_days_those_count_that_differ_from_the_rule(rich: Scheme) -> None:
    (year,) = rich.calendar

    assert (year.year, year.source) == (2021, "Notice 27")
    assert sorted(day.day for day in year.holidays if day.month == 2) == [11, 12, 15, 16, 17]  # not Saturday and Sunday
    assert year.workdays == {date(2021, 2, 7), date(2021, 2, 20)}


def test_every_scheme_knows_rows_about_subjects_and_with_processes_and_roles_the_kernels_own(rich: Scheme) -> None:
    subject = subject_evidence(rich)

    assert list(evidence_types(rich)) == ["subject", "act", "grant", *rich.evidence]
    assert list(evidence_types(replace(rich, processes={}, roles={}))) == ["subject", *rich.evidence]
    assert evidence_types(rich)["act"].key == ()
    assert evidence_types(rich)["grant"].key == ("account", "role", "subject")
    assert (subject.key, subject.date) == (("id", "from"), "from")
    assert list(subject.fields["type"].choices) == ["district", "unit", "leader"]


def test_loading_leaves_nothing_behind(rich: Scheme) -> None:
    assert not [name for name in sys.modules if "rich" in name and "mingjian" in name]
    assert not (RICH / "__pycache__").exists()


def test_a_folder_that_is_not_there_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is no folder"):
        inspect(tmp_path / "none")


# -- as data ------------------------------------------------------------------------------------------------------------
def test_data_is_json_without_numbers_and_comes_back_exactly(rich: Scheme, data: dict[str, Any]) -> None:
    again = scheme_from_data(json.loads(canonical(data)))

    assert scheme_data(again) == data
    assert again.fingerprint == rich.fingerprint == meaning(rich)
    assert list(again.evidence["task"].fields) == list(rich.evidence["task"].fields)
    assert again.parameters["half_life"].values[1].value == Decimal("90.50")
    assert (again.folder, again.cases) == (None, ())
    assert not [value for value in _leaves(data) if isinstance(value, int | float) and not isinstance(value, bool)]


def test_data_written_before_there_were_processes_is_still_read(rich: Scheme, data: dict[str, Any]) -> None:
    without = scheme_data(replace(rich, processes={}, roles={}, calendar=()))
    older = {key: value for key, value in without.items() if key not in ("processes", "roles", "calendar")}
    older["evidence"] = [[k, {n: v for n, v in kind.items() if n != "retain"}] for k, kind in older["evidence"]]

    assert scheme_from_data(older).fingerprint == rich.fingerprint


def _leaves(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        yield value
    else:
        for item in inner:
            yield from _leaves(item)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of the data with each of its keys or indices."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["task", "1e9", "-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.randoms(use_true_random=False), hostile=JSON)
def test_hostile_data_is_a_fault_or_a_scheme_that_holds(data: dict[str, Any], choice: Any, hostile: Any) -> None:
    changed = copy.deepcopy(data)
    container, key = choice.choice(list(_places(changed)))
    container[key] = hostile

    try:
        again = scheme_from_data(changed)
    except Fault:
        return
    assert scheme_data(again) == changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.update(format="other"), "format is not"),
        (lambda d: d.update(more="x"), "not an object of exactly"),
        (lambda d: d["measures"].append(d["measures"][0]), "not a list of pairs"),
        (lambda d: d["measures"][0].__setitem__(0, "other"), "is called"),
        (lambda d: d["measures"][0][1].update(decimals="99"), "more than 18 decimals"),
        (lambda d: d["measures"][0][1].update(decimals="9999999999"), "no int"),
        # a grade is held against the decimals: rounding to so many would never end
        (lambda d: [m.update(decimals="999999999") for _, m in d["measures"] if m["grades"]], "more than 18 decimals"),
        (lambda d: d["evidence"][0][1]["fields"][0][1].update(decimals="999999999"), "more than 18 decimals"),
        (lambda d: d["measures"][0][1].update(window="later"), "not one of"),
        (lambda d: d["measures"][0][1].update(certified="true"), "neither true nor false"),
        (
            lambda d: d["measures"][0][1].update(
                expr=["sum", "exact", "", ["field", "exact", "task", "task", "state"], None]
            ),
            "reads task state as exact",
        ),
        (
            lambda d: d["measures"][0][1].update(expr=["field", "exact", "task", "task", "wealth"]),
            "one value|reads task wealth",
        ),
        (lambda d: d["measures"][0][1].update(expr=["measure", "exact", "", "unknown"]), "reads unknown"),
        (lambda d: d["measures"][0][1].update(expr=["measure", "exact", "", "fulfilment"]), "a cycle"),
        (lambda d: d["measures"][0][1].update(expr=["param", "exact", None, "points"]), "reads points"),
        (lambda d: d["measures"][0][1].update(expr=["bound", "date", None, "today"]), "reads today"),
        (lambda d: d["measures"][0][1].update(expr=["lit", "text", None, "x"]), "not a number"),
        (lambda d: d["parameters"][0][1]["values"][0].update(value="1e9"), "no Decimal"),
        (lambda d: d["parameters"][0][1]["values"][0].update(start="2021-13-01"), "month must be"),
        (lambda d: d["calendar"][0]["workdays"].reverse(), "not in order"),
        (lambda d: d.update(zone="../etc/passwd"), "no time zone"),
        (lambda d: d.update(id="x; drop"), "cannot be a name"),
    ],
)
def test_data_that_does_not_hold_together_is_refused(data: dict[str, Any], change: Any, why: str) -> None:
    changed = copy.deepcopy(data)
    change(changed)

    with pytest.raises(Fault, match=why):
        scheme_from_data(changed)


def test_data_is_bounded_in_depth_and_size(data: dict[str, Any]) -> None:
    hostile: Any
    deep = copy.deepcopy(data)
    node: dict[str, Any] = deep["indices"][0][1]["root"]
    for _ in range(60):
        node["children"] = [copy.deepcopy({**node, "children": []})]
        node = node["children"][0]
    wide = {**data, "law": ["x"] * 300_000}

    for hostile in [deep, wide, {}, [], None]:
        with pytest.raises(Fault):
            scheme_from_data(hostile)


# -- fingerprint --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("measures.py", "SIZE = 1000", "SIZE = 2000"),
        ("measures.py", "fulfilment > 50", "fulfilment > 51"),
        ("scheme.toml", "value = 90.50", "value = 90.51"),
        ("scheme.toml", "minimum_group = 12", "minimum_group = 13"),
        ("scheme.toml", 'order = "rank"', 'order = "wh"'),
        ("scheme.toml", "weight = 60", "weight = 61"),
        ("scheme.toml", "decimals = 3", "decimals = 4"),
        ("scheme.toml", 'date = "day"', 'date = "day"\nballots = true'),
        ("scheme.toml", 'rollup = "mean"', 'rollup = "sum"'),
    ],
)
def test_a_changed_meaning_changes_the_fingerprint(
    rich: Scheme, edited: Callable[[str, str, str], Scheme], file: str, old: str, new: str
) -> None:
    assert edited(file, old, new).fingerprint != rich.fingerprint


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("measures.py", "SIZE = 1000", "# a comment\nSIZE = 10 ** 3"),
        ("scheme.toml", "# One of everything", "\n\n# Another comment"),
        ("scheme.toml", '{ en = "Fulfilment", zh = "完成率" }', '{ en = "Done", zh = "完成" }'),
        ("scheme.toml", '"Article 2"', '"Article 2a"'),
        ("scheme.toml", 'source = "Article 3"', 'source = "Article 3a"'),
        ("scheme.toml", "value = 90.50", "value = 90.5"),
        ("scheme.toml", 'version = "2021.1"', 'version = "2021.2"'),
        ("scheme.toml", "{ open = 0, done = 100 }", "{ done = 100, open = 0 }"),
        # who may do what, and by when, decides no number
        ("scheme.toml", "within = 5", "within = 6"),
        ("scheme.toml", 'reads = "sealed"', 'reads = "internal"'),
        ("scheme.toml", "2021-01-01, ", ""),
        ("scheme.toml", "retain = 5", "retain = 6"),
    ],
)
def test_wording_and_order_do_not_change_the_fingerprint(
    rich: Scheme, edited: Callable[[str, str, str], Scheme], file: str, old: str, new: str
) -> None:
    assert edited(file, old, new).fingerprint == rich.fingerprint


def test_the_order_of_tables_does_not_change_the_fingerprint(rich: Scheme, data: dict[str, Any]) -> None:
    turned = copy.deepcopy(data)
    for key in ("measures", "evidence", "parameters", "derivations", "statements", "subjects"):
        turned[key].reverse()

    assert scheme_from_data(turned).fingerprint == rich.fingerprint


# -- a new one ----------------------------------------------------------------------------------------------------------
def test_a_new_scheme_loads_and_its_case_stands_on_the_threshold(tmp_path: Path) -> None:
    files = new_scheme(tmp_path / "mine", "mine")

    scheme = load(tmp_path / "mine")
    assert scheme.id == "mine"
    assert scheme.cases[0].expected[0].value == "90.00"
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= 65


def test_a_new_scheme_needs_a_name_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="cannot be the id"):
        new_scheme(tmp_path / "mine", "My scheme")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(Misuse, match="is not empty"):
        new_scheme(tmp_path / "full", "mine")
