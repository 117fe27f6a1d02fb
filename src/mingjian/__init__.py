"""Mingjian 明鉴: evidence in, verifiable portraits and certificates out.

These are the names that an author of schemes needs; everything else is reached through `mingjian.workspace` and the
command line.
"""

from mingjian.declare import carry, coalesce, greatest, least, previous, split, where

__all__ = ["carry", "coalesce", "greatest", "least", "previous", "split", "where"]
