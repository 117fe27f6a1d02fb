"""Which of the emission factors that were seen come near the CO2 that the page claims."""

import os
from pathlib import Path

import pytest

from mingjian.reckon.claims import check_claims, load_claims

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "green"
PAGE = Path(__file__).parents[2] / "examples" / "chongqing-2021-09-07" / "claims.toml"

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no factors at {ROOT}")]


def test_two_seen_factors_come_near_and_838_is_none_of_them() -> None:
    found = {v.claim.id: v for v in check_claims(load_claims(PAGE), lambda *_: None, ROOT / "emission_factors_cn.csv")}
    near = [text.en for text in found["co2"].candidates]
    assert [line.split(": ", 1)[1] for line in near] == [
        "60,000 MWh × 0.5856 kg/kWh = 35,136 t (+2.44%)",
        "60,000 MWh × 0.5568 kg/kWh = 33,408 t (-2.60%)",
    ]
