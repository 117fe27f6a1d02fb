"""Files that never change under their address: it carries one hash over all of them, so that they find each other too."""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.errors import Misuse

FOLDER: Final = Path(__file__).parent / "static"
FOREVER: Final = "public, max-age=31536000, immutable"
WORTH_PACKING: Final = 1024  # bytes; below, the frame costs more than it saves
SERVED: Final = frozenset({".css", ".js", ".svg", ".png", ".ico", ".woff2"})


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent: plain and, where that is worth it, packed."""

    content: bytes
    packed: bytes
    media: str


class Static:
    """The files of a folder, read once. A path that is not one of theirs leads nowhere, whatever it spells."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.suffix in SERVED}
        contents = {name: path.read_bytes() for name, path in paths.items()}
        edition = sha256(b"".join(sha256(c).digest() for c in contents.values())).hexdigest()[:12]
        self._addresses = {name: f"{edition}/{name}" for name in contents}
        self._files: Final[Mapping[str, File]] = {
            self._addresses[name]: _file(paths[name], content) for name, content in contents.items()
        }

    def address(self, name: str) -> str:
        """The address of a file, by its path in the folder. Raises Misuse where there is none."""
        if name not in self._addresses:
            raise Misuse(f"no static file {name!r}")
        return f"/static/{self._addresses[name]}"

    def respond(self, request: Request, address: str) -> Response | None:
        """The file at an address, or None."""
        file = self._files.get(address)
        if file is None:
            return None
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        if file.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(file.packed, media_type=file.media, headers=headers | {"Content-Encoding": "gzip"})
        return Response(file.content, media_type=file.media, headers=headers)


def _file(path: Path, content: bytes) -> File:
    media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packs = len(content) > WORTH_PACKING and path.suffix in (".css", ".js", ".svg")
    return File(content, gzip.compress(content, 6, mtime=0) if packs else b"", media)
