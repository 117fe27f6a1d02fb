"""Synthetic rows for green power: one year of a small market, from one seed.

Plants, contracts and readings are invented; the names say so. One figure is the page's: the data centre's green power of
2021 comes to exactly 60,000,000 kWh. Each month one of the three (contract, plant, use) is short, so that each is the
least in its turn; energies are no whole MWh, so that every contract carries a remainder.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

import pyarrow as pa

Row = dict[str, object]
Energies = Mapping[tuple[str, str, str], int]  # settled Wh by plant, consumer and month

GREEN_2021: Final = 60_000_000_000  # Wh
DATA_CENTRE: Final = "TENCENT-CQ"
FOUNDED: Final = date(2020, 1, 1)
MONTHS: Final = tuple(f"2021-{month:02}" for month in range(1, 13))
# What is short in which month; in all others the contract is. December must not be short: it makes the year exact.
SHORT: Final = {"2021-03": "plant", "2021-04": "plant", "2021-07": "use", "2021-08": "use", "2021-09": "plant"}

# Code, names, technology, prices of energy and of environmental value in fen a MWh, mechanism volume in Wh a month.
PLANTS: Final = (
    ("QINGLAN", "青岚风电场（合成）", "Qinglan Wind Farm (synthetic)", "wind", 39_640, 3_200, 0),
    ("YUNPING", "云坪风电场（合成）", "Yunping Wind Farm (synthetic)", "wind", 39_640, 2_850, 0),
    ("LUXIGOU", "鹿溪沟风电场（合成）", "Luxigou Wind Farm (synthetic)", "wind", 38_900, 3_050, 0),
    ("JINSUI", "金穗光伏电站（合成）", "Jinsui Solar Station (synthetic)", "solar", 40_120, 3_500, 900_000_000),
    ("YINGHU", "映湖光伏电站（合成）", "Yinghu Solar Station (synthetic)", "solar", 40_120, 3_400, 0),
)
# Code, names, and what share of the data centre's energy each contracts for, in percent.
CONSUMERS: Final = (
    (DATA_CENTRE, "重庆腾讯数据中心（合成数据）", "Tencent Chongqing Data Centre (synthetic data)", 100),
    ("YUTONG-AUTO", "渝同汽车部件厂（合成）", "Yutong Auto Parts Works (synthetic)", 35),
    ("JIALING-GLASS", "嘉岭玻璃厂（合成）", "Jialing Glass Works (synthetic)", 22),
    ("BASHU-COLD", "巴蜀冷链园（合成）", "Bashu Cold Chain Park (synthetic)", 12),
)


def sample(seed: int = 20210907, scale: int = 1) -> dict[str, pa.Table]:
    """Rows by evidence type, ``subject`` first; the same seed and scale give the same rows.

    ``scale`` is the number of markets, each with plants, consumers and contracts of its own; the first has the data centre.
    """
    rows: dict[str, list[Row]] = {
        "subject": [_subject("CHONGQING", "region", "重庆市（合成样本）", "Chongqing (synthetic sample)")],
        "contract": [],
        "generation": [],
        "use": [],
    }
    for number in range(1, scale + 1):
        chance = random.Random(f"{seed}-{number}")
        tag = "" if number == 1 else f"-{number}"
        energies = _settled(chance)
        rows["subject"] += _subjects(tag)
        rows["contract"] += _contracts(energies, tag)
        rows["generation"] += _generation(energies, tag, chance)
        rows["use"] += _use(energies, tag, chance)
    return {kind: pa.Table.from_pylist(of_kind) for kind, of_kind in rows.items()}


def _settled(chance: random.Random) -> Energies:
    """What is to be settled: the rows are made so that it is. Multiples of 4 Wh, but for what makes the year exact."""
    energies: dict[tuple[str, str, str], int] = {}
    for consumer, _, _, percent in CONSUMERS:
        shares = {(plant, consumer, month): chance.randint(70, 130) for plant, *_ in PLANTS for month in MONTHS}
        year = GREEN_2021 * percent // 100
        for key, share in shares.items():
            energies[key] = year * share // sum(shares.values()) // 4 * 4
        last = (PLANTS[-1][0], consumer, MONTHS[-1])
        energies[last] += year - sum(wh for (_, whose, _), wh in energies.items() if whose == consumer)
    return energies


def _subjects(tag: str) -> Iterator[Row]:
    for code, zh, en, *_ in PLANTS:
        yield _subject(code + tag, "plant", zh + tag, en + tag, "CHONGQING")
    for code, zh, en, _ in CONSUMERS:
        yield _subject(code + tag, "consumer", zh + tag, en + tag, "CHONGQING")


def _contracts(energies: Energies, tag: str) -> Iterator[Row]:
    """A contract asks for exactly what is settled where it is what is short, and for a quarter more where it is not."""
    terms = {code: (technology, energy, environment) for code, _, _, technology, energy, environment, _ in PLANTS}
    for (plant, consumer, month), wh in energies.items():
        technology, energy, environment = terms[plant]
        yield {
            "contract": f"GP-2021-{plant}-{consumer}{tag}",
            "month": month,
            "plant": plant + tag,
            "consumer": consumer + tag,
            "contracted": wh if month not in SHORT else wh // 4 * 5,
            "technology": technology,
            "energy_price": energy,
            "environmental_price": environment,
        }


def _generation(energies: Energies, tag: str, chance: random.Random) -> Iterator[Row]:
    """Two meters a plant. Where the plant is short it fed in just what is settled, else a tenth to a half more than asked."""
    mechanism = {code: volume for code, *_, volume in PLANTS}
    for (plant, month), wh in _sums(((plant, month), wh) for (plant, _, month), wh in energies.items()):
        fed_in = wh if SHORT.get(month) == "plant" else wh * 5 // 4 * chance.randint(110, 150) // 100
        first = fed_in * chance.randint(40, 60) // 100
        for meter, part, volume in (("1", first, 0), ("2", fed_in - first, mechanism[plant])):
            yield {
                "meter": f"{plant}{tag}-{meter}",
                "plant": plant + tag,
                "month": month,
                "on_grid": part + volume,
                "mechanism": volume or None,
            }


def _use(energies: Energies, tag: str, chance: random.Random) -> Iterator[Row]:
    """Where use is short it is just what is settled, else about twice of it."""
    for (consumer, month), wh in _sums(((consumer, month), wh) for (_, consumer, month), wh in energies.items()):
        used = wh if SHORT.get(month) == "use" else wh * 5 // 4 * chance.randint(140, 180) // 100
        yield {"meter": f"{consumer}{tag}-1", "consumer": consumer + tag, "month": month, "used": used}


def _sums(parts: Iterable[tuple[tuple[str, str], int]]) -> Iterator[tuple[tuple[str, str], int]]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for key, wh in parts:
        sums[key] += wh
    yield from sums.items()


def _subject(code: str, kind: str, zh: str, en: str, parent: str | None = None) -> Row:
    return {"id": code, "type": kind, "zh": zh, "en": en, "parent": parent, "from": FOUNDED}
