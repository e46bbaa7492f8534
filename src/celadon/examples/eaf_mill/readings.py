"""From the year's amounts to what the displays show, and from those to the lines of the export files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from itertools import accumulate, pairwise
from random import Random

from celadon.core.dataclass import dataclass
from celadon.examples.eaf_mill import meters
from celadon.examples.eaf_mill.calendar import Calendar
from celadon.examples.eaf_mill.process import Year

SWAP = ("E2011", "05-20 10:00", 5)  # meter, quarter-hour, minute in it
TRANSFORMER = ("E305", "08-08 09:00", 120)  # meter, instant, multiplier from then on
RESET = ("E3063", "09-11 13:30", 7)
POINTS = ("T01", "A01", "L01", "B01")
"""Hourly points that are no registers: furnace temperature, argon flow, tank level, bundles."""


@dataclass(slots=True)
class Measured:
    """What the meters really counted (`worth`, thousandths of the unit per quarter-hour) and show (`texts`, one per
    instant, '' = nothing was recorded)."""

    year: Year
    worth: dict[str, list[int]]
    texts: dict[str, list[str]]
    removed_register: str = ""
    """The exchanged meter's last display."""
    first_registers: dict[str, str] = field(default_factory=dict)
    """Every register's display on 1 January 00:00, also where no file has a line for it."""

    @property
    def calendar(self) -> Calendar:
        return self.year.calendar


def measure(year: Year, random: Random, faults: bool) -> Measured:
    """Read every meter of the year. With `faults`, one register is reset and nobody says so."""
    cal = year.calendar
    physical = meters.amounts(year, random, faults)
    measured = Measured(year, {}, {})
    for meter, series in physical.items():
        if meter in meters.INTERVAL:
            _interval(cal, measured, meter, series)
            continue
        exchange = _exchange(cal, meter, faults)
        register = meters.register(meter, series, exchange)
        show = meters.display_of(meter).text
        measured.worth[meter] = register.worth
        every = 4 if meter in meters.UTILITIES or meter in meters.OFFICE else 1
        texts = [""] * len(register.counts)
        texts[::every] = map(show, register.counts[::every])
        measured.texts[meter] = texts
        measured.first_registers[meter] = texts[0]
        if meter == SWAP[0]:
            measured.removed_register = show(register.removed)
    _points(measured, random)
    return measured


def _exchange(cal: Calendar, meter: str, faults: bool) -> meters.Exchange | None:
    display = meters.display_of(meter)
    if meter == SWAP[0]:
        return meters.Exchange(cal.quarter(SWAP[1]), SWAP[2], display, 0)
    if meter == TRANSFORMER[0]:
        changed = replace(display, multiplier=TRANSFORMER[2])
        return meters.Exchange(cal.quarter(TRANSFORMER[1]), 0, changed, None)
    if meter == RESET[0] and faults:
        return meters.Exchange(cal.quarter(RESET[1]), RESET[2], display, 0)
    return None


def _interval(cal: Calendar, measured: Measured, meter: str, series: list[int]) -> None:
    """Amounts to a tenth of the unit per interval (what a tenth cannot hold goes into the next); E90 is hourly."""
    every = 4 if meter == "E90" else 1
    tenths = [total // 100 for total in accumulate(series, initial=0)][::every]
    steps = [b - a for a, b in pairwise(tenths)]
    texts, worth = [""] * (cal.quarters + 1), [0] * cal.quarters
    for n, step in enumerate(steps):
        texts[(n + 1) * every] = f"{step // 10}.{step % 10}"
        worth[n * every] = step * 100
    measured.worth[meter], measured.texts[meter] = worth, texts


def _points(measured: Measured, random: Random) -> None:
    """The hourly points, one value at every fourth quarter-hour."""
    drivers, count = measured.year.drivers, measured.calendar.quarters
    level = 620
    for name in POINTS:
        measured.texts[name] = [""] * (count + 1)
    for q in range(0, count + 1, 4):
        before = slice(max(0, q - 4), max(q, 1))
        rolled = sum(drivers["roll"][before])
        flow = 20 + sum(drivers["lf"][before]) // 9000 + int(random.random() * 30)
        hot = sum(drivers["shift"][before]) >= 2000
        level = 1150 if level < 260 else level - 2 - sum(drivers["eaf"][before]) // 9_000_000
        texts = measured.texts
        texts["T01"][q] = str((1205 if hot else 860) + int(random.random() * 38))
        texts["A01"][q] = f"{flow // 10}.{flow % 10}"
        texts["L01"][q] = f"{level // 100}.{level % 100:02d}"
        texts["B01"][q] = str((rolled + 900) // 2000)


def stamps(cal: Calendar, form: str) -> list[str]:
    """Every instant of the year (quarters + 1 of them) as text; `form` is a day's strftime form, then the clock."""
    clock = [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30, 45)]
    out = [f"{day} {time}" for n in range(cal.days) for day in (cal.day(n).strftime(form),) for time in clock]
    return [*out, cal.instant(cal.quarters).strftime(form) + " 00:00"]


def month_span(cal: Calendar, month: int) -> tuple[int, int]:
    """First instant of the month, and the one after the last: December also holds the year's last instant."""
    edges = cal.month_edges()
    return edges[month - 1], edges[month] + (1 if month == 12 else 0)


def files(measured: Measured) -> Iterator[tuple[str, str, list[str]]]:
    """Every file of readings: path, encoding and lines, the heading first."""
    cal = measured.calendar
    dashed, slashed = stamps(cal, "%Y-%m-%d"), stamps(cal, "%Y/%m/%d")
    for month in range(1, 13):
        yield f"data/scada/scada-{cal.year}-{month:02d}.csv", "utf-8-sig", _scada(measured, month, dashed)
    for month in range(1, 13):
        yield f"data/gateway/gateway-{cal.year}-{month:02d}.csv", "utf-8", _gateway(measured, month, slashed)
    for quarter in range(1, 5):
        yield f"data/gas/gas-{cal.year}-Q{quarter}.csv", "utf-8", _gas(measured, quarter)
    yield f"data/utilities/utilities-{cal.year}.csv", "utf-8", _utilities(measured, dashed)
    yield f"data/office/office-{cal.year}.csv", "utf-8", _office(measured)
    yield f"data/eaf/eaf-state-{cal.year}.csv", "utf-8", _states(measured.year)


def _scada(measured: Measured, month: int, times: list[str]) -> list[str]:
    first, last = month_span(measured.calendar, month)
    tags = [scada_tag(meter) for meter in meters.SCADA]
    columns = [measured.texts[meter][first:last] for meter in meters.SCADA]
    return [",".join(["time", *tags]), *map(",".join, zip(times[first:last], *columns, strict=True))]


def scada_tag(meter: str) -> str:
    """The SCADA's name of a meter: EP active energy, EN active energy outwards, EQ reactive energy."""
    return meter + ("_EQ" if meter[0] == "Q" else "_EN" if meter == "E03" else "_EP")


def _gateway(measured: Measured, month: int, times: list[str]) -> list[str]:
    first, last = month_span(measured.calendar, month)
    lines = ["time,point,value,unit"]
    columns = [measured.texts[meter] for meter in meters.GATEWAY]
    for q in range(first, last):
        time = times[q]
        lines += [
            f"{time},{meter},{column[q]},kWh"
            for meter, column in zip(meters.GATEWAY, columns, strict=True)
            if column[q]
        ]
    return lines


def _gas(measured: Measured, quarter: int) -> list[str]:
    """A flow computer's export: day first, semicolons, decimal comma; a line closes its interval."""
    cal = measured.calendar
    edges, times = cal.month_edges(), stamps(cal, "%d.%m.%Y")
    first, last = edges[quarter * 3 - 3] + (1 if quarter > 1 else 0), edges[quarter * 3] + 1
    columns = [[text.replace(".", ",") for text in measured.texts[meter][first:last]] for meter in meters.GAS]
    heading = ["Zeit", *(f"{meter} Vn m3" for meter in meters.GAS)]
    return [";".join(heading), *map(";".join, zip(times[first:last], *columns, strict=True))]


def _utilities(measured: Measured, times: list[str]) -> list[str]:
    """The utilities' HMI: hourly, with thousands separators in quotes."""
    names = (*meters.UTILITIES, *POINTS)
    columns = [list(map(_thousands, measured.texts[name][::4])) for name in names]
    return [",".join(["时间", *names]), *map(",".join, zip(times[::4], *columns, strict=True))]


def _thousands(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f'"{int(whole):,}{point}{rest}"' if len(whole) > 3 else text


def _office(measured: Measured) -> list[str]:
    """The office's meters: a line for the hour that it ends, the last hour of the day as 24:00."""
    cal = measured.calendar
    lines = ["时段止,用电量kWh,供热表GJ,水表t"]
    for q in range(4, cal.quarters + 1, 4):
        day, hour = divmod(q // 4, 24)
        stamp = f"{cal.day(day - 1)} 24:00" if hour == 0 else f"{cal.day(day)} {hour:02d}:00"
        lines.append(",".join([stamp, *(measured.texts[meter][q] for meter in meters.OFFICE)]))
    return lines


def _states(year: Year) -> list[str]:
    """The furnace's state, a line per change: 0 idle, 1 power on, 2 power off within a heat."""
    lines = ["time,point,state"]
    for state, minute in state_changes(year):
        at = year.calendar.instant(minute // 15)
        lines.append(f"{at:%Y-%m-%d} {at.hour:02d}:{at.minute + minute % 15:02d},S01,{state}")
    return lines


def state_changes(year: Year) -> Iterator[tuple[int, int]]:
    """State and minute of the year from which it holds."""
    yield 0, 0
    for heat in year.heats:
        on = heat.power_on
        yield from (
            (1, on),
            (2, on + 13),
            (1, on + 16),
            (2, on + 33),
            (1, on + 35),
            (2, heat.tapped - 7),
        )
        yield 0, heat.tapped


def monthly(cal: Calendar, series: Mapping[str, list[int]]) -> dict[str, dict[str, int]]:
    """Meter → `2024-01` → thousandths of the unit."""
    edges = cal.month_edges()
    return {
        meter: {f"{cal.year}-{n + 1:02d}": sum(amounts[edges[n] : edges[n + 1]]) for n in range(12)}
        for meter, amounts in series.items()
    }
