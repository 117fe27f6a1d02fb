"""Many secrets from one."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mingjian.base.errors import Misuse

_SHORTEST: Final = 16  # bytes: 128 bits


def derive(secret: bytes, *labels: str, length: int = 32) -> bytes:
    """``length`` bytes that only who holds ``secret`` can compute, other ones for other labels (HKDF-SHA256, RFC 5869).

    Each label goes in with its length before it, so that ``("ab", "c")`` and ``("a", "bc")`` differ. Raises Misuse for
    a secret under 16 bytes.
    """
    if len(secret) < _SHORTEST:
        raise Misuse("the secret is too short to derive from", why=f"{len(secret)} bytes", remedy="16 or more")
    encoded = [label.encode() for label in labels]
    info = b"".join(len(label).to_bytes(4, "big") + label for label in encoded)
    return HKDF(SHA256(), length, salt=None, info=info).derive(secret)
