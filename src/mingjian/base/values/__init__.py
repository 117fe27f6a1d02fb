"""Values that every room agrees on: periods, exact numbers, units, canonical JSON and digests."""

from mingjian.base.values._canonical import canonical, digest, sha256
from mingjian.base.values._numbers import (
    fraction_text,
    number_text,
    parse_fraction,
    round_float,
    round_half_away,
    to_fraction,
)
from mingjian.base.values._periods import KINDS, Kind, Period
from mingjian.base.values._reading import once, read_json
from mingjian.base.values._unit_words import unit_word
from mingjian.base.values._units import Unit, convert, magnitude, unit

__all__ = [
    "KINDS",
    "Kind",
    "Period",
    "Unit",
    "canonical",
    "convert",
    "digest",
    "fraction_text",
    "magnitude",
    "number_text",
    "once",
    "parse_fraction",
    "read_json",
    "round_float",
    "round_half_away",
    "sha256",
    "to_fraction",
    "unit",
    "unit_word",
]
