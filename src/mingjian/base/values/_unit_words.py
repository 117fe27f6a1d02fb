"""What units are called where people read them. Symbols (kWh, kg) are the same in every language and not listed."""

from __future__ import annotations

from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "percent": ("%", "%"),
    "count": ("", ""),
    "case": ("cases", "件"),
    "certificate": ("certificates", "张"),
    "firm": ("firms", "家"),
    "item": ("items", "条"),
    "month": ("months", "个月"),
    "person": ("people", "人"),
    "plant": ("plants", "座"),
    "point": ("points", "分"),
    "task": ("tasks", "项"),
    "unit": ("units", "个单位"),
    "vote": ("votes", "票"),
    "year": ("years", "年"),
    "day": ("days", "天"),
    "hour": ("hours", "小时"),
    "yuan": ("yuan", "元"),
    "fen": ("fen", "分钱"),
}


def unit_word(unit: str, language: str) -> str:
    """A unit's name in ``language`` ("en" or "zh"); its symbol where it has no other name."""
    return _WORDS.get(unit, (unit, unit))[language == "zh"]
