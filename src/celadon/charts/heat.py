"""Heat map: the hours of the day down, the days across; when something runs, at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from celadon.charts.chart import MARGIN, NO_DATA, Chart, Table
from celadon.charts.palette import RAMP, ramp
from celadon.charts.scale import number
from celadon.charts.scene import Label, Path, Rect, Scene, place
from celadon.core.dataclass import dataclass
from celadon.core.periods import zone
from celadon.core.text import Lang, Text

_HOUR = 9.0


@dataclass(frozen=True, kw_only=True)
class HeatMap(Chart):
    """Values by day (in order, none left out) and local hour 0–23; None is absent. An hour that the clock shows twice
    holds the mean of both, one that it skips is absent."""

    days: tuple[date, ...]
    values: tuple[tuple[float | None, ...], ...]
    """One row of 24 for each day."""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.days) or any(len(row) != 24 for row in self.values):
            raise ValueError("every day needs 24 values, or None")

    @property
    def known(self) -> list[float]:
        """The values that are there."""
        return [value for row in self.values for value in row if value is not None]

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        left, right = MARGIN + 34, scene.width - MARGIN
        wide = (right - left) / max(1, len(self.days))
        low, high = self._range()
        top = self._scale(scene, top, right, lang) + 4
        runs: dict[str, list[str]] = defaultdict(list)
        for index, row in enumerate(self.values):
            for hour, value in enumerate(row):
                role = (
                    "absent" if value is None else ramp((value - low) / (high - low) if high > low else 0.0)
                )
                spot = f"M{place(left + wide * index)} {place(top + _HOUR * hour)}"
                # One path for each step of the ramp: a year is nine shapes and not nine thousand.
                runs[role].append(f"{spot}h{wide + 0.3:.2f}v{_HOUR + 0.3}h-{wide + 0.3:.2f}z")
        for role in sorted(runs):
            scene.add(Path("".join(runs[role]), fill=role))
        for hour in range(0, 25, 6):
            scene.add(Label(left - 5, top + _HOUR * hour + 4, f"{hour:02d}:00", 10.5, "muted", "end"))
        base = top + 24 * _HOUR
        for index, word in self._marks(right - left):
            x = left + wide * index
            scene.line(x, base, x, base + 4, "edge")
            scene.add(Label(x, base + 16, word, 10.5, "muted"))
        return base + 22

    def _range(self) -> tuple[float, float]:
        known = self.known or [0.0]
        return min(known), max(known)

    def _scale(self, scene: Scene, top: float, right: float, lang: Lang) -> float:
        """The ramp with its ends."""
        low, high = self._range()
        x = right - 8 - RAMP * 16 - 60
        scene.add(Label(x - 6, top + 1, number(low), 10.5, "muted", "end"))
        for step in range(RAMP):
            scene.add(Rect(x + step * 16, top - 8, 16, 10, f"ramp-{step + 1}"))
        scene.add(Label(x + RAMP * 16 + 6, top + 1, number(high), 10.5, "muted"))
        if len(self.known) < 24 * len(self.days):
            scene.add(Rect(MARGIN + 34, top - 8, 10, 10, "absent", "edge", "2 2"))
            scene.add(Label(MARGIN + 48, top + 1, NO_DATA.say(lang), 10.5, "muted"))
        return top + 8

    def _marks(self, room: float) -> list[tuple[int, str]]:
        """Where a month begins (or, in a shorter span, some days), with its name."""
        firsts = [(index, f"{day:%Y-%m}") for index, day in enumerate(self.days) if day.day == 1]
        if len(firsts) >= 3:
            every = -(-len(firsts) * 52 // int(room)) if room else 1
            return firsts[:: max(1, every)]
        every = max(1, -(-len(self.days) * 46 // int(room)))
        return [(index, f"{day:%m-%d}") for index, day in enumerate(self.days)][::every]

    def table(self, lang: Lang) -> Table:
        head = Text("day", "日期").say(lang)
        rows = tuple((day.isoformat(), *row) for day, row in zip(self.days, self.values, strict=True))
        return Table((head, *(f"{hour:02d}:00" for hour in range(24))), rows)

    def summary(self, lang: Lang) -> str:
        known = self.known
        if not known:
            return NO_DATA.say(lang)
        by_hour = [[row[hour] for row in self.values if row[hour] is not None] for hour in range(24)]
        means = [
            (sum(v for v in found if v is not None) / len(found), hour)
            for hour, found in enumerate(by_hour)
            if found
        ]
        text = Text(
            "From {low} to {high} {unit}; on average highest at {most}:00 and lowest at {least}:00.",
            "{low} 至 {high} {unit}；平均以 {most} 时最高，{least} 时最低。",
        )
        figures = {"low": number(min(known)), "high": number(max(known)), "unit": self.unit}
        return text.say(lang, {**figures, "most": max(means)[1], "least": min(means)[1]})


def by_day_and_hour(
    values: Iterable[tuple[datetime, float | None]], zone_name: str
) -> tuple[tuple[date, ...], tuple[tuple[float | None, ...], ...]]:
    """Days and rows of a heat map from hourly values (start of the hour, value), on the calendar of a zone."""
    local = zone(zone_name)
    found: dict[tuple[date, int], list[float]] = defaultdict(list)
    days: set[date] = set()
    for moment, value in values:
        there = moment.astimezone(local)
        days.add(there.date())
        if value is not None:
            found[there.date(), there.hour].append(value)
    if not days:
        return (), ()
    first, last = min(days), max(days)
    every = tuple(first + timedelta(days=index) for index in range((last - first).days + 1))
    rows = tuple(tuple(_mean(found.get((day, hour))) for hour in range(24)) for day in every)
    return every, rows


def _mean(values: list[float] | None) -> float | None:
    return sum(values) / len(values) if values else None
