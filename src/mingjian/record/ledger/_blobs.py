"""Large payloads, each a file or an object named by the SHA-256 of its bytes: in a directory, or on S3.

Blobs are written before the transaction that names them, and never change. One that no entry names (its writer died in
between) is never read. It is left where it is: whoever deleted it might do so between a writer who finds it there and the
entry that names it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from mingjian.base.errors import MingjianError, Misuse, Tampered
from mingjian.base.files import keep_names
from mingjian.base.values import sha256

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_RESTORE: Final = "restore it from a copy: `mingjian restore`"


class Blobs(Protocol):
    """A place for blobs. A blob is there whole or not at all.

    Every method raises MingjianError where the place cannot be reached or refuses: that says nothing of any blob.
    """

    @property
    def where(self) -> str:
        """The place, as `blobs_at` takes it."""

    def create(self) -> None:
        """Make the place ready for a new ledger. Raises Misuse where it holds blobs: each ledger has a place of its own."""

    def put(self, data: bytes) -> str:
        """Keep ``data`` for good, out of the writer's memory before this returns; gives its name. Writing it twice is no harm."""

    def get(self, name: str, entry: str = "") -> bytes:
        """The bytes of a blob. Raises Tampered, naming it and its ``entry``, where it is missing, cut or altered."""

    def names(self) -> Iterator[str]:
        """The names of all blobs that are there, in no order."""


def blobs_at(where: str | Path) -> Blobs:
    """The blobs in a directory (a path, or a ``file:`` URL) or on S3 (``s3://bucket/prefix``). Touches nothing yet.

    Endpoint, region and credentials for S3 are those of the AWS environment or configuration files. Raises Misuse for any
    other place, and where the extra for S3 is not installed.
    """
    text = str(where)
    if "://" not in text:
        return BlobDirectory(Path(where))
    url = urlsplit(text)
    if url.query or url.fragment or "@" in url.netloc:
        raise _no_place(text, "credentials and options stand in the AWS environment, never in the URL")
    if url.scheme == "file" and url.netloc in ("", "localhost") and url.path:
        return BlobDirectory(Path(unquote(url.path)))
    if url.scheme == "s3" and url.netloc:
        return BlobObjects(url.netloc, url.path.strip("/"))
    raise _no_place(text, "")


def _no_place(where: str, why: str) -> Misuse:
    return Misuse("no place for blobs", why=why, where=where, remedy="give a directory, or s3://bucket/prefix")


def _checked(data: bytes, name: str, entry: str) -> bytes:
    if sha256(data).hex() != name:
        why = f"{len(data)} bytes are there"
        raise Tampered(f"blob {name} has other bytes than were written", why=why, where=entry, remedy=_RESTORE)
    return data


def _missing(name: str, entry: str) -> Tampered:
    return Tampered(f"blob {name} is missing", where=entry, remedy=_RESTORE)


def _want_empty(blobs: Blobs) -> None:
    if next(blobs.names(), None) is not None:
        why = "each ledger has a place of its own"
        raise Misuse("there are blobs already", why=why, where=blobs.where, remedy="choose another place")


# -- a directory --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BlobDirectory:
    """Blobs as files of one directory; what `put` returned outlasts a power cut."""

    path: Path

    @property
    def where(self) -> str:
        """The directory."""
        return str(self.path)

    def create(self) -> None:
        """See `Blobs.create`."""
        with self._reached("no blobs can be kept here"):
            self.path.mkdir(parents=True, exist_ok=True)
        _want_empty(self)

    def put(self, data: bytes) -> str:
        """See `Blobs.put`."""
        name = sha256(data).hex()
        draft = self.path / f".{secrets.token_hex(16)}"
        with self._reached("a blob could not be written"):
            try:
                with draft.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(self.path / name)
            finally:
                draft.unlink(missing_ok=True)
            keep_names(self.path)
        return name

    def get(self, name: str, entry: str = "") -> bytes:
        """See `Blobs.get`."""
        with self._reached(f"blob {name} could not be read"):
            try:
                data = (self.path / name).read_bytes()
            except FileNotFoundError as fault:
                raise _missing(name, entry) from fault
        return _checked(data, name, entry)

    def names(self) -> Iterator[str]:
        """See `Blobs.names`."""
        with self._reached("the blobs could not be listed"):
            yield from (file.name for file in self.path.iterdir() if _NAME.fullmatch(file.name))

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            remedy = "make room, or mend the disk or its permissions, and try again"
            raise MingjianError(what, why=fault.strerror or str(fault), where=str(self.path), remedy=remedy) from fault


# -- S3 -----------------------------------------------------------------------------------------------------------------
class BlobObjects:
    """Blobs as objects of one bucket, under a prefix.

    A write asks that nothing of its name be there (``If-None-Match: *``): no object is ever replaced, not even by the same
    bytes, so that a bucket may forbid to.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        try:
            from botocore.exceptions import BotoCoreError
            from s3fs import S3FileSystem
            from s3fs.core import S3_RETRYABLE_ERRORS
        except ImportError as fault:
            remedy = "`pip install mingjian[s3]`"
            raise Misuse("blobs on S3 need s3fs", why=str(fault), where=f"s3://{bucket}", remedy=remedy) from fault
        self._root = f"{bucket}/{prefix}" if prefix else bucket
        self._faults: tuple[type[Exception], ...] = (OSError, BotoCoreError, *S3_RETRYABLE_ERRORS)
        # One connection a blob: whoever reads many at once is many threads. Listings are never from memory.
        self._files: Any = S3FileSystem(use_listings_cache=False, max_concurrency=1)

    @property
    def where(self) -> str:
        """The URL."""
        return f"s3://{self._root}"

    def create(self) -> None:
        """See `Blobs.create`. The bucket must be there: who may make buckets is not who keeps evidence in them."""
        _want_empty(self)

    def put(self, data: bytes) -> str:
        """See `Blobs.put`. Raises Tampered where an object of that name has other bytes."""
        name = sha256(data).hex()
        with self._reached("a blob could not be written"):
            try:
                self._files.pipe_file(self._key(name), data, mode="create")
                return name
            except FileExistsError:
                pass
        self.get(name)  # what is there is what the next reader gets
        return name

    def get(self, name: str, entry: str = "") -> bytes:
        """See `Blobs.get`."""
        with self._reached(f"blob {name} could not be read"):
            try:
                data: bytes = self._files.cat_file(self._key(name))
            except FileNotFoundError as fault:
                if _code(fault) != "NoSuchKey":  # the bucket is not there, which says nothing of what was in it
                    raise
                raise _missing(name, entry) from fault
        return _checked(data, name, entry)

    def names(self) -> Iterator[str]:
        """See `Blobs.names`."""
        with self._reached("the blobs could not be listed"):
            found = self._files.find(self._root)
        last = (path.rpartition("/") for path in found)
        yield from (name for folder, _, name in last if folder == self._root and _NAME.fullmatch(name))

    def _key(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._faults as fault:
            remedy = (
                "see to the network, and to endpoint, credentials and bucket in the AWS environment; then try again"
            )
            raise MingjianError(what, why=str(fault), where=self.where, remedy=remedy) from fault


def _code(fault: BaseException) -> str:
    """The error code with which S3 answered, "" where it did not."""
    answer = getattr(fault.__cause__, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))
