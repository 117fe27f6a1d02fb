"""Attachments: files that people hand in as proof. Their bytes lie beside the ledger, their digest stands in it.

What is taken is bounded and looked into: a file must be what its name says, hold no script, and unfold to no more than a
reader can hold. It is still a stranger's file: whoever serves it says so to the browser.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from mingjian.base.errors import Finding, MingjianError, Misuse, Place, Tampered
from mingjian.base.files import drafting

ATTACHMENTS: Final = "attachments"  # their folder in a workspace
LARGEST: Final = 25 * 1024 * 1024  # bytes
LARGEST_UNFOLDED: Final = 200 * 1024 * 1024
MOST_MEMBERS: Final = 10_000
LONGEST_NAME: Final = 120
_CHUNK: Final = 1 << 16
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

# Names in a PDF that run something, open something or carry another file (ISO 32000-1, 12.6.4, 7.11.4).
_PDF_ACTIVE: Final = re.compile(
    rb"/(JavaScript|JS|Launch|EmbeddedFiles?|OpenAction|AA|RichMedia|XFA|SubmitForm|ImportData)\b"
)
_PDF_OBJECTS: Final = re.compile(rb"/ObjStm\b[^>]*>>\s*stream\r?\n")
_PDF_NAME_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as kept: its name (without a path), media type, size in bytes and SHA-256 in hexadecimal."""

    name: str
    media: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Kind:
    media: str
    begins: tuple[bytes, ...]
    fault: Callable[[Path], str] = lambda _: ""


class Attachments:
    """The attachments of a workspace: one file a digest, under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, content: BinaryIO) -> Attachment:
        """Keep a file. The same bytes again take no more room.

        Raises MingjianError with a Finding for a file that is empty, too large, of another kind than those taken, not what
        its name says, or active; as `drafting` does where there is no room.
        """
        clean = clean_name(name)
        kind = _KINDS.get(Path(clean).suffix.lower())
        if kind is None:
            raise _refused(clean, "unknown-kind", "no file of this kind is taken", f"hand in {', '.join(_KINDS)}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with drafting(self.folder, clean) as draft:
            draft.unlink(missing_ok=True)  # left by somebody who died over it
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                size, digest = _copy(clean, content, file)
                file.flush()
                os.fsync(file.fileno())
            if fault := _fault(draft, kind, size):
                raise _refused(clean, "unfit-file", fault, "hand in another file")
            target = self._path(digest)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            draft.replace(target)
        return Attachment(clean, kind.media, size, digest)

    def read(self, sha256: str) -> bytes:
        """The bytes of that digest. Raises Misuse where there are none, Tampered where they are others."""
        if not _DIGEST.fullmatch(sha256) or not self._path(sha256).is_file():
            raise Misuse("there is no such attachment")
        content = self._path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Tampered("an attachment is not what was handed in", where=sha256, remedy="restore it from a backup")
        return content

    def drop(self, sha256: str) -> None:
        """Delete the bytes of that digest, once the rows that named it were erased. Doing it twice is no harm."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256


def clean_name(name: str) -> str:
    """A file's name without folders and without characters that hide or reorder what it says; shortened from the left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(". ")
    return shown[-LONGEST_NAME:] or "attachment"


def _copy(name: str, content: BinaryIO, file: BinaryIO) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while chunk := content.read(_CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise _refused(name, "too-large", f"more than {LARGEST >> 20} MiB", "hand in a smaller file")
        digest.update(chunk)
        file.write(chunk)
    return size, digest.hexdigest()


def _fault(path: Path, kind: _Kind, size: int) -> str:
    if not size:
        return "the file is empty"
    with path.open("rb") as file:
        head = file.read(16)
    if kind.begins and not head.startswith(kind.begins):
        return "the file is not of the kind that its name says"
    return kind.fault(path)


def _pdf_fault(path: Path) -> str:
    content = path.read_bytes()
    left = LARGEST_UNFOLDED
    for part in chain([content], _unfolded(content)):
        left -= len(part)
        if left < 0:
            return f"the file unfolds to more than {LARGEST_UNFOLDED >> 20} MiB"
        names = _PDF_NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), part)
        if found := _PDF_ACTIVE.search(names):
            return f"the PDF holds something active ({found[0].decode()})"
    return "the PDF is encrypted, so nobody can look into it" if b"/Encrypt" in content else ""


def _unfolded(content: bytes) -> Iterator[bytes]:
    """The object streams of a PDF, in which dictionaries may be compressed (ISO 32000-1, 7.5.7)."""
    for found in _PDF_OBJECTS.finditer(content):
        try:
            yield zlib.decompressobj().decompress(content[found.end() :], LARGEST_UNFOLDED + 1)
        except zlib.error:
            continue


def _zip_fault(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as fault:
        return f"the file cannot be opened ({fault})"
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_UNFOLDED:
        return f"the file unfolds to more than {LARGEST_UNFOLDED >> 20} MiB"
    if any(member.filename.lower().endswith("vbaproject.bin") for member in members):
        return "the document holds macros"
    return ""


def _text_fault(path: Path) -> str:
    content = path.read_bytes()
    for coding in ("utf-8", "gb18030"):
        try:
            return "the file holds no text" if "\0" in content.decode(coding) else ""
        except UnicodeDecodeError:
            continue
    return "the file holds no text in UTF-8 or GB18030"


def _refused(name: str, rule: str, message: str, remedy: str) -> MingjianError:
    finding = Finding(rule, message, Place(name), remedy=remedy)
    return MingjianError("this attachment was not taken", why=message, where=name, remedy=remedy, findings=[finding])


_OPENXML: Final = "application/vnd.openxmlformats-officedocument."
_KINDS: Final = {
    ".pdf": _Kind("application/pdf", (b"%PDF-",), _pdf_fault),
    ".png": _Kind("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": _Kind("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": _Kind("image/jpeg", (b"\xff\xd8\xff",)),
    ".docx": _Kind(f"{_OPENXML}wordprocessingml.document", (b"PK\x03\x04",), _zip_fault),
    ".xlsx": _Kind(f"{_OPENXML}spreadsheetml.sheet", (b"PK\x03\x04",), _zip_fault),
    ".csv": _Kind("text/csv", (), _text_fault),
    ".txt": _Kind("text/plain", (), _text_fault),
}


def kinds() -> Iterator[str]:
    """The endings of the files that are taken."""
    return iter(_KINDS)
