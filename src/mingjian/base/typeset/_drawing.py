"""One call of Typst: a template and data in, bytes out, errors in our own shape, nothing ever fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import typst

from mingjian.base.errors import Fault

PACKAGES: Final = Path(__file__).parent / "packages"

# Typst fetches a package that it does not find. Nothing here may reach for a network, so a text that names one is refused.
_FOREIGN: Final = re.compile(r'"@(?!mingjian/)[A-Za-z][^"\n]*"')


def compiler(template: str | Path, fonts: typst.Fonts) -> typst.Compiler:
    """A compiler for one template: a file, which may be changed meanwhile and drawn again, or a text, to be drawn once.

    A text reads no file but our packages, a file its own folder. Only one thread at a time may use it.
    """
    if isinstance(template, Path):
        return typst.Compiler(str(template), root=str(template.parent), font_paths=fonts, package_path=str(PACKAGES))
    return typst.Compiler(template.encode(), root=str(PACKAGES), font_paths=fonts, package_path=str(PACKAGES))


def draw(
    template: str | Path,
    data: Mapping[str, Any],
    compiler: typst.Compiler,
    *,
    at: datetime,
    form: Literal["pdf", "png"],
    ppi: float | None = None,
) -> list[bytes]:
    """The drawn files: one PDF/A-2b, or one PNG a page.

    PDF/A wants a glyph for all that is drawn: that standard turns Typst's silent blanks into errors. Raises Fault with
    Typst's own diagnostics, and for a template that wants a package of others.
    """
    where = str(template) if isinstance(template, Path) else "template"
    _own_packages(template, where)
    try:
        drawn = compiler.compile(
            format=form,
            ppi=ppi,
            sys_inputs={"data": orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()},
            timestamp=int(at.timestamp()),
            pdf_standards=["a-2b"] if form == "pdf" else [],
        )
    except typst.TypstError as fault:
        raise Fault("the document cannot be drawn", why=fault.diagnostic or fault.message, where=where) from fault
    if isinstance(drawn, bytes):
        return [drawn]
    return drawn or []


def _own_packages(template: str | Path, where: str) -> None:
    files = sorted(template.parent.rglob("*.typ")) if isinstance(template, Path) else []
    sources = {str(file): file.read_text("utf-8") for file in files} if files else {where: str(template)}
    for name, source in sources.items():
        if found := _FOREIGN.search(source):
            raise Fault(
                "a template wants a package that is not here",
                why=f"{found[0]} would have to be fetched, and nothing is",
                where=name,
                remedy="copy what it needs into the folder of the template",
            )
