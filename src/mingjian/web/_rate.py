"""So much at a time, and no more: for what costs a machine seconds and anyone may ask."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import Final

from starlette.exceptions import HTTPException

KNOWN: Final = 10_000  # addresses kept in mind


class Rate:
    """Each address may ask ``most`` times at once and gets one more every ``seconds``."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, address: str) -> None:
        """Count one. Raises HTTPException (429) where none is left."""
        now = monotonic()
        with self._lock:
            left, then = self._left.pop(address, (float(self._most), now))
            left = min(self._most, left + (now - then) / self._seconds)
            self._left[address] = (left - 1 if left >= 1 else left, now)
            if len(self._left) > KNOWN:
                self._left.popitem(last=False)
        if left < 1:
            raise HTTPException(429, headers={"Retry-After": str(int(self._seconds) + 1)})
