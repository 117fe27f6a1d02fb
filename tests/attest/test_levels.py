"""What each level shows of a green certificate: an auditor the evidence, everybody else figures, and nobody else's prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mingjian.attest.issue import Run, issue, pack
from mingjian.attest.statements import LEVELS, Package, write_package
from mingjian.attest.verify import Report, Trust, verify
from mingjian.base.keys import SigningKey
from mingjian.base.values import Period
from mingjian.declare import Hierarchy, evidence_types, load
from mingjian.reckon.measures import evaluate
from mingjian.reckon.release import release
from mingjian.record.evidence import Projection, read_rows
from mingjian.record.ledger import Batch, Ledger
from mingjian.workspace import sample_rows, scheme_folder

NOW = datetime(2022, 1, 10, tzinfo=UTC)
EVIDENCE, ATTESTED = "recomputed from evidence", "recomputed from attested values"


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[dict[str, Package], Report]]]:
    """The certificates of the synthetic market, at each level, and what verification says of them."""
    folder = tmp_path_factory.mktemp("green")
    scheme = load(scheme_folder("green_power"))
    key = SigningKey.from_seed(b"g" * 32)
    ledger = Ledger.create(folder / "ledger", origin="green.example/log", key=key, now=lambda: NOW)
    types = evidence_types(scheme)
    for kind, table in sample_rows("green_power", 7).items():
        intake = read_rows(table.to_pylist(), types[kind], zone=scheme.zone)
        ledger.append(Batch(kind, scheme.id, "office", intake.table, {}))
    projection = Projection(folder / "projection.duckdb", ledger)
    projection.catch_up(scheme.id, types, zone=scheme.zone)
    with projection.view(scheme.id) as view:
        hierarchy = Hierarchy.of_rows(view.arrow("subject").to_pylist(), scheme.subjects)
        results = release(evaluate(scheme, view, hierarchy, Period.parse("2021")), scheme.minimum_group)
        run = Run(scheme, view, hierarchy, results, synthetic=True)
        issued = issue(run, {"green_certificate": None}, ledger=ledger, key=key, now=NOW, by="office")
        found = {}
        for level in LEVELS:
            packages = {statement.subject: package for statement, package in pack(issued, ledger, level)}
            files = [(subject, write_package(package)) for subject, package in packages.items()]
            trust = Trust.of([key.public.did_key], [ledger.vkey])
            found[level] = packages, verify(files, now=NOW, trust=trust)
        yield found


@pytest.mark.parametrize(
    ("level", "allowed"), [("public", {ATTESTED}), ("described", {ATTESTED, EVIDENCE}), ("auditor", {EVIDENCE})]
)
def test_every_number_of_a_certificate_is_recomputed(levels: Any, level: str, allowed: set[str]) -> None:
    packages, report = levels[level]
    assert len(packages) > 1
    assert report.good
    assert report.counts.keys() == allowed


def test_what_each_level_shows_of_the_contracts(levels: Any) -> None:
    def consumers(package: Package) -> set[str]:
        kinds = {proven.entry.index: proven.entry.kind for proven in package.entries}
        return {str(row.values["consumer"]) for row in package.rows if kinds[row.entry] == "contract"}

    for subject in levels["auditor"][0]:
        assert consumers(levels["public"][0][subject]) == set()
        assert consumers(levels["described"][0][subject]) <= {subject}
        assert consumers(levels["auditor"][0][subject]) > {subject}  # those who share a plant
    assert all(not package.rows for package in levels["public"][0].values())
