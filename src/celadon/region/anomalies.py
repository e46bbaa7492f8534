"""Anomalous reports as findings: each alarm with its evidence in words and numbers, ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.engine.backends import Backend
from celadon.region.bands import published_bands
from celadon.region.lists import regions
from celadon.region.model import ValueColumn
from celadon.region.screening import OUTPUT, screen
from celadon.region.view import View, months_in

_ASK = Text(
    "Ask the enterprise for the document behind these numbers; a corrected report replaces this one.",
    "请企业提供该数据的原始凭证；更正后的报表将替换此报表。",
)


def _kind(
    rule: str, title: Text, says: Text, fix: Text = _ASK, severity: Severity = Severity.WARNING
) -> FindingKind:
    en, zh = "{name} ({industry}), {months}: ", "{name}（{industry}），{months}："
    return FindingKind(f"screen.{rule}", severity, title, Text(en + says.en, zh + says.zh), fix)


UNIT = _kind(
    "unit",
    Text("A unit or a decimal point", "单位或小数点错误"),
    Text(
        "{column} is {value} {unit}, {factor} times what the enterprise's own months and other values lead to ({expected}): "
        "near a power of ten, so a unit or a decimal point.",
        "{column} 为 {value} {unit}，是按本企业其他月份和其他数据推算值（{expected}）的 {factor} 倍，接近 10 的整数次方：疑为单位或小数点错误。",
    ),
    Text(
        "Ask which unit was meant; then a corrected report replaces this one.",
        "请核实填报单位，并以更正后的报表替换。",
    ),
)
JUMP = _kind(
    "jump",
    Text("A value that jumps alone", "单项数值突变"),
    Text(
        "{column} is {value} {unit}, {factor} times what the own months lead to ({expected}), while the other values stay.",
        "{column} 为 {value} {unit}，是按本企业其他月份推算值（{expected}）的 {factor} 倍，而其他数据未变。",
    ),
)
COPY_MONTH = _kind(
    "copy-month",
    Text("The month before, again", "与上月完全相同"),
    Text("every value of the report is that of the month before.", "报表全部数值与上月相同。"),
)
COPY_YEAR = _kind(
    "copy-year",
    Text("The year before, again", "与上年同月完全相同"),
    Text(
        "every value of the report is that of the same month a year before.", "报表全部数值与上年同月相同。"
    ),
)
BILL = _kind(
    "bill",
    Text("Report against bill", "填报与账单不符"),
    Text(
        "{column} is reported as {value} {unit} and billed as {expected}: {factor} times.",
        "{column} 填报 {value} {unit}，账单 {expected}，为其 {factor} 倍。",
    ),
)
METER = _kind(
    "meter",
    Text("Report against meter", "填报与计量不符"),
    Text(
        "{column} is reported as {value} {unit} and metered as {expected}: {factor} times.",
        "{column} 填报 {value} {unit}，计量 {expected}，为其 {factor} 倍。",
    ),
)
BILL_METER = _kind(
    "bill-meter",
    Text("Bill against meter", "账单与计量不符"),
    Text(
        "electricity was billed as {value} {unit} and metered as {expected}: {factor} times.",
        "电量账单 {value} {unit}，计量 {expected}，为其 {factor} 倍。",
    ),
    Text("Ask the grid company which device the bill rests on.", "请向电网企业核实账单所依据的计量装置。"),
)
BALANCE = _kind(
    "balance",
    Text("Electricity does not balance", "电量收支不平衡"),
    Text(
        "{value} {unit} are reported as used, while bought + made − sold is {expected}: {factor} times.",
        "填报消费 {value} {unit}，而购入＋自发－外供为 {expected}，为其 {factor} 倍。",
    ),
)
BAND = _kind(
    "band",
    Text("Outside what is feasible", "超出可行区间"),
    Text(
        "electricity per {column} is {value} kWh per {unit}, outside {low} … {high} ({basis}): {factor} times the nearer end.",
        "单位{column}电耗为 {value} kWh/{unit}，超出 {low} … {high}（{basis}），为较近界限的 {factor} 倍。",
    ),
)
OWN_NEED = _kind(
    "own-need",
    Text("Another electricity per product than before", "单位产品电耗突变"),
    Text(
        "electricity per {column} is {value} kWh per {unit}, {factor} times the own {expected} of the months before.",
        "单位{column}电耗为 {value} kWh/{unit}，是本企业此前水平 {expected} 的 {factor} 倍。",
    ),
)
ROUNDED = _kind(
    "rounded",
    Text("Rounded values", "数值取整"),
    Text(
        "{share} of {cells} values end in two zeros or more, where chance gives 1%: estimated, not measured (p = {chance}).",
        "{cells} 个数值中有 {share} 以两个以上的零结尾，偶然仅约 1%：疑为估计而非计量（p = {chance}）。",
    ),
)
LAST_DIGIT = _kind(
    "last-digit",
    Text("A favoured last digit", "末位数字偏好"),
    Text(
        "{share} of {cells} values end in {digit}, where chance gives 10%: perhaps invented (p = {chance}).",
        "{cells} 个数值中有 {share} 以 {digit} 结尾，偶然约 10%：疑为编造（p = {chance}）。",
    ),
)
FIRST_DIGITS = FindingKind(
    "screen.first-digits",
    Severity.NOTICE,
    Text("First digits of an area", "地区首位数字分布异常"),
    Text(
        "The first digits of {column} of {n} enterprises in {area} depart from Benford's law (mean deviation {mad}, p = {chance}).",
        "{area} {n} 家企业 {column} 的首位数字偏离本福特定律（平均偏差 {mad}，p = {chance}）。",
    ),
    Text(
        "A hint, no proof: look at who enters the reports there, and at values below a threshold.",
        "仅为线索，并非证据：请查看该地填报方式及门槛附近的数值。",
    ),
)
KINDS = {
    kind.code.removeprefix("screen."): kind
    for kind in (
        UNIT, JUMP, COPY_MONTH, COPY_YEAR, BILL, METER, BILL_METER, BALANCE, BAND, OWN_NEED, ROUNDED, LAST_DIGIT,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """One anomalous report: who, what, when, how strong, and the finding that says so."""

    rule: str
    enterprise: str
    industry: str
    region: str
    column: str
    months: tuple[str, ...]
    score: float
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule, "enterprise": self.enterprise, "industry": self.industry, "region": self.region,
            "column": self.column, "months": list(self.months), "score": self.score,
        }  # fmt: skip


@dataclass(frozen=True)
class Screened:
    """What screening found. `alarms` are the strongest, at most as many as asked for; `counts` are of all."""

    period: Period
    enterprises: int
    counts: dict[str, int]
    flagged: int
    """Enterprises with an alarm."""
    alarms: tuple[Alarm, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `region-screen/1` without its findings."""
        return {
            "period": self.period.label, "enterprises": self.enterprises, "flagged": self.flagged, "counts": self.counts,
            "alarms": [item.to_json() for item in self.alarms],
        }  # fmt: skip


def screened(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    period: Period,
    most: int,
    on: Backend | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Screened:
    """Screen the reports of `period`; the `most` strongest alarms come back as findings, strongest first.

    `on`: the engine that goes through the reports (None = the embedded one)."""
    months = [month for month in months_in(period) if month in set(seen.months())]
    if not months:
        return Screened(period, 0, {}, 0, (), seen.findings)
    done = screen(con, seen, months, on, progress)
    counts = dict(con.execute("SELECT rule, count(*) FROM alarm GROUP BY 1 ORDER BY 1").fetchall())
    groups = _groups(con, seen)
    if groups:
        counts["first-digits"] = len(groups)
    [(flagged,)] = con.execute("SELECT count(DISTINCT enterprise) FROM alarm").fetchall()
    alarms = tuple(_alarms(con, seen, months, most))
    findings = [*(item.finding for item in alarms), *groups, *seen.findings, *seen.snapshot.findings]
    con.execute("DROP TABLE alarm")
    return Screened(period, done.enterprises, counts, flagged, alarms, tuple(findings))


def _alarms(con: duckdb.DuckDBPyConnection, seen: View, months: list[int], most: int) -> Iterable[Alarm]:
    rows = con.execute(
        "SELECT a.rule, r.enterprise, coalesce(r.name, r.enterprise), r.industry, r.region, r.product, a.column_, a.months, a.factor, "
        f"a.value, a.expected, a.low, a.high, a.score, a.basis FROM alarm AS a JOIN ({seen.registry()}) AS r ON r.number = a.enterprise "
        "ORDER BY round(a.score, 9) DESC, r.enterprise, a.rule, a.column_ LIMIT $1",
        [most],
    ).fetchall()
    columns = {value.name: value for value in seen.region.columns}
    day = con.execute(f"SELECT DATE '{months[-1] // 12}-{months[-1] % 12 + 1:02}-01'").fetchall()[0][0]
    sources = {item.product: f"{item.source}, {item.clause}" for item in published_bands(seen.region, day)}
    for (
        rule,
        enterprise,
        name,
        industry,
        region,
        product,
        column,
        at,
        factor,
        value,
        expected,
        low,
        high,
        score,
        basis,
    ) in rows:
        labels = tuple(month_label(month) for month in (at or [months[0], months[-1]]))
        said: dict[str, object] = {"name": name, "industry": industry, "months": _span(at or months)}
        if rule in ("rounded", "last-digit"):
            said |= {
                "share": f"{value:.0%}",
                "cells": int(expected),
                "chance": f"{low:.1e}",
                "digit": int(high),
            }
        elif rule not in ("copy-month", "copy-year"):
            said |= {"column": _shown(columns.get(column), seen, product), "unit": _unit(columns.get(column), seen, product),
                     "factor": _number(factor), "value": _number(value), "expected": _number(expected)}  # fmt: skip
        if rule == "band":
            said |= {
                "low": _number(low),
                "high": _number(high),
                "basis": _basis(basis, sources.get(product or "", "")),
            }
        where = Place(
            subject=f"enterprise:{enterprise}",
            period=labels[0] if len(labels) == 1 else f"{labels[0]}..{labels[-1]}",
        )
        clause = sources.get(product or "") if basis == "published" else None
        finding = KINDS[rule].at(where, clause=clause, **said)
        yield Alarm(rule, enterprise, industry, region, column, labels, round(score, 4), finding)


def _groups(con: duckdb.DuckDBPyConnection, seen: View) -> list[Finding]:
    rows = con.execute(
        "SELECT area, column_, n, mad, chance FROM group_alarm ORDER BY chance, area, column_"
    ).fetchall()
    columns = {value.name: value for value in seen.region.columns}
    found = []
    for area, column, n, mad, chance in rows:
        known = regions().get(area)
        found.append(
            FIRST_DIGITS.at(
                Place(subject=f"region:{area}"), area=known.name if known else area, n=n, mad=f"{mad:.3f}",
                column=_shown(columns.get(column), seen, None), chance=f"{chance:.1e}",
            )
        )  # fmt: skip
    return found


def _basis(basis: str, source: str) -> Text:
    if basis == "published":
        return Text(f"levels 1 and 3 of {source}, widened", f"{source} 的 1 级与 3 级，放宽后")
    return Text("fences of the peers in the same industry", "同行业企业分布的外围界限")


def _shown(column: ValueColumn | None, seen: View, product: str | None) -> Text:
    if column is None:
        return Text("", "")
    if column.name == OUTPUT and product:
        return next(
            (item.name for item in seen.region.products if item.id == product), Text(product, product)
        )
    name = column.column or column.name
    return Text(name, name)


def _unit(column: ValueColumn | None, seen: View, product: str | None) -> str:
    if column is None:
        return ""
    if column.name == OUTPUT:
        return seen.region.product_unit(product or "") or column.kept_unit
    return column.kept_unit


def _number(value: float | None) -> str:
    """Four significant digits, thousands apart."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def month_label(month: int) -> str:
    """`2024-03` of a month number."""
    return f"{month // 12}-{month % 12 + 1:02}"


def _span(months: list[int]) -> str:
    """`2024-03, 2024-05..2024-08`."""
    parts: list[list[int]] = []
    for month in sorted(months):
        if parts and month == parts[-1][-1] + 1:
            parts[-1].append(month)
        else:
            parts.append([month])
    return ", ".join(
        month_label(run[0]) if len(run) == 1 else f"{month_label(run[0])}..{month_label(run[-1])}"
        for run in parts
    )
