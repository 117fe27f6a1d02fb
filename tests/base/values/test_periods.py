from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingjian.base.errors import Misuse
from mingjian.base.values import KINDS, Kind, Period

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")

dates = st.dates(date(2, 1, 1), date(9997, 12, 31))
long_kinds = st.sampled_from([kind for kind in KINDS if kind != "hour"])
periods = st.builds(Period.of, dates, long_kinds)


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2021", date(2021, 1, 1), date(2022, 1, 1)),
        ("2021H2", date(2021, 7, 1), date(2022, 1, 1)),
        ("2021Q3", date(2021, 7, 1), date(2021, 10, 1)),
        ("2020-02", date(2020, 2, 1), date(2020, 3, 1)),
        ("2020-02-29", date(2020, 2, 29), date(2020, 3, 1)),
    ],
)
def test_a_period_runs_from_its_first_day_to_the_day_after_its_last(text: str, first: date, end: date) -> None:
    period = Period.parse(text)
    assert (str(period), period.first, period.end) == (text, first, end)


@pytest.mark.parametrize(
    "text",
    [
        "", "21", "2021Q5", "2021Q0", "2021H3", "2021-13", "2021-00", "2021-02-29", "2021-8", "２０２１", "0000", "9999",
        "2021-08-15T24+08:00", "2021-08-15T07", "2021-08-15T07-00:00", "2021-08-15T07+08:75", "2021-02-30T07+08:00",
        "2021\n",
    ],
)  # fmt: skip
def test_what_is_not_a_period_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(Misuse) as refusal:
        Period.parse(text)
    assert refusal.value.remedy


@given(periods)
def test_text_and_neighbours_lead_back(period: Period) -> None:
    assert Period.parse(str(period)) == period
    assert period.next().previous() == period
    assert period.previous().end == period.first
    assert period.previous() < period < period.next()


@given(periods, long_kinds)
def test_parts_fill_a_period_and_lie_in_it(period: Period, kind: Kind) -> None:
    if KINDS.index(kind) < KINDS.index(period.kind):
        assert period in period.containing(kind).parts(period.kind)
        with pytest.raises(Misuse, match="containing"):
            period.parts(kind)
        return
    parts = period.parts(kind)
    assert (parts[0].first, parts[-1].end) == (period.first, period.end)
    assert all(before.end == after.first for before, after in pairwise(parts))
    assert all(part.containing(period.kind) == period for part in parts)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))
def test_an_hour_holds_its_instant_and_returns_from_text(instant: datetime) -> None:
    for zone in (SHANGHAI, BERLIN):
        hour = Period.of(instant, "hour", zone)
        assert hour.start_at(UTC) <= instant < hour.end_at(UTC)
        assert Period.parse(str(hour)) == hour
        assert hour.next(zone).previous(zone) == hour
        assert hour.next(zone).start_at(UTC) == hour.end_at(UTC)
        assert hour in hour.containing("day").parts("hour", zone)


def test_the_two_hours_of_one_name_stay_apart_when_clocks_go_back() -> None:
    hours = Period.parse("2021-10-31").parts("hour", BERLIN)
    assert [str(hour) for hour in hours[2:4]] == ["2021-10-31T02+02:00", "2021-10-31T02+01:00"]
    assert hours[2] < hours[3]
    assert len(set(hours)) == 25
    assert len(Period.parse("2021-03-28").parts("hour", BERLIN)) == 23
    assert len(Period.parse("2021-08-15").parts("hour", SHANGHAI)) == 24


@pytest.mark.parametrize(("day", "zone"), [("2021-04-04", "Australia/Lord_Howe"), ("2018-05-04", "Asia/Pyongyang")])
def test_a_day_without_whole_hours_is_refused(day: str, zone: str) -> None:
    with pytest.raises(Misuse, match="no whole hours"):
        Period.parse(day).parts("hour", ZoneInfo(zone))


def test_instants_depend_on_the_zone() -> None:
    month = Period.parse("2021-08")
    assert month.start_at(SHANGHAI).astimezone(UTC) == datetime(2021, 7, 31, 16, tzinfo=UTC)
    assert month.end_at(SHANGHAI).astimezone(UTC) == datetime(2021, 8, 31, 16, tzinfo=UTC)
    assert Period.of(datetime(2021, 7, 31, 16, tzinfo=UTC), "month", SHANGHAI) == month
    assert Period.of(datetime(2021, 8, 1, tzinfo=SHANGHAI), "month") == month


def test_questions_without_an_answer_are_refused() -> None:
    hour = Period.parse("2021-08-15T07+08:00")
    for ask in (
        lambda: Period.of(date(2021, 8, 15), "hour"),
        lambda: Period.of(datetime(2021, 8, 15), "day"),
        lambda: Period.parse("2021-08-15").parts("hour"),
        lambda: Period.parse("2021").containing("day"),
        lambda: hour.end,
        lambda: hour.next(),
        lambda: Period.parse("0001").previous(),
        lambda: Period.parse("2021") < Period.parse("2021Q1"),
    ):
        with pytest.raises(Misuse):
            ask()
    assert hour.parts("hour") == (hour,)


def test_order_follows_time_within_a_kind() -> None:
    early, late = Period.parse("2021-08-15T07+08:00"), Period.parse("2021-08-15T07+00:00")
    assert early < late
    assert late > early
    assert early <= early >= early
    assert sorted([late, early]) == [early, late]
