"""Times as files print them: read in SQL as local wall time and offset, then made UTC with the zone's own clock changes.

Local time is never guessed at: what the clock skipped is a flaw, what it repeats is left to the order of the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import duckdb

from celadon.adapters.tables.kinds import FLAW, SETTING_INVALID
from celadon.adapters.tables.numbers import TYPED_NUMBER, TYPED_TIME
from celadon.adapters.tables.sql import case, literal
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.core.periods import zone as find_zone
from celadon.core.text import Text, text_of

_CLOCK = r"(?:[01]?[0-9]|2[0-4]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_DATE = r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_OFFSET = r"(?:[Zz]|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)"
ISO = rf"{_DATE}(?:(?:T| +){_CLOCK})?"
ISO_OFFSET = rf"{_DATE}(?:T| +){_CLOCK} *{_OFFSET}"
_COMPACT = r"[0-9]{8}(?:[T ]?[0-9]{4}(?:[0-9]{2})?)?"
_CHINESE = rf"[0-9]{{4}}年[0-9]{{1,2}}月[0-9]{{1,2}}日 *(?:{_CLOCK}|[0-9]{{1,2}}[时点](?:整|[0-9]{{1,2}}分(?:[0-9]{{1,2}}秒)?)?)?"
_HALF_DAY = r"(?:0?[1-9]|1[0-2]):[0-9]{2}(?::[0-9]{2})?"
_TWELVE = rf"{_DATE} *(?: {_HALF_DAY} *[AaPp][Mm]|(?:上午|下午) *{_HALF_DAY})"
_SHAPES = rf"[0-9]{{4}}[-/年][0-9]{{1,2}}[-/月][0-9]{{1,2}}日?(?:[T ]*[0-9]{{1,2}}[:时点][0-9:.分秒]* *{_OFFSET}?)?|{_COMPACT}"
_MIDNIGHT_24 = r"(?:^|[^0-9])24:00(?::00(?:\.0+)?)?(?:$|[^0-9.:])"
_SERIAL = r"[0-9]{1,6}(?:\.[0-9]*)?"
_STAMPS = {"unix": (r"[0-9]{9,11}", 1_000_000), "unix_ms": (r"[0-9]{12,14}", 1_000)}
_FIELDS = {
    "Y": "[0-9]{4}",
    "b": ".+",
    "B": ".+",
    "a": ".+",
    "A": ".+",
    "p": ".+",
    "f": "[0-9]+",
    "j": "[0-9]{1,3}",
    "%": "%",
}


_NOT_FAST = "NULL::TIMESTAMP"


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How a source writes times: `format` is None (ISO 8601 and its usual variants), strptime, excel, unix or unix_ms."""

    format: str | None = None
    closes: bool = False
    """0:00 is printed with the day that it ends."""
    typed: bool = False
    excel_1904: bool = False
    guess: str | None = None
    """The strptime format that the file's first times are in; only for speed."""
    sure: bool = False
    """All of the file's times are in it."""

    @property
    def said(self) -> str:
        """The format in words for a finding."""
        return f"“{self.format}”" if self.format else "ISO 8601 (2024-03-05 14:15)"

    @property
    def _text_format(self) -> tuple[str, bool]:
        """The strptime format without a final %z, and whether it had one."""
        text = (self.format or "").strip()
        return (text[:-2].rstrip(), True) if text.endswith("%z") else (text, False)

    def problems(self, con: duckdb.DuckDBPyConnection, where: Place) -> list[Finding]:
        """What is wrong with the format itself."""
        if self.format is None or self.format in ("excel", *_STAMPS):
            return []
        text, _ = self._text_format
        reason: Text | None = None
        if "%Z" in text or "%z" in text:
            reason = Text(
                "an offset (%z) may stand only at the end, and zone names (%Z) are not read",
                "时差（%z）只能写在最后，且不识别时区名（%Z）",
            )
        elif not re.search(r"%-?[Yy]", text):
            reason = Text("it has no year", "缺少年份")
        else:
            try:
                con.execute("SELECT try_strptime('', " + literal(text) + ")").fetchone()
            except duckdb.Error as error:
                reason = text_of(error)
        return (
            [SETTING_INVALID.at(where, setting="time.format", value=self.format, reason=reason)]
            if reason
            else []
        )

    @property
    def only_fast(self) -> bool:
        """Whether `fast` reads all times, so that no other form need be looked for."""
        return self.sure and self.format is None and self.fast("x") != _NOT_FAST

    def fast(self, text: str) -> str:
        """SQL: the wall time of texts in the form that most of the file is in; null for all others."""
        form = self.guess if self.format is None else self._text_format[0]
        if (
            not form
            or self.typed
            or self.closes
            or self.format in ("excel", *_STAMPS)
            or self._text_format[1]
        ):
            return _NOT_FAST
        return f"try_strptime({text}, {literal(form)})"

    def local(self, text: str) -> str:
        """SQL: wall time of a cleaned text as TIMESTAMP, or null. 24:00 and `closes` are midnight of the next day."""
        read = self._untyped_local(text)
        if self.typed:
            serial, stamp = self._count(f"{text}[2:]"), f"regexp_replace({text}[2:], 'Z$', '')"
            read = case(
                [
                    (f"starts_with({text}, {literal(TYPED_TIME)})", f"try_cast({stamp} AS TIMESTAMP)"),
                    (f"starts_with({text}, {literal(TYPED_NUMBER)})", serial),
                ],
                read,
            )
        if not self.closes:
            return read
        midnight = f"({read})::TIME = TIME '00:00:00' AND NOT regexp_matches({text}, {literal(_MIDNIGHT_24)})"
        return f"({read}) + CASE WHEN {midnight} THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END"

    def _count(self, text: str) -> str:
        """A number in a time column: days as a workbook counts them, or what the format says."""
        if self.format not in _STAMPS:
            return self._serial(text)
        return self._untyped_local(f"regexp_replace({text}, '[.]0+$', '')")

    def _serial(self, text: str) -> str:
        """Excel's day count, to the second (its doubles do not carry more)."""
        base = datetime(1904, 1, 1) if self.excel_1904 else datetime(1899, 12, 30)
        start = int((base - datetime(1970, 1, 1)).total_seconds())
        seconds = f"round(try_cast({text} AS DOUBLE) * 86400)"
        return f"CASE WHEN try_cast({text} AS DOUBLE) BETWEEN 1 AND 2958465 THEN make_timestamp(({start} + {seconds}::BIGINT) * 1000000) END"

    def _untyped_local(self, text: str) -> str:
        if self.format == "excel":
            return case([(f"regexp_full_match({text}, {literal(_SERIAL)})", self._serial(text))])
        if self.format in _STAMPS:
            pattern, micros = _STAMPS[self.format]
            return case(
                [
                    (
                        f"regexp_full_match({text}, {literal(pattern)})",
                        f"make_timestamp({text}::BIGINT * {micros})",
                    )
                ]
            )
        if self.format is None:
            return self._iso(text)
        shape, offset = self._text_format
        form = literal(shape)
        bare = f"regexp_replace({text}, {literal(' *' + _OFFSET + '$')}, '')" if offset else text
        next_day = f"try_strptime(replace({bare}, '24:00', '00:00'), {form}) + INTERVAL 1 DAY"
        late = case([(f"regexp_matches({text}, {literal(_MIDNIGHT_24)})", next_day)])
        plain = f"try_strptime({bare}, {form})"
        if offset:
            plain = case([(f"regexp_matches({text}, {literal(_OFFSET + '$')})", plain)])
        return f"coalesce({plain}, {late})"

    def _iso(self, text: str) -> str:
        strip = f"regexp_replace({text}, {literal(' *' + _OFFSET + '$')}, '')"
        chinese = f"replace(replace(replace(regexp_replace(translate({text}, '日整', ' '), '[年月]', '-', 'g'), '时', ':'), '点', ':'), '分', ':')"
        chinese = (
            f"try_cast(trim(regexp_replace(regexp_replace({chinese}, '秒$', ''), ':$', ':00')) AS TIMESTAMP)"
        )
        compact = case(
            [(f"length({text}) = {length}", f"try_strptime({text}, '{form}')") for length, form in _COMPACT_FORMS.items() if "T" not in form]
        )  # fmt: skip
        digits = f"regexp_replace({text}, '[T ]', '')"
        compact = compact.replace(text, digits)
        half = f"regexp_replace(replace({text}, '/', '-'), '^([-0-9]+) *(上午|下午) *(.*)$', '\\1 \\3 \\2')"
        half = (
            f"regexp_replace(replace(replace({half}, '上午', 'AM'), '下午', 'PM'), ' *([AaPp][Mm])$', ' \\1')"
        )
        half = f"try_strptime({half}, ['%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p'])"
        return case(
            [
                (f"regexp_full_match({text}, {literal(ISO)})", f"try_cast({text} AS TIMESTAMP)"),
                (f"regexp_full_match({text}, {literal(ISO_OFFSET)})", f"try_cast({strip} AS TIMESTAMP)"),
                (f"regexp_full_match({text}, {literal(_COMPACT)})", compact),
                (f"regexp_full_match({text}, {literal(_CHINESE)})", chinese),
                (f"regexp_full_match({text}, {literal(_TWELVE)})", half),
            ]
        )

    def offset(self, text: str) -> str:
        """SQL: seconds east of UTC that the text itself says, or null where the zone decides."""
        if self.format in _STAMPS:
            return "0"
        if self.format == "excel" or (self.format and not self._text_format[1]):
            said = "NULL::INTEGER"
        else:
            digits = f"regexp_extract({text}, '([+-][0-9]{{2}}):?([0-9]{{2}})?$', ['h', 'm'])"
            hours, minutes = f"{digits}['h']", f"coalesce(nullif({digits}['m'], ''), '0')"
            seconds = f"{hours}::INTEGER * 3600 + CASE WHEN {hours}[1] = '-' THEN -60 ELSE 60 END * {minutes}::INTEGER"
            zulu = f"regexp_matches({text}, '(?:[Zz]|UTC)$')"
            pattern = ISO_OFFSET if self.format is None else f".*{_OFFSET}"
            shaped = f"regexp_full_match({text}, {literal(pattern)})"
            said = case([(f"NOT {shaped}", "NULL"), (zulu, "0")], seconds)
        if not self.typed:
            return said
        utc = f"starts_with({text}, {literal(TYPED_TIME)}) AND ends_with({text}, 'Z')"
        typed = f"{text}[1] IN ({literal(TYPED_TIME)}, {literal(TYPED_NUMBER)})"
        return case([(utc, "0"), (typed, "NULL")], said)

    def flaw(self, text: str, local: str, now: datetime) -> str:
        """SQL: the flaw's number of a time, or null; `local` is its wall time by `local`."""
        latest = literal((now + timedelta(days=366)).strftime("%Y-%m-%d"))
        branches = [
            (f"{local} >= TIMESTAMP '1970-01-02' AND {local} < TIMESTAMP {latest}", "NULL"),
            (f"{local} IS NOT NULL", str(FLAW["time-far"])),
            (f"{text} = ''", str(FLAW["time-missing"])),
        ]
        if not self.only_fast:
            branches.append(
                (f"regexp_full_match({text}, {literal(self._shape())})", str(FLAW["time-impossible"]))
            )
        return case(branches, str(FLAW["time-unreadable"]))

    def _shape(self) -> str:
        """What looks like a time in this format, whether or not the calendar has it."""
        if self.format is None:
            return _SHAPES
        if self.format in ("excel", *_STAMPS):
            return "[^\\s\\S]"
        text, offset = self._text_format
        pattern, position = "", 0
        for field in re.finditer(r"%-?(.)", text):
            pattern += re.escape(text[position : field.start()]) + _FIELDS.get(field[1], "[0-9]{1,2}")
            position = field.end()
        return pattern + re.escape(text[position:]) + (f" *{_OFFSET}" if offset else "")


_COMPACT_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def guess_format(texts: Sequence[str]) -> str | None:
    """The strptime format of ISO-like times without offset, when these agree on one."""
    found = set()
    for text in texts:
        match = re.fullmatch(
            r"\d{4}([-/])\d{1,2}([-/])\d{1,2}(?:([T ])\d{1,2}:\d{2}(:\d{2})?)?", text.strip()
        )
        if not match or match[1] != match[2]:
            return None
        clock = f"{match[3]}%H:%M{':%S' if match[4] else ''}" if match[3] else ""
        found.add(f"%Y{match[1]}%m{match[1]}%d{clock}")
    return found.pop() if len(found) == 1 else None


def all_in(texts: Sequence[str], form: str) -> bool:
    """Whether every text is a time in just this form, that the calendar has."""
    if guess_format(texts) != form or not all(text.isascii() and text.strip() == text for text in texts):
        return False
    try:
        return all(datetime.strptime(text, form) is not None for text in texts)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a zone's offset: at instant `at` (seconds since 1970 UTC) from `before` to `after` seconds east."""

    at: int
    before: int
    after: int

    @property
    def edges(self) -> tuple[int, int]:
        """Local wall seconds between which times are skipped (after > before) or repeated."""
        first, last = sorted((self.at + self.before, self.at + self.after))
        return first, last

    @property
    def skips(self) -> bool:
        return self.after > self.before


@lru_cache(maxsize=256)
def _changes_of_year(zone: str, year: int) -> tuple[Change, ...]:
    tz = find_zone(zone)

    def offset(at: int) -> int:
        moment = datetime.fromtimestamp(at, UTC).astimezone(tz).utcoffset()
        return int(moment.total_seconds()) if moment is not None else 0

    start, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    found, low, before = [], start, offset(start)
    for at in range(start + 86_400, end + 86_400, 86_400):
        if (after := offset(at)) != before:
            first, last = low, at
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (middle, last) if offset(middle) == before else (first, middle)
            found.append(Change(last, before, after))
            before = after
        low = at
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Clock:
    """A zone's offsets over the span of a file: the first one and the changes inside it."""

    zone: str
    first: int
    changes: tuple[Change, ...]

    def utc(self, local: str, second: bool = False) -> str:
        """SQL: UTC of a wall time; of a repeated time the first occurrence, or the `second`."""
        edges = [
            (change.edges[0] if second or change.skips else change.edges[1], change.after)
            for change in self.changes
        ]
        return f"({local} - to_seconds({_choose(local, edges, self.first)}))"

    def inside(self, local: str, skipped: bool) -> str:
        """SQL: whether a wall time is one the clock skips (or, not `skipped`, one it repeats)."""
        spans = [change.edges for change in self.changes if change.skips is skipped]
        tests = [f"({local} >= {_moment(start)} AND {local} < {_moment(end)})" for start, end in spans]
        return "(" + " OR ".join(tests) + ")" if tests else "FALSE"


def clock(zone: str, low: datetime, high: datetime) -> Clock:
    """The zone's clock for wall times from `low` to `high` and two days around them (FindingError: unknown zone)."""
    tz = find_zone(zone)
    start, end = low - timedelta(days=2), high + timedelta(days=2)
    first = start.replace(tzinfo=UTC).astimezone(tz).utcoffset() or timedelta(0)
    bounds = start.replace(tzinfo=UTC).timestamp(), end.replace(tzinfo=UTC).timestamp()
    years = range(start.year, end.year + 1)
    changes = (change for year in years for change in _changes_of_year(zone, year))
    return Clock(zone, int(first.total_seconds()), tuple(c for c in changes if bounds[0] < c.at <= bounds[1]))


def _moment(seconds: int) -> str:
    return f"TIMESTAMP '{datetime(1970, 1, 1) + timedelta(seconds=seconds)}'"


def _choose(local: str, edges: Sequence[tuple[int, int]], first: int) -> str:
    """The offset by bisection, so that a century of changes costs eight comparisons."""
    if not edges:
        return str(first)
    middle = len(edges) // 2
    edge, after = edges[middle]
    low, high = _choose(local, edges[:middle], first), _choose(local, edges[middle + 1 :], after)
    return f"CASE WHEN {local} < {_moment(edge)} THEN {low} ELSE {high} END"
