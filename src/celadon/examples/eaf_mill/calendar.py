"""The mill's calendar: quarter-hours, public holidays, maintenance shutdowns, weather and daylight.

Time is counted in quarter-hours since 1 January 00:00, local. Everything is integer arithmetic on `random()`, so that
one seed gives one plant on every machine.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from celadon.core.dataclass import dataclass

QUARTERS_PER_DAY = 96

# Public holidays (first day, last day) and weekend days worked in exchange, as the State Council announced them.
_HOLIDAYS: dict[int, tuple[str, str]] = {
    2023: (
        "01-01..01-02 01-21..01-27 04-05..04-05 04-29..05-03 06-22..06-24 09-29..10-06",
        "01-28 01-29 04-23 05-06 06-25 10-07 10-08",
    ),
    2024: (
        "01-01..01-01 02-10..02-17 04-04..04-06 05-01..05-05 06-08..06-10 09-15..09-17 10-01..10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    2025: (
        "01-01..01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
}
YEARS = tuple(_HOLIDAYS)

# Mean temperature (tenths of a degree), sunrise and sunset (quarter-hours), mid-month, of a city in Shandong.
_TEMPERATURE = (-5, 22, 85, 155, 215, 262, 275, 263, 222, 160, 82, 17)
_SUNRISE = (29, 28, 25, 22, 20, 19, 20, 22, 23, 25, 27, 29)
_SUNSET = (69, 72, 74, 76, 78, 80, 79, 77, 74, 71, 68, 68)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One year. `quarters` instants after the first, numbered 0 … quarters."""

    year: int
    holidays: tuple[date, ...]
    workdays: tuple[date, ...]
    """Weekend days worked in exchange for holidays."""
    shutdowns: tuple[tuple[int, int], ...]
    """Melt shop and mill stand still: from … to, in quarter-hours."""

    @property
    def first(self) -> datetime:
        return datetime(self.year, 1, 1)

    @property
    def days(self) -> int:
        return (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days

    @property
    def quarters(self) -> int:
        return self.days * QUARTERS_PER_DAY

    def day(self, number: int) -> date:
        """The date `number` days after 1 January."""
        return date(self.year, 1, 1) + timedelta(days=number)

    def quarter(self, when: str) -> int:
        """The number of the instant `MM-DD HH:MM` of the year (`13-01 00:00` is the end of the year)."""
        month, day, hour, minute = int(when[:2]), int(when[3:5]), int(when[6:8]), int(when[9:11])
        at = datetime(self.year + (month - 1) // 12, (month - 1) % 12 + 1, day, hour, minute)
        return int((at - self.first).total_seconds()) // 900

    def instant(self, quarter: int) -> datetime:
        return self.first + timedelta(minutes=15 * quarter)

    def month_edges(self) -> list[int]:
        """The 13 quarter-hour numbers at which months begin and the last one ends."""
        return [self.quarter(f"{month:02d}-01 00:00") for month in range(1, 14)]

    def works(self, number: int) -> bool:
        """Whether the offices work on this day."""
        day = self.day(number)
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)


def calendar(year: int) -> Calendar:
    """The calendar of `year` (ValueError where the holidays are not known)."""
    if year not in _HOLIDAYS:
        raise ValueError(
            f"the example plant knows the public holidays of {', '.join(map(str, YEARS))}, not of {year}"
        )
    spans, worked = _HOLIDAYS[year]
    holidays: list[date] = []
    for span in spans.split():
        first, last = (date.fromisoformat(f"{year}-{part}") for part in span.split(".."))
        holidays += [first + timedelta(days=n) for n in range((last - first).days + 1)]
    workdays = tuple(date.fromisoformat(f"{year}-{day}") for day in worked.split())
    bare = Calendar(year, tuple(holidays), workdays, ())
    return Calendar(year, tuple(holidays), workdays, _shutdowns(bare, spans.split()[1].split("..")))


def _shutdowns(bare: Calendar, spring_festival: list[str]) -> tuple[tuple[int, int], ...]:
    """36 hours of maintenance from the second Wednesday of every month; the overhaul is at Spring Festival."""
    first, last = (bare.quarter(f"{day} 00:00") for day in spring_festival)
    overhaul = (first - 64, last + QUARTERS_PER_DAY + 32)
    stops = [overhaul]
    for month in range(1, 13):
        weekday = date(bare.year, month, 1).weekday()
        start = bare.quarter(f"{month:02d}-{(2 - weekday) % 7 + 8:02d} 08:00")
        if start + 144 < overhaul[0] - 960 or start > overhaul[1] + 960:
            stops.append((start, start + 144))
    return tuple(sorted(stops))


def temperature(cal: Calendar, random: Random) -> list[int]:
    """Outdoor temperature at every quarter-hour, in tenths of a degree."""
    out: list[int] = []
    anomaly = 0
    for number in range(cal.days):
        anomaly = (anomaly * 7 + int(random.random() * 121) * 3 - 180) // 10
        mean = _seasonal(_TEMPERATURE, cal.day(number)) + anomaly
        # A day's curve of two parabolas: coldest at 04:00, warmest at 15:00.
        out += [mean + _swing((q - 16) % 96) for q in range(QUARTERS_PER_DAY)]
    return out


def _swing(after_coldest: int) -> int:
    """Difference from the day's mean, tenths of a degree; 44 quarter-hours of warming, 52 of cooling."""
    if after_coldest < 44:
        return -45 + 90 * after_coldest * (88 - after_coldest) // 1936
    return 45 - 90 * (after_coldest - 44) * (148 - after_coldest) // 5408 if after_coldest < 96 else -45


def _seasonal(table: tuple[int, ...], day: date) -> int:
    """Between the mid-month values, in a straight line."""
    before = day.month - 1 if day.day >= 15 else day.month - 2
    days = day.day - 15 if day.day >= 15 else day.day + 15
    low, high = table[before % 12], table[(before + 1) % 12]
    return low + (high - low) * days // 30


def sunshine(cal: Calendar, random: Random) -> list[int]:
    """Output of a photovoltaic plant at every quarter-hour, in thousandths of its peak."""
    out: list[int] = []
    for number in range(cal.days):
        month = cal.day(number).month - 1
        rise, down = _SUNRISE[month], _SUNSET[month]
        length = down - rise
        clear = 930 - 3 * abs(number - 150)  # a lower sun in winter
        draw = random.random()
        clouds = 1000 - int(120 * draw) if draw < 0.62 else 900 - int(850 * (draw - 0.62))
        for q in range(QUARTERS_PER_DAY):
            height = 4 * (q - rise) * (down - q) * 1000 // (length * length) if rise < q < down else 0
            out.append(max(0, height * clear // 1000 * (clouds - int(random.random() * 80)) // 1000))
    return out
