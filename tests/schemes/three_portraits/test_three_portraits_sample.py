"""The synthetic district has the page's sizes, breaks no rule of the scheme, and shows what the scheme promises."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mingjian.declare import Scheme, evidence_types
from mingjian.reckon.measures import Results
from mingjian.record.evidence import read_rows
from mingjian.schemes.three_portraits.sample import sample


@pytest.fixture(scope="module")
def rows() -> dict[str, pa.Table]:
    return sample()


@pytest.fixture(scope="module")
def results(rows: dict[str, pa.Table], run) -> Results:
    return run(rows, "2021Q3")


def test_sizes_are_the_page_s(rows: dict[str, pa.Table]) -> None:
    assert len(rows["task"]) == 85 * 19 * 4 == 6_460
    assert len(rows["item"]) == 700
    assert len(rows["indicator"]) == 19
    assert 6_000 * 7 < len(rows["form"]) < 6_000 * 7.3
    assert sum(pc.equal(rows["form"]["about"], rows["form"]["unit"]).to_pylist()) == 6_000


def test_same_seed_gives_the_same_rows_and_another_gives_others(rows: dict[str, pa.Table]) -> None:
    again, other = sample(), sample(seed=1)
    assert all(again[kind].equals(table) for kind, table in rows.items())
    assert not other["form"].equals(rows["form"])


@pytest.mark.parametrize("kind", ["subject", "indicator", "task", "adjustment", "form", "item"])
def test_every_row_is_good_evidence(kind: str, rows: dict[str, pa.Table], scheme: Scheme) -> None:
    few = rows[kind].slice(0, 1_500).to_pylist()
    assert read_rows(few, evidence_types(scheme)[kind]).findings == ()


def test_a_larger_district_multiplies_everything() -> None:
    large = sample(scale=3)
    assert {kind: len(large[kind]) for kind in ("task", "item")} == {"task": 3 * 6_460, "item": 2_100}
    assert sum(pc.equal(large["form"]["about"], large["form"]["unit"]).to_pylist()) == 18_000
    ids = large["subject"]["id"].to_pylist()
    assert Counter(ids).most_common(2)[0] == ("L014", 2)  # only the mover stands twice


def test_units_have_names_of_their_own(rows: dict[str, pa.Table]) -> None:
    for language in ("zh", "en"):
        units = rows["subject"].filter(pc.equal(rows["subject"]["type"], "unit"))[language].to_pylist()
        assert len(set(units)) == len(units) == 86  # one was merged away


@pytest.mark.parametrize(
    ("measure", "printed"),
    [("units_described", "85"), ("leaders_described", "520"), ("ballots_counted", "6000"), ("items_recorded", "700")],
)
def test_panorama_gives_the_published_figures(measure: str, printed: str, results: Results) -> None:
    assert results.value(measure, "BEIBEI").printed == printed


def test_first_unit_is_the_page_s_example(results: Results) -> None:
    assert results.value("assessment", "U01").printed == "85.00"
    lost = {v.member for v in results.of("U01") if v.measure == "indicator_score" and v.printed != "100.00"}
    assert lost == {"B2", "B3", "D1"}


def test_small_unit_is_withheld_with_its_leaders(results: Results) -> None:
    ballots = [v for v in results.of("U04") if v.measure.startswith(("approval", "poor", "ballots"))]
    assert len(ballots) >= 9
    assert {v.status for v in ballots} == {"withheld"}
    assert all(v.number is None and v.group is None for v in ballots)
    withheld = {v.subject for v in results if v.measure == "leader_approval" and v.status == "withheld"}
    assert withheld == {f"L{n:03}" for n in range(22, 29)}


def test_other_portraits_are_whole(results: Results) -> None:
    assert sum(v.status == "value" for v in results if v.measure == "leader_approval" and not v.member) == 513
    for measure in ("assessment", "gravity", "clean_record", "movement"):
        values = [v for v in results if v.measure == measure and v.subject.startswith("U") and not v.member]
        assert len(values) == 85
        assert {v.status for v in values} == {"value"}


def test_clean_record_is_no_gravity(results: Results) -> None:
    for value in results:
        if value.measure == "leader_clean":
            gravity = results.value("leader_gravity", value.subject)
            assert (value.printed == "1") == (gravity.number == 0)


def test_merged_unit_has_left_but_its_item_has_not(rows: dict[str, pa.Table], results: Results) -> None:
    assert results.get("gravity", "U00") is None
    counted = sum(int(v.printed) for v in results if v.measure == "items_substantiated" and v.subject.startswith("U"))
    assert int(results.value("items_substantiated", "BEIBEI").printed) == counted + 1
