"""Bytes as text in base58btc (draft-msporny-base58), in one way only: nothing is forgiven that would write them otherwise."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS: Final = tuple(high + low for high in _DIGITS for low in _DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_AT_ONCE: Final = 5  # pairs of digits: as many as a number of 64 bits has
_LONGEST: Final = 128  # digits; a signature has 88, and reading takes the square of the length


def encode(data: bytes) -> str:
    """The text of these bytes: a ``1`` for each zero byte in front, and the number that the rest is."""
    pairs: list[str] = []
    number = int.from_bytes(data, "big")
    while number:
        number, some = divmod(number, len(_PAIRS) ** _AT_ONCE)
        for _ in range(_AT_ONCE):
            some, pair = divmod(some, len(_PAIRS))
            pairs.append(_PAIRS[pair])
    zeros = len(data) - len(data.lstrip(b"\x00"))
    return "1" * zeros + "".join(reversed(pairs)).lstrip("1")


def decode(text: str) -> bytes:
    """The bytes that `encode` wrote. Raises ValueError for any other text, and for one of more than 128 digits."""
    if len(text) > _LONGEST:
        raise ValueError(f"{len(text)} digits, and no key or signature has more than {_LONGEST}")
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError(f"{digit!r} is no digit of base58")
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
