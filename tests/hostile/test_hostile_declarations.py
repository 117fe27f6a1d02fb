"""A scheme.toml made to exhaust whoever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mingjian.base.errors import Fault
from mingjian.declare import load


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = " + "[" * 100_000, "recursion"),
        ("x = " + "{ a = " * 100_000, "recursion"),
        ("x = " + "[" * 80 + "]" * 80, "64 tables and arrays in one another"),
        ("a" + ".a" * 300_000 + " = 1", "a key of more than 64 names"),
        ("[" + ".".join(["'a'"] * 200_000) + "]", "a key of more than 64 names"),
        ("x = " + "9" * 100_000, "limit"),
        ("x = 1e999999999", "exponent 999999999"),
        ("x = 1_0.0e-999_999_999", "exponent"),
        ("#" * 2**21, "more than 1024 KiB"),
        ("x = 'a\0b'", "not TOML"),
    ],
    ids=["arrays", "tables", "deep", "dotted", "header", "digits", "exponent", "small", "long", "nul"],
)
def test_a_declaration_made_to_exhaust_its_reader_is_a_fault(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "scheme.toml").write_text(text, "utf-8")
    with pytest.raises(Fault, match=why) as fault:
        load(tmp_path)
    assert str(fault.value.findings[0].place).startswith("scheme.toml")
