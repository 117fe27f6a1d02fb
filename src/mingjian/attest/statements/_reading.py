"""Reading JSON that a stranger may have made: each value has the shape asked for, or a Fault says where it has not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from mingjian.base.errors import Fault

Record = Mapping[str, Any]

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def malformed(where: str, why: str) -> Fault:
    """The Fault of a document that has not the shape of a package."""
    return Fault("not a package of this format", why=why, where=where)


def record_of(value: object, where: str) -> Record:
    """The value, a JSON object."""
    if isinstance(value, dict):
        return value
    raise malformed(where, f"an object is wanted, not {type(value).__name__}")


def list_of(record: Record, name: str, where: str, most: int) -> list[Any]:
    """The list under a name, of no more than ``most`` members."""
    value = record.get(name)
    if not isinstance(value, list):
        raise malformed(f"{where}.{name}", f"a list is wanted, not {type(value).__name__}")
    if len(value) > most:
        raise malformed(f"{where}.{name}", f"{len(value)} members; {most} are the most that is read")
    return value


def text_of(record: Record, name: str, where: str) -> str:
    """The text under a name."""
    value = record.get(name)
    if isinstance(value, str):
        return value
    raise malformed(f"{where}.{name}", f"a text is wanted, not {type(value).__name__}")


def choice_of(record: Record, name: str, where: str, allowed: tuple[str, ...]) -> str:
    """The text under a name, one of those allowed."""
    value = text_of(record, name, where)
    if value not in allowed:
        raise malformed(f"{where}.{name}", f"{value[:40]!r} is none of {', '.join(allowed)}")
    return value


def whole_of(record: Record, name: str, where: str) -> int:
    """The whole number that the text under a name writes."""
    value = text_of(record, name, where)
    if not _WHOLE.fullmatch(value):
        raise malformed(f"{where}.{name}", f"{value[:40]!r} is not a whole number")
    return int(value)


def hash_of(record: Record, name: str, where: str) -> bytes:
    """The 32 bytes that the hexadecimal text under a name writes."""
    value = text_of(record, name, where)
    if not _HASH.fullmatch(value):
        raise malformed(f"{where}.{name}", "64 hexadecimal digits are wanted")
    return bytes.fromhex(value)


def instant_of(record: Record, name: str, where: str) -> datetime:
    """The instant, with its zone, that the text under a name writes."""
    value = text_of(record, name, where)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as fault:
        raise malformed(f"{where}.{name}", f"{value[:40]!r} is not an instant") from fault
    if instant.tzinfo is None:
        raise malformed(f"{where}.{name}", f"{value[:40]!r} has no zone")
    return instant
