"""Trees and proofs against RFC 6962 as it is written: slow, recursive, and sharing nothing with the room's own code."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest

from mingjian.base.errors import Tampered
from mingjian.record.ledger import (
    EMPTY_ROOT,
    leaf_hash,
    root_of,
    row_leaf,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)
from mingjian.record.ledger._merkle import HASH_SIZE, Tree, proof_ranges
from mingjian.record.ledger._tiles import TileKey, extended, range_hash

LARGEST = 70
DATA = [f"entry {i}".encode() for i in range(LARGEST)]
LEAVES = [leaf_hash(data) for data in DATA]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(data: list[bytes]) -> bytes:
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = largest_power_below(len(data))
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def audit_path(m: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = largest_power_below(len(data))
    if m < k:
        return [*audit_path(m, data[:k]), mth(data[k:])]
    return [*audit_path(m - k, data[k:]), mth(data[:k])]


def consistency_proof(m: int, data: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = largest_power_below(len(data))
    if m <= k:
        return [*consistency_proof(m, data[:k], whole), mth(data[k:])]
    return [*consistency_proof(m - k, data[k:], False), mth(data[:k])]


ROOTS = [mth(DATA[:n]) for n in range(LARGEST + 1)]


class Tiles:
    """Tiles in memory, counting what is read."""

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self.tiles: dict[TileKey, bytes] = {}
        self.size = self.reads = 0
        self.append(leaves)

    def append(self, leaves: Sequence[bytes]) -> None:
        self.tiles |= extended(self.read, self.size, leaves)
        self.size += len(leaves)

    def read(self, level: int, number: int) -> bytes:
        self.reads += 1
        return self.tiles.get((level, number), b"")

    def proof(self, start: int, end: int, size: int) -> list[bytes]:
        return [range_hash(self.read, low, high) for low, high in proof_ranges(start, end, size)]


def test_leaf_and_empty_tree_are_those_of_the_rfc() -> None:
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    assert row_leaf(b"s" * 16, b"{}") == sha256(b"\x00" + b"s" * 16 + b"{}").digest()
    assert root_of([]) == EMPTY_ROOT == Tree.of([]).root == sha256(b"").digest()


def test_roots_and_paths_of_every_tree_are_those_of_the_rfc() -> None:
    for size in range(1, LARGEST + 1):
        tree = Tree.of(LEAVES[:size])
        assert tree.root == root_of(LEAVES[:size]) == ROOTS[size]
        for index in range(size):
            path = audit_path(index, DATA[:size])
            assert list(tree.path(index)) == path
            assert verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])


def test_tiles_give_every_root_and_proof_of_every_earlier_size() -> None:
    tiles = Tiles(LEAVES)
    for size in range(LARGEST + 1):
        assert range_hash(tiles.read, 0, size) == ROOTS[size]
        for index in range(size):
            assert tiles.proof(index, index + 1, size) == audit_path(index, DATA[:size])
        for old in range(1, size + 1):
            proof = consistency_proof(old, DATA[:size])
            assert tiles.proof(0, old, size) == proof
            assert verify_consistency(old, size, ROOTS[old], ROOTS[size], proof)


def test_any_subtree_is_proved_to_be_part_of_the_tree() -> None:
    tiles, size = Tiles(LEAVES), LARGEST
    for start in range(0, size, 4):
        for end in range(start + 1, min(start + 4, size) + 1):
            part = mth(DATA[start:end])
            assert verify_subtree(start, end, size, part, ROOTS[size], tiles.proof(start, end, size))
            assert not verify_subtree(start, end, size, part[::-1], ROOTS[size], tiles.proof(start, end, size))


def test_a_range_that_is_no_subtree_has_no_proof() -> None:
    proof = consistency_proof(3, DATA[:8])
    assert verify_subtree(0, 3, 8, ROOTS[3], ROOTS[8], proof)
    assert not verify_subtree(1, 3, 8, ROOTS[3], ROOTS[8], proof), "it would pass for a part that it is not"


def test_a_proof_holds_for_nothing_but_what_it_proves() -> None:
    size, index = 13, 6
    path = audit_path(index, DATA[:size])
    holds = [
        (i, n)
        for n in range(1, LARGEST + 1)
        for i in range(LARGEST)
        if verify_inclusion(LEAVES[index], i, n, path, ROOTS[size])
    ]
    # The path says on which side each neighbour stands; sizes between which no side changes cannot be told apart by it,
    # which is why a size is only ever taken together with its root from one signed checkpoint.
    assert (index, size) in holds
    assert {i for i, _ in holds} == {index}
    for at in range(len(path)):
        for changed in (path[:at], path[:at] + path[at + 1 :], [*path, path[at]]):
            assert not verify_inclusion(LEAVES[index], index, size, changed, ROOTS[size])
        flipped = [*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :]]
        assert not verify_inclusion(LEAVES[index], index, size, flipped, ROOTS[size])


def test_malformed_proofs_are_refused_not_raised() -> None:
    root = ROOTS[5]
    assert not verify_inclusion(LEAVES[0], -1, 5, [], root)
    assert not verify_inclusion(LEAVES[0], 5, 5, [], root)
    assert not verify_inclusion(LEAVES[0], 0, 2**4000, [root] * 4000, root)
    assert not verify_inclusion(LEAVES[0], 0, 2, [b"short"], root)
    assert not verify_inclusion(DATA[0], 0, 1, [], DATA[0])
    assert not verify_consistency(0, 5, EMPTY_ROOT, root, [])
    assert not verify_consistency(5, 4, root, ROOTS[4], [])
    with pytest.raises(IndexError):
        Tree.of(LEAVES[:5]).path(5)


@pytest.mark.parametrize("steps", [(255, 1, 1), (256, 256), (1, 65_535, 1, 300), (65_537, 255, 70_000)])
def test_tiles_grow_to_the_same_tree_in_whatever_steps(steps: tuple[int, ...]) -> None:
    leaves = [leaf_hash(i.to_bytes(4, "big")) for i in range(sum(steps))]
    tiles = Tiles()
    for step in steps:
        tiles.append(leaves[tiles.size : tiles.size + step])
    assert tiles.tiles == Tiles(leaves).tiles
    root, size = root_of(leaves), len(leaves)
    assert range_hash(tiles.read, 0, size) == root
    for index in {0, size // 2, size - 1}:
        tiles.reads = 0
        assert verify_inclusion(leaves[index], index, size, tiles.proof(index, index + 1, size), root)
        assert tiles.reads <= 2 * size.bit_length()
    for old in {1, steps[0], size - 1}:
        assert verify_consistency(old, size, root_of(leaves[:old]), root, tiles.proof(0, old, size))


def test_a_tile_cut_short_is_noticed() -> None:
    tiles = Tiles(LEAVES)
    tiles.tiles[0, 0] = tiles.tiles[0, 0][:-HASH_SIZE]
    with pytest.raises(Tampered, match="tile 0/0"):
        range_hash(tiles.read, 0, LARGEST)


def test_one_leaf_is_proved_as_the_subtree_that_it_is() -> None:
    for size in (1, 2, 3, 7, 13, 16):
        for index in range(size):
            path = audit_path(index, DATA[:size])
            for claimed in [(i, n) for n in range(20) for i in range(20)]:
                i, n = claimed
                as_subtree = verify_subtree(i, i + 1, n, LEAVES[index], ROOTS[size], path)
                assert verify_inclusion(LEAVES[index], i, n, path, ROOTS[size]) is as_subtree, (claimed, index, size)
