"""Bytes as text in base58btc (draft-msporny-base58), in one way only: nothing is forgiven that would write them otherwise."""

from __future__ import annotations

import re
from typing import Final

import base58

# A signature has 88 digits, and reading takes the square of the length. The library forgives spaces around them.
_TEXT: Final = re.compile("[1-9A-HJ-NP-Za-km-z]{0,128}")


def encode(data: bytes) -> str:
    """The text of these bytes: a ``1`` for each zero byte in front, and the number that the rest is."""
    return base58.b58encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes that `encode` wrote. Raises ValueError for any other text, and for one of more than 128 digits."""
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text[:130]!r} is not made of at most 128 digits of base58")
    return base58.b58decode(text)
