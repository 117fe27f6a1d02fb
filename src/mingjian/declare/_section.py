"""Reading one table of a declaration file: typed keys, and a Finding with file and line for all that is wrong."""

from __future__ import annotations

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, cast

from mingjian.base.errors import Finding, Place
from mingjian.declare._lines import Path, line_of, lines_of
from mingjian.declare._titles import Title

SCHEME_FILE = "scheme.toml"
CODE_FILE = "measures.py"

_LARGEST = 2**20  # bytes of a file
_DEEPEST = 64  # tables and arrays in one another
_LARGEST_EXPONENT = 400  # of a number in a file: far beyond any that can be kept
_NO_NUMBER = Decimal("NaN")
_LONG_KEY = re.compile(rb"(?<![\w\"'.-])(?:(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')\s*+\.\s*+){%d}" % _DEEPEST)
_LONGEST_NUMBER = 38  # digits before and after the point that every store of ours can hold
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(slots=True)
class Report:
    """Collects the findings of one scheme folder."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, rule: str, message: str, file: str, line: int, remedy: str = "") -> None:
        """One more finding, at ``file:line``."""
        place = Place(file=f"{file}:{line}" if line else file)
        self.findings.append(Finding(rule, message, place, remedy=remedy))


def near(name: str, known: Sequence[str] | Mapping[str, object], otherwise: str = "") -> str:
    """A remedy: the declared name that ``name`` most resembles, else all there are."""
    close = get_close_matches(name, [*known], n=1)
    if close:
        return f"did you mean {close[0]}?"
    return otherwise or (f"there are {', '.join(known)}" if known else "none is declared")


@dataclass(slots=True)
class Section:
    """One table. Each key is asked for once, by its type; `end` reports the keys nobody asked for."""

    table: dict[str, Any]
    path: Path
    file: str
    lines: Mapping[Path, int]
    report: Report
    asked: set[str] = field(default_factory=set)

    @property
    def line(self) -> int:
        """Where the table stands."""
        return line_of(self.lines, self.path)

    def fault(self, rule: str, message: str, key: str = "", remedy: str = "") -> None:
        """Report what is wrong with the table or with one of its keys."""
        where = line_of(self.lines, (*self.path, key) if key else self.path)
        self.report.add(rule, f"{self.name}{message}", self.file, where, remedy)

    @property
    def name(self) -> str:
        """The table's path as a prefix of messages."""
        names = ".".join(name for name in self.path if isinstance(name, str))
        return f"[{names}] " if names else ""

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it is required."""
        return cast(str, self._typed(key, str, "a text in quotes", "" if default is None else default, default is None))

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> Any:
        """One of a few words; the first of them stands in for a wrong one so that reading can go on."""
        value = self.text(key, default)
        if value not in allowed:
            if key in self.table:
                self.fault("unknown-word", f"{key} = {value!r} is not allowed", key, near(value, allowed))
            return allowed[0]
        return value

    def flag(self, key: str) -> bool:
        """true or false; false when absent."""
        return cast(bool, self._typed(key, bool, "true or false", False, False))

    def integer(self, key: str, default: int = 0) -> int:
        """A whole number, not negative."""
        value = cast(int, self._typed(key, int, "a whole number", default, False))
        if value < 0:
            self.fault("bad-value", f"{key} is negative", key)
            return default
        return value

    def number(self, key: str, default: Decimal | None = None, *, required: bool = False) -> Decimal | None:
        """An exact decimal number."""
        value = self._typed(key, (int, Decimal), "a number", default, required)
        return self._exact(key, value) if isinstance(value, int | Decimal) else None

    def day(self, key: str) -> date:
        """A date; the first of all days stands in for a missing one."""
        return cast(date, self._typed(key, date, "a date like 2021-01-01", date.min, True))

    def names(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._typed(key, list, "a list of texts", list(default), False)
        if not all(isinstance(item, str) for item in value):
            self.fault("bad-value", f"{key} is not a list of texts", key)
            return default
        return tuple(value)

    def items(self, key: str) -> list[object]:
        """A list of anything."""
        return cast(list[object], self._typed(key, list, "a list", [], False))

    def title(self, key: str = "title") -> Title:
        """A name in English and in Chinese, both required."""
        if key not in self.table:
            self.fault("missing-key", f"{key} is missing", remedy='write title = { en = "...", zh = "..." }')
            self.asked.add(key)
            return Title("", "")
        inner = self.section(key)
        made = Title(inner.text("en"), inner.text("zh"))
        inner.end()
        return made

    def titles(self, key: str) -> dict[str, Title]:
        """Named titles, in the order written."""
        inner = self.section(key)
        made = {name: inner.title(name) for name in inner.table}
        inner.end()
        return made

    def numbers(self, key: str) -> dict[str, Decimal]:
        """Named exact numbers."""
        inner = self.section(key)
        made = {name: inner.number(name) or Decimal(0) for name in inner.table}
        inner.end()
        return made

    def texts(self, key: str) -> dict[str, str]:
        """Named texts."""
        inner = self.section(key)
        made = {name: inner.text(name) for name in inner.table}
        inner.end()
        return made

    def section(self, key: str) -> Section:
        """The table under ``key``, empty when absent."""
        table = self._typed(key, dict, "a table", {}, False)
        return Section(table, (*self.path, key), self.file, self.lines, self.report)

    def sections(self, key: str) -> Iterator[Section]:
        """The tables of the list under ``key``."""
        for index, item in enumerate(self._typed(key, list, "a list of tables", [], False)):
            if isinstance(item, dict):
                yield Section(item, (*self.path, key, index), self.file, self.lines, self.report)
            else:
                self.fault("bad-value", f"{key} is not a list of tables", key)

    def named(self, key: str) -> Iterator[tuple[str, Section]]:
        """The tables under ``key`` by their names."""
        inner = self.section(key)
        for name in inner.table:
            yield name, inner.section(name)

    def end(self) -> None:
        """Report every key that was not asked for, with the nearest that would have been."""
        for key in self.table:
            if key not in self.asked:
                remedy = near(key, sorted(self.asked), "remove it")
                self.fault("unknown-key", f"{key} means nothing here", key, remedy)

    def _typed(self, key: str, kind: type | tuple[type, ...], what: str, default: Any, required: bool) -> Any:
        self.asked.add(key)
        if key not in self.table:
            if required:
                self.fault("missing-key", f"{key} is missing")
            return default
        value = self.table[key]
        # bool is an int and datetime a date to isinstance, neither is one to an author
        odd = (isinstance(value, bool) and kind is not bool) or isinstance(value, datetime)
        if odd or not isinstance(value, kind):
            self.fault("bad-value", f"{key} is not {what}", key)
            return default
        return value

    def _exact(self, key: str, value: int | Decimal) -> Decimal:
        made = Decimal(value)
        exponent = made.as_tuple().exponent
        if not isinstance(exponent, int) or made.adjusted() > _LONGEST_NUMBER or exponent < -_LONGEST_NUMBER:
            digits = f"write it with at most {_LONGEST_NUMBER} digits on either side of the point"
            self.fault("bad-value", f"{key} is no number that can be counted with", key, digits)
            return Decimal(0)
        return Decimal(format(made, "f"))


def read_file(folder: FilePath, name: str, report: Report) -> Section:
    """The root of a TOML file of a scheme folder; empty, and reported, when it cannot be read."""
    table: dict[str, Any] = {}
    source = b""
    try:
        source = (folder / name).read_bytes().removeprefix(BOM_UTF8)  # which some editors write
        table = _bounded(source)
    except FileNotFoundError:
        report.add("missing-file", "there is no such file", name, 0, "`mingjian new scheme` writes one to start from")
    except UnicodeDecodeError:
        report.add("bad-toml", "not UTF-8", name, 0, "save it as UTF-8")
    except tomllib.TOMLDecodeError as fault:
        message = str(fault)
        at = _AT_LINE.search(message)
        line = int(at[1]) if at and at[1] else source.count(b"\n") + 1
        report.add("bad-toml", f"not TOML: {_AT_LINE.sub('', message)}", name, line)
    except (ValueError, RecursionError) as fault:
        report.add("bad-toml", f"beyond what a declaration may hold: {fault}", name, 0, "declare less in one file")
    return Section(table, (), name, lines_of(source) if table else {(): 1}, report)


def _bounded(source: bytes) -> dict[str, Any]:
    """The table of a TOML text. Raises ValueError or RecursionError for one that is made to exhaust whoever reads it."""
    if len(source) > _LARGEST:
        raise ValueError(f"more than {_LARGEST >> 10} KiB")
    if _LONG_KEY.search(source):  # tomllib's work grows with the square of it
        raise ValueError(f"a key of more than {_DEEPEST} names")
    table = tomllib.loads(source.decode(), parse_float=_decimal)
    level: list[object] = [table]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        ]
    if level:
        raise ValueError(f"more than {_DEEPEST} tables and arrays in one another")
    return table


def _decimal(text: str) -> Decimal:
    """The number as written; none at all for one that is made to exhaust whoever reckons with it."""
    number = Decimal(text.replace("_", ""))
    return _NO_NUMBER if number.is_finite() and abs(number.adjusted()) > _LARGEST_EXPONENT else number
