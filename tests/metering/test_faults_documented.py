"""The faults every metering program meets, each with the exact right answer.

One test per fault of the list; the arithmetic stands beside the numbers. Registers show kWh and are read hourly unless
said otherwise; times are UTC; cells are hours and are named by their start. `proved` checks the conservation proof:
last − first + roll-overs = attributed + named gaps, to the last tick.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from celadon.core.model import MeterChange
from tests.metering.ledgers import at, every, ledger, meter, rows, window

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DAY = window("03-01 00:00", "03-02 00:00")


def test_outage_of_24_hours_then_catch_up() -> None:
    """The total is exact, the hours are estimated and bounded: never zero, never dropped, never one hour of 240 kWh."""
    readings = rows(
        [("03-01 00:00", 1000), ("03-01 01:00", 1010), ("03-02 01:00", 1250), ("03-02 02:00", 1260)]
    )
    got = ledger(readings, meter(max_rate=50), window("03-01 00:00", "03-03 00:00"))
    assert got.total() == 260_000_000
    # 240 kWh in 24 h: 10 kWh an hour; at most 50 kWh an hour (and one digit, 0.001), and no hour need have had any.
    hours = {cell for (_, t), cell in got.cells.items() if at("03-01 01:00") <= t < at("03-02 01:00")}
    assert hours == {(10_000_000, 0, 50_001_000, 10_000_000, 3600, n) for n in (0, 1)}
    assert got.cells[1, at("03-01 00:00")] == (10_000_000, 10_000_000, 10_000_000, 0, 3600, 1)
    event = got.event("outage")
    assert (event["t_before"], event["t"], event["amount"]) == (
        at("03-01 01:00"),
        at("03-02 01:00"),
        240_000_000,
    )
    assert (event["file"], event["line"]) == (1, 4)
    got.proved()


def test_outage_of_two_hours_leaves_little_doubt() -> None:
    """With a maximum rate the bounds close in: 90 kWh in 2 hours of at most 50 leave at least 40 − 0.001 for each."""
    readings = rows([("03-01 00:00", 0), ("03-01 02:00", 90)])
    got = ledger(readings, meter(max_rate=50, max_gap_seconds=3600), DAY)
    cell = (45_000_000, 39_999_000, 50_001_000, 45_000_000, 3600)
    assert [cells[:5] for cells in got.cells.values()] == [cell, cell]


def test_meter_dies_after_day_one() -> None:
    """After the last reading there is nothing: absent, not zero, and not the last rate for ever."""
    alive = rows(every("03-01 00:00", HOUR, [i * 2.0 for i in range(25)]))
    other = rows(every("03-01 00:00", HOUR, [i * 1.0 for i in range(49)]), point=2)
    got = ledger(alive + other, [meter("A"), meter("B")], window("03-01 00:00", "03-03 00:00"))
    assert list(got.amounts(1).values()) == [2.0] * 24
    assert len(got.amounts(2)) == 48
    assert got.codes(1) == ["silent"]
    assert got.event("silent")["t_before"] == at("03-02 00:00")
    assert got.event("silent")["t"] is None


def test_roll_over() -> None:
    """9998 → 9999.5 → 1.5 on four digits: 1.5 and 2 kWh, the modulus of 10 000 added once."""
    readings = rows(every("03-01 00:00", HOUR, [9998.0, 9999.5, 1.5, 4.0]))
    got = ledger(readings, meter(digits=4, decimals=1), DAY)
    assert got.amounts() == {"03-01 00:00": 1.5, "03-01 01:00": 2.0, "03-01 02:00": 2.5}
    assert got.codes() == ["rollover"]
    piece = got.proved().pieces[0]
    assert (piece.counted, piece.rollovers, piece.rolled) == (-9_994_000_000, 1, 10_000_000_000)


def test_the_first_hour_is_kept() -> None:
    """The step to the second reading belongs to the first hour; with a declared installation even the time before."""
    readings = rows(every("03-01 08:00", HOUR, [5.0, 7.0, 10.0]))
    assert ledger(readings, meter(), DAY).amounts() == {"03-01 08:00": 2.0, "03-01 09:00": 3.0}
    installed = meter(installed_at=at("03-01 07:00"), installed_register=1.0)
    got = ledger(readings, installed, DAY)
    assert got.amounts() == {"03-01 07:00": 4.0, "03-01 08:00": 2.0, "03-01 09:00": 3.0}
    assert got.proved().pieces[0].first is not None
    assert got.events == []


def test_a_reading_exactly_on_the_hour_closes_the_earlier_interval() -> None:
    """With a tariff edge at 10:00 the 60 kWh read at 10:00 are valley energy, and the 5 kWh read at 10:15 are peak."""
    readings = rows(
        [
            ("03-01 09:00", 0),
            ("03-01 09:15", 20),
            ("03-01 10:00", 60),
            ("03-01 10:15", 65),
            ("03-01 11:00", 90),
        ]
    )
    got = ledger(readings, meter(), DAY)
    valley = sum(v for t, v in got.amounts().items() if t < "03-01 10:00")
    peak = sum(v for t, v in got.amounts().items() if t >= "03-01 10:00")
    assert (valley, peak) == (60.0, 30.0)
    assert [cell[5] for cell in got.cells.values()] == [2, 2]
    # Read a second later, one second of the step (40 kWh in 2701 s) lies on the other side of the edge.
    late = [*readings[:2], (1, at("03-01 10:00:01"), 0, 60, 1, 4, 1), *readings[3:]]
    amounts = ledger(late, meter(), DAY).amounts()
    assert amounts == {"03-01 09:00": 59.985_19, "03-01 10:00": 30.014_81}  # 20 + 40 × 2700 / 2701


def test_a_late_reading_inside_an_outage_changes_only_what_it_touches() -> None:
    """0 → 240 over 24 h is 10 an hour; 200 read at noon makes it 12 hours of 16.666667 and 12 of 3.333333."""
    outage = rows([("03-01 00:00", 100), ("03-02 00:00", 340), ("03-02 01:00", 350)])
    late = rows([("03-01 12:00", 300)], batch=2, file=2)
    period = window("03-01 00:00", "03-03 00:00")
    before, after = ledger(outage, meter(), period), ledger(outage + late, meter(), period)
    assert before.total() == after.total() == 250_000_000
    assert before.cells[1, at("03-02 00:00")] == after.cells[1, at("03-02 00:00")]
    assert set(list(before.amounts().values())[:24]) == {10.0}
    noon = list(after.amounts().values())
    assert round(sum(noon[:12]), 6) == 200.0
    assert round(sum(noon[12:24]), 6) == 40.0
    assert [event[2:4] for event in after.events if event[1] == "outage"] == [
        (at("03-01 12:00"), at("03-01 00:00")),
        (at("03-02 00:00"), at("03-01 12:00")),
    ]


def test_a_space_with_one_meter_that_has_no_data_yet() -> None:
    """The meter with data is not disturbed, the one without has no cell, and that is said."""
    got = ledger(rows(every("03-01 00:00", HOUR, [0, 1, 2])), [meter("A"), meter("B")], DAY)
    assert got.amounts(1) == {"03-01 00:00": 1.0, "03-01 01:00": 1.0}
    assert got.amounts(2) == {}
    assert got.codes(2) == ["no-readings"]


def test_declared_swap() -> None:
    """Old meter 500 → 512 (removed at 02:30), new one from 3 with ratio 10: 12 + 10 × 2.5 = 37 kWh."""
    readings = rows(
        [
            ("03-01 00:00", 500),
            ("03-01 01:00", 505),
            ("03-01 02:00", 510),
            ("03-01 03:00", 4.5),
            ("03-01 04:00", 5.5),
        ]
    )
    swap = MeterChange(at("03-01 02:30"), "swap", 512, 3, multiplier=Fraction(10))
    got = ledger(readings, meter(changes=(swap,)), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 01:00": 5.0, "03-01 02:00": 17.0, "03-01 03:00": 10.0}
    assert got.codes() == ["change-applied"]
    assert [(p.counted, p.rollovers) for p in got.proved().pieces] == [(12_000_000, 0), (25_000_000, 0)]


def test_swap_with_a_register_nobody_read() -> None:
    """Without the old meter's last register, what it counted after its last reading is unknown: absent, and named."""
    readings = rows([("03-01 00:00", 500), ("03-01 01:00", 505), ("03-01 03:00", 4.5), ("03-01 04:00", 5.5)])
    swap = MeterChange(at("03-01 02:00"), "swap", None, 3)
    got = ledger(readings, meter(changes=(swap,)), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 02:00": 1.5, "03-01 03:00": 1.0}
    assert (got.event("change-unread")["t_before"], got.event("change-unread")["t"]) == (
        at("03-01 01:00"),
        at("03-01 02:00"),
    )
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("change-unread", None)]


def test_ct_change_with_the_register_read() -> None:
    """100 → 102 at ratio 40 and 102 → 105 at ratio 60: 80 + 180 kWh."""
    readings = rows([("03-01 00:00", 100), ("03-01 01:00", 105)])
    ct = MeterChange(at("03-01 00:30"), "multiplier", 102, multiplier=Fraction(60))
    got = ledger(readings, meter(multiplier=Fraction(40), changes=(ct,)), DAY)
    assert got.cells == {(1, at("03-01 00:00")): (260_000_000, 260_000_000, 260_000_000, 0, 3600, 1)}
    got.proved()
    # The same when the reading itself was taken at the change.
    readings.insert(1, (1, at("03-01 00:30"), 0, 102, 1, 9, 1))
    ct = MeterChange(at("03-01 00:30"), "multiplier", multiplier=Fraction(60))
    same = ledger(readings, meter(multiplier=Fraction(40), changes=(ct,)), DAY)
    assert same.cells == {(1, at("03-01 00:00")): (260_000_000, 260_000_000, 260_000_000, 0, 3600, 2)}


def test_ct_change_without_the_register() -> None:
    """5 counts in an hour, ratio 40 for 20 min and 60 for 40 min, at one true rate r: r/3/40 + 2r/3/60 = 5 → r = 257.142857.

    So 85.714286 kWh before and 171.428571 after; surely between 5 × 40 and 5 × 60. Estimated, with these bounds.
    """
    readings = rows([("03-01 00:00", 100), ("03-01 01:00", 105)])
    ct = MeterChange(at("03-01 00:20"), "multiplier", multiplier=Fraction(60))
    got = ledger(readings, meter(multiplier=Fraction(40), changes=(ct,)), DAY)
    ((amount, low, high, estimated, covered, n),) = got.cells.values()
    assert (amount, estimated, covered, n) == (257_142_860, 257_142_860, 3600, 1)
    assert (low, high) == (0, 500_000_002)
    event = got.event("change-estimated")
    assert (event["t_before"], event["t"], event["detail"]) == (
        at("03-01 00:00"),
        at("03-01 01:00"),
        "200000000..300000000",
    )
    got.proved()


def test_declared_reset() -> None:
    readings = rows([("03-01 00:00", 500), ("03-01 01:00", 505), ("03-01 02:00", 2), ("03-01 03:00", 4)])
    reset = MeterChange(at("03-01 01:30"), "reset", 507)
    got = ledger(readings, meter(changes=(reset,)), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 01:00": 4.0, "03-01 02:00": 2.0}
    got.proved()


def test_undeclared_reset() -> None:
    """505 → 2: what passed in that hour is unknown. A gap of −503 ticks·10⁶, an error, and no invented energy."""
    readings = rows(every("03-01 00:00", HOUR, [500, 505, 2, 4, 7]))
    got = ledger(readings, meter(), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 02:00": 2.0, "03-01 03:00": 3.0}
    assert got.event("reset-undeclared")["amount"] == -503_000_000
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("reset-undeclared", -503_000_000)]


def test_unexplained_decrease() -> None:
    readings = rows(every("03-01 00:00", HOUR, [500, 505, 300, 310, 320]))
    got = ledger(readings, meter(), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 02:00": 10.0, "03-01 03:00": 10.0}
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("decrease", -205_000_000)]


def test_jump_beyond_the_maximum_rate() -> None:
    readings = rows(every("03-01 00:00", HOUR, [500, 505, 5000, 5005, 5010]))
    got = ledger(readings, meter(max_rate=100), DAY)
    assert got.amounts() == {"03-01 00:00": 5.0, "03-01 02:00": 5.0, "03-01 03:00": 5.0}
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("jump", 4_495_000_000)]


def test_declared_change_of_unit() -> None:
    """The export goes over from kWh to MWh at 02:00: 5000, 5010 kWh, then 5.02, 5.035 MWh."""
    readings = rows(every("03-01 00:00", HOUR, [5000, 5010, 5.02, 5.035]))
    unit = MeterChange(at("03-01 02:00"), "unit", unit="MWh")
    got = ledger(readings, meter(changes=(unit,)), DAY)
    assert got.amounts() == {"03-01 00:00": 10.0, "03-01 01:00": 10.0, "03-01 02:00": 15.0}
    assert got.codes() == []
    got.proved()


def test_a_smaller_unit_shows_more_than_the_display_has_digits() -> None:
    """Three digits of MWh, exported in kWh after 02:30: 998 MWh is 998,000 kWh; the display turns over at 1,000,000 kWh."""
    values = [997.0, 997.2, 997.4, 997_600.0, 999_900.0, 100.0]
    unit = MeterChange(at("03-01 02:30"), "unit", unit="kWh")
    made = meter(unit="MWh", digits=3, decimals=1, changes=(unit,))
    got = ledger(rows(every("03-01 00:00", HOUR, values)), made, DAY)
    # 200, 200, 200, 2300 and 1,000,000 + 100 - 999,900 = 200 kWh
    assert list(got.amounts().values()) == [200.0, 200.0, 200.0, 2300.0, 200.0]
    assert got.codes() == ["rollover"]
    assert got.proved().attributed == 3_100_000_000


def test_change_of_unit_inside_a_file_is_suspected() -> None:
    """The same undeclared: a thousandth of the value stays a gap, and an error says what to declare."""
    readings = rows(every("03-01 00:00", HOUR, [5000, 5010, 5.02, 5.035, 5.05]))
    got = ledger(readings, meter(), DAY)
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("unit-suspected", -5_004_980_000)]


@pytest.mark.parametrize("wrong", [0.0, 99999.0, 501.0])
@pytest.mark.parametrize("times", [1, 3])
def test_spike(wrong: float, times: int) -> None:
    """One to four readings of a wrong value are left out; the total stays, the hours between are shared out."""
    values = [500.0, 510.0, *[wrong] * times, 520.0, 530.0]
    got = ledger(rows(every("03-01 00:00", QUARTER, values)), meter(), DAY)
    assert got.total() == 30_000_000
    event = got.event("spike")
    assert (event["n"], event["value"], event["t_before"]) == (times, wrong, at("03-01 00:30"))
    got.proved()


def test_identical_duplicates() -> None:
    once = rows(every("03-01 00:00", HOUR, [0, 1, 2, 3]))
    got = ledger(once + rows(every("03-01 00:00", HOUR, [0, 1, 2, 3]), line=100), meter(), DAY)
    assert got.cells == ledger(once, meter(), DAY).cells
    assert (got.codes(), got.event("duplicate")["n"]) == (["duplicate"], 3)
    got.proved()


def test_conflicting_duplicates_in_one_load() -> None:
    """Two values for 01:00 in one file: the last written wins, and both are named."""
    readings = rows([("03-01 00:00", 0), ("03-01 01:00", 1), ("03-01 01:00", 1.5), ("03-01 02:00", 2)])
    got = ledger(readings, meter(), DAY)
    assert got.amounts() == {"03-01 00:00": 1.5, "03-01 01:00": 0.5}
    event = got.event("duplicate-conflict")
    assert (event["value_before"], event["value"], event["line"]) == (1.0, 1.5, 4)
    got.proved()


def test_a_later_load_corrects() -> None:
    readings = rows(every("03-01 00:00", HOUR, [0, 9, 2])) + rows([("03-01 01:00", 1)], batch=2, file=2)
    got = ledger(readings, meter(), DAY)
    assert got.amounts() == {"03-01 00:00": 1.0, "03-01 01:00": 1.0}
    assert got.codes() == ["corrected"]


def test_out_of_order_block() -> None:
    values = every("03-01 00:00", HOUR, [0, 1, 2, 3, 4, 5])
    shuffled = rows([*values[3:], *values[:3]])
    got = ledger(shuffled, meter(), DAY)
    assert list(got.amounts().values()) == [1.0] * 5
    assert (got.codes(), got.event("out-of-order")["n"]) == (["out-of-order"], 1)


def test_readings_outside_the_service_life_and_the_display() -> None:
    readings = rows(every("03-01 00:00", HOUR, [90, 91, 5, 6, 12345, 7, 8, 9]))
    made = meter(digits=4, installed_at=at("03-01 02:00"), removed_at=at("03-01 06:30"), removed_register=8.4)
    got = ledger(readings, made, DAY)
    assert got.total() == 3_400_000
    assert got.amounts()["03-01 06:00"] == 0.4
    assert (
        got.event("outside-service")["n"] == 2
    )  # 01:00 and 07:00; 00:00 is the end of the hour before the window
    assert got.event("out-of-range")["value"] == 12345
    got.proved()


def test_a_reading_that_contradicts_a_declared_register() -> None:
    readings = rows([("03-01 00:00", 500), ("03-01 01:00", 777), ("03-01 02:00", 2)])
    swap = MeterChange(at("03-01 01:00"), "swap", 510, 0)
    got = ledger(readings, meter(changes=(swap,)), DAY)
    assert got.amounts() == {"03-01 00:00": 10.0, "03-01 01:00": 2.0}
    assert got.event("change-conflict")["detail"] == "777.0"
    got.proved()


def test_more_roll_overs_than_one_are_possible() -> None:
    """At up to 600 kW a display of 1000 kWh can go round twice in 4 hours: the least amount is taken, and it is said."""
    readings = rows([("03-01 00:00", 900), ("03-01 04:00", 100)])
    got = ledger(readings, meter(digits=3, max_rate=600), DAY)
    assert got.total() == 200_000_000
    assert got.event("rollover-uncertain")["n"] == 2


def test_a_meter_whose_unit_cannot_be_used() -> None:
    unit = MeterChange(at("03-01 01:00"), "unit", unit="m3")
    got = ledger(rows(every("03-01 00:00", HOUR, [0, 1, 2])), meter(changes=(unit,)), DAY)
    assert got.cells == {}
    assert "m3" in got.event("unit-unusable")["detail"]
