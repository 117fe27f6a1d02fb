"""The portraits are drawn on one page in both languages, whatever there is to say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mingjian.base.typeset import Typesetter, qr_svg
from mingjian.declare import Scheme
from mingjian.reckon.measures import Results
from mingjian.schemes.three_portraits.sample import sample

AT = datetime(2021, 10, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    return {kind: table.to_pylist() for kind, table in sample().items() if kind in ("subject", "indicator")}


@pytest.fixture(scope="module")
def results(run) -> Results:
    return run(sample(), "2021Q3")


@pytest.fixture(scope="module")
def given(scheme: Scheme, rows: dict[str, list[dict[str, Any]]], results: Results):
    """What a template is given of a subject, as the head of portrait.typ says."""

    def pair(row: dict[str, Any]) -> dict[str, str]:
        return {"zh": row["zh"], "en": row["en"]}

    named = {row["id"]: row for row in rows["subject"]}

    def values(subject: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for value in results.of(subject):
            title = (scheme.measures.get(value.measure) or scheme.indices[value.measure]).title
            found.setdefault(value.measure, {})[value.member] = {
                "status": value.status,
                "printed": value.printed,
                "title": {"zh": title.zh, "en": title.en},
            }
        return found

    def given(statement: str, subject: str, language: str) -> dict[str, Any]:
        title = scheme.statements[statement].title
        parent = named[named[subject]["parent"]]
        return {
            "language": language,
            "synthetic": True,
            "period": "2021Q3",
            "statement": {
                "id": "urn:uuid:6f1f3c0e-58a4-8b1f-9c3e-0c9f5f1f2a77",
                "title": {"zh": title.zh, "en": title.en},
                "issuer": {"zh": "示例机关", "en": "Example office"},
                "issued": "2021-10-08",
            },
            "subject": {"id": subject, "title": pair(named[subject]), "parent": pair(parent)},
            "values": values(subject),
            "members": {
                r["code"]: pair(r)
                | {"weight": str(r["weight"]), "group": {"id": r["aspect"], "zh": r["aspect_zh"], "en": r["aspect_en"]}}
                for r in rows["indicator"]
            },
            "beside": {"title": pair(parent), "values": values(parent["id"])},
            "peers": {"assessment": {"lowest": "66.00", "middle": "89.00", "highest": "100.00", "count": "24"}},
            "replies": [{"date": "2021-10-12", "text": "已整改。"}],
            "qr_svg": qr_svg("https://ledger.example/verify"),
            "verify": {
                "command": "mingjian verify U01.json",
                "origin": "ledger.example/2021",
                "size": "1312",
                "root": "ab" * 32,
                "fingerprint": "sha256:" + "cd" * 32,
            },
        }

    return given


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("unit_portrait", "U01"),  # the page's example
        ("unit_portrait", "U02"),  # rare characters
        ("unit_portrait", "U03"),  # a long name
        ("unit_portrait", "U04"),  # withheld
        ("leader_portrait", "L001"),
        ("leader_portrait", "L003"),  # rare characters
        ("leader_portrait", "L004"),  # a long name
        ("leader_portrait", "L023"),  # withheld
    ],
)
def test_portrait_takes_one_page(
    statement: str, subject: str, language: str, scheme: Scheme, folder: Path, typesetter: Typesetter, given
) -> None:
    template = folder / scheme.statements[statement].template
    data = given(statement, subject, language)
    assert len(typesetter.png(template, data, at=AT, ppi=20)) == 1
    assert typesetter.pdf(template, data, at=AT).startswith(b"%PDF")


def test_portrait_of_nothing_is_drawn_too(scheme: Scheme, folder: Path, typesetter: Typesetter, given) -> None:
    """A unit without tasks, votes, rows, peers or replies."""
    data = given("unit_portrait", "U01", "zh") | {"values": {}, "replies": []}
    del data["peers"], data["beside"]
    assert len(typesetter.png(folder / "templates/unit.typ", data, at=AT, ppi=20)) == 1
