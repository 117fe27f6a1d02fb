"""Names in two languages, and the labels that say who may see a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Label = Literal["public", "internal", "confidential", "sealed"]
LABELS: Final[tuple[Label, ...]] = ("public", "internal", "confidential", "sealed")  # from open to closed


@dataclass(frozen=True, slots=True)
class Title:
    """One thing's name in English and in Chinese."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """The name in ``language`` ("en" or "zh")."""
        return self.zh if language == "zh" else self.en
