"""Scales: round steps for an axis, numbers as people read them, steps of the calendar."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from celadon.core.dataclass import dataclass
from celadon.core.text import Lang

ABSENT = "—"


def number(value: float | None, digits: int = 4) -> str:
    """A value to so many significant digits, thousands apart; whole ones from 10^digits on. Absent is a dash."""
    if value is None:
        return ABSENT
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4:
        return f"{value:.{digits - 1}e}"
    text = f"{value:,.{max(0, digits - 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Linear:
    """Values from `low` to `high` on pixels from `start` to `end`, with round steps."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def linear(values: Iterable[float], start: float, end: float, *, zero: bool = True, steps: int = 5) -> Linear:
    """A scale that holds the values (and zero), ending on round steps."""
    found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        low, high = (min(low, 0.0), max(high, 0.0)) if high else (0.0, 1.0)
    step = round_step((high - low) / steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(index * step for index in range(first, last + 1))
    return Linear(ticks[0], ticks[-1], start, end, ticks)


def round_step(rough: float) -> float:
    """The next of 1, 2, 2.5, 5 × 10^n that is not smaller."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(
        (power * part for part in (1.0, 2.0, 2.5, 5.0) if rough <= power * part * (1 + 1e-9)), power * 10
    )


def time_ticks(
    start: datetime, end: datetime, zone: ZoneInfo, most: int, lang: Lang
) -> list[tuple[datetime, str]]:
    """Instants at which the calendar of `zone` turns, at most `most`, each with what is written there."""
    for months in (1, 2, 3, 6, 12, 24, 60, 120):
        marks = _months(start, end, zone, months)
        if len(marks) <= most and (end - start) > timedelta(days=80):
            return [(mark, _month_word(mark.astimezone(zone), months, lang)) for mark in marks]
    for days in (1, 2, 5, 10):
        marks = _days(start, end, zone, days)
        if len(marks) <= most and (end - start) > timedelta(days=4):
            return [(mark, f"{mark.astimezone(zone):%m-%d}") for mark in marks]
    for hours in (1, 2, 3, 6, 12, 24):
        marks = [mark for mark in _hours(start, end, zone) if mark.astimezone(zone).hour % hours == 0]
        if len(marks) <= most:
            return [(mark, _hour_word(mark.astimezone(zone))) for mark in marks]
    return [(start, f"{start.astimezone(zone):%Y-%m-%d}")]


def _months(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[datetime]:
    local = start.astimezone(zone)
    count = local.year * 12 + local.month - 1
    marks: list[datetime] = []
    while True:
        mark = datetime(count // 12, count % 12 + 1, 1, tzinfo=zone)
        if mark >= end:
            return marks
        if mark >= start and count % step == 0:
            marks.append(mark)
        count += 1


def _days(start: datetime, end: datetime, zone: ZoneInfo, step: int) -> list[datetime]:
    day = start.astimezone(zone).date()
    marks = []
    while (mark := datetime(day.year, day.month, day.day, tzinfo=zone)) < end:
        if mark >= start and (day.day - 1) % step == 0 and (day.day < 31 or step == 1):
            marks.append(mark)
        day += timedelta(days=1)
    return marks


def _hours(start: datetime, end: datetime, zone: ZoneInfo) -> Sequence[datetime]:
    local = start.astimezone(zone)
    mark = start - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    marks = []
    while mark < end:
        if mark >= start:
            marks.append(mark)
        mark += timedelta(hours=1)
    return marks


def _month_word(local: datetime, months: int, lang: Lang) -> str:
    if months >= 12:
        return f"{local:%Y}"
    word = (
        f"{local.month}月"
        if lang == "zh"
        else (["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])[
            local.month - 1
        ]
    )
    return f"{local:%Y}" if local.month == 1 else word


def _hour_word(local: datetime) -> str:
    return f"{local:%m-%d}" if local.hour == 0 else f"{local:%H:%M}"
