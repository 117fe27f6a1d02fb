"""Text sealed to a key: whoever has the public half seals, only who holds the private half can open.

Hybrid Public Key Encryption (RFC 9180) in its base mode, X25519 with HKDF-SHA256 and ChaCha20-Poly1305. A sealed text is
``sealed1.`` and the base64url of the encapsulated key and the ciphertext; its length tells only a class of lengths.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys._files import read_private, write_private

SEALED: Final = "sealed1."

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_PURPOSE: Final = b"mingjian sealed text 1\x00"
_SMALLEST: Final = 64  # bytes; each class of lengths is twice the one before
_LENGTH_BYTES: Final = 4
_FORM: Final = re.compile(re.escape(SEALED) + r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class PublicSealingKey:
    """An X25519 public key, ``raw`` its 32 bytes. Raises Misuse for another length."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise Misuse("not an X25519 public key", why=f"{len(self.raw)} bytes instead of 32")

    def seal(self, text: str, context: str) -> str:
        """``text`` so that only this key's holder can read it, and only under the same ``context``.

        Never the same twice. Raises Misuse for text that is not Unicode.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError as fault:
            raise Misuse("this text cannot be sealed", why="half a surrogate pair stands in it") from fault
        sealed = _SUITE.encrypt(_padded(data), X25519PublicKey.from_public_bytes(self.raw), _info(context))
        return SEALED + _encoded(sealed)


class SealingKey:
    """The private half. It never shows its secret: only :meth:`save` writes it, for its owner alone."""

    __slots__ = ("_private", "public")

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self.public = PublicSealingKey(private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SealingKey:
        """A new key from the system's randomness."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> SealingKey:
        """The key of a PEM file (PKCS #8). Raises Misuse if it is missing, no such key, or readable by others."""
        private = read_private(path, "sealing key")
        if not isinstance(private, X25519PrivateKey):
            raise Misuse("not a sealing key", why="its algorithm is not X25519", where=str(path))
        return cls(private)

    def save(self, path: Path) -> None:
        """Write the key to a new PEM file of mode 0600, whole or not at all. Raises Misuse if the file exists."""
        write_private(path, self._private, "sealing key")

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed to this key under this context.

        Raises Misuse for what is no sealed text, Tampered if it was sealed to another key or context, or was changed.
        """
        if not is_sealed_text(sealed):
            raise Misuse("not a sealed text", remedy=f"it begins with {SEALED}")
        encoded = sealed.removeprefix(SEALED)
        try:
            data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            if _encoded(data) != encoded:
                raise ValueError("written in another way")
            plain = _SUITE.decrypt(data, self._private, _info(context))
        except (binascii.Error, ValueError, InvalidTag) as fault:
            why = "it was sealed to another key or for another place, or it was changed"
            raise Tampered("this text does not open", why=why) from fault
        size = int.from_bytes(plain[:_LENGTH_BYTES], "big")
        return plain[_LENGTH_BYTES : _LENGTH_BYTES + size].decode()

    def __repr__(self) -> str:
        return f"SealingKey(public={self.public.raw.hex()})"


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The key that is sealed to, and those that were before it: what was sealed to any of them still opens.

    ``keys`` has the present one first. Raises Misuse for none.
    """

    keys: tuple[SealingKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise Misuse("there is no sealing key to open with")

    @property
    def public(self) -> PublicSealingKey:
        """The key to seal to."""
        return self.keys[0].public

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed to one of these keys; raises as `SealingKey.open` does."""
        *newer, oldest = self.keys
        for key in newer:
            try:
                return key.open(sealed, context)
            except Tampered:  # a sealed text does not say to whom
                continue
        return oldest.open(sealed, context)


def is_sealed_text(text: str) -> bool:
    """Whether a text has the form of a sealed one."""
    return _FORM.fullmatch(text) is not None


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _info(context: str) -> bytes:
    return _PURPOSE + context.encode()


def _padded(data: bytes) -> bytes:
    """The length, the data, and zeros up to the next class of lengths."""
    size = _SMALLEST
    while size < _LENGTH_BYTES + len(data):
        size *= 2
    return (len(data).to_bytes(_LENGTH_BYTES, "big") + data).ljust(size, b"\x00")
