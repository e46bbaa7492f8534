"""The faults put into the meter files: what plants really send. Each is recorded with its place and the right answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from celadon.core.dataclass import dataclass
from celadon.examples.eaf_mill import meters
from celadon.examples.eaf_mill.readings import RESET, SWAP, TRANSFORMER, Measured, month_span
from celadon.examples.eaf_mill.truth import Fault, Reported

LATE = ("E3052", "10-24 12:15", "11-06 12:00")
_HIGHEST = {"E3063": 100.0, "N13": 400.0, "N14": 300.0}  # the plant file's max_rate, per hour
_GATEWAY = "data/gateway/gateway-{year}-{month}.csv"
_SCADA = "data/scada/scada-{year}-{month}.csv"
_GAS = "data/gas/gas-{year}-Q{quarter}.csv"


@dataclass(slots=True)
class Damage:
    """Faults so far, what can still be known, and the readings that arrive late."""

    measured: Measured
    faults: list[Fault] = field(default_factory=list)
    reported: dict[str, dict[str, Reported]] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    """Lines of the late file."""
    unreadable: int = 0
    """Cells and rows that are no readings."""
    repeated: int = 0

    def quarter(self, when: str) -> int:
        return self.measured.calendar.quarter(when)

    def when(self, quarter: int) -> str:
        return f"{self.measured.calendar.instant(quarter):%Y-%m-%dT%H:%M}"

    def record(
        self,
        kind: str,
        points: tuple[str, ...],
        place: tuple[str, tuple[int, int] | None],
        span: tuple[int, int],
        says: tuple[str, str],
    ) -> str:
        """Add a fault; `says` is the right answer in Chinese and in English."""
        name = f"F{len(self.faults) + 1:02d}"
        start, end = map(self.when, span)
        self.faults.append(Fault(name, kind, points, place[0], place[1], start, end, *says))
        return name

    def file(self, form: str, quarter: int) -> str:
        at = self.measured.calendar.instant(quarter)
        return form.format(year=at.year, month=f"{at.month:02d}", quarter=(at.month + 2) // 3)

    def scada_line(self, quarter: int) -> int:
        first, _ = month_span(self.measured.calendar, self.measured.calendar.instant(quarter).month)
        return quarter - first + 2

    def gateway_line(self, meter: str, quarter: int) -> int:
        """Line of a reading in its month's gateway file, as long as no lines are added or moved above it."""
        first, _ = month_span(self.measured.calendar, self.measured.calendar.instant(quarter).month)
        texts = self.measured.texts
        before = sum(1 for point in meters.GATEWAY for text in texts[point][first:quarter] if text)
        position = meters.GATEWAY.index(meter)
        return 2 + before + sum(1 for point in meters.GATEWAY[:position] if texts[point][quarter])

    def blank(self, meter: str, first: int, last: int) -> None:
        """Remove the readings of the instants first … last (both included)."""
        texts = self.measured.texts[meter]
        texts[first : last + 1] = [""] * (last + 1 - first)

    def bounds(self, fault: str, meter: str, first: int, last: int, caught_up: bool) -> None:
        """Note what can be known of the months that quarter-hours first … last−1 touch.

        Caught up: the amount of the gap is known, its split over the months is not. Otherwise it is lost."""
        cal, worth = self.measured.calendar, self.measured.worth[meter]
        edges, gap = cal.month_edges(), sum(worth[first:last])
        for n in range(12):
            start, end = edges[n], edges[n + 1]
            inside = max(first, start), min(last, end)
            if inside[0] >= inside[1] or (caught_up and start <= first and last <= end):
                continue
            known = sum(worth[start:end]) - sum(worth[inside[0] : inside[1]])
            if caught_up:
                high: float | None = (known + gap) / 1000
            else:
                high = known / 1000 + _HIGHEST[meter] * (last - first) / 4 if meter in _HIGHEST else None
            absent = inside == (start, end)
            low = None if absent else known / 1000
            self.reported.setdefault(meter, {})[f"{cal.year}-{n + 1:02d}"] = Reported(
                fault, low, high, None, absent
            )


def declared_events(damage: Damage) -> None:
    """What happens to real meters without anything being wrong: they roll over, are exchanged, get other transformers."""
    measured = damage.measured
    texts = measured.texts["E3053"]
    roll = next(q for q in range(1, len(texts)) if float(texts[q]) < float(texts[q - 1]))
    line = damage.gateway_line("E3053", roll)
    damage.record(
        "roll-over", ("E3053",), (damage.file(_GATEWAY, roll), (line, line)), (roll - 1, roll),
        ("表计 5 位整数翻转，电量连续，月累计与真值完全一致。",
         "The five-digit register rolls over: the amount goes on, every month equals the truth exactly."),
    )  # fmt: skip
    swap = damage.quarter(SWAP[1])
    line = damage.scada_line(swap + 1)
    damage.record(
        "swap-declared", (SWAP[0],), (damage.file(_SCADA, swap), (line, line)), (swap, swap + 1),
        ("已申报换表：拆表底数与新表底数分别计算，合计与真值完全一致。",
         "A declared exchange: the removed and the installed register are both counted; the sum equals the truth exactly."),
    )  # fmt: skip
    change = damage.quarter(TRANSFORMER[1])
    line = damage.gateway_line(TRANSFORMER[0], change)
    damage.record(
        "transformer-change-declared", (TRANSFORMER[0],), (damage.file(_GATEWAY, change), (line, line)), (change, change),
        ("已申报互感器变比由 400/5 改为 600/5：之前按 80 倍、之后按 120 倍。",
         "A declared change of the current transformer from 400/5 to 600/5: × 80 before, × 120 after."),
    )  # fmt: skip


def damage_cells(damage: Damage) -> None:
    """Faults in the values themselves."""
    _late(damage)
    _outages(damage)
    _lost(damage)
    _wrong_values(damage)


def _late(damage: Damage) -> None:
    meter = LATE[0]
    first, last = damage.quarter(LATE[1]), damage.quarter(LATE[2])
    texts = damage.measured.texts[meter]
    cal = damage.measured.calendar
    damage.late = ["time,point,value,unit"]
    damage.late += [f"{cal.instant(q):%Y/%m/%d %H:%M},{meter},{texts[q]},kWh" for q in range(first, last + 1)]
    damage.blank(meter, first, last)
    name = damage.record(
        "late-file", (meter,), (damage.file(_GATEWAY, first), None), (first - 1, last + 1),
        ("数据迟到：此前两个月的分月量只有上下限、合计准确；载入 late/ 后两个月与真值完全一致。",
         "Readings that come late: before, the two months have bounds and an exact sum; after loading late/ both equal the truth."),
    )  # fmt: skip
    damage.bounds(name, meter, first - 1, last + 1, caught_up=True)


def _outages(damage: Damage) -> None:
    first, last = damage.quarter("03-14 08:15"), damage.quarter("03-15 08:00")
    for meter in meters.GATEWAY:
        damage.blank(meter, first, last)
    damage.record(
        "outage-with-catch-up", meters.GATEWAY, (damage.file(_GATEWAY, first), None), (first - 1, last + 1),
        ("网关停传 24 小时后补齐：3 月合计准确，停传时段按小时为估计值并给出上下限。",
         "The gateway is silent for 24 hours, then the registers catch up: March is exact, its hours in the gap are estimated and bounded."),
    )  # fmt: skip
    first, last = damage.quarter("04-30 18:15"), damage.quarter("05-01 06:00")
    damage.blank("E204", first, last)
    name = damage.record(
        "outage-over-month-edge", ("E204",), (damage.file(_SCADA, first), (damage.scada_line(first), 2881)),
        (first - 1, last + 1),
        ("停传跨月：4、5 月之和准确，两个月各自为估计值并给出上下限。",
         "An outage over the end of a month: April and May are estimated and bounded, their sum is exact."),
    )  # fmt: skip
    damage.bounds(name, "E204", first - 1, last + 1, caught_up=True)


def _lost(damage: Damage) -> None:
    """Faults that destroy information."""
    first, end = damage.quarter("07-19 14:15"), damage.measured.calendar.quarters
    damage.blank("E2023", first, end)
    name = damage.record(
        "meter-dies", ("E2023",), (damage.file(_SCADA, first), (damage.scada_line(first), 2977)), (first - 1, end),
        ("表计损坏：7 月只有部分数据，8 月起为缺失（不是零）；母表的未计量余量随之变大。",
         "The meter dies: July is partly covered, from August on it is absent (not zero); the parent's unmetered remainder grows."),
    )  # fmt: skip
    damage.bounds(name, "E2023", first - 1, end, caught_up=False)
    reset = damage.quarter(RESET[1])
    line = damage.gateway_line(RESET[0], reset + 1)
    name = damage.record(
        "reset-undeclared", (RESET[0],), (damage.file(_GATEWAY, reset), (line, line)), (reset, reset + 1),
        ("未申报的清零：该刻钟电量不可知，列为有名称的缺口，不得按翻转计算；之后照常累计。",
         "An undeclared reset: this quarter-hour cannot be known and is a named gap, never a roll-over; afterwards it counts on."),
    )  # fmt: skip
    damage.bounds(name, RESET[0], reset, reset + 1, caught_up=False)
    first, last = damage.quarter("11-19 09:15"), damage.quarter("11-19 12:00")
    damage.blank("N14", first, last)
    top = damage.measured.calendar.month_edges()[9] + 1
    name = damage.record(
        "intervals-missing", ("N14",), (damage.file(_GAS, first), (first - top + 2, last - top + 2)), (first - 1, last),
        ("区间量缺失 3 小时：缺失不是零，11 月覆盖率小于 100%；总表 N01 不受影响。",
         "Three hours of intervals are missing: absent, not zero; November's coverage is below 100 %; the main meter N01 is whole."),
    )  # fmt: skip
    damage.bounds(name, "N14", first - 1, last, caught_up=False)


def _wrong_values(damage: Damage) -> None:
    texts = damage.measured.texts
    show = meters.display_of("E2051")
    for when in ("02-21 03:15", "06-19 16:30", "10-30 22:45"):
        q = damage.quarter(when)
        texts["E2051"][q] = show.text(int(texts["E2051"][q].replace(".", "")) * 10 % show.modulus)
        line = damage.scada_line(q)
        damage.record(
            "spike-register", ("E2051",), (damage.file(_SCADA, q), (line, line)), (q - 1, q + 1),
            ("单点尖峰（放大十倍）：剔除该读数，前后读数之差不变，月累计准确。",
             "A spike of one reading (ten times too large): left out; the difference of its neighbours stays, the month is exact."),
        )  # fmt: skip
    q = damage.quarter("08-22 10:15")
    line = q - damage.measured.calendar.month_edges()[6] - 1 + 2
    texts["N13"][q] = "99999.9"
    name = damage.record(
        "spike-interval", ("N13",), (damage.file(_GAS, q), (line, line)), (q - 1, q),
        ("区间量超过最大可能值：不计入，该刻钟为缺口。",
         "An interval above what is possible: not counted; the quarter-hour is a gap."),
    )  # fmt: skip
    damage.bounds(name, "N13", q - 1, q, caught_up=False)
    first, last = damage.quarter("05-22 02:15"), damage.quarter("05-22 03:00")
    lines = damage.gateway_line("E3065", first), damage.gateway_line("E3065", last)
    texts["E3065"][first : last + 1] = ["0.00"] * (last + 1 - first)
    damage.record(
        "zero-drop-out", ("E3065",), (damage.file(_GATEWAY, first), lines), (first - 1, last + 1),
        ("通信掉零后恢复原值：不是清零也不是翻转，剔除零值，月累计准确。",
         "The register reads zero four times and comes back: neither a reset nor a roll-over; the zeros are left out, the month is exact."),
    )  # fmt: skip
    q = damage.quarter("01-17 11:45")
    texts["E203"][q] = "#ERR"
    damage.unreadable += 1
    damage.record(
        "value-unreadable", ("E203",), (damage.file(_SCADA, q), (damage.scada_line(q),) * 2), (q - 1, q + 1),
        ("无法识别的数值：隔离该单元格，同一行其余读数保留，月累计准确。",
         "A cell that is no number: it goes to quarantine, the rest of its line is kept, the month is exact."),
    )  # fmt: skip


def overread(damage: Damage) -> None:
    """Record the sub-meters of the rolling stands that together read more than the meter above them."""
    end = damage.measured.calendar.quarters
    damage.record(
        "children-exceed-parent", ("E302", "E3021", "E3022", "E3023", "E3024"), ("plant.yaml", None), (0, end),
        ("分表之和超过总表约 1.6%，高于允许的 1%：须报告平衡偏差，余量为负，不得丢弃。",
         "The sub-meters exceed the meter above by 1.6 %, more than the 1 % allowed: a balance finding; the remainder is negative and stays."),
    )  # fmt: skip


LineFault = Callable[[Damage, str, list[str]], None]


def damage_lines(damage: Damage, file: str, lines: list[str]) -> None:
    """Faults in the lines of one file, made in place."""
    month = file.removesuffix(".csv").rsplit("-", 1)[1]
    if file.startswith("data/gateway/") and month in _LINES:
        for fault in _LINES[month]:
            fault(damage, file, lines)


def _stamp(damage: Damage, quarter: int) -> str:
    return f"{damage.measured.calendar.instant(quarter):%Y/%m/%d %H:%M}"


def _find(lines: list[str], start: str) -> int:
    return next(n for n, line in enumerate(lines) if line.startswith(start))


def _wrong_unit(damage: Damage, file: str, lines: list[str]) -> None:
    q = damage.quarter("02-22 09:30")
    at = _find(lines, f"{_stamp(damage, q)},E3064,")
    lines[at] = lines[at].removesuffix("kWh") + "m3"
    damage.unreadable += 1
    damage.record(
        "unit-wrong", ("E3064",), (file, (at + 1, at + 1)), (q - 1, q + 1),
        ("电表读数的单位写成 m3：该行隔离，前后读数之差不变，月累计准确。",
         "An electricity reading in m3: the row goes to quarantine; its neighbours' difference stays, the month is exact."),
    )  # fmt: skip


def _impossible_date(damage: Damage, file: str, lines: list[str]) -> None:
    q = damage.quarter("02-28 10:15")
    at = _find(lines, f"{_stamp(damage, q)},E3051,")
    lines.insert(at + 1, lines[at].replace("/02/28", "/02/30"))
    damage.record(
        "date-impossible", ("E3051",), (file, (at + 2, at + 2)), (q, q),
        ("2 月 30 日不存在：该行隔离，其余不受影响。", "30 February does not exist: the row goes to quarantine, nothing else changes."),
    )  # fmt: skip


def _unknown_meter(damage: Damage, file: str, lines: list[str]) -> None:
    q = damage.quarter("02-05 00:00")
    at = _find(lines, _stamp(damage, q))
    lines[at:at] = [f"{_stamp(damage, q + n)},E399,{4211 + n}.50,kWh" for n in range(4)]
    damage.record(
        "meter-unknown", ("E399",), (file, (at + 1, at + 4)), (q, q + 3),
        ("工厂文件中没有表计 E399：4 行隔离，待补充后可重放。",
         "The plant file knows no meter E399: four rows go to quarantine and can be replayed."),
    )  # fmt: skip


def _out_of_order(damage: Damage, file: str, lines: list[str]) -> None:
    first, last = damage.quarter("04-17 02:15"), damage.quarter("04-17 08:15")
    a, b = _find(lines, _stamp(damage, first)), _find(lines, _stamp(damage, last))
    moved = lines[a:b]
    del lines[a:b]
    lines += moved
    damage.record(
        "out-of-order", meters.GATEWAY, (file, (len(lines) - len(moved) + 1, len(lines))), (first, last - 1),
        ("6 小时的数据排在文件末尾：按时间排序，结果不变。", "Six hours stand at the end of the file: sorted by time, nothing changes."),
    )  # fmt: skip


def _conflict(damage: Damage, file: str, lines: list[str]) -> None:
    q = damage.quarter("06-06 12:00")
    at = _find(lines, f"{_stamp(damage, q)},E3042,")
    time, meter, value, unit = lines[at].split(",")
    whole, cents = value.split(".")
    total = int(whole) * 100 + int(cents) + 2
    lines.insert(at + 1, f"{time},{meter},{total // 100}.{total % 100:02d},{unit}")
    damage.repeated += 1
    damage.record(
        "duplicate-conflicting", ("E3042",), (file, (at + 1, at + 2)), (q - 1, q + 1),
        ("同一时刻两个不同的读数：须报告；无论取哪一个，6 月累计不变。",
         "Two different readings of one instant: to be reported; whichever is taken, June is the same."),
    )  # fmt: skip


def _identical(damage: Damage, file: str, lines: list[str]) -> None:
    first, last = damage.quarter("06-12 00:00"), damage.quarter("06-13 00:00")
    a, b = _find(lines, _stamp(damage, first)), _find(lines, _stamp(damage, last))
    again = [line for line in lines[a:b] if ",E3041," in line]
    lines += again
    damage.repeated += len(again)
    damage.record(
        "duplicate-identical", ("E3041",), (file, (len(lines) - len(again) + 1, len(lines))), (first, last - 1),
        ("完全相同的重复行：只计一次。", "Identical rows: counted once."),
    )  # fmt: skip


def _other_unit(damage: Damage, file: str, lines: list[str]) -> None:
    """The gateway's maker changes E3061 to MWh for a month: 12345.67 kWh is 12.34567 MWh."""
    changed = [n for n, line in enumerate(lines) if ",E3061," in line]
    for n in changed:
        time, meter, value, _ = lines[n].split(",")
        digits = value.replace(".", "").rjust(6, "0")
        lines[n] = f"{time},{meter},{digits[:-5]}.{digits[-5:]},MWh"
    damage.record(
        "unit-change-in-file", ("E3061",), (file, (changed[0] + 1, changed[-1] + 1)),
        (damage.quarter("07-01 00:00"), damage.quarter("07-31 23:45")),
        ("整月以 MWh 导出（单位列已写明）：换算后与真值完全一致。",
         "A month exported in MWh, as the unit column says: converted, it equals the truth exactly."),
    )  # fmt: skip


_LINES: dict[str, tuple[LineFault, ...]] = {
    "02": (_unknown_meter, _wrong_unit, _impossible_date),  # in the order of their lines
    "04": (_out_of_order,),
    "06": (_conflict, _identical),
    "07": (_other_unit,),
}
