"""One call of Typst: text in, bytes out, errors in our own shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import typst

from mingjian.base.errors import Fault
from mingjian.base.values import canonical

PACKAGES: Final = Path(__file__).parent / "packages"


def draw(
    template: str | Path,
    data: Mapping[str, Any],
    fonts: typst.Fonts,
    *,
    at: datetime,
    form: Literal["pdf", "png"],
    ppi: float | None = None,
) -> list[bytes]:
    """The drawn files: one PDF/A-2u, or one PNG a page. A text reads no file but our packages, a file its own folder.

    PDF/A-2u wants a glyph and a code point for all that is drawn: that standard turns Typst's silent blanks into errors.
    Raises Fault with Typst's own diagnostics.
    """
    if isinstance(template, Path):
        source, root, where = template.read_bytes(), template.parent, str(template)
    else:
        source, root, where = template.encode(), PACKAGES, "template"
    try:
        compiler = typst.Compiler(
            source,
            root=str(root),
            font_paths=fonts,
            sys_inputs={"data": canonical(dict(data)).decode()},
            package_path=str(PACKAGES),
        )
        drawn = compiler.compile(
            format=form, ppi=ppi, timestamp=int(at.timestamp()), pdf_standards=["a-2u"] if form == "pdf" else []
        )
    except typst.TypstError as fault:
        raise Fault("the document cannot be drawn", why=fault.diagnostic or fault.message, where=where) from fault
    if isinstance(drawn, bytes):
        return [drawn]
    return drawn or []
