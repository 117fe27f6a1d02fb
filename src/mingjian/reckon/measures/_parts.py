"""Which rows hang together: those that share in a total, and those along which amounts are carried.

In a part of the rows that is closed under this, each row is derived as it is among all of them. So one number costs the
rows that it hangs together with, not those of the whole country.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mingjian.declare import EvidenceType, Expr, Scheme, source_type, walk
from mingjian.reckon.measures._derive import subject_field

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


# What makes rows hang together: rows of these evidence types that agree in these fields, each type's in the same order.
Link: TypeAlias = Sequence[tuple[str, Sequence[str]]]


def part(scheme: Scheme, name: str, table: Callable[[str], pa.Table], subjects: Collection[str]) -> dict[str, pa.Table]:
    """By evidence type the rows that derivation ``name`` needs for all derived rows about any of ``subjects``.

    ``table`` gives the rows of an evidence type. The outcome holds the rows of every type that the derivation reads.
    """
    links = [*_links(scheme, name, set())]
    base = _base(scheme, name)
    tables = {kind: table(kind) for kind in {base.id, *(kind for link in links for kind, _ in link)}}
    masks = {kind: np.zeros(rows.num_rows, bool) for kind, rows in tables.items()}
    wanted = pa.array(sorted(subjects), pa.string())
    for field in base.subjects:
        masks[base.id] |= np.asarray(pc.is_in(tables[base.id][field], wanted))
    return {kind: tables[kind].filter(pa.array(mask)) for kind, mask in _closed(links, tables, masks).items()}


def _links(scheme: Scheme, name: str, seen: set[str]) -> Iterator[Link]:
    """The links of a derivation and of those it stands on."""
    derivation = scheme.derivations.get(name)
    if derivation is None or name in seen:
        return
    seen.add(name)
    base = _base(scheme, name)
    yield from _links(scheme, derivation.of, seen)
    for node in (node for expr in derivation.expr.values() for node in walk(expr)):
        match node.op, node.args:
            case "split", (Expr(args=(Expr() as value, *_)), Expr(args=(_, str() as over)), _):
                total = str(value.level)
                yield from _links(scheme, total, seen)
                totalled = _base(scheme, total)
                yield (base.id, [over]), (totalled.id, [subject_field(base, over, totalled)])
            case "carry_whole" | "carry_rest", _:
                yield [(base.id, base.thread)]


def _base(scheme: Scheme, name: str) -> EvidenceType:
    base = source_type(scheme, name)
    assert base is not None  # a derivation's formula names only what is declared
    return base


def _closed(links: Sequence[Link], tables: Mapping[str, pa.Table], masks: Mapping[str, Mask]) -> Mapping[str, Mask]:
    """The masks grown until no row outside agrees with one inside."""
    coded = [_codes(link, tables) for link in links]
    found = dict(masks)
    size = -1
    while size < (size := sum(int(mask.sum()) for mask in found.values())):
        for link in coded:
            hit = np.zeros(1 + max(int(codes.max(initial=0)) for _, codes in link), bool)
            for kind, codes in link:
                hit[codes[found[kind]]] = True
            for kind, codes in link:
                found[kind] = found[kind] | hit[codes]
    return found


def _codes(link: Link, tables: Mapping[str, pa.Table]) -> list[tuple[str, Codes]]:
    """A number for each row of each end of a link: the same for rows that agree in its fields."""
    kinds = [kind for kind, _ in link]
    sizes = [tables[kind].num_rows for kind in kinds]
    codes: Codes = np.zeros(sum(sizes), np.int64)
    for columns in zip(*([tables[kind][name] for name in names] for kind, names in link), strict=True):
        values: Any = pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)
        texts = values.combine_chunks().dictionary_encode(null_encoding="encode")
        _, codes = np.unique(codes * (1 + len(texts.dictionary)) + np.asarray(texts.indices), return_inverse=True)
    return list(zip(kinds, np.split(codes, np.cumsum(sizes)[:-1]), strict=True))
