"""Reading JSON from strangers."""

from __future__ import annotations

import json
from typing import Any

import orjson


def read_json(data: bytes) -> Any:
    """The value of a JSON text in which no name stands twice in one object.

    Readers differ in which of two equal names they take (RFC 8259, section 4), so that one text would say one thing to a
    signature and another to a person. Raises ValueError for such a text, and for what is no JSON.
    """
    value = orjson.loads(data)
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError as fault:  # it reads deeper than it writes
        raise ValueError("nested too deeply") from fault
    if written != data:  # written by others, or with a name twice: look at every object
        json.loads(data, object_pairs_hook=once, parse_float=str, parse_int=str)
    return value


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object of these pairs. Raises ValueError where a name stands twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value
