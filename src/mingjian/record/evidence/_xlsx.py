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
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True, slots=True)
class SheetError:
    """An error that stands in a cell instead of a value."""

    text: str

    def __str__(self) -> str:
        return self.text


def error_cells(data: bytes, sheet: str) -> dict[tuple[int, int], SheetError]:
    """The cells of a sheet that hold an error, by row and column from 0. ``data`` is a workbook that could be read."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        content = book.read(_sheet_path(book, sheet))
    found = {}
    if b't="e"' in content:
        for attributes, text in _CELL.findall(content):
            if position := _POSITION.search(attributes):
                found[int(position[2]) - 1, _column(position[1])] = SheetError(text.decode())
    return found


def _sheet_path(book: zipfile.ZipFile, name: str) -> str:
    """Where in the archive a sheet lies (ECMA-376 part 1, 18.2.19: the workbook names it, its relations say where)."""
    sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iterfind(".//{*}sheet")
    relation = next(sheet.get(_RELATION) for sheet in sheets if sheet.get("name") == name)
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    target = next(each.get("Target", "") for each in relations if each.get("Id") == relation)
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
