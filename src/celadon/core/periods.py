"""Period, Grain and Validity: spans of time, how they split, and how a user writes them.

Instants are UTC; calendar edges (hour, day, month, year) are those of an IANA zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.text import Text

CLOCK_UNCLEAR = FindingKind(
    "period.clock-unclear",
    Severity.ERROR,
    Text(en="Clock time that is skipped or comes twice", zh="时钟时刻不存在或重复"),
    Text(en="{text} in {zone}: {why}.", zh="{zone} 的 {text}：{why}。"),
    Text(
        en="Write the offset with it: {first} or {second}.",
        zh="请写明与世界时的差：{first} 或 {second}。",
    ),
)
PERIOD_UNREADABLE = FindingKind(
    "period.unreadable",
    Severity.ERROR,
    Text(en="Period cannot be read", zh="期间无法识别"),
    Text(en="“{text}” is not a period.", zh="“{text}”不是有效期间。"),
    Text(
        en="Write 2018, 2018-Q1, 2018-03, 2018-03-05, or from..to with the last day included (2018-01-01..2018-02-15).",
        zh="请写 2018、2018-Q1、2018-03、2018-03-05，或 起..止（含止日，如 2018-01-01..2018-02-15）。",
    ),
)
ZONE_UNKNOWN = FindingKind(
    "period.zone-unknown",
    Severity.ERROR,
    Text(en="Unknown time zone", zh="未知时区"),
    Text(en="“{zone}” is not an IANA time zone.", zh="“{zone}”不是 IANA 时区。"),
    Text(
        en="Use a name such as Asia/Shanghai or Europe/Berlin.",
        zh="请使用 Asia/Shanghai、Europe/Berlin 等名称。",
    ),
)


class Grain(IntEnum):
    """How fine a time column is, coarse to fine."""

    YEAR = 1
    MONTH = 2
    DAY = 3
    HOUR = 4

    @property
    def word(self) -> str:
        return self.name.lower()


GRAINS = {grain.word: grain for grain in Grain}


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name` (FindingError when there is none)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FindingError(ZONE_UNKNOWN.at(zone=name)) from error


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of instants [start, end) in UTC, with the zone whose calendar it was written in."""

    start: datetime
    end: datetime
    zone: str = "UTC"

    def __lt__(self, other: Period) -> bool:
        return (self.start, self.end, self.zone) < (other.start, other.end, other.zone)

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def split(self, grain: Grain) -> Iterator[Period]:
        """The calendar units of `grain` that this period touches, clipped to it; they cover it exactly."""
        cursor = self.start
        while cursor < self.end:
            edge = min(next_edge(cursor, grain, self.zone), self.end)
            yield Period(cursor, edge, self.zone)
            cursor = edge

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end

    def moved(self, zone_name: str) -> Period:
        """The period as another zone's calendar has it: the same local dates and clock times there."""
        if zone_name == self.zone:
            return self
        theirs, ours = zone(self.zone), zone(zone_name)

        def move(moment: datetime) -> datetime:
            return moment.astimezone(theirs).replace(tzinfo=ours).astimezone(UTC)

        return Period(move(self.start), move(self.end), zone_name)

    @property
    def label(self) -> str:
        """`2018`, `2018-03`, `2018-03-05` where it is a calendar unit, else `from..to` with the last day included.
        An hour that the clock shows twice has its offset: `2024-10-27T02:00+01:00`."""
        tz = zone(self.zone)
        first, last = self.start.astimezone(tz), self.end.astimezone(tz)
        for grain, form in (
            (Grain.YEAR, "%Y"),
            (Grain.MONTH, "%Y-%m"),
            (Grain.DAY, "%Y-%m-%d"),
            (Grain.HOUR, "%Y-%m-%dT%H:%M"),
        ):
            if (
                floor(self.start, grain, self.zone) == self.start
                and next_edge(self.start, grain, self.zone) == self.end
            ):
                twice = (
                    grain is Grain.HOUR
                    and first.utcoffset() != first.replace(fold=1 - first.fold).utcoffset()
                )
                return first.isoformat(timespec="minutes") if twice else first.strftime(form)
        if first.time() == last.time() == datetime.min.time():
            return f"{first:%Y-%m-%d}..{last - timedelta(days=1):%Y-%m-%d}"
        return f"{first:%Y-%m-%dT%H:%M}..{last:%Y-%m-%dT%H:%M}"

    def __str__(self) -> str:
        return self.label


def floor(instant: datetime, grain: Grain, zone_name: str) -> datetime:
    """The start (UTC) of the calendar unit that holds `instant`."""
    tz = zone(zone_name)
    local = instant.astimezone(tz)
    if grain is Grain.HOUR:
        start = instant - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        return _clock_change(start, instant, tz) or start
    month = 1 if grain is Grain.YEAR else local.month
    day = local.day if grain is Grain.DAY else 1
    return datetime(local.year, month, day, tzinfo=tz).astimezone(UTC)


def next_edge(instant: datetime, grain: Grain, zone_name: str) -> datetime:
    """The first edge (UTC) of `grain` after `instant`; days of 23 and 25 hours are as long as they are."""
    tz = zone(zone_name)
    if grain is Grain.HOUR:
        clock = instant.astimezone(tz)
        edge = (
            instant
            + timedelta(hours=1)
            - timedelta(minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)
        )
        return _clock_change(instant, edge, tz) or edge
    local = floor(instant, grain, zone_name).astimezone(tz)
    if grain is Grain.DAY:
        following = (local + timedelta(days=1)).date()
    elif grain is Grain.MONTH:
        following = date(local.year + local.month // 12, local.month % 12 + 1, 1)
    else:
        following = date(local.year + 1, 1, 1)
    return datetime(following.year, following.month, following.day, tzinfo=tz).astimezone(UTC)


def _clock_change(after: datetime, upto: datetime, tz: ZoneInfo) -> datetime | None:
    """The instant in (after, upto] at which the clock is moved; None where it is not. Half-hour changes (Lord Howe) come in
    the middle of an hour and end it: the clock hour before and the one after are half as long."""
    if after.astimezone(tz).utcoffset() == upto.astimezone(tz).utcoffset():
        return None
    moved = upto.astimezone(tz).utcoffset()
    low, high = 0, int((upto - after).total_seconds())
    while low < high:  # the first second from which the new offset holds
        middle = (low + high) // 2
        if (after + timedelta(seconds=middle)).astimezone(tz).utcoffset() == moved:
            high = middle
        else:
            low = middle + 1
    return after + timedelta(seconds=high)


_YEAR = re.compile(r"(\d{4})")
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?([+-]\d{2}:?\d{2}|Z)?")


@lru_cache(maxsize=20_000)
def parse_period(text: str, zone_name: str = "UTC") -> Period:
    """Read `2018`, `2018-Q1`, `2018-03`, `2018-03-05`, an hour `2018-03-05T14:00`, or `a..b` (b included)."""
    try:
        if ".." in text:
            first, last = text.split("..", 1)
            period = Period(_one(first, zone_name).start, _one(last, zone_name, closing=True).end, zone_name)
        else:
            period = _one(text, zone_name)
    except (
        ValueError,
        OverflowError,
    ) as error:  # the first and last years have instants outside the calendar
        raise FindingError(PERIOD_UNREADABLE.at(text=text)) from error
    if period.end <= period.start:
        raise FindingError(PERIOD_UNREADABLE.at(text=text))
    return period


def asked_period(text: str, zone_name: str) -> Period:
    """As `parse_period`, for what somebody asks: a clock time that the zone skips or has twice is not guessed.

    Raises:
        FindingError: the period cannot be read, or one of its clock times needs an offset.
    """
    for part in text.split(".."):
        found = _INSTANT.fullmatch(part.strip())
        if found and not found[2]:
            _refuse_unclear(part.strip(), zone_name)
    return parse_period(text, zone_name)


def _refuse_unclear(text: str, zone_name: str) -> None:
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=zone(zone_name))
        first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError) as error:
        raise FindingError(PERIOD_UNREADABLE.at(text=text)) from error
    if first == second:
        return
    skipped = first > second  # zones move the clock forward over the hours they skip
    why = Text("the clock skips it", "该时刻被跳过") if skipped else Text("it comes twice", "该时刻出现两次")
    either = [
        moment.astimezone(zone(zone_name)).isoformat(timespec="minutes") for moment in sorted((first, second))
    ]
    raise FindingError(
        CLOCK_UNCLEAR.at(text=text, zone=zone_name, why=why, first=either[0], second=either[1])
    )


def _one(text: str, zone_name: str, closing: bool = False) -> Period:
    text, tz = text.strip(), zone(zone_name)

    def span(start: date, grain: Grain) -> Period:
        begin = datetime(start.year, start.month, start.day, tzinfo=tz).astimezone(UTC)
        return Period(begin, next_edge(begin, grain, zone_name), zone_name)

    if found := _YEAR.fullmatch(text):
        return span(date(int(found[1]), 1, 1), Grain.YEAR)
    if found := _QUARTER.fullmatch(text):
        first = span(date(int(found[1]), int(found[2]) * 3 - 2, 1), Grain.MONTH)
        last = span(date(int(found[1]), int(found[2]) * 3, 1), Grain.MONTH)
        return Period(first.start, last.end, zone_name)
    if found := _MONTH.fullmatch(text):
        return span(date(int(found[1]), int(found[2]), 1), Grain.MONTH)
    if found := _DAY.fullmatch(text):
        return span(date(int(found[1]), int(found[2]), int(found[3])), Grain.DAY)
    if _INSTANT.fullmatch(text):
        moment = parse_instant(text, zone_name)
        return Period(moment, moment if closing else moment + timedelta(hours=1), zone_name)
    raise ValueError(text)


def parse_instant(text: str, zone_name: str = "UTC") -> datetime:
    """Read an ISO 8601 instant or date; without an offset it is local to `zone_name`. Returns UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone(zone_name))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FindingError(PERIOD_UNREADABLE.at(text=text)) from error


@dataclass(frozen=True, slots=True)
class Validity:
    """From and to (both days included); an open side is None."""

    since: date | None = None
    until: date | None = None

    def covers(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def overlaps(self, other: Validity) -> bool:
        starts_before_end = self.since is None or other.until is None or self.since <= other.until
        ends_after_start = self.until is None or other.since is None or other.since <= self.until
        return starts_before_end and ends_after_start

    def __str__(self) -> str:
        return f"{self.since or '…'}..{self.until or '…'}"
