"""The example's files, read and derived, give its truth to the last digit, and bounds where the files have lost something."""

from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from celadon.adapters.plant_file import read_plant
from celadon.adapters.tables import read_readings
from celadon.core.periods import parse_period
from celadon.examples.eaf_mill import ExampleTruth
from celadon.metering.intervals import derive

pytestmark = pytest.mark.slow
TICKS = 10**6  # per kWh, kvarh, m3, GJ or t
Amounts = dict[tuple[str, str], tuple[int, int, int]]


def monthly(
    truth: ExampleTruth, extra: Iterable[Path] = ()
) -> tuple[Amounts, dict[str, int], set[tuple[str, str]]]:
    """(meter, month) → ticks with their bounds; findings of the reader by code; (meter, code) of the ledger's events."""
    plant, _ = read_plant(truth.directory)
    meters = {meter.id: meter for meter in plant.meters}
    ids = {name: number for number, name in enumerate(meters, 1)}
    con = duckdb.connect()
    codes: dict[str, int] = {}
    number = 0
    for source in (source for source in plant.sources if source.role == "readings"):
        paths = sorted(truth.directory.glob(source.files[0]))
        paths += [path for path in extra if source.id == "gateway"]
        for path in paths:
            number += 1
            report = read_readings(
                con, path, source, meters, ids, number, number, "readings", zone=plant.zone
            )
            for finding in report.findings:
                codes[finding.code] = codes.get(finding.code, 0) + 1
    (count,) = con.execute("SELECT count(*) FROM readings").fetchone()
    codes["readings"] = count
    derive(
        con,
        "readings",
        plant.meters,
        ids,
        parse_period("2024", plant.zone),
        plant.grid_seconds,
        "ledger",
        "events",
    )
    names = {number: name for name, number in ids.items()}
    rows = con.execute(
        """SELECT point, strftime(start + INTERVAL 8 HOUR, '%Y-%m'), sum(amount)::BIGINT, sum(low)::BIGINT, sum(high)::BIGINT
        FROM ledger GROUP BY ALL"""
    ).fetchall()
    events = con.execute("SELECT DISTINCT point, code FROM events").fetchall()
    return (
        {(names[point], month): (amount, low, high) for point, month, amount, low, high in rows},
        codes,
        {(names[point], code) for point, code in events},
    )


def ticks(value: float) -> int:
    return round(value * 1000) * (TICKS // 1000)


def test_the_ledger_is_the_truth(mill):
    found, codes, events = monthly(mill)
    assert codes == {
        "readings": mill.readings, "table.number-unreadable": 1, "table.meter-unknown": 1, "unit.mismatch": 1,
        "table.time-impossible": 1, "table.unit-converted": 1,
    }  # fmt: skip
    for meter, months in mill.meters.items():
        for month, value in months.items():
            reported = mill.reported.get(meter, {}).get(month)
            if reported is None:
                assert found[meter, month][0] == ticks(value), (meter, month)
            elif reported.absent:
                assert (meter, month) not in found
            else:
                amount, low, high = found[meter, month]
                assert ticks(reported.low) <= low <= amount <= high, (meter, month)
                if reported.high is not None:
                    assert high <= ticks(reported.high), (meter, month)
    for meter, first, second in (("E204", "2024-04", "2024-05"), ("E3052", "2024-10", "2024-11")):
        both = ticks(mill.meters[meter][first]) + ticks(mill.meters[meter][second])
        assert found[meter, first][0] + found[meter, second][0] == both
    assert {
        ("E3053", "rollover"), ("E3063", "reset-undeclared"), ("E2051", "spike"), ("E3065", "spike"), ("E2023", "silent"),
        ("N13", "beyond-max-rate"), ("N14", "missing"), ("E3042", "duplicate-conflict"), ("E3041", "duplicate"),
        ("E304", "out-of-order"), ("E204", "outage"), ("E3052", "outage"), ("E2011", "change-applied"), ("E305", "ratio-changed"),
    } <= events  # fmt: skip


def test_the_late_file_makes_both_months_exact(mill):
    found, _, _ = monthly(mill, [mill.directory / mill.late[1]])
    for month in ("2024-10", "2024-11"):
        assert found["E3052", month] == (ticks(mill.meters["E3052"][month]),) * 3
