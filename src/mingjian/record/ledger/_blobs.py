"""Large payloads, each a file named by the SHA-256 of its bytes."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from mingjian.base.errors import Tampered
from mingjian.base.values import sha256


@dataclass(frozen=True, slots=True)
class BlobDirectory:
    """A directory of blobs. A blob is there whole or not at all, and never changes."""

    path: Path

    def put(self, data: bytes) -> str:
        """Keep ``data`` for good, on disk before this returns; gives its name. Writing it twice is no harm."""
        name = sha256(data).hex()
        draft = self.path / f".{secrets.token_hex(16)}"
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path / name)
        finally:
            draft.unlink(missing_ok=True)
        self._sync()
        return name

    def get(self, name: str) -> bytes:
        """The bytes of a blob. Raises Tampered if it is missing or its bytes are no longer those of its name."""
        try:
            data = (self.path / name).read_bytes()
        except OSError as fault:
            raise Tampered(f"blob {name} cannot be read", why=fault.strerror or "") from fault
        if sha256(data).hex() != name:
            raise Tampered(f"blob {name} has other bytes than were written")
        return data

    def _sync(self) -> None:
        """Make a rename in the directory last through a power cut."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
