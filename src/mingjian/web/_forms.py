"""What people send: texts and files of a form, taken only from our own pages."""

from __future__ import annotations

import hmac
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO, Final
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.web._visit import visit_of

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_FIELDS: Final = 5000
MOST_FILES: Final = 200
MOST_TEXT: Final = 256 * 1024  # bytes of one text
MOST_FILE: Final = 25 * 1024 * 1024  # bytes of one file
LONGEST_NAME: Final = 120  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: large ones lie on disk until the request ends. ``name`` has no folders in it."""

    name: str
    size: int
    file: BinaryIO

    def read(self) -> bytes:
        """Its bytes."""
        self.file.seek(0)
        return self.file.read()

    def save(self, path: Path) -> None:
        """Write it to ``path``, a piece at a time."""
        self.file.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(self.file, out)


@dataclass(frozen=True, slots=True)
class Posted:
    """A form as it was sent."""

    sent: FormData

    def text(self, name: str) -> str:
        """A field's text without blanks around it, "" where there is none."""
        return next(iter(self.texts(name)), "")

    def secret(self, name: str) -> str:
        """A field's text exactly as typed: a password may begin with a blank."""
        value = self.sent.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """All texts of a field that stands more than once. Raises HTTPException (400) for control characters."""
        values = tuple(v.replace("\r\n", "\n").strip() for v in self.sent.getlist(name) if isinstance(v, str))
        if any(not c.isprintable() and c not in "\n\t\u200b\u3000\u00a0" for value in values for c in value):
            raise HTTPException(400)
        return values

    def uploads(self, name: str) -> tuple[Upload, ...]:
        """The files of a field, without the empty one that a browser sends where none was chosen.

        Raises HTTPException (413) for one beyond the limit.
        """
        sent = (value for value in self.sent.getlist(name) if isinstance(value, UploadFile))
        return tuple(_upload(one) for one in sent if one.filename or one.size)

    def form(self, *findings: Finding, hide: Sequence[str] = ("csrf",)) -> Form:
        """The texts as they were typed, to be shown again with what was found wrong."""
        names = [name for name in self.sent if name not in hide]
        return Form({name: self.secret(name) for name in names}, findings)


@dataclass(frozen=True, slots=True)
class Form:
    """What a page's fields show: values by field, and findings beside the field they are about."""

    values: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def value(self, name: str, otherwise: str = "") -> str:
        """A field's value."""
        return self.values.get(name, otherwise)

    def at(self, name: str) -> tuple[Finding, ...]:
        """The findings about a field."""
        return tuple(finding for finding in self.findings if finding.place.field == name)

    def beside(self, *names: str) -> tuple[Finding, ...]:
        """The findings about none of these fields."""
        return tuple(finding for finding in self.findings if finding.place.field not in names)


def _upload(sent: UploadFile) -> Upload:
    size = sent.size or 0
    if size > MOST_FILE:
        raise HTTPException(413)
    name = PurePosixPath((sent.filename or "").replace("\\", "/")).name
    return Upload("".join(c for c in name if c.isprintable())[-LONGEST_NAME:] or "file", size, sent.file)


NOTHING: Final = Form()


async def guarded(request: Request) -> AsyncIterator[None]:
    """Take nothing from other sites' pages; the application asks this of every route.

    The browser's own word (Sec-Fetch-Site, Origin) refuses before anything is read; the session's token in the form decides.
    """
    if request.method in SAFE:
        yield
        return
    _same_origin(request)
    form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT)
    try:
        given = form.get("csrf") or request.headers.get("X-CSRF-Token", "")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visit_of(request).csrf.encode()):
            raise HTTPException(403, "foreign")
        yield
    finally:
        await request.close()


def _same_origin(request: Request) -> None:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", "")
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != request.headers.get("Host", "")):
        raise HTTPException(403, "foreign")


async def posted(request: Request) -> Posted:
    """The form of a request; `guarded` has read it."""
    return Posted(await request.form())


Sent = Annotated[Posted, Depends(posted)]


def wanted(form: Posted, *names: str, message: str) -> tuple[Finding, ...]:
    """A finding for each of these fields that is empty."""
    return tuple(Finding("missing", message, Place(field=name)) for name in names if not form.secret(name).strip())


def whole(text: str, what: str) -> int:
    """A whole number that an address or a hidden field carries. Raises Misuse for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Misuse(f"{what} is no whole number", why=text[:40])
    return int(text)
