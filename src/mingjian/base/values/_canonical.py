"""One sequence of bytes for one JSON value (RFC 8785), and digests of it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Iterator
from typing import Final

import orjson
import rfc8785

from mingjian.base.errors import MingjianError

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_SEQUENCES: Final = frozenset({list, tuple})
_PLAIN: Final = _SCALARS | _SEQUENCES | {dict}
_BEYOND_BMP: Final = re.compile(b"[\xf0-\xf4]")
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
    if not _is_plain(value.values() if type(value) is dict else (value,)):
        return None
    try:
        data = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return None
    return data if data.isascii() or not _BEYOND_BMP.search(data) else None


def _is_plain(values: Collection[object]) -> bool:
    # Sets of types are compared in C: a flat document costs one call, not one a value.
    kinds = set(map(type, values))
    if kinds <= _SCALARS:
        return True
    if not kinds <= _PLAIN:
        return False
    for child in values:
        if type(child) is dict:
            if not _is_plain(child.values()):
                return False
        elif type(child) in _SEQUENCES and not _is_plain(child):  # type: ignore[arg-type]
            return False
    return True


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
