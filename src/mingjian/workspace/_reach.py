"""What of a ledger a scheme's results stand on: they change when that grows, and not with every entry."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Final

from mingjian.declare import Scheme, source_type, walk
from mingjian.record.ledger import Entry

ERASURE: Final = "erasure"  # takes rows away, and so changes what follows from the rest


@dataclass(frozen=True, slots=True)
class Reach:
    """The ledger's size just after the last evidence that any number of the scheme reads, and after the last subjects.

    Two ledger sizes with the same reach have the same results. ``synthetic``: some evidence of the scheme is.
    """

    evidence: int
    subjects: int
    synthetic: bool

    def grown(self, entry: Entry, measured: frozenset[str]) -> Reach:
        """The reach once an entry of evidence has come."""
        after = entry.index + 1
        return Reach(
            after if entry.kind in measured or entry.kind == ERASURE else self.evidence,
            after if entry.kind in ("subject", ERASURE) else self.subjects,
            self.synthetic or entry.source.get("synthetic") == "true",
        )


def measured(scheme: Scheme) -> frozenset[str]:
    """The evidence types that some number reads: in a formula, as the rows of a derivation or as members of a breakdown."""
    formulas = chain(
        (measure.expr for measure in scheme.measures.values()),
        chain.from_iterable(derivation.expr.values() for derivation in scheme.derivations.values()),
    )
    nodes = list(chain.from_iterable(map(walk, formulas)))
    levels = {node.level for node in nodes if node.level} | {str(node.args[0]) for node in nodes if node.op == "rows"}
    made = (source_type(scheme, name) for name in levels | {d.of for d in scheme.derivations.values()})
    dimensions = {kind.id for kind in scheme.evidence.values() if kind.dimension}
    return frozenset({kind.id for kind in made if kind is not None} | dimensions | {"subject"})
