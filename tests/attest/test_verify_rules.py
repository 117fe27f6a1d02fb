"""What was issued stays under the rules it was issued by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mingjian.attest.verify import Checked, verify
from mingjian.declare import load, scheme_data


def checked(world: Any, package: dict[str, Any]) -> Checked:
    files = [("it", json.dumps(package).encode())]
    return verify(files, now=datetime(2021, 10, 2, tzinfo=UTC), trust=world.trust).packages[0]


def test_a_scheme_changed_after_issue_leaves_what_was_issued_as_it_was(world: Any, tmp_path: Path) -> None:
    """A package carries its own rules: the office's new ones do not touch it, and cannot be slipped into it."""
    (tmp_path / "scheme.toml").write_text(world.toml, encoding="utf-8")
    (tmp_path / "measures.py").write_text(world.formulas.replace("/ 1000", "/ 500"), encoding="utf-8")
    later = load(tmp_path)
    assert later.fingerprint != world.scheme.fingerprint
    package = world.packages()["U1"]
    assert checked(world, package).good
    found = checked(world, {**package, "scheme": scheme_data(later)})
    assert found.scheme is not None
    assert found.scheme.outcome == "tampered"
