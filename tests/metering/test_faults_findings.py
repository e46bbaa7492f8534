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
    ("metering.rollover", hourly(98, 1), meter(digits=2, decimals=0), "M rolled over 1× at 2024-03-01T09:00: 98 → 1; the modulus was added."),
    (
        "metering.rollover-uncertain", hourly(900, 100), meter(digits=3, max_rate=1500),
        "Between 2024-03-01T08:00 and 2024-03-01T09:00 the register of M can have rolled over more often than seen; the least amount, "
        "200 kWh, was taken.",
    ),
    (
        "metering.spike", hourly(1, 2, 999, 3, 4), meter(),
        "M shows 999 at 2024-03-01T10:00, which fits neither what is before nor what is after; 1 reading(s) left out, the total is kept.",
    ),
    (
        "metering.decrease", hourly(500, 505, 300, 310), meter(),
        "M goes back from 505 to 300 between 2024-03-01T09:00 and 2024-03-01T10:00; -205 kWh is a named gap and counts in no hour.",
    ),
    (
        "metering.reset-undeclared", hourly(500, 505, 1, 2), meter(),
        "M drops from 505 to 1 between 2024-03-01T09:00 and 2024-03-01T10:00, like a reset or a new meter; "
        "what it counted between is unknown (gap of -504 kWh).",
    ),
    (
        "metering.jump", hourly(500, 505, 5000, 5001), meter(max_rate=100),
        "M jumps from 505 to 5000 between 2024-03-01T09:00 and 2024-03-01T10:00; 4495 kWh is more than it can count and is a named gap and counts in no hour.",
    ),
    (
        "metering.unit-suspected", hourly(5000, 5010, 5.02, 5.03), meter(),
        "M goes from 5010 to 5.02 between 2024-03-01T09:00 and 2024-03-01T10:00: the file seems to go over to another unit; "
        "-5004.98 kWh is a named gap and counts in no hour.",
    ),
    (
        "metering.outage", rows([("03-01 00:00", 1), ("03-01 05:00", 6.5)]), meter(),
        "M has 1 gap(s) longer than its max_gap between 2024-03-01T08:00 and 2024-03-01T13:00; 5.5 kWh in total is exact, its hours are estimated.",
    ),
    (
        "metering.silent", [*hourly(1, 2), *rows([("03-01 20:00", 1)], point=2)], meter(),
        "M has no reading after 2024-03-01T09:00; what follows is absent, not zero.",
    ),
    ("metering.no-readings", rows([("03-01 20:00", 1)], point=2), meter(), "M has no readings; it is absent, not zero."),
    (
        "metering.duplicate", [*hourly(1, 2), *rows([("03-01 01:00", 2)], line=9)], meter(),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 came more than once with the same value; each counts once.",
    ),
    (
        "metering.duplicate-conflict", [*hourly(1, 2, 4), *rows([("03-01 01:00", 3)], line=9)], meter(),
        "M has different values for 2024-03-01T09:00 in one load (2, 3; 1 such reading(s)); the last in the file, 3, was taken.",
    ),
    (
        "metering.corrected", [*hourly(1, 2, 4), *rows([("03-01 01:00", 3)], file=2, batch=2)], meter(),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 were replaced by later ones.",
    ),
    (
        "metering.out-of-order", rows([("03-01 02:00", 3), ("03-01 01:00", 2), ("03-01 03:00", 4)]), meter(),
        "1 reading(s) of M stand after later ones in their file; they were put in order, nothing is lost.",
    ),
    (
        "metering.out-of-range", hourly(1, 2, 777, 3), meter(digits=2),
        "1 reading(s) of M between 2024-03-01T10:00 and 2024-03-01T10:00 (last 777) cannot be shown by its declared digits or max_rate; left out.",
    ),
    (
        "metering.outside-service", hourly(1, 2, 3), meter(installed_at=at("03-01 01:30")),
        "1 reading(s) of M between 2024-03-01T09:00 and 2024-03-01T09:00 lie before it was installed or after it was removed; left out.",
    ),
    (
        "metering.change-applied", hourly(1, 2, 8, 9), change("swap", 3, 7),
        "M: swap at 2024-03-01T09:30, closing register 3, opening register 7.",
    ),
    (
        "metering.ratio-changed", hourly(1, 2, 3, 4), change("multiplier", multiplier=Fraction(60)),
        "M: from 2024-03-01T09:30 its ratio is 60, 1 before; the display goes on.",
    ),
    (
        "metering.change-conflict", [*hourly(1, 2), *rows([("03-01 01:30", 5)], line=9)], change("swap", 3, 7),
        "M reads 5.0 at 2024-03-01T09:30, but the declared registers are 3 and 7; the declared ones were taken.",
    ),
    (
        "metering.change-unread", hourly(1, 2, 8, 9), change("swap", None, 7),
        "M: at the swap a register was not read; what it counted between 2024-03-01T09:00 and 2024-03-01T09:30 is unknown and absent.",
    ),
    (
        "metering.change-estimated", hourly(1, 2, 3), change("multiplier", multiplier=Fraction(2)),
        "M: the ratio changed between the readings at 2024-03-01T09:00 and 2024-03-01T10:00; the register at the change is estimated, "
        "the amount lies between 1 kWh .. 2 kWh.",
    ),
    (
        "metering.overlap", [*quarters(1, 1, 1, 1), *rows([("03-01 01:00", 4)], span=3600, line=9)], AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:00 and 2024-03-01T09:00 begin before the one before has ended; 4 kWh left out, "
        "so that nothing counts twice.",
    ),
    (
        "metering.beyond-max-rate", quarters(1, 900, 1), meter(kind=PointKind.INTERVAL, max_rate=100),
        "1 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:30 (last 900) are beyond max_rate; 900 kWh is a named gap and counts in no hour.",
    ),
    (
        "metering.negative", quarters(1, -0.25, 1), AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:30 are negative (-0.25 kWh in total); they are kept as they are.",
    ),
    (
        "metering.missing", [*quarters(1), *rows([("03-01 01:00", 1)], span=900, line=9)], AMOUNTS,
        "2 interval(s) of M between 2024-03-01T08:15 and 2024-03-01T08:45 are missing; they are absent, not zero.",
    ),
    (
        "metering.coarse", rows([("03-01 12:00", 6)], span=43_200), AMOUNTS,
        "1 interval(s) of M between 2024-03-01T08:00 and 2024-03-01T20:00 are longer than its max_gap; the total 6 kWh is exact, "
        "the hours are estimated.",
    ),
    (
        "metering.rate-gap", rows([("03-01 00:00", 6), ("03-01 05:00", 6)]), meter(kind=PointKind.RATE, unit="kW"),
        "M has 1 gap(s) longer than its max_gap between 2024-03-01T08:00 and 2024-03-01T13:00; the last rate was held for max_gap "
        "(estimated), the rest is absent.",
    ),
    ("metering.unit-unusable", [], change("unit", unit="t"), "M is in no account: t measures mass, not energy (kWh)."),
]  # fmt: skip

PLACES: dict[str, tuple[str, str | None, int | None, str | None, str]] = {
    "metering.rollover": ("notice", "meters.csv", 3, "2024-03-01T08:00..2024-03-01T09:00",
        "M 于 2024-03-01T09:00 翻转 1 次：98 → 1，已加上量程。"),
    "metering.rollover-uncertain": ("warning", "meters.csv", 3, "2024-03-01T08:00..2024-03-01T09:00",
        "M 在 2024-03-01T08:00 至 2024-03-01T09:00 之间可能发生更多次翻转；已按最小量 200 kWh 计。"),
    "metering.spike": ("warning", "meters.csv", 4, "2024-03-01T10:00",
        "M 在 2024-03-01T10:00 的读数 999 与前后均不吻合；已剔除 1 个读数，总量不变。"),
    "metering.decrease": ("error", "meters.csv", 4, "2024-03-01T09:00..2024-03-01T10:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T10:00 之间由 505 退至 300；-205 kWh 列为缺口，未计入任何时段。"),
    "metering.reset-undeclared": ("error", "meters.csv", 4, "2024-03-01T09:00..2024-03-01T10:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T10:00 之间由 505 降至 1，疑似清零或换表；其间用量未知（缺口 -504 kWh）。"),
    "metering.jump": ("error", "meters.csv", 4, "2024-03-01T09:00..2024-03-01T10:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T10:00 之间由 505 跳至 5000；4495 kWh 超出可能范围，列为缺口，未计入任何时段。"),
    "metering.unit-suspected": ("error", "meters.csv", 4, "2024-03-01T09:00..2024-03-01T10:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T10:00 之间由 5010 变为 5.02，疑似文件改用其他单位；-5004.98 kWh 列为缺口，未计入任何时段。"),
    "metering.outage": ("warning", "meters.csv", 3, "2024-03-01T08:00..2024-03-01T13:00",
        "M 在 2024-03-01T08:00 至 2024-03-01T13:00 之间有 1 处读数间隔超过 max_gap；总量 5.5 kWh 准确，分时为估计。"),
    "metering.silent": ("warning", "meters.csv", 3, "2024-03-01T09:00",
        "M 在 2024-03-01T09:00 之后没有读数；其后为缺失，而非零。"),
    "metering.no-readings": ("warning", None, None, None,
        "M 没有读数；为缺失，而非零。"),
    "metering.duplicate": ("notice", "meters.csv", 9, "2024-03-01T09:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T09:00 之间有 1 个数值相同的重复读数；各计一次。"),
    "metering.duplicate-conflict": ("warning", "meters.csv", 9, "2024-03-01T09:00",
        "M 在同一批次中 2024-03-01T09:00 有不同数值（2、3；共 1 个）；采用文件中最后的 3。"),
    "metering.corrected": ("notice", "late.csv", 2, "2024-03-01T09:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T09:00 之间有 1 个读数被后续批次替换。"),
    "metering.out-of-order": ("notice", "meters.csv", 2, "2024-03-01T10:00",
        "M 有 1 个读数在文件中位于更晚读数之后；已按时间排序，无丢失。"),
    "metering.out-of-range": ("error", "meters.csv", 4, "2024-03-01T10:00",
        "M 在 2024-03-01T10:00 至 2024-03-01T10:00 之间有 1 个读数（最后为 777）超出申报的位数或 max_rate；已剔除。"),
    "metering.outside-service": ("warning", "meters.csv", 3, "2024-03-01T09:00",
        "M 在 2024-03-01T09:00 至 2024-03-01T09:00 之间有 1 个读数位于安装之前或拆除之后；未采用。"),
    "metering.change-applied": ("notice", None, None, "2024-03-01T09:30",
        "M 于 2024-03-01T09:30 换表：止码 3，起码 7。"),
    "metering.ratio-changed": ("notice", None, None, "2024-03-01T09:30",
        "M 自 2024-03-01T09:30 起倍率为 60，此前为 1；表计示数连续。"),
    "metering.change-conflict": ("warning", "meters.csv", 9, "2024-03-01T09:30",
        "M 在 2024-03-01T09:30 的读数为 5.0，而申报的止码、起码为 3、7；采用申报值。"),
    "metering.change-unread": ("warning", None, None, "2024-03-01T09:00..2024-03-01T09:30",
        "M：换表时未抄读数；2024-03-01T09:00 至 2024-03-01T09:30 之间的用量未知，为缺失。"),
    "metering.change-estimated": ("warning", None, None, "2024-03-01T09:00..2024-03-01T10:00",
        "M 的变比在 2024-03-01T09:00 与 2024-03-01T10:00 两次读数之间变更；变更时读数为估计，用量介于 1 kWh .. 2 kWh。"),
    "metering.overlap": ("error", "meters.csv", 9, "2024-03-01T08:00..2024-03-01T09:00",
        "M 在 2024-03-01T08:00 至 2024-03-01T09:00 之间有 1 个时段与前一时段重叠；4 kWh 未计入，以免重复。"),
    "metering.beyond-max-rate": ("error", "meters.csv", 3, "2024-03-01T08:15..2024-03-01T08:30",
        "M 在 2024-03-01T08:15 至 2024-03-01T08:30 之间有 1 个时段（最后为 900）超过 max_rate；900 kWh 列为缺口，未计入任何时段。"),
    "metering.negative": ("warning", "meters.csv", 3, "2024-03-01T08:15..2024-03-01T08:30",
        "M 在 2024-03-01T08:15 至 2024-03-01T08:30 之间有 1 个时段为负（合计 -0.25 kWh）；按原值保留。"),
    "metering.missing": ("warning", None, None, "2024-03-01T08:15..2024-03-01T08:45",
        "M 在 2024-03-01T08:15 至 2024-03-01T08:45 之间缺失 2 个时段；为缺失，而非零。"),
    "metering.coarse": ("notice", "meters.csv", 2, "2024-03-01T08:00..2024-03-01T20:00",
        "M 在 2024-03-01T08:00 至 2024-03-01T20:00 之间有 1 个时段长于 max_gap；总量 6 kWh 准确，分时为估计。"),
    "metering.rate-gap": ("warning", "meters.csv", 3, "2024-03-01T08:00..2024-03-01T13:00",
        "M 在 2024-03-01T08:00 至 2024-03-01T13:00 之间有 1 处间隔超过 max_gap；末值保持 max_gap 时长（估计），其余为缺失。"),
    "metering.unit-unusable": ("error", None, None, None,
        "M 未计入：t 的量纲为质量，而非能量（kWh）。"),
}  # fmt: skip
"""Severity, file, line, period, and what is said in Chinese."""


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
    (finding,) = [one for one in found(readings, made) if one.code == code]
    chinese, english = finding.says("zh"), finding.says("en")
    where = finding.where
    assert (english, where.subject) == (says, "meter:M")
    assert (str(finding.severity), where.file, where.line, where.period, chinese) == PLACES[code]
    texts = chinese + english + finding.fix("zh") + finding.fix("en")
    assert "{" not in texts.replace("{kind: unit, at: …, unit: …}", "")
    # The same numbers in both languages.
    assert set(re.findall(r"\d[\d.:T-]*\d|\d", english)) == set(re.findall(r"\d[\d.:T-]*\d|\d", chinese))


def test_every_kind_has_a_case() -> None:
    assert {case[0] for case in CASES} == {kind.code for kind in KINDS.values()} == set(PLACES)


def test_place_and_period() -> None:
    (finding,) = [one for one in found(hourly(1, 2, 999, 3, 4), meter()) if one.code == "metering.spike"]
    assert (finding.where.file, finding.where.line, finding.where.subject) == ("meters.csv", 4, "meter:M")
    assert finding.where.period == "2024-03-01T10:00"


def test_an_outage_over_months_is_told_alike_by_each_of_them() -> None:
    """Two more outages soon after it are a run of their own; each month derived apart adds up to all derived at once."""
    times = [at("01-20 00:00"), at("03-05 00:00"), at("03-05 06:00"), at("03-05 12:00"), at("03-05 12:30")]
    readings = rows([(t, float(i)) for i, t in enumerate(times)])

    def told(first: str, last: str) -> list[tuple[str | None, object]]:
        got = ledger(readings, meter(max_gap_seconds=7200), window(first, last))
        return [(f.where.period, f.values["n"]) for f in got.findings() if f.code == "metering.outage"]

    whole = told("01-01 00:00", "04-01 00:00")
    months = [
        told("01-01 00:00", "02-01 00:00"),
        told("02-01 00:00", "03-01 00:00"),
        told("03-01 00:00", "04-01 00:00"),
    ]
    assert [n for _, n in whole] == [1, 2]
    assert months == [whole[:1], whole[:1], whole]


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
