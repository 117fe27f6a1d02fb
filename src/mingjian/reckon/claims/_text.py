"""Figures as a reader sees them, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from mingjian.base.values import magnitude, round_half_away
from mingjian.declare import Title
from mingjian.reckon.claims._formulas import scale
from mingjian.reckon.claims._model import Claim, Constant

_PLACES: Final = 4  # a longer number is shown rounded, with ≈

_SYMBOLS: Final = {"percent": "%", "permille": "‰", "ratio": "", "count": "", "rank": "(rank)"}
_PLURALS: Final = {
    "case": "cases", "certificate": "certificates", "day": "days", "firm": "firms", "item": "items", "month": "months",
    "person": "people", "plant": "plants", "point": "points", "task": "tasks", "unit": "units", "vote": "votes",
    "year": "years",
}  # fmt: skip
_CHINESE: Final = {
    "Wh": "瓦时", "kWh": "千瓦时", "MWh": "兆瓦时", "GWh": "吉瓦时", "t": "吨", "kg": "千克", "g": "克", "fen": "分钱",
    "yuan": "元", "m2": "平方米", "ha": "公顷", "km2": "平方公里", "day": "天", "year": "年", "month": "个月", "case": "件",
    "certificate": "张", "firm": "家", "item": "项", "person": "名", "plant": "座", "point": "分", "rank": "位",
    "task": "项任务", "unit": "个单位", "vote": "票",
}  # fmt: skip
# After a slash there is no number that a measure word could stand with.
_CHINESE_EACH: Final = {"month": "月", "person": "人", "task": "项", "unit": "单位"}
_MANY: Final = {
    "万": "ten thousand",
    "百万": "million",
    "千万": "ten million",
    "亿": "hundred million",
    "万亿": "trillion",
}
_WORDINGS: Final = {
    "exactly": Title("", ""),
    "about": Title("about ", "约"),
    "over": Title("a little over ", "略多于"),
    "at_least": Title("at least ", "不少于"),
}


def show_parts(show: str) -> tuple[str, str]:
    """``亿 yuan`` as (magnitude, unit); the magnitude may be absent."""
    many, _, name = show.rpartition(" ")
    return many, name


def amount_text(value: Fraction, show: str, places: int | None = None) -> Title:
    """``value`` (in smallest units) as ``show`` says, with so many places, or as many as it takes up to four."""
    many, name = show_parts(show)
    number = value / scale(name)[0] / (magnitude(many) if many else 1)
    digits = format(round_half_away(number, _PLACES if places is None else places), ",f")
    if places is None:
        digits = digits.rstrip("0").rstrip(".")
        digits = digits if (number * 10**_PLACES).denominator == 1 else f"≈{digits}"
    english = _symbols(name, _SYMBOLS if number == 1 else _SYMBOLS | _PLURALS, _SYMBOLS)
    chinese = _symbols(name, _SYMBOLS | _CHINESE, _SYMBOLS | _CHINESE | _CHINESE_EACH)
    spaced = " ".join(part for part in (digits, _MANY.get(many, many), english) if part)
    return Title(spaced.replace(" %", "%").replace(" ‰", "‰"), digits + many + chinese)


def published_text(claim: Claim) -> Title:
    """The figure with its wording: "about 500 firms"."""
    word, amount = _WORDINGS[claim.wording], amount_text(claim.exact, claim.show)
    return Title(word.en + amount.en, word.zh + amount.zh)


def figure_text(figure: Claim | Constant) -> Title:
    """The bare figure, as it stands in a formula."""
    if isinstance(figure, Constant):
        return amount_text(figure.amount.value, figure.unit)
    return amount_text(figure.exact, figure.show)


def _symbols(name: str, above: Mapping[str, str], below: Mapping[str, str]) -> str:
    over, slash, under = name.partition("/")
    return above.get(over, over) + slash + below.get(under, under)
