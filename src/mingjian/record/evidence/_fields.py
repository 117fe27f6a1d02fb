"""One cell to one typed value, or the rule that it breaks.

What is changed without a word is this and no more: text is brought to Unicode NFC, white space around it is dropped, line
ends become ``\\n``; in numbers, dates, periods and flags full-width characters count as their ASCII twins, and numbers may
have thousands separators; choices may be given by title. Nothing is ever rounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from mingjian.base.values import number_text, round_half_away
from mingjian.declare import Field
from mingjian.record.evidence._limits import LONGEST_TEXT
from mingjian.record.evidence._moments import (
    date_of,
    instant_of,
    looks_like_date,
    on_clock,
    period_of,
    period_of_day,
)
from mingjian.record.evidence._schema import DIGITS
from mingjian.record.evidence._xlsx import SheetError

Value = str | bool | int | Decimal | date | datetime | list[int | None]

_ASCII: Final = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: " ", 0x2212: "-"}
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_LONGEST_NUMBER: Final = 60
# Control characters, invisible ones, those that turn the direction of writing, halves of surrogate pairs.
_UNSEEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_FLAGS: Final = {"true": True, "yes": True, "是": True, "1": True, "false": False, "no": False, "否": False, "0": False}
_INT64: Final = range(-(2**63), 2**63)
_EXACT_FLOAT: Final = 2**53
_SHOWN: Final = 80  # characters of a value in a finding
_LISTED: Final = 12  # names in a remedy
_COMPARED: Final = 2000  # names among which a near one is sought


class Broken(Exception):
    """The rule a cell breaks, in a sentence, and what to do; `Finding` without its place."""

    def __init__(self, rule: str, message: str, remedy: str = "") -> None:
        self.rule, self.message, self.remedy = rule, message, remedy
        super().__init__(message)


def parse(field: Field, raw: object, zone: tzinfo | None = None) -> Value | None:
    """The value of one cell, None where an optional one is empty. Raises Broken.

    ``raw`` is what a reader gives: text, a number, a flag, a date, an instant, an error of a sheet or nothing. A time
    without a zone is read on the clock of ``zone``.
    """
    if isinstance(raw, str) and len(raw) > LONGEST_TEXT:
        raise Broken("text-too-long", f"more than {LONGEST_TEXT:,} characters", "hand it in as a file of its own")
    cell = _clean(raw) if isinstance(raw, str) else raw
    if cell is None or cell == "":
        if field.optional:
            return None
        raise Broken("missing-value", "a value is required", f"give {_named(field)}")
    if isinstance(cell, SheetError):
        raise Broken("sheet-error", "an error of the sheet instead of a value", "mend its formula, or type the value")
    return _PARSERS[field.type](field, cell, zone)


def shown(raw: object) -> str:
    """A cell as a finding quotes it: at most 80 characters."""
    if isinstance(raw, int) and raw.bit_length() > 8 * _SHOWN:
        return f"an integer of {raw.bit_length()} bits"
    text = "" if raw is None else str(raw)
    text = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair could be printed nowhere
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def near(name: str, among: Sequence[str]) -> str:
    """``did you mean 'x'?`` for the nearest name, or the first names there are."""
    found = get_close_matches(name, among[:_COMPARED], n=1, cutoff=0.5)
    if found:
        return f"did you mean {found[0]!r}?"
    listed = ", ".join(among[:_LISTED])
    return f"one of {listed}{', …' if len(among) > _LISTED else ''}" if among else ""


def plain(text: str) -> str:
    """Full-width characters as ASCII."""
    return text if text.isascii() else text.translate(_ASCII)


def _named(field: Field) -> str:
    return f"{field.title.zh} ({field.title.en})"


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip()
    text = unicodedata.normalize("NFC", text.strip()).replace("\r\n", "\n").replace("\r", "\n")
    if found := _UNSEEN.search(text):
        raise Broken(
            "control-character", f"character U+{ord(found.group()):04X} cannot be seen", "retype the value by hand"
        )
    return text


def _text(field: Field, cell: object, _zone: tzinfo | None) -> str:
    """Text; a number that a spreadsheet made of text that looks like one."""
    if isinstance(cell, str):
        if "\n" in cell and field.type != "text":
            raise Broken("control-character", "a line break inside a name", "write it in one line")
        return cell
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        number = _number(field, cell)
        return number_text(int(number) if number == int(number) else number)
    raise Broken("not-text", "not text", "format the cell as text and type it again")


def _choice(field: Field, cell: object, zone: tzinfo | None) -> str:
    text = _text(field, cell, zone)
    if text in field.choices:
        return text
    folded = plain(text).casefold()
    found = [
        code
        for code, title in field.choices.items()
        if folded in (code.casefold(), title.zh.casefold(), title.en.casefold())
    ]
    if len(found) == 1:
        return found[0]
    names = [name for code, title in field.choices.items() for name in (code, title.zh, title.en)]
    raise Broken("unknown-choice", f"no such choice of {_named(field)}", near(text, names))


def _flag(field: Field, cell: object, _zone: tzinfo | None) -> bool:
    if cell in (0, 1):
        return cell == 1
    text = plain(cell).casefold() if isinstance(cell, str) else ""
    if text not in _FLAGS:
        raise Broken("not-a-flag", "neither yes nor no", "write 是 or 否, yes or no, true or false, 1 or 0")
    return _FLAGS[text]


def _number(field: Field, cell: object) -> Decimal:
    """The exact number in a cell; a double counts as the shortest decimal that names it, which is what was typed."""
    number = None
    if isinstance(cell, str):
        text = plain(cell)
        if _NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
            number = Decimal(text.replace(",", ""))
    elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        number = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
    if number is None or not number.is_finite():
        unit = f" of {field.unit}" if field.unit else ""
        raise Broken("not-a-number", "not a number", f"write the number{unit} alone, in digits, like 1234.5")
    if number.adjusted() > _LONGEST_NUMBER or int(number.as_tuple().exponent) < -_LONGEST_NUMBER:
        raise Broken("number-out-of-range", "a number too large or too fine to be kept", "check the unit")
    return number


def _integer(field: Field, cell: object, _zone: tzinfo | None) -> int:
    number = _number(field, cell)
    if number != int(number):
        raise Broken(
            "not-whole", f"not a whole number{f' of {field.unit}' if field.unit else ''}", "never rounded here"
        )
    if int(number) not in _INT64:
        raise Broken("number-out-of-range", "beyond 64 bits", "check the unit")
    if isinstance(cell, float) and abs(number) > _EXACT_FLOAT:
        raise Broken("number-not-exact", "spreadsheets keep 15 digits of a number", "format the cell as text")
    return int(_bounded(field, number))


def _decimal(field: Field, cell: object, _zone: tzinfo | None) -> Decimal:
    number = _number(field, cell)
    exact = round_half_away(number, field.decimals)
    if exact != number:
        raise Broken(
            "too-many-decimals", f"more decimals than {field.decimals}", "decide and write it: nothing is rounded here"
        )
    if len(exact.as_tuple().digits) > DIGITS:
        raise Broken("number-out-of-range", f"more than {DIGITS} digits", "check the unit")
    return _bounded(field, exact)


def _bounded(field: Field, number: Decimal) -> Decimal:
    unit = f" {field.unit}" if field.unit else ""
    if field.min is not None and number < field.min:
        raise Broken("below-minimum", f"less than {field.min}{unit}")
    if field.max is not None and number > field.max:
        raise Broken("above-maximum", f"more than {field.max}{unit}")
    return number


def _date(field: Field, cell: object, _zone: tzinfo | None) -> date:
    if isinstance(cell, date):
        if (given := _day(cell)) is None:
            raise Broken("date-with-time", "a date with a time of day", "write the day alone")
        return given
    text = plain(cell) if isinstance(cell, str) else str(cell) if type(cell) is int else ""
    if (day := date_of(text)) is not None:
        return day
    if looks_like_date(text):
        raise Broken("no-such-date", "a day that is not on the calendar", "check month and day")
    raise Broken("not-a-date", "not a date", "write it like 2021-08-15 or 2021年8月15日")


def _day(cell: object) -> date | None:
    """The day that a cell holds: a date, or midnight on no clock in particular, which is how files keep dates."""
    if isinstance(cell, datetime):
        return cell.date() if cell.tzinfo is None and cell.time() == time() else None
    return cell if isinstance(cell, date) else None


def _time(field: Field, cell: object, zone: tzinfo | None) -> datetime:
    moment = cell if isinstance(cell, datetime) else instant_of(plain(cell)) if isinstance(cell, str) else None
    if moment is None:
        raise Broken("not-a-time", "not a date and time", "write it like 2021-08-15T07:30:00+08:00")
    if moment.tzinfo is None and zone is None:
        raise Broken("time-without-zone", "a time without a zone", "add the zone, like +08:00")
    try:
        at = moment.astimezone(UTC) if moment.tzinfo or zone is None else on_clock(moment, zone)
    except OverflowError:
        at = None
    if at is None:
        raise Broken("no-such-time", "not one instant: the clock shows it twice or never", "add the zone, like +08:00")
    return at


def _period(field: Field, cell: object, _zone: tzinfo | None) -> str:
    wanted = " or ".join(field.of)
    day = _day(cell)
    period = period_of_day(day, field.of) if day else period_of(plain(_text(field, cell, None)))
    if period is None:
        raise Broken("not-a-period", f"not a {wanted}", "write it like 2021Q3, 2021年三季度, 2021-08 or 2021")
    if period.kind not in field.of:
        raise Broken("wrong-period", f"{period} is a {period.kind}; a {wanted} is wanted", f"write the {wanted}")
    return str(period)


def _series(field: Field, cell: object, zone: tzinfo | None) -> list[int | None]:
    """Whole numbers in order of time, None where one is missing."""
    if not isinstance(cell, list):
        remedy = f"in a file, give one value a line, under the headings time and {field.name}"
        raise Broken("not-a-series", "a series does not fit in one cell", remedy)
    values: list[int | None] = []
    for number, value in enumerate(cell, 1):
        try:
            values.append(None if value is None else _integer(field, value, zone))
        except Broken as broken:
            raise Broken(broken.rule, f"value {number} of the series: {broken.message}", broken.remedy) from broken
    return values


_PARSERS: Final[dict[str, Callable[[Field, object, tzinfo | None], Value]]] = {
    "text": _text,
    "subject": _text,
    "ref": _text,
    "choice": _choice,
    "flag": _flag,
    "integer": _integer,
    "quantity": _integer,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "period": _period,
    "series": _series,
}
