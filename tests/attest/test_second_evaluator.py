"""Verification is not the issuer's echo: another evaluator, by other means, comes to every number too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def disagreements(second: ModuleType, package: dict[str, Any]) -> list[str]:
    evaluator = second.Evaluator(package)
    found = []
    for value in package["credential"]["credentialSubject"]["values"]:
        if value["status"] == "withheld":
            continue
        stated = second.number(value)
        own = evaluator.value(value["measure"], second.span_of(value["period"]), value["member"])
        if "double" in value and own is not None:
            same = abs(stated - own) <= abs(stated) * Fraction(1, 10**12)
        else:
            same = stated == own
        if not same:
            found.append(f"{value['measure']} {value['member']}: {stated} is stated, {own} is right")
    return found


@pytest.mark.parametrize("level", ["described", "auditor"])
def test_it_agrees_on_every_number(world: Any, second: ModuleType, level: str) -> None:
    packages = world.packages(level)
    assert [line for package in packages.values() for line in disagreements(second, package)] == []


def test_it_would_notice(world: Any, second: ModuleType) -> None:
    package = world.packages("auditor")["U1"]
    for row in package["rows"]:
        if "awarded" in row["values"]:
            row["values"]["awarded"] = "1.0"
    assert any(line.startswith("fulfilment") for line in disagreements(second, package))


def test_it_leans_on_nothing_of_the_engine() -> None:
    source = Path(__file__).with_name("second_evaluator.py").read_text(encoding="utf-8")
    imported = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imported
    assert not [line for line in imported if any(name in line for name in ("mingjian", "duckdb", "numpy", "ibis"))]
