import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mingjian.base.keys._base58 import decode, encode

VECTORS = [  # draft-msporny-base58-03, section 5
    (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
    (b"The quick brown fox jumps over the lazy dog.", "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"),
    (b"\x00\x00\x28\x7f\xb4\xcd", "11233QC4"),
]


@pytest.mark.parametrize(("data", "text"), VECTORS)
def test_bytes_are_written_as_everyone_writes_them(data: bytes, text: str) -> None:
    assert encode(data) == text
    assert decode(text) == data


@given(st.binary(max_size=90))
@example(b"")
@example(b"\x00" * 64)
@example(b"\xff" * 64)
def test_bytes_are_read_back(data: bytes) -> None:
    assert decode(encode(data)) == data


@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=100))
def test_no_other_text_writes_the_same_bytes(text: str) -> None:
    assert encode(decode(text)) == text


@pytest.mark.parametrize("text", ["0", "2 ", " 2", "2\n", "O", "I", "l", "２", "龘", "2" * 129])
def test_what_is_not_written_so_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="digit"):
        decode(text)
