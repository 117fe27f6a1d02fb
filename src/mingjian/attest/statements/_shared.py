"""What many packages of a run carry alike, byte for byte, is read once: the scheme, which is half of each."""

from __future__ import annotations

from secrets import token_hex
from typing import Any, Final

import orjson

from mingjian.base.values import read_json

_MOST: Final = 8  # schemes kept at a time
_NAME: Final = b'"scheme":'


class Shared:
    """The schemes of the packages read so far, as parsed, by the bytes in which they were written."""

    def __init__(self) -> None:
        self._schemes: dict[bytes, Any] = {}

    def read(self, data: bytes) -> Any:
        """The value of a package's JSON, exactly as `read_json` gives it. Raises ValueError as that does."""
        for written, scheme in self._schemes.items():
            head, found, tail = data.partition(written)
            # A mark that nobody could foresee stands for the scheme: where it comes out as a value, there the scheme stood.
            mark = token_hex(16)
            document = _read(b'%b%b"%b"%b' % (head, _NAME, mark.encode(), tail)) if found else None
            if document is not None and document.get("scheme") == mark:
                return {**document, "scheme": scheme}
        value = read_json(data)
        self._keep(value, data)
        return value

    def _keep(self, value: object, data: bytes) -> None:
        scheme = value.get("scheme") if isinstance(value, dict) else None
        if isinstance(scheme, dict) and (written := _NAME + orjson.dumps(scheme)) in data:
            if len(self._schemes) == _MOST:
                del self._schemes[next(iter(self._schemes))]
            self._schemes[written] = scheme


def _read(data: bytes) -> dict[str, Any] | None:
    """An object; None where the text is none, which `read_json` of the whole will say better."""
    try:
        value = read_json(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
