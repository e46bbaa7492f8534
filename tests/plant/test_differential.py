"""Whole plants of random meters, clocks, faults and loads against a reader that goes through the readings one by one.

The reference knows only docs/concepts.md: readings visible at a time, amounts cut at the grid's edges, summed by each site's own
calendar and priced by the tariff's clock. Zones with half-hour changes, offsets off the hour, and days that do not begin at 0:00.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import celadon
from tests.metering.oracle import Rules, cells

ZONES = {
    "Australia/Lord_Howe": "2024-04",  # back by half an hour on 7 April
    "Asia/Kathmandu": "2024-02",  # +05:45, a leap day
    "America/Sao_Paulo": "2018-11",  # 4 November begins at 1:00
}
PLANT = """\
celadon: 1
enterprise: {{id: pair, name: Pair}}
zone: {zone}
grid: 15min
sites: [{{id: works, name: Works}}]
meters:
  - {{id: R, carrier: electricity, flow: purchased, digits: {digits}, decimals: 2, multiplier: {ratio}, tariff: tou, max_rate: 3000 kW}}
  - {{id: S, carrier: electricity, parent: R, kind: interval, stamp: start, interval: 30min}}
  - {{id: E, carrier: electricity, parent: R, kind: interval, stamp: end, interval: 15min, unit: MWh}}
virtual_meters:
  - {{id: V, carrier: electricity, formula: R - 0.5*S}}
tariffs:
  - id: tou
    carrier: electricity
    unit: CNY/kWh
    periods:
      - {{period: peak, hours: "08:00-11:30, 18:00-21:00", days: workday}}
      - {{period: flat, hours: "06:00-08:00, 11:30-18:00, 21:00-23:00", days: workday}}
      - {{period: valley, hours: "23:00-06:00", days: workday}}
      - {{period: flat, hours: "09:00-24:00", days: "weekend, holiday"}}
      - {{period: valley, hours: "00:00-09:00", days: "weekend, holiday"}}
    holidays: [{month}-05]
    prices:
      - {{period: peak, price: 1.0312, since: 2018-01-01, until: {month}-14}}
      - {{period: peak, price: 1.2017, since: {month}-15}}
      - {{period: flat, price: 0.6411, since: 2018-01-01}}
      - {{period: valley, price: 0.3019, since: 2018-01-01}}
    basic: {{by: demand, prices: [{{price: 38, since: 2018-01-01}}]}}
sources:
  - {{id: r, role: readings, files: [local/R.csv], time: {{column: time}}, wide: {{R: R}}}}
  - {{id: s, role: readings, files: [local/S.csv], time: {{column: time}}, wide: {{S: S}}}}
  - {{id: e, role: readings, files: [local/E.csv], time: {{column: time}}, wide: {{E: E}}}}
  - {{id: later, role: readings, files: ["later/*.csv"], time: {{column: time}}, long: {{meter: meter, value: value}}}}
"""


@dataclass
class World:
    """The truth: what each load says of (meter, stamp as UTC), in order of loading."""

    seed: int
    zone: ZoneInfo
    month: str
    digits: int
    ratio: int
    loads: list[dict[tuple[str, datetime], float]] = field(default_factory=list)

    @cached_property
    def start(self) -> datetime:
        """The first instant of the month at the site: 0:00, or when the day begins."""
        return begin(date.fromisoformat(f"{self.month}-01"), self.zone)

    @cached_property
    def end(self) -> datetime:
        first = date.fromisoformat(f"{self.month}-01")
        return begin((first + timedelta(days=32)).replace(day=1), self.zone)


def begin(day: date, zone: ZoneInfo) -> datetime:
    """The first instant whose local date is `day`: found by walking."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=15)
    return moment.replace(tzinfo=None)


def make(seed: int, zone: str) -> World:
    draw = random.Random(seed)
    world = World(seed, ZoneInfo(zone), ZONES[zone], draw.choice([4, 5]), draw.choice([1, 40]))
    first, second, third = {}, {}, {}
    t, shown = (
        world.start - timedelta(hours=7, minutes=draw.choice([0, 15, 7])),
        draw.uniform(0, 10**world.digits),
    )
    step = timedelta(minutes=draw.choice([15, 30, 20]))
    silent: tuple[datetime, datetime] | None = None
    while t < world.end + timedelta(hours=5):
        value = round(shown % 10**world.digits, 2) % 10**world.digits
        if silent and silent[0] < t < silent[1]:
            if draw.random() < 0.02:
                second["R", t] = value  # somebody read it by hand; known later
        else:
            first["R", t] = value
            silent = (t, t + timedelta(hours=draw.choice([3, 26]))) if draw.random() < 0.004 else None
        chance = draw.random()
        if chance < 0.002 and ("R", t) in first:
            second["R", t], first["R", t] = value, value + 700  # a slip, corrected
        elif chance < 0.004:
            third["R", t] = round((value + 0.25) % 10**world.digits, 2)
        t += step
        shown += draw.choice([0, 1, 1, 2, 3.5]) * 500 / world.ratio * step.total_seconds() / 3600
    for name, minutes, most in (("S", 30, 40.0), ("E", 15, 0.03)):
        t = world.start - timedelta(minutes=minutes * 3)
        while t < world.end + timedelta(hours=2):
            chance = draw.random()
            amount = round(draw.uniform(0, most), 5)
            if chance > 0.01:
                first[name, t] = amount
            elif chance > 0.005:
                second[name, t] = amount  # late
            if 0.5 < chance < 0.505:
                third[name, t] = -amount  # a correction that is negative
            t += timedelta(minutes=minutes)
    world.loads = [first, second, third]
    return world


def visible(world: World, upto: int) -> dict[str, dict[datetime, tuple[float, int]]]:
    """meter → UTC stamp → (value, load): the last word of the first `upto` loads."""
    found: dict[str, dict[datetime, tuple[float, int]]] = {"R": {}, "S": {}, "E": {}}
    for number, load in enumerate(world.loads[:upto], 1):
        for (meter, t), value in load.items():
            found[meter][t] = (value, number)
    return found


def reference(world: World, upto: int) -> dict[str, dict[datetime, int]]:
    """meter → cell (UTC start of a quarter-hour) → 10^-6 kWh."""
    seen = visible(world, upto)
    rules = Rules(world.ratio * 10**6, 10**world.digits, Fraction(3000, world.ratio), 2)
    raw = [(t, value, load, 1, 1) for t, (value, load) in seen["R"].items()]
    whole = cells(raw, rules, 900, datetime(2018, 1, 1), datetime(2025, 1, 1))
    answer = {"R": {t: cell[0] for t, cell in whole.items()}, "S": {}, "E": {}}
    for t, (value, _) in seen["S"].items():
        ticks = round(Fraction(str(value)) * 10**6)
        answer["S"][t], answer["S"][t + timedelta(minutes=15)] = _upto(ticks), ticks - _upto(ticks)
    for t, (value, _) in seen["E"].items():
        answer["E"][t - timedelta(minutes=15)] = round(Fraction(str(value)) * 10**9)
    return answer


def _upto(ticks: int) -> int:
    """The first half of an amount, in whole ticks towards zero."""
    return ticks // 2 if ticks >= 0 else -(-ticks // 2)


def write(world: World, folder: Path, upto: int) -> None:
    """The files of one load: the first by the wall clock of the site in order of time, later ones with their offset."""
    for name in ("local", "later"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    zone = world.zone

    def wall(t: datetime) -> datetime:
        return t.replace(tzinfo=UTC).astimezone(zone)

    load = world.loads[upto - 1]
    if upto == 1:
        text = PLANT.format(zone=zone.key, digits=world.digits, ratio=world.ratio, month=world.month)
        (folder / "plant.yaml").write_text(text, encoding="utf-8")
        for meter in ("R", "S", "E"):
            stamps = sorted(t for one, t in load if one == meter)
            rows = [f"{wall(t):%Y-%m-%d %H:%M},{load[meter, t]!r}" for t in stamps]
            (folder / "local" / f"{meter}.csv").write_text(
                f"time,{meter}\n" + "\n".join(rows) + "\n", "utf-8"
            )
        return
    rows = [f"{wall(t).isoformat()},{meter},{value!r}" for (meter, t), value in load.items()]
    random.Random(world.seed).shuffle(rows)
    text = "time,meter,value\n" + "\n".join(rows) + "\n"
    (folder / "later" / f"{upto}.csv").write_text(text, encoding="utf-8")


def by_day(world: World, found: dict[datetime, int]) -> dict[date, int]:
    days: dict[date, int] = defaultdict(int)
    for t, ticks in found.items():
        if world.start <= t < world.end:
            days[t.replace(tzinfo=UTC).astimezone(world.zone).date()] += ticks
    return days


def bill(world: World, found: dict[datetime, int]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """(period, price) → ticks and money, quarter-hour by quarter-hour."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for t, ticks in found.items():
        if not world.start <= t < world.end:
            continue
        local = t.replace(tzinfo=UTC).astimezone(world.zone)
        minute, off = local.hour * 60 + local.minute, local.weekday() >= 5 or local.day == 5
        if off:
            period = "valley" if minute < 540 else "flat"
        elif 480 <= minute < 690 or 1080 <= minute < 1260:
            period = "peak"
        else:
            period = "valley" if minute >= 1380 or minute < 360 else "flat"
        price = {"peak": "1.2017" if local.day >= 15 else "1.0312", "flat": "0.6411", "valley": "0.3019"}[
            period
        ]
        sums[period, price] += ticks
    cent = Decimal("0.01")
    return {
        key: (ticks, (Decimal(ticks) * Decimal(key[1]) / 10**6).quantize(cent, ROUND_HALF_UP))
        for key, ticks in sums.items()
    }


@pytest.mark.parametrize(("seed", "zone"), list(enumerate(ZONES)))
def test_every_answer_of_every_time_is_the_reference_s(seed: int, zone: str, tmp_path: Path) -> None:
    world = make(seed, zone)
    known: list[datetime] = []
    for upto in (1, 2, 3):
        write(world, tmp_path, upto)
        with celadon.open_plant(tmp_path) as plant:
            assert not [item for item in plant.load().findings if item.code.startswith(("table.", "load."))]
            known.append(plant.view().snapshot.recorded_at)
    with celadon.open_plant(tmp_path) as plant:
        for upto, moment in enumerate(known, 1):
            compare(world, plant, upto, moment)


def compare(world: World, plant: celadon.Plant, upto: int, moment: datetime) -> None:
    """Days of each meter, the proof, the month's balance and the bill, as of one moment."""
    wanted = reference(world, upto)
    series = plant.series(["R", "S", "E", "V"], world.month, per="day", as_of=moment)
    days = [t.astimezone(world.zone).date() for t in series.starts]
    for line in series.lines[:3]:
        mine = by_day(world, wanted[line.meter])
        assert [round((value or 0) * 10**6) for value in line.values] == [mine.get(day, 0) for day in days]
    r, s = (by_day(world, wanted[name]) for name in "RS")
    virtual = [None if value is None else round(value * 10**6, 1) for value in series.lines[3].values]
    assert virtual == [r[day] - s[day] / 2 for day in days]
    balance = plant.balance(world.month, as_of=moment)
    assert balance.conserved
    assert plant.proof(world.month, as_of=moment).proofs == balance.proofs, "of the cells that are kept"
    own = {row.node: row.own for row in balance.meters if row.node != "V"}
    assert own == {name: sum(by_day(world, wanted[name]).values()) for name in "RSE"}
    (made,) = plant.bill(world.month, as_of=moment).bills
    energy = {
        (line.period, str(line.price)): (int((line.quantity or 0) * 10**6), line.money)
        for line in made.lines
        if line.kind == "energy"
    }
    assert energy == bill(world, wanted["R"])
    peak = max(ticks for t, ticks in wanted["R"].items() if world.start <= t < world.end)
    (demand,) = [line.quantity for line in made.lines if line.kind == "basic"]
    assert demand == Decimal(peak * 4) / 10**6


def test_days_are_found_as_the_reference_walks() -> None:
    """Days that begin at 1:00 are as long as they are: the walk of `begin` against known lengths."""
    for zone, day, hours in (
        ("America/Sao_Paulo", date(2018, 11, 4), 23.0),
        ("Australia/Lord_Howe", date(2024, 4, 7), 24.5),
        ("Africa/Cairo", date(2024, 4, 26), 23.0),
    ):
        edges = [begin(day + timedelta(days=n), ZoneInfo(zone)) for n in (0, 1)]
        assert [(b - a) / timedelta(hours=1) for a, b in pairwise(edges)] == [hours]
