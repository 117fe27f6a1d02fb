"""Every kind of fault, as a tiny wrong scheme with the message its author sees.

``RECORD=1 pytest tests/declare/test_bad_schemes.py`` writes the messages anew; review them by diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mingjian.base.errors import Fault
from mingjian.declare import inspect, load

SCHEMES = Path(__file__).parents[1] / "bad" / "schemes"
FOLDERS = sorted(path.parent for path in SCHEMES.glob("*/expected.txt")) or sorted(SCHEMES.iterdir())
RECORD = os.environ.get("RECORD") == "1"


@pytest.mark.parametrize("folder", sorted(p for p in SCHEMES.iterdir() if p.is_dir()), ids=lambda path: path.name)
def test_bad_scheme_says_what_is_wrong_and_where(folder: Path) -> None:
    scheme, findings = inspect(folder)

    said = "".join(f"{finding}\n" for finding in findings)
    if RECORD:
        (folder / "expected.txt").write_text(said, encoding="utf-8")
    assert scheme is None
    assert said == (folder / "expected.txt").read_text(encoding="utf-8")
    for finding in findings:
        assert re.fullmatch(r"(scheme\.toml|measures\.py|cases/one\.toml)(:[0-9]+)?", finding.place.file)


def test_load_raises_every_finding_at_once() -> None:
    folder = SCHEMES / "many_at_once"
    _, findings = inspect(folder)

    with pytest.raises(Fault) as caught:
        load(folder)

    assert caught.value.findings == findings
    assert len(findings) > 4
