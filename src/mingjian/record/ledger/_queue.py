"""Those of one process who wait to write, in the order in which they came; whoever writes takes others along."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Generic, TypeVar

Work = TypeVar("Work")
Done = TypeVar("Done")


class Ticket(Generic[Work, Done]):
    """One who waits, with the ``work`` to be done for it, and what became of this.

    ``apart`` says that others may not take it along: it must look for itself once it is its turn.
    """

    def __init__(self, work: Work, apart: bool) -> None:
        self.work, self.apart = work, apart
        self.done: Done | None = None
        self.fault: BaseException | None = None
        self.called = Event()  # its turn has come, or somebody else has done its work

    def settle(self, done: Done | None = None, fault: BaseException | None = None) -> None:
        """Say what became of the work of one who was taken along."""
        self.done, self.fault = done, fault
        self.called.set()

    @property
    def settled(self) -> bool:
        """Whether somebody else has done its work, or failed to."""
        return self.done is not None or self.fault is not None


class Queue(Generic[Work, Done]):
    """Whoever comes first works; meanwhile others line up, and are called one after the other."""

    def __init__(self) -> None:
        self._line: deque[Ticket[Work, Done]] = deque()
        self._busy = False
        self._guard = Lock()  # of both; held for moments

    @contextmanager
    def turn(self, ticket: Ticket[Work, Done]) -> Iterator[bool]:
        """Wait for one's turn. True once it has come; it ends with the block. False where somebody else did the work."""
        with self._guard:
            first, self._busy = not self._busy, True
            if not first:
                self._line.append(ticket)
        if not first:
            self._wait(ticket)
        if ticket.settled:
            yield False
            return
        try:
            yield True
        finally:
            self._call_next()

    def followers(self) -> list[Ticket[Work, Done]]:
        """Those at the head of the line who may be taken along; each must be settled before the turn ends."""
        taken: list[Ticket[Work, Done]] = []
        with self._guard:
            while self._line and not self._line[0].apart:
                taken.append(self._line.popleft())
        return taken

    def _wait(self, ticket: Ticket[Work, Done]) -> None:
        try:
            ticket.called.wait()
        except BaseException:  # an interrupt: the line must not wait for who has left it
            with self._guard:
                waiting = ticket in self._line
                if waiting:
                    self._line.remove(ticket)
            if not waiting and ticket.called.is_set() and not ticket.settled:
                self._call_next()
            raise

    def _call_next(self) -> None:
        with self._guard:
            if self._line:
                self._line.popleft().called.set()
            else:
                self._busy = False
