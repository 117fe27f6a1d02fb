"""On which line of a TOML file each key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path: TypeAlias = tuple[str | int, ...]

_LANGUAGE = Language(tree_sitter_toml.language())


def lines_of(source: bytes) -> Mapping[Path, int]:
    """The 1-based line of every table, key and array item of a valid TOML text, by its path (names, and indices in arrays).

    `tomllib` gives the values and forgets where they stood; this keeps only where they stood.
    """
    found: dict[Path, int] = {(): 1}
    arrays: dict[Path, int] = {}
    for node in Parser(_LANGUAGE).parse(source).root_node.named_children:
        if node.type == "pair":
            found.update(_pair((), node))
        elif node.type in ("table", "table_array_element"):
            header, *pairs = node.named_children
            at = _enter(_key(header), arrays, adds=node.type == "table_array_element")
            found.setdefault(at, _line(node))
            for pair in pairs:
                if pair.type == "pair":
                    found.update(_pair(at, pair))
    return found


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it (a missing key has none of its own)."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _enter(names: tuple[str, ...], arrays: dict[Path, int], *, adds: bool) -> Path:
    """The path a header opens: a name that is an array of tables stands for its last item."""
    at: Path = ()
    for depth, name in enumerate(names, 1):
        at = (*at, name)
        if adds and depth == len(names):
            arrays[at] = arrays.get(at, -1) + 1
        if at in arrays:
            at = (*at, arrays[at])
    return at


def _pair(prefix: Path, pair: Node) -> Iterator[tuple[Path, int]]:
    key, value = pair.named_children[:2]
    path = prefix
    for name in _key(key):
        path = (*path, name)
        yield path, _line(pair)
    yield from _inside(path, value)


def _inside(path: Path, value: Node) -> Iterator[tuple[Path, int]]:
    if value.type == "inline_table":
        for pair in value.named_children:
            if pair.type == "pair":
                yield from _pair(path, pair)
    elif value.type == "array":
        items = [child for child in value.named_children if child.type != "comment"]
        for index, item in enumerate(items):
            yield (*path, index), _line(item)
            yield from _inside((*path, index), item)


def _key(node: Node) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(name for child in node.named_children for name in _key(child))
    text = (node.text or b"").decode()
    return (text if node.type == "bare_key" else next(iter(tomllib.loads(f"{text} = 0"))),)


def _line(node: Node) -> int:
    return node.start_point[0] + 1
