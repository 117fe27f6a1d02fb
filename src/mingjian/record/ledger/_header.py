"""A header held against what it must say, without an entry being made of it: for those who go through millions."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from typing import Final

import orjson

from mingjian.base.errors import Tampered
from mingjian.base.values import canonical
from mingjian.record.ledger._entry import AT, read_header
from mingjian.record.ledger._merkle import HASH_SIZE

_OPENING: Final = b'{"at":"'
_AT_ENDS: Final = len(_OPENING) + len("2021-09-07T08:00:00.000Z")
_INDEX: Final = b',"index":'
_MIDDLE: Final = _INDEX + b'%d,"kind":%b,"root":"%b","rows":'
_END: Final = b'%d,"scheme":%b,"source":'
_sorted: Final = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
_BEFORE: Final = _OPENING + b"2021-09-07T08:00:00.000Z"
_AFTER: Final = _MIDDLE % (0, b'""', b"0" * 2 * HASH_SIZE) + _END % (0, b'""') + b"{}}"


def is_header(header: bytes, index: int, scheme: str, kind: str, source_sha256: object, rows: int, root: bytes) -> bool:
    """Whether `read_header` reads an entry from ``header`` that says all this, in a tenth of its time.

    What such a header has in its middle is known, and is written and compared; what stands around that is read.
    """
    middle = _MIDDLE % (index, _quoted(kind), root.hex().encode())
    place = header.find(_INDEX)  # before it stand texts, in which every quotation mark is escaped
    return (
        header.startswith(middle, place)
        and header.startswith(_OPENING)
        and _is_instant(header[len(_OPENING) : _AT_ENDS])
        and _are_columns(header[_AT_ENDS:place])
        and _is_end(header[place + len(middle) :], rows, scheme, source_sha256)
    )


@lru_cache(maxsize=256)
def _quoted(text: str) -> bytes:
    return orjson.dumps(text)


@lru_cache(maxsize=16)
def _is_instant(at: bytes) -> bool:
    try:
        text = at.decode()
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return AT.fullmatch(text) is not None


@lru_cache(maxsize=256)
def _are_columns(text: bytes) -> bool:
    """Of what stands between ``at`` and ``index``, which is the same for all that one brings of a kind."""
    try:
        read_header(0, _BEFORE + text + _AFTER)
    except Tampered:
        return False
    return True


@lru_cache(maxsize=256)
def _is_end(text: bytes, rows: int, scheme: str, sha256: object) -> bool:
    """Of what stands behind ``"rows":``: the same for all that has as many rows and comes from one place."""
    known = _END % (rows, _quoted(scheme))
    if not text.startswith(known):
        return False
    source = text[len(known) : -1]
    try:
        value = orjson.loads(source)
    except orjson.JSONDecodeError:
        return False
    if type(value) is not dict or not {*map(type, value.values())} <= {str} or value.get("sha256") != sha256:
        return False
    # Of texts under ASCII keys orjson writes the canonical form too; others it may put in another order.
    write = _sorted if "".join(value).isascii() else canonical
    return write(value) == source and text.endswith(b"}")
