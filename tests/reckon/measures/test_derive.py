"""Derivations against hand-worked figures, and what must hold whatever the rows: nothing is created, lost or reordered."""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.values import Period
from mingjian.declare import (
    Dated,
    Derivation,
    EvidenceType,
    Expr,
    Field,
    Parameter,
    Scheme,
    SubjectType,
    Title,
    carry,
    coalesce,
    greatest,
    least,
    literal,
    split,
    where,
)
from mingjian.reckon.measures._derive import derive

NAME = Title("x", "某")
CONTRACT = {
    "contract": "text", "month": "period", "plant": "subject:plant", "consumer": "subject:consumer", "wh": "quantity",
    "rank": "integer", "signed": "time", "note": "text", "share": "decimal", "firm": "flag",
}  # fmt: skip
GENERATION = {"plant": "subject:plant", "month": "period", "meter": "text", "wh": "quantity", "mechanism": "quantity"}
USE = {"consumer": "subject:consumer", "month": "period", "meter": "text", "wh": "quantity"}
KINDS = {"quantity": "exact", "integer": "exact", "decimal": "exact", "time": "date", "date": "date", "flag": "flag"}


def evidence(name: str, fields: dict[str, str], key: tuple[str, ...], dated: str = "month") -> EvidenceType:
    made = {}
    for field, kind in fields.items():
        kind, _, of = kind.partition(":")
        made[field] = Field(field, kind, NAME, of=(of,) if of else ())  # type: ignore[arg-type]
    return EvidenceType(name, NAME, made, key, dated, tuple(f for f in made if made[f].type == "subject"))


CONTRACT_TYPE = evidence("contract", CONTRACT, ("contract", "month"))
TYPES = {
    t.id: t
    for t in (
        CONTRACT_TYPE,
        evidence("generation", GENERATION, ("meter", "month")),
        evidence("use", USE, ("meter", "month")),
        evidence("loose", {"wh": "quantity", "month": "period"}, ()),
    )
}
PARAMETERS = {
    "size": Parameter("size", NAME, "Wh", (Dated(date(2021, 1, 1), Decimal(1_000_000), "rule"),)),
    "loss": Parameter(
        "loss", NAME, "percent",
        (Dated(date(2021, 2, 1), Decimal(50), "rule"), Dated(date(2021, 3, 31), Decimal(25), "rule")),
    ),
    "factors": Parameter("factors", NAME, "", (Dated(date(2021, 1, 1), {"a": Decimal(2), "b": Decimal(3)}, "rule"),)),
}  # fmt: skip


def of(path: str) -> Expr:
    """``contract.wh`` as a formula sees it."""
    kind, _, name = path.partition(".")
    declared = TYPES[kind].fields[name].type if kind in TYPES and name in TYPES[kind].fields else "quantity"
    return Expr("field", (kind, name), KINDS.get(declared, "text"), kind)  # type: ignore[arg-type]


def param(name: str) -> Expr:
    return Expr("param", (name,), "exact", None)


def scheme(*derivations: Derivation, types: dict[str, EvidenceType] | None = None) -> Scheme:
    subjects = {name: SubjectType(name, NAME) for name in ("plant", "consumer")}
    made = {d.id: d for d in derivations}
    return Scheme(
        "s", "1", NAME, "month", "Asia/Shanghai", (), subjects, types or TYPES, PARAMETERS, {}, {}, made, {}, 10, (), None, ""
    )  # fmt: skip


def derivation(
    name: str, of: str, rule: str = "pro_rata", order: str = "", period: str = "month", **expr: Expr
) -> Derivation:
    return Derivation(name, NAME, of, expr, dict.fromkeys(expr, "Wh"), period, rule, order)  # type: ignore[arg-type]


def rows(name: str, *given: dict[str, Any], entry: int = 0) -> list[dict[str, Any]]:
    blank = dict.fromkeys(TYPES[name].fields)
    return [{**blank, **row, "_entry": entry, "_row": i} for i, row in enumerate(given)]


def settle(rule: str = "pro_rata", order: str = "") -> Derivation:
    return derivation(
        "settlement", "contract", rule, order,
        settled=least(
            of("contract.wh"),
            split(of("generation.wh").sum(), of("contract.plant"), of("contract.wh")),
            split(of("use.wh").sum(), of("contract.consumer"), of("contract.wh")),
        ),
    )  # fmt: skip


def shared(rule: str = "pro_rata", order: str = "", period: str = "month") -> Derivation:
    by_plant = split(of("generation.wh").sum(), of("contract.plant"), of("contract.wh"))
    return derivation("shared", "contract", rule, order, period, part=by_plant)


def run(name: str, made: Scheme, data: dict[str, list[dict[str, Any]]], until: str = "2021-12") -> list[dict[str, Any]]:
    return derive(made, name, lambda kind: data.get(kind, []), Period.parse(until))


def contract(
    name: str, wh: int | None, month: str = "2021-01", plant: str = "P", consumer: str = "C", **more: Any
) -> dict[str, Any]:
    return {"contract": name, "month": month, "plant": plant, "consumer": consumer, "wh": wh, **more}


def reading(wh: int | None, who: str = "P", month: str = "2021-01", meter: str = "", **more: Any) -> dict[str, Any]:
    return {"plant": who, "consumer": who, "month": month, "meter": meter or who, "wh": wh, **more}


def data(
    contracts: list[dict[str, Any]], plants: list[dict[str, Any]], uses: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    return {
        "contract": rows("contract", *contracts, entry=1),
        "generation": rows("generation", *plants, entry=2),
        "use": rows("use", *uses, entry=3),
    }


@pytest.mark.parametrize(("wh", "made", "used", "settled"), [(5, 9, 9, 5), (9, 5, 9, 5), (9, 9, 5, 5), (7, 7, 7, 7)])
def test_the_least_of_three_is_settled(wh: int, made: int, used: int, settled: int) -> None:
    found = run("settlement", scheme(settle()), data([contract("K", wh)], [reading(made)], [reading(used, "C")]))
    assert [row["settled"] for row in found] == [settled]


@pytest.mark.parametrize("plants", [[], [reading(None)], [reading(9, month="2021-02")], [reading(9, "Q")]])
def test_a_missing_reading_leaves_no_value_not_zero(plants: list[dict[str, Any]]) -> None:
    found = run("settlement", scheme(settle()), data([contract("K", 9)], plants, [reading(9, "C")]))
    assert [row["settled"] for row in found] == [None]


def test_an_unknown_weight_leaves_all_that_share_without_value() -> None:
    found = run("shared", scheme(shared()), data([contract("A", 1), contract("B", None)], [reading(10)]))
    assert [row["part"] for row in found] == [None, None]


def test_pro_rata_gives_the_odd_ones_to_the_largest_remainders_then_by_key() -> None:
    found = run("shared", scheme(shared()), data([contract(k, 1) for k in "BAC"], [reading(8)]))
    assert {row["contract"]: row["part"] for row in found} == {"A": 3, "B": 3, "C": 2}
    found = run("shared", scheme(shared()), data([contract("A", 1), contract("B", 5)], [reading(10)]))  # 1.67 and 8.33
    assert {row["contract"]: row["part"] for row in found} == {"A": 2, "B": 8}


def test_pro_rata_of_nothing_asked_gives_nothing() -> None:
    found = run("shared", scheme(shared()), data([contract("A", 0), contract("B", 0)], [reading(10)]))
    assert [row["part"] for row in found] == [0, 0]


def test_pro_rata_is_exact_far_beyond_64_bits() -> None:
    huge = 2**63 * 10**6 + 1
    found = run("shared", scheme(shared()), data([contract("A", 2**63 - 1), contract("B", 2**62)], [reading(huge)]))
    weights = 2**63 - 1 + 2**62
    parts = {row["contract"]: row["part"] for row in found}
    assert sum(parts.values()) == huge
    assert parts["A"] in (huge * (2**63 - 1) // weights, huge * (2**63 - 1) // weights + 1)


def test_a_sum_of_readings_beyond_64_bits_is_whole() -> None:
    plants = [reading(2**63 - 1, meter=str(n)) for n in range(4)]
    found = run("shared", scheme(shared()), data([contract("A", 1)], plants))
    assert found[0]["part"] == 4 * (2**63 - 1)


def test_priority_serves_the_smallest_order_first_and_leaves_what_nobody_asked_for() -> None:
    contracts = [
        contract("A", 6, rank=2),
        contract("B", 5, rank=1),
        contract("C", 9, rank=None),
        contract("D", 1, rank=2),
    ]
    served = {
        row["contract"]: row["part"]
        for row in run("shared", scheme(shared("priority", "rank")), data(contracts, [reading(13)]))
    }
    assert served == {"B": 5, "A": 6, "D": 1, "C": 1}
    served = {
        row["contract"]: row["part"]
        for row in run("shared", scheme(shared("priority", "rank")), data(contracts, [reading(99)]))
    }
    assert served == {"B": 5, "A": 6, "D": 1, "C": 9}


def test_time_serves_the_earlier_signed_first() -> None:
    early, late = datetime(2020, 1, 1, 3, tzinfo=UTC), datetime(2020, 1, 1, 4, tzinfo=UTC)
    contracts = [contract("A", 6, signed=late), contract("B", 6, signed=early)]
    found = run("shared", scheme(shared("time", "signed")), data(contracts, [reading(8)]))
    assert {row["contract"]: row["part"] for row in found} == {"B": 6, "A": 2}


def test_totals_are_of_the_rows_that_the_condition_keeps() -> None:
    kept = split(
        of("generation.wh").sum(where=of("generation.meter") != "test"), of("contract.plant"), of("contract.wh")
    )
    plants = [reading(5, meter="m"), reading(70, meter="test"), reading(3, meter="n")]
    found = run("d", scheme(derivation("d", "contract", part=kept)), data([contract("A", 1)], plants))
    assert found[0]["part"] == 8
    assert found[0]["_from"] == (("contract", 1, 0), ("generation", 2, 0), ("generation", 2, 2))


@pytest.mark.parametrize(
    ("op", "part"), [("sum", 12), ("mean", 6), ("min", 4), ("max", 8), ("count", 2), ("distinct", 2)]
)
def test_each_reduction_can_be_split(op: str, part: int) -> None:
    total = getattr(of("generation.wh"), op)()
    made = derivation("d", "contract", part=split(total, of("contract.plant"), of("contract.wh")))
    plants = [reading(4, meter="1"), reading(8, meter="2"), reading(None, meter="3")]
    assert run("d", scheme(made), data([contract("A", 1)], plants))[0]["part"] == part


def test_carry_hands_the_remainder_on() -> None:
    whole, rest = carry(of("contract.wh"), param("size"))
    months = [contract("K", 600_000, f"2021-{m:02}") for m in (3, 1, 2)]
    found = run("gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)), data(months, []))
    assert [(row["month"], row["gec"], row["rest"]) for row in found] == [
        ("2021-01", 0, 600_000), ("2021-02", 1, 200_000), ("2021-03", 0, 800_000),
    ]  # fmt: skip


def test_the_remainder_passes_a_month_without_value_by() -> None:
    whole, rest = carry(of("contract.wh"), param("size"))
    months = [contract("K", wh, f"2021-{m:02}") for m, wh in ((1, 600_000), (2, None), (3, 600_000))]
    found = run("gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)), data(months, []))
    assert [(row["gec"], row["rest"]) for row in found] == [(0, 600_000), (None, None), (1, 200_000)]


def test_amounts_before_a_unit_is_in_force_are_kept_for_later() -> None:
    whole, rest = carry(of("contract.wh"), param("loss"))  # first in force in February: 50, from the end of March: 25
    months = [contract("K", 30, f"2021-{m:02}") for m in (1, 2, 3)]
    found = run("gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)), data(months, []))
    assert [(row["gec"], row["rest"]) for row in found] == [(None, None), (1, 10), (1, 15)]


def test_series_are_carried_apart() -> None:
    whole, rest = carry(of("contract.wh"), 10)
    found = run(
        "gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)),
        data([contract(k, 7, f"2021-0{m}") for k in "AB" for m in (1, 2)], []),
    )  # fmt: skip
    assert [(row["contract"], row["gec"], row["rest"]) for row in found] == [
        ("A", 0, 7), ("B", 0, 7), ("A", 1, 4), ("B", 1, 4),
    ]  # fmt: skip


def test_a_derivation_of_a_derivation_sees_its_results_and_all_that_entered() -> None:
    whole, rest = carry(of("settlement.settled"), param("size"))
    made = scheme(settle(), derivation("gec", "settlement", gec=whole, rest=rest))
    contracts = [contract("K", 1_500_000, m) for m in ("2021-01", "2021-02")]
    plants = [reading(9_000_000, month=m) for m in ("2021-01", "2021-02")]
    uses = [reading(9_000_000, "C", m) for m in ("2021-01", "2021-02")]
    first, second = run("gec", made, data(contracts, plants, uses))
    assert (first["settled"], first["gec"], first["rest"], second["gec"], second["rest"]) == (
        1_500_000,
        1,
        500_000,
        2,
        0,
    )
    assert first["_from"] == (("contract", 1, 0), ("generation", 2, 0), ("use", 3, 0))
    assert second["_from"] == tuple(
        (kind, e, r) for kind, e in (("contract", 1), ("generation", 2), ("use", 3)) for r in (0, 1)
    )
    assert (second["_entry"], second["_row"], second["plant"]) == (1, 1, "P")


def test_rows_after_the_period_do_not_enter() -> None:
    contracts = [contract("K", 5, m) for m in ("2021-01", "2021-02", "2021-03")]
    found = run("shared", scheme(shared()), data(contracts, [reading(9, month="2021-02")]), until="2021-02")
    assert [(row["month"], row["part"]) for row in found] == [("2021-01", None), ("2021-02", 9)]


def test_hours_and_days_are_cut_and_shared_by_the_clock_of_the_scheme() -> None:
    hourly = {
        "contract": evidence("contract", CONTRACT | {"hour": "period"}, ("contract", "hour"), "hour"),
        "generation": evidence("generation", GENERATION | {"at": "time"}, ("meter", "at"), "at"),
    }
    contracts = rows("contract", *({**contract("K", 9), "hour": f"2021-01-01T0{h}+08:00"} for h in (0, 1, 2)))
    plants = rows("generation", *(reading(h + 1, at=datetime(2020, 12, 31, 16 + h, 30, tzinfo=UTC)) for h in (0, 1, 2)))
    made = scheme(shared(period="hour"), types=hourly)
    found = run("shared", made, {"contract": contracts, "generation": plants}, until="2021-01-01T01+08:00")
    assert [row["part"] for row in found] == [1, 2]


def test_a_reading_of_a_longer_period_cannot_be_shared_in_a_shorter_one() -> None:
    with pytest.raises(Misuse, match="2021 lies in no single month"):
        run("shared", scheme(shared()), data([contract("K", 5)], [reading(9, month="2021")]))


def cell(expr: Expr, until: str = "2021-12", **row: Any) -> object:
    """What a formula gives for one contract."""
    day = row.pop("month", "2021-01")
    made = scheme(derivation("d", "contract", x=expr))
    return run("d", made, data([contract("K", row.pop("wh", 10), day, **row)], []), until)[0]["x"]


WH, RANK = of("contract.wh"), of("contract.rank")


@pytest.mark.parametrize(
    ("expr", "result"),
    [
        (WH + 1, 11), (1 - WH, -9), (WH * 3, 30), (least(WH, 3), 3), (greatest(WH, 30), 30),
        (WH * (param("loss") / 10), 25), (WH * (literal(7) // 2), 30), (WH * (literal(7) / 0), None),
        (WH + literal(7) // 0, None),
        (where(WH > 9, WH, 0), 10), (where(WH >= 11, WH, 0), 0), (where((WH < 9) | (WH <= 10), 1, WH), 1),
        (where((WH == 10) & (WH != 11), 1, WH), 1), (where(~(WH == 10), 1, WH), 10),
        (coalesce(RANK, WH), 10), (RANK + WH, None), (least(WH, RANK), None), (where(RANK > 1, 1, WH), None),
        (where(RANK.is_null(), 1, WH), 1), (where((RANK > 1) & (WH == 10), 1, WH), None),
        (where((RANK > 1) | (WH == 10), 1, WH), 1),
        (where(~((RANK > 1) & (WH == 0)), 1, WH), 1), (where(~((RANK > 1) | (WH == 0)), 1, WH), None),
        (where(of("contract.plant").isin(["P", "Q"]), 1, WH), 1), (where(of("contract.note").isin(["P"]), 1, WH), None),
        (where(of("contract.firm"), 1, WH), 1), (where(of("contract.firm") == literal(True), 1, WH), 1),
        (Expr("lookup", ("factors", of("contract.contract")), "exact", "contract") + WH, None),
        (Expr("lookup", ("factors", literal("b")), "exact", None) * WH, 30),
        (of("contract.share") * 4, 10),
        ((Expr("bound", ("period_end",), "date", None) - of("contract.signed")).days, 24),
        ((of("contract.signed") - Expr("bound", ("period_start",), "date", None)).days, 6),
        (where(of("contract.signed") > date(2021, 3, 6), 1, WH), 1),
    ],
)  # fmt: skip
def test_row_formulas_are_exact_and_keep_no_value_as_no_value(expr: Expr, result: int | None) -> None:
    signed = datetime(2021, 3, 6, 17, tzinfo=UTC)  # the 7th in Shanghai
    more = {"rank": None, "share": Decimal("2.5"), "signed": signed, "firm": True, "note": None}
    assert cell(expr, month="2021-03", **more) == result


@pytest.mark.parametrize(("month", "result"), [("2021-01", None), ("2021-02", 500), ("2021-03", 250)])
def test_a_parameter_is_the_one_in_force_on_the_last_day_of_the_rows_own_period(month: str, result: int | None) -> None:
    assert cell(WH * param("loss"), month=month) == result


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (derivation("d", "contract", x=of("contract.share") * 1), "comes to 5/2"),
        (derivation("d", "contract", x=where(WH / 3 > 2.0, WH, 0)), "not exact"),
        (derivation("d", "contract", x=where(literal(2.5) > WH, WH, 0)), "not exact"),
        (derivation("d", "contract", x=Expr("measure", ("m",), "exact", "")), "measure"),
        (derivation("d", "contract", "", x=shared().expr["part"]), "how a total is split"),
        (derivation("d", "contract", "priority", x=shared().expr["part"]), "how a total is split"),
        (derivation("d", "contract", x=carry(WH, 0)[0]), "units of 0"),
        (derivation("d", "contract", x=split(of("loose.wh").sum(), of("contract.plant"), WH)), "no subject"),
        (derivation("d", "contract", x=split(of("generation.wh").sum(), of("contract.plant"), 0 - WH)), "cannot divide"),
        (derivation("d", "contract", x=split((0 - of("generation.wh")).sum(), of("contract.plant"), WH)), "P in 2021-01"),
        (derivation("d", "contract", x=split(of("generation.wh").mean(), of("contract.plant"), WH)), "cannot divide 13/2"),
        (derivation("d", "loose", x=carry(of("loose.wh"), 3)[0]), "has no key"),
        (derivation("d", "missing", x=of("missing.wh")), "no dated evidence 'missing'"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_exactly_is_refused_with_its_reason(made: Derivation, message: str) -> None:
    given = data([contract("K", 10, share=Decimal("2.5"))], [reading(4), reading(9, meter="n")])
    given["loose"] = rows("loose", {"wh": 5, "month": "2021-01"})
    with pytest.raises(Misuse, match=message):
        run("d", scheme(made), given)


# -- what must always hold -------------------------------------------------------------------------------------------------

AMOUNT = st.one_of(st.integers(0, 50), st.integers(0, 2**70))
MONTHS = ("2021-01", "2021-02", "2021-03")


@st.composite
def markets(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """A small market: contracts that share plants and consumers, some readings missing."""
    contracts = [
        contract(
            f"K{n}",
            draw(AMOUNT),
            month,
            draw(st.sampled_from("PQ")),
            draw(st.sampled_from("CD")),
            rank=draw(st.integers(0, 2)),
        )
        for n in range(draw(st.integers(1, 6)))
        for month in MONTHS
    ]  # fmt: skip
    readings = {
        who: [reading(draw(AMOUNT), w, m) for w in who for m in MONTHS if draw(st.integers(0, 4))]
        for who in ("PQ", "CD")
    }
    return data(contracts, readings["PQ"], readings["CD"])


RULES = st.sampled_from([("pro_rata", ""), ("priority", "rank"), ("time", "month")])


@settings(max_examples=60)
@given(markets(), RULES)
def test_settlement_conserves_every_watt_hour(market: dict[str, Any], rule: tuple[str, str]) -> None:
    found = run("settlement", scheme(settle(*rule)), market)
    for field, kind in (("plant", "generation"), ("consumer", "use")):
        given_out: dict[tuple[str, str], int] = defaultdict(int)
        for row in found:
            given_out[row[field], row["month"]] += row["settled"] or 0
        there = {(row[field], row["month"]): row["wh"] for row in market[kind]}
        assert all(wh <= there.get(share, 0) for share, wh in given_out.items())
        for row in found:
            assert row["settled"] is None or 0 <= row["settled"] <= min(row["wh"], there[row[field], row["month"]])
            assert (row["settled"] is None) >= ((row[field], row["month"]) not in there)


@settings(max_examples=60)
@given(markets(), RULES)
def test_the_parts_of_a_total_sum_to_what_the_rule_says(market: dict[str, Any], rule: tuple[str, str]) -> None:
    found = run("shared", scheme(shared(*rule)), market)
    there = {(row["plant"], row["month"]): row["wh"] for row in market["generation"]}
    parts: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in found:
        if (row["plant"], row["month"]) in there:
            parts[row["plant"], row["month"]].append((row["part"], row["wh"]))
        else:
            assert row["part"] is None
    for share, pairs in parts.items():
        given_out, asked = (sum(column) for column in zip(*pairs, strict=True))
        if rule[0] == "pro_rata":
            assert given_out == (there[share] if asked else 0)
            assert all(abs(part * asked - there[share] * weight) < max(asked, 1) for part, weight in pairs)
        else:
            assert given_out == min(there[share], asked)


@settings(max_examples=60)
@given(markets(), RULES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    market: dict[str, Any], rule: tuple[str, str], chance: random.Random
) -> None:
    whole, rest = carry(of("settlement.settled"), param("size"))
    made = scheme(settle(*rule), derivation("gec", "settlement", gec=whole, rest=rest))
    before = run("gec", made, market)
    shuffled = {kind: chance.sample(given, len(given)) for kind, given in market.items()}
    assert run("gec", made, shuffled) == before


@given(st.lists(st.one_of(st.none(), AMOUNT), min_size=1, max_size=12), st.integers(1, 100))
def test_carry_conserves_every_unit(amounts: list[int | None], unit: int) -> None:
    whole, rest = carry(WH, unit)
    months = [contract("K", wh, f"2021-{m:02}") for m, wh in enumerate(amounts, 1)]
    found = run("gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)), data(months, []))
    known = [row for row in found if row["gec"] is not None]
    assert all(0 <= row["rest"] < unit for row in known)
    assert sum(wh or 0 for wh in amounts) == sum(unit * row["gec"] for row in known) + (
        known[-1]["rest"] if known else 0
    )
    for cut in range(1, len(amounts) + 1):
        assert (
            run("gec", scheme(derivation("gec", "contract", gec=whole, rest=rest)), data(months, []), f"2021-{cut:02}")
            == found[:cut]
        )
