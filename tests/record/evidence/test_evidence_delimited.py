"""Which CSV files Arrow may read: those in which nobody could take a line or a quotation mark for anything else."""

from __future__ import annotations

import re
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.record.evidence import _delimited

CELL = rb'(?:[^",\r\n]*|"(?:[^"]|"")*")'
LINES = re.compile(rb"%b(?:(?:,|\r?\n)%b)*" % (CELL, CELL))
IRREGULAR = re.compile(rb"\x00|\r(?!\n)|(?:\A|\n)[\r\n]")
PIECES = st.sampled_from(["a", "甲", ",", '"', '""', '"a"', '"\n"', "\n", "\r\n", "\r", "\0"])


@settings(max_examples=400, deadline=None)  # few of them are regular
@given(pieces=st.lists(PIECES, max_size=12), block=st.sampled_from([1, 2, 3, 100]))
def test_a_file_is_regular_wherever_its_blocks_end(pieces: list[str], block: int) -> None:
    text = "".join(pieces).encode().rstrip(b"\r\n")
    with patch.object(_delimited, "_BLOCK", block):
        found = _delimited._is_regular(text)
    assert found == bool(LINES.fullmatch(text) and not IRREGULAR.search(text))
