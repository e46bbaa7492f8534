"""The short way for few readings of plain registers against the general one: the same cells, events and findings, or none."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime, timedelta

import pytest

from celadon.core.model import Meter
from celadon.core.periods import Period
from celadon.metering.brief import Brief, derive_briefly, may_be_brief
from celadon.metering.faults import findings_from, findings_of
from celadon.metering.intervals import derive
from celadon.metering.scales import life
from tests.metering.test_plain import START, bench, ledger, noise, quarters, register

Rows = list[tuple[object, ...]]


def _briefly(meters: list[Meter], rows: Rows, hours: float, grid: int) -> Brief | None:
    lives = {number: life(meter) for number, meter in enumerate(meters, start=1)}
    assert may_be_brief(lives)
    con = bench(rows)
    found = con.execute("SELECT point, epoch_us(t), value, file, line FROM r ORDER BY point, t").fetchall()
    return derive_briefly(found, lives, (START, START + timedelta(hours=hours)), grid)


@pytest.mark.parametrize("point", [None, 1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_both_ways_give_the_same_ledger_events_and_findings(seed: int, point: int | None) -> None:
    meters, rows, hours, grid = noise(seed)
    if point is not None:
        meters, rows = [meters[point - 1]], [(1, *row[1:]) for row in rows if row[0] == point]
    brief = _briefly(meters, rows, hours, grid)
    con = bench(rows)
    cells, events = ledger(con, meters, hours, grid)
    surprising = {
        "spike",
        "decrease",
        "jump",
        "reset-undeclared",
        "unit-suspected",
        "duplicate",
        "duplicate-conflict",
        "out-of-range",
    }
    if brief is None:
        # what it leaves to the general way, that finds something in, were it only beyond the window
        assert (
            surprising & {event[1] for event in events}
            or len(rows) > len({row[:2] for row in rows})
            or hours < 50
        )
        return
    assert sorted(brief.cells) == cells
    assert not surprising & {event[1] for event in events}
    assert sorted(map(repr, map(astuple, brief.events))) == sorted(map(repr, events))
    ids = {meter.id: number for number, meter in enumerate(meters, start=1)}
    said = findings_of(brief.events, meters, ids, {1: "a.csv"}, "Asia/Shanghai")
    assert said == findings_from(con, "events", meters, ids, {1: "a.csv"}, "Asia/Shanghai")


def test_most_registers_go_the_short_way() -> None:
    """Of 60 noisy registers more than half hold no surprise; the test above has seen both."""
    plain = 0
    for seed in range(20):
        meters, rows, hours, grid = noise(seed)
        for point in range(1, 4):
            own = [(1, *row[1:]) for row in rows if row[0] == point]
            plain += _briefly([meters[point - 1]], own, hours, grid) is not None
    assert 30 < plain < 60


def test_an_outage_and_a_roll_over_by_hand() -> None:
    """Four hours of silence: 9,998 → 10,002 is 4 kWh, of which 1 h holds 1; at most 2 kWh (and a thousandth) go in any of them."""
    meter = register(1, max_rate=2.0, max_gap_seconds=7200)
    rows = [(1, START, 0, 9998.0, 1, 2, 1), (1, START + timedelta(hours=4), 0, 2.0, 1, 3, 1)]
    brief = _briefly([meter], rows, 4, 3600)
    assert brief is not None
    assert brief.cells == [
        (1, START + timedelta(hours=hour), 1_000_000, 0, 2_001_000, 1_000_000, 3600, int(hour == 3))
        for hour in range(4)
    ]
    assert [
        (event.code, event.amount, event.value_before, event.value, event.line) for event in brief.events
    ] == [
        ("rollover", 10**10, 9998.0, 2.0, 3),
        ("outage", 4 * 10**6, 9998.0, 2.0, 3),
    ]


def test_what_is_surprising_is_left_alone() -> None:
    def left(rows: Rows) -> bool:
        return _briefly([register(1, max_rate=10.0)], rows, 2, 3600) is None

    assert not left(quarters([1.0, 2.0, 3.0]))
    assert left(quarters([1.0, 900.0, 3.0]))  # implausible
    assert left([*quarters([1.0, 2.0, 3.0]), (1, START, 0, 1.0, 1, 9, 1)])  # twice at one instant
    assert left(quarters([1.0, 10_001.0]))  # five digits on a display of four
    started = register(1, installed_at=datetime(2024, 1, 1, tzinfo=UTC), installed_register=0.0)
    assert not may_be_brief({1: life(started)})


def test_events_of_one_kind_near_each_other_are_one_finding_within_a_month() -> None:
    """Outages on 30 and 31 January and over the edge to February: the two are one, the third stands alone."""
    meter = register(1, digits=None, max_gap_seconds=3600)
    stamps = [0, 1, 5, 6, 10, 11, 60]
    rows: Rows = [
        (1, datetime(2024, 1, 30) + timedelta(hours=hour), 0, float(number), 1, number + 2, 1)
        for number, hour in enumerate(stamps)
    ]
    lives = {1: life(meter)}
    window = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC), "UTC")
    con = bench(rows)
    found = con.execute("SELECT point, epoch_us(t), value, file, line FROM r ORDER BY point, t").fetchall()
    edges = (datetime(2024, 1, 1), datetime(2024, 3, 1))
    brief = derive_briefly(found, lives, edges, 3600)
    assert brief is not None
    said = findings_of(brief.events, [meter], {"M1": 1})
    outages = [(item.values["n"], item.where.period) for item in said if item.code == "metering.outage"]
    assert outages == [(2, "2024-01-30T01:00..2024-01-30T10:00"), (1, "2024-01-30T11:00..2024-02-01T12:00")]

    derive(con, "r", [meter], {"M1": 1}, window, 3600, "ledger", "events")
    assert findings_from(con, "events", [meter], {"M1": 1}) == said
