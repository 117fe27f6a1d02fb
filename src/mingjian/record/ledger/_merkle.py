"""The Merkle tree of RFC 6962, as pure functions over bytes: no store, no state.

Everything a proof can say here is one statement, *the entries [start, end) of a tree of this size have this root*.
Inclusion of one entry is the case ``[index, index + 1)``, consistency of two sizes the case ``[0, size1)``; so one
recursion makes every proof (`proof_ranges`) and one verifies every proof (`verify_subtree`). The general statement is that
of draft-ietf-plants-merkle-tree-certs, section 4.4; the two cases give exactly the proofs of RFC 6962, section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
SALT_SIZE: Final = 16

_LARGEST_TREE: Final = 2**63 - 1  # C2SP tlog-checkpoint; it also bounds the depth of the recursions


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf, ``SHA-256(0x00 | data)``."""
    return sha256(b"\x00" + data).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each, in order."""
    fresh, found = sha256(b"\x00").copy, []
    for leaf in leaves:
        hashed = fresh()
        hashed.update(leaf)
        found.append(hashed.digest())
    return found


def _digests(prefix: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """``SHA-256(prefix | one | other)`` of each pair. To copy a hash costs less than to make one, and to update it twice less
    than to join the two.
    """
    fresh, found = sha256(prefix).copy, []
    for one, other in pairs:
        hashed = fresh()
        hashed.update(one)
        hashed.update(other)
        found.append(hashed.digest())
    return found


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node, ``SHA-256(0x01 | left | right)``."""
    return sha256(b"\x01" + left + right).digest()


def row_leaf(salt: bytes, row: bytes) -> bytes:
    """The leaf hash of one salted row, ``SHA-256(0x00 | salt | row)``; the salt is 16 bytes, the row canonical JSON."""
    return sha256(b"\x00" + salt + row).digest()


def row_leaves(salts: Iterable[bytes], rows: Iterable[bytes]) -> list[bytes]:
    """`row_leaf` of each pair, in order. Whoever gives the salts decides whose key an erasure must destroy."""
    return _digests(b"\x00", zip(salts, rows, strict=True))


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole tree held in memory: ``levels[0]`` are the leaf hashes, ``levels[-1]`` the root alone.

    An odd last node moves up unchanged, which is RFC 6962's split at the largest power of two read from below.
    """

    levels: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Tree:
        """The tree over leaf *hashes*."""
        levels = [tuple(leaves)]
        while len(levels[-1]) > 1:
            levels.append(tuple(_parents(levels[-1])))
        return cls(tuple(levels))

    @property
    def size(self) -> int:
        """How many leaves."""
        return len(self.levels[0])

    @property
    def root(self) -> bytes:
        """The root; of no leaves, ``SHA-256("")``."""
        return self.levels[-1][0] if self.size else EMPTY_ROOT

    def path(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of leaf ``index`` (RFC 6962, 2.1.1): sibling hashes from the leaf up."""
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} of {self.size}")
        found: list[bytes] = []
        for level in self.levels:
            sibling = index ^ 1
            if sibling < len(level):
                found.append(level[sibling])
            index >>= 1
        return tuple(found)


def _parents(level: Sequence[bytes]) -> list[bytes]:
    each = iter(level)  # two steps of it: a node and its right neighbour
    paired = _digests(b"\x01", zip(each, each, strict=False))
    return [*paired, level[-1]] if len(level) % 2 else paired


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree over leaf *hashes*; of none, ``SHA-256("")``."""
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY_ROOT


def split(size: int) -> int:
    """The largest power of two smaller than ``size`` (at least 2): where RFC 6962 divides a tree."""
    return 1 << (size - 1).bit_length() - 1


def whole_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees, largest first, whose hashes make that of the subtree ``[start, end)``."""
    while start < end:
        width = 1 << (end - start).bit_length() - 1
        yield start, start + width
        start += width


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a subtree from those of its `whole_subtrees`; of none, ``SHA-256("")``."""
    if not hashes:
        return EMPTY_ROOT
    *rest, total = hashes
    for left in reversed(rest):
        total = node_hash(left, total)
    return total


def proof_ranges(start: int, end: int, size: int) -> list[tuple[int, int]]:
    """The subtrees whose hashes prove that ``[start, end)`` is part of a tree of ``size``, in the order of the proof.

    ``[start, end)`` must be a subtree: ``start`` a multiple of the power of two that holds ``end - start``.
    """
    ranges: list[tuple[int, int]] = []
    low, high, known = 0, size, True
    while (low, high) != (start, end):
        middle = low + split(high - low)
        if end <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            known = known and start >= middle
            low, start = middle, max(start, middle)
    if not known:  # what is left of an old tree's right edge is not itself a root anyone holds
        ranges.append((low, high))
    return ranges[::-1]


def verify_subtree(start: int, end: int, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that entries ``[start, end)`` of the tree of ``size`` and ``root`` have ``subtree_root``.

    False for anything malformed: a range that is no subtree or exceeds the tree, hashes missing or left over.
    """
    if not (0 <= start <= end <= size <= _LARGEST_TREE and all(len(node) == HASH_SIZE for node in proof)):
        return False
    if start == end:
        return not proof and subtree_root == EMPTY_ROOT
    if start % (1 << (end - start - 1).bit_length()):
        return False
    remaining = list(proof)
    try:
        found, whole = _replay(start, end, size, subtree_root, remaining)
    except IndexError:  # the proof is too short
        return False
    return not remaining and found == subtree_root and whole == root


def _replay(start: int, end: int, size: int, known: bytes | None, proof: list[bytes]) -> tuple[bytes, bytes]:
    """Rebuild (hash of ``[start, end)``, hash of the tree of ``size``) from the proof, which is used up from its end."""
    if start == 0 and end == size:
        node = proof.pop() if known is None else known
        return node, node
    middle = split(size)
    sibling = proof.pop()
    if end <= middle:
        part, left = _replay(start, end, middle, known, proof)
        return part, node_hash(left, sibling)
    if start >= middle:
        part, right = _replay(start - middle, end - middle, size - middle, known, proof)
        return part, node_hash(sibling, right)
    part, right = _replay(0, end - middle, size - middle, None, proof)
    return node_hash(sibling, part), node_hash(sibling, right)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` shows that the leaf *hash* ``leaf`` is number ``index`` of the tree of ``size`` and ``root``.

    RFC 6962, section 2.1.1. False, never an exception, for a path that does not fit. It says what `verify_subtree` would of
    ``[index, index + 1)``, by the loop of RFC 9162, section 2.1.3.2: these are checked by the ten thousand.
    """
    if not 0 <= index < size <= _LARGEST_TREE or len(leaf) != HASH_SIZE:
        return False
    node, place, last = leaf, index, size - 1  # on each level: the node that is known, its place, and that of the last
    for sibling in path:
        if not last or len(sibling) != HASH_SIZE:
            return False
        if place & 1 or place == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while place and not place & 1:  # a last node without a sibling moves up unchanged
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        place, last = place >> 1, last >> 1
    return not last and node == root


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree (``size1``, ``root1``) is a beginning of the tree (``size2``, ``root2``).

    RFC 6962, section 2.1.2. An empty beginning proves nothing and is refused.
    """
    return size1 > 0 and verify_subtree(0, size1, size2, root1, root2, proof)
