"""Periods: how they are written, and that their parts cover them exactly, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celadon.core.findings import FindingError
from celadon.core.periods import (
    Grain,
    Period,
    Validity,
    asked_period,
    floor,
    next_edge,
    parse_instant,
    parse_period,
    zone,
)

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # moves its clocks by half an hour
)


@pytest.mark.parametrize(
    ("text", "zone_name", "start", "end"),
    [
        ("2018", "Asia/Shanghai", "2017-12-31T16:00", "2018-12-31T16:00"),
        ("2018-Q1", "UTC", "2018-01-01T00:00", "2018-04-01T00:00"),
        ("2018-03", "Europe/Berlin", "2018-02-28T23:00", "2018-03-31T22:00"),
        ("2018-03-25", "Europe/Berlin", "2018-03-24T23:00", "2018-03-25T22:00"),
        ("2018-01-01..2018-02-15", "UTC", "2018-01-01T00:00", "2018-02-16T00:00"),
        ("2018-03-05T14:00", "UTC", "2018-03-05T14:00", "2018-03-05T15:00"),
        ("2018-03-05T14:00..2018-03-05T14:30", "UTC", "2018-03-05T14:00", "2018-03-05T14:30"),
    ],
)
def test_reading(text: str, zone_name: str, start: str, end: str) -> None:
    period = parse_period(text, zone_name)
    assert period.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert period.end == datetime.fromisoformat(end).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "18", "2018-13", "2018-02-30", "2018-Q5", "2019..2018", "last year", "2018-03-05T25:00"]
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(FindingError) as caught:
        parse_period(text)
    assert caught.value.findings[0].code == "period.unreadable"


def test_unknown_zone() -> None:
    for name in ("Asia/Atlantis", "", "../etc"):
        with pytest.raises(FindingError) as caught:
            zone(name)
        assert caught.value.findings[0].code == "period.zone-unknown"


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 500),
    st.sampled_from(ZONES),
    st.sampled_from(list(Grain)),
)
def test_parts_cover_exactly(start: datetime, hours: int, zone_name: str, grain: Grain) -> None:
    begin = start.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    period = Period(begin, begin + timedelta(hours=hours), zone_name)
    parts = list(period.split(grain))
    assert parts[0].start == period.start
    assert parts[-1].end == period.end
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert sum(part.seconds for part in parts) == period.seconds
    for part in parts[1:]:
        assert floor(part.start, grain, zone_name) == part.start


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)])
def test_days_are_as_long_as_they_are(day: str, hours: int) -> None:
    period = parse_period(day, "Europe/Berlin")
    assert period.seconds == hours * 3600
    assert len(list(period.split(Grain.HOUR))) == hours


@pytest.mark.parametrize(
    "text", ["2018", "2018-03", "2018-03-05", "2018-01-01..2018-02-15", "2018-03-05T14:00"]
)
def test_labels_read_back(text: str) -> None:
    period = parse_period(text, "Asia/Shanghai")
    assert period.label == text
    assert parse_period(period.label, "Asia/Shanghai") == period


def test_instants_and_edges() -> None:
    assert parse_instant("2018-01-01T00:00", "Asia/Shanghai") == datetime(2017, 12, 31, 16, tzinfo=UTC)
    assert parse_instant("2018-01-01T00:00:00+02:00", "Asia/Shanghai") == datetime(
        2017, 12, 31, 22, tzinfo=UTC
    )
    assert next_edge(datetime(2018, 1, 1, 12, 30, tzinfo=UTC), Grain.HOUR, "Asia/Kathmandu") == datetime(
        2018, 1, 1, 13, 15, tzinfo=UTC
    )


def test_validity() -> None:
    first, second = Validity(None, datetime(2020, 6, 30).date()), Validity(datetime(2020, 7, 1).date(), None)
    assert not first.overlaps(second)
    assert first.covers(datetime(2020, 6, 30).date())
    assert not first.covers(datetime(2020, 7, 1).date())
    assert first.overlaps(Validity(datetime(2020, 6, 30).date(), None))


@pytest.mark.parametrize(
    ("text", "zone_name", "why", "either"),
    [
        # Berlin goes from 03:00 (+02:00) back to 02:00 (+01:00) on 27 October 2024.
        ("2024-10-27T02:30", "Europe/Berlin", "it comes twice", ("2024-10-27T02:30+02:00", "2024-10-27T02:30+01:00")),
        # It skips 02:00 to 03:00 on 31 March: what comes half an hour after 01:59:59 is 03:30, half an hour before 03:00 01:30.
        ("2024-03-31T02:30", "Europe/Berlin", "the clock skips it", ("2024-03-31T01:30+01:00", "2024-03-31T03:30+02:00")),
        # Lord Howe goes back half an hour, from 02:00 (+11:00) to 01:30 (+10:30), on 7 April 2024.
        ("2024-04-07T01:45..2024-04-07T05:00", "Australia/Lord_Howe", "it comes twice",
         ("2024-04-07T01:45+11:00", "2024-04-07T01:45+10:30")),
    ],
)  # fmt: skip
def test_a_clock_time_that_is_skipped_or_comes_twice_is_not_guessed(
    text: str, zone_name: str, why: str, either: tuple[str, str]
) -> None:
    with pytest.raises(FindingError) as refused:
        asked_period(text, zone_name)
    (found,) = refused.value.findings
    assert found.code == "period.clock-unclear"
    assert found.says("en") == f"{text.split('..')[0]} in {zone_name}: {why}."
    assert found.fix("en") == f"Write the offset with it: {either[0]} or {either[1]}."
    hours = [asked_period(item, zone_name) for item in either]
    assert hours[0].start < hours[1].start
    assert asked_period("2024-10-27", zone_name) == parse_period("2024-10-27", zone_name)


def test_half_hours_where_the_clock_moves_by_half_an_hour() -> None:
    """Lord Howe: 01:30 to 02:00 comes twice on 7 April 2024, 02:00 to 02:30 is skipped on 6 October."""
    back = list(parse_period("2024-04-07", "Australia/Lord_Howe").split(Grain.HOUR))
    assert [(part.label[11:], part.seconds) for part in back[:4]] == [
        ("00:00", 3600), ("01:00", 3600), ("01:30+10:30", 1800), ("02:00", 3600),
    ]  # fmt: skip
    assert sum(part.seconds for part in back) == 24.5 * 3600
    forward = list(parse_period("2024-10-06", "Australia/Lord_Howe").split(Grain.HOUR))
    assert [(part.label[11:], part.seconds) for part in forward[:4]] == [
        ("00:00", 3600), ("01:00", 3600), ("02:30", 1800), ("03:00", 3600),
    ]  # fmt: skip
    for part in (*back, *forward):
        middle = part.start + (part.end - part.start) / 2
        assert floor(middle, Grain.HOUR, part.zone) == part.start
        assert next_edge(middle, Grain.HOUR, part.zone) == part.end


def test_the_two_hours_of_one_clock_time_have_labels_of_their_own() -> None:
    hours = [period.label for period in parse_period("2024-10-27", "Europe/Berlin").split(Grain.HOUR)][1:5]
    assert hours == [
        "2024-10-27T01:00",
        "2024-10-27T02:00+02:00",
        "2024-10-27T02:00+01:00",
        "2024-10-27T03:00",
    ]
    assert asked_period(hours[2], "Europe/Berlin").label == hours[2]
