"""Dates, instants and periods as people in offices write them.

Each function takes text whose full-width characters are already ASCII, and answers None for text that is no such thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Final

from mingjian.base.errors import Misuse
from mingjian.base.values import Kind, Period

_MIDNIGHT: Final = r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?"  # what a date becomes when a spreadsheet is saved as CSV
_DATES: Final = tuple(
    re.compile(form + _MIDNIGHT)
    for form in (
        r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})",
        r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})",
        r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})",
        r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]",
        r"([0-9]{4})([0-9]{2})([0-9]{2})",
    )
)
_NUMERALS: Final = re.compile("[〇○零一二三四五六七八九十]+(?=[年月日号])")
_DIGITS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_ORDINALS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
_PERIODS: Final[tuple[tuple[re.Pattern[str], Callable[[int, int], str]], ...]] = (
    (re.compile(r"([0-9]{4})(?:年度?)?"), lambda year, _: f"{year:04}"),
    (re.compile(r"([0-9]{4})[-年 ]?[Hh]([0-9])"), lambda year, half: f"{year:04}H{half}"),
    (re.compile(r"([0-9]{4})年?([上下])半年"), lambda year, half: f"{year:04}H{half}"),
    (re.compile(r"([0-9]{4})[-年 ]?[Qq]([0-9])"), lambda year, quarter: f"{year:04}Q{quarter}"),
    (re.compile(r"([0-9]{4})年?第?([0-9一二三四])季度?"), lambda year, quarter: f"{year:04}Q{quarter}"),
    (re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})"), lambda year, month: f"{year:04}-{month:02}"),
    (re.compile(r"([0-9]{4})年([0-9]{1,2})月份?"), lambda year, month: f"{year:04}-{month:02}"),
)


def looks_like_date(text: str) -> bool:
    """Whether the text has the form of a date, existing or not."""
    text = _arabic(text)
    return any(form.fullmatch(text) for form in _DATES)


def _arabic(text: str) -> str:
    """``二〇二一年十一月七日`` as ``2021年11月7日``: numerals before year, month and day, as letterheads have them."""
    return text if text.isascii() else _NUMERALS.sub(lambda found: _number(found.group()), text)


def _number(numeral: str) -> str:
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return numeral.translate(_DIGITS)
    return f"{tens or '一'}{ones or '〇'}".translate(_DIGITS)


def date_of(text: str) -> date | None:
    """The day of ``2021-08-15``, ``2021/8/15``, ``2021.8.15``, ``2021年8月15日``, ``二〇二一年八月十五日`` or ``20210815``.

    Midnight may follow.
    """
    text = _arabic(text)
    for form in _DATES:
        if found := form.fullmatch(text):
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                return None
    return None


def instant_of(text: str) -> datetime | None:
    """The date and time of an ISO 8601 text (``2021-08-15T07:30:00+08:00``); with no zone where none is written."""
    if ":" not in text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def on_clock(moment: datetime, zone: tzinfo) -> datetime | None:
    """A time without a zone, read on the clock of ``zone``, in UTC; None where that clock shows it twice or never."""
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.astimezone(UTC) if first.utcoffset() == second.utcoffset() else None


def period_of(text: str) -> Period | None:
    """The period of ``2021Q3``, ``2021年三季度``, ``2021年第3季度``, ``2021年8月``, ``2021年上半年``, ``2021`` and the like.

    A date is a period of one day, and an hour is written as `Period` writes it. The year may be in numerals: ``二〇二一年``.
    """
    text = _arabic(text)
    for form, write in _PERIODS:
        if found := form.fullmatch(text):
            year, part = found.group(1), (found.group(2) if form.groups == 2 else "0")
            return _parsed(write(int(year), _ORDINALS[part] if part in _ORDINALS else int(part)))
    day = date_of(text)
    return Period.of(day, "day") if day else _parsed(text)


def period_of_day(day: date, kinds: tuple[str, ...]) -> Period | None:
    """The day itself where days are wanted; the month that it opens where months are, since spreadsheets turn ``2021-08``
    into its first day."""
    for kind in kinds:
        if kind == "day" or (kind == "month" and day.day == 1):
            exact: Kind = "day" if kind == "day" else "month"
            return Period.of(day, exact)
    return None


def _parsed(text: str) -> Period | None:
    try:
        return Period.parse(text)
    except Misuse:
        return None
