"""What of a workbook its reader does not tell, looked up before it is read.

The reader (calamine) gives errors, and formulas that were never calculated, as empty cells; it says nothing of what is
hidden; and it holds a sheet as a rectangle from its first cell to its last, so that one cell in the farthest corner would
fill any memory. So the sheet is looked through here as it is unfolded, a piece at a time.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from mingjian.record.evidence._archive import Archive
from mingjian.record.evidence._limits import LARGEST_UNFOLDED, MOST_CELLS, MOST_RECORDS

_LARGEST_DIRECTORY: Final = 2**20  # bytes of a part that says how others belong together
_MOST_REPEATED: Final = 2**29  # bytes of shared texts, each as often as cells name it
_MOST_MERGED: Final = 100_000
_LONGEST_BLOCK: Final = 2**25  # bytes of XML without the end of a row in them
_LAST_ROW, _LAST_COLUMN = 2**20, 2**14

# XML as it is, with whatever prefix and quotation marks; nothing here looks back, nor beyond the next tag.
_TAG: Final = rb"<(?:\w++:)?"
_IS: Final = rb"\s*+=\s*+[\"']"
_CELL: Final = re.compile(
    _TAG + rb"c(?=[\s/>])(?:[^<>]*?\sr" + _IS + rb"([A-Za-z]{1,3})(?:[0-9]{1,6}|10[0-4][0-9]{4})[\"'])?"
)
_PLAIN_CELL: Final = re.compile(rb"<c r=\"([A-Z]{1,3})(?:[0-9]{1,6}|10[0-4][0-9]{4})\"")
_REFERENCE: Final = re.compile(_TAG + rb"c\s[^<>]*?\br" + _IS + rb"[A-Za-z]{1,3}([0-9]{1,7})[\"']")
_WHOLE_CELL: Final = re.compile(
    _TAG + rb"c\b([^<>]*+)>\s*+(?:(" + _TAG + rb"f\b)[^<>]*+>(?:[^<]*+</(?:\w++:)?f\s*+>)?)?\s*+"
    rb"(?:" + _TAG + rb"v\b[^<>]*+>(?:([^<]*+)</(?:\w++:)?v\s*+>)?)?\s*+</(?:\w++:)?c\s*+>"
)
_LINE: Final = re.compile(_TAG + rb"(row|col|sheetFormatPr)\b([^<>]*+)>")
_MERGED: Final = re.compile(
    _TAG + rb"mergeCell\b[^<>]*?\bref" + _IS + rb"([A-Za-z]{1,3})([0-9]{1,7}):([A-Za-z]{1,3})([0-9]{1,7})[\"']"
)
_SHARED_TEXT: Final = re.compile(_TAG + rb"si\b")
_SHARED_CELL: Final = re.compile(rb"\bt" + _IS + rb"s[\"'][^<>]*+>\s*+" + _TAG + rb"v\b[^<>]*+>\s*+([0-9]{1,9})")
_PLACE: Final = re.compile(rb"\br" + _IS + rb"([A-Za-z]{1,3})([0-9]{1,7})[\"']")
_KIND: Final = re.compile(rb"\bt" + _IS + rb"(\w++)")
_NUMBERS: Final = {name: re.compile(rb"\b%b%b([0-9]{1,7})[\"']" % (name, _IS)) for name in (b"r", b"min", b"max")}
_HIDDEN: Final = re.compile(
    rb"\s(?:(?:hidden|zeroHeight)" + _IS + rb"(?:1|true)|(?:ht|width)" + _IS + rb"0*+(?:\.[0-9]*+)?[\"'])"
)
_HIDING: Final = (b"hidden", b"zeroHeight", b"ht", b"width")
_BELONGS: Final = re.compile(r"(?:/xl/)?(?!xl/|/)(?:[\w .-]+/)*[\w .-]+")


@dataclass(frozen=True, slots=True)
class SheetError:
    """An error that stands in a cell instead of a value."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass
class Sheet:
    """What is to be known of a sheet besides its values; rows and columns are counted from 1, as people count them.

    ``errors`` stand in cells that seem empty, by row and column. ``hidden_columns`` and ``merged`` (top, left, bottom, right)
    have their first and last. ``day_zero`` is the day from which the workbook counts.
    """

    name: str
    day_zero: datetime
    errors: dict[tuple[int, int], SheetError] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    all_hidden: bool = False
    cells: int = 0
    columns: set[bytes] = field(default_factory=set)

    def columns_used(self) -> list[tuple[int, str]]:
        """The columns that have cells, by number, with their letters."""
        return sorted((_column(letters), letters.decode().upper()) for letters in self.columns)

    def look(self, block: bytes) -> None:
        """Take note of what a piece of the sheet says. Raises ValueError for what nobody could hold, or find."""
        found = _PLAIN_CELL.findall(block)
        if block.count(b"<c") > len(found) or b":c" in block:  # there are others, or other things whose names begin so
            found = _CELL.findall(block)
        self.cells += len(found)
        self.columns.update(found)
        if self.cells > MOST_CELLS:
            raise ValueError(f"it has more than {MOST_CELLS:,} cells")
        if b"" in self.columns:
            raise ValueError("one of its cells does not say where it stands")
        if b"<f" in block or b":f" in block or b'"e"' in block or b"'e'" in block:
            self.errors.update(_errors(block))
        if any(word in block for word in _HIDING):
            self._hide(block)
        if b"mergeCell" in block:
            self.merged += [
                (int(top), _column(left), int(bottom), _column(right))
                for left, top, right, bottom in _MERGED.findall(block)
            ]
            if len(self.merged) > _MOST_MERGED:
                raise ValueError(f"more than {_MOST_MERGED:,} of its ranges are merged")

    def _hide(self, block: bytes) -> None:
        for kind, attributes in _LINE.findall(block):
            if not _HIDDEN.search(attributes):
                continue
            first, last = (
                _NUMBERS[name].search(attributes) for name in ((b"r", b"r") if kind == b"row" else (b"min", b"max"))
            )
            if first is None or last is None:
                self.all_hidden = True  # every row that says nothing else, or one that does not say which it is
            elif kind == b"row":
                self.hidden_rows.add(int(first[1]))
            else:
                self.hidden_columns.append((int(first[1]), int(last[1])))


def look_into(data: bytes, name: str) -> Sheet:
    """What is to be known of a sheet of a workbook, the first one without ``name``.

    Raises ValueError for what is no workbook, or none that can be read in the memory there is, KeyError for a name that it
    does not have.
    """
    archive = Archive(data)
    if any(part.casefold().endswith("vbaproject.bin") for part in archive.parts):
        raise ValueError("it holds macros")
    try:
        sheet, path = _sheet(archive, name)
    except ElementTree.ParseError as fault:
        raise ValueError(f"its directory is damaged: {fault}") from fault
    left = archive.check(LARGEST_UNFOLDED, besides=path)
    for block in _blocks(archive.unfolded(path, left)):
        sheet.look(block)
    _want_holdable(archive, path, sheet)
    return sheet


def _sheet(archive: Archive, name: str) -> tuple[Sheet, str]:
    """A sheet, and the part that it is (ECMA-376 part 1, 18.2.19: the workbook names it, its relations say where)."""
    workbook, relations = (_directory(archive, part) for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    sheets = workbook.findall(".//{*}sheet")
    names = [each.get("name", "") for each in sheets]
    if len({*names}) < len(names) or len(targets) < len(relations):
        raise ValueError("two of its sheets have one name")
    if not names:
        raise ValueError("it has no sheet")
    name = name or names[0]
    if name not in names:
        raise KeyError(*names)
    sheet = sheets[names.index(name)]
    if sheet.get("state", "visible") != "visible":
        raise ValueError(f"its sheet {name} is hidden")
    # The attribute is r:id, in either of the two namespaces that the standard has for r.
    relation = next((value for key, value in sheet.items() if key.endswith("}id")), None)
    target = targets.get(relation, "")
    if not _BELONGS.fullmatch(target) or ".." in target:
        raise ValueError(f"its sheet {name} is in no part of it")
    properties = workbook.find(".//{*}workbookPr")
    from_1904 = properties is not None and properties.get("date1904", "0") in ("1", "true")
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return Sheet(name, datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)), path


def _directory(archive: Archive, name: str) -> ElementTree.Element:
    content = archive.part(name, _LARGEST_DIRECTORY)
    if b"<!" in content.replace(b"<!--", b""):  # no workbook declares entities, or needs to
        raise ValueError(f"its part {name} has a declaration")
    return ElementTree.fromstring(content)


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A sheet in runs of whole rows. Raises ValueError for a row that does not end."""
    rest: list[bytes] = []
    for piece in pieces:
        end = max(piece.rfind(b"</row>"), piece.rfind(b":row>"))
        if end < 0:
            rest.append(piece)
            if sum(map(len, rest)) > _LONGEST_BLOCK:
                raise ValueError(f"one of its rows has more than {_LONGEST_BLOCK >> 20} MiB")
        else:
            yield b"".join([*rest, piece[:end]])
            rest = [piece[end:]]
    yield b"".join(rest)


def _errors(block: bytes) -> Iterator[tuple[tuple[int, int], SheetError]]:
    """The cells with an error, and those with a formula and no value."""
    for attributes, formula, value in _WHOLE_CELL.findall(block):
        kind = _KIND.search(attributes)
        if kind is not None and kind[1] == b"e":
            text = value.decode("utf-8", "replace")
        elif formula and not value.strip() and (kind is None or kind[1] != b"str"):
            text = "a formula without its value"
        else:
            continue
        if place := _PLACE.search(attributes):
            yield (int(place[2]), _column(place[1])), SheetError(text)


def _want_holdable(archive: Archive, path: str, sheet: Sheet) -> None:
    """Raises ValueError where the reader would need more memory for a sheet than the sheet is worth."""
    width = max(map(_column, sheet.columns), default=0)
    if width > _LAST_COLUMN:
        raise ValueError("one of its cells stands beyond the last column")
    if width * MOST_RECORDS > MOST_CELLS:
        blocks = _blocks(archive.unfolded(path, LARGEST_UNFOLDED))
        height = max((int(row) for block in blocks for row in _REFERENCE.findall(block)), default=0)
        if width * height > MOST_CELLS:
            raise ValueError(f"its cells lie far apart: {height:,} rows by {width:,} columns")
    shared = next((name for name in archive.parts if name.casefold() == "xl/sharedstrings.xml"), None)
    if shared is not None:
        lengths = _text_lengths(archive.part(shared, LARGEST_UNFOLDED))
        if sheet.cells * max(lengths, default=0) > _MOST_REPEATED:
            used: Counter[int] = Counter()
            for block in _blocks(archive.unfolded(path, LARGEST_UNFOLDED)):
                used.update(map(int, _SHARED_CELL.findall(block)))
            if sum(times * lengths[text] for text, times in used.items() if text < len(lengths)) > _MOST_REPEATED:
                raise ValueError(f"its texts come to more than {_MOST_REPEATED >> 20} MiB")


def _text_lengths(shared: bytes) -> list[int]:
    """How many bytes each shared text takes, at most."""
    starts = [found.start() for found in _SHARED_TEXT.finditer(shared)]
    return [end - start for start, end in zip(starts, [*starts[1:], len(shared)], strict=True)]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
