"""What strangers hand in as JSON."""

import json

import pytest

from mingjian.base.values import read_json


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a": {"b": "95", "b": "85"}}', '[{"x":1},{"y":{"z":1,"z":1}}]'])
def test_a_name_that_stands_twice_is_refused(text):
    """One reader would take the first, another the last."""
    assert json.loads(text)
    with pytest.raises(ValueError, match="twice"):
        read_json(text.encode())


@pytest.mark.parametrize("text", ['{"a":1,"b":{"a":1}}', ' { "a" : [1, 2.50, null] } ', '"x"', "[]"])
def test_other_json_is_read_however_it_is_written(text):
    assert read_json(text.encode()) == json.loads(text)


def test_what_is_no_json_is_a_value_error():
    with pytest.raises(ValueError, match="unexpected end"):
        read_json(b"{")


@pytest.mark.parametrize("depth", [300, 900, 2_000, 1_000_000])
def test_what_is_nested_too_deeply_is_a_value_error(depth):
    with pytest.raises(ValueError, match=r"too deeply|depth"):
        read_json(b"[" * depth + b"]" * depth)
