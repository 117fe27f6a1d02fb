"""What was worked out lately, and may be asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """The last ``most`` things that were worked out, by their key. Any number of threads may use it.

    Two who ask for the same thing at once may both work it out: nobody waits for anybody.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._door = Lock()

    def get(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """The thing of that key, worked out where it is not at hand."""
        with self._door:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = work_out()
        self.keep(key, made)
        return made

    def keep(self, key: Hashable, made: T) -> None:
        """What was worked out elsewhere, or ahead."""
        with self._door:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all of it."""
        with self._door:
            self._kept.clear()
