"""The tree of entries cut into tiles, so that a proof among millions reads a handful of them.

The shape is that of C2SP tlog-tiles: the tile ``(level, number)`` has up to 256 hashes, each of a complete subtree of
``256 ** level`` entries, one after the other. A tile is only ever added to, and never changes once it is full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from mingjian.base.errors import Tampered
from mingjian.record.ledger._merkle import HASH_SIZE, fold, root_of, whole_subtrees

TILE_WIDTH: Final = 256
_HEIGHT: Final = 8  # a tile spans so many levels of the binary tree

_TILE_SIZE: Final = TILE_WIDTH * HASH_SIZE

TileKey = tuple[int, int]
ReadTile = Callable[[int, int], bytes]  # no bytes where there is no such tile


def range_hash(read: ReadTile, start: int, end: int) -> bytes:
    """The hash of the subtree over entries ``[start, end)``; over all entries, the root. Raises Tampered for a short tile."""
    return fold([_whole_hash(read, low, high) for low, high in whole_subtrees(start, end)])


def _whole_hash(read: ReadTile, start: int, end: int) -> bytes:
    width = end - start
    level = (width.bit_length() - 1) // _HEIGHT
    entries_a_hash = TILE_WIDTH**level
    number, first = divmod(start // entries_a_hash, TILE_WIDTH)
    wanted = width // entries_a_hash
    hashes = hashes_of(read(level, number)[first * HASH_SIZE : (first + wanted) * HASH_SIZE])
    if len(hashes) < wanted:
        raise Tampered("the tree is incomplete", why="a tile lacks hashes", where=tile_name(level, number))
    return root_of(hashes)


def extended(read: ReadTile, size: int, leaves: Iterable[bytes]) -> dict[TileKey, bytes]:
    """The tiles that are new or longer once ``leaves`` (hashes) follow a tree of ``size``."""
    tiles: dict[TileKey, bytes] = {}
    level, before, added = 0, size, b"".join(leaves)
    while added:
        number, filled = divmod(before, TILE_WIDTH)
        hashes = read(level, number)[: filled * HASH_SIZE] + added if filled else added
        chunks = [hashes[at : at + _TILE_SIZE] for at in range(0, len(hashes), _TILE_SIZE)]
        tiles |= {(level, number + at): chunk for at, chunk in enumerate(chunks)}
        level, before = level + 1, number
        added = b"".join(root_of(hashes_of(chunk)) for chunk in chunks if len(chunk) == _TILE_SIZE)
    return tiles


def hashes_of(tile: bytes) -> list[bytes]:
    """The hashes of a tile, or of a part of it; what is cut short within one ends with a shorter one."""
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def tile_name(level: int, number: int) -> str:
    """How a message names a tile."""
    return f"tile {level}/{number}"
