"""Whether those whom the reader named saw the ledger grow, and nothing else, up to where a statement stands in it."""

from __future__ import annotations

from collections.abc import Sequence

from mingjian.attest.statements import Package, Statement, because, instant_text
from mingjian.attest.verify._issuer import Histories
from mingjian.attest.verify._report import Witnesses
from mingjian.base.errors import MingjianError
from mingjian.base.keys import NoteKey, cosigned_at
from mingjian.record.ledger import verify_consistency


def check_witnesses(
    package: Package, statement: Statement, histories: Histories, witnesses: Sequence[NoteKey]
) -> Witnesses | None:
    """Whether each of ``witnesses`` cosigned a head that holds the statement; None where the reader named none."""
    if not witnesses:
        return None
    basis, seen = statement.basis, package.witnessed
    if seen is None:
        return Witnesses("too few", reason=because("not-witnessed"))
    try:
        found = cosigned_at(seen.checkpoint, witnesses)
        head = histories.head(basis.origin, seen.checkpoint)
    except MingjianError as fault:
        return Witnesses("too few", reason=because("checkpoint-bad", detail=fault))
    grown = verify_consistency(basis.size, head.size, basis.root, head.root, seen.consistency)
    if not grown:
        return Witnesses("too few", reason=because("witnessed-other"))
    names = tuple(key.name for key in witnesses if key in found)
    counts = {"count": len(names), "wanted": len(witnesses), "size": head.size}
    if len(names) < len(witnesses):
        return Witnesses("too few", names, reason=because("witnesses-missing", **counts))
    return Witnesses("cosigned", names, reason=because("witnessed", at=instant_text(min(found.values())), **counts))
