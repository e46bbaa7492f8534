"""Every Finding about readings, made to appear once: place, numbers, and both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

import pytest

from celadon.core.findings import Finding
from celadon.core.model import Meter, MeterChange, PointKind
from celadon.metering.faults import KINDS
from tests.metering.ledgers import Row, at, every, ledger, meter, rows, window

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
DAY = window("03-01 00:00", "03-02 00:00")
Case = tuple[str, list[Row], Meter, str]


def hourly(*values: float) -> list[Row]:
    return rows(every("03-01 00:00", HOUR, values))


def quarters(*values: float, **how: int) -> list[Row]:
    return rows(every("03-01 00:15", QUARTER, values), span=900, **how)


def change(kind: str, *registers: float | None, **how: object) -> Meter:
    return meter(changes=(MeterChange(at("03-01 01:30"), kind, *registers, **how),))  # type: ignore[arg-type]


AMOUNTS = meter(kind=PointKind.INTERVAL)
CASES: list[Case] = [
    ("rollover", hourly(98, 1), meter(digits=2, decimals=0), "M rolled over 1× at 2024-03-01T09:00: 98 → 1; the modulus was added."),
    (
        "rollover-uncertain", hourly(900, 100), meter(digits=3, max_rate=1500),
        "Between 2024-03-01T08:00 and 2024-03-01T09:00 the register of M can have rolled over more often than seen; the least amount, "
        "200 kWh, was taken.",
    ),
    (
        "spike", hourly(1, 2, 999, 3, 4), meter(),
        "M shows 999 at 2024-03-01T10:00, which fits neither what is before nor what is after; 1 reading(s) left out, the total is kept.",
    ),
    (
        "decrease", hourly(500, 505, 300, 310), meter(),
        "M goes back from 505 to 300 between 2024-03-01T09:00 and 2024-03-01T10:00; -205 kWh is a gap in no hour.",
    ),
    (
        "reset-undeclared", hourly(500, 505, 1, 2), meter(),
        "M drops from 505 to 1 between 2024-03-01T09:00 and 2024-03-01T10:00, like a reset or a new meter; "
        "what it counted between is unknown (gap of -504 kWh).",
    ),
    (
        "jump", hourly(500, 505, 5000, 5001), meter(max_rate=100),
        "M jumps from 505 to 5000 between 2024-03-01T09:00 and 2024-03-01T10:00; 4495 kWh is more than it can count and is a gap in no hour.",
    ),
    (
        "unit-suspected", hourly(5000, 5010, 5.02, 5.03), meter(),
        "M goes from 5010 to 5.02 between 2024-03-01T09:00 and 2024-03-01T10:00: the file seems to go over to another unit; "
        "-5004.98 kWh is a gap in no hour.",
    ),
    (
        "outage", rows([("03-01 00:00", 1), ("03-01 05:00", 6.5)]), meter(),
        "M has 1 gap(s) longer than its max_gap between 2024-03-01T08:00 and 2024-03-01T13:00; 5.5 kWh in total is exact, its hours are estimated.",
    ),
    (
        "silent", [*hourly(1, 2), *rows([("03-01 20:00", 1)], point=2)], meter(),
        "M has no reading after 2024-03-01T09:00; what follows is absent, not zero.",
    ),
    ("no-readings", rows([("03-01 20:00", 1)], point=2), meter(), "M has no readings; it is absent, not zero."),
    (
        "duplicate", [*hourly(1, 2), *rows([("03-01 01:00", 2)], line=9)], meter(),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 came more than once with the same value; each counts once.",
    ),
    (
        "duplicate-conflict", [*hourly(1, 2, 4), *rows([("03-01 01:00", 3)], line=9)], meter(),
        "M has different values for 2024-03-01T09:00 in one load (2, 3; 1 such reading(s)); the last in the file, 3, was taken.",
    ),
    (
        "corrected", [*hourly(1, 2, 4), *rows([("03-01 01:00", 3)], file=2, batch=2)], meter(),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 were replaced by later ones.",
    ),
    (
        "out-of-order", rows([("03-01 02:00", 3), ("03-01 01:00", 2), ("03-01 03:00", 4)]), meter(),
        "1 reading(s) of M stand after later ones in their file; they were put in order, nothing is lost.",
    ),
    (
        "out-of-range", hourly(1, 2, 777, 3), meter(digits=2),
        "1 reading(s) of M between 2024-03-01T10:00 and 2024-03-01T10:00 (last 777) cannot be shown by its declared digits or max_rate; left out.",
    ),
    (
        "outside-service", hourly(1, 2, 3), meter(installed_at=at("03-01 01:30")),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 lie before it was installed or after it was removed; left out.",
    ),
    (
        "change-applied", hourly(1, 2, 8, 9), change("swap", 3, 7),
        "M: swap at 2024-03-01T09:30, closing register 3, opening register 7.",
    ),
    (
        "change-conflict", [*hourly(1, 2), *rows([("03-01 01:30", 5)], line=9)], change("swap", 3, 7),
        "M reads 5.0 at 2024-03-01T09:30, but the declared registers are 3 and 7; the declared ones were taken.",
    ),
    (
        "change-unread", hourly(1, 2, 8, 9), change("swap", None, 7),
        "M: at the swap a register was not read; what it counted between 2024-03-01T09:00 and 2024-03-01T09:30 is unknown and absent.",
    ),
    (
        "change-estimated", hourly(1, 2, 3), change("multiplier", multiplier=Fraction(2)),
        "M: the ratio changed between the readings at 2024-03-01T09:00 and 2024-03-01T10:00; the register at the change is estimated, "
        "the amount lies between 1 kWh .. 2 kWh.",
    ),
    (
        "overlap", [*quarters(1, 1, 1, 1), *rows([("03-01 01:00", 4)], span=3600, line=9)], AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:00 and 2024-03-01T09:00 begin before the one before has ended; 4 kWh left out, "
        "so that nothing counts twice.",
    ),
    (
        "beyond-max-rate", quarters(1, 900, 1), meter(kind=PointKind.INTERVAL, max_rate=100),
        "1 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:30 (last 900) are beyond max_rate; 900 kWh is a gap in no hour.",
    ),
    (
        "negative", quarters(1, -0.25, 1), AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:30 are negative (-0.25 kWh in total); they are kept as they are.",
    ),
    (
        "missing", [*quarters(1), *rows([("03-01 01:00", 1)], span=900, line=9)], AMOUNTS,
        "2 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:45 are missing; they are absent, not zero.",
    ),
    (
        "coarse", rows([("03-01 12:00", 6)], span=43_200), AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:00 and 2024-03-01T20:00 are longer than its max_gap; the total 6 kWh is exact, "
        "the hours are estimated.",
    ),
    (
        "rate-gap", rows([("03-01 00:00", 6), ("03-01 05:00", 6)]), meter(kind=PointKind.RATE, unit="kW"),
        "M has 1 gap(s) longer than its max_gap between 2024-03-01T08:00 and 2024-03-01T13:00; the last rate was held for max_gap "
        "(estimated), the rest is absent.",
    ),
    ("unit-unusable", [], change("unit", unit="t"), "M is in no account: t measures mass, not energy (kWh)."),
]  # fmt: skip


def found(readings: list[Row], made: Meter) -> list[Finding]:
    other = meter("other", max_gap_seconds=10**7)
    return [
        finding
        for finding in ledger(readings, [made, other], DAY).findings(
            files={1: "meters.csv", 2: "late.csv"}, zone="Asia/Shanghai"
        )
        if finding.where.subject == "meter:M"
    ]


@pytest.mark.parametrize(("code", "readings", "made", "says"), CASES, ids=[case[0] for case in CASES])
def test_finding(code: str, readings: list[Row], made: Meter, says: str) -> None:
    (finding,) = [one for one in found(readings, made) if one.code == f"metering.{code}"]
    assert finding.says("en") == says
    chinese, english = finding.says("zh"), finding.says("en")
    assert re.search(r"[一-鿿]", chinese)
    texts = chinese + english + finding.fix("zh") + finding.fix("en")
    assert "{" not in texts.replace("{kind: unit, at: …, unit: …}", "")
    # The same numbers in both languages.
    assert set(re.findall(r"\d[\d.:T-]*\d|\d", english)) == set(re.findall(r"\d[\d.:T-]*\d|\d", chinese))


def test_every_kind_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(KINDS)


def test_place_and_period() -> None:
    (finding,) = [one for one in found(hourly(1, 2, 999, 3, 4), meter()) if one.code == "metering.spike"]
    assert (finding.where.file, finding.where.line, finding.where.subject) == ("meters.csv", 4, "meter:M")
    assert finding.where.period == "2024-03-01T10:00"


def test_a_run_of_events_is_one_finding() -> None:
    """Twenty outages of a day are one finding; one a week later is another."""
    times = [at("03-01 00:00") + 3 * HOUR * i for i in range(9)]
    readings = rows([(t, float(i)) for i, t in enumerate(times)])
    late = [at("03-09 00:00") + timedelta(minutes=30 * i) for i in range(500)]
    readings += rows([(t, 100.0 + i) for i, t in enumerate([*late, late[-1] + 5 * HOUR])], line=100)
    got = ledger(readings, meter(max_gap_seconds=7200), window("03-01 00:00", "03-31 00:00"))
    runs = [one for one in got.findings() if one.code == "metering.outage"]
    assert [(one.values["n"], one.where.line, one.values["amount"]) for one in runs] == [
        (9, 3, "100 kWh"),
        (1, 600, "1 kWh"),
    ]
