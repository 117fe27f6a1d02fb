"""What the face says, in English and Chinese: one file an area, ``key = { en = "...", zh = "..." }``.

A key is the area's name and the path to it (``public.signature.good``). A group of keys is asked with `one_of` for the word
of a value that only a run knows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from mingjian.base.errors import Fault, Finding, Misuse, Place

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
FOLDER: Final = Path(__file__).parent / "words"


class Words:
    """All words of a folder. Raises Fault with every entry that lacks a language."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found: dict[str, Mapping[str, str]] = {}
        faults: list[Finding] = []
        for file in sorted(folder.glob("*.toml")):
            for key, said in _leaves(file.stem, tomllib.loads(file.read_text("utf-8"))):
                if isinstance(said, Mapping) and {*said} == {*LANGUAGES} and all(said.values()):
                    found[key] = said
                else:
                    faults.append(Finding("no-word", f"{key} is not said in both languages", Place(file.name)))
        if faults:
            raise Fault("the words do not hold together", findings=faults)
        self._said: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(found)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every key."""
        return frozenset(self._said)

    def text(self, key: str, language: Language, **values: object) -> str:
        """The word of ``key``, its ``{name}`` places filled. Raises Misuse for a key that nobody wrote."""
        if key not in self._said:
            raise Misuse(f"no word {key!r}", remedy=f"write it into words/{key.partition('.')[0]}.toml")
        said = self._said[key][language]
        return said.format(**values) if values else said

    def one_of(self, group: str, value: str, language: Language) -> str:
        """The word in ``group`` for a value ("unknown issuer" is ``unknown_issuer``)."""
        return self.text(f"{group}.{value.replace(' ', '_').replace('-', '_')}", language)


def _leaves(path: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and not {*value} & {*LANGUAGES}:
            yield from _leaves(f"{path}.{name}", value)
        else:
            yield f"{path}.{name}", value
