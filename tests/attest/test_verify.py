"""Verification answers each question apart, says *recomputed* for what was issued, and notices whatever was changed."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingjian.attest.issue import issue, pack, revoke, status_list
from mingjian.attest.statements import Malformed, because, write_package
from mingjian.attest.verify import Checked, Completeness, Inclusion, Report, Trust, verify
from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey
from mingjian.base.values import round_half_away
from mingjian.reckon.measures import Results

NOW = datetime(2021, 10, 2, tzinfo=UTC)

Package = dict[str, Any]
Change = Callable[[Package], object]


def checked(world: Any, package: Package, **options: Any) -> Checked:
    report = verify([("it", json.dumps(package).encode())], now=NOW, trust=world.trust, **options)
    return report.packages[0]


def outcome(found: Checked, measure: str, member: str = "") -> str:
    return next(n.outcome for n in found.numbers if (n.measure, n.member) == (measure, member))


# -- what was issued -----------------------------------------------------------------------------------------------------


def test_all_that_was_issued_is_recomputed_for_an_auditor(world: Any) -> None:
    files = [(s, json.dumps(p).encode()) for s, p in world.packages("auditor").items()]
    report = verify(files, now=NOW, trust=world.trust, status_lists=[status_list(world.ledger, world.key, NOW)])
    assert report.good
    assert [p.status.outcome for p in report.packages if p.status] == ["valid"] * len(files)
    left = [n for p in report.packages for n in p.numbers if n.outcome != "recomputed from evidence"]
    assert {n.stated for n in left} == {"withheld"}
    assert report.counts["recomputed from evidence"] > 20


def test_who_is_described_is_shown_all_but_others_and_ballots(world: Any) -> None:
    found = {subject: checked(world, package) for subject, package in world.packages().items()}
    assert all(one.good for one in found.values())
    assert outcome(found["U1"], "fulfilment", "a") == "recomputed from evidence"
    assert outcome(found["U1"], "movement") == "recomputed from evidence"
    assert outcome(found["U1"], "blocks_used") == "recomputed from evidence"
    assert outcome(found["U1"], "gravity") == "recomputed from evidence"
    assert outcome(found["U1"], "approval") == "recomputed from attested values"
    assert outcome(found["U1"], "overall") == "recomputed from attested values"
    assert outcome(found["U2"], "approval") == "cannot"  # three voters
    assert outcome(found["U3"], "gravity") == "recomputed from attested values"  # a leader's rows are the leader's
    assert outcome(found["L3"], "leader_gravity") == "recomputed from evidence"


def test_the_public_sees_numbers_and_what_follows_from_them(world: Any) -> None:
    package = world.packages("public")["U1"]
    assert not package["rows"]
    found = checked(world, package)
    assert found.good
    follow = {"overall", "movement"}  # from the numbers told, now and in the quarter before
    assert {outcome(found, measure) for measure in follow} == {"recomputed from attested values"}
    assert {n.outcome for n in found.numbers if n.measure not in follow} == {"cannot"}
    assert all(n.why for n in found.numbers if n.outcome == "cannot")


def test_one_credential_whatever_the_level(world: Any) -> None:
    levels = [world.packages(level)["U1"]["credential"] for level in ("public", "described", "auditor")]
    assert levels[0] == levels[1] == levels[2]


def test_three_voters_stay_unknown_at_every_level(world: Any) -> None:
    for level in ("public", "described", "auditor"):
        package = world.packages(level)["U2"]
        kinds = {e["header"]["index"]: e["header"]["kind"] for e in package["entries"]}
        assert "form" not in {kinds[row["entry"]] for row in package["rows"]}
        said = [v for v in package["credential"]["credentialSubject"]["values"] if v["measure"] == "approval"]
        assert [(v["status"], v["printed"], "exact" in v) for v in said] == [("withheld", "", False)]
        assert '"group"' not in json.dumps(package["credential"])


def test_together_or_alone_the_answers_are_the_same(world: Any) -> None:
    files = [(s, json.dumps(p).encode()) for s, p in world.packages("auditor").items()]
    together = verify(files, now=NOW, trust=world.trust).packages
    alone = tuple(verify([file], now=NOW, trust=world.trust).packages[0] for file in files)
    assert together == alone


def test_a_package_cannot_lean_on_the_rows_of_another(world: Any) -> None:
    whole, bare = world.packages()["U1"], world.packages()["U1"]
    kinds = {e["header"]["index"]: e["header"]["kind"] for e in bare["entries"]}
    bare["rows"] = [row for row in bare["rows"] if kinds[row["entry"]] != "reading"]
    files = [("whole", json.dumps(whole).encode()), ("bare", json.dumps(bare).encode())]
    first, other = verify(files, now=NOW, trust=world.trust).packages
    assert first.good
    assert not other.good
    assert outcome(other, "energy") == "cannot"


# -- whom one trusts -------------------------------------------------------------------------------------------------------


def test_an_issuer_whom_nobody_knows_is_not_good(world: Any) -> None:
    data = json.dumps(world.packages()["U1"]).encode()
    found = verify([("it", data)], now=NOW).packages[0]
    assert found.signature is not None
    assert found.signature.outcome == "unknown issuer"
    assert not found.good
    assert outcome(found, "energy") == "recomputed from evidence"


def test_without_the_key_of_the_ledger_the_issuer_vouches_for_its_head(world: Any) -> None:
    data = json.dumps(world.packages()["U1"]).encode()
    found = verify([("it", data)], now=NOW, trust=Trust.of([world.key.public.did_key])).packages[0]
    assert found.good
    assert found.inclusion is not None
    assert "issuer alone" in found.inclusion.why


def test_no_packages_are_not_good() -> None:
    assert not Report(()).good
    with pytest.raises(Misuse, match="zone"):
        verify([], now=datetime(2021, 1, 1))


# -- what was changed ------------------------------------------------------------------------------------------------------


def flipped(text: str, at: int = 0) -> str:
    """Hexadecimal text with one bit changed."""
    return text[:at] + format(int(text[at], 16) ^ 1, "x") + text[at + 1 :]


def change_row(package: Package) -> None:
    row = next(row for row in package["rows"] if "used" in row["values"])
    row["values"]["used"] = "1"


def change_salt(package: Package) -> None:
    package["rows"][0]["salt"] = flipped(package["rows"][0]["salt"])


def change_row_path(package: Package) -> None:
    row = next(row for row in package["rows"] if row["path"])
    row["path"][0] = flipped(row["path"][0])


def change_entry_path(package: Package) -> None:
    package["entries"][0]["path"][0] = flipped(package["entries"][0]["path"][0])


def change_header(package: Package) -> None:
    package["entries"][0]["header"]["by"] = "somebody else"


def change_snapshot(package: Package) -> None:
    package["attested"][0]["values"]["printed"] = "99.9"


def change_checkpoint(package: Package) -> None:
    origin, size, *rest = package["checkpoint"].split("\n")
    package["checkpoint"] = "\n".join([origin, str(int(size) + 1), *rest])


def change_checkpoint_signature(package: Package) -> None:
    *lines, line, last = package["checkpoint"].split("\n")
    package["checkpoint"] = "\n".join([*lines, line[:-6] + ("A" if line[-6] != "A" else "B") + line[-5:], last])


def show_twice(package: Package) -> None:
    package["rows"].append(package["rows"][0])


def other_entry_twice(package: Package) -> None:
    package["entries"].append(package["entries"][0])


def no_snapshot(package: Package) -> None:
    package["entries"] = [entry for entry in package["entries"] if entry["header"]["kind"] != "snapshot"]


def row_of_no_entry(package: Package) -> None:
    package["rows"][0]["entry"] = 10**6


def status_as_evidence(package: Package) -> None:
    package["rows"].append(package["attested"][0])


@pytest.mark.parametrize(
    "change",
    [
        change_row,
        change_salt,
        change_row_path,
        change_entry_path,
        change_header,
        change_snapshot,
        change_checkpoint,
        change_checkpoint_signature,
        show_twice,
        other_entry_twice,
        no_snapshot,
        row_of_no_entry,
        status_as_evidence,
    ],
)
def test_what_was_tampered_with_is_named(world: Any, change: Change) -> None:
    package = world.packages()["U1"]
    change(package)
    found = checked(world, package)
    assert not found.good
    assert found.inclusion is not None
    assert found.inclusion.outcome == "tampered"
    assert found.inclusion.why
    assert found.signature is not None
    assert found.signature.outcome == "good"  # each question apart
    assert {n.outcome for n in found.numbers} == {"cannot"}


def change_formula(package: Package) -> None:
    text = json.dumps(package["scheme"])
    assert '"1000"' in text
    package["scheme"] = json.loads(text.replace('"1000"', '"1001"'))


def no_scheme(package: Package) -> None:
    package["scheme"] = {}


@pytest.mark.parametrize("change", [change_formula, no_scheme])
def test_other_rules_than_those_signed_are_named(world: Any, change: Change) -> None:
    package = world.packages()["U1"]
    change(package)
    found = checked(world, package)
    assert not found.good
    assert found.scheme is not None
    assert (found.scheme.outcome, bool(found.scheme.why)) == ("tampered", True)


def test_rules_signed_under_a_wrong_fingerprint_are_named(world: Any) -> None:
    package = world.packages()["U1"]
    package["credential"]["credentialSubject"]["scheme"]["fingerprint"] = "sha256:" + "0" * 64
    found = checked(world, world.resigned(package))
    assert found.scheme is not None
    assert found.scheme.outcome == "tampered"


def test_each_flipped_byte_of_a_credential_is_refused(world: Any) -> None:
    package = world.packages()["L3"]
    data = json.dumps(package["credential"], separators=(",", ":")).encode()
    rest = json.dumps({k: v for k, v in package.items() if k != "credential"}).encode()
    files = []
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        files.append((str(place), b'{"credential":' + bytes(changed) + b"," + rest[1:]))
    accepted = [found.name for found in verify(files, now=NOW, trust=world.trust).packages if found.good]
    assert accepted == []


def test_a_name_that_stands_twice_is_no_package(world: Any) -> None:
    """The signature is over the last of two; a reader who takes the first would see another number."""
    data = json.dumps(world.packages()["U1"])
    assert '"printed": "' in data
    twice = data.replace('"printed": "', '"printed": "99", "printed": "', 1).encode()
    (found,) = verify([("twice", twice)], now=NOW, trust=world.trust).packages
    assert not found.good
    assert found.malformed is not None
    assert "twice" in found.malformed.text()


def numbers_of(package: Package) -> list[Package]:
    return [v for v in package["credential"]["credentialSubject"]["values"] if v["status"] == "value"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_single_changed_number_differs_even_when_signed_anew(world: Any, data: st.DataObject) -> None:
    level = data.draw(st.sampled_from(["public", "described", "auditor"]))
    package = world.packages(level)[data.draw(st.sampled_from(["U1", "U2", "U3", "L3"]))]
    value = data.draw(st.sampled_from(numbers_of(package)))
    step = data.draw(st.sampled_from(["number", "printed", "unit", "status"]))
    if step == "number" and "exact" in value:
        number = Fraction(value["exact"]) + data.draw(st.fractions().filter(bool))
        value.update(
            exact=str(number), printed=format(round_half_away(number, len(value["printed"].partition(".")[2])), "f")
        )
    elif step == "number":
        value["double"] = repr(float(value["double"]) * (1 + 1e-9) + 1e-9)
    elif step == "status":
        for name in ("exact", "double"):
            value.pop(name, None)
        value.update(status="none", printed="")
    else:
        value[step] += "0"
    files = [("forged", json.dumps(package).encode()), ("signed", json.dumps(world.resigned(package)).encode())]
    forged, signed = verify(files, now=NOW, trust=world.trust).packages
    assert forged.signature is not None
    assert forged.signature.outcome == "bad"
    assert signed.signature is not None
    assert signed.signature.outcome == "not issued"  # the ledger has another commitment
    assert not signed.good
    assert [n.measure for n in signed.numbers if n.outcome == "differs"] == [value["measure"]]


def test_a_number_that_the_evidence_contradicts_differs(fresh: Any) -> None:
    """An issuer who commits a wrong value and signs it is found out by the rows alone."""
    wrong = [
        replace(value, number=Fraction(5)) if value.key[:2] == ("energy", "U1") else value
        for value in fresh.run.results
    ]
    with fresh.later_view() as view:
        run = replace(fresh.run, results=Results("2021Q3", wrong), view=view)
        lie = issue(run, {"portrait": ["U1"]}, ledger=fresh.ledger, key=fresh.key, now=NOW, by="office")
        ((_, package),) = pack(lie, fresh.ledger, "described")
    found = verify([("it", write_package(package))], now=NOW, trust=fresh.trust).packages[0]
    differing = [(n.measure, n.stated, n.found) for n in found.numbers if n.outcome == "differs"]
    assert differing == [("energy", "5.000 (5)", "1235.567 (1235567/1000)")]
    assert not found.good


@pytest.mark.parametrize("subject", ["U1", "L3"])
def test_a_value_that_was_left_out_of_the_snapshot_is_not_vouched_for(world: Any, subject: str) -> None:
    package = world.packages()[subject]
    package["attested"] = []
    found = checked(world, package)
    assert {n.outcome for n in found.numbers} == {"cannot"}
    assert not found.good


def test_a_number_that_the_statement_type_does_not_show(world: Any) -> None:
    package = world.packages()["L3"]
    package["credential"]["credentialSubject"]["values"][0]["measure"] = "gravity"
    found = checked(world, world.resigned(package))
    assert {n.outcome for n in found.numbers} == {"cannot"}


def recommitted(world: Any, package: Package) -> Package:
    """The package with its contents as they are, signed by the office itself."""
    package["contents"]["rows"] = {}
    for row in package["rows"]:
        package["contents"]["rows"].setdefault(str(row["entry"]), []).append(row["row"])
    package["contents"]["rows"] = {
        entry: ",".join(map(str, sorted(rows))) for entry, rows in package["contents"]["rows"].items()
    }
    package["contents"]["attested"] = ",".join(map(str, sorted(row["row"] for row in package["attested"])))
    digest = hashlib.sha256(rfc8785.dumps(package["contents"])).hexdigest()
    package["credential"]["credentialSubject"]["contents"][package["level"]] = digest
    return dict(world.resigned(package))


def test_a_number_of_somebody_else_among_the_attested(world: Any) -> None:
    package, other = world.packages()["U1"], world.packages()["U2"]
    package["attested"].append(other["attested"][0])
    assert checked(world, package).inclusion == Inclusion(
        "tampered", reason=because("row-beyond-contents", **where(other))
    )
    found = checked(world, recommitted(world, package))
    assert not found.good
    assert found.malformed is not None
    assert "somebody else" in found.malformed.text()


def where(package: Package) -> dict[str, int]:
    return {name: package["attested"][0][name] for name in ("entry", "row")}


# -- what was taken out ----------------------------------------------------------------------------------------------------


def without(rows: list[Package], *places: int) -> list[Package]:
    return [row for place, row in enumerate(rows) if place not in places]


def test_rows_that_were_taken_out_are_counted_and_no_number_is_called_wrong_for_it(world: Any) -> None:
    package = world.packages()["U1"]
    all_rows, all_values = len(package["rows"]), len(package["attested"])
    used = [place for place, row in enumerate(package["rows"]) if "used" in row["values"]]
    package["rows"] = without(package["rows"], *used[-2:])
    found = checked(world, package)
    assert found.contents == Completeness(
        "incomplete",
        reason=because("rows-missing", rows=2, all_rows=all_rows, values=0, all_values=all_values),
    )
    assert found.contents.why.startswith(f"the package is incomplete: 2 of {all_rows} rows are missing")
    assert found.contents.reason is not None
    assert "缺 2 行" in found.contents.reason.said("zh")
    assert not found.good
    assert {(n.measure, n.outcome) for n in found.numbers if n.code == "incomplete"} == {
        ("energy", "cannot"),
        ("blocks_used", "cannot"),
    }
    assert outcome(found, "fulfilment", "a") == "recomputed from evidence"
    assert "differs" not in {n.outcome for n in found.numbers}


def test_attested_values_that_were_taken_out_are_counted(world: Any) -> None:
    package = world.packages("public")["U1"]
    of = len(package["attested"])
    package["attested"] = without(package["attested"], 0)
    found = checked(world, package)
    assert found.contents is not None
    assert found.contents.why.startswith(f"the package is incomplete: 1 of {of} attested values are missing")
    assert not found.good


def less_given(package: Package) -> None:
    package["contents"]["given"].popitem()


def shorter_list(package: Package) -> None:
    entry, rows = package["contents"]["rows"].popitem()
    package["contents"]["rows"][entry] = rows.rpartition(",")[0]


def other_salt(package: Package) -> None:
    package["contents"]["salt"] = flipped(package["contents"]["salt"])


def other_level(package: Package) -> None:
    package["level"] = "auditor"


@pytest.mark.parametrize("change", [less_given, shorter_list, other_salt, other_level])
def test_the_list_of_contents_is_the_one_that_was_signed(world: Any, change: Change) -> None:
    package = world.packages()["U1"]
    change(package)
    found = checked(world, package)
    assert found.inclusion == Inclusion("tampered", reason=because("contents-other"))
    assert found.contents is None
    assert not found.good


def test_a_row_of_the_ledger_that_does_not_belong_to_the_package(world: Any) -> None:
    package, other = world.packages("described")["U1"], world.packages("auditor")["U3"]
    mine = {(row["entry"], row["row"]) for row in package["rows"]}
    alien = next(row for row in other["rows"] if (row["entry"], row["row"]) not in mine)
    there = {entry["header"]["index"] for entry in package["entries"]}
    package["rows"].append(alien)
    package["entries"] += [e for e in other["entries"] if e["header"]["index"] == alien["entry"] not in there]
    found = checked(world, package)
    assert found.inclusion == Inclusion(
        "tampered", reason=because("row-beyond-contents", entry=alien["entry"], row=alien["row"])
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_taken_out_is_missed_and_nobody_is_called_a_liar(world: Any, data: st.DataObject) -> None:
    package = world.packages(data.draw(st.sampled_from(["public", "described", "auditor"])))["U1"]
    part = data.draw(st.sampled_from(["rows", "attested"] if package["rows"] else ["attested"]))
    gone = data.draw(st.sets(st.integers(0, len(package[part]) - 1), min_size=1))
    package[part] = without(package[part], *gone)
    found = checked(world, package)
    assert found.contents is not None
    assert found.contents.outcome == "incomplete"
    assert f"{len(gone)} of " in found.contents.why
    assert "differs" not in {n.outcome for n in found.numbers}
    assert not found.good


# -- strangers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 5000, b'{"format":"mingjian/1"}', b"\x00" * 100])
def test_what_is_no_package_is_said_to_be_none(world: Any, data: bytes) -> None:
    good = json.dumps(world.packages()["U1"]).encode()
    report = verify([("bad", data), ("good", good)], now=NOW, trust=world.trust)
    assert [p.good for p in report.packages] == [False, True]
    malformed = report.packages[0].malformed
    assert malformed is not None
    assert "not a package" in malformed.text()
    assert malformed.remedy()
    assert malformed.remedy("zh")


def signer_of_nothing(package: Package) -> None:
    package["credential"]["issuer"] = "did:key:nobody"


def no_proof(package: Package) -> None:
    del package["credential"]["proof"]


def other_suite(package: Package) -> None:
    package["credential"]["proof"]["cryptosuite"] = "rot13"


def other_method(package: Package) -> None:
    package["credential"]["issuer"] = "did:web:" + package["credential"]["issuer"].removeprefix("did:key:")


@pytest.mark.parametrize("change", [signer_of_nothing, no_proof, other_suite, other_method])
def test_a_signature_that_is_none(world: Any, change: Change) -> None:
    package = world.packages()["U1"]
    change(package)
    found = checked(world, package)
    assert found.signature is not None
    assert found.signature.outcome == "bad"
    assert found.signature.why


def test_a_bad_package_does_not_take_the_others_with_it(world: Any) -> None:
    """Rows that cannot be reckoned with (the subjects' rows are missing) spoil their own package alone."""
    packages = world.packages()
    spoilt = copy.deepcopy(packages["L3"])
    kinds = {e["header"]["index"]: e["header"]["kind"] for e in spoilt["entries"]}
    spoilt["rows"] = [r for r in spoilt["rows"] if kinds[r["entry"]] != "subject" or r["values"]["id"] == "L3"]
    files = [("spoilt", spoilt), *packages.items()]
    report = verify([(n, json.dumps(p).encode()) for n, p in files], now=NOW, trust=world.trust)
    assert [p.good for p in report.packages] == [False, *[True] * len(packages)]
    assert {(n.outcome, n.code) for n in report.packages[0].numbers} == {("cannot", "incomplete")}
    assert {n.outcome for n in report.packages[4].numbers} == {"recomputed from evidence"}


def test_a_package_of_another_format_says_what_to_do(world: Any) -> None:
    package = world.packages()["U1"]
    found = checked(world, {**package, "format": "mingjian/99"})
    assert found.malformed is not None
    for language, told in (("en", "mingjian/99"), ("zh", "版本")):
        assert told in found.malformed.said(language)
        assert found.malformed.remedy(language)
    assert found.malformed.remedy() != checked(world, {**package, "level": "all"}).malformed.remedy()  # type: ignore[union-attr]


# -- what no longer stands ---------------------------------------------------------------------------------------------------


def status_of(world: Any, package: Package, now: datetime, lists: list[Any]) -> str:
    found = verify([("it", json.dumps(package).encode())], now=now, trust=world.trust, status_lists=lists).packages[0]
    assert found.status is not None
    return found.status.outcome


def test_a_statement_expires_and_does_not_hold_before_its_day(world: Any) -> None:
    leader, unit = world.packages()["L3"], world.packages()["U1"]
    assert status_of(world, leader, NOW, []) == "unknown"
    assert status_of(world, leader, NOW + timedelta(days=400), []) == "expired"
    assert status_of(world, unit, NOW + timedelta(days=4000), []) == "unknown"
    assert status_of(world, unit, NOW - timedelta(days=9), []) == "unknown"


def test_revoked_is_revoked_and_only_by_the_issuer(fresh: Any) -> None:
    packages = fresh.packages()
    before = status_list(fresh.ledger, fresh.key, NOW)
    revoke(fresh.ledger, packages["U1"]["credential"]["id"], reason="a reading was wrong", by="office")
    after = status_list(fresh.ledger, fresh.key, NOW + timedelta(hours=1))
    assert status_of(fresh, packages["U1"], NOW, [before]) == "valid"
    assert status_of(fresh, packages["U1"], NOW, [after, before]) == "revoked"
    assert status_of(fresh, packages["U2"], NOW, [after]) == "valid"
    stranger = status_list(fresh.ledger, SigningKey.from_seed(b"x" * 32), NOW)
    assert status_of(fresh, packages["U1"], NOW, [stranger]) == "unknown"
    report = verify(
        [("it", json.dumps(packages["U1"]).encode())], now=NOW, trust=fresh.trust, status_lists=[before, after]
    )
    assert not report.good
    after["issuer"] = before["id"]
    with pytest.raises(Malformed, match="not what its issuer signed") as caught:
        verify([], now=NOW, status_lists=[after])
    assert "与其签发者所签不符" in caught.value.said("zh")
    assert caught.value.to_json()["code"] == "list-unsigned"


@pytest.mark.parametrize("broken", [[], {}, {"type": ["VerifiableCredential"]}, None])
def test_what_is_no_status_list_says_what_to_do(broken: object) -> None:
    with pytest.raises(Malformed, match="not a status list") as caught:
        verify([], now=NOW, status_lists=[broken])
    assert "fetch" in caught.value.remedy
    assert "重新获取" in caught.value.said("zh")


def test_a_report_says_it_all_in_json(world: Any) -> None:
    files = [("U1", json.dumps(world.packages()["U1"]).encode()), ("bad", b"")]
    said = json.loads(json.dumps(verify(files, now=NOW, trust=world.trust).to_json()))
    assert (said["good"], [p["good"] for p in said["packages"]]) == (False, [True, False])
    assert said["packages"][0]["signature"] == {"outcome": "good", "code": "", "why": ""}
    assert {"measure", "member", "period", "verdict", "stated", "found", "code", "why"} == set(
        said["packages"][0]["numbers"][0]
    )
    assert said["counts"]["recomputed from evidence"] > 5
