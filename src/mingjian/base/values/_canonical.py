"""One sequence of bytes for one JSON value (RFC 8785), and digests of it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final

import orjson
import rfc8785

from mingjian.base.errors import MingjianError

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_NESTED: Final = frozenset({dict, list, tuple})
_PLAIN: Final = _SCALARS | _NESTED
_BEYOND_BMP: Final = range(0xF0, 0xF5)  # the bytes that begin such a character in UTF-8
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_MAX_SAFE: Final = 2**53 - 1


def canonical(value: object) -> bytes:
    """The canonical JSON of ``value`` by RFC 8785 (JCS).

    Raises MingjianError, with the path, for what it cannot carry: integers beyond 2^53 - 1, NaN and infinities, keys
    that are not strings, lone surrogates, other types, and nesting beyond the interpreter's stack.
    """
    try:
        return _fast(value) or rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as fault:
        path, why, remedy = next(_offences(value, "$"), ("$", str(fault), ""))
        raise MingjianError("no canonical JSON", why=why, where=path, remedy=remedy) from fault
    except RecursionError as fault:
        raise MingjianError("no canonical JSON", why="nested too deeply") from fault


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def digest(value: object) -> str:
    """``sha256:`` and the hexadecimal SHA-256 of the canonical JSON of ``value``."""
    return "sha256:" + sha256(canonical(value)).hex()


def _fast(value: object) -> bytes | None:
    """Canonical bytes from orjson where they are provably those of RFC 8785, else None.

    The two differ in floats, in types only orjson knows, and in the order of keys: RFC 8785 sorts by UTF-16 code
    units, orjson by code points, which is the same order unless a character beyond the basic plane takes part.
    """
    try:
        data = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return None
    fit = data.isascii() or not any(map(data.__contains__, _BEYOND_BMP))
    return data if fit and _is_plain(value) else None


def _is_plain(value: object) -> bool:
    """Whether all inside is of the plain types. Of what orjson could not write, this might never end."""
    # Sets of types are compared in C: a whole level costs one call, not one a value.
    level: Collection[Any] = value.values() if type(value) is dict else (value,)
    while True:
        kinds = set(map(type, level))
        if kinds <= _SCALARS:
            return True
        if not kinds <= _PLAIN:
            return False
        nested = [child.values() if type(child) is dict else child for child in level if type(child) in _NESTED]
        level = [*chain.from_iterable(nested)]


def _offences(value: object, path: str) -> Iterator[tuple[str, str, str]]:
    """Every place that has no canonical form: its path, why, and the remedy."""
    if isinstance(value, dict):
        for key, child in value.items():
            if not isinstance(key, str):
                yield path, f"key {key!r} is not a string", ""
            else:
                yield from _offences(key, f"{path}.{key!a}")
                yield from _offences(child, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _offences(child, f"{path}[{index}]")
    elif isinstance(value, str):
        if not value.isascii() and re.search("[\ud800-\udfff]", value):
            yield path, f"{value!a} has a lone surrogate", ""
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) > _MAX_SAFE:
            yield path, f"{value} is beyond 2^53 - 1", "carry it as a decimal string (number_text)"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"{value} is not a JSON number", "carry null and say why"
    else:
        yield path, f"JSON has no {type(value).__name__}", "carry exact numbers as decimal strings (number_text)"
