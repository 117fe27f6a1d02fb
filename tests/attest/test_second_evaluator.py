"""Verification is not the issuer's echo: another evaluator, by other means, comes to every number too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("level", ["described", "auditor"])
def test_it_agrees_on_every_number(world: Any, disagreements: Callable[..., list[str]], level: str) -> None:
    packages = world.packages(level)
    assert [line for package in packages.values() for line in disagreements(package)] == []


def test_it_would_notice(world: Any, disagreements: Callable[..., list[str]]) -> None:
    package = world.packages("auditor")["U1"]
    for row in package["rows"]:
        if "awarded" in row["values"]:
            row["values"]["awarded"] = "1.0"
    assert any(line.startswith("fulfilment") for line in disagreements(package))


def test_it_leans_on_nothing_of_the_engine() -> None:
    source = Path(__file__).with_name("second_evaluator.py").read_text(encoding="utf-8")
    imported = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imported
    assert not [line for line in imported if any(name in line for name in ("mingjian", "duckdb", "numpy", "ibis"))]
