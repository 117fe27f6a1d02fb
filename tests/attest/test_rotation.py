"""Keys change and are stolen; what was issued stays verifiable, and a thief gains nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mingjian.attest.issue import issue, pack, status_list
from mingjian.attest.statements import Malformed, write_package
from mingjian.attest.verify import Checked, Trust, verify
from mingjian.base.errors import Misuse
from mingjian.base.keys import NoteKey, SigningKey, suite
from mingjian.record.ledger import by_issuers, change_key, write_key_history

NOW = datetime(2021, 10, 1, 8, 0, tzinfo=UTC)
NEW, NEW_LEDGER = SigningKey.from_seed(b"n" * 32), SigningKey.from_seed(b"m" * 32)


def rotate_issuer(world: Any, **of: Any) -> None:
    attest = by_issuers(world.ledger.origin, None if of else world.key, NEW)
    change_key(world.ledger, "issuer", world.key.public.did_key, NEW.public.did_key, attest, by="office", **of)


def issued_anew(world: Any, key: SigningKey) -> bytes:
    """A package issued now, by this key, of the same numbers."""
    run = replace(world.run, view=world.later_view())
    said = issue(run, {"portrait": ["U1"]}, ledger=world.ledger, key=key, now=NOW, by="office")
    ((_, package),) = pack(said, world.ledger, "described")
    return write_package(package)


def checked(world: Any, data: bytes, trust: Trust, **more: Any) -> Checked:
    (found,) = verify(
        [("it", data)], now=NOW, trust=trust, key_histories=[write_key_history(world.ledger)], **more
    ).packages
    return found


def test_both_keys_verify_for_who_knows_either_and_the_old_one_signs_no_more(fresh: Any) -> None:
    old, before, first = json.dumps(fresh.packages()["U1"]).encode(), fresh.trust, fresh.ledger.vkey
    rotate_issuer(fresh)
    fresh.ledger.rotate(NEW_LEDGER, by="office")
    with pytest.raises(Misuse, match="the issuer's key was changed"):
        issued_anew(fresh, fresh.key)
    new = issued_anew(fresh, NEW)
    after = Trust.of([NEW.public.did_key], [fresh.ledger.vkey])
    assert fresh.ledger.vkey == str(NoteKey(fresh.ledger.origin, NEW_LEDGER.public)) != first
    lists = [status_list(fresh.ledger, NEW, NOW)]
    for trust in (before, after):
        for data, code in ((old, "key-of-its-day"), (new, "")):
            found = checked(fresh, data, trust, status_lists=lists)
            assert found.good
            assert (found.signature.outcome, found.signature.code) == ("good", code)
            assert found.status.outcome == "valid"
            assert "recomputed from evidence" in {number.outcome for number in found.numbers}
    strangers = Trust.of(["did:key:z6MkfAi9WxGsBQo9fzCNxSAHD9Z2JfRYN5c4vg8bR5hYVmvf"], [first])
    assert checked(fresh, old, strangers).signature.outcome == "unknown issuer"
    stale = [status_list(fresh.ledger, fresh.key, NOW)]  # a thief's: the old key speaks for nothing any more
    assert checked(fresh, old, after, status_lists=stale).status.outcome == "unknown"


def test_a_checkpoint_after_the_change_counts_under_the_new_key_only(fresh: Any) -> None:
    thief, trust = SigningKey.from_seed(b"l" * 32), fresh.trust
    fresh.ledger.rotate(NEW_LEDGER, by="office")
    package = json.loads(issued_anew(fresh, fresh.key))
    text = package["checkpoint"].partition("\n\n")[0] + "\n"
    signed = thief.sign(text.encode())
    package["checkpoint"] = f"{text}\n{NoteKey(fresh.ledger.origin, thief.public).line(signed)}\n"
    found = checked(fresh, json.dumps(package).encode(), trust)
    assert (found.inclusion.outcome, found.inclusion.code) == ("tampered", "checkpoint-bad")


@pytest.mark.parametrize(
    ("since", "outcome", "code"),
    [
        (NOW + timedelta(milliseconds=1), "good", "key-of-its-day"),
        (NOW, "key not in force", "key-revoked"),
        (NOW - timedelta(days=3), "key not in force", "key-revoked"),
    ],
    ids=["later", "then", "before"],
)
def test_what_the_ledger_had_before_the_date_stays_good(fresh: Any, since: datetime, outcome: str, code: str) -> None:
    data = json.dumps(fresh.packages()["U1"]).encode()
    rotate_issuer(fresh, since=since, reason="a laptop was lost")
    found = checked(fresh, data, fresh.trust)
    assert (found.signature.outcome, found.signature.code, found.good) == (outcome, code, outcome == "good")
    if code == "key-revoked":
        assert "a laptop was lost" in found.signature.why
        assert "吊销" in found.signature.reason.said("zh")


def test_a_thief_dates_back_and_gains_nothing(fresh: Any) -> None:
    """Who has the issuer's key signs an old statement otherwise: not revoked any more, valid for ever, dated back."""
    package = fresh.packages()["U1"]
    rotate_issuer(fresh, since=NOW + timedelta(days=30), reason="stolen")
    credential = {name: value for name, value in package["credential"].items() if name != "proof"}
    credential["credentialStatus"] = {**credential["credentialStatus"], "statusListIndex": "99"}
    signed = suite("eddsa-jcs-2022").sign(
        credential, fresh.key, created=NOW - timedelta(days=9), verification_method=fresh.key.public.method
    )
    found = checked(fresh, json.dumps({**package, "credential": signed}).encode(), fresh.trust)
    assert (found.signature.outcome, found.signature.code) == ("not issued", "not-issued")
    assert not found.good


def drop_a_change(history: dict[str, Any]) -> None:
    history["changes"].pop()


def swap_the_key(history: dict[str, Any]) -> None:
    row = history["changes"][0]["row"]["values"]
    row["new"] = str(NoteKey("tiny.example/log", SigningKey.from_seed(b"x" * 32).public))


def change_the_date(history: dict[str, Any]) -> None:
    history["changes"][1]["row"]["values"]["since"] = "2031-01-01T00:00:00+00:00"


def another_history(history: dict[str, Any]) -> None:
    history["changes"][0]["consistency"].pop()


def no_document(history: dict[str, Any]) -> None:
    history["changes"][0].pop("row")


@pytest.mark.parametrize("change", [drop_a_change, swap_the_key, change_the_date, another_history, no_document])
def test_a_history_that_was_changed_is_refused(fresh: Any, change: Callable[[dict[str, Any]], None]) -> None:
    trust = fresh.trust
    fresh.ledger.rotate(NEW_LEDGER, by="office")
    rotate_issuer(fresh, since=NOW, reason="stolen")
    history = json.loads(json.dumps(write_key_history(fresh.ledger)))
    assert verify([], now=NOW, trust=trust, key_histories=[history]).packages == ()
    change(history)
    with pytest.raises(Malformed, match="history of keys"):
        verify([], now=NOW, trust=trust, key_histories=[history])


def test_a_history_of_a_ledger_that_the_reader_does_not_know_is_refused(fresh: Any) -> None:
    fresh.ledger.rotate(NEW_LEDGER, by="office")
    with pytest.raises(Malformed, match="does not know"):
        verify([], now=NOW, trust=Trust.of([fresh.key.public.did_key]), key_histories=[write_key_history(fresh.ledger)])


def test_an_old_checkpoint_still_audits_after_the_change(fresh: Any) -> None:
    kept = fresh.ledger.checkpoint()
    fresh.ledger.rotate(NEW_LEDGER, by="office")
    assert fresh.ledger.audit(kept) == []
    assert fresh.ledger.audit(fresh.ledger.checkpoint()) == []


def test_a_key_never_comes_back_and_none_changes_twice(fresh: Any) -> None:
    old = fresh.key.public.did_key
    rotate_issuer(fresh)
    back = by_issuers(fresh.ledger.origin, NEW, fresh.key)
    with pytest.raises(Misuse, match="was in force before"):
        change_key(fresh.ledger, "issuer", NEW.public.did_key, old, back, by="office")
    with pytest.raises(Misuse, match="is not in force"):
        rotate_issuer(fresh)
