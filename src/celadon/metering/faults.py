"""The Findings about readings: their kinds, and how a table of events becomes a short list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Meter
from celadon.core.periods import zone as find_zone
from celadon.core.text import Text
from celadon.core.units import UnitError
from celadon.metering.changes import Event
from celadon.metering.events import EVENT_COLUMNS
from celadon.metering.points import TICKS, ledger_unit
from celadon.metering.scales import life

_ERROR, _WARNING, _NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE


def _kind(
    code: str, severity: Severity, titles: tuple[str, str], says: tuple[str, str], fix: tuple[str, str]
) -> FindingKind:
    """Texts are pairs (English, Chinese)."""
    title, said, todo = (Text(en=pair[0], zh=pair[1]) for pair in (titles, says, fix))
    return FindingKind(f"metering.{code}", severity, title, said, todo)


ROLLOVER = _kind(
    "rollover", _NOTICE, ("Register rolled over", "计度器翻转"),
    ("{meter} rolled over {n}× at {t}: {value_before} → {value}; the modulus was added.", "{meter} 于 {t} 翻转 {n} 次：{value_before} → {value}，已加上量程。"),
    ("Nothing, if the register has the declared number of digits.", "若位数申报无误，则无需处理。"),
)  # fmt: skip
ROLLOVER_UNCERTAIN = _kind(
    "rollover-uncertain", _WARNING, ("More roll-overs are possible", "可能多次翻转"),
    ("Between {t_before} and {t} the register of {meter} can have rolled over more often than seen; the least amount, {amount}, was taken.",
     "{meter} 在 {t_before} 至 {t} 之间可能发生更多次翻转；已按最小量 {amount} 计。"),
    ("Read the meter more often, or declare a lower `max_rate`.", "请提高抄表频率，或申报更低的 max_rate。"),
)  # fmt: skip
SPIKE = _kind(
    "spike", _WARNING, ("Wrong reading left out", "剔除异常读数"),
    ("{meter} shows {value} at {t}, which fits neither what is before nor what is after; {n} reading(s) left out, the total is kept.",
     "{meter} 在 {t} 的读数 {value} 与前后均不吻合；已剔除 {n} 个读数，总量不变。"),
    ("Correct the reading and load it again, if it was misread.", "若为误读，请更正后重新载入。"),
)  # fmt: skip
DECREASE = _kind(
    "decrease", _ERROR, ("Register went back", "计度器倒走"),
    ("{meter} goes back from {value_before} to {value} between {t_before} and {t}; {amount} is a named gap and counts in no hour.",
     "{meter} 在 {t_before} 至 {t} 之间由 {value_before} 退至 {value}；{amount} 列为缺口，未计入任何时段。"),
    ("Declare what happened under `changes` (swap, reset), or correct the reading.", "请在 changes 中申报（换表、清零），或更正读数。"),
)  # fmt: skip
RESET_UNDECLARED = _kind(
    "reset-undeclared", _ERROR, ("Register started again, undeclared", "未申报的清零或换表"),
    ("{meter} drops from {value_before} to {value} between {t_before} and {t}, like a reset or a new meter; what it counted between is unknown (gap of {amount}).",
     "{meter} 在 {t_before} 至 {t} 之间由 {value_before} 降至 {value}，疑似清零或换表；其间用量未知（缺口 {amount}）。"),
    ("Declare the swap or reset under `changes` with the removed and installed registers.", "请在 changes 中申报换表或清零，并给出拆下与装上时的读数。"),
)  # fmt: skip
JUMP = _kind(
    "jump", _ERROR, ("Step beyond what is possible", "读数跳变超限"),
    ("{meter} jumps from {value_before} to {value} between {t_before} and {t}; {amount} is more than it can count and is a named gap and counts in no hour.",
     "{meter} 在 {t_before} 至 {t} 之间由 {value_before} 跳至 {value}；{amount} 超出可能范围，列为缺口，未计入任何时段。"),
    ("Declare the swap, correct the reading, or raise `max_rate` if the amount is real.", "请申报换表、更正读数；若用量属实，请提高 max_rate。"),
)  # fmt: skip
UNIT_SUSPECTED = _kind(
    "unit-suspected", _ERROR, ("Unit seems to change by 1000", "疑似单位变化一千倍"),
    ("{meter} goes from {value_before} to {value} between {t_before} and {t}: the file seems to go over to another unit; {amount} is a named gap and counts in no hour.",
     "{meter} 在 {t_before} 至 {t} 之间由 {value_before} 变为 {value}，疑似文件改用其他单位；{amount} 列为缺口，未计入任何时段。"),
    ("Declare `{{kind: unit, at: …, unit: …}}` under `changes`; until then later amounts are off by that factor.",
     "请在 changes 中申报 {{kind: unit, at: …, unit: …}}；在此之前其后用量相差该倍数。"),
)  # fmt: skip
OUTAGE = _kind(
    "outage", _WARNING, ("No readings for a while", "读数中断"),
    ("{meter} has {n} gap(s) longer than its max_gap between {t_before} and {t}; {amount} in total is exact, its hours are estimated.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 处读数间隔超过 max_gap；总量 {amount} 准确，分时为估计。"),
    ("Load the missing readings, if they exist; the hours are then measured.", "若有缺失读数，请补充载入。"),
)  # fmt: skip
SILENT = _kind(
    "silent", _WARNING, ("Meter fell silent", "表计无后续读数"),
    ("{meter} has no reading after {t_before}; what follows is absent, not zero.", "{meter} 在 {t_before} 之后没有读数；其后为缺失，而非零。"),
    ("Load its readings, or declare `removed`.", "请载入其读数，或申报 removed。"),
)  # fmt: skip
NO_READINGS = _kind(
    "no-readings", _WARNING, ("Meter without readings", "表计没有读数"),
    ("{meter} has no readings; it is absent, not zero.", "{meter} 没有读数；为缺失，而非零。"),
    ("Check its name in `sources`, or declare when it was installed.", "请检查 sources 中的名称，或申报安装时间。"),
)  # fmt: skip
DUPLICATE = _kind(
    "duplicate", _NOTICE, ("Same reading again", "重复读数"),
    ("{n} reading(s) of {meter} between {t_before} and {t} came more than once with the same value; each counts once.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个数值相同的重复读数；各计一次。"),
    ("Nothing.", "无需处理。"),
)  # fmt: skip
DUPLICATE_CONFLICT = _kind(
    "duplicate-conflict", _WARNING, ("Two values at one time", "同一时刻两个数值"),
    ("{meter} has different values for {t} in one load ({value_before}, {value}; {n} such reading(s)); the last in the file, {value}, was taken.",
     "{meter} 在同一批次中 {t} 有不同数值（{value_before}、{value}；共 {n} 个）；采用文件中最后的 {value}。"),
    ("Correct the file; check that two meters are not exported under one name.", "请更正文件；并检查是否两块表以同一名称导出。"),
)  # fmt: skip
CORRECTED = _kind(
    "corrected", _NOTICE, ("Readings corrected by a later load", "读数被后续批次更正"),
    ("{n} reading(s) of {meter} between {t_before} and {t} were replaced by later ones.", "{meter} 在 {t_before} 至 {t} 之间有 {n} 个读数被后续批次替换。"),
    ("Nothing, if the correction was intended.", "若属有意更正，则无需处理。"),
)  # fmt: skip
OUT_OF_ORDER = _kind(
    "out-of-order", _NOTICE, ("Readings out of order", "读数顺序错乱"),
    ("{n} reading(s) of {meter} stand after later ones in their file; they were put in order, nothing is lost.",
     "{meter} 有 {n} 个读数在文件中位于更晚读数之后；已按时间排序，无丢失。"),
    ("Nothing; check the time column if you did not expect it.", "无需处理；若不符预期，请检查时间列。"),
)  # fmt: skip
OUT_OF_RANGE = _kind(
    "out-of-range", _ERROR, ("Value the meter cannot show", "数值超出表计范围"),
    ("{n} reading(s) of {meter} between {t_before} and {t} (last {value}) cannot be shown by its declared digits or max_rate; left out.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个读数（最后为 {value}）超出申报的位数或 max_rate；已剔除。"),
    ("Correct the reading, or `digits` / `max_rate` of the meter.", "请更正读数，或该表的 digits / max_rate。"),
)  # fmt: skip
OUTSIDE_SERVICE = _kind(
    "outside-service", _WARNING, ("Readings outside the service life", "服役期外的读数"),
    ("{n} reading(s) of {meter} between {t_before} and {t} lie before it was installed or after it was removed; left out.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个读数位于安装之前或拆除之后；未采用。"),
    ("Correct `installed` / `removed`, or the readings.", "请更正 installed / removed，或读数。"),
)  # fmt: skip
CHANGE_APPLIED = _kind(
    "change-applied", _NOTICE, ("Declared change of the meter", "已申报的表计变更"),
    ("{meter}: {detail} at {t}, closing register {value_before}, opening register {value}.", "{meter} 于 {t} {detail}：止码 {value_before}，起码 {value}。"),
    ("Nothing.", "无需处理。"),
)  # fmt: skip
RATIO_CHANGED = _kind(
    "ratio-changed", _NOTICE, ("Declared change of the ratio", "已申报的倍率变更"),
    ("{meter}: from {t} its ratio is {value}, {value_before} before; the display goes on.",
     "{meter} 自 {t} 起倍率为 {value}，此前为 {value_before}；表计示数连续。"),
    ("Nothing.", "无需处理。"),
)  # fmt: skip
CHANGE_CONFLICT = _kind(
    "change-conflict", _WARNING, ("Reading contradicts a declared register", "读数与申报的起止码不符"),
    ("{meter} reads {detail} at {t}, but the declared registers are {value_before} and {value}; the declared ones were taken.",
     "{meter} 在 {t} 的读数为 {detail}，而申报的止码、起码为 {value_before}、{value}；采用申报值。"),
    ("Correct the declaration, or the reading.", "请更正申报或读数。"),
)  # fmt: skip
CHANGE_UNREAD = _kind(
    "change-unread", _WARNING, ("Register not read at a change", "变更时未抄读数"),
    ("{meter}: at the {detail} a register was not read; what it counted between {t_before} and {t} is unknown and absent.",
     "{meter}：{detail}时未抄读数；{t_before} 至 {t} 之间的用量未知，为缺失。"),
    ("Declare `removed_register` and `installed_register`.", "请申报 removed_register 与 installed_register。"),
)  # fmt: skip
CHANGE_ESTIMATED = _kind(
    "change-estimated", _WARNING, ("Ratio changed without a reading", "变比变更时未抄读数"),
    ("{meter}: the ratio changed between the readings at {t_before} and {t}; the register at the change is estimated, the amount lies between {detail}.",
     "{meter} 的变比在 {t_before} 与 {t} 两次读数之间变更；变更时读数为估计，用量介于 {detail}。"),
    ("Declare `removed_register` of the change.", "请申报该变更的 removed_register。"),
)  # fmt: skip
OVERLAP = _kind(
    "overlap", _ERROR, ("Intervals overlap", "时段重叠"),
    ("{n} interval(s) of {meter} between {t_before} and {t} begin before the one before has ended; {amount} left out, so that nothing counts twice.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个时段与前一时段重叠；{amount} 未计入，以免重复。"),
    ("Export one interval length, or check whether stamps are starts or ends.", "请只导出一种时段长度，或检查时间戳为起点还是终点。"),
)  # fmt: skip
BEYOND_MAX_RATE = _kind(
    "beyond-max-rate", _ERROR, ("Amount beyond what is possible", "用量超限"),
    ("{n} interval(s) of {meter} between {t_before} and {t} (last {value}) are beyond max_rate; {amount} is a named gap and counts in no hour.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个时段（最后为 {value}）超过 max_rate；{amount} 列为缺口，未计入任何时段。"),
    ("Correct the amount or its unit, or raise `max_rate`.", "请更正数值或单位，或提高 max_rate。"),
)  # fmt: skip
NEGATIVE = _kind(
    "negative", _WARNING, ("Negative amount", "负用量"),
    ("{n} interval(s) of {meter} between {t_before} and {t} are negative ({amount} in total); they are kept as they are.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个时段为负（合计 {amount}）；按原值保留。"),
    ("Meter export on a meter of its own (`flow: exported`), or correct the amounts.", "请将输出电量单独计量（flow: exported），或更正数值。"),
)  # fmt: skip
MISSING = _kind(
    "missing", _WARNING, ("Intervals missing", "时段缺失"),
    ("{n} interval(s) of {meter} between {t_before} and {t} are missing; they are absent, not zero.", "{meter} 在 {t_before} 至 {t} 之间缺失 {n} 个时段；为缺失，而非零。"),
    ("Load the missing intervals, if they exist.", "若有缺失时段，请补充载入。"),
)  # fmt: skip
COARSE = _kind(
    "coarse", _NOTICE, ("Intervals longer than max_gap", "时段长于 max_gap"),
    ("{n} interval(s) of {meter} between {t_before} and {t} are longer than its max_gap; the total {amount} is exact, the hours are estimated.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 个时段长于 max_gap；总量 {amount} 准确，分时为估计。"),
    ("Nothing, if finer data do not exist.", "若无更细数据，则无需处理。"),
)  # fmt: skip
RATE_GAP = _kind(
    "rate-gap", _WARNING, ("Rate not known for a while", "速率数据中断"),
    ("{meter} has {n} gap(s) longer than its max_gap between {t_before} and {t}; the last rate was held for max_gap (estimated), the rest is absent.",
     "{meter} 在 {t_before} 至 {t} 之间有 {n} 处间隔超过 max_gap；末值保持 max_gap 时长（估计），其余为缺失。"),
    ("Load the missing readings, if they exist.", "若有缺失读数，请补充载入。"),
)  # fmt: skip
UNIT_UNUSABLE = _kind(
    "unit-unusable", _ERROR, ("Meter's unit cannot be used", "表计单位无法使用"),
    ("{meter} is in no account: {detail}.", "{meter} 未计入：{detail}。"),
    ("Correct `unit` or `multiplier` of the meter or of its changes.", "请更正该表或其变更的 unit 或 multiplier。"),
)  # fmt: skip

KINDS: dict[str, FindingKind] = {
    kind.code.removeprefix("metering."): kind
    for kind in (
        ROLLOVER, ROLLOVER_UNCERTAIN, SPIKE, DECREASE, RESET_UNDECLARED, JUMP, UNIT_SUSPECTED, OUTAGE, SILENT, NO_READINGS,
        DUPLICATE, DUPLICATE_CONFLICT, CORRECTED, OUT_OF_ORDER, OUT_OF_RANGE, OUTSIDE_SERVICE, CHANGE_APPLIED, RATIO_CHANGED,
        CHANGE_CONFLICT, CHANGE_UNREAD, CHANGE_ESTIMATED, OVERLAP, BEYOND_MAX_RATE, NEGATIVE, MISSING, COARSE, RATE_GAP,
        UNIT_UNUSABLE,
    )
}  # fmt: skip
"""Every code of an events table."""
_CHANGES = {
    "swap": Text("swap", "换表"),
    "multiplier": Text("change of ratio", "变比变更"),
    "reset": Text("reset", "清零"),
    "unit": Text("change of unit", "单位变更"),
}
RUN_GAP = timedelta(days=1)
"""Events of one point and code this near to each other are one Finding, within one month (UTC).

The ledger is derived month by month: an event over several months is a Finding of its own, which each of them tells alike.
"""


def findings_from(
    con: duckdb.DuckDBPyConnection,
    events: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    files: Mapping[int, str] | None = None,
    zone: str = "UTC",
) -> list[Finding]:
    """One Finding per point, code and run of events, with counts, the whole span and the first event's file and line.

    `files` names the catalogue's file ids; times in the texts are local to `zone`.
    """
    by_point = {point_ids[meter.id]: meter for meter in meters if meter.id in point_ids}
    clock = find_zone(zone)
    return [
        _finding(dict(zip(_RUN, row, strict=True)), by_point[row[0]], files or {}, clock)
        for row in con.execute(_runs(events)).fetchall()
        if row[0] in by_point
    ]


def findings_of(
    events: Sequence[Event],
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    files: Mapping[int, str] | None = None,
    zone: str = "UTC",
) -> list[Finding]:
    """`findings_from` of a few events that are in no table."""
    by_point = {point_ids[meter.id]: meter for meter in meters if meter.id in point_ids}
    clock = find_zone(zone)
    return [_finding(run, by_point[run["point"]], files or {}, clock) for run in _few_runs(events)]


def _few_runs(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What the statement of `_runs` gives."""
    never = datetime.max

    def start(event: Event) -> datetime:
        return event.t_before or event.t or never

    ordered = sorted(events, key=lambda e: (e.point, e.code, e.t or e.t_before or never, e.t_before or never))
    runs: list[list[Event]] = []
    for event in ordered:
        before = runs[-1][-1] if runs else None
        near = (
            before is not None
            and (before.point, before.code) == (event.point, event.code)
            and before.t is not None
            and start(event) <= before.t + RUN_GAP
            and len({*_months(event), *_months(before)}) == 1
        )
        if near:
            runs[-1].append(event)
        else:
            runs.append([event])
    return [
        _run(run) for run in sorted(runs, key=lambda run: (run[0].point, min(map(start, run)), run[0].code))
    ]


def _run(run: Sequence[Event]) -> dict[str, Any]:
    """A run as one: its whole span and counts, and what its first event says."""
    first = min(run, key=lambda event: (event.t_before or datetime.max, event.t or datetime.max))
    begins = [event.t_before for event in run if event.t_before is not None]
    ends = [event.t for event in run if event.t is not None]
    amounts = [event.amount for event in run if event.amount is not None]
    return {
        "point": first.point, "code": first.code, "t_before": min(begins, default=None), "t": max(ends, default=None),
        "n": sum(event.n for event in run), "amount": sum(amounts) if amounts else None, "value_before": first.value_before,
        "value": first.value, "detail": first.detail, "file": first.file, "line": first.line,
    }  # fmt: skip


def _months(event: Event) -> tuple[tuple[int, int], tuple[int, int]]:
    """The months (UTC) in which an event begins and ends."""
    begin = event.t_before or event.t or datetime.max
    end = max(event.t - timedelta(microseconds=1), begin) if event.t else begin
    return (begin.year, begin.month), (end.year, end.month)


_RUN = ("point", "code", "t_before", "t", "n", "amount", "value_before", "value", "detail", "file", "line")


def _runs(events: str) -> str:
    """Adjoining events merged; a run has the values of its first event, and of its last where it says `last`."""
    near = f"coalesce(t_before, t) <= lag(t) OVER w + INTERVAL {int(RUN_GAP.total_seconds())} SECOND"
    within = f"{near} AND first_month = last_month AND first_month = lag(last_month) OVER w AND NOT lag(first_month < last_month) OVER w"
    first = ", ".join(
        f"first({name} ORDER BY t_before, t)" for name in ("value_before", "value", "detail", "file", "line")
    )
    assert tuple(EVENT_COLUMNS)[:2] == ("point", "code")  # noqa: S101 (the order the queries count on)
    return f"""
    WITH dated AS (
        SELECT *, date_trunc('month', coalesce(t_before, t)) AS first_month,
            date_trunc('month', coalesce(greatest(t - to_microseconds(1), t_before), t_before)) AS last_month FROM "{events}"),
    marked AS (
        SELECT *, CASE WHEN {within} THEN 0 ELSE 1 END AS new FROM dated
        WINDOW w AS (PARTITION BY point, code ORDER BY coalesce(t, t_before), t_before)),
    numbered AS (
        SELECT *, sum(new) OVER (PARTITION BY point, code ORDER BY coalesce(t, t_before), t_before ROWS UNBOUNDED PRECEDING) AS run
        FROM marked)
    SELECT point, code, min(t_before), max(t), sum(n)::BIGINT, sum(amount), {first}
    FROM numbered GROUP BY point, code, run ORDER BY point, min(coalesce(t_before, t)), code"""


def _finding(run: dict[str, Any], meter: Meter, files: Mapping[int, str], clock: ZoneInfo) -> Finding:
    said: dict[str, Any] = {
        "meter": meter.id,
        "n": run["n"],
        "t": _local(run["t"], clock),
        "t_before": _local(run["t_before"], clock),
        "amount": _amount(run["amount"], meter),
        "value_before": _number(run["value_before"]),
        "value": _number(run["value"]),
        "detail": run["detail"] or "",
    }
    if run["code"] == "change-estimated":
        said["detail"] = " .. ".join(_amount(int(ticks), meter) for ticks in run["detail"].split(".."))
    elif run["code"] in ("change-applied", "change-unread"):
        said["detail"] = _CHANGES.get(run["detail"], run["detail"])
    elif run["code"] == "unit-unusable":
        said["detail"] = _unit_fault(meter)
    ends = [_local(moment, clock) for moment in (run["t_before"], run["t"]) if moment is not None]
    place = Place(
        file=files.get(run["file"]) if run["file"] is not None else None,
        line=run["line"],
        subject=f"meter:{meter.id}",
        period="..".join(dict.fromkeys(ends)) or None,
    )
    return KINDS[run["code"]].at(place, **said)


def _unit_fault(meter: Meter) -> Text:
    """Why the meter's units cannot be used, as deriving found it."""
    try:
        life(meter)
    except UnitError as error:
        return error.text
    raise AssertionError(f"{meter.id}: its units can be used")


def _local(moment: datetime | None, clock: ZoneInfo) -> str:
    if moment is None:
        return "?"
    shown = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(clock)
    return shown.strftime("%Y-%m-%dT%H:%M:%S" if shown.second else "%Y-%m-%dT%H:%M")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.10g}"


def _amount(ticks: int | None, meter: Meter) -> str:
    if ticks is None:
        return "?"
    try:
        unit = ledger_unit(meter).text
    except UnitError:
        unit = ""
    text = f"{Decimal(int(ticks)) / TICKS:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}".strip()
