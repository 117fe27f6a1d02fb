"""CSV: by Arrow where a file is regular, and otherwise record by record, which is a tenth as fast and says the same."""

from __future__ import annotations

import codecs
import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from mingjian.base.errors import Place
from mingjian.declare import EvidenceType
from mingjian.record.evidence._at_once import is_read_at_once
from mingjian.record.evidence._gather import gathered
from mingjian.record.evidence._grid import Grid, Names, grid_of_columns, is_empty, is_meant
from mingjian.record.evidence._limits import LONGEST_TEXT, MOST_COLUMNS, MOST_ROWS, unreadable, want_at_most

pc: Final[Any] = pyarrow.compute  # its stubs refuse arrays of any type

_FEW: Final = 10  # a damaged UTF-8 file has at least so many good characters for each bad one
_BLOCK: Final = 2**22  # bytes that Arrow reads at a time; no record may be longer
_AROUND: Final = 2**19  # bytes before and after a broken one that say whether a file is UTF-8
_QUOTE: Final = ord('"')
_RETURN: Final = ord("\r")
_END: Final = ord("\n")
# A mark opens a cell, or is the second of two; it closes one, or is the first of two.
_BEFORE: Final = np.frombuffer(b',\n"', np.uint8)
_AFTER: Final = np.frombuffer(b',\r\n"', np.uint8)
_FEW_TEXTS: Final = pa.dictionary(pa.int32(), pa.string())


def read_csv(data: bytes, type: EvidenceType, place: Place) -> Grid:
    """A CSV file in UTF-8 or else GB18030 as a grid. Raises MingjianError for one that would have to be guessed at."""
    text = as_utf8(data, place)
    grid = _at_once(text, type, place)
    if grid is not None:
        return grid
    records = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), strict=True)
    try:
        return gathered(records, 1, MOST_ROWS, type, place)
    except csv.Error as fault:
        raise unreadable(place, fault, "check the quotation marks") from fault


def as_utf8(data: bytes, place: Place) -> bytes:
    """The text of a file in UTF-8 without a mark, which it has in UTF-8 or else in GB18030, decoded strictly.

    Raises MingjianError for any other encoding, and for UTF-8 with a few broken bytes, which GB18030 would read as
    other characters.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise unreadable(place, "it is in UTF-16", "save it as CSV UTF-8")
    try:
        for _ in _decoded(data, "utf-8"):
            pass
        return data.removeprefix(codecs.BOM_UTF8)
    except UnicodeDecodeError as fault:
        where = fault.start
    guess = data[max(0, where - _AROUND) : where + _AROUND].decode("utf-8", errors="replace")
    bad = guess.count("�")
    if len(guess) - len(guess.encode("ascii", "ignore")) - bad > _FEW * bad:
        raise unreadable(place, f"it is UTF-8 but for byte {where}", "save it as CSV UTF-8 again")
    try:
        return b"".join(text.encode() for text in _decoded(data, "gb18030"))
    except UnicodeDecodeError as fault:
        raise unreadable(place, f"neither UTF-8 nor GB18030 (byte {fault.start})", "save it as CSV UTF-8") from fault


def _decoded(data: bytes, encoding: str) -> Iterator[str]:
    """A text piece by piece. Raises UnicodeDecodeError, whose ``start`` is the place in the whole."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _BLOCK):
        kept = len(decoder.getstate()[0])
        try:
            yield decoder.decode(data[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as fault:
            fault.start += start - kept
            raise


def _at_once(text: bytes, type: EvidenceType, place: Place) -> Grid | None:
    """The grid of a file in which each line has as many cells as the header; None for any other."""
    text = text.rstrip(b"\r\n")
    if not _is_regular(text):
        return None
    header = next(csv.reader(io.StringIO(text[:_BLOCK].decode(errors="replace"), newline="")), [])
    if all(map(is_empty, header)) or len(header) > MOST_COLUMNS:
        return None
    names = [str(number) for number in range(len(header))]
    kinds = {name: _kind(heading, type) for name, heading in zip(names, header, strict=True)}
    kept = [name for name, kind in kinds.items() if kind is not None]
    source: Any = pa.BufferReader(text)  # its stubs know of files alone
    try:
        table = pyarrow.csv.read_csv(
            source,
            pyarrow.csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows_after_names=1),
            pyarrow.csv.ParseOptions(newlines_in_values=b'"' in text, ignore_empty_lines=False),
            pyarrow.csv.ConvertOptions(
                check_utf8=False, null_values=[], column_types={n: kinds[n] for n in kept}, include_columns=kept
            ),
        )
    except pa.ArrowInvalid:  # a line is longer or shorter than the others, or has more bytes than a block
        return None
    want_at_most(place, table.num_rows, MOST_ROWS, "rows")
    lines: Sequence[int] = range(2, table.num_rows + 2)
    columns: list[Any] = table.columns
    if any(
        (pc.max(pc.binary_length(text)).as_py() or 0) > LONGEST_TEXT for column in columns for text in _texts(column)
    ):
        return None
    empty = _empty_rows(columns)
    if empty is not None:
        filled = pc.invert(empty)
        columns = [column.filter(filled) for column in columns]
        lines = array("q", np.asarray(pa.array(lines, pa.int64()).filter(filled)).tolist())
    by_name = dict(zip(kept, columns, strict=True))
    return grid_of_columns(header, [by_name.get(name, ()) for name in names], lines, type, place)


def _empty_rows(columns: Sequence[pa.ChunkedArray[Any]]) -> Any | None:
    """Which rows have nothing in any column; None where there are none such."""
    empty: Any = pa.scalar(True)
    for column in columns:
        empty = pc.and_(empty, pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string())), ""))
        if not pc.any(empty).as_py():
            return None
    return empty if columns else None


def _kind(heading: str, type: EvidenceType) -> pa.DataType | None:
    """How a column is read: as texts, as few different texts, or not at all."""
    if not is_meant(heading, type):
        return None
    field = type.fields.get(Names(type).field(heading) or "")
    return pa.string() if field is not None and is_read_at_once(field) else _FEW_TEXTS


def _texts(column: pa.ChunkedArray[Any]) -> Iterator[pa.Array[Any]]:
    for chunk in column.chunks:
        yield chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk


def _is_regular(text: bytes) -> bool:
    """Whether every line has something in it, and every quotation mark stands where RFC 4180 has it."""
    if b"\0" in text:
        return False
    opened = 0  # marks so far
    for start in range(0, len(text), _BLOCK):
        end = start + _BLOCK
        before, after = text[start - 1 : start] or b"\n", text[end : end + 1] or b"\n"
        piece = np.frombuffer(b"".join((before, text[start:end], after)), np.uint8)
        ends, returns = piece == _END, piece[1:-1] == _RETURN
        stray, empty = returns & ~ends[2:], (returns | ends[1:-1]) & ends[:-2]
        if stray.any() or empty.any():
            return False
        marks = np.flatnonzero(piece[1:-1] == _QUOTE) + 1
        opening, closing = marks[opened % 2 :: 2], marks[1 - opened % 2 :: 2]
        if not (np.isin(piece[opening - 1], _BEFORE).all() and np.isin(piece[closing + 1], _AFTER).all()):
            return False
        opened += len(marks)
    return opened % 2 == 0
