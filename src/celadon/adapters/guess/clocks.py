"""The time column of an unknown table: which one, its format, what its stamps mean, and on which clock it runs."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from celadon.adapters.guess.choices import Choices, Other
from celadon.adapters.guess.columns import Column, Look, share
from celadon.adapters.tables.times import ISO, ISO_OFFSET
from celadon.core.dataclass import dataclass
from celadon.core.periods import zone as find_zone
from celadon.core.text import Text

_NAME = re.compile(
    r"time|date|zeit|datum|stamp|hour|时间|日期|时刻|年月|月份|day|month|period", re.IGNORECASE
)
_ISO = re.compile(
    rf"{ISO}|{ISO_OFFSET}|\d{{8}}(?:[T ]?\d{{4}}(?:\d{{2}})?)?|\d{{4}}年\d{{1,2}}月(?:\d{{1,2}}日.*)?|\d{{4}}-\d{{1,2}}|\d{{4}}"
)
_PARTS = re.compile(
    r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:([T ]+)(\d{1,2})([:.])(\d{2})(?:[:.](\d{2}))?(?: ?([AaPp][Mm]))?)?"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_NAMED = (
    "%d-%b-%Y %H:%M",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d-%b-%y %H:%M",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
)
_MOST = 5_000


@dataclass(frozen=True)
class Form:
    """A way to read a column as times: strptime format ('' = ISO 8601 and its kin), and the share of cells it reads."""

    format: str
    share: float
    why: Text
    others: tuple[Other, ...] = ()
    sure: bool = True


@dataclass(frozen=True)
class Clock:
    """The time column found: `columns` are two where date and clock stand apart."""

    columns: tuple[Column, ...]
    form: Form
    moments: tuple[datetime, ...]
    """Local times of the first rows, where Python reads them too."""

    @property
    def name(self) -> str:
        return " + ".join(column.name for column in self.columns)

    @property
    def daily(self) -> bool:
        """Whether no time has a clock."""
        return all(not (moment.hour or moment.minute) for moment in self.moments)

    @property
    def step(self) -> timedelta | None:
        """The usual distance of one time to the next different one."""
        gaps = [b - a for a, b in zip(self.moments, self.moments[1:], strict=False) if b > a]
        return Counter(gaps).most_common(1)[0][0] if gaps else None


def forms(cells: Sequence[str]) -> Form | None:
    """How these texts read as times; None where they do not."""
    texts = [cell for cell in cells if cell][:_MOST]
    if not texts:
        return None
    iso = share(texts, _ISO.fullmatch)
    if iso > 0.8:
        return Form("", iso, Text("year first, as ISO 8601 has it", "年在前，符合 ISO 8601"))
    for name, low, high in (("unix", 9, 11), ("unix_ms", 12, 14)):
        found = share(texts, lambda cell, a=low, b=high: cell.isdigit() and a <= len(cell) <= b)
        if (found > 0.95 and name == "unix_ms") or (found > 0.95 and min(map(int, texts)) > 600_000_000):
            return Form(name, found, Text("counts since 1970", "自 1970 年起的计数"))
    parts = [match for text in texts if (match := _PARTS.fullmatch(text))]
    if len(parts) > 0.8 * len(texts):
        return _ordered(parts, len(parts) / len(texts))
    for shape in _NAMED:
        found = share(texts, lambda cell, form=shape: _read(cell, form) is not None)
        if found > 0.8:
            return Form(shape, found, Text("the month is a word", "月份为英文缩写"))
    return None


def _ordered(parts: Sequence[re.Match[str]], found: float) -> Form:
    """Day first, month first or year first, by what the numbers can be and then by which order runs evenly."""
    first = parts[0]
    clock = ""
    if first[6]:
        half = "%I" if first[10] else "%H"
        clock = (
            f"{first[5][0]}{half}{first[7]}%M"
            + (f"{first[7]}%S" if first[9] else "")
            + (" %p" if first[10] else "")
        )
    mark, long_year = first[2], len(first[4]) == 4
    if len(first[1]) == 4:
        return Form(f"%Y{mark}%m{mark}%d{clock}", found, Text("year first", "年在前"))
    year = "%Y" if long_year else "%y"
    day_first, month_first = f"%d{mark}%m{mark}{year}{clock}", f"%m{mark}%d{mark}{year}{clock}"
    ones, twos = {int(part[1]) for part in parts}, {int(part[3]) for part in parts}
    if max(ones) > 12:
        return Form(
            day_first,
            found,
            Text(f"the first number goes up to {max(ones)}: a day", f"第一个数最大为 {max(ones)}：是日"),
        )
    if max(twos) > 12:
        return Form(
            month_first,
            found,
            Text(f"the second number goes up to {max(twos)}: a day", f"第二个数最大为 {max(twos)}：是日"),
        )
    texts = [part[0] for part in parts]
    even = {form: _evenness(texts, form) for form in (day_first, month_first)}
    best, other = (
        (month_first, day_first) if even[month_first] > even[day_first] else (day_first, month_first)
    )
    why = Text(
        "no number is above 12; in this order the times run more evenly"
        if even[best] > even[other]
        else "no number is above 12, so day and month cannot be told apart",
        "没有大于 12 的数；按此顺序时间更连续"
        if even[best] > even[other]
        else "没有大于 12 的数，无法区分日与月",
    )
    said = Other(other, Text("the other order of day and month", "日与月的另一种顺序"))
    return Form(best, found, why, (said,), even[best] > even[other] + 0.2)


def _evenness(texts: Sequence[str], form: str) -> float:
    """The share of steps between neighbouring times that have the usual length."""
    moments = [moment for text in texts if (moment := _read(text, form))]
    steps = [b - a for a, b in itertools.pairwise(moments)]
    return Counter(steps).most_common(1)[0][1] / len(steps) if steps else 0.0


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text.replace("24:00", "00:00"), form)
    except ValueError:
        return None


def moments(texts: Iterable[str], form: str) -> list[datetime]:
    """The local times that Python can read of these texts; 24:00 is midnight of the next day."""
    found = []
    for text in texts:
        if form in ("unix", "unix_ms"):
            number = int(text) if text.isdigit() else 0
            moment: datetime | None = datetime.fromtimestamp(number / (1000 if form == "unix_ms" else 1), UTC)
        elif form:
            moment = _read(text, form)
        else:
            moment = _iso(text)
        if moment is not None:
            late = timedelta(days=1) if re.search(r"(?<!\d)24:00", text) else timedelta(0)
            found.append(moment.replace(tzinfo=None) + late)
    return found


def _iso(text: str) -> datetime | None:
    plain = re.sub(r"[年月/]", "-", text.replace("日", " ")).replace("24:00", "00:00").strip().rstrip("-")
    plain = re.sub(r" *(?:Z|UTC|[+-]\d{2}:?\d{2})$", "", plain)
    for form in (
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d",
        "%Y-%m",
        "%Y%m%d",
        "%Y%m%d%H%M",
        "%Y",
    ):
        try:
            return datetime.strptime(plain.partition(".")[0] if "." in plain else plain, form)
        except ValueError:
            continue
    return None


def find_clock(look: Look, choices: Choices) -> Clock | None:
    """The time column (or the date and the clock column), its format settled; None where there is none."""
    found: list[tuple[float, tuple[Column, ...], Form]] = []
    for column in look.columns:
        form = (
            Form("", 1.0, Text("the workbook's own dates", "工作簿自身的日期格式"))
            if column.timed
            else forms(column.given)
        )
        if form is None or (column.typed and not column.timed):
            continue
        named = bool(_NAME.search(column.name))
        if re.fullmatch(r"\d{4}|\d{8}|\d{9,14}", column.given[0]) and not named:
            continue  # a plain number is a time only where its header says so
        found.append((form.share + named - 0.01 * column.index, (column,), form))
    clocks = [c for c in look.columns if c.given and share(c.given, _CLOCK.fullmatch) > 0.9]
    pick = max(found, key=lambda item: item[0], default=None)
    if pick is not None and clocks:
        dates = pick[1][0]
        if all(not re.search(r"\d:\d{2}", text) for text in dates.given[:50]):
            joined = [f"{a} {b}" for a, b in zip(dates.cells, clocks[0].cells, strict=True) if a and b]
            form = forms(joined)
            if form is not None:
                pick = (pick[0], (dates, clocks[0]), form)
    name = " + ".join(column.name for column in pick[1]) if pick else ""
    others = [
        Other(
            item[1][0].name,
            Text(f"{item[2].share:.0%} of its cells are times", f"{item[2].share:.0%} 的单元格是时间"),
        )
        for item in found
        if pick is not None and item[1][0] is not pick[1][0]
    ]
    said = (
        Text("its cells are times", "其单元格为时间") if pick else Text("no column holds times", "没有时间列")
    )
    chosen = choices.choose("time.column", name, said, others, sure=pick is not None and not others)
    if chosen != name:
        columns = tuple(part for word in chosen.split(" + ") if (part := look.column(word.strip())))
        other = forms(columns[0].given) if columns else None
        pick = (
            (0.0, columns, other or Form("", 0.0, Text("no time format fits", "没有合适的时间格式")))
            if columns
            else None
        )
    if pick is None:
        return None
    form = pick[2]
    text = choices.choose("time.format", form.format, form.why, form.others, sure=form.sure)
    cells = list(zip(*(column.cells for column in pick[1]), strict=True))
    texts = [" ".join(row) for row in cells if all(row)]
    if pick[1][0].timed:
        texts = [cell.replace("T", " ") for cell in texts]
    return Clock(pick[1], Form(text, form.share, form.why), tuple(moments(texts, text)))


def settle_midnight(clock: Clock, choices: Choices) -> str:
    """Whether 0:00 is printed with the day that it ends: then the times fall back by nearly a day at each midnight."""
    back = [
        b - a
        for a, b in zip(clock.moments, clock.moments[1:], strict=False)
        if b < a and b.date() == a.date() and not (b.hour or b.minute)
    ]
    ahead = sum(1 for a, b in zip(clock.moments, clock.moments[1:], strict=False) if b > a)
    if back and ahead > len(back):
        why = Text(
            f"{len(back)} times 0:00 follows the last hour of the same date",
            f"有 {len(back)} 处 0:00 紧随同一日期的最后时刻",
        )
        return choices.choose(
            "time.midnight", "closes", why, [Other("opens", Text("0:00 begins its day", "0:00 为当日开始"))]
        )
    return ""


def settle_stamp(clock: Clock, choices: Choices, kinds: set[str]) -> str:
    """What a stamp means, of amounts per interval; '' = as the meter says."""
    if kinds and not kinds & {"interval", "count", "rate", "level"}:
        return ""
    name, step = clock.name, clock.step
    others = {
        "start": Other("start", Text("the stamp is the interval's start", "时间戳为时段开始")),
        "end": Other("end", Text("the stamp is the interval's end", "时间戳为时段结束")),
        "instant": Other("instant", Text("the stamp is the moment of the reading", "时间戳为读数时刻")),
    }

    def settle(value: str, why: Text, sure: bool) -> str:
        return choices.choose(
            "time.stamp", value, why, [o for key, o in others.items() if key != value], sure=sure
        )

    if re.search(r"start|begin|from|起始|开始", name, re.IGNORECASE):
        return settle("start", Text("its header says so", "表头如此说明"), True)
    if re.search(r"end\b|until|结束|截止|终", name, re.IGNORECASE):
        return settle("end", Text("its header says so", "表头如此说明"), True)
    if step is None or clock.daily or not clock.moments or step >= timedelta(days=1):
        return settle(
            "",
            Text("the file does not show it: as the meter says", "文件未显示：按表计的声明"),
            not kinds & {"interval"},
        )
    first, last = min(clock.moments), max(clock.moments)
    opens = (first.hour, first.minute) == (0, 0)
    midnight = datetime(last.year, last.month, last.day)
    if opens and last + step == midnight + timedelta(days=1):
        return settle(
            "start",
            Text(
                "the first time is 0:00 and the last one step before midnight",
                "首时为 0:00，末时为午夜前一格",
            ),
            False,
        )
    if datetime(first.year, first.month, first.day) + step == first and last == midnight:
        return settle(
            "end",
            Text(
                "the first time is one step after midnight and the last is midnight",
                "首时为午夜后一格，末时为午夜",
            ),
            False,
        )
    return settle(
        "",
        Text("the file does not show it: as the meter says", "文件未显示：按表计的声明"),
        not kinds & {"interval"},
    )


def settle_zone(clock: Clock, choices: Choices, zone: str) -> str:
    """The zone, where it must be another than the site's: a clock that never changes shows hours that the site's zone skips."""
    texts = [cell for column in clock.columns for cell in column.given[:50]]
    if (
        clock.form.format in ("unix", "unix_ms")
        or share(texts, lambda t: re.search(r"\d(?:Z|UTC|[+-]\d{2}:?\d{2})$", t)) > 0.9
    ):
        return ""
    tz = find_zone(zone)
    skipped = [
        m
        for m in clock.moments
        if m.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) != m
    ]
    if not skipped:
        return choices.choose(
            "time.zone",
            "",
            Text(f"the plant's zone, {zone}, fits", f"与工厂时区 {zone} 相符"),
            sure=True,
        )
    standard = tz.utcoffset(datetime(skipped[0].year, 1, 15)) or timedelta(0)
    hours = -int(standard.total_seconds() // 3600)
    fixed = f"Etc/GMT{hours:+d}" if hours else "Etc/UTC"
    why = Text(
        f"{skipped[0]:%Y-%m-%d %H:%M} does not exist in {zone}: the logger does not change its clock",
        f"{zone} 中不存在 {skipped[0]:%Y-%m-%d %H:%M}：记录器不调整时钟",
    )
    return choices.choose(
        "time.zone",
        fixed,
        why,
        [Other("", Text(f"the plant's zone, {zone}", f"工厂时区 {zone}"))],
        sure=False,
    )
