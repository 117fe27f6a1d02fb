"""On Spark the same statements come to the same numbers, bit for bit: what DuckDB says is what everybody says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import mingjian.schemes.green_power
from mingjian.base.errors import MingjianError, Misuse
from mingjian.base.values import Period
from mingjian.declare import Expr, coalesce, greatest, least, literal, load, missing, total, where
from mingjian.reckon.measures import Spark, evaluate, explain, lineage

WH = Expr("field", ("reading", "wh"), "exact", "reading")
PRICE = Expr("field", ("reading", "price"), "exact", "reading")  # may be missing
METER = Expr("field", ("reading", "meter"), "text", "reading")
AT = Expr("field", ("reading", "at"), "date", "reading")
END = Expr("bound", ("period_end",), "date", None)
SHARE = Expr("param", ("share",), "exact", None)
POINTS = Expr("lookup", ("points", METER), "exact", "reading")
AGE = (END - AT).days
Q3 = Period.parse("2021Q3")

#: Texts that one engine or the other could take for something else.
WORDS = ("good", "bad", "a'b", 'a"b', "c\\d", "${spark.app.name}", "%_", "明鉴", "Ａ", "a ", "A", "")
VALUES = (
    WH, PRICE, POINTS, WH * 3, WH - PRICE, PRICE * PRICE, POINTS * SHARE, coalesce(PRICE, 0), least(WH, PRICE, 7),
    greatest(PRICE, POINTS), where(PRICE > WH, PRICE, 0 - WH), where(METER.isin(WORDS[2:6]), 1, PRICE), AGE,
    WH / 7, PRICE / WH, PRICE * 0.1, WH * 0.5 ** (AGE / 90), 1 / (WH - 3), literal(1.1) ** PRICE, (WH * 1.0) ** 0.5,
    WH ** 2, least(PRICE, 1) ** PRICE, PRICE ** -1, where(WH > 0, WH / 3, PRICE),
)  # fmt: skip
CONDITIONS = (
    None, PRICE > 1, ~(PRICE > 1), PRICE.is_null(), METER == "c\\d", METER != "${spark.app.name}", METER.isin(WORDS[::2]),
    (PRICE > 1) | (METER == "good"), (WH / 7 > 0.1) & (AT < END), PRICE / 3 >= 0.1,
)  # fmt: skip
REDUCTIONS = ("mean", "min", "max", "count", "distinct")
#: Each value with its sum and one reduction more, each under one condition or another.
FORMULAS = {
    f"{op}{i}": getattr(value, op)(where=CONDITIONS[(i + j) % len(CONDITIONS)])
    for i, value in enumerate(VALUES) for j, op in enumerate(("sum", REDUCTIONS[i % len(REDUCTIONS)]))
} | {f"rows{i}": Expr("rows", ("reading", condition), "exact", "") for i, condition in enumerate(CONDITIONS)}  # fmt: skip


@pytest.fixture(scope="module")
def engine(spark, tmp_path_factory) -> Spark:
    return Spark(spark, tmp_path_factory.mktemp("laid-out"))


@pytest.fixture(scope="module")
def on_spark(bench, engine):
    """The bench of all other tests, whose views ask Spark."""

    class OnSpark(type(bench)):
        @contextmanager
        def open(self, *asked: Any) -> Iterator[Any]:
            with super().open(*asked) as (scheme, view, hierarchy):
                yield scheme, view.on(engine), hierarchy

    return OnSpark(bench.scheme)


def reading(meter: str, day: int, wh: int, price: Decimal | None, name: int) -> Mapping[str, Any]:
    at = date(2021, 7, 1) + timedelta(days=day)
    row = {"meter": f"{meter}", "unit": "U1", "at": f"{at}T{name % 24:02}:{name % 60:02}:00Z", "wh": wh}
    return row if price is None else row | {"price": str(price)}


CELLS = st.tuples(
    st.sampled_from(WORDS[:-1]).map(str.strip), st.integers(0, 91), st.one_of(st.integers(-5, 5), st.integers(-(10**9), 10**9)),
    st.one_of(st.none(), st.decimals(-100, 100, places=3), st.sampled_from([Decimal("99999999999.999999"), Decimal("0")])),
)  # fmt: skip


# Two examples of many rows: an example is a statement of 60 columns, which takes Spark some seconds.
@settings(max_examples=2, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(cells=st.lists(CELLS, min_size=20, max_size=60))
def test_every_reduction_comes_to_the_same_on_both_engines(bench, on_spark, cells):
    rows = {"reading": [reading(*cell, name) for name, cell in enumerate(cells)]}
    here, there = (b.formulas(FORMULAS, rows) for b in (bench, on_spark))
    assert {name: (repr(v.number), v.group) for name, v in there.items()} == {
        name: (repr(v.number), v.group) for name, v in here.items()
    }


def test_every_window_roll_up_breakdown_and_index_comes_to_the_same(bench, on_spark, programme_rows):
    here, there = (list(b.run(programme_rows, "2021Q3")) for b in (bench, on_spark))
    assert there == here
    assert {value.measure for value in here if value.number is not None} > {
        "approval", "awarded_each", "gravity", "last_item", "rank", "settled_wh", "cost", "standing", "double_standing",
    }  # fmt: skip


def test_rows_behind_a_number_are_the_same_and_it_is_explained_the_same(bench, on_spark, programme_rows):
    found = []
    for b in (bench, on_spark):
        with b.open(programme_rows) as parts:
            found.append((lineage(*parts, Q3, only=["gravity", "settled_wh"]), explain(*parts, "gravity", "L1", Q3)))
    assert found[0] == found[1]
    assert len(found[0][0]["L1"]["item"]) == 3


def test_a_series_comes_to_the_same_whatever_is_missing_and_however_large(bench, on_spark, stating):
    readings = Expr("field", ("use", "readings"), "series", "use")
    used = Expr("field", ("use", "used"), "exact", "use")
    formulas = {
        "total": total(readings).sum(),
        "either": coalesce(used, total(readings)).sum(),
        "missing": missing(readings).max(),
        "whole": total(readings).count(where=missing(readings) == 0),
    }
    steps = 31 * 96  # of a month
    given = {
        "a": range(steps),
        "b": [None, *[7] * (steps - 1)],
        "c": [2**62] * steps,
    }  # whose sum has more than 64 bits
    month = {"consumer": "U1", "month": "2021-07"}
    rows = {
        "subject": [stating("R", "region"), stating("U1", "consumer", "R")],
        "use": [month | {"meter": m, "readings": [*r]} for m, r in given.items()] + [month | {"meter": "d", "used": 5}],
    }
    green = load(Path(mingjian.schemes.green_power.__file__).parent)
    found = [type(b)(green).formulas(formulas, rows, of="consumer") for b in (bench, on_spark)]
    numbers = [{name: value.number for name, value in values.items()} for values in found]
    summed = sum(range(steps)) + 2**62 * steps
    assert numbers == [{"total": summed, "either": summed + 5, "missing": 1, "whole": 2}] * 2


@pytest.mark.parametrize(
    "formula",
    [
        (WH * WH).sum(),  # of 64 bits
        (WH * PRICE * 10**9).sum(),  # of 38 digits, in a row
        (WH * PRICE * 10**6).sum(),  # of 38 digits, in the sum
        (WH * 1.0e4).sum(),  # of a score
    ],
    ids=["row", "product", "sum", "score"],
)
def test_what_is_too_large_is_an_error_and_never_wraps(bench, on_spark, formula):
    rows = {"reading": [reading("m", n, 2**62, Decimal("99999999999.999999"), n) for n in range(3)]}
    for b in (bench, on_spark):
        with pytest.raises(MingjianError, match="a figure over rows of reading is too large"):
            b.formulas({"x": formula}, rows)


def test_no_row_stays_where_it_was_laid_out(bench, spark, tmp_path):
    with bench.open({"reading": [reading("m", 0, 1, None, 0)]}) as (scheme, view, hierarchy):
        view.on(Spark(spark, tmp_path / "laid-out"))
        evaluate(scheme, view, hierarchy, Q3, only=["energy"])
        (folder,) = (tmp_path / "laid-out").iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        assert {file.suffix for file in folder.iterdir()} == {".parquet"}
    assert list((tmp_path / "laid-out").iterdir()) == []


# -- what is missing ----------------------------------------------------------------------------------------------------


def test_without_java_it_is_said_what_to_install(bench, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with bench.open({}) as (_, view, _), pytest.raises(Misuse, match="needs Java") as error:
        view.on(Spark("local", tmp_path))
    assert "openjdk-17" in error.value.remedy
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with bench.open({}) as (_, view, _), pytest.raises(Misuse, match="JAVA_HOME is /nowhere"):
        view.on(Spark("local", tmp_path))


def test_without_pyspark_it_is_said_what_to_install(bench, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with bench.open({}) as (_, view, _), pytest.raises(Misuse) as error:
        view.on(Spark("local", tmp_path))
    assert error.value.remedy == "pip install 'mingjian[spark]'"


def test_nothing_of_spark_is_loaded_unless_it_is_asked_for():
    code = "import sys, mingjian.workspace; print([m for m in sys.modules if m.split('.')[0] in ('pyspark', 'py4j')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
