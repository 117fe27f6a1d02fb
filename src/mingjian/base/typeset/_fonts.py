"""Which characters can be drawn: Typst leaves a blank, and says nothing, where a font has no glyph."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import typst

from mingjian.base.errors import Fault, MingjianError
from mingjian.base.typeset._drawing import compiler, draw

FAMILIES: Final = ("Noto Sans CJK SC", "Noto Serif CJK SC")

_PACKAGE: Final = "fonts-noto-cjk"
# Some of each: Latin, digits, signs, punctuation of both scripts; common, rare and extension-A ideographs.
_SAMPLE: Final = "Aé0%₂—“（）、。·明鉴龘靐齉㐱"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRIAL: Final = """
#import "@mingjian/house:1.0.0": data, sans, serif
#set text(fallback: false)
#for family in (sans, serif) {
  for weight in ("regular", "bold") {
    for each in data.characters [#text(font: family, weight: weight, each) \\ ]
  }
}
"""


def check_fonts(fonts: typst.Fonts) -> None:
    """Raise MingjianError, naming the Debian package, unless our families are there and draw a sample of characters."""
    installed = fonts.families()
    for family in FAMILIES:
        if family not in installed:
            raise _unfit(f"the font family {family} is not installed")
    if missing := missing_glyphs(_SAMPLE, fonts):
        raise _unfit(f"the fonts lack {''.join(sorted(missing))}")


def missing_glyphs(text: str, fonts: typst.Fonts) -> set[str]:
    """The characters of ``text`` that some face of ours would leave blank, found by halving what fails to draw."""
    characters = sorted(set(text))
    if not characters or _draws(characters, fonts):
        return set()
    if len(characters) == 1:
        return set(characters)
    half = len(characters) // 2
    return missing_glyphs("".join(characters[:half]), fonts) | missing_glyphs("".join(characters[half:]), fonts)


def _draws(characters: list[str], fonts: typst.Fonts) -> bool:
    try:
        draw(_TRIAL, {"characters": characters}, compiler(_TRIAL, fonts), at=_EPOCH, form="pdf")
    except Fault:
        return False
    return True


def _unfit(why: str) -> MingjianError:
    return MingjianError("documents cannot be drawn", why=why, remedy=f"apt-get install {_PACKAGE}")
