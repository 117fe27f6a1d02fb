"""The status list: one bit a statement, many together, so that asking about one tells nobody which.

W3C Bitstring Status List 1.0: bit 0 is the leftmost, the list is compressed by GZIP and written as multibase base64url.
"""

from __future__ import annotations

import gzip
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mingjian.attest.statements._reading import Malformed
from mingjian.attest.statements._reason import because
from mingjian.base.errors import Fault, Misuse

MINIMUM_BITS: Final = 131_072  # section 3.2: 16 KiB, below which a list would tell too much
_MOST_BYTES: Final = 16 * 1024 * 1024  # 134 million statements; a bound on what a stranger's list may unfold to
_TEXT: Final = re.compile(r"u[A-Za-z0-9_-]+")
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Bitstring:
    """A list of bits; ``data`` has 8 in each byte, the first the most significant."""

    data: bytes

    @classmethod
    def of(cls, positions: Iterable[int], at_least: int = MINIMUM_BITS) -> Bitstring:
        """The list in which exactly these bits are set: ``at_least`` so many, a power of two, never below 131,072."""
        wanted = set(positions)
        if wanted and min(wanted) < 0:
            raise Misuse("a status list begins at 0", why=f"position {min(wanted)}")
        last = max(at_least - 1, *wanted, MINIMUM_BITS - 1)
        size = 1 << last.bit_length()
        data = bytearray(size // 8)
        for position in wanted:
            data[position // 8] |= 0x80 >> position % 8
        return cls(bytes(data))

    @classmethod
    def decode(cls, text: str) -> Bitstring:
        """The list that a text writes. Raises Malformed for another encoding, and for a list too short or unreasonably long."""
        if not _TEXT.fullmatch(text):
            raise _none("multibase base64url is wanted: u and letters, digits, - and _")
        try:
            packed = urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
            unpacker = zlib.decompressobj(_GZIP)
            data = unpacker.decompress(packed, _MOST_BYTES)
        except (ValueError, zlib.error) as fault:
            raise _none(fault) from fault
        if not unpacker.eof or unpacker.unused_data:
            raise _none("one whole GZIP member is wanted")
        if len(data) * 8 < MINIMUM_BITS:
            raise _none(f"{len(data) * 8} bits; {MINIMUM_BITS} are the fewest allowed")
        return cls(data)

    def encode(self) -> str:
        """The list as text, the same for the same bits."""
        packed = gzip.compress(self.data, compresslevel=9, mtime=0)
        return "u" + urlsafe_b64encode(packed).decode().rstrip("=")

    def __len__(self) -> int:
        return len(self.data) * 8

    def __getitem__(self, position: int) -> bool:
        """Whether the bit is set. Raises Fault for one that the list does not have."""
        if not 0 <= position < len(self):
            raise Fault("the status list does not reach so far", why=f"bit {position} of {len(self)}")
        return bool(self.data[position // 8] & 0x80 >> position % 8)


def _none(detail: object) -> Malformed:
    return Malformed("encodedList", because("not-a-bitstring", detail=detail), "status-list")
