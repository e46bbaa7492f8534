"""What the mill does through the year: heats in the furnaces, casting, rolling, people; the drivers of every meter."""

from __future__ import annotations

from random import Random

from celadon.core.dataclass import dataclass
from celadon.examples.eaf_mill.calendar import QUARTERS_PER_DAY, Calendar, sunshine, temperature

GRADES = ("20CrMnTi", "42CrMo", "45", "GCr15", "Q355B", "40Cr")
# Months in which the grid's sharp-peak hours are so dear that no heat is started in them: minutes of the day.
_SHARP = {1: (960, 1140), 2: (960, 1140), 12: (960, 1140), 6: (1020, 1320), 7: (1020, 1320), 8: (1020, 1320)}


@dataclass(frozen=True, slots=True)
class Heat:
    """One heat. Times in minutes of the year, masses in kg."""

    number: int
    power_on: int
    tapped: int
    grade: str
    scrap: int
    billet: int
    energy: int  # Wh at the furnace transformer
    vacuum: bool


@dataclass(frozen=True, slots=True)
class Year:
    """The simulated year: the heats, and per driver one integer for every quarter-hour.

    eaf, lf: Wh · cast, roll: kg · the others: thousandths of full (vd, run, shift, staff, sun, dark, treat, night)
    or tenths of a degree (cold below 18 °C, warm above 22 °C).
    """

    calendar: Calendar
    heats: tuple[Heat, ...]
    drivers: dict[str, list[int]]


def simulate(cal: Calendar, random: Random) -> Year:
    """Run the mill for one year."""
    heats = tuple(_heats(cal, random))
    drivers: dict[str, list[int]] = {
        name: [0] * cal.quarters for name in ("eaf", "lf", "vd", "cast", "roll", "run", "shift")
    }
    _melt(drivers, heats)
    _standing(cal, drivers["run"])
    _roll(cal, drivers, random)
    _people(cal, drivers)
    _weather(cal, drivers, random)
    drivers["treat"] = _heat_treatment(cal, drivers["run"], random)
    return Year(cal, heats, drivers)


def _heats(cal: Calendar, random: Random) -> list[Heat]:
    """Tap to tap 55 minutes, with delays; none in a shutdown or when the dearest hours would be touched."""
    stops = [(first * 15, last * 15) for first, last in cal.shutdowns]
    heats: list[Heat] = []
    minute, number = 25, 0
    while True:
        minute = _next_start(cal, stops, minute)
        length = 50 + int(random.random() * 11)
        if minute + length + 130 > cal.quarters * 15:  # the last heat is cast before the year ends
            return heats
        number += 1
        billet = 39_000 + int(random.random() * 2200)
        scrap = billet * 1000 // (895 + int(random.random() * 25))
        energy = billet * (372 + int(random.random() * 36))
        grade = GRADES[int(random.random() * len(GRADES))]
        heats.append(
            Heat(number, minute, minute + length, grade, scrap, billet, energy, grade in ("42CrMo", "GCr15"))
        )
        delay = 25 + int(random.random() * 95) if random.random() < 0.04 else int(random.random() * 4)
        minute += length + delay


def _next_start(cal: Calendar, stops: list[tuple[int, int]], minute: int) -> int:
    for first, last in stops:
        if first - 55 < minute < last:
            return last
    month = cal.instant(minute // 15).month
    if month in _SHARP:
        first, last = _SHARP[month]
        of_day = minute % 1440
        if first - 48 < of_day < last:
            return minute - of_day + last
    return minute


def _spread(bins: list[int], first: int, last: int, amount: int) -> None:
    """Share `amount` over the minutes first … last of quarter-hour bins; the parts add to it exactly."""
    left, minute = amount, first
    while minute < last:
        edge = min((minute // 15 + 1) * 15, last)
        part = left * (edge - minute) // (last - minute)
        bins[minute // 15] += part
        left -= part
        minute = edge


def _melt(drivers: dict[str, list[int]], heats: tuple[Heat, ...]) -> None:
    eaf, lf, vd, cast = drivers["eaf"], drivers["lf"], drivers["vd"], drivers["cast"]
    for heat in heats:
        on, tapped, energy = heat.power_on, heat.tapped, heat.energy
        # First bucket 13 min, charging 3 min, second bucket 17 min, refining until shortly before tapping.
        _spread(eaf, on, on + 13, energy * 38 // 100)
        _spread(eaf, on + 16, on + 33, energy * 47 // 100)
        _spread(eaf, on + 35, tapped - 7, energy - energy * 38 // 100 - energy * 47 // 100)
        arc = heat.billet * 38
        _spread(lf, tapped + 6, tapped + 22, arc * 6 // 10)
        _spread(lf, tapped + 28, tapped + 42, arc - arc * 6 // 10)
        start = tapped + 46
        if heat.vacuum:
            _spread(vd, start, start + 22, 22 * 1000 // 15)
            start += 26
        _spread(cast, start, start + 50, heat.billet)


def _standing(cal: Calendar, run: list[int]) -> None:
    run[:] = [1000] * len(run)
    for first, last in cal.shutdowns:
        run[first:last] = [60] * (last - first)


def _roll(cal: Calendar, drivers: dict[str, list[int]], random: Random) -> None:
    """Three shifts of which the mill rolls as long as there are billets; roll changes; Sundays from 08:00 to 20:00 idle."""
    cast, roll, shift, run = drivers["cast"], drivers["roll"], drivers["shift"], drivers["run"]
    stock = 2_600_000
    for number in range(cal.days):
        sunday = cal.day(number).weekday() == 6
        for q in range(QUARTERS_PER_DAY):
            at = number * QUARTERS_PER_DAY + q
            stock += cast[at]
            crew = run[at] == 1000 and not (sunday and 32 <= q < 80)
            shift[at] = 1000 if crew else 0
            if crew and q % 32 >= 3 and stock > 60_000:
                roll[at] = 11_500 + int(random.random() * 2500)
                stock -= roll[at]


def _people(cal: Calendar, drivers: dict[str, list[int]]) -> None:
    weekday = [0] * 30 + [300, 700] + [1000] * 16 + [600] * 6 + [1000] * 16 + [500, 300, 200] + [80] * 23
    holiday = [40] * QUARTERS_PER_DAY
    night = [1000] * 26 + [200] * 58 + [1000] * 12
    drivers["staff"] = [value for n in range(cal.days) for value in (weekday if cal.works(n) else holiday)]
    drivers["night"] = night * cal.days


def _weather(cal: Calendar, drivers: dict[str, list[int]], random: Random) -> None:
    outside = temperature(cal, random)
    drivers["cold"] = [max(0, 180 - value) for value in outside]
    drivers["warm"] = [max(0, value - 220) for value in outside]
    drivers["sun"] = sunshine(cal, random)
    drivers["dark"] = [1000 if value == 0 else 0 for value in drivers["sun"]]


def _heat_treatment(cal: Calendar, run: list[int], random: Random) -> list[int]:
    """Batches in the car-bottom furnaces: 5 hours of heating, 7 of holding, then charging."""
    out: list[int] = []
    while len(out) < cal.quarters:
        idle = 4 + int(random.random() * 24)
        out += [950] * 20 + [300] * 28 + [30] * idle
    return [value if on == 1000 else 20 for value, on in zip(out, run, strict=False)]
