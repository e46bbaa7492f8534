"""The plant file's time-of-use bands and holidays once more, for the truth of what was bought when."""

from __future__ import annotations

from collections.abc import Sequence

from celadon.examples.eaf_mill.calendar import QUARTERS_PER_DAY, Calendar

# Season → hours of the day by period; hours not named are flat. Holidays have a table of their own.
_SEASONS: dict[str, dict[str, Sequence[tuple[int, int]]]] = {
    "winter": {"sharp": [(16, 19)], "peak": [(19, 22)], "valley": [(10, 11), (14, 15)], "deep": [(11, 14)]},
    "spring": {"sharp": [(17, 20)], "peak": [(20, 22)], "valley": [(10, 11), (14, 15)], "deep": [(11, 14)]},
    "summer": {"sharp": [(17, 22)], "peak": [(16, 17), (22, 23)], "valley": [(2, 8)]},
    "autumn": {"sharp": [(16, 18)], "peak": [(18, 21)], "valley": [(10, 11), (13, 15)], "deep": [(11, 13)]},
    "holiday": {"peak": [(17, 21)], "deep": [(10, 15)]},
}
_SEASON_OF_MONTH = ("winter",) * 2 + ("spring",) * 3 + ("summer",) * 3 + ("autumn",) * 3 + ("winter",)
PERIODS = ("sharp", "peak", "flat", "valley", "deep")


def periods(cal: Calendar) -> list[str]:
    """The tariff period of every quarter-hour of the year."""
    days = {name: _day(bands) for name, bands in _SEASONS.items()}
    out: list[str] = []
    for n in range(cal.days):
        day = cal.day(n)
        out += days["holiday" if day in cal.holidays else _SEASON_OF_MONTH[day.month - 1]]
    return out


def _day(bands: dict[str, Sequence[tuple[int, int]]]) -> list[str]:
    hours = ["flat"] * 24
    for period, spans in bands.items():
        for first, last in spans:
            hours[first:last] = [period] * (last - first)
    return [hours[q // 4] for q in range(QUARTERS_PER_DAY)]
