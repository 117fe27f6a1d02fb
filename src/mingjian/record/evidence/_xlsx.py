"""The cells of a workbook that hold an error (#N/A, #DIV/0!), which its reader gives as empty ones."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*\bt=\"e\"[^>]*)>.*?<(?:\w+:)?v>([^<]*)<", re.DOTALL)
_POSITION: Final = re.compile(rb"\br=\"([A-Z]{1,3})([0-9]{1,7})\"")


@dataclass(frozen=True, slots=True)
class SheetError:
    """An error that stands in a cell instead of a value."""

    text: str

    def __str__(self) -> str:
        return self.text


def error_cells(data: bytes, sheet: str) -> dict[tuple[int, int], SheetError]:
    """The cells of a sheet that hold an error, by row and column from 0. Raises ValueError for what is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            content = book.read(_sheet_path(book, sheet))
    except (KeyError, zipfile.BadZipFile, ElementTree.ParseError) as fault:
        raise ValueError(str(fault)) from fault
    found = {}
    if b't="e"' in content:
        for attributes, text in _CELL.findall(content):
            if position := _POSITION.search(attributes):
                found[int(position[2]) - 1, _column(position[1])] = SheetError(text.decode())
    return found


def _sheet_path(book: zipfile.ZipFile, name: str) -> str:
    """Where in the archive a sheet lies (ECMA-376 part 1, 18.2.19: the workbook names it, its relations say where)."""
    workbook = ElementTree.fromstring(book.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for sheet in workbook.iterfind(".//{*}sheet"):
        if sheet.get("name") == name:
            # The attribute is r:id, in either of the two namespaces that the standard has for r.
            relation = next((value for key, value in sheet.items() if key.endswith("}id")), None)
            return posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).lstrip("/")
    raise ValueError(f"no sheet {name!r} in the workbook")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
