"""The page about processes and roles names every key that there is, and no other; its examples are the built-in scheme's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mingjian.declare import Act, Role, State

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/scheme.md").read_text("utf-8")
SCHEME = tomllib.loads((ROOT / "src/mingjian/schemes/three_portraits/scheme.toml").read_text("utf-8"))

_OWN = {"id", "title", "line"}
_DECLARED = {"sources": "from"}


def named_after(heading: str) -> set[str]:
    """The keys in the first column of the table under a heading."""
    table = PAGE.partition(heading)[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("kind", "heading", "elsewhere"),
    [(State, "| key of a state |", set()), (Act, "| key of an act |", set()), (Role, "| key | |", {"of"})],
)
def test_each_key_is_told(kind: type[Any], heading: str, elsewhere: set[str]) -> None:
    keys = {_DECLARED.get(field.name, field.name) for field in fields(kind)} - _OWN
    assert named_after(heading) | elsewhere == keys


def test_examples_are_of_the_scheme() -> None:
    """Each says what the built-in scheme says, or that a key is left out there."""
    for block in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for path, value in leaves(tomllib.loads(block)):
            there: Any = SCHEME
            for key in path:
                there = there.get(key) if isinstance(there, Mapping) else None
            assert there in (value, None), path


def leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every value of nested tables with the names that lead to it."""
    found = []
    for key, value in table.items():
        if isinstance(value, Mapping) and key not in ("title", "takes"):
            found += leaves(value, (*path, key))
        else:
            found.append(((*path, key), value))
    return found
