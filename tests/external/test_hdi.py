"""The Human Development Index 1990-2022: goalposts and a geometric mean give every published value."""

import csv
import math
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from mingjian.base.values import round_float
from mingjian.reckon.index import Floats, aggregate, normalise

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "hdi"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no HDI data at {ROOT}")]


def test_every_published_value_at_three_decimals() -> None:
    with (ROOT / "hdi_long_1990_2022.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def of(name: str) -> Floats:
        return np.array([row[name] for row in rows], dtype=np.float64)

    years = [normalise(of("eys"), "goalposts", 0, 18).values, normalise(of("mys"), "goalposts", 0, 15).values]
    education = aggregate(np.column_stack(years), np.ones(2), "arithmetic").values
    dimensions = [
        normalise(of("le"), "goalposts", 20, 85).values,
        education,
        normalise(np.log(of("gnipc")), "goalposts", math.log(100), math.log(75000)).values,
    ]
    index = aggregate(np.column_stack(dimensions), np.ones(3), "geometric").values / 100
    # The publisher's own way of rounding a half is not stated; no value lies on one.
    agree = [round_float(value, 3) == Decimal(row["hdi_published"]) for value, row in zip(index, rows, strict=True)]
    assert (sum(agree), len(rows)) == (6171, 6171)
