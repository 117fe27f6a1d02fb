"""Each kind of bad row, and the very words with which it is refused.

``tests/bad/rows/<rule>.<type>.<suffix>`` is the file that someone hands in, ``<rule>.txt`` what they are told. To record
the words anew, set ``RECORD=1`` and review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mingjian.base.errors import MingjianError
from mingjian.declare import EvidenceType
from mingjian.record.evidence import read_file

BAD = Path(__file__).parents[2] / "bad" / "rows"
FILES = sorted(path for path in BAD.iterdir() if path.suffix != ".txt")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_says_what_is_wrong_with_each_row(path: Path, types: dict[str, EvidenceType]) -> None:
    rule, name, _ = path.name.split(".")
    intake = read_file(path, types[name])
    told = "".join(f"{finding}\n" for finding in intake.findings)
    golden = BAD / f"{rule}.txt"
    if os.environ.get("RECORD"):
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")
    assert rule in {finding.rule for finding in intake.findings}
    assert all(finding.place.file == path.name for finding in intake.findings)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_never_lets_a_bad_row_in(path: Path, types: dict[str, EvidenceType]) -> None:
    type = types[path.name.split(".")[1]]
    intake = read_file(path, type)
    lines = set(intake.table["_line"].to_pylist())
    assert not lines & {finding.place.row for finding in intake.findings}
    if type.bad_rows == "refuse":
        with pytest.raises(MingjianError) as refusal:
            intake.accepted(type)
        assert refusal.value.findings == intake.findings
    else:
        assert intake.accepted(type).num_rows == intake.table.num_rows
