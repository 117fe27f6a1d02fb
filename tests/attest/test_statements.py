"""What is said, as data: it reads back as written, and a stranger's data is refused by name of the place."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.attest.statements import (
    MINIMUM_BITS,
    Bitstring,
    Stated,
    Statement,
    StatusList,
    read_package,
    statement_id,
    write_package,
)
from mingjian.base.errors import Fault, Misuse

NOW = datetime(2021, 10, 1, tzinfo=UTC)


# -- bits ----------------------------------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 300_000), max_size=20))
def test_exactly_the_bits_that_were_set(positions: set[int]) -> None:
    bits = Bitstring.decode(Bitstring.of(positions).encode())
    assert {position for position in positions if bits[position]} == positions
    assert sum(byte.bit_count() for byte in bits.data) == len(positions)
    assert len(bits) >= MINIMUM_BITS
    assert len(bits) & (len(bits) - 1) == 0


def test_a_list_reaches_as_far_as_it_must() -> None:
    assert len(Bitstring.of([])) == MINIMUM_BITS
    assert len(Bitstring.of([], at_least=MINIMUM_BITS)) == MINIMUM_BITS
    assert len(Bitstring.of([], at_least=MINIMUM_BITS + 1)) == 2 * MINIMUM_BITS
    assert len(Bitstring.of([MINIMUM_BITS])) == 2 * MINIMUM_BITS


def test_there_is_no_bit_before_the_first_or_after_the_last() -> None:
    with pytest.raises(Misuse, match="begins at 0"):
        Bitstring.of([-1])
    for position in (-1, MINIMUM_BITS):
        with pytest.raises(Fault, match="does not reach"):
            Bitstring.of([])[position]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "multibase"),
        ("zabc", "multibase"),
        ("u****", "multibase"),
        ("uAAAA", "header"),
        ("u" + urlsafe_b64encode(gzip.compress(bytes(100), mtime=0)).decode().rstrip("="), "fewest allowed"),
        ("u" + urlsafe_b64encode(gzip.compress(bytes(20_000), mtime=0)[:-4]).decode().rstrip("="), "whole GZIP"),
        ("u" + urlsafe_b64encode(gzip.compress(bytes(20_000), mtime=0) + b"x").decode().rstrip("="), "whole GZIP"),
        ("u" + urlsafe_b64encode(zlib.compress(bytes(20_000))).decode().rstrip("="), "header"),
    ],
)
def test_what_is_no_list_is_refused(text: str, why: str) -> None:
    with pytest.raises(Fault, match=why):
        Bitstring.decode(text)


def test_a_bomb_does_not_unfold() -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024))
    with pytest.raises(Fault, match="whole GZIP"):
        Bitstring.decode("u" + urlsafe_b64encode(packed).decode().rstrip("="))


def test_a_status_list_reads_back() -> None:
    said = StatusList("https://here/status", "did:key:z6Mk", NOW, Bitstring.of([3]))
    assert StatusList.from_credential(said.credential()) == said
    with pytest.raises(Fault, match="not a status list"):
        StatusList.from_credential({**said.credential(), "type": ["VerifiableCredential"]})


# -- numbers and statements ------------------------------------------------------------------------------------------------


@given(st.one_of(st.fractions(), st.floats(allow_nan=False, allow_infinity=False), st.none()))
def test_a_number_reads_back_as_it_was_said(number: Fraction | float | None) -> None:
    stated = Stated("m", "S", "", "2021", "none" if number is None else "value", number, "1.0", "kWh")
    assert Stated.from_json(json.loads(json.dumps(stated.to_json())), "S", "$") == stated
    assert Stated.from_json({k: v for k, v in stated.row().items() if v is not None}, "S", "$") == stated


@pytest.mark.parametrize(
    "broken",
    [
        {"exact": "2/4"},
        {"exact": "1/0"},
        {"exact": "1e5"},
        {"exact": 1},
        {"exact": "9" * 20_000},
        {"exact": None, "double": "nan"},
        {"exact": None, "double": "1.50"},
        {"exact": None, "double": "one"},
        {"double": "1.5"},
        {"exact": None},
        {"status": "withheld"},
        {"status": "good"},
        {"printed": None},
    ],
)
def test_what_is_no_number_is_refused(broken: dict[str, Any]) -> None:
    said = Stated("m", "S", "", "2021", "value", Fraction(3, 7), "0.4", "kWh").to_json()
    with pytest.raises(Fault, match=r"\$"):
        Stated.from_json({**said, **broken}, "S", "$")


def test_an_id_is_determined_by_what_it_names() -> None:
    named = ("scheme", "portrait", "U1", "2021Q3", 7, "here")
    assert statement_id(*named) == statement_id(*named)
    others = {statement_id(*[*named[:n], "x" if n != 4 else 8, *named[n + 1 :]]) for n in range(6)}  # type: ignore[arg-type]
    assert len(others | {statement_id(*named)}) == 7
    uuid = UUID(statement_id(*named))
    assert (uuid.version, uuid.variant) == (8, "specified in RFC 4122")


def test_statements_and_packages_read_back(world: Any) -> None:
    for statement in world.issued.statements.values():
        assert Statement.from_credential(json.loads(json.dumps(statement.credential()))) == statement
    for package in world.packages().values():
        data = json.dumps(package).encode()
        assert json.loads(write_package(read_package(data))) == package


def test_a_credential_carries_no_binary_number(world: Any) -> None:
    def numbers(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [n for inner in value.values() for n in numbers(inner)]
        if isinstance(value, list):
            return [n for inner in value for n in numbers(inner)]
        return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []

    for package in world.packages().values():
        assert not numbers(package["credential"])
        assert not numbers(package["scheme"])


# -- strangers ---------------------------------------------------------------------------------------------------------------


def paths(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [trail, *(path for key, child in inner for path in paths(child, (*trail, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"[" * 300 + b"]" * 300, b'{"format": "mingjian/3"}', b"1" * 5000],
)
def test_bytes_that_are_no_package(data: bytes) -> None:
    with pytest.raises(Fault, match="not a package"):
        read_package(data)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_package_of_another_shape_is_refused_or_read_but_never_breaks(world: Any, data: st.DataObject) -> None:
    package = {k: v for k, v in world.packages("public")["U2"].items() if k != "scheme"}
    path = data.draw(st.sampled_from(paths(package)))
    new = data.draw(st.sampled_from([None, 7, -1.5, "", "x", [], {}, [[]], {"a": 1}, 10**30, "é" * 100]))
    changed = replaced({**package, "scheme": {}}, path, new)
    with suppress(Fault):
        read_package(json.dumps(changed).encode()).statement.credential()


@pytest.mark.parametrize(
    "broken", [{"root": "zz"}, {"root": 7}, {"rows": "1"}, {"index": "0"}, {"kind": []}, {"scheme": None}]
)
def test_a_header_that_no_ledger_writes(world: Any, broken: dict[str, Any]) -> None:
    package = world.packages("public")["U1"]
    package["entries"][0]["header"].update(broken)
    with pytest.raises(Fault, match="header"):
        read_package(json.dumps(package).encode())
