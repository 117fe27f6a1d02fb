"""Issuing commits all values once, says each statement once, and remembers for good what no longer stands."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mingjian.attest.issue import Register, file_name, issue, pack, revoke, status_list
from mingjian.attest.statements import Bitstring, write_package
from mingjian.attest.verify import verify
from mingjian.base.errors import Fault, Misuse
from mingjian.reckon.measures import Results

NOW = datetime(2021, 10, 2, tzinfo=UTC)


def again(world: Any, statements: dict[str, Any], **options: Any) -> Any:
    return issue(world.run, statements, ledger=world.ledger, key=world.key, now=NOW, by="office", **options)


def test_all_values_of_a_run_are_one_entry(world: Any) -> None:
    snapshot = world.issued.snapshot
    table = world.ledger.state().table(snapshot.index, verify=True)
    earlier = [row for row in table.to_pylist() if row["period"] == "2021Q2"]
    assert {row["measure"] for row in earlier} == {"health"}  # the one that another looks back on
    assert (snapshot.kind, snapshot.rows) == ("snapshot", len(world.run.results) + len(earlier) + len(world.figures()))
    assert snapshot.source["fingerprint"] == world.scheme.fingerprint
    assert set(table["subject"].to_pylist()) == {"U1", "U2", "U3", "L1", "L3"}
    withheld = [row for row in table.to_pylist() if row["status"] == "withheld"]
    assert withheld
    assert not [row for row in withheld if row["exact"] or row["double"] or row["printed"]]


def test_the_same_run_twice_gives_the_same_statements(world: Any, fresh: Any) -> None:
    # Salts are new in each ledger, so the roots differ; what is said of whom does not.
    for of, statement in world.issued.statements.items():
        twin = fresh.issued.statements[of]
        assert replace(statement, basis=twin.basis, contents=twin.contents) == twin
        assert statement.id == twin.id


def test_what_was_issued_is_not_issued_again(fresh: Any) -> None:
    size = fresh.ledger.size
    with pytest.raises(Misuse, match="issued before"):
        again(fresh, {"portrait": ["U1"]})
    assert fresh.ledger.size == size


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        ({"certificate": None}, "declares no statement"),
        ({"portrait": ["U9"]}, "no unit 'U9'"),
    ],
)
def test_what_cannot_be_said_is_refused(fresh: Any, statements: dict[str, Any], why: str) -> None:
    size = fresh.ledger.size
    with pytest.raises(Misuse, match=why):
        again(fresh, statements)
    assert fresh.ledger.size == size


def test_nothing_is_said_of_whom_nothing_was_measured(fresh: Any) -> None:
    silent = replace(fresh, run=replace(fresh.run, results=Results("2021Q3", [])))
    with pytest.raises(Misuse, match="nothing to say"):
        again(silent, {"portrait": ["U1"]})
    other = replace(fresh, run=replace(fresh.run, results=Results("2021", fresh.run.results)))
    with pytest.raises(Misuse, match="about a quarter"):
        again(other, {"portrait": ["U1"]})


def test_a_replacement_revokes_what_it_stands_for(fresh: Any) -> None:
    old = fresh.issued.statements["portrait", "U1"]
    with fresh.later_view() as view:
        later = replace(fresh, run=replace(fresh.run, view=view))
        new = again(later, {"portrait": ["U1"]}, replaces={("portrait", "U1"): old.id})
        ((statement, package),) = pack(new, fresh.ledger, "described")
    assert statement.replaces == old.id
    register = Register.of(fresh.ledger.state())
    assert (register.revoked[old.id].reason, register.revoked[old.id].replaced_by) == ("replaced", statement.id)
    files = [("old", json.dumps(fresh.packages()["U1"]).encode()), ("new", write_package(package))]
    lists = [status_list(fresh.ledger, fresh.key, NOW)]
    found = verify(files, now=NOW, trust=fresh.trust, status_lists=lists).packages
    assert [p.status.outcome for p in found if p.status] == ["revoked", "valid"]
    assert [p.good for p in found] == [False, True]
    assert found[0].status is not None
    assert found[0].status.replaced_by == statement.id
    assert statement.id in found[0].status.why
    assert found[0].to_json()["replaced_by"] == statement.id
    assert statement.id.removeprefix("urn:uuid:").replace("-", "") not in json.dumps(
        lists
    )  # for holders of the old one


def test_the_status_list_is_a_fold_over_the_ledger(fresh: Any) -> None:
    first, second = (fresh.issued.statements["portrait", subject] for subject in ("U1", "U2"))
    entry = revoke(fresh.ledger, second.id, reason="wrong", by="office")
    assert (entry.kind, entry.scheme, entry.by) == ("status", "tiny", "office")
    said = status_list(fresh.ledger, fresh.key, NOW)
    bits = Bitstring.decode(said["credentialSubject"]["encodedList"])
    assert bits[second.status.index]
    assert not bits[first.status.index]
    register = Register.of(fresh.ledger.state())
    assert sorted(register.places.values()) == list(range(5))
    for statement, reason, why in (
        ("urn:uuid:0", "wrong", "no statement"),
        (second.id, "wrong", "revoked already"),
        (first.id, "", "without a reason"),
    ):
        with pytest.raises(Misuse, match=why):
            revoke(fresh.ledger, statement, reason=reason, by="office")


def test_two_offices_at_once_do_not_share_a_bit(fresh: Any) -> None:
    stale = Register.of(fresh.ledger.state())
    revoke(fresh.ledger, fresh.issued.statements["portrait", "U1"].id, reason="wrong", by="office")
    with pytest.raises(Misuse, match="in the meantime"):
        stale.unchanged(fresh.ledger.state())


def test_no_row_about_others_leaves_the_house(world: Any) -> None:
    for subject, package in world.packages().items():
        kinds = {e["header"]["index"]: e["header"]["kind"] for e in package["entries"]}
        about = {
            row["values"].get(field)
            for row in package["rows"]
            if kinds[row["entry"]] != "subject"
            for field in ("unit", "about")
        }
        assert about <= {subject, None}
        assert "form" not in {kinds[row["entry"]] for row in package["rows"]}


def test_the_name_of_a_file_is_safe(world: Any) -> None:
    statement = world.issued.statements["portrait", "U1"]
    assert file_name(statement) == "portrait-U1-2021Q3.json"
    assert "/" not in file_name(replace(statement, subject="../a/b"))


def test_a_list_may_revoke_without_naming_anything_else(fresh: Any) -> None:
    revoke(fresh.ledger, fresh.issued.statements["portrait", "U1"].id, reason="wrong", by="office")
    data = json.dumps(fresh.packages()["U1"]).encode()
    lists = [status_list(fresh.ledger, fresh.key, NOW)]
    (found,) = verify([("old", data)], now=NOW, trust=fresh.trust, status_lists=lists).packages
    assert found.status is not None
    assert (found.status.outcome, found.status.replaced_by, found.status.code) == ("revoked", "", "revoked")


def test_evidence_erased_before_it_was_packed_is_named(world: Any, build: Any) -> None:
    """A leader's rows stand under a key of their own; once that is gone, nobody can show them."""

    def owner(row: dict[str, Any]) -> str:
        return "person/L3" if row.get("about") == "L3" else ""

    other = build(world.toml, world.formulas, None, ("portrait", "leader"), owner)
    other.ledger.erase(["person/L3"], by="office")
    with pytest.raises(Fault, match="erased") as caught:
        other.packages("auditor")
    assert caught.value.remedy


def given_by(world: Any, scheme: Any, level: str) -> dict[str, str]:
    """What a package of U1 takes as given under other rules about who sees what."""
    with world.later_view() as view:
        other = replace(world, run=replace(world.run, scheme=scheme, view=view))
        issued = again(other, {"portrait": ["U1"]})
    return next(dict(p.contents.given) for _, p in pack(issued, world.ledger, level))  # type: ignore[arg-type]


def test_sealed_rows_are_in_no_package(fresh: Any) -> None:
    evidence = {**fresh.scheme.evidence, "item": replace(fresh.scheme.evidence["item"], label="sealed")}
    assert given_by(fresh, replace(fresh.scheme, evidence=evidence), "auditor") == {"gravity": "sealed"}


def test_a_number_among_peers_is_taken_as_given_and_what_looks_back_on_it_is_not(fresh: Any) -> None:
    health = fresh.scheme.indices["health"]
    indices = {"health": replace(health, root=replace(health.root, normalise="zscore"))}
    assert given_by(fresh, replace(fresh.scheme, indices=indices), "auditor") == {"health": "peers"}
