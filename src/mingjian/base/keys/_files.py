"""Private keys in PEM files (PKCS #8) that their owner alone can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from mingjian.base.errors import Misuse
from mingjian.base.files import keep_names

Private: TypeAlias = Ed25519PrivateKey | X25519PrivateKey


def read_private(path: Path, what: str) -> object:
    """The key in a file, ``what`` naming it in errors. Raises Misuse if it is missing, no key, or readable by others."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read()
    except OSError as fault:
        raise Misuse(f"cannot read the {what}", why=fault.strerror or "", where=str(path)) from fault
    if mode & 0o077:
        raise Misuse(f"the {what} is open to others", why=f"mode {mode:o}", where=str(path), remedy=f"chmod 600 {path}")
    try:
        return load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise Misuse(f"not a {what}", why="no unencrypted PEM key in it", where=str(path)) from fault


def write_private(path: Path, private: Private, what: str) -> None:
    """Write a key to a new file of mode 0600, whole or not at all. Raises Misuse if the file exists."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)  # unlike a rename, refuses to replace a key that is there
        keep_names(path.parent)
    except FileExistsError as fault:
        raise Misuse("a key is never overwritten", where=str(path), remedy="choose another path") from fault
    except OSError as fault:
        raise Misuse(f"cannot write the {what}", why=fault.strerror or "", where=str(path)) from fault
    finally:
        draft.unlink(missing_ok=True)
