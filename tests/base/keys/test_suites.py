import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mingjian.base.errors import Misuse
from mingjian.base.keys import SigningKey, suite
from mingjian.base.values import canonical

AT = datetime(2021, 9, 7, 8, tzinfo=UTC)
KEY = SigningKey.from_seed(b"k" * 32)
EDDSA = suite("eddsa-jcs-2022")


def signed(document: dict[str, Any], purpose: str = "assertionMethod") -> dict[str, Any]:
    return EDDSA.sign(document, KEY, created=AT, verification_method=KEY.public.method, purpose=purpose)


DOCUMENT = {"@context": ["https://www.w3.org/ns/credentials/v2"], "name": "龘靐齉", "value": "1.50", "rank": 3}


def test_a_signed_document_verifies_also_after_a_journey_through_json() -> None:
    document = signed(DOCUMENT)
    assert EDDSA.verify(json.loads(json.dumps(document, indent=2)), KEY.public)
    assert EDDSA.verify(signed({"name": "no context"}), KEY.public)
    assert "proof" not in DOCUMENT


def test_no_flipped_byte_verifies() -> None:
    data = canonical(signed(DOCUMENT))
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        try:
            document = json.loads(changed)
        except ValueError:
            continue
        assert not EDDSA.verify(document, KEY.public), position


def test_each_refusal_says_why() -> None:
    document = signed(DOCUMENT)
    proof = document["proof"]

    def reason(document: dict[str, Any], **changes: Any) -> str:
        check = EDDSA.verify({**document, "proof": {**proof, **changes}}, KEY.public)
        assert not check
        return check.reason

    assert "no single proof" in EDDSA.verify(DOCUMENT, KEY.public).reason
    assert "cryptosuite" in reason(document, cryptosuite="eddsa-rdfc-2022")
    assert "proofPurpose" in EDDSA.verify(signed(DOCUMENT, "authentication"), KEY.public).reason
    assert "signed under" in EDDSA.verify(document, SigningKey.generate().public).reason
    assert "signed under" in reason(document, verificationMethod=None)
    assert "not of this document" in reason({**document, "rank": 2})
    assert "context" in reason({**document, "@context": "https://elsewhere"})
    assert "beyond 2^53" in reason({**document, "rank": 2**60})
    for value in (None, "z", "z0", proof["proofValue"][1:], proof["proofValue"][:-2], proof["proofValue"] + " "):
        assert "proofValue" in reason(document, proofValue=value)


def test_a_context_may_be_added_behind_the_signed_one() -> None:
    document = signed(DOCUMENT)
    assert EDDSA.verify({**document, "@context": [*document["@context"], "https://more"]}, KEY.public)


def test_a_method_elsewhere_is_for_the_caller_to_resolve() -> None:
    document = EDDSA.sign(DOCUMENT, KEY, created=AT, verification_method="https://office.example/keys#1")
    assert EDDSA.verify(document, KEY.public)


def test_signing_twice_or_at_no_certain_time_is_refused() -> None:
    with pytest.raises(Misuse, match="signed already"):
        signed(signed(DOCUMENT))
    with pytest.raises(Misuse, match="no zone"):
        EDDSA.sign(DOCUMENT, KEY, created=AT.replace(tzinfo=None), verification_method=KEY.public.method)


def test_an_unknown_suite_names_what_there_is() -> None:
    with pytest.raises(Misuse, match="did you mean 'eddsa-jcs-2022'"):
        suite("eddsa-jcs-2021")
    with pytest.raises(Misuse, match="one of eddsa-jcs-2022"):
        suite("?")
