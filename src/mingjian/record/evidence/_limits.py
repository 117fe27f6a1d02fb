"""How much a file may hold: what is larger is refused before it fills the memory of the machine."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from mingjian.base.errors import Finding, MingjianError, Place

LARGEST_FILE: Final = 2**30  # bytes
LARGEST_UNFOLDED: Final = 2**30  # bytes of a workbook's parts, or of a Parquet file's pages, all together
MOST_ROWS: Final = 20_000_000  # of CSV and Parquet, whose cells never stand in memory one by one
MOST_RECORDS: Final = 2**20  # rows of a sheet, lines of JSON
MOST_COLUMNS: Final = 2**14
MOST_CELLS: Final = 2**25  # of a sheet, from its first row and column to its last
LONGEST_TEXT: Final = 2**17  # characters of a cell
MOST_FINDINGS: Final = 100_000
_LISTED: Final = 100  # findings that a refusal for too many shows


def unreadable(place: Place, why: object, remedy: str = "") -> MingjianError:
    """The error that nothing of a file can be read."""
    return MingjianError("cannot read the file", why=str(why), where=place, remedy=remedy)


def want_at_most(place: Place, count: int, most: int, what: str) -> None:
    """Nothing, for a count within its limit. Raises MingjianError beyond it."""
    if count > most:
        raise unreadable(place, f"more than {most:,} {what}", "split it into several files")


def listed(findings: Iterable[Finding], place: Place) -> list[Finding]:
    """All findings as a list. Raises MingjianError, with the first of them, for more than `MOST_FINDINGS`."""
    found = list(islice(findings, MOST_FINDINGS + 1))
    if len(found) > MOST_FINDINGS:
        raise too_many_findings(place, found)
    return found


def too_many_findings(place: Place, first: Iterable[Finding] = ()) -> MingjianError:
    """The error that too much is wrong with a file for each fault to be told."""
    why = f"more than {MOST_FINDINGS:,} of its cells break a rule"
    remedy = "make sure that it is the file you mean, mend it and add it again"
    shown = [*islice(first, _LISTED)]
    return MingjianError("nothing of this file was taken in", why=why, where=place, remedy=remedy, findings=shown)
