"""QR codes."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno

from mingjian.base.errors import Misuse

# Readers take any of the eight masks (ISO/IEC 18004, 7.8). Scoring all eight would cost three quarters of the time.
_MASK: Final = 2


def qr_svg(text: str) -> str:
    """``text`` as a QR code: an SVG picture, error level M, with the quiet zone of 4 modules that readers need.

    Raises Misuse if the text is longer than a code holds (2,331 bytes).
    """
    try:
        code = segno.make_qr(text, error="m", boost_error=False, mask=_MASK)
    except segno.DataOverflowError as fault:
        raise Misuse("too much text for a QR code", why=f"{len(text.encode())} bytes", remedy="link to it") from fault
    picture = BytesIO()
    code.save(picture, kind="svg", border=4, light="#fff", xmldecl=False, nl=False)
    return picture.getvalue().decode()
