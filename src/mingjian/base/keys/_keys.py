"""Ed25519 keys (RFC 8032): in memory, in files of their owner, and as multibase text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mingjian.base.errors import Misuse
from mingjian.base.keys._base58 import decode, encode
from mingjian.base.keys._files import read_private, write_private

_MULTICODEC: Final = b"\xed\x01"  # ed25519-pub, as a varint


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key, ``raw`` its 32 bytes."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise Misuse("not an Ed25519 public key", why=f"{len(self.raw)} bytes instead of 32")

    @classmethod
    def from_multibase(cls, text: str) -> PublicKey:
        """The key that ``z6Mk...`` writes (base58btc of its multicodec). Raises Misuse for any other text."""
        try:
            data = decode(text[1:])
        except ValueError:
            data = b""
        if text[:1] == "z" and data[:2] == _MULTICODEC:
            return cls(data[2:])
        raise Misuse(f"{text!r} is not an Ed25519 key in multibase", remedy="it begins with z6Mk")

    @cached_property
    def multibase(self) -> str:
        """``z6Mk...``: base58btc of the multicodec prefix and the key."""
        return "z" + encode(_MULTICODEC + self.raw)

    @property
    def did_key(self) -> str:
        """The key as a decentralised identifier, ``did:key:z6Mk...``."""
        return "did:key:" + self.multibase

    @property
    def method(self) -> str:
        """The verification method of the identifier, ``did:key:z6Mk...#z6Mk...``."""
        return f"{self.did_key}#{self.multibase}"

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed the message."""
        try:
            self._parsed.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _parsed(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class SigningKey:
    """An Ed25519 signing key. It never shows its secret: only :meth:`save` writes it, for its owner alone."""

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key that 32 secret bytes determine. Raises Misuse for another length."""
        if len(seed) != 32:
            raise Misuse("not an Ed25519 seed", why=f"{len(seed)} bytes instead of 32")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """The key of a PEM file (PKCS #8). Raises Misuse if it is missing, no such key, or readable by others."""
        private = read_private(path, "signing key")
        if not isinstance(private, Ed25519PrivateKey):
            raise Misuse("not a signing key", why="its algorithm is not Ed25519", where=str(path))
        return cls(private)

    def save(self, path: Path) -> None:
        """Write the key to a new PEM file of mode 0600, whole or not at all. Raises Misuse if the file exists."""
        write_private(path, self._private, "signing key")

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature; the same for the same message."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.multibase})"
