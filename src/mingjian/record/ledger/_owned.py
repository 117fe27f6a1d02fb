"""Rows under the key of an owner: encrypted together, owner by owner, and gone for good once that key is destroyed.

From the owner's key and the batch's key come two secrets of their own: one encrypts this owner's rows of this batch (and
nothing else, so its nonce may be constant), one salts their hashes. Neither can be had again without the owner's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mingjian.base.errors import Tampered
from mingjian.base.keys import derive
from mingjian.record.ledger._merkle import SALT_SIZE

Places: TypeAlias = "npt.NDArray[np.int64]"

_NONCE: Final = bytes(12)
_CODEC: Final = "zstd"
_LENGTH_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one owner in one batch, encrypted. ``places`` are where they stand in it, from 0, ascending."""

    owner: str
    places: Places
    sealed: bytes


def seal_rows(owner: str, places: Places, rows: Sequence[bytes], key: bytes, batch_key: bytes) -> Section:
    """Encrypt an owner's canonical rows of one batch (ChaCha20-Poly1305, RFC 8439), compressed first.

    Owner and places are bound to them: a section moved elsewhere no longer opens.
    """
    lines = b"\n".join(rows)
    compressed: Any = pa.compress(lines, codec=_CODEC, asbytes=True)
    plain = len(lines).to_bytes(_LENGTH_BYTES, "big") + compressed
    return Section(owner, places, _cipher(key, batch_key).encrypt(_NONCE, plain, _bound(owner, places)))


def open_rows(section: Section, key: bytes, batch_key: bytes) -> list[bytes]:
    """The canonical rows of a section, in the order of its places. Raises Tampered if they are not what was encrypted."""
    bound = _bound(section.owner, section.places)
    try:
        plain = _cipher(key, batch_key).decrypt(_NONCE, section.sealed, bound)
    except InvalidTag as fault:
        raise Tampered(
            "encrypted rows are not what was written", why=f"those of {section.owner} do not open"
        ) from fault
    size = int.from_bytes(plain[:_LENGTH_BYTES], "big")
    lines: bytes = pa.decompress(plain[_LENGTH_BYTES:], size, codec=_CODEC, asbytes=True)
    return lines.split(b"\n")


def salting_key(key: bytes, batch_key: bytes) -> bytes:
    """The secret that salts an owner's rows of one batch."""
    return derive(key, "salts", batch_key.hex())


def row_salt(key: bytes, row: int) -> bytes:
    """The 16 bytes that keep a row's hash from being guessed: a keyed BLAKE2b (RFC 7693) of the row's number."""
    return blake2b(row.to_bytes(8, "big"), key=key, digest_size=SALT_SIZE).digest()


def row_salts(key: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """`row_salt` of the rows at these places. To copy a keyed hash costs less than to make one."""
    fresh = blake2b(key=key, digest_size=SALT_SIZE).copy
    for place in places:
        keyed = fresh()
        keyed.update(place.to_bytes(8, "big"))
        yield keyed.digest()


def places_by_owner(owners: Sequence[str]) -> dict[str, Places]:
    """The places of each owner's rows, ascending; those of rows without an owner stand first, under ""."""
    encoded: Any = pa.array(owners, pa.string()).dictionary_encode()
    codes = encoded.indices.to_numpy()
    order = np.argsort(codes, kind="stable").astype(np.int64)
    ends = np.cumsum(np.bincount(codes, minlength=len(encoded.dictionary)))
    found = dict(zip(encoded.dictionary.to_pylist(), np.split(order, ends[:-1]), strict=True))
    return {"": found.pop("", np.empty(0, np.int64)), **found}


def places_bytes(places: Places) -> bytes:
    """How places are stored: 64-bit steps from one to the next, little-endian, compressed."""
    steps: Any = pa.compress(np.diff(places, prepend=0).astype("<i8").tobytes(), codec=_CODEC, asbytes=True)
    return len(places).to_bytes(_LENGTH_BYTES, "big") + bytes(steps)


def places_of(data: bytes) -> Places:
    """The places that `places_bytes` wrote. Raises Tampered for other bytes."""
    count = int.from_bytes(data[:_LENGTH_BYTES], "big")
    try:
        steps: bytes = pa.decompress(data[_LENGTH_BYTES:], 8 * count, codec=_CODEC, asbytes=True)
    except (pa.ArrowException, OSError, OverflowError, MemoryError) as fault:
        raise Tampered("the places of encrypted rows are garbled", why=str(fault)) from fault
    return np.cumsum(np.frombuffer(steps, "<i8"), dtype=np.int64)


def _cipher(key: bytes, batch_key: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(derive(key, "rows", batch_key.hex()))


def _bound(owner: str, places: Places) -> bytes:
    return owner.encode() + b"\x00" + places.astype("<i8").tobytes()
