"""The ASEM index, step by step, as COINr 1.1.14 computed it."""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mingjian.reckon.index import Aggregation, Floats, Normalisation, aggregate, normalise

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "asem"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no ASEM data at {ROOT}")]

WITHIN = 1e-12  # relative


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(name: str) -> dict[str, Floats]:
    table = rows(name)
    names = [column for column in table[0] if column not in ("uCode", "Time")]
    return {column: np.array([row[column] or "nan" for row in table], dtype=np.float64) for column in names}


def close(found: Floats, expected: Floats) -> None:
    np.testing.assert_allclose(found, expected, rtol=WITHIN, atol=WITHIN * np.nanmax(np.abs(expected)))


@pytest.fixture(scope="module")
def parts() -> list[dict[str, str]]:
    """Indicators and aggregates, each with its level, weight, direction and parent."""
    return [row for row in rows("iMeta") if row["Type"] in ("Indicator", "Aggregate")]


@pytest.mark.parametrize(("method", "name"), [("minmax", "norm_n_minmax"), ("zscore", "norm_n_zscore")])
def test_normalised(parts: list[dict[str, str]], method: Normalisation, name: str) -> None:
    treated, expected = columns("step_Treated"), columns(name)
    indicators = [part for part in parts if part["Level"] == "1"]
    assert len(indicators) == 49
    for part in indicators:
        code = part["iCode"]
        close(normalise(float(part["Direction"]) * treated[code], method).values, expected[code])


def test_goalposts_at_the_extremes_are_minmax(parts: list[dict[str, str]]) -> None:
    treated, expected = columns("step_Treated"), columns("norm_n_minmax")
    for part in (part for part in parts if part["Level"] == "1"):
        values = treated[part["iCode"]]
        ends = (float(values.min()), float(values.max()))
        low, high = ends if part["Direction"] == "1" else ends[::-1]
        close(normalise(values, "goalposts", low, high).values, expected[part["iCode"]])


@pytest.mark.parametrize(
    ("name", "method"),
    [("step_Aggregated", "arithmetic"), ("purse_aggregated", "arithmetic"), ("agg_gmean_1_100", "geometric")],
)
def test_every_aggregate_of_every_level(parts: list[dict[str, str]], name: str, method: Aggregation) -> None:
    """Built upwards from the published indicators alone; the panel has 5 years of 46 units."""
    published = columns(name)
    built: dict[str, Floats] = {}

    def value(part: Mapping[str, str]) -> Floats:
        return published[part["iCode"]] if part["Level"] == "1" else built[part["iCode"]]

    for part in (part for level in "234" for part in parts if part["Level"] == level):
        children = [child for child in parts if child["Parent"] == part["iCode"]]
        weights = np.array([child["Weight"] for child in children], dtype=np.float64)
        built[part["iCode"]] = aggregate(np.column_stack([value(child) for child in children]), weights, method).values
        close(built[part["iCode"]], published[part["iCode"]])
    assert len(built) == 11
