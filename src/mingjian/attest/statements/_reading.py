"""Reading JSON that a stranger may have made: each value has the shape asked for, or an error says where it has not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, cast

from mingjian.attest.statements._reason import Reason, because
from mingjian.base.errors import Fault

Record = Mapping[str, Any]
Document = Literal["package", "status-list", "key-history"]

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_TITLES: Final[dict[Document, str]] = {
    "package": "not a package of this format",
    "status-list": "not a status list",
    "key-history": "not a history of keys",
}
_SHOWN: Final = 40  # characters of a stranger's text in a reason


class Malformed(Fault):
    """A document that has not the shape of a package or a status list; ``reason`` says it in both languages."""

    def __init__(self, place: str, cause: Reason, document: Document = "package") -> None:
        self.place, self.cause = place, cause
        self.reason = because(f"not-a-{document}", where=place, why=cause)
        super().__init__(_TITLES[document], why=cause.text(), where=place, remedy=self.reason.remedy())

    def said(self, language: str) -> str:
        """The error as a person reads it in "en" or "zh"."""
        return self.reason.said(language)

    def to_json(self) -> dict[str, object]:
        """The error as a JSON object; ``code`` is that of the cause."""
        return {**super().to_json(), "code": self.cause.code}


def malformed(where: str, why: Reason) -> Malformed:
    """The error of a document that has not the shape of a package."""
    return Malformed(where, why)


def record_of(value: object, where: str) -> Record:
    """The value, a JSON object."""
    if isinstance(value, dict):
        return value
    raise malformed(where, _other_type("object", value))


def list_of(record: Record, name: str, where: str, most: int) -> list[Any]:
    """The list under a name, of no more than ``most`` members."""
    value = record.get(name)
    if not isinstance(value, list):
        raise malformed(f"{where}.{name}", _other_type("list", value))
    if len(value) > most:
        raise malformed(f"{where}.{name}", because("too-many", count=len(value), most=most))
    return value


def text_of(record: Record, name: str, where: str) -> str:
    """The text under a name."""
    value = record.get(name)
    if isinstance(value, str):
        return value
    raise malformed(f"{where}.{name}", _other_type("text", value))


def texts_of(record: Record, names: Sequence[str], where: str) -> Sequence[str]:
    """The texts under these names."""
    found = [record.get(name) for name in names]
    if set(map(type, found)) == {str}:
        return cast(list[str], found)
    return [text_of(record, name, where) for name in names]


def flag_of(record: Record, name: str, where: str) -> bool:
    """The true or false under a name."""
    value = record.get(name)
    if isinstance(value, bool):
        return value
    raise malformed(f"{where}.{name}", _other_type("flag", value))


def choice_of(record: Record, name: str, where: str, allowed: tuple[str, ...]) -> str:
    """The text under a name, one of those allowed."""
    value = text_of(record, name, where)
    if value not in allowed:
        raise malformed(
            f"{where}.{name}", because("other-choice", found=repr(value[:_SHOWN]), allowed=", ".join(allowed))
        )
    return value


def whole_of(record: Record, name: str, where: str) -> int:
    """The whole number that the text under a name writes."""
    value = text_of(record, name, where)
    if not _WHOLE.fullmatch(value):
        raise malformed(f"{where}.{name}", other_writing(value, "whole-number"))
    return int(value)


def hash_of(record: Record, name: str, where: str) -> bytes:
    """The 32 bytes that the hexadecimal text under a name writes."""
    value = text_of(record, name, where)
    if not _HASH.fullmatch(value):
        raise malformed(f"{where}.{name}", other_writing(value, "hash"))
    return bytes.fromhex(value)


def instant_of(record: Record, name: str, where: str) -> datetime:
    """The instant, with its zone, that the text under a name writes."""
    value = text_of(record, name, where)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as fault:
        raise malformed(f"{where}.{name}", other_writing(value, "instant")) from fault
    if instant.tzinfo is None:
        raise malformed(f"{where}.{name}", other_writing(value, "instant"))
    return instant


def other_writing(found: str, wanted: str) -> Reason:
    """The reason that a text does not write what is wanted; see `_reason` for the names of what can be."""
    return because("other-writing", found=repr(found[:_SHOWN]), wanted=because(wanted))


def _other_type(wanted: str, found: object) -> Reason:
    return because("other-type", wanted=because(wanted), found=type(found).__name__)
