"""Errands: what takes too long for somebody to wait for, run beside an office, of each kind one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock, Thread
from typing import Any, Final

from mingjian.base.errors import Forbidden, MingjianError

Progress = Callable[[str, int, int], None]
Work = Callable[[Progress], Any]

log: Final = logging.getLogger("mingjian.workspace")


class Busy(Forbidden):
    """An errand of this kind is under way; there is never a second one."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One errand: of which kind, about what, for which account, since when, and how far it is (``done`` of ``all`` in ``step``).

    Once ``ended``, either ``came`` is what its work gave, or ``fault`` says why it gave nothing.
    """

    kind: str
    about: str
    account: str
    began: datetime
    step: str = ""
    done: int = 0
    all: int = 0
    ended: datetime | None = None
    came: Any = None
    fault: MingjianError | None = None


class Errands:
    """The errands of one office; the last of each kind is remembered until the process ends."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._last: dict[str, Errand] = {}

    def last(self, kind: str) -> Errand | None:
        """The latest errand of a kind, under way or over."""
        with self._lock:
            return self._last.get(kind)

    def start(self, kind: str, about: str, account: str, work: Work) -> Errand:
        """Begin ``work`` in a thread of its own; it tells how far it is by the function that it is given.

        Raises Busy while one of this kind is under way. A process that is asked to end waits for it.
        """
        with self._lock:
            last = self._last.get(kind)
            if last is not None and last.ended is None:
                why = f"{last.about}: {last.done} of {last.all}" if last.all else last.about
                raise Busy("this is under way already", why=why, remedy="wait until it is over")
            errand = self._last[kind] = Errand(kind, about, account, self._clock())
        Thread(target=self._run, args=(kind, work), name=f"errand {kind}").start()
        return errand

    def _run(self, kind: str, work: Work) -> None:
        came: Any = None
        fault: MingjianError | None = MingjianError("this broke off", remedy="look into the log")
        try:
            came, fault = work(lambda step, done, all_: self._now(kind, step=step, done=done, all=all_)), None
        except MingjianError as refused:
            fault = refused
        except Exception as broken:  # noqa: BLE001 - what it says may hold what it failed on, so only its kind is told
            log.error("errand %s: %s", kind, type(broken).__name__)
        finally:
            self._now(kind, ended=self._clock(), came=came, fault=fault)

    def _now(self, kind: str, **changes: Any) -> None:
        with self._lock:
            self._last[kind] = replace(self._last[kind], **changes)
