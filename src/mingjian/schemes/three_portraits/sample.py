"""Synthetic rows for the three portraits: a district of the page's size, or a multiple of it, from one seed.

Nothing here describes anybody. Units and people are invented, and the district's own name says that it is synthetic.
The sizes are the page's: 85 units and 520 leaders, 6,000 sheets in one round, 700 supervision items, four quarters of
19 tasks a unit (6,460). Unit U01 in 2021Q3 is the page's example of 85 points.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Column: TypeAlias = "pa.Array[Any]"

POINTS: Final = pa.decimal128(18, 1)

UNITS: Final = 85
LEADERS: Final = 520
SHEETS: Final = 6_000
ITEMS: Final = 700
LEAST_SHEETS: Final = 12
SMALL_UNIT, SMALL_SHEETS = 3, 7  # U04, under the minimum group in every block of 85
MOVER, MOVES_TO = 13, 2  # L014 leaves U02 for U03

FOUNDED: Final = date(2020, 1, 1)
MOVED: Final = date(2021, 5, 1)
MERGED: Final = date(2021, 1, 1)
ROUND: Final = date(2021, 8, 16)
LAST_DAY: Final = date(2021, 9, 30)
QUARTERS: Final = ("2020Q4", "2021Q1", "2021Q2", "2021Q3")
DEADLINES: Final = (date(2020, 12, 20), date(2021, 3, 20), date(2021, 6, 20), date(2021, 9, 20))

GRADES: Final = ("excellent", "good", "fair", "poor")
DIMENSIONS: Final = ("political", "responsibility", "integrity", "overall", "service", "discipline")
VOTERS: Final = ("team", "middle", "staff")
SOURCES: Final = ("decisions", "petitions", "notices", "daily", "cases")
SEVERITIES: Final = ("minor", "moderate", "serious")
ITEM_STATES: Final = (
    "received", "verifying", "substantiated", "closed_substantiated", "unfounded", "closed_unfounded",
)  # fmt: skip
TASK_STATES: Final = ("on_time", "late", "missing", "not_applicable")
DEDUCTIONS: Final = (
    ("late", "逾期报告"),
    ("incomplete", "报告内容不完整，缺少佐证"),
    ("weak_follow_up", "整改跟进落实不力"),
    ("shallow", "工作开展不深不细"),
    ("not_claimed", "共性问题未主动认领"),
)
BONUSES: Final = (("innovation", "创新做法在全区推广"), ("commended", "受到上级通报表扬"))
HARDER: Final = ("B2", "B3", "D1")  # where many units lose points: a common problem for the panorama to show

# The page's example: indicator, points, reason and what was found.
EXAMPLE: Final = (
    ("B2", 5, "weak_follow_up", "纪检监察建议跟进落实不力"),
    ("B3", 4, "not_claimed", "巡察反馈的共性问题未主动认领"),
    ("D1", 6, "shallow", "廉政风险点排查不深不细"),
)
SAID: Final = (*DEDUCTIONS, *BONUSES, *((reason, note) for _, _, reason, note in EXAMPLE))

STEMS: Final = (
    ("云岭", "Yunling"), ("青禾", "Qinghe"), ("砚溪", "Yanxi"), ("澄湖", "Chenghu"), ("松谷", "Songgu"), ("竹垭", "Zhuya"),
    ("鹿鸣", "Luming"), ("望江", "Wangjiang"), ("白鹭", "Bailu"), ("石林", "Shilin"), ("柏舟", "Bozhou"), ("金桂", "Jingui"),
    ("梅岭", "Meiling"), ("玉泉", "Yuquan"), ("龙吟", "Longyin"), ("凤栖", "Fengqi"), ("兰亭", "Lanting"), ("雁回", "Yanhui"),
    ("枫桥", "Fengqiao"), ("麦田", "Maitian"), ("荷塘", "Hetang"), ("溪口", "Xikou"), ("锦屏", "Jinping"), ("翠微", "Cuiwei"),
)  # fmt: skip
BODIES: Final = (
    ("街道办事处", "Subdistrict Office", "town"),
    ("镇人民政府", "Town Government", "town"),
    ("建设管理局", "Construction Bureau", "bureau"),
    ("文化服务中心", "Culture Service Centre", "bureau"),
    ("中学", "Middle School", "school"),
    ("医院", "Hospital", "hospital"),
    ("投资公司", "Investment Company", "company"),
)  # 24 stems and 7 bodies have no common factor: the first 168 names all differ
ODD_UNITS: Final = {
    1: ("龘靐齉文化服务中心", "Dabingnang Culture Service Centre", "bureau"),
    2: (
        "云岭片区乡村振兴与基层治理一体化推进工作领导小组联合办公室",
        "Joint Office of the Leading Group for Rural Revitalisation and Governance of Yunling",
        "bureau",
    ),
}

SURNAMES: Final = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"), ("赵", "Zhao"), ("黄", "Huang"),
    ("周", "Zhou"), ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"), ("胡", "Hu"), ("朱", "Zhu"), ("高", "Gao"), ("林", "Lin"),
    ("何", "He"), ("郭", "Guo"), ("马", "Ma"), ("罗", "Luo"), ("冉", "Ran"), ("邓", "Deng"), ("谭", "Tan"), ("欧阳", "Ouyang"),
)  # fmt: skip
GIVEN: Final = (
    ("明", "ming"), ("远", "yuan"), ("书", "shu"), ("澄", "cheng"), ("若", "ruo"), ("安", "an"), ("景", "jing"), ("行", "xing"),
    ("知", "zhi"), ("言", "yan"), ("予", "yu"), ("宁", "ning"), ("怀", "huai"), ("瑾", "jin"), ("思", "si"), ("齐", "qi"),
    ("望", "wang"), ("舒", "shu"), ("观", "guan"), ("复", "fu"), ("修", "xiu"), ("竹", "zhu"), ("静", "jing"), ("川", "chuan"),
)  # fmt: skip
ODD_LEADERS: Final = {
    1: ("龙龘", "Long Da"),
    2: ("罗靐齉", "Luo Bingnang"),
    3: ("买买提艾力·阿卜杜热合曼·吐尔逊江·伊敏尼亚孜", "Memetali Abdurahman Tursunjan Iminniyaz"),
}


@dataclass(frozen=True)
class _District:
    """Who there is, as positions; ``unit_of`` is each leader's unit at the end, ``standing`` how well each is doing."""

    units: tuple[str, ...]
    leaders: tuple[str, ...]
    first_unit_of: Ints
    unit_of: Ints
    standing: Floats  # of units, then of leaders

    @property
    def subjects(self) -> tuple[str, ...]:
        return (*self.units, *self.leaders)


def sample(seed: int = 20210907, scale: int = 1) -> dict[str, pa.Table]:
    """Rows by evidence type, ``subject`` first; the same seed and scale give the same rows.

    ``scale`` multiplies units, leaders, sheets, tasks and items: 100 gives some 4.2 million ballot lines.
    """
    rng = np.random.default_rng(seed)
    indicators = _indicators()
    district = _district(rng, scale)
    tasks = _tasks(rng, district, indicators)
    return {
        "subject": _subjects(district),
        "indicator": indicators,
        "task": tasks,
        "adjustment": _adjustments(rng, district, tasks),
        "form": _forms(rng, district, scale),
        "item": _items(rng, district, scale),
    }


# -- who there is ----------------------------------------------------------------------------------------------------


def _district(rng: np.random.Generator, scale: int) -> _District:
    units, leaders = UNITS * scale, LEADERS * scale
    sizes = np.full(UNITS, LEADERS // UNITS)
    sizes[: LEADERS % UNITS] += 1
    first_unit_of = np.repeat(np.arange(units), np.tile(sizes, scale))
    unit_of = first_unit_of.copy()
    unit_of[MOVER] = MOVES_TO
    team = rng.normal(0.0, 0.5, units)
    member = 0.6 * team[unit_of] + rng.normal(0.0, 0.4, leaders)
    return _District(
        units=tuple(f"U{n + 1:02}" for n in range(units)),
        leaders=tuple(f"L{n + 1:03}" for n in range(leaders)),
        first_unit_of=first_unit_of,
        unit_of=unit_of,
        standing=np.concatenate([team, member]),
    )


def _subjects(district: _District) -> pa.Table:
    rows = [_subject("BEIBEI", "district", "北碚区（合成样本）", "Beibei District (synthetic sample)")]
    rows += [_subject(id, "unit", *_unit_name(n), parent="BEIBEI") for n, id in enumerate(district.units)]
    # A unit that was merged away before the lists of 2021: its one item stays in the district's history.
    gone = _subject("U00", "unit", "旧云岭公社办事处", "Former Yunling Office", "town", parent="BEIBEI")
    rows.append(gone | {"until": MERGED, "into": "U01"})
    for n, id in enumerate(district.leaders):
        unit = district.first_unit_of[n]
        first = n == 0 or district.first_unit_of[n - 1] != unit
        rows.append(
            _subject(id, "leader", *_person(n), "first in command" if first else "member", parent=district.units[unit])
        )
    moved = next(row for row in rows if row["id"] == district.leaders[MOVER])
    rows.append(moved | {"parent": district.units[MOVES_TO], "from": MOVED})
    days = ("from", "until")
    columns = ("id", "type", "zh", "en", "parent", *days, "into", "kind")
    return _table(rows, {name: pa.date32() if name in days else pa.string() for name in columns})


def _subject(
    id: str, type: str, zh: str, en: str, kind: str | None = None, parent: str | None = None
) -> dict[str, Any]:
    return {"id": id, "type": type, "zh": zh, "en": en, "parent": parent, "from": FOUNDED, "kind": kind}


def _unit_name(n: int) -> tuple[str, str, str]:
    if n in ODD_UNITS:
        return ODD_UNITS[n]
    (stem, stem_en), (body, body_en, kind) = STEMS[n % len(STEMS)], BODIES[n % len(BODIES)]
    again = n // (len(STEMS) * len(BODIES))
    return (f"{stem}{body}{again or ''}", f"{stem_en} {body_en}{f' {again}' if again else ''}", kind)


def _person(n: int) -> tuple[str, str]:
    if n in ODD_LEADERS:
        return ODD_LEADERS[n]
    surname, surname_en = SURNAMES[n % len(SURNAMES)]
    one, one_en = GIVEN[n // len(SURNAMES) % len(GIVEN)]
    two, two_en = GIVEN[(n // len(SURNAMES) + 7 * n + 5) % len(GIVEN)]
    return f"{surname}{one}{two}", f"{surname_en} {one_en.title()}{two_en}"


# -- lists and reviews -----------------------------------------------------------------------------------------------


def _indicators() -> pa.Table:
    with (Path(__file__).parent / "indicators.csv").open(encoding="utf-8", newline="") as file:
        rows = [row | _typed(row) for row in csv.DictReader(file)]
    special: dict[str, pa.DataType] = {"weight": POINTS, "since": pa.date32()}
    return _table(rows, {name: special.get(name, pa.string()) for name in rows[0]})


def _typed(row: dict[str, str]) -> dict[str, object]:
    return {"weight": Decimal(row["weight"]), "since": date.fromisoformat(row["since"])}


def _tasks(rng: np.random.Generator, district: _District, indicators: pa.Table) -> pa.Table:
    codes, weights = indicators["code"].combine_chunks(), indicators["weight"].combine_chunks()
    shape = (len(QUARTERS), len(district.units), len(codes))
    quarter, unit, indicator = (axis.ravel() for axis in np.indices(shape))
    state = rng.choice(4, len(unit), p=(0.91, 0.045, 0.015, 0.03))
    state[_example(unit, quarter)] = 0
    columns = {
        "unit": _pick(district.units, unit),
        "indicator": _pick(codes, indicator),
        "quarter": _pick(QUARTERS, quarter),
        "deadline": _pick(DEADLINES, quarter),
        "possible": _pick(weights, indicator),
        # Full marks for what was reported: every point that is lost is lost by a deduction, with a reason and a proof.
        "awarded": _pick(weights, indicator, missing=state >= 2),
        "state": _pick(TASK_STATES, state),
    }
    return pa.table({"task": _joined(columns["unit"], columns["quarter"], columns["indicator"]), **columns})


def _example(unit: Ints, quarter: Ints) -> Flags:
    """The tasks of the page's example."""
    example: Flags = (unit == 0) & (quarter == len(QUARTERS) - 1)
    return example


def _adjustments(rng: np.random.Generator, district: _District, tasks: pa.Table) -> pa.Table:
    """Deductions, bonuses, and the page's three deductions, each of a task that was reported."""
    size = len(tasks)
    unit = np.arange(size) // (size // len(QUARTERS) // len(district.units)) % len(district.units)
    example = _example(unit, np.arange(size) * len(QUARTERS) // size)
    reported = pc.is_valid(tasks["awarded"]).to_numpy() & ~example
    codes = tasks["indicator"].combine_chunks()
    harder = pc.is_in(codes, value_set=pa.array(HARDER)).to_numpy(zero_copy_only=False)
    late = pc.is_in(tasks["state"], value_set=pa.array(["late"])).to_numpy()
    likely = 0.24 * np.exp(-0.8 * district.standing[unit]) * np.where(harder, 1.9, 1.0)
    deducted = np.flatnonzero(reported & (late | (rng.random(size) < likely)))
    praised = np.flatnonzero(reported & (rng.random(size) < 0.03))
    shown = np.flatnonzero(example)
    marked = shown[pc.index_in(pa.array([code for code, *_ in EXAMPLE]), value_set=codes.take(shown)).to_numpy()]
    # At most 3 points, so that no review takes more than the smallest weight had.
    halves = (
        rng.integers(1, 7, len(deducted)),
        rng.integers(1, 3, len(praised)),
        [2 * points for _, points, *_ in EXAMPLE],
    )
    reason = (
        np.where(late[deducted], 0, rng.integers(1, len(DEDUCTIONS), len(deducted))),
        len(DEDUCTIONS) + rng.integers(0, len(BONUSES), len(praised)),
        len(DEDUCTIONS) + len(BONUSES) + np.arange(len(marked)),
    )
    kind = np.repeat([0, 1, 0], [len(deducted), len(praised), len(marked)])
    return _adjusted(
        tasks.take(np.concatenate([deducted, praised, marked])), kind, np.concatenate(halves), np.concatenate(reason)
    )


def _adjusted(tasks: pa.Table, kind: Ints, halves: Ints, reason: Ints) -> pa.Table:
    ids = pa.array([f"K{n + 1:05}" for n in range(len(tasks))])
    points = pa.array([Decimal(half) / 2 for half in range(int(halves.max()) + 1)], POINTS)
    return pa.table(
        {
            "adjustment": ids,
            **{name: tasks[name] for name in ("task", "unit", "indicator", "quarter")},
            "kind": _pick(("deduction", "bonus"), kind),
            "points": _pick(points, halves),
            "reason": _pick([code for code, _ in SAID], reason),
            "note": _pick([note for _, note in SAID], reason),
            "proof": _joined(pa.scalar("合成佐证"), ids),
        }
    )


# -- ballots ---------------------------------------------------------------------------------------------------------


def _forms(rng: np.random.Generator, district: _District, scale: int) -> pa.Table:
    """The lines of all sheets, shuffled: a line about the team and one about each member on every sheet."""
    sheets = _sheets(rng, scale)
    lines = np.concatenate([sheets, sheets[district.unit_of]])  # how many there are about each subject
    starts = np.cumsum(lines) - lines
    order = rng.permutation(int(lines.sum()))
    about = np.repeat(np.arange(len(lines)), lines)[order]
    place = (np.arange(len(order)) - np.repeat(starts, lines))[order] / lines[about]
    voter = (place >= 0.1).astype(np.int64) + (place >= 0.35)
    unit = np.concatenate([np.arange(len(district.units)), district.unit_of])[about]
    standing = district.standing[:, None] + rng.normal(0.0, 0.25, (len(lines), len(DIMENSIONS)))
    columns = {
        "round": _pick(("2021-08",), np.zeros(len(about), np.int64)),
        "date": _pick((ROUND,), np.zeros(len(about), np.int64)),
        "unit": _pick(district.units, unit),
        "about": _pick(district.subjects, about),
        "voter": _pick(VOTERS, voter),
    }
    for number, name in enumerate(DIMENSIONS):
        columns[name] = _marks(rng, standing[:, number].astype(np.float32)[about])
    return pa.table(columns)


def _sheets(rng: np.random.Generator, scale: int) -> Ints:
    """How many sheets each unit returned: 6,000 in every block of 85 units, one of them under the minimum group."""
    others = np.arange(UNITS) != SMALL_UNIT
    free = SHEETS - SMALL_SHEETS - LEAST_SHEETS * (UNITS - 1)
    sheets = np.full((scale, UNITS), SMALL_SHEETS)
    sheets[:, others] = LEAST_SHEETS + rng.multinomial(free, rng.dirichlet(np.full(UNITS - 1, 3.0)), size=scale)
    return sheets.ravel()


def _marks(rng: np.random.Generator, standing: npt.NDArray[np.float32]) -> Column:
    """One mark a line: the better the standing the better the mark; about one in eighty is left blank."""
    seen = rng.standard_normal(len(standing), dtype=np.float32) + standing
    grade = sum((seen < limit).astype(np.int8) for limit in (0.0, -1.2, -2.1))
    blank = rng.integers(0, 256, len(standing), dtype=np.uint8) < 3
    return _pick(GRADES, np.asarray(grade), missing=blank)


# -- supervision -----------------------------------------------------------------------------------------------------


def _items(rng: np.random.Generator, district: _District, scale: int) -> pa.Table:
    """Supervision items in their last state; one in five is still open."""
    size, day = ITEMS * scale, np.timedelta64(1, "D")
    received = np.datetime64("2020-10-01") + rng.integers(0, 365, size) * day
    known = received + rng.integers(10, 70, size) * day
    outcome = rng.choice(3, size, p=(0.2, 0.25, 0.55))  # open, substantiated, unfounded
    outcome[known > np.datetime64(LAST_DAY)] = 0
    closed = rng.random(size) < 0.6
    about = np.where(
        rng.random(size) < 0.4,
        rng.integers(0, len(district.units), size),
        len(district.units) + rng.integers(0, len(district.leaders), size),
    )
    about[0], received[0], known[0], outcome[0] = -1, np.datetime64("2020-11-15"), np.datetime64("2020-12-10"), 1
    return pa.table(
        {
            "item": pa.array([f"J{n + 1:04}" for n in range(size)]),
            "received": pa.array(received.astype("datetime64[D]")),
            "about": _pick((*district.subjects, "U00"), about % (len(district.subjects) + 1)),
            "established": pa.array(known.astype("datetime64[D]"), mask=outcome == 0),
            "source": _pick(SOURCES, rng.choice(5, size, p=(0.15, 0.35, 0.1, 0.3, 0.1))),
            "severity": _pick(SEVERITIES, rng.choice(3, size, p=(0.8, 0.17, 0.03))),
            "state": _pick(ITEM_STATES, 2 * outcome + closed),
        }
    )


# -- tables ----------------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Mapping[str, object]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))


def _pick(values: Sequence[Any] | Column, at: npt.NDArray[Any], missing: Flags | None = None) -> Column:
    """A column of ``values`` at the positions ``at``, null where ``missing``."""
    column = values if isinstance(values, pa.Array) else pa.array(values)
    return column.take(pa.array(at, mask=missing))


def _joined(*parts: Any) -> Column:
    joined: Column = pc.binary_join_element_wise(*parts, "-")
    return joined
