"""Text that only the office can read again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Misuse, Tampered
from mingjian.base.keys import PublicSealingKey, SealingKey, SigningKey, is_sealed_text

KEY, OTHER = SealingKey.generate(), SealingKey.generate()


@given(st.text(max_size=300), st.text(max_size=20))
def test_what_was_sealed_is_opened_by_its_key_alone(text: str, context: str) -> None:
    sealed = KEY.public.seal(text, context)
    assert is_sealed_text(sealed)
    assert KEY.open(sealed, context) == text
    assert sealed != KEY.public.seal(text, context)
    for key, where in ((OTHER, context), (KEY, context + "x")):
        with pytest.raises(Tampered, match="does not open"):
            key.open(sealed, where)


@given(st.text(max_size=30), st.integers(8, 10_000), st.sampled_from("AbZ09_-"))
def test_a_changed_text_does_not_open(text: str, at: int, other: str) -> None:
    sealed = KEY.public.seal(text, "s/t/f")
    at = min(at, len(sealed) - 1)
    changed = sealed[:at] + (other if sealed[at] != other else "B") + sealed[at + 1 :]
    with pytest.raises(Tampered):
        KEY.open(changed, "s/t/f")


@given(st.text(max_size=14), st.text(max_size=14))
def test_short_texts_have_one_length(one: str, two: str) -> None:
    assert len(KEY.public.seal(one, "")) == len(KEY.public.seal(two, ""))


@pytest.mark.parametrize("text", ["", "王䶮", "sealed1.", "sealed2.AAAA", "sealed1.A B", "sealed1.AA=="])
def test_what_is_no_sealed_text_is_misuse(text: str) -> None:
    assert not is_sealed_text(text)
    with pytest.raises(Misuse, match="not a sealed text"):
        KEY.open(text, "")


@pytest.mark.parametrize("text", ["sealed1.A", "sealed1.AAAA", "sealed1." + "A" * 60])
def test_what_is_too_short_does_not_open(text: str) -> None:
    with pytest.raises(Tampered):
        KEY.open(text, "")


def test_half_a_surrogate_pair_cannot_be_sealed() -> None:
    with pytest.raises(Misuse, match="cannot be sealed"):
        KEY.public.seal("\ud800", "")


def test_a_saved_key_is_its_owners_alone_and_opens_as_before(tmp_path: Path) -> None:
    path = tmp_path / "office.pem"
    KEY.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SealingKey.load(path).open(KEY.public.seal("text", "c"), "c") == "text"
    assert KEY.public.raw.hex() in repr(KEY)
    with pytest.raises(Misuse, match="never overwritten"):
        OTHER.save(path)
    SigningKey.generate().save(tmp_path / "signing.pem")
    with pytest.raises(Misuse, match="not X25519"):
        SealingKey.load(tmp_path / "signing.pem")
    with pytest.raises(Misuse, match="not Ed25519"):
        SigningKey.load(path)
    with pytest.raises(Misuse, match="31 bytes"):
        PublicSealingKey(b"k" * 31)
