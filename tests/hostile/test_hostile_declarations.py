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
        ("#" * 2**21, "more than 1024 KiB"),
        ("x = 'a\0b'", "not TOML"),
    ],
    ids=["arrays", "tables", "deep", "dotted", "header", "digits", "long", "nul"],
)
def test_a_declaration_made_to_exhaust_its_reader_is_a_fault(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "scheme.toml").write_text(text, "utf-8")
    with pytest.raises(Fault, match=why) as fault:
        load(tmp_path)
    assert str(fault.value.findings[0].place).startswith("scheme.toml")


@pytest.mark.parametrize("number", ["1e999", "1e999999999", "-1e999999999", "1_0.0e-999_999_999", "nan", "inf"])
def test_a_number_that_cannot_be_counted_with_is_named_with_its_line(number: str, tmp_path: Path) -> None:
    broken = Path(__file__).parents[1] / "bad" / "schemes" / "number_out_of_range"
    for file in broken.iterdir():
        (tmp_path / file.name).write_text(file.read_text("utf-8").replace("1e60", number), "utf-8")
    with pytest.raises(Fault) as fault:
        load(tmp_path)
    assert [f"{found}\n" for found in fault.value.findings] == [(broken / "expected.txt").read_text("utf-8")]
