"""Documents from templates: the same data and the same time give the same bytes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from mingjian.base.errors import Misuse
from mingjian.base.typeset._drawing import compiler, draw
from mingjian.base.typeset._fonts import check_fonts, missing_glyphs


class Typesetter:
    """Draws Typst templates with the fonts of the system and of the folders ``font_paths``.

    A template is a file, or its text. It imports our look with ``#import "@mingjian/house:1.0.0": *``, finds what it is
    given as ``data``, and reads no file outside its own folder. Many threads may draw with one typesetter, each on a core
    of its own: Typst does not hold Python's lock. Making one takes half a second, drawing a page some 40 ms.

    Raises MingjianError if the fonts do not cover Chinese.
    """

    def __init__(self, font_paths: Sequence[Path] = ()) -> None:
        self._fonts = typst.Fonts(font_paths=[str(path) for path in font_paths])
        self._own = threading.local()
        check_fonts(self._fonts)

    def pdf(self, template: str | Path, data: Mapping[str, Any], *, at: datetime) -> bytes:
        """The document as PDF/A-2b dated ``at``.

        Raises Fault if the template does not compile, wants a package of others or a character has no glyph, Misuse if
        ``at`` has no zone or the file is missing.
        """
        _require(template, at)
        return draw(template, data, self._compiler(template), at=at, form="pdf")[0]

    def png(self, template: str | Path, data: Mapping[str, Any], *, at: datetime, ppi: float = 144) -> list[bytes]:
        """The document's pages as pictures; raises as :meth:`pdf` does, but leaves a blank where a glyph is missing."""
        _require(template, at)
        return draw(template, data, self._compiler(template), at=at, form="png", ppi=ppi)

    def missing_glyphs(self, text: str) -> set[str]:
        """The characters of ``text`` that no document can show."""
        return missing_glyphs(text, self._fonts)

    def _compiler(self, template: str | Path) -> typst.Compiler:
        """This thread's compiler for a template: it keeps what it has parsed, and serves no two threads at once."""
        if not isinstance(template, Path):
            return compiler(template, self._fonts)
        known: dict[Path, typst.Compiler] = self._own.__dict__.setdefault("compilers", {})
        if template not in known:
            known[template] = compiler(template, self._fonts)
        return known[template]


def _require(template: str | Path, at: datetime) -> None:
    if at.tzinfo is None:
        raise Misuse("the document's time has no zone", why=str(at), remedy="give an aware datetime")
    if isinstance(template, Path) and not template.is_file():
        raise Misuse("no such template", where=str(template))
