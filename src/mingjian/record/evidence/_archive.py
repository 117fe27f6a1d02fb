"""The parts of a zip archive from strangers, unfolded a piece at a time and never beyond a limit."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

MOST_PARTS: Final = 1000
PIECE: Final = 2**22  # bytes
_HEADER: Final = struct.Struct("<4s22xHH")  # of a part: the lengths of its name and of what follows (APPNOTE 4.3.7)
_SIGNATURE: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True)
class Archive:
    """An archive whose parts each reader finds under the same names and with the same bytes; use after `check`."""

    data: bytes

    @cached_property
    def parts(self) -> dict[str, zipfile.ZipInfo]:
        """The parts by name. Raises ValueError for names that readers may take for one another, and for too many."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as book:
                parts = {part.filename: part for part in book.infolist()}
                given = len(book.infolist())
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error) as fault:
            raise ValueError(f"it is no workbook, or a damaged one: {fault}") from fault
        if given > MOST_PARTS:
            raise ValueError(f"it has more than {MOST_PARTS} parts")
        if len({name.replace("\\", "/").casefold() for name in parts}) < given:
            raise ValueError("two of its parts have one name")
        return parts

    def check(self, most: int, besides: str = "") -> int:
        """Unfold every part, but for one where it is named, and tell how many bytes are left for it of ``most``.

        Raises ValueError for a damaged part, and where they come to more.
        """
        for name in self.parts:
            if name != besides:
                most -= sum(map(len, self.unfolded(name, most)))
        return most

    def unfolded(self, name: str, most: int) -> Iterator[bytes]:
        """A part piece by piece.

        Raises ValueError for one that is not there, not whole, not of the size it says, or of more than ``most`` bytes.
        """
        part = self.parts.get(name)
        if part is None:
            raise ValueError(f"it has no part {name}")
        size, check = 0, 0
        for piece in _inflated(self._folded(part), part):
            size, check = size + len(piece), zlib.crc32(piece, check)
            if size > most:
                raise ValueError(f"its part {name} unfolds to more than {most >> 20:,} MiB")
            yield piece
        if (size, check) != (part.file_size, part.CRC):
            raise ValueError(f"its part {name} is not what the archive says of it")

    def part(self, name: str, most: int) -> bytes:
        """A whole part. Raises ValueError as `unfolded` does."""
        return b"".join(self.unfolded(name, most))

    def _folded(self, part: zipfile.ZipInfo) -> memoryview:
        at = part.header_offset
        header = self.data[at : at + _HEADER.size]
        if len(header) < _HEADER.size or not header.startswith(_SIGNATURE) or at < 0:
            raise ValueError(f"its part {part.filename} is not where the archive says")
        _, name, more = _HEADER.unpack(header)
        start = at + _HEADER.size + name + more
        return memoryview(self.data)[start : start + part.compress_size]


def _inflated(folded: memoryview, part: zipfile.ZipInfo) -> Iterator[bytes]:
    if part.flag_bits & _ENCRYPTED or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"its part {part.filename} is encrypted, or packed in an unusual way")
    if part.compress_type == zipfile.ZIP_STORED:
        yield from (bytes(folded[start : start + PIECE]) for start in range(0, len(folded), PIECE))
        return
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for start in range(0, len(folded), PIECE):
            given: bytes | memoryview = folded[start : start + PIECE]
            while given and not engine.eof:
                yield engine.decompress(given, PIECE)
                given = engine.unconsumed_tail
        yield engine.flush()
    except zlib.error as fault:
        raise ValueError(f"its part {part.filename} is damaged: {fault}") from fault
