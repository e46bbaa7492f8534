"""How one value of the plant file reads: numbers, percentages, lengths of time, dates, multipliers,
clock hours.

Every reader takes the text as written and raises ValueError; `READERS` pairs it with the finding that
says so.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.periods import ZONE_UNKNOWN, zone
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, UnitError, parse_unit

BAD_ID = FindingKind(
    "plant.bad-id",
    Severity.ERROR,
    Text("Id cannot be used", "编号不可用"),
    Text("`{key}: {value}` cannot be an id.", "`{key}: {value}` 不能作编号。"),
    Text(
        "Use letters, digits, Chinese characters and . _ - # / only, without spaces, at most 64.",
        "只用字母、数字、汉字和 . _ - # /，不含空格，最长 64 个字符。",
    ),
)
BAD_NUMBER = FindingKind(
    "plant.bad-number",
    Severity.ERROR,
    Text("Not a number", "不是数值"),
    Text("`{key}: {value}` is not a number.", "`{key}: {value}` 不是数值。"),
    Text(
        "Write digits with a decimal point and no thousands separators: 12345.6.",
        "请写数字，用小数点，不用千位分隔符，例如 12345.6。",
    ),
)
BAD_INTEGER = FindingKind(
    "plant.bad-integer",
    Severity.ERROR,
    Text("Not a whole number", "不是整数"),
    Text("`{key}: {value}` is not a whole number.", "`{key}: {value}` 不是整数。"),
    Text("Write digits only, for example 7.", "请只写数字，例如 7。"),
)
BAD_BOOLEAN = FindingKind(
    "plant.bad-boolean",
    Severity.ERROR,
    Text("Neither true nor false", "不是 true 或 false"),
    Text("`{key}: {value}` is neither true nor false.", "`{key}: {value}` 既不是 true 也不是 false。"),
    Text("Write true or false.", "请写 true 或 false。"),
)
BAD_PERCENTAGE = FindingKind(
    "plant.bad-percentage",
    Severity.ERROR,
    Text("Not a percentage", "不是百分数"),
    Text("`{key}: {value}` is not a percentage.", "`{key}: {value}` 不是百分数。"),
    Text(
        "Write it with its sign, for example 2%; without the sign it is a share of one, at most 1.",
        "请带百分号书写，例如 2%；不带百分号时表示不大于 1 的份额。",
    ),
)
BAD_UNCERTAINTY = FindingKind(
    "plant.bad-uncertainty",
    Severity.ERROR,
    Text("Not an uncertainty", "不是不确定度"),
    Text(
        "`{key}: {value}` is neither a percentage nor an accuracy class.",
        "`{key}: {value}` 既不是百分数也不是准确度等级。",
    ),
    Text(
        "Write the half-width at 95 %, for example 2%, or the class: class 0.5S.",
        "请写 95% 置信半宽，例如 2%，或准确度等级：class 0.5S。",
    ),
)
BAD_DURATION = FindingKind(
    "plant.bad-duration",
    Severity.ERROR,
    Text("Not a length of time", "不是时长"),
    Text("`{key}: {value}` is not a length of time.", "`{key}: {value}` 不是时长。"),
    Text("Write a whole number and its unit: 30s, 15min, 2h, 1d.", "请写整数加单位：30s、15min、2h、1d。"),
)
BAD_AMOUNT = FindingKind(
    "plant.bad-amount",
    Severity.ERROR,
    Text("Not an amount", "不是带单位的数值"),
    Text("`{key}: {value}` is not a number with a unit.", "`{key}: {value}` 不是带单位的数值。"),
    Text(
        "Write a number and a unit, for example 4000 kW or 1200 m2.",
        "请写数值和单位，例如 4000 kW 或 1200 m2。",
    ),
)
BAD_MULTIPLIER = FindingKind(
    "plant.bad-multiplier",
    Severity.ERROR,
    Text("Not a multiplier", "不是倍率"),
    Text("`{key}: {value}` is not a multiplier above zero.", "`{key}: {value}` 不是大于零的倍率。"),
    Text(
        "Write a number, a ratio or a product of them: 4000, 400/5, 40 × 100.",
        "请写数值、变比或其乘积：4000、400/5、40 × 100。",
    ),
)
BAD_DATE = FindingKind(
    "plant.bad-date",
    Severity.ERROR,
    Text("Not a date", "不是日期"),
    Text("`{key}: {value}` is not a day of the calendar.", "`{key}: {value}` 不是日历上的一天。"),
    Text(
        "Write an existing day as year-month-day: 2024-02-29.",
        "请按 年-月-日 写一个存在的日期：2024-02-29。",
    ),
)
BAD_INSTANT = FindingKind(
    "plant.bad-instant",
    Severity.ERROR,
    Text("Not a date or time", "不是日期或时刻"),
    Text(
        "`{key}: {value}` is not a day of the calendar or a time on it.",
        "`{key}: {value}` 不是日历上的一天或其中的时刻。",
    ),
    Text(
        "Write 2024-05-02 or 2024-05-02T10:00, local to the site, or with an offset: 2024-05-02T10:00+08:00.",
        "请写 2024-05-02 或 2024-05-02T10:00（站点当地时间），或带时差：2024-05-02T10:00+08:00。",
    ),
)
BAD_HOURS = FindingKind(
    "plant.bad-hours",
    Severity.ERROR,
    Text("Not clock hours", "不是时段"),
    Text("`{key}: {value}` is not a list of clock hours.", "`{key}: {value}` 不是时段列表。"),
    Text(
        "Write from-to with minutes, several with commas: 10:00-12:00, 16:00-24:00.",
        "请写 起-止（含分钟），多段用逗号分隔：10:00-12:00, 16:00-24:00。",
    ),
)
BAD_MONTHS = FindingKind(
    "plant.bad-months",
    Severity.ERROR,
    Text("Not months", "不是月份"),
    Text("`{key}: {value}` is not a list of months.", "`{key}: {value}` 不是月份列表。"),
    Text(
        "Write numbers from 1 to 12 or spans of them: 1-3, 7, 8 or 11-2.",
        "请写 1 到 12 的数字或范围：1-3, 7, 8 或 11-2。",
    ),
)
BAD_DAYS = FindingKind(
    "plant.bad-days",
    Severity.ERROR,
    Text("Not day types", "不是日类型"),
    Text("`{key}: {value}` is not a list of day types.", "`{key}: {value}` 不是日类型列表。"),
    Text(
        "Write workday, weekend, holiday (several with commas) or all.",
        "请写 workday、weekend、holiday（多个用逗号分隔）或 all。",
    ),
)
BAD_TIME_FORMAT = FindingKind(
    "plant.bad-time-format",
    Severity.ERROR,
    Text("Time format does not give a time", "时间格式不完整"),
    Text(
        "`{key}: {value}` does not give a time: it needs a year, a month and a day, and %p beside %I.",
        "`{key}: {value}` 不能确定时间：需要年、月、日，用 %I 时还需 %p。",
    ),
    Text(
        "Write it as strptime does: %Y-%m-%d %H:%M; or excel, unix, unix_ms for counted days and seconds; leave it out for ISO times.",
        "请按 strptime 写法：%Y-%m-%d %H:%M；Excel 序号或 Unix 秒写 excel、unix、unix_ms；ISO 时间可省略。",
    ),
)
BAD_ENCODING = FindingKind(
    "plant.bad-encoding",
    Severity.ERROR,
    Text("Unknown encoding", "未知编码"),
    Text("`{key}: {value}` is not an encoding.", "`{key}: {value}` 不是已知的字符编码。"),
    Text("Write auto, utf-8, gbk, utf-16 … or leave it out.", "请写 auto、utf-8、gbk、utf-16 等，或省略。"),
)
BAD_DELIMITER = FindingKind(
    "plant.bad-delimiter",
    Severity.ERROR,
    Text("Not a delimiter", "不是分隔符"),
    Text("`{key}: {value}` is not one character.", "`{key}: {value}` 不是单个字符。"),
    Text(
        'Write auto, tab, or one character in quotes: ";".',
        '请写 auto、tab，或加引号的单个字符：";"。',
    ),
)
BAD_FORMULA = FindingKind(
    "plant.bad-formula",
    Severity.ERROR,
    Text("Formula cannot be read", "公式无法识别"),
    Text("`formula: {value}` cannot be read from “{rest}” on.", "`formula: {value}` 从“{rest}”起无法识别。"),
    Text(
        "Add and subtract meters, each with a factor where needed: E01 + E02 - 0.5*E03.",
        "请写电表的加减，可带系数：E01 + E02 - 0.5*E03。",
    ),
)

DAY_TYPES = ("workday", "weekend", "holiday")
UNTIL_NEXT = "until-next"

_DECIMAL = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_NUMBER = re.compile(_DECIMAL)
_ID = re.compile(r"[\w#][\w.#/\-]{0,63}")
_CLASS = re.compile(r"class\s+(\d+(?:\.\d+)?)\s*[A-Za-z]?", re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,7})\s*(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = re.compile(rf"({_DECIMAL})\s*(\D.*)?")
_HUGE = re.compile(r"(\^|\*\*|[eE])\s*-?\d{4}")  # a power that would be computed for hours
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?)?")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–~]\s*(\d{1,2}):(\d{2})")
_MONTHS = re.compile(r"(\d{1,2})(?:\s*[-–~]\s*(\d{1,2}))?")
_DIRECTIVES = set("aAbBdHIjmMpSfyYzZ%")
_COUNTED = ("excel", "unix", "unix_ms")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number and its unit; `unit` is None where only the number is written."""

    value: Fraction
    unit: str | None


def read_text(text: str) -> str:
    """Any text that is not blank."""
    if not text.strip():
        raise ValueError(text)
    return text


def read_id(text: str) -> str:
    """Letters, digits, Chinese characters and . _ - # / without spaces."""
    if not _ID.fullmatch(text):
        raise ValueError(text)
    return text


def read_exact(text: str) -> Fraction:
    """A decimal number, exactly."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Fraction(text)


def read_number(text: str) -> float:
    """A finite decimal number."""
    return _finite(read_exact(text))


def _finite(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(str(value)) from error


def read_integer(text: str) -> int:
    """A whole number, also where it begins with zeros."""
    if not re.fullmatch(r"[+-]?\d{1,12}", text):
        raise ValueError(text)
    return int(text)


def read_boolean(text: str) -> bool:
    """true or false (yes and no are understood)."""
    words = {"true": True, "yes": True, "false": False, "no": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def read_percentage(text: str) -> float:
    """`2%` or the share `0.02`; above one the sign is needed, since `2` could mean either."""
    if text.endswith(("%", "％")):
        return _finite(read_exact(text[:-1].strip()) / 100)
    share = read_exact(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return _finite(share)


def read_uncertainty(text: str) -> float:
    """The half-width at 95 % as a share: of `2%`, or of a class such as `class 0.5S`, whose limits of error ±0.5 % are
    equally likely in between: standard uncertainty a/√3 (GUM 4.3.7), and 2 of those."""
    found = _CLASS.fullmatch(text.strip())
    if not found:
        return read_percentage(text)
    return 2 * _finite(read_exact(found[1]) / 100) / math.sqrt(3)


def read_duration(text: str) -> int:
    """Seconds of `30s`, `15min`, `2h`, `1d`; never zero."""
    found = _DURATION.fullmatch(text.strip())
    if not found or int(found[1]) == 0:
        raise ValueError(text)
    return int(found[1]) * _SECONDS[found[2]]


def read_interval(text: str) -> int | str:
    """Seconds, or the word `until-next`."""
    return text if text == UNTIL_NEXT else read_duration(text)


def read_unit(text: str) -> str:
    """A unit that core.units knows, as written (UnitError otherwise)."""
    if _HUGE.search(text):
        raise UnitError(Text(f"cannot read “{text}” as a unit", f"无法将“{text}”识别为单位"))
    parse_unit(text)
    return text.strip()


def read_amount(text: str) -> Amount:
    """`4000 kW`, or a bare number in whatever unit is expected."""
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    return Amount(Fraction(found[1]), read_unit(found[2]) if found[2] else None)


def read_multiplier(text: str) -> Fraction:
    """`4000`, `400/5`, `40 × 100` and products of ratios such as `400/5 × 10000/100`, exactly."""
    product = Fraction(1)
    for part in re.split(r"[×x*·]", text):
        numbers = [read_exact(number.strip()) for number in part.split("/")]
        if len(numbers) > 2 or any(number <= 0 for number in numbers):
            raise ValueError(text)
        product *= numbers[0] / numbers[1] if len(numbers) == 2 else numbers[0]
    return product


def read_date(text: str) -> date:
    """A day of the calendar, ISO 8601."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_instant(text: str) -> datetime:
    """A day (its first moment) or a time on it; without an offset it is local, and naive here. 24:00 is
    understood."""
    found = _INSTANT.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    day, clock, offset = found[1], found[2] or "00:00", (found[3] or "").replace("Z", "+00:00")
    if clock in ("24:00", "24:00:00"):
        return datetime.fromisoformat(f"{day}T00:00{offset}") + timedelta(days=1)
    return datetime.fromisoformat(f"{day}T{clock}{offset}")


def read_zone(text: str) -> str:
    """The name of an IANA time zone."""
    try:
        return zone(text).key
    except FindingError as error:
        raise ValueError(text) from error


def read_hours(text: str) -> tuple[tuple[time, time], ...]:
    """Spans of the clock; `time(0, 0)` as an end is 24:00. A span over midnight becomes its two parts."""
    spans: list[tuple[time, time]] = []
    for part in re.split(r"[,，、;；]", text):
        found = _HOURS.fullmatch(part.strip())
        if not found:
            raise ValueError(text)
        begin, end = _clock(found[1], found[2]), _clock(found[3], found[4])
        if begin == 24 * 60 or begin == end:
            raise ValueError(text)
        if end > begin:
            spans.append((_time(begin), _time(end)))
        else:
            spans += [(_time(begin), time(0, 0)), *([(time(0, 0), _time(end))] if end else [])]
    return tuple(spans)


def _clock(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > 24 * 60:
        raise ValueError(f"{hour}:{minute}")
    return minutes


def _time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def read_months(text: str) -> tuple[int, ...]:
    """Months in calendar order, from `1-3, 7` or `11-2` (over the year's end)."""
    months: set[int] = set()
    for part in re.split(r"[,，、]", text):
        found = _MONTHS.fullmatch(part.strip())
        if not found:
            raise ValueError(text)
        first, last = int(found[1]), int(found[2] or found[1])
        if not (1 <= first <= 12 and 1 <= last <= 12):
            raise ValueError(text)
        months |= {(month - 1) % 12 + 1 for month in range(first, last + (13 if last < first else 1))}
    return tuple(sorted(months))


def read_days(text: str) -> tuple[str, ...]:
    """Day types in their usual order; `all` is every one."""
    words = {word.strip() for word in re.split(r"[,，、]", text)}
    if words == {"all"}:
        return DAY_TYPES
    if not words or not words <= set(DAY_TYPES):
        raise ValueError(text)
    return tuple(word for word in DAY_TYPES if word in words)


def read_time_format(text: str) -> str:
    """A strptime format with a year, and with the half of the day where it has an hour of twelve; or a word for days and
    seconds that are counted."""
    if text in _COUNTED:
        return text
    used = re.findall(r"%(.?)", text)
    if not set(used) <= _DIRECTIVES or ("I" in used and "p" not in used):
        raise ValueError(text)
    if not set("yY") & set(used):
        raise ValueError(text)
    return text


def fixes_day(form: str) -> bool:
    """Whether a time format says the day; that of records may say the month only."""
    used = set(re.findall(r"%(.?)", form))
    return form in _COUNTED or "j" in used or ("d" in used and bool(used & set("mbB")))


def read_encoding(text: str) -> str:
    """`auto` or an encoding of text that Python knows."""
    if text == "auto":
        return text
    try:
        info = codecs.lookup(text)
        "".encode(info.name)
    except LookupError as error:
        raise ValueError(text) from error
    return text


def read_delimiter(text: str) -> str:
    """`auto`, or one character (`tab` and `\\t` are the tabulator)."""
    if text in ("tab", "\\t"):
        return "\t"
    if text != "auto" and len(text) != 1:
        raise ValueError(text)
    return text


def read_formula(text: str, ids: Collection[str]) -> tuple[tuple[str, Fraction], ...]:
    """The terms of `E01 + E02 - 0.5*E03`, a meter named twice with its factors added.

    Ids may hold hyphens: what is an id is decided by `ids` first, longest first. An unknown name
    becomes a term as well, so that the caller can say that it is unknown. ValueError holds the text
    from where it cannot be read.
    """
    known = sorted(ids, key=len, reverse=True)
    terms: dict[str, Fraction] = {}
    rest, first = text.strip(), True
    while rest or first:
        start, sign = rest, 1
        if found := re.match(r"([+\-−])\s*", rest):
            sign, rest = (1 if found[1] == "+" else -1), rest[found.end() :]
        elif not first:
            raise ValueError(start)
        first = False
        weight, name, rest = _term(rest, known, start)
        terms[name] = terms.get(name, Fraction(0)) + sign * weight
    return tuple(terms.items())


_FACTOR = r"(\d+(?:\.\d+)?(?:\s*/\s*\d+(?:\.\d+)?)?)\s*(%?)"


def _term(rest: str, known: list[str], start: str) -> tuple[Fraction, str, str]:
    weight = Fraction(1)
    if _id_at(rest, known) is None and (found := re.match(_FACTOR + r"\s*[*×·]\s*", rest)):
        weight, rest = _weight(found, start), rest[found.end() :]
    name = _id_at(rest, known)
    if name is None:
        found = re.match(r"[^\W\d][\w.#]*", rest)
        if not found:
            raise ValueError(start)
        name = found[0]
    rest = rest[len(name) :].lstrip()
    if found := re.match(r"[*×·]\s*" + _FACTOR + r"\s*", rest):
        weight, rest = weight * _weight(found, start), rest[found.end() :]
    return weight, name, rest


def _id_at(rest: str, known: list[str]) -> str | None:
    """The longest known id that `rest` begins with and that ends there."""
    for name in known:
        if rest.startswith(name) and not re.match(r"[\w.#]", rest[len(name) :]):
            return name
    return None


def _weight(found: re.Match[str], start: str) -> Fraction:
    over, _, under = found[1].replace(" ", "").partition("/")
    if under and not Fraction(under):
        raise ValueError(start)
    return Fraction(over) / Fraction(under or 1) / (100 if found[2] else 1)


READERS: dict[str, tuple[Callable[[str], Any], FindingKind | None]] = {
    "text": (str, None),
    "id": (read_id, BAD_ID),
    "integer": (read_integer, BAD_INTEGER),
    "number": (read_number, BAD_NUMBER),
    "boolean": (read_boolean, BAD_BOOLEAN),
    "percentage": (read_percentage, BAD_PERCENTAGE),
    "uncertainty": (read_uncertainty, BAD_UNCERTAINTY),
    "duration": (read_duration, BAD_DURATION),
    "interval": (read_interval, BAD_DURATION),
    "unit": (read_unit, UNIT_UNKNOWN),
    "amount": (read_amount, BAD_AMOUNT),
    "multiplier": (read_multiplier, BAD_MULTIPLIER),
    "date": (read_date, BAD_DATE),
    "instant": (read_instant, BAD_INSTANT),
    "zone": (read_zone, ZONE_UNKNOWN),
    "hours": (read_hours, BAD_HOURS),
    "months": (read_months, BAD_MONTHS),
    "days": (read_days, BAD_DAYS),
    "time_format": (read_time_format, BAD_TIME_FORMAT),
    "encoding": (read_encoding, BAD_ENCODING),
    "delimiter": (read_delimiter, BAD_DELIMITER),
    "path": (str, None),
    "formula": (str, None),
}
