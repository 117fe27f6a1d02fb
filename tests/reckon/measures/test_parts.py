"""A part of the rows stands for all of them: each derived row in it is what it is among all."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.values import Period
from mingjian.declare import Derivation, EvidenceType, Expr, Field, Scheme, SubjectType, Title, carry, least, split
from mingjian.reckon.measures._derive import derive
from mingjian.reckon.measures._parts import part

NAME = Title("x", "某")
UNTIL = Period.parse("2021-12")


def evidence(name: str, key: tuple[str, ...], about: tuple[str, ...], *texts: str) -> EvidenceType:
    fields = {f: Field(f, "subject", NAME, of=(f if f != "seller" else "plant",)) for f in about}
    fields |= {f: Field(f, "text", NAME) for f in texts}
    fields |= {"month": Field("month", "period", NAME), "wh": Field("wh", "quantity", NAME)}
    return EvidenceType(name, NAME, fields, key, "month", about)


TYPES = {
    t.id: t
    for t in (
        evidence("contract", ("contract", "lot", "month"), ("plant", "consumer", "seller"), "contract", "lot"),
        evidence("generation", ("plant", "month"), ("plant",)),
        evidence("use", ("consumer", "month"), ("consumer",)),
    )
}


def of(path: str) -> Expr:
    kind, _, name = path.partition(".")
    return Expr("field", (kind, name), "exact" if name not in ("plant", "consumer", "seller") else "text", kind)


def derivation(name: str, base: str, **expr: Expr) -> Derivation:
    return Derivation(name, NAME, base, expr, dict.fromkeys(expr, "Wh"), "month", "pro_rata", "")


def scheme() -> Scheme:
    by_plant = split(of("generation.wh").sum(), of("contract.plant"), of("contract.wh"))
    by_consumer = split(of("use.wh").sum(), of("contract.consumer"), of("contract.wh"))
    # What was settled with a plant is shared among those to whom it sold: a total over the derived rows themselves.
    resold = split(of("settled.wh_settled").sum(), of("settled.seller"), of("settled.wh"))
    made = (
        derivation("settled", "contract", wh_settled=least(by_plant, by_consumer)),
        derivation("gec", "settled", gec=carry(of("settled.wh_settled"), 7)[0]),
        derivation("resold", "settled", resold=resold),
        derivation("plain", "contract", twice=of("contract.wh") * 2),
    )
    subjects = {name: SubjectType(name, NAME) for name in ("plant", "consumer")}
    derivations = {d.id: d for d in made}
    return Scheme(
        "s", "1", NAME, "month", "Asia/Shanghai", (), subjects, TYPES, {}, {}, {}, derivations, {}, 10, (), None, ""
    )


SCHEME = scheme()


def table(kind: str, rows: list[dict[str, Any]]) -> pa.Table:
    whole = pa.decimal128(38, 0)
    columns = {n: pa.array([r.get(n) for r in rows], whole if n == "wh" else pa.string()) for n in TYPES[kind].fields}
    return pa.table(columns | {"_entry": pa.array([0] * len(rows), pa.int64()), "_row": pa.array(range(len(rows)))})


@st.composite
def markets(draw: st.DrawFn) -> dict[str, pa.Table]:
    months = ("2021-01", "2021-02")
    names = st.sampled_from("PQR")
    contracts = [
        {
            "contract": draw(st.sampled_from("KLM")), "lot": f"{n}", "month": draw(st.sampled_from(months)),
            "plant": draw(names), "consumer": draw(st.sampled_from("CDE")), "seller": draw(st.one_of(st.none(), names)),
            "wh": draw(st.integers(0, 40)),
        }
        for n in range(draw(st.integers(0, 7)))
    ]  # fmt: skip
    readings = {
        name: [{name: who, "month": m, "wh": draw(st.integers(0, 90))} for who in whose for m in months]
        for name, whose in (("plant", "PQR"), ("consumer", "CDE"))
    }
    made: dict[str, list[dict[str, Any]]] = {
        "contract": contracts,
        "generation": readings["plant"],
        "use": readings["consumer"],
    }
    return {kind: table(kind, rows) for kind, rows in made.items()}


@pytest.mark.parametrize("name", sorted(SCHEME.derivations))
@settings(max_examples=40)
@given(markets(), st.sets(st.sampled_from("PQRCDE"), max_size=2))
def test_rows_derived_from_a_part_are_those_derived_from_all(
    name: str, market: dict[str, pa.Table], subjects: set[str]
) -> None:
    found = part(SCHEME, name, market.__getitem__, subjects)
    some = derive(SCHEME, name, lambda kind: found[kind].to_pylist(), UNTIL)
    every = derive(SCHEME, name, lambda kind: market[kind].to_pylist(), UNTIL)
    assert all(row in every for row in some)
    assert [row for row in every if subjects & {row[f] for f in TYPES["contract"].subjects}] == [
        row for row in some if subjects & {row[f] for f in TYPES["contract"].subjects}
    ]


def test_a_part_leaves_out_the_markets_that_nobody_asked_about() -> None:
    rows = [
        {"contract": c, "lot": "1", "month": "2021-01", "plant": p, "consumer": c, "wh": 5} for c, p in ("CP", "DQ")
    ]
    readings = [{"plant": p, "month": "2021-01", "wh": 9} for p in "PQ"]
    uses = [{"consumer": c, "month": "2021-01", "wh": 9} for c in "CD"]
    market = {"contract": rows, "generation": readings, "use": uses}
    found = part(SCHEME, "gec", lambda kind: table(kind, market[kind]), {"C"})
    assert {kind: rows.num_rows for kind, rows in found.items()} == {"contract": 1, "generation": 1, "use": 1}
