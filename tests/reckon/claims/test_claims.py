"""Verdicts: what follows from the printed places, the wording, the units and the evidence, and what does not."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Finding, Misuse
from mingjian.base.values import number_text, round_half_away
from mingjian.declare import Title
from mingjian.reckon.claims import Measured, Verdict, check_claims, load_claims
from mingjian.reckon.measures import Status, Value

PAGE = Path(__file__).parents[3] / "examples" / "chongqing-2021-09-07" / "claims.toml"
HEAD = '[source.page]\ntitle = "A page"\npublisher = "A paper"\ndate = 2021-09-07\n'


def claim(name: str, value: str, unit: str, rest: str = "") -> str:
    return f"""
[claim.{name}]
title = {{ en = "Figure", zh = "数" }}
subject = "S"
source = "page"
quote = "..."
value = {value}
unit = "{unit}"
{rest}
"""


def nothing(measure: str, subject: str, period: str) -> Measured | None:
    return None


def measured(number: str, unit: str, synthetic: bool = False, status: Status = "value") -> Measured:
    reason = None if status == "value" else Finding("small-group", "counted from fewer than 10 ballots")
    value = Value("m", "S", "2021", "", status, None if reason else Fraction(number), unit, 0, reason=reason)
    return Measured(value, synthetic, Title("Work", "工作"), Title("Somewhere", "某地"))


def verdicts(folder: Path, text: str, factors: Path | None = None) -> dict[str, Verdict]:
    file = folder / "claims.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return {verdict.claim.id: verdict for verdict in check_claims(load_claims(file), nothing, factors)}


def held_against(folder: Path, found: Measured | None, value: str, unit: str, rest: str = "") -> Verdict:
    file = folder / "claims.toml"
    against = 'against = [{ measure = "m", subject = "S", period = "2021" }]'
    file.write_text(HEAD + claim("figure", value, unit, f"{against}\n{rest}"), encoding="utf-8")
    (verdict,) = check_claims(load_claims(file), lambda *asked: found if asked == ("m", "S", "2021") else None)
    return verdict


@pytest.mark.parametrize(
    ("value", "rest", "agree", "differ"),
    [
        ("3.43", 'magnitude = "万"', ["34250", "34300", "34350"], ["34249.99", "34350.01", "3430000"]),
        ("3.430", 'magnitude = "万"', ["34295", "34305"], ["34250", "34306"]),
        ("34300", "", ["34299.5", "34300.5"], ["34299", "34301"]),
        ("500", 'wording = "about"', ["450", "550"], ["449", "551"]),
        ("6000", 'wording = "over"', ["6000", "6999"], ["5999", "7001"]),
        ("520", 'wording = "over"', ["520", "530"], ["519", "531"]),
        ("1000", 'wording = "at_least"', ["1000", "90000"], ["999.9"]),
        ("-42.3", "", ["-42.25", "-42.34"], ["42.3", "-42.36"]),
        ("100", 'tolerance = { percent = 2, reason = "metering" }', ["98", "102"], ["97.9", "102.1"]),
        ("100", 'wording = "over"\ntolerance = { percent = 2, reason = "r" }', ["98", "102"], ["97.9", "102.1"]),
        ("100", 'wording = "at_least"\ntolerance = { percent = 2, reason = "r" }', ["98", "900"], ["97.9"]),
    ],
)
def test_the_printed_form_says_how_near_is_near(
    tmp_path: Path, value: str, rest: str, agree: list[str], differ: list[str]
) -> None:
    for number in agree:
        assert held_against(tmp_path, measured(number, "t"), value, "t", rest).outcome == "consistent", number
    for number in differ:
        assert held_against(tmp_path, measured(number, "t"), value, "t", rest).outcome == "contradicted", number


def test_units_are_converted_and_counted_things_are_not(tmp_path: Path) -> None:
    same = held_against(tmp_path, measured("60000000000", "Wh"), "6000", "kWh", 'magnitude = "万"\nshow = "MWh"')
    assert same.outcome == "consistent"
    assert same.comparisons[0].text.en == "Work of Somewhere in 2021 = 60,000 MWh, published 60,000 MWh"
    assert same.comparisons[0].computed == 60_000_000
    other = held_against(tmp_path, measured("85", "firm"), "85", "unit")
    assert other.outcome == "unsupported"
    assert "is in firm, which is not to be held against unit" in other.comparisons[0].text.en


def test_what_stands_after_a_slash_is_no_counted_thing(tmp_path: Path) -> None:
    (verdict,) = verdicts(tmp_path, claim("x", "70.6", "vote/unit")).values()
    assert (verdict.published.en, verdict.published.zh) == ("70.6 votes/unit", "70.6票/单位")


def test_a_score_is_held_as_it_is(tmp_path: Path) -> None:
    score = Value("m", "S", "2021", "", "value", 1 / 3, "percent", 2)
    verdict = held_against(
        tmp_path, Measured(score, False, Title("Score", "分数"), Title("Somewhere", "某地")), "0.33", "percent"
    )
    assert verdict.outcome == "consistent"
    assert verdict.comparisons[0].text.en.startswith("Score of Somewhere in 2021 ≈ 0.3333%")
    assert verdict.comparisons[0].text.zh.startswith("某地 2021 分数")


def test_synthetic_evidence_is_said_to_be_synthetic(tmp_path: Path) -> None:
    verdict = held_against(tmp_path, measured("85", "unit", synthetic=True), "85", "unit")
    assert (verdict.outcome, verdict.synthetic) == ("consistent", True)
    assert "(from synthetic evidence)" in verdict.comparisons[0].text.en
    assert "(合成数据)" in verdict.comparisons[0].text.zh
    assert not held_against(tmp_path, measured("85", "unit"), "85", "unit").synthetic


def test_what_is_withheld_or_missing_supports_nothing(tmp_path: Path) -> None:
    withheld = held_against(tmp_path, measured("", "vote", status="withheld"), "85", "vote")
    assert withheld.outcome == "unsupported"
    assert (
        withheld.comparisons[0].text.en == "Work of Somewhere in 2021 is withheld: counted from fewer than 10 ballots"
    )
    assert held_against(tmp_path, None, "85", "vote").comparisons[0].text.en == "m of S in 2021 is not measured"
    assert verdicts(tmp_path, claim("alone", "1", "t"))["alone"].outcome == "unsupported"


def test_one_contradiction_outweighs_agreement(tmp_path: Path) -> None:
    found = verdicts(
        tmp_path,
        claim("a", "5", "t", 'against = [{ same_as = "b" }, { formula = "2 * b" }]') + claim("b", "5.0", "t"),
    )
    assert [comparison.outcome for comparison in found["a"].comparisons] == ["consistent", "contradicted"]
    assert found["a"].outcome == "contradicted"


@pytest.mark.parametrize(("total", "outcome"), [("3", "consistent"), ("4", "contradicted")])
def test_parts_printed_as_wholes_may_miss_their_sum_by_the_rounding(tmp_path: Path, total: str, outcome: str) -> None:
    text = claim("a", "1", "t") + claim("b", "1", "t") + claim("sum", total, "t", 'against = [{ formula = "a + b" }]')
    assert verdicts(tmp_path, text)["sum"].outcome == outcome


THOUSANDTHS = st.integers(1, 10**6).map(lambda number: Fraction(number, 1000))
PLACES = st.integers(0, 3)


@given(THOUSANDTHS, THOUSANDTHS, st.tuples(PLACES, PLACES, PLACES))
def test_figures_printed_from_true_ones_never_contradict_each_other(
    tmp_path_factory: pytest.TempPathFactory, energy: Fraction, rate: Fraction, places: tuple[int, int, int]
) -> None:
    printed = [number_text(round_half_away(n, p)) for n, p in zip((energy, rate, energy * rate), places, strict=True)]
    text = claim("energy", printed[0], "MWh") + claim("rate", printed[1], "kg/MWh")
    text += claim("mass", printed[2], "kg", 'against = [{ formula = "energy * rate" }]')
    assert verdicts(tmp_path_factory.getbasetemp(), text)["mass"].outcome == "consistent"


@pytest.mark.parametrize(("printed", "words"), [
    ("343", "the published figure is exactly 100 times that"), ("0.343", "that is exactly 10 times the published figure"),
    ("3.1", "the published figure is 9.62% lower"), ("4", "the published figure is 16.62% higher"), ("0", "published 0 t"),
])  # fmt: skip
def test_a_slipped_magnitude_is_named(tmp_path: Path, printed: str, words: str) -> None:
    text = claim("head", printed, "t", 'magnitude = "万"\nagainst = [{ same_as = "body" }]')
    found = verdicts(tmp_path, text + claim("body", "3.43", "t", 'magnitude = "万"'))["head"]
    assert found.outcome == "contradicted"
    assert words in found.comparisons[0].text.en


def test_constants_implied_figures_and_notes(tmp_path: Path) -> None:
    text = """
[constant.hours]
title = { en = "Hours", zh = "小时" }
value = 8760
unit = "hour"
source = "the calendar of 2021"
"""
    implies = '{ title = { en = "Share", zh = "占比" }, formula = "work / hours", unit = "percent", decimals = 3 }'
    against = '{ formula = "hours / 4380", note = { en = "So it is.", zh = "如是。" } }'
    text += claim("work", "2", "hour", f"implies = [{implies}]\nagainst = [{against}]")
    found = verdicts(tmp_path, text)["work"]
    assert found.outcome == "consistent"
    assert found.comparisons[0].text.en == "8,760 hour / 4380 = 2 hour, published 2 hour. So it is."
    assert found.implied[0].en == "Share: 2 hour / 8,760 hour = 0.023%"
    assert found.implied[0].zh == "占比:2hour / 8,760hour = 0.023%"


FACTORS = "scope,region,year,value,unit,source,status\n"


def candidates(folder: Path, rows: str) -> list[str]:
    list_ = folder / "factors.csv"
    list_.write_text(FACTORS + rows, encoding="utf-8")
    near = '[claim.co2.candidates]\nsubstance = "CO2"\nquantity = "energy"\npercent = 3\nreason = "r"\n'
    text = claim("energy", "60", "GWh") + claim("co2", "34300", "t", near)
    return [text.en for text in verdicts(folder, text, list_)["co2"].candidates]


def test_only_seen_factors_of_the_substance_that_come_near_are_named(tmp_path: Path) -> None:
    rows = "far,CN,2020,0.61,kgCO2/kWh,,seen\nnear,CN,2021,0.5568,kgCO2/kWh,,seen\n"
    rows += "hearsay,CN,2022,0.5703,kgCO2/kWh,,secondary\nnearer,,2022,585.6,gCO2/kWh,,seen\nother,CN,2021,0.57,kgSO2/kWh,,seen\n"
    assert candidates(tmp_path, rows) == [
        "nearer, 2022: 60 GWh × 585.6 g/kWh = 35,136 t (+2.44%)",
        "near, CN, 2021: 60 GWh × 0.5568 kg/kWh = 33,408 t (-2.60%)",
    ]
    assert candidates(tmp_path, "far,CN,2020,0.61,kgCO2/kWh,,seen\n") == ["none of 1 seen CO2 factors is within 3%"]


@pytest.mark.parametrize("row", ["x,,,0.5,kgN2O/kWh,,seen", "x,,,much,kgCO2/kWh,,seen"])
def test_a_factor_that_is_none_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(Misuse, match=r"factors\.csv:2"):
        candidates(tmp_path, row)


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(Misuse, match="no column region"):
        verdicts(tmp_path, claim("a", "1", "t"), other)
    with pytest.raises(Misuse, match="cannot read"):
        verdicts(tmp_path, claim("a", "1", "t"), tmp_path / "none.csv")


WORKSPACE = {
    ("units_described", "BEIBEI", "2021"): measured("85", "unit", synthetic=True),
    ("leaders_described", "BEIBEI", "2021"): measured("520", "person", synthetic=True),
    ("ballots_counted", "BEIBEI", "2021"): measured("6000", "vote", synthetic=True),
    ("items_recorded", "BEIBEI", "2021Q3"): measured("700", "item", synthetic=True),
    ("green_energy", "TENCENT-CQ", "2021"): measured("60000000", "kWh", synthetic=True),
}


@pytest.fixture(scope="module")
def page() -> dict[str, Verdict]:
    found = check_claims(load_claims(PAGE), lambda *asked: WORKSPACE.get(asked))
    return {verdict.claim.id: verdict for verdict in found}


def test_the_page_contradicts_itself_in_these_places_and_no_others(page: dict[str, Verdict]) -> None:
    found = {name for name, verdict in page.items() if verdict.outcome == "contradicted"}
    assert found == {"co2", "co2_headline", "co2_per_mwh", "trade_target"}
    said = {name: page[name].comparisons[0].text.en for name in found}
    assert said["co2"].startswith("60,000 MWh × 838 kg/MWh = 50,280 t, published 34,300 t")
    assert "exactly 100 times" in said["co2_headline"]
    assert said["trade_target"].startswith("675.3 hundred million yuan × (1 + 10%) ^ 3 = 898.8243 hundred million yuan")
    assert page["trade_target"].implied[0].en.endswith("= 13.98%")
    assert page["co2"].implied[0].en.endswith("= 0.5717 t/MWh")
    assert page["so2"].implied[0].en.endswith("= 0.1135 kg/MWh")


def test_what_the_workspace_measures_agrees_with_the_page_and_is_marked(page: dict[str, Verdict]) -> None:
    agreed = {name for name, verdict in page.items() if verdict.outcome == "consistent"}
    assert agreed == {"units", "leaders", "ballots", "items", "green_energy", "green_energy_headline"}
    assert {name for name in agreed if not page[name].synthetic} == {"green_energy_headline"}


def test_every_verdict_is_json_without_floats(page: dict[str, Verdict]) -> None:
    for verdict in page.values():
        again = json.loads(json.dumps(verdict.to_json()), parse_float=pytest.fail)
        assert again["outcome"] == verdict.outcome
        assert all(set(text) == {"en", "zh"} for text in (again["published"], *again["implied"]))
    assert page["co2"].to_json()["value"] == "3.43"
    assert page["co2"].comparisons[0].to_json()["computed"] == "50280"
