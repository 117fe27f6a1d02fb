"""A small office on a ledger of its own, whose clock the test sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mingjian.base.errors import Forbidden
from mingjian.base.keys import SigningKey
from mingjian.declare import Scheme, load
from mingjian.record.evidence import read_rows
from mingjian.record.ledger import Batch, Ledger, LedgerState
from mingjian.record.process import Case, Docket, Move, moved

BY = {"report": "reporter", "appeal": "reporter"}
NEEDS: Mapping[str, Mapping[str, Any]] = {
    "report": {"rows": {"report": [{"text": "Done."}]}},
    "return": {"fills": {"deadline": date(2021, 12, 31)}},
    "review": {"fills": {"awarded": "4.5"}},
    "appeal": {"rows": {"attachment": [{"name": "proof.pdf"}]}},
}


@dataclass(slots=True)
class Office:
    """What a desk does, without people: adds rows, and acts on a case as it was seen."""

    scheme: Scheme
    ledger: Ledger
    clock: list[datetime]

    def now(self, *moment: int) -> None:
        self.clock[0] = datetime(*moment, tzinfo=UTC)  # type: ignore[misc, arg-type]

    def add(self, kind: str, rows: Sequence[Mapping[str, object]]) -> None:
        type = self.scheme.evidence[kind]
        table = read_rows(rows, type, zone=self.scheme.zone).accepted(type)
        self.ledger.append(Batch(kind, self.scheme.id, "office", table))

    def list(self, *tasks: str, unit: str = "U1", deadline: date | None = date(2021, 9, 30)) -> None:
        rows = [
            {"task": task, "unit": unit, "quarter": "2021Q3", "deadline": deadline, "possible": "5.0"} for task in tasks
        ]
        self.add("task", rows)

    def batches(self, move: Move) -> tuple[Batch, ...]:
        return tuple(Batch(kind, self.scheme.id, "somebody", i.table) for kind, i in move.intakes.items())

    def docket(self) -> Docket:
        return Docket.read(self.scheme, self.ledger.state())

    def case(self, task: str) -> Case:
        return self.docket().case("duty", task)

    def move(self, case: Case, act: str, **more: Any) -> Move:
        given: dict[str, Any] = {
            "role": BY.get(act, "assessor"),
            "by": "somebody",
            "at": self.clock[0],
            **NEEDS.get(act, {}),
        }
        return moved(self.scheme, case, act, **{**given, **more})

    def act(self, task: str, act: str, **more: Any) -> Case:
        move = self.move(self.case(task), act, **more)

        def as_seen(head: LedgerState) -> None:
            if Docket.read(self.scheme, head).case("duty", task) != move.case:
                raise Forbidden("somebody was faster")

        self.ledger.append_all(self.batches(move), check=as_seen)
        return self.case(task)


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    return load(Path(__file__).parent / "office")


@pytest.fixture
def office(scheme: Scheme, tmp_path: Path) -> Office:
    clock = [datetime(2021, 9, 1, 2, tzinfo=UTC)]
    return Office(
        scheme,
        Ledger.create(tmp_path, origin="office.example/1", key=SigningKey.generate(), now=lambda: clock[0]),
        clock,
    )
