import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import MingjianError
from mingjian.base.values import canonical, digest, sha256

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# Keys on both sides of the surrogates, where code points and UTF-16 code units sort differently.
keys = st.one_of(text, st.text(st.sampled_from('a\x00\x1f\x7f"\\/é龘靐齉\ue000\uffff\U00010000\U0010ffff'), max_size=3))
exact = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), text, keys)
floats = st.floats(allow_nan=False, allow_infinity=False)


def documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(documents(exact))
def test_exact_documents_have_the_bytes_of_rfc_8785(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)
    assert json.loads(canonical(document)) == document


@given(documents(exact | floats))
def test_documents_with_doubles_have_them_too(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


def test_keys_sort_by_utf_16_code_units() -> None:
    assert canonical({"\uffff": 1, "\U00010000": 2}).decode() == '{"\U00010000":2,"\uffff":1}'


def test_rare_characters_and_controls_are_written_as_the_rfc_says() -> None:
    assert canonical(["龘靐齉", "\x00\x1b\n\x7f\u2028"]).decode() == '["龘靐齉","\\u0000\\u001b\\n\x7f\u2028"]'
    assert canonical((1.0, -0.0, 1e21, 5e-324)) == b"[1,0,1e+21,5e-324]"


@pytest.mark.parametrize(
    ("document", "where", "why"),
    [
        ({"a": [1, 2**53]}, "$.a[1]", "beyond 2^53"),
        ({"a": [1.5, -(2**80)]}, "$.a[1]", "beyond 2^53"),
        ([float("nan")], "$[0]", "not a JSON number"),
        ({"x": {"y": float("inf")}}, "$.x.y", "not a JSON number"),
        ({"x": {1: 2}}, "$.x", "not a string"),
        (["\ud800"], "$[0]", "surrogate"),
        ({"\udfff": 1}, "$.'\\udfff'", "surrogate"),
        ({"a": None, "b": True, "c": [object()]}, "$.c[0]", "no object"),
    ],
)
def test_what_json_cannot_carry_is_refused_with_its_path(document: Any, where: str, why: str) -> None:
    with pytest.raises(MingjianError, match="no canonical JSON") as refusal:
        canonical(document)
    assert refusal.value.where == where
    assert why in refusal.value.why


def test_bottomless_nesting_is_refused() -> None:
    document: list[Any] = []
    for _ in range(100_000):
        document = [document]
    with pytest.raises(MingjianError, match="nested too deeply"):
        canonical(document)


def test_digests_are_those_of_the_canonical_bytes() -> None:
    assert (
        digest({"b": 1, "a": "龘"})
        == digest({"a": "龘", "b": 1})
        == "sha256:" + sha256('{"a":"龘","b":1}'.encode()).hex()
    )
    assert sha256(b"abc").hex().startswith("ba7816bf8f01cfea")
