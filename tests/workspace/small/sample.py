"""Synthetic rows of the small programme."""

import random
from datetime import date

import pyarrow as pa


def sample(*, seed, scale=1):
    chosen = random.Random(seed)
    start = date(2021, 1, 1)
    units = [f"U{i}" for i in range(1, 2 * scale + 1)]
    names = {"en": "Name", "zh": "名称", "from": start}
    return {
        "subject": pa.Table.from_pylist(
            [{"id": "D", "type": "district", "parent": None, **names}]
            + [{"id": unit, "type": "unit", "parent": "D", **names} for unit in units]
        ),
        "task": pa.Table.from_pylist(
            [
                {
                    "task": unit,
                    "unit": unit,
                    "quarter": "2021Q3",
                    "possible": "10.0",
                    "awarded": f"{chosen.randint(0, 10)}.0",
                }
                for unit in units
            ]
        ),
        "reading": pa.Table.from_pylist(
            [{"unit": unit, "month": "2021-08", "wh": chosen.randint(0, 999)} for unit in units]
        ),
    }
