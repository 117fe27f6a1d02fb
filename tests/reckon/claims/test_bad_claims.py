"""Each kind of fault of a claims file, and the very words with which its author is told.

``tests/bad/claims/<fault>.toml`` is the file, ``<fault>.txt`` what is said of it. ``RECORD=1`` writes the words anew;
review them by diff.
"""

import os
import re
from pathlib import Path

import pytest

from mingjian.base.errors import Fault
from mingjian.reckon.claims import load_claims

BAD = Path(__file__).parents[2] / "bad" / "claims"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.toml")), ids=lambda path: path.stem)
def test_all_faults_of_a_claims_file_are_told_at_once(path: Path) -> None:
    with pytest.raises(Fault) as refusal:
        load_claims(path)
    told = "".join(f"{finding}\n" for finding in refusal.value.findings)
    golden = path.with_suffix(".txt")
    if os.environ.get("RECORD") == "1":
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")
    for finding in refusal.value.findings:
        assert re.fullmatch(rf"{path.name}:[0-9]+", finding.place.file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no such file"):
        load_claims(tmp_path / "none.toml")
