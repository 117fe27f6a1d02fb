"""Typesetting: documents through Typst, fonts checked before anything is drawn, QR codes."""

from mingjian.base.typeset._fonts import FAMILIES, check_fonts
from mingjian.base.typeset._qr import qr_svg
from mingjian.base.typeset._typesetter import Typesetter

__all__ = ["FAMILIES", "Typesetter", "check_fonts", "qr_svg"]
