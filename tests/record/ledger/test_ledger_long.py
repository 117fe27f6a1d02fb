"""A long batch is worked through in runs; its root, its proofs and its audit are those of the whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from mingjian.base.errors import Tampered
from mingjian.base.keys import SigningKey
from mingjian.record.ledger import Batch, Ledger

ROWS = 150_000  # two whole runs and a part
RUN = 65_536


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("long") / "log"
    made = Ledger.create(folder, origin="example.org/long", key=SigningKey.from_seed(b"k" * 32), now=_noon)
    numbers = pa.chunked_array([pa.array(range(start, min(start + 7_001, ROWS))) for start in range(0, ROWS, 7_001)])
    made.append(Batch("long", "three", "office", pa.table({"n": numbers})))
    return made


def _noon() -> datetime:
    return datetime(2021, 9, 7, 12, tzinfo=UTC)


def test_every_run_is_part_of_one_tree(ledger: Ledger) -> None:
    places = [0, RUN - 1, RUN, 2 * RUN - 1, 2 * RUN, ROWS - 1]
    proofs = ledger.prove_rows(0, places)
    assert [proof.values["n"] for proof in proofs] == [str(place) for place in places]
    assert all(proof.holds(ledger.entry(0)) for proof in proofs)


def test_what_is_there_is_what_was_appended(ledger: Ledger) -> None:
    assert ledger.audit() == []
    assert ledger.table(0, verify=True)["n"].to_pylist() == list(range(ROWS))


def test_rows_that_change_places_between_runs_are_found(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from mingjian.record.ledger import _payload

    table = ledger.table(0)
    swapped = pa.concat_tables([table.slice(RUN, RUN), table.slice(0, RUN), table.slice(2 * RUN)])
    monkeypatch.setattr(_payload, "read_table", lambda *_: swapped)
    assert [finding.rule for finding in ledger.audit()] == ["rows-differ"]
    with pytest.raises(Tampered, match="not the rows that were appended"):
        ledger.table(0, verify=True)
