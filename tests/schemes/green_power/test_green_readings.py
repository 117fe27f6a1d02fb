"""A month read every 15 minutes, from the ledger to the settlement, its explanation and its proof."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import mingjian.schemes.green_power
from mingjian.base.keys import SigningKey
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, evidence_types, load
from mingjian.reckon.measures import evaluate
from mingjian.record.evidence import Projection, Series, View, read_rows
from mingjian.record.ledger import Batch, Ledger
from mingjian.workspace._explained import Explained, explained

SCHEME = load(Path(mingjian.schemes.green_power.__file__).parent)
TYPES = evidence_types(SCHEME)
JANUARY = Period.parse("2021-01")
STEPS = 2976
SUBJECTS = [
    {"id": name, "type": kind, "zh": name, "en": name, "parent": above, "from": date(2017, 1, 1)}
    for name, kind, above in (("R", "region", None), ("P", "plant", "R"), ("C", "consumer", "R"))
]
CONTRACT = {
    "contract": "K", "month": "2021-01", "plant": "P", "consumer": "C", "contracted": 10**12, "technology": "wind",
    "energy_price": 1, "environmental_price": 1,
}  # fmt: skip


class Grid:
    """A ledger that the grid hands rows to, and its projection."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.create(folder / "ledger", origin="example.org/grid", key=SigningKey.generate())
        self.projection = Projection(folder / "projection.duckdb", self.ledger)
        self.add("subject", *SUBJECTS)
        self.add("contract", CONTRACT)
        self.add("generation", {"meter": "P", "plant": "P", "month": "2021-01", "on_grid": 10**12})

    def add(self, kind: str, *rows: Mapping[str, object]) -> None:
        found = read_rows(rows, TYPES[kind], zone=SCHEME.zone)
        assert found.findings == ()
        self.ledger.append(Batch(kind, SCHEME.id, "grid", found.table))

    @contextmanager
    def view(self) -> Iterator[View]:
        self.projection.catch_up(SCHEME.id, TYPES, zone=SCHEME.zone)
        with self.projection.view(SCHEME.id) as view:
            yield view

    def month(self, *names: str) -> dict[str, str]:
        with self.view() as view:
            results = evaluate(SCHEME, view, Hierarchy.of_rows(SUBJECTS, SCHEME.subjects), JANUARY, only=names)
        return {name: results.value(name, "C").printed for name in names}

    def why(self, name: str, period: str) -> Explained:
        with self.view() as view:
            known = Hierarchy.of_rows(SUBJECTS, SCHEME.subjects)
            (found,) = explained(SCHEME, view, known, self.ledger, name, ["C"], Period.parse(period), "")
            return found


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return Grid(tmp_path)


def use(meter: str, readings: Sequence[int | None] | None = None, used: int | None = None) -> Mapping[str, Any]:
    return {"meter": meter, "consumer": "C", "month": "2021-01", "used": used, "readings": readings}


def test_readings_are_summed_to_the_last_watt_hour_and_settled(grid: Grid) -> None:
    chance = random.Random(1)
    first, second = ([chance.randrange(50_000) for _ in range(STEPS)] for _ in range(2))
    grid.add("use", use("M1", first), use("M2", second), use("M3", used=1))
    wh = sum(first) + sum(second) + 1
    assert grid.month("month_green", "month_share") == {
        "month_green": f"{wh // 1000}.{wh % 1000:03}",
        "month_share": "100.00",
    }


def test_a_later_reading_of_the_month_takes_the_place_of_the_series(grid: Grid) -> None:
    grid.add("use", use("M1", [1000] * STEPS))
    grid.add("use", use("M1", used=5000))
    assert grid.month("month_green") == {"month_green": "5.000"}
    grid.add("use", use("M1", [*[1000] * (STEPS - 1), None]))
    assert grid.month("month_green", "month_share") == {"month_green": "", "month_share": ""}


def test_sums_beyond_64_bits_are_exact(grid: Grid) -> None:
    grid.add("use", use("M1", [2**63 - 1] * STEPS))
    with grid.view() as view:
        known = Hierarchy.of_rows(SUBJECTS, SCHEME.subjects)
        results = evaluate(SCHEME, view, known, Period.parse("2021"), only=["total_use"])
    assert results.value("total_use", "C").number * 1000 == (2**63 - 1) * STEPS  # type: ignore[operator]


def test_an_explanation_shows_the_series_in_a_few_words_and_proves_all_of_it(grid: Grid) -> None:
    grid.add("use", use("M1", [250] * STEPS), use("M2", [None, *[250] * (STEPS - 1)]))
    found = grid.why("total_use", "2021")
    (reduction,) = found.root.reductions
    (row,) = reduction.rows
    assert reduction.text == "coalesce(use.used, total(use.readings)).sum()"
    assert row.data["readings"] == Series(STEPS, 0, 250 * STEPS)
    proof = found.proofs[row.entry, row.row]
    assert proof.holds(found.entries[row.entry])
    assert proof.values["readings"] == ["250"] * STEPS
    missed = grid.why("unread", "2021").root
    assert (missed.value.printed, missed.reductions[0].rows[0].data["readings"]) == ("1", Series(STEPS, 1, None))
