"""Who read what: a second ledger, whose head is anchored in the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa

from mingjian.base.errors import Finding, Misuse, Place
from mingjian.base.keys import SigningKey
from mingjian.record.access._read_index import Read, ReadIndex, mended
from mingjian.record.ledger import Batch, Entry, Ledger, LedgerState

READ: Final = "read"
ANCHOR: Final = "anchor"
KEY: Final = "key.pem"
INDEX: Final = "index.db"


def _schema(**columns: Any) -> pa.Schema:
    return pa.schema(columns)


_READ_SCHEMA: Final = _schema(
    account=pa.string(),
    role=pa.string(),
    what=pa.string(),
    subject=pa.string(),
    period=pa.string(),
    at=pa.timestamp("us", tz="UTC"),
)
_ANCHOR_SCHEMA: Final = _schema(origin=pa.string(), day=pa.date32(), size=pa.int64(), root=pa.string())


@dataclass(slots=True)
class _Ticket:
    """What one caller waits to see written."""

    reads: Sequence[Read]
    written: bool = False


class ReadLog:
    """The log of who read what, in a folder of its own: a ledger with salted rows, its key, and an index to find them by.

    Many threads may `note` at once: they queue, and whoever comes to write takes along all that wait, so that one append
    serves many. Other processes may write to the same folder.

    A folder without a log gets one, for its owner alone, under a new key after which it is named: who puts another log in
    its place cannot give it the name that was anchored. ``clock`` gives the time with its zone. Raises Misuse where the log is
    there and its key is not.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self.ledger = _ledger(folder, clock)
        self._folder, self._clock = folder, clock
        self._waiting: list[_Ticket] = []
        self._door = Lock()  # of the list of those who wait; held for moments
        self._pen = Lock()  # of whoever writes

    @classmethod
    def existing(cls, folder: Path, clock: Callable[[], datetime]) -> ReadLog | None:
        """The log in a folder, None where there is none."""
        return cls(folder, clock) if _is_log(folder) else None

    @cached_property
    def _index(self) -> ReadIndex:
        return ReadIndex(self._folder / INDEX)

    # -- writing ----------------------------------------------------------------------------------------------------------
    def note(self, account: str, role: str, what: str, subject: str, period: str = "") -> None:
        """Keep that somebody reads something; it is on disk when this returns. Call it before the thing is shown."""
        self.note_each(account, role, what, (subject,), period)

    def note_each(self, account: str, role: str, what: str, subjects: Collection[str], period: str = "") -> None:
        """`note` for each of several subjects that stand on one page or in one file; all of them, or none.

        Raises Misuse for text that is no Unicode.
        """
        at = self._clock().astimezone(UTC)
        ticket = _Ticket([Read(account, role, what, subject, period, at) for subject in subjects])
        for text in (account, role, what, period, *subjects):
            _check_text(text)  # here, since a row that cannot be written would hold up those of others
        if not ticket.reads:
            return
        with self._door:
            self._waiting.append(ticket)
        with self._pen:
            if not ticket.written:
                self._write_with(ticket)

    def _write_with(self, own: _Ticket) -> None:
        """Write all that waits. If that fails, the others wait on, and each tries when its turn comes."""
        with self._door:
            taken, self._waiting = self._waiting, []
        reads = [read for ticket in taken for read in ticket.reads]
        try:
            entry = self.ledger.append(Batch(READ, "", self.ledger.origin, _table(reads)))
            for ticket in taken:
                ticket.written = True
        finally:
            with self._door:
                self._waiting[:0] = [ticket for ticket in taken if not ticket.written and ticket is not own]
        self._index.add(entry.index, reads)

    # -- reading ----------------------------------------------------------------------------------------------------------
    def rows(self, *, subject: str | None = None, account: str | None = None, limit: int = 100) -> tuple[Read, ...]:
        """The latest reads (about a subject, by an account), newest first."""
        self._index.catch_up(self.ledger.state())
        exactly = {name: value for name, value in (("subject", subject), ("account", account)) if value is not None}
        return self._index.rows(limit, **exactly)

    def mend_index(self) -> tuple[str, str]:
        """The canonical digest of the index made anew, and what was wrong with the one that was there, "" for nothing.

        What was wrong is put right. Nobody of this process may have the log open.
        """
        return mended(self._folder / INDEX, self.ledger)

    # -- the main ledger vouches for it -------------------------------------------------------------------------------------
    def anchor(self, main: Ledger, day: date) -> Entry | None:
        """Write the head of this log into the main ledger: an entry ``anchor`` of one row (origin, day, size, root in hex).

        At most one a day, also when several ask at once; None where the last is of ``day``, or nothing was read since. One of a
        later day holds up none: a clock that was ahead once must not leave reads without an anchor until its day has come.
        """
        state = self.ledger.state()
        if not self._wanted(main, day, state.size):
            return None
        row = {"origin": self.ledger.origin, "day": day, "size": state.size, "root": state.root().hex()}
        batch = Batch(ANCHOR, "", self.ledger.origin, pa.Table.from_pylist([row], schema=_ANCHOR_SCHEMA))

        def still_wanted(head: LedgerState) -> None:
            if not self._wanted(head, day, state.size):
                raise _Anchored("anchored meanwhile")

        try:
            return main.append(batch, check=still_wanted)
        except _Anchored:
            return None

    def _wanted(self, main: LedgerState, day: date, size: int) -> bool:
        row = self.anchored(main)
        return size > 0 if row is None else bool(row["day"] != day and row["size"] < size)

    def anchored(self, main: LedgerState) -> dict[str, Any] | None:
        """The last head that the main ledger anchored (origin, day, size, root in hex), None where there is none."""
        last = max(main.entries(kind=ANCHOR), key=lambda entry: entry.index, default=None)
        return None if last is None else main.table(last.index).to_pylist()[0]

    def check(self, main: Ledger) -> tuple[Finding, ...]:
        """What is wrong with this log; nothing, if it extends every head that the main ledger anchored, byte for byte.

        The first finding names the first anchored head that it does not extend; those of `Ledger.audit` follow, which derive
        every root anew. The main ledger's own audit says whether its anchors are what was written.
        """
        heads = (self._broken(entry, row) for entry, row in _anchors(main))
        first = next((finding for finding in heads if finding is not None), None)
        return (*([first] if first else []), *self.ledger.audit())

    def _broken(self, entry: Entry, row: dict[str, Any]) -> Finding | None:
        place = Place(file=f"anchor of {row['day']} in entry {entry.index}")
        size, remedy = row["size"], "restore the read log from a copy"
        if row["origin"] != self.ledger.origin:
            message = f"this read log is {self.ledger.origin}, and another was anchored"
            return Finding("reads-replaced", message, place, row["origin"], remedy)
        if size > self.ledger.size:
            message = f"the read log has only {self.ledger.size} entries"
            return Finding("reads-cut", message, place, str(size), remedy)
        if self.ledger.state(size).root().hex() != row["root"]:
            message = "the reads up to here are not those that were anchored"
            return Finding("reads-rewritten", message, place, row["root"], remedy)
        return None


def _is_log(folder: Path) -> bool:
    return (folder / "ledger.db").is_file()


def _ledger(folder: Path, clock: Callable[[], datetime]) -> Ledger:
    """The ledger of the reads, made where there is none."""
    path = folder / KEY
    if _is_log(folder):
        return Ledger.open(folder, key=SigningKey.load(path), now=clock)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_file():
        SigningKey.generate().save(path)
    key = SigningKey.load(path)
    return Ledger.create(folder, origin=f"reads/{key.public.multibase}", key=key, now=clock)


class _Anchored(Misuse):
    """Somebody else anchored first."""


def _anchors(main: LedgerState) -> Iterator[tuple[Entry, dict[str, Any]]]:
    for entry in main.entries(kind=ANCHOR):
        (row,) = main.table(entry.index).to_pylist()
        yield entry, row


def _table(reads: Sequence[Read]) -> pa.Table:
    return pa.table({name: [getattr(read, name) for read in reads] for name in _READ_SCHEMA.names}, schema=_READ_SCHEMA)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise Misuse("this cannot be noted", why=str(fault)) from fault
