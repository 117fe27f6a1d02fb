"""Readings that nobody here wrote, taken in as series: what is whole lands to the last unit, what is not is a finding."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mingjian.declare import EvidenceType, Field, Title
from mingjian.record.evidence import Intake, Series, read_file

ROOT = Path(os.environ.get("MINGJIAN_EXTERNAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "green"
NAME = Title("reading", "读数")

pytestmark = [pytest.mark.external, pytest.mark.skipif(not ROOT.is_dir(), reason=f"no readings at {ROOT}")]


def taken(folder: Path, step: int, zone: str, lines: list[tuple[str, str, object]]) -> Intake:
    fields = (
        Field("meter", "text", NAME),
        Field("month", "period", NAME, of=("month",)),
        Field("readings", "series", NAME, unit="Wh", step=step),
    )
    kind = EvidenceType("reading", NAME, {f.name: f for f in fields}, ("meter", "month"), "month", bad_rows="leave_out")
    path = folder / "lines.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("meter", "time", "readings"), *lines])
    return read_file(path, kind, zone=zone)


def months(intake: Intake) -> dict[str, Series]:
    columns = (intake.table[name].to_pylist() for name in ("month", "readings"))
    return {month: Series.of(values) for month, values in zip(*columns, strict=True)}


def test_fourteen_years_of_a_region_by_the_hour(tmp_path: Path) -> None:
    with (ROOT / "AEP_hourly.csv").open(encoding="utf-8") as file:
        given = [(datetime.strptime(at, "%m/%d/%Y %H:%M"), int(mw)) for at, mw in [*csv.reader(file)][1:]]
    lines = [("AEP", at.isoformat(), mw) for at, mw in given]

    found = taken(tmp_path, 60, "Etc/GMT+5", lines)

    assert len(given) == 121_273
    # Of 167 months those in which clocks changed (hours left out, hours twice) and the first, which begins late, are not whole.
    assert (len(found.table), found.refused) == (136, 31)
    assert Counter(f.rule for f in found.findings) == {"gap": 27, "doubled-time": 4}
    hours: Counter[str] = Counter(at.isoformat()[:7] for at, _ in given)
    sums: Counter[str] = Counter()
    for at, mw in given:
        sums[at.isoformat()[:7]] += mw
    assert months(found) == {m: Series(hours[m], 0, sums[m]) for m in months(found)}

    there = taken(tmp_path, 60, "America/New_York", [line for line in lines if line[1].startswith("2005")])
    wrong = [f.value for f in there.findings if f.rule == "no-such-time"]
    assert wrong == ["2005-04-03T02:00:00", "2005-10-30T01:00:00"], "hours that the clock shows twice, or never"


def test_a_year_of_a_wind_turbine_every_ten_minutes(tmp_path: Path) -> None:
    with (ROOT / "T1_wind_scada_10min_2018.csv").open(encoding="latin-1") as file:
        rows = [*csv.reader(file, delimiter=next(d for d in "\t," if d in file.readline()))]
    given = [(datetime.strptime(row[0], "%d %m %Y %H:%M"), row[1]) for row in rows]

    found = taken(tmp_path, 10, "Europe/Istanbul", [("T1", at.isoformat(), kw) for at, kw in given[:4000]])
    assert {f.rule for f in found.findings} == {"not-whole", "gap"}
    assert not found.table.num_rows, "kW with seven decimals are no whole watts, and nothing rounds them"

    watts = [("T1", at.isoformat(), round(float(kw) * 1000)) for at, kw in given]
    whole = taken(tmp_path, 10, "Europe/Istanbul", watts)
    assert {f.rule for f in whole.findings} == {"gap"}
    assert whole.table.num_rows + whole.refused == 12
    sums: Counter[str] = Counter()
    for _, at, watt in watts:
        sums[at[:7]] += watt
    assert {month: series.total for month, series in months(whole).items()} == {m: sums[m] for m in months(whole)}


@pytest.mark.parametrize("name", ["Coastal_Multi_Family", "Inland_Single_Family"])
def test_a_year_of_a_household_from_green_button(tmp_path: Path, name: str) -> None:
    (path,) = ROOT.glob(f"{name}*.xml")
    readings = re.findall(
        r"<IntervalReading>\s*<timePeriod>\s*<duration>3600</duration>\s*<start>(\d+)</start>\s*</timePeriod>\s*"
        r"<value>(\d+)</value>",
        path.read_text("utf-8"),
    )
    lines = [(name, datetime.fromtimestamp(int(start), UTC).isoformat(), wh) for start, wh in readings]

    found = taken(tmp_path, 60, "America/Los_Angeles", lines)

    seen = months(found)
    assert (seen["2011-03"].count, seen["2011-11"].count) == (743, 721), "31 days less an hour, 30 days and one more"
    assert seen["2011-06"].total == sum(int(wh) for _, at, wh in lines if "2011-06-01T07" <= at < "2011-07-01T07")
