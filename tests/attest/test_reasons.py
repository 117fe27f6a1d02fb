"""Every reason has a code that stays, and a sentence in both languages with the same blanks to fill."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import mingjian.attest
from mingjian.attest.statements import Reason, because
from mingjian.attest.statements._contents import WHYS
from mingjian.attest.statements._reason import _REMEDIES, _SENTENCES  # what a user reads, all of it


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_each_sentence_fills_the_same_blanks_in_both_languages() -> None:
    for code, (english, chinese) in _SENTENCES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert blanks(english) == blanks(chinese) or code in ("not-a-bitstring", "signature-bad"), code
        assert re.search(r"[\u4e00-\u9fff]", chinese) or code in ("flag",), code
    assert _REMEDIES.keys() <= _SENTENCES.keys()


def test_every_code_in_use_has_its_sentence_and_every_sentence_its_use() -> None:
    room = Path(mingjian.attest.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in room.rglob("*.py") if file.name != "_reason.py")
    used = {code for code in _SENTENCES if f'"{code}"' in source}
    made = {f"given-{why}" for why in WHYS} | {"not-a-package", "not-a-status-list", "not-a-key-history"}
    assert _SENTENCES.keys() - used == made


def test_the_reason_behind_says_what_to_do() -> None:
    behind = because("unknown-format", format="x/9", known="x/1")
    found = because("not-a-package", where="$.format", why=behind)
    assert found.text() == "not a package of this format: $.format: its format is x/9, and x/1 is read here"
    assert found.remedy("zh") == behind.remedy("zh") != because("not-a-package", where="$", why="?").remedy("zh")
    assert found.said("zh").endswith(found.remedy("zh"))
    assert Reason("withheld").said() == Reason("withheld").text() == str(because("withheld"))
