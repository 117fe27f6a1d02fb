"""The certificate draws in both languages, also where figures are missing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mingjian.schemes.green_power
from mingjian.base.typeset import Typesetter, qr_svg

TEMPLATE = Path(mingjian.schemes.green_power.__file__).parent / "templates" / "certificate.typ"
AT = datetime(2022, 1, 10, 1, tzinfo=UTC)
ABSENT = {"status": "none", "printed": "", "unit": "", "title": {"zh": "", "en": ""}}


def value(printed: str, unit: str = "kWh") -> dict[str, Any]:
    return ABSENT | {"status": "value", "printed": printed, "unit": unit}


def data(language: str = "zh", plants: int = 2) -> dict[str, Any]:
    plant_values = {f"P{n}": value(f"{1_000_000 - n}.500") for n in range(plants)}
    months = {f"2021-{month:02}": value("1000.000") for month in range(1, 13)}
    factor = {
        "value": "0.5568",
        "unit": "kg/kWh",
        "source": "s",
        "from": "2021-01-01",
        "title": {"zh": "因子", "en": "Factor"},
    }
    return {
        "language": language,
        "synthetic": True,
        "statement": {
            "id": "urn:x:1",
            "title": {"zh": "凭证", "en": "Certificate"},
            "issuer": {"zh": "X", "en": "X"},
            "issued": "2022-01-10",
        },
        "period": "2021",
        "subject": {"id": "C", "title": {"zh": "龘靐齉数据中心", "en": "Data centre"}},
        "values": {
            "green_energy": {"": value("60000000.000")},
            "total_use": {"": value("109760108.523")},
            "green_share": {"": value("54.66", "percent")},
            "gec_count": {"": value("59997", "certificate")},
            "gec_rest": {"": value("3000.000")},
            "avoided_co2": {"": value("33408.000", "t")},
            "location_based": {"": value("61114.428", "t")},
            "market_based": {"": ABSENT},
            "unsettled": {"": value("0", "month")},
            "green_by_plant": plant_values,
            "green_by_technology": {"wind": value("60000000.000")},
            "green_by_month": months,
            "use_by_month": months,
            "gec_by_month": months,
        },
        "members": {"wind": {"zh": "风电", "en": "Wind"}, "P0": {"zh": "电厂", "en": "Plant"}},
        "parameters": {"grid_factor": factor},
        "qr_svg": qr_svg("https://example.org/1"),
        "verify": {"command": "mingjian verify x.json", "origin": "example.org", "size": "1", "root": "r", "fingerprint": "f"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_a_page_and_an_annex(typesetter: Typesetter, language: str) -> None:
    assert len(typesetter.png(TEMPLATE, data(language), at=AT, ppi=20)) == 2
    assert typesetter.pdf(TEMPLATE, data(language), at=AT).startswith(b"%PDF")


def test_the_page_stays_one_page_with_many_plants(typesetter: Typesetter) -> None:
    few, many = (typesetter.png(TEMPLATE, data(plants=n), at=AT, ppi=20) for n in (5, 8))
    assert (len(few), len(many)) == (2, 3)  # all of the plants are in the annex


def test_it_draws_what_is_missing(typesetter: Typesetter) -> None:
    given = data("en")
    given["parameters"] = {}
    given["values"] = {
        "green_energy": {"": ABSENT},
        "unsettled": {"": value("12", "month")},
        "unread": {"": value("1", "month")},
        "green_share": {"": ABSENT | {"status": "withheld"}},
    }
    assert typesetter.pdf(TEMPLATE, given, at=AT).startswith(b"%PDF")
