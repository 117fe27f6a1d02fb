"""The scheme holds together, its cases hold, and a year of the sample comes to the page's figure."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import mingjian.schemes.green_power
from mingjian.base.values import Period
from mingjian.declare import Case, Hierarchy, Scheme, evidence_types, load
from mingjian.reckon.measures import Results, derive, evaluate
from mingjian.record.evidence import View, read_rows
from mingjian.schemes.green_power.sample import sample

FOLDER = Path(mingjian.schemes.green_power.__file__).parent
SCHEME = load(FOLDER)
MWH = 1_000_000


def view_of(scheme: Scheme, tables: dict[str, Any]) -> tuple[View, Hierarchy]:
    hierarchy = Hierarchy.of_rows(tables["subject"].to_pylist(), scheme.subjects)
    return View.of(tables, evidence_types(scheme), zone=scheme.zone), hierarchy


@pytest.mark.parametrize("case", SCHEME.cases, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    types = evidence_types(SCHEME)
    intakes = {kind: read_rows(rows, types[kind], case.file, zone=SCHEME.zone) for kind, rows in case.rows.items()}
    assert [finding for intake in intakes.values() for finding in intake.findings] == []
    view, hierarchy = view_of(SCHEME, {kind: intake.table for kind, intake in intakes.items()})
    with view:
        wanted: dict[str, set[str]] = defaultdict(set)
        for expected in case.expected:
            wanted[expected.period or case.period].add(expected.measure)
        outcome = {
            period: evaluate(SCHEME, view, hierarchy, Period.parse(period), only=measures)
            for period, measures in wanted.items()
        }
    for expected in case.expected:
        value = outcome[expected.period or case.period].value(expected.measure, expected.subject, expected.member)
        assert (value.status, value.printed) == (expected.status, expected.value), expected


@pytest.fixture(scope="module")
def year() -> Iterator[tuple[dict[str, Any], View, Results]]:
    tables = sample()
    view, hierarchy = view_of(SCHEME, tables)
    with view:
        yield tables, view, evaluate(SCHEME, view, hierarchy, Period.parse("2021"))


def test_the_data_centre_used_sixty_million_kilowatt_hours_of_green_power(year: Any) -> None:
    _, _, results = year
    assert results.value("green_energy", "TENCENT-CQ").printed == "60000000.000"
    assert results.value("avoided_co2", "TENCENT-CQ").printed == "33408.000"
    certified = results.value("gec_count", "TENCENT-CQ").number * Fraction(1_000)
    carried = results.value("gec_rest", "TENCENT-CQ").number
    assert certified + carried == 60_000_000
    assert carried > 1_000, "five contracts each carry something"


def test_each_of_the_three_is_the_least_in_its_turn(year: Any) -> None:
    _, view, _ = year
    rows = derive(SCHEME, "settlement", lambda kind: view.arrow(kind).to_pylist(), Period.parse("2021"))
    least = Counter()
    for row in rows:
        three = {"contract": row["contracted"], "plant": row["from_plant"], "use": row["from_use"]}
        least[min(three, key=lambda name: three[name])] += 1
    assert len(rows) == 5 * 4 * 12
    assert least == {"contract": 5 * 4 * 7, "plant": 5 * 4 * 3, "use": 5 * 4 * 2}


def test_nothing_is_settled_that_was_not_fed_in_and_used(year: Any) -> None:
    tables, _, results = year
    fed_in: dict[str, int] = defaultdict(int)
    for row in tables["generation"].to_pylist():
        fed_in[row["plant"]] += row["on_grid"] - (row["mechanism"] or 0)
    used: dict[str, int] = defaultdict(int)
    for row in tables["use"].to_pylist():
        used[row["consumer"]] += row["used"]
    for plant, wh in fed_in.items():
        sold, unsold = (results.value(name, plant).number for name in ("sold", "unsold"))
        assert unsold >= 0
        assert sold + unsold == Fraction(wh, 1000)
    for consumer, wh in used.items():
        assert 0 < results.value("green_energy", consumer).number <= Fraction(wh, 1000)
    sold_in_all = sum(results.value("sold", plant).number for plant in fed_in)
    assert sold_in_all == sum(results.value("green_energy", consumer).number for consumer in used)


def test_the_parts_of_the_certificate_sum_to_its_whole(year: Any) -> None:
    _, _, results = year
    of = [value for value in results.of("TENCENT-CQ") if value.member]
    for name in ("green_by_plant", "green_by_technology", "green_by_month"):
        assert sum(value.number for value in of if value.measure == name) == 60_000_000
    months = [value.number for value in of if value.measure == "gec_by_month"]
    assert len(months) == 12
    assert sum(months) == results.value("gec_count", "TENCENT-CQ").number


def test_the_sample_is_the_same_again_and_marked_in_its_names() -> None:
    assert sample(7) == sample(7)
    assert sample(7)["contract"] != sample(8)["contract"]
    names = sample()["subject"].to_pylist()
    assert all("合成" in row["zh"] and "synthetic" in row["en"] for row in names)


def test_a_larger_sample_has_more_markets_and_the_same_first_one() -> None:
    one, three = sample(), sample(scale=3)
    for kind in ("contract", "generation", "use"):
        assert three[kind].num_rows == 3 * one[kind].num_rows
        assert three[kind].slice(0, one[kind].num_rows) == one[kind]
    ids = three["subject"]["id"].to_pylist()
    assert len(ids) == len(set(ids)) == 1 + 3 * 9


def test_the_sample_passes_intake_unchanged() -> None:
    types = evidence_types(SCHEME)
    for kind, table in sample().items():
        intake = read_rows(table.to_pylist(), types[kind], zone=SCHEME.zone)
        assert intake.findings == ()
        assert intake.table.num_rows == table.num_rows
