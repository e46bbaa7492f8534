"""The sub-meter balance: remainders in whole ticks, tolerance, and children that have no data."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.facts import Status
from celadon.core.findings import Finding
from celadon.core.model import Flow
from celadon.core.periods import Grain, parse_period
from celadon.metering.balance import BalanceRow, balance
from tests.metering.plants import Bench, main_meter, meter, plant, virtual

KWH = 1_000_000


def _rows(bench: Bench, period: str = "2024-01", time: Grain = Grain.MONTH) -> list[BalanceRow]:
    return balance(
        bench.con, bench.plant, "ledger", bench.points, parse_period(period, bench.plant.zone), time
    )


def _found(rows: list[BalanceRow]) -> list[Finding]:
    return [finding for row in rows for finding in row.findings]


def _tree(e1: int, e2: int | None) -> Bench:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0"), meter("E2", "E0")]))
    bench.flat("E0", "2024-01", 10 * KWH)
    bench.flat("E1", "2024-01", e1)
    if e2 is not None:
        bench.flat("E2", "2024-01", e2)
    return bench


def test_own_children_and_remainder() -> None:
    rows = _rows(_tree(6 * KWH, 3_999_999))
    top, first, _, site = rows
    assert (top.node, top.own, top.children, top.remainder) == ("E0", 7440 * KWH, 744 * 9_999_999, 744)
    assert (top.share, top.coverage, top.status, top.missing) == (
        744 / (7440 * KWH),
        1.0,
        Status.MEASURED,
        (),
    )
    assert (first.own, first.children, first.remainder, first.share) == (744 * 6 * KWH, None, None, None)
    assert (site.node, site.site, site.own, site.children, site.remainder) == (
        "",
        "S",
        7440 * KWH,
        744 * 9_999_999,
        744,
    )
    assert (top.start, top.end) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    assert _found(rows) == []


def test_children_within_the_tolerance_are_no_finding() -> None:
    assert _found(_rows(_tree(6 * KWH, 4_200_000))) == []


def test_children_that_exceed_the_meter() -> None:
    (finding,) = _found(_rows(_tree(6 * KWH, 5 * KWH)))
    assert finding.code == "balance.children-exceed"
    assert (
        finding.says() == "The meters below E0 count 8184 kWh, 10 % more than its 7440 kWh (tolerance 2 %)."
    )
    assert finding.says("zh") == "E0 下级表合计 8184 kWh，比其自身 7440 kWh 多 10 %（允许 2 %）。"
    assert str(finding.where) == "meter:E0 2024-01"


def test_bounds_are_given_the_benefit() -> None:
    bench = _tree(6 * KWH, 5 * KWH)
    bench.con.execute("UPDATE ledger SET low = 0 WHERE point = ?", [bench.points["E2"]])
    assert _found(_rows(bench)) == []


def test_a_child_without_data_is_named_not_blamed() -> None:
    rows = _rows(_tree(2 * KWH, None))
    assert rows[0].missing == ("E2",)
    assert rows[0].remainder == 744 * 8 * KWH
    assert (rows[2].own, rows[2].status, rows[2].coverage) == (None, Status.ABSENT, 0.0)
    assert [(f.code, f.says()) for f in _found(rows)] == [
        (
            "balance.child-absent",
            "Below E0, E2 lacks data: what it would count is in the remainder, which is no loss.",
        )
    ]


def test_a_meter_with_less_data_than_its_children_is_not_compared() -> None:
    bench = _tree(6 * KWH, 4 * KWH)
    bench.con.execute("DELETE FROM ledger WHERE point = ? AND start >= '2024-01-11'", [bench.points["E0"]])
    rows = _rows(bench)
    assert [(f.code, f.says()) for f in _found(rows)] == [
        (
            "balance.meter-short",
            "E0 has data for 32.26 % of the time, the meters below it for more: the two do not compare.",
        )
    ]


def test_a_large_remainder_without_history() -> None:
    (finding,) = _found(_rows(_tree(2 * KWH, 3 * KWH)))
    assert finding.code == "balance.remainder-large"
    assert (
        finding.says()
        == "50 % of E0 is in no meter below it (3720 kWh); there is no history to compare with."
    )


def test_a_remainder_beyond_what_is_usual_for_the_meter() -> None:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0")]))
    bench.flat("E0", "2024-01..2024-04", 10 * KWH)
    bench.flat("E1", "2024-01..2024-03", 6 * KWH)
    bench.flat("E1", "2024-04", 5 * KWH)
    rows = _rows(bench, "2024-01..2024-04")
    assert [(str(f.where), f.says()) for f in _found(rows)] == [
        ("meter:E0 2024-04", "50 % of E0 is in no meter below it (3600 kWh); it is usually 40 %.")
    ]


def test_a_child_is_due_from_its_installation() -> None:
    later = datetime(2024, 2, 1, tzinfo=UTC)
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0"), meter("E2", "E0", installed_at=later)]))
    bench.flat("E0", "2024-01", 10 * KWH)
    bench.flat("E1", "2024-01", 9 * KWH)
    rows = _rows(bench)
    assert [row.node for row in rows] == ["E0", "E1", ""]
    assert _found(rows) == []


def test_virtual_meters_and_the_site_s_own_sum() -> None:
    bus = virtual("V", {"P": 1, "G": 1, "X": -1})
    meters = [
        main_meter("P"),
        meter("G", flow=Flow.GENERATED),
        meter("X", flow=Flow.EXPORTED),
        meter("E1", "V"),
    ]
    bench = Bench(plant(meters, [bus]))
    for name, amount in (("P", 7), ("G", 5), ("X", 2), ("E1", 9)):
        bench.flat(name, "2024-01-01", amount * KWH)
    rows = {row.node: row for row in _rows(bench, "2024-01-01", Grain.DAY)}
    assert (rows["V"].own, rows["V"].children, rows["V"].status) == (240 * KWH, 216 * KWH, Status.CALCULATED)
    assert (rows[""].own, rows[""].children, rows[""].remainder) == (240 * KWH, 216 * KWH, 24 * KWH)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_remainders_close_every_level(seed: int) -> None:
    """Σ remainders + Σ leaves = Σ heads, in ticks, on random trees with random gaps."""
    dice = random.Random(seed)
    meters = [main_meter("E0")]
    for number in range(1, dice.randint(2, 8)):
        meters.append(meter(f"E{number}", f"E{dice.randrange(number)}"))
    bench = Bench(plant(meters, grid=86400))
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 32)]
    keep = [item.id for item in meters if item.id == "E0" or dice.random() < 0.8]
    bench.cells([(name, day, dice.randint(-(10**6), 10**12)) for name in keep for day in days])
    rows = [row for row in _rows(bench) if row.node and row.own is not None]
    leaves = sum(row.own for row in rows if row.children is None and row.own is not None)
    rests = sum(row.remainder for row in rows if row.remainder is not None)
    assert leaves + rests == rows[0].own
