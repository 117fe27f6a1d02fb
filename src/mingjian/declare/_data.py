"""A scheme as JSON and back, and the fingerprint of its meaning.

The classes of `_model` are the format: one encoder and one decoder walk their types. What belongs to the author's folder
(lines, cases, the folder itself) stays behind.
"""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from mingjian.base.errors import Fault
from mingjian.base.values import digest, fraction_text, number_text
from mingjian.declare._check import check
from mingjian.declare._check_references import check_references
from mingjian.declare._expressions import Expr, FormulaError, from_data
from mingjian.declare._model import Scheme
from mingjian.declare._section import Report

T = TypeVar("T")

FORMAT = "mingjian-scheme-1"
MAX_ITEMS = 200_000
MAX_DEPTH = 40

_FOLDER = frozenset({"line", "code_line", "folder", "cases", "fingerprint"})
# What a reader sees, who that is, and by what process evidence came: numbers depend on the evidence alone.
_PEOPLE = frozenset({"label", "processes", "roles", "calendar", "retain"})
# What came to be declared later says nothing where it is not used: the fingerprints of older schemes hold.
_SINCE = {"step": 0, "instead_of": ""}
_LATER = (_PEOPLE - {"label"}) | _SINCE.keys()  # what older data does not have
_WORDING = _FOLDER | _PEOPLE | {"title", "en", "zh", "law", "source", "template", "version"}
_NUMBER = re.compile(r"-?[0-9]{1,39}(\.[0-9]{1,39})?")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")


def scheme_data(scheme: Scheme) -> dict[str, Any]:
    """The scheme as JSON without numbers: every number is a decimal text, every formula its `Expr.data`.

    Mappings become lists of pairs, since canonical JSON sorts keys and the order of columns and choices is the author's.
    """
    return {"format": FORMAT, **_encode(scheme, _FOLDER)}


def scheme_from_data(data: Mapping[str, Any]) -> Scheme:
    """The scheme that `scheme_data` wrote, without folder and cases, its fingerprint computed anew.

    Raises Fault for anything else: the data may come from a stranger, so depth and size are bounded and every formula is
    built again under the rules of formulas.
    """
    try:
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise _Unfit("$", f"format is not {FORMAT}")
        body = {key: value for key, value in data.items() if key != "format"}
        scheme = _Decoder().decode(Scheme, body, "$", 0)
    except _Unfit as fault:
        raise Fault("not a scheme", why=fault.why, where=fault.path) from fault
    report = Report()
    check_references(scheme, report)
    if not report.findings:  # the other checks follow the names that these have tried
        check(scheme, report)
    if report.findings:
        raise Fault("a scheme that does not hold together", findings=report.findings)
    return replace(scheme, fingerprint=meaning(scheme))


def meaning(scheme: Scheme) -> str:
    """The digest of what decides results: names, types, units, values, formulas; not titles, laws, lines or templates.

    The order of tables does not enter, nor how a number is written (0.50 is 0.5). It is over the *compiled* formulas, so a
    constant changed in ``measures.py`` changes it and a comment there does not.
    """
    return digest(_encode(scheme, _WORDING, meaning=True))


class _Unfit(Exception):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why


def _encode(value: object, without: Collection[str], *, meaning: bool = False) -> Any:
    match value:
        case None | bool() | str():
            return value
        case Expr():
            return value.data()
        case int() | Decimal():
            return fraction_text(Fraction(value)) if meaning else number_text(value)
        case date():
            return value.isoformat()
        case frozenset():
            return [_encode(item, without, meaning=meaning) for item in sorted(value)]
        case tuple():
            return [_encode(item, without, meaning=meaning) for item in value]
        case Mapping():
            pairs = [[key, _encode(item, without, meaning=meaning)] for key, item in value.items()]
            return sorted(pairs, key=lambda pair: pair[0]) if meaning else pairs
    return {
        item.name: _encode(getattr(value, item.name), without, meaning=meaning)
        for item in fields(cast(Any, value))
        if item.name not in without and not (item.name in _SINCE and getattr(value, item.name) == _SINCE[item.name])
    }


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@dataclass(slots=True)
class _Decoder:
    items: int = 0

    def decode(self, kind: type[T], raw: object, path: str, depth: int) -> T:
        """A value of type ``kind``."""
        return cast(T, self._decode(kind, raw, path, depth))

    def _decode(self, kind: Any, raw: object, path: str, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise _Unfit(path, f"deeper than {MAX_DEPTH} or larger than {MAX_ITEMS} items")
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self._union(inner, raw, path, depth)
        if origin is Literal:
            if raw not in inner or not isinstance(raw, str):
                raise _Unfit(path, f"not one of {', '.join(map(repr, inner))}")
            return raw
        if origin is frozenset:
            members = [self._decode(inner[0], item, f"{path}[]", depth + 1) for item in _list(raw, path)]
            if members != sorted(set(members)):
                raise _Unfit(path, "not in order, each once")
            return frozenset(members)
        if origin is tuple:
            items = _list(raw, path)
            return tuple(self._decode(inner[0], item, f"{path}[{i}]", depth + 1) for i, item in enumerate(items))
        if origin is Mapping or kind is Mapping:
            return self._mapping(inner[1], raw, path, depth)
        if origin is None and is_dataclass(kind) and kind is not Expr:
            return self._record(kind, raw, path, depth)
        return _scalar(kind, raw, path)

    def _union(self, kinds: tuple[Any, ...], raw: object, path: str, depth: int) -> Any:
        if raw is None and type(None) in kinds:
            return None
        rest = [kind for kind in kinds if kind is not type(None)]
        # The only union of two shapes is a parameter's number or table.
        kind = rest[0] if len(rest) == 1 else rest[isinstance(raw, list)]
        return self._decode(kind, raw, path, depth)

    def _mapping(self, kind: Any, raw: object, path: str, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for pair in _list(raw, path):
            match pair:
                case [str() as key, value] if key not in made:
                    made[key] = self._decode(kind, value, f"{path}.{key}", depth + 1)
                case _:
                    raise _Unfit(path, "not a list of pairs with different keys")
            name = getattr(made[key], "id", getattr(made[key], "name", key))
            if name != key:
                raise _Unfit(f"{path}.{key}", f"is called {name!r}")
        return made

    def _record(self, kind: Any, raw: object, path: str, depth: int) -> Any:
        wanted = [item.name for item in fields(kind) if item.name not in _FOLDER]
        there = set(raw) if isinstance(raw, Mapping) else set()
        names = [name for name in wanted if name in there or name not in _LATER]
        if not isinstance(raw, Mapping) or there != set(names):
            raise _Unfit(path, f"not an object of exactly {', '.join(names)}")
        hints = _hints(kind)
        given = {name: self._decode(hints[name], raw[name], f"{path}.{name}", depth + 1) for name in names}
        absent = {"cases": (), "folder": None, "fingerprint": ""}
        rest = {
            item.name: absent[item.name] for item in fields(kind) if item.name in absent and item.default is MISSING
        }
        return kind(**given, **rest)


def _list(raw: object, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise _Unfit(path, "not a list")
    return raw


def _scalar(kind: Any, raw: object, path: str) -> Any:
    if kind is Expr:
        try:
            return from_data(raw)
        except FormulaError as fault:
            raise _Unfit(path, fault.what) from fault
    if kind is bool:
        if isinstance(raw, bool):
            return raw
        raise _Unfit(path, "neither true nor false")
    if not isinstance(raw, str):
        raise _Unfit(path, "not a text")
    if kind is str:
        return raw
    if kind is int and _WHOLE.fullmatch(raw):
        return int(raw)
    if kind is Decimal and _NUMBER.fullmatch(raw):
        return Decimal(raw)
    if kind is date:
        try:
            return date.fromisoformat(raw)
        except ValueError as fault:
            raise _Unfit(path, str(fault)) from fault
    raise _Unfit(path, f"no {kind.__name__}: {raw[:40]!r}")
