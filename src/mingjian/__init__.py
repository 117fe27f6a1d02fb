"""Mingjian 明鉴: evidence in, verifiable portraits and certificates out.

These are the names that an author of schemes needs; everything else is reached through `mingjian.workspace` and the
command line. They are looked up when they are asked for, so that `mingjian --help` need not read what reads schemes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mingjian.declare import carry, coalesce, greatest, least, missing, previous, split, total, where

__all__ = ["carry", "coalesce", "greatest", "least", "missing", "previous", "split", "total", "where"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mingjian.declare import carry, coalesce, greatest, least, missing, previous, split, total, where

    taken = (carry, coalesce, greatest, least, missing, previous, split, total, where)
    return dict(zip(__all__, taken, strict=True))[name]
