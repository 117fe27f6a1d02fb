"""Each figure held against what it can be held against."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from mingjian.base.errors import Misuse
from mingjian.base.values import round_half_away, to_fraction
from mingjian.declare import Title
from mingjian.reckon.claims._formulas import Amount, evaluate, names_in, scale, with_values
from mingjian.reckon.claims._model import (
    Against,
    Candidates,
    Claim,
    ClaimSet,
    Comparison,
    Implied,
    Lookup,
    Outcome,
    Verdict,
)
from mingjian.reckon.claims._text import amount_text, figure_text, published_text

_FACTOR_UNIT: Final = re.compile("(mg|g|kg|t)(CO2|SO2)/(Wh|kWh|MWh|GWh)")
_DECIMAL: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_ABSENT: Final = {"withheld": "不予公布", "none": "无数值"}
_COLUMNS: Final = frozenset({"scope", "region", "year", "value", "unit", "status"})
_NOTHING: Final = Title("", "")
_SYNTHETIC: Final = Title(" (from synthetic evidence)", "(合成数据)")


@dataclass(frozen=True, slots=True)
class _Factor:
    """One row of a list of emission factors: ``value`` in smallest units, ``unit`` as it is shown."""

    name: str
    substance: str
    unit: str
    value: Fraction


def check_claims(claim_set: ClaimSet, lookup: Lookup, factors: Path | None = None) -> tuple[Verdict, ...]:
    """A verdict for each figure, in the order of the file.

    ``lookup`` gives the released value of a measure. ``factors`` is a CSV of emission factors (columns scope, region,
    year, value, unit like ``kgCO2/kWh``, status) of which only rows with status ``seen`` are looked at. Raises
    Misuse for a list that cannot be read.
    """
    seen = tuple(_seen_factors(factors)) if factors else ()
    desk = _Desk(claim_set, claim_set.amounts, lookup, seen)
    return tuple(desk.verdict(claim) for claim in claim_set.claims.values())


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every figure is checked with."""

    claim_set: ClaimSet
    amounts: Mapping[str, Amount]
    lookup: Lookup
    factors: tuple[_Factor, ...]

    def verdict(self, claim: Claim) -> Verdict:
        comparisons = tuple(
            self._against_measure(claim, against) if against.measure else self._against_formula(claim, against)
            for against in claim.against
        )
        found = {comparison.outcome for comparison in comparisons}
        outcomes: tuple[Outcome, ...] = ("contradicted", "consistent")
        return Verdict(
            claim=claim,
            outcome=next((outcome for outcome in outcomes if outcome in found), "unsupported"),
            published=published_text(claim),
            comparisons=comparisons,
            implied=tuple(self._implied(implied) for implied in claim.implies),
            candidates=tuple(self._candidates(claim, claim.candidates)) if claim.candidates else (),
        )

    def _against_formula(self, claim: Claim, against: Against) -> Comparison:
        found = evaluate(against.formula, self.amounts)
        if against.formula in self.amounts:
            other = amount_text(found.value, claim.show)
            said = Title(f"printed elsewhere as {other.en}", f"他处公布为{other.zh}")
        else:
            said = self._arithmetic(against.formula, amount_text(found.value, claim.show))
        used = (self.claim_set.claims.get(name) for name in names_in(against.formula))
        if any(figure and figure.wording == "at_least" for figure in used):
            said = Title(f"{said.en} (taking “at least” as the figure itself)", f"{said.zh}(“以上”按该数本身计)")
        return _held(claim, found, said, against.note)

    def _against_measure(self, claim: Claim, against: Against) -> Comparison:
        measure, subject, period = against.measure, against.subject, against.period
        found = self.lookup(measure, subject, period)
        if found is None:
            said = Title(
                f"{measure} of {subject} in {period} is not measured", f"{subject} {period} {measure}:没有测算值"
            )
            return Comparison("unsupported", None, said)
        name = Title(
            f"{found.measure.en} of {found.subject.en} in {period}", f"{found.subject.zh} {period} {found.measure.zh}"
        )
        value, mark = found.value, _SYNTHETIC if found.synthetic else _NOTHING
        if value.number is None:
            why = f": {value.reason.message}" if value.reason else ""
            said = Title(f"{name.en} is {value.status}{why}{mark.en}", f"{name.zh}:{_ABSENT[value.status]}{mark.zh}")
            return Comparison("unsupported", None, said, found.synthetic)
        factor, dimension = scale(value.unit)
        if dimension != claim.dimension:
            said = Title(
                f"{name.en} is in {value.unit}, which is not to be held against {claim.unit}{mark.en}",
                f"{name.zh}:单位为 {value.unit},不能与 {claim.unit} 相比{mark.zh}",
            )
            return Comparison("unsupported", None, said, found.synthetic)
        exact = Fraction(value.number) * factor
        result = amount_text(exact, claim.show)
        said = Title(f"{name.en} {_equals(result.en)}{mark.en}", f"{name.zh} {_equals(result.zh)}{mark.zh}")
        return _held(claim, Amount(exact, exact, exact, dimension), said, against.note, synthetic=found.synthetic)

    def _implied(self, implied: Implied) -> Title:
        found = evaluate(implied.formula, self.amounts)
        said = self._arithmetic(implied.formula, amount_text(found.value, implied.unit, implied.decimals))
        return Title(f"{implied.title.en}: {said.en}", f"{implied.title.zh}:{said.zh}")

    def _arithmetic(self, formula: str, result: Title) -> Title:
        shown = {name: figure_text(self.claim_set.figures[name]) for name in names_in(formula)}
        english = with_values(formula, {name: text.en for name, text in shown.items()})
        chinese = with_values(formula, {name: text.zh for name, text in shown.items()})
        return Title(f"{english} {_equals(result.en)}", f"{chinese} {_equals(result.zh)}")

    def _candidates(self, claim: Claim, wanted: Candidates) -> Iterator[Title]:
        """Each factor that comes near, nearest first; if none does, how many were looked at."""
        quantity = self.claim_set.figures[wanted.quantity]
        kin = [factor for factor in self.factors if factor.substance == wanted.substance]
        deviation = {f: (f.value * quantity.amount.value - claim.exact) / claim.exact for f in kin}
        near = [factor for factor in kin if abs(deviation[factor]) * 100 <= Fraction(wanted.percent)]
        for factor in sorted(near, key=lambda f: abs(deviation[f])):
            amount, off = figure_text(quantity), _percent(deviation[factor])
            one, total = (
                amount_text(factor.value, factor.unit),
                amount_text(factor.value * quantity.amount.value, claim.show),
            )
            yield Title(
                f"{factor.name}: {amount.en} × {one.en} = {total.en} ({off})",
                f"{factor.name}:{amount.zh} × {one.zh} = {total.zh}({off})",
            )
        if kin and not near:
            count, width = len(kin), f"{wanted.percent}%"
            yield Title(
                f"none of {count} seen {wanted.substance} factors is within {width}",
                f"{count} 个已核见的 {wanted.substance} 因子无一在 {width} 以内",
            )


def _equals(result: str) -> str:
    return result.replace("≈", "≈ ") if result.startswith("≈") else f"= {result}"


def _held(claim: Claim, found: Amount, said: Title, note: Title | None, *, synthetic: bool = False) -> Comparison:
    """Consistent where the figure's bounds and those of what it is held against meet."""
    low, high = claim.bounds
    meets = found.high >= low and (high is None or found.low <= high)
    published = published_text(claim)
    english, chinese = f"{said.en}, published {published.en}", f"{said.zh},公布为{published.zh}"
    if not meets:
        odd = _difference(claim.exact, found.value)
        english, chinese = english + odd.en, chinese + odd.zh
    if note:
        english, chinese = f"{english}. {note.en}", f"{chinese}。{note.zh}"
    outcome: Outcome = "consistent" if meets else "contradicted"
    return Comparison(outcome, found.value / scale(claim.unit)[0], Title(english, chinese), synthetic)


def _difference(published: Fraction, computed: Fraction) -> Title:
    """How far off, and whether by a power of ten, as a slipped point or a wrong magnitude makes it."""
    if not computed or not published:
        return _NOTHING
    times = max(published / computed, computed / published)
    if re.fullmatch("10+", str(times)):
        slip = Title(", as a misplaced decimal point or magnitude makes it", ",疑为小数点或万、亿之误")
        if published > computed:
            said = Title(
                f"the published figure is exactly {int(times):,} times that", f"公布数恰为前者的 {int(times):,} 倍"
            )
        else:
            said = Title(
                f"that is exactly {int(times):,} times the published figure", f"前者恰为公布数的 {int(times):,} 倍"
            )
        return Title(f": {said.en}{slip.en}", f":{said.zh}{slip.zh}")
    off = round_half_away(abs(published - computed) / abs(computed) * 100, 2)
    above = published > computed
    return Title(
        f": the published figure is {off}% {'higher' if above else 'lower'}", f":公布数{'高' if above else '低'} {off}%"
    )


def _percent(ratio: Fraction) -> str:
    return f"{round_half_away(ratio * 100, 2):+}%"


def _seen_factors(path: Path) -> Iterator[_Factor]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = _COLUMNS - set(table.fieldnames or ())
            if missing:
                raise Misuse(
                    "not a list of emission factors", why=f"no column {', '.join(sorted(missing))}", where=str(path)
                )
            rows = [(table.line_num, row) for row in table if row["status"] == "seen"]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise Misuse("cannot read the list of emission factors", why=str(fault), where=str(path)) from fault
    for line, row in rows:
        form = _FACTOR_UNIT.fullmatch(row["unit"])
        if not form or not _DECIMAL.fullmatch(row["value"]):
            given = f"{row['value']} {row['unit']}"
            raise Misuse(f"{given!r} is no factor", where=f"{path}:{line}", remedy="write it like 0.5810 and kgCO2/kWh")
        shown = f"{form[1]}/{form[3]}"
        name = ", ".join(row[column] for column in ("scope", "region", "year") if row[column])
        yield _Factor(name, form[2], shown, to_fraction(row["value"]) * scale(shown)[0])
