"""What packages of a run share is read once, and whatever else a stranger writes around it is read as it stands."""

from __future__ import annotations

import json
import re

import orjson
import pytest

from mingjian.attest.statements import Shared
from mingjian.base.values import read_json

SCHEME = {"id": "s", "measures": [{"scheme": {"a": "甲"}}, None]}
S = orjson.dumps(SCHEME).decode()


def after_one(*earlier: str) -> Shared:
    shared = Shared()
    for text in earlier or (f'{{"format":"f","scheme":{S}}}',):
        shared.read(text.encode())
    return shared


def test_the_same_scheme_is_the_same_object() -> None:
    shared = after_one()
    read = [shared.read(f'{{"rows":[{n}],"scheme":{S},"witnessed":{{"n":{n}}}}}'.encode()) for n in range(3)]
    assert read == [{"rows": [n], "scheme": SCHEME, "witnessed": {"n": n}} for n in range(3)]
    assert len({id(one["scheme"]) for one in read}) == 1


@pytest.mark.parametrize(
    "text",
    [
        f'{{"scheme":null,"x":{{"scheme":{S}}}}}',
        f'{{"x":{{"scheme":{S}}},"scheme":null}}',
        f'{{"x":{{"scheme":{S}}}}}',
        f'[{{"scheme":{S}}}]',
        f'{{"a\\"scheme":{S},"scheme":null}}',
        f'{{"scheme":{S[:-1]},"b":1}}}}',
        f'{{"x":{{"scheme":{S}}},"scheme":{S}}}',
        f'{{"scheme": {S}}}',
        json.dumps({"scheme": SCHEME}, indent=2),
        json.dumps({"x": f'"scheme":{S}', "scheme": None}),
        f'{{ "x" : 1.50,\n"scheme":{S} }}',
    ],
)
def test_what_is_written_around_a_known_scheme_changes_nothing_else(text: str) -> None:
    assert after_one().read(text.encode()) == read_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"scheme":{S},"scheme":{S}}}',
        f'{{"scheme":{S},"scheme":null}}',
        f'{{"a":1,"a":2,"scheme":{S}}}',
        f'{{"x":"scheme":{S}}}',
        f'{{"x":""scheme":{S}}}',
        f'{{"scheme":{S}',
        f'{{"scheme":{S}}}}}',
        f'{{"scheme":{S}{S}}}',
    ],
)
def test_what_is_refused_alone_is_refused_after_others_and_for_the_same_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|twice") as alone:
        read_json(text.encode())
    with pytest.raises(ValueError, match=f"^{re.escape(str(alone.value))}$"):
        after_one().read(text.encode())


def test_no_more_than_a_few_schemes_are_kept() -> None:
    shared = after_one(*(f'{{"scheme":{{"n":{n}}}}}' for n in range(1_000)))
    assert len(shared._schemes) == 8
    assert shared.read(b'{"scheme":{"n":1}}') == {"scheme": {"n": 1}}
