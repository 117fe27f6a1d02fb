"""Where the keys of a TOML file stand."""

from __future__ import annotations

import tomllib
from typing import Any

from mingjian.declare._lines import line_of, lines_of

TEXT = '''top = 1  # a comment
[a.b]
# another
c = { d = 1, e.f = [ { g = 2 },
    # inside
    { g = 3 } ] }
"quoted key" = """
two lines"""
[[list]]
x = 1
[[list]]
x = 2
[[list.inner]]
y = 1
[[list.inner]]
y = 2
[list.table]
'''


def test_every_key_and_item_has_its_line() -> None:
    lines = lines_of(TEXT.encode())

    assert {path: line for path, line in lines.items() if path} == {
        ("top",): 1,
        ("a", "b"): 2,
        ("a", "b", "c"): 4,
        ("a", "b", "c", "d"): 4,
        ("a", "b", "c", "e"): 4,
        ("a", "b", "c", "e", "f"): 4,
        ("a", "b", "c", "e", "f", 0): 4,
        ("a", "b", "c", "e", "f", 0, "g"): 4,
        ("a", "b", "c", "e", "f", 1): 6,
        ("a", "b", "c", "e", "f", 1, "g"): 6,
        ("a", "b", "quoted key"): 7,
        ("list", 0): 9,
        ("list", 0, "x"): 10,
        ("list", 1): 11,
        ("list", 1, "x"): 12,
        ("list", 1, "inner", 0): 13,
        ("list", 1, "inner", 0, "y"): 14,
        ("list", 1, "inner", 1): 15,
        ("list", 1, "inner", 1, "y"): 16,
        ("list", 1, "table"): 17,
    }


def test_paths_are_those_of_the_values() -> None:
    value: Any
    for path in lines_of(TEXT.encode()):
        value = tomllib.loads(TEXT)
        for step in path:
            value = value[step]


def test_a_missing_key_stands_where_its_table_does() -> None:
    assert line_of(lines_of(TEXT.encode()), ("list", 1, "inner", 0, "missing", "deeper")) == 13
    assert line_of(lines_of(TEXT.encode()), ("nowhere",)) == 1
