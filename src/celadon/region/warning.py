"""Early warning: a year's quantity against its quota, with a forecast to the year's end and its band.

Method, kept simple so that it can be explained: the months of the year without a report (those to come, and those that were not
reported: absent is not zero) are what the same months of last year were, times this year's growth so far (ratio of the sums of
the months both years have). Its uncertainty comes from how unevenly the growth of the months so far lies around that ratio: with
s the standard deviation of the monthly log growth over the n months that are above zero in both years, w the share of each
month without a report in last year's sum of them, and t Student's quantile with n − 1 degrees of freedom, the rest lies
within exp(± t · s · √(Σ w² + 1/n)) of its forecast; the first term is the scatter of the months to come, the second the
error of the growth itself. The seasonal part is the seasonal naive method with drift: R. J. Hyndman and
G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2 and 5.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.periods import Grain, parse_period
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.engine.backends import Backend
from celadon.region.account import RegionQuestion, answer, total_of
from celadon.region.anomalies import month_label
from celadon.region.model import WarningLevel
from celadon.region.tables import FACTS, REGISTRY, prepare
from celadon.region.tables_in import literal
from celadon.region.view import View
from celadon.rules.rulebook import Rulebook

FEWEST_MONTHS = 4
"""Months that both years need before a forecast is made: the spread of fewer says nothing."""
NO_QUOTAS = FindingKind(
    "warning.no-quotas",
    Severity.ERROR,
    Text("No quotas", "没有配额"),
    Text("No quotas of {year} are loaded.", "没有已载入的 {year} 年配额。"),
    Text("Give `quotas` in the region file and load.", "请在区域文件中写明 `quotas` 并载入。"),
)
NO_FORECAST = FindingKind(
    "warning.no-forecast",
    Severity.NOTICE,
    Text("Too few months for a forecast", "月份不足，无法预测"),
    Text(
        "{count} enterprises with a quota have fewer than {months} months that both {year} and {before} report up to {month}, or lack a "
        "month of {before} that {year} has no report of: only what they used so far is compared.",
        "{count} 家有配额的企业截至 {month} 在 {year} 与 {before} 年均有报表的月份不足 {months} 个，或缺少 {year} 年尚无报表月份的 {before} 年数据："
        "仅比较累计用量。",
    ),
    Text("Load the missing reports.", "请载入缺少的报表。"),
)
MONTHS_ESTIMATED = FindingKind(
    "warning.months-estimated",
    Severity.WARNING,
    Text("Missing months are forecast", "缺报月份按预测计"),
    Text(
        "{count} enterprises with a quota lack reports of months up to {month}: these months are forecast like those to come, not taken as zero.",
        "{count} 家有配额的企业缺少截至 {month} 的部分月报：这些月份与后续月份一样预测，不按零计。",
    ),
    Text(
        "Load the missing reports; an enterprise that stands still or has closed reports zero.",
        "请载入缺少的报表；停产或关闭的企业应填报零。",
    ),
)
QUOTA_UNIT = FindingKind(
    "warning.quota-unit",
    Severity.ERROR,
    Text("Quota in another kind of unit", "配额单位量纲不符"),
    Text("The quota of {quantity} is in {unit}; the rulebook gives {expected}: {count} quotas are not used.",
         "{quantity} 的配额单位为 {unit}，规则册给出 {expected}：{count} 个配额未使用。"),
    Text("Correct the unit of the quotas.", "请更正配额单位。"),
)  # fmt: skip
QUOTA_QUANTITY = FindingKind(
    "warning.quota-quantity",
    Severity.ERROR,
    Text("Quota of an unknown quantity", "配额所限的量未知"),
    Text(
        "{count} quotas limit {quantity}, which {book} does not give.",
        "{count} 个配额限制 {quantity}，但 {book} 不给出该量。",
    ),
    Text("Correct the quotas, or the rulebook under `quotas`.", "请更正配额，或 `quotas` 中的规则册。"),
)
QUOTA_WARNING = FindingKind(
    "warning.quota",
    Severity.WARNING,
    Text("Quota at risk", "配额预警"),
    Text(
        "{level}: {name} used {used} {unit} of {label} up to {month} and is heading for {forecast} ({low} … {high}), "
        "{ratio} of its quota {quota}.",
        "{level}预警：{name} 截至 {month} {label}已用 {used} {unit}，预计全年 {forecast}（{low} … {high}），为配额 {quota} 的 {ratio}。",
    ),
    Text(
        "Look at the trace of the forecast with the enterprise; then plan measures, or ask for a change of the quota.",
        "请与企业核对预测过程，制定措施或申请调整配额。",
    ),
)
_NUMBERS = (
    "used", "months", "missing", "before_to_date", "before_rest", "growth", "spread", "rest", "forecast", "low", "high", "quota",
    "ratio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuotaWarning:
    """One enterprise against one quota. `numbers`: every step of the forecast by name; null where there is no forecast."""

    enterprise: str
    name: str
    industry: str
    quantity: str
    unit: str
    level: str
    """Id of the level; '' below the first."""
    numbers: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        return {
            "enterprise": self.enterprise, "name": self.name, "industry": self.industry, "quantity": self.quantity,
            "unit": self.unit, "level": self.level, "trace": {name: self.numbers[name] for name in _NUMBERS},
        }  # fmt: skip


@dataclass(frozen=True)
class Warnings:
    """The warnings of a year as of a month, the most pressing first, at most as many as asked for; `counts` by level of all."""

    year: int
    month: str
    band: float
    levels: tuple[WarningLevel, ...]
    quotas: int
    counts: Mapping[str, int]
    warnings: tuple[QuotaWarning, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `region-warn/1` without its findings."""
        return {
            "year": self.year, "month": self.month, "band": self.band, "quotas": self.quotas, "counts": dict(self.counts),
            "levels": [{"id": item.id, "name": {"zh": item.name.zh, "en": item.name.en}, "share": item.share} for item in self.levels],
            "warnings": [item.to_json() for item in self.warnings],
        }  # fmt: skip


def warn(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    year: int,
    month: int | None,
    most: int,
    on: Backend | None = None,
) -> Warnings:
    """Warnings for the quotas of `year` from what was reported up to `month` (1 to 12; None = the last loaded one).

    `on`: the engine that computes every enterprise's months (None = the embedded one); the forecast is the embedded one's.

    Raises:
        FindingError: no quotas, no reports of the year.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE quota AS SELECT * FROM ({seen.quotas()}) WHERE year = {int(year)}"
    )
    quantities = [
        str(row[0]) for row in con.execute("SELECT DISTINCT quantity FROM quota ORDER BY 1").fetchall()
    ]
    if not quantities:
        raise FindingError(NO_QUOTAS.at(Place(period=str(year)), year=year))
    loaded = [item for item in seen.months() if item // 12 == year]
    last = year * 12 + (month - 1 if month else (loaded[-1] % 12 if loaded else 0))
    findings: list[Finding] = [*seen.findings]
    con.execute(f"CREATE OR REPLACE TEMP TABLE outlook ({_OUTLOOK})")
    units: dict[str, str] = {}
    for quantity in quantities:
        unit = _outlook(con, seen, book, quantity, year, last, findings, on)
        if unit is not None:
            units[quantity] = unit
    told = _told(con, seen, book, units, month_label(last), most)
    [(without,)] = con.execute("SELECT count(*) FROM outlook WHERE forecast IS NULL").fetchall()
    if without:
        where = Place(period=month_label(last))
        findings.append(
            NO_FORECAST.at(
                where,
                count=without,
                months=FEWEST_MONTHS,
                year=year,
                before=year - 1,
                month=month_label(last),
            )
        )
    [(gaps,)] = con.execute(
        "SELECT count(*) FROM outlook WHERE forecast IS NOT NULL AND missing > 0"
    ).fetchall()
    if gaps:
        findings.append(
            MONTHS_ESTIMATED.at(Place(period=month_label(last)), count=gaps, month=month_label(last))
        )
    level = _level_sql(seen.region.levels)
    counted = dict(con.execute(f"SELECT {level}, count(*) FROM outlook GROUP BY 1").fetchall())
    counts = {item.id: int(counted.get(item.id, 0)) for item in seen.region.levels}
    [(total,)] = con.execute("SELECT count(*) FROM outlook").fetchall()
    for table in ("quota", "outlook"):
        con.execute(f"DROP TABLE {table}")
    findings = [*(finding for _, finding in told), *findings, *seen.snapshot.findings]
    warnings = tuple(item for item, _ in told)
    return Warnings(
        year,
        month_label(last),
        seen.region.band,
        seen.region.levels,
        total,
        counts,
        warnings,
        tuple(findings),
    )


_OUTLOOK = "enterprise INTEGER, quantity VARCHAR, " + ", ".join(f"{name} DOUBLE" for name in _NUMBERS)


def _outlook(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    quantity: str,
    year: int,
    last: int,
    findings: list[Finding],
    on: Backend | None,
) -> str | None:
    """Add the outlook of every enterprise with a quota of one quantity; its unit, None where there is no such quantity."""
    [(count,)] = con.execute("SELECT count(*) FROM quota WHERE quantity = ?", [quantity]).fetchall()
    if quantity not in book.rules:
        findings.append(
            QUOTA_QUANTITY.at(Place(subject=quantity), count=count, quantity=quantity, book=book.id)
        )
        return None
    loaded = [item for item in seen.months() if (year - 1) * 12 <= item <= last]
    whole = parse_period(f"{year - 1}-01..{month_label(last)}", seen.region.zone)
    # from the quotas' own file, so that another engine reads that too where it is
    limited = f"year = {int(year)} AND quantity = {literal(quantity)}"
    only = f"SELECT enterprise FROM ({seen.quotas()}) WHERE {limited}"
    prepared = prepare(con, seen, loaded, book, only=only)
    question = RegionQuestion(whole, ("enterprise",), Grain.MONTH, (quantity,))
    result, said = answer(con, seen, book, question, "outlook_months", prepared, shares=False, on=on)
    findings.extend(item for item in said if item.severity is not Severity.NOTICE)
    try:
        output = total_of(result, book, quantity, whole)
    except FindingError as error:
        findings.extend(error.findings)
        return None
    _units(con, quantity, output.unit, findings)
    monthly = (
        f"SELECT enterprise, (year(span_start) * 12 + month(span_start) - 1)::INTEGER AS m, {output.value} AS x "
        f"FROM outlook_months WHERE {output.value} IS NOT NULL"
    )
    con.execute(forecast_sql(monthly, quantity, year, last, seen.region.band))
    con.execute("DROP TABLE outlook_months")
    con.execute(f"DROP VIEW {FACTS}")
    return output.unit


def _units(con: duckdb.DuckDBPyConnection, quantity: str, unit: str, findings: list[Finding]) -> None:
    """Turn the quotas of a quantity into its unit; those that cannot be are told and left out."""
    rows = con.execute(
        "SELECT unit, count(*) FROM quota WHERE quantity = ? GROUP BY 1", [quantity]
    ).fetchall()
    for given, count in rows:
        try:
            factor = float(parse_unit(given).factor_to(parse_unit(unit)))
        except UnitError:
            where = Place(subject=quantity)
            findings.append(QUOTA_UNIT.at(where, quantity=quantity, unit=given, expected=unit, count=count))
            con.execute("DELETE FROM quota WHERE quantity = ? AND unit = ?", [quantity, given])
            continue
        con.execute(
            "UPDATE quota SET value = value * ?, unit = ? WHERE quantity = ? AND unit = ?",
            [factor, unit, quantity, given],
        )


def forecast_sql(monthly: str, quantity: str, year: int, last: int, band: float) -> str:
    """Insert into `outlook` what the method of this module says of each enterprise in `quota`.

    `monthly`: a query of enterprise, m (month number), x; `last`: the last month of `year` that counts."""
    listed = ", ".join(f"({n}, {student(band, n - 1)!r}e0)" for n in range(FEWEST_MONTHS, 13))
    name = literal(quantity)
    now = f"SELECT enterprise, m % 12 AS k, x FROM ({monthly}) WHERE m // 12 = {year} AND m <= {last}"
    before = f"SELECT enterprise, m % 12 AS k, x FROM ({monthly}) WHERE m // 12 = {year - 1}"
    return f"""
WITH now AS ({now}), before AS ({before}),
used AS (SELECT enterprise, sum(x) AS used, count(*) AS reported FROM now GROUP BY 1),
pairs AS (
  SELECT enterprise, count(*) FILTER (n.x > 0 AND b.x > 0) AS months, sum(b.x) AS before_to_date, sum(n.x) / nullif(sum(b.x), 0) AS growth,
    stddev_samp(CASE WHEN n.x > 0 AND b.x > 0 THEN ln(n.x / b.x) END) AS spread
  FROM now AS n JOIN before AS b USING (enterprise, k) GROUP BY 1
),
rest AS (
  SELECT enterprise, count(*) AS known, coalesce(sum(x), 0) AS before_rest, sum(x * x) AS squares
  FROM before AS b WHERE NOT EXISTS (FROM now AS n WHERE n.enterprise = b.enterprise AND n.k = b.k) GROUP BY 1
),
steps AS (
  SELECT q.enterprise, u.used, b.months, {last % 12 + 1} - u.reported AS missing, b.before_to_date,
    coalesce(r.before_rest, 0) AS before_rest, b.growth, b.spread, q.value AS quota,
    CASE WHEN u.reported = 12 THEN 0e0
      WHEN r.known = 12 - u.reported AND b.months >= {FEWEST_MONTHS} THEN r.before_rest * b.growth END AS rest,
    t.t * b.spread * sqrt(r.squares / nullif(r.before_rest * r.before_rest, 0) + 1e0 / b.months) AS width
  FROM quota AS q LEFT JOIN used AS u USING (enterprise) LEFT JOIN pairs AS b USING (enterprise)
    LEFT JOIN rest AS r USING (enterprise) LEFT JOIN (VALUES {listed}) AS t(n, t) ON t.n = b.months
  WHERE q.quantity = {name}
)
INSERT INTO outlook
SELECT enterprise, {name}, used, months, missing, before_to_date, before_rest, growth, spread, rest, used + rest,
  used + CASE WHEN rest = 0 THEN 0e0 ELSE rest * exp(-width) END, used + CASE WHEN rest = 0 THEN 0e0 ELSE rest * exp(width) END,
  quota, coalesce(used + rest, used) / nullif(quota, 0)
FROM steps
"""


def _level_sql(levels: tuple[WarningLevel, ...]) -> str:
    whens = " ".join(f"WHEN ratio >= {item.share!r}e0 THEN {literal(item.id)}" for item in reversed(levels))
    # of a quota of zero no share can be told: whatever is used is above every level
    return f"CASE WHEN quota = 0 AND used > 0 THEN {literal(levels[-1].id)} {whens} ELSE '' END"


def _told(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    units: Mapping[str, str],
    month: str,
    most: int,
) -> list[tuple[QuotaWarning, Finding]]:
    level = _level_sql(seen.region.levels)
    listed = ", ".join(f"o.{name}" for name in _NUMBERS)
    rows = con.execute(
        f"SELECT r.id, r.name, r.industry, o.quantity, {level} AS level, {listed} FROM outlook AS o JOIN {REGISTRY} AS r "
        f"ON r.enterprise = o.enterprise WHERE {level} <> '' ORDER BY o.ratio DESC NULLS FIRST, r.id LIMIT {int(most)}"
    ).fetchall()
    named = {item.id: item.name for item in seen.region.levels}
    told = []
    for ident, name, industry, quantity, level_id, *numbers in rows:
        values = dict(zip(_NUMBERS, numbers, strict=True))
        warning = QuotaWarning(ident, name, industry, quantity, units[quantity], level_id, values)
        shown = {key: _number(values[key]) for key in ("used", "forecast", "low", "high", "quota")}
        where = Place(subject=f"enterprise:{ident}", period=month)
        finding = QUOTA_WARNING.at(
            where, level=named[level_id], name=name, unit=units[quantity], label=book.label(quantity), month=month,
            ratio="—" if values["ratio"] is None else f"{values['ratio']:.1%}", **shown,
        )  # fmt: skip
        told.append((warning, finding))
    return told


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


@cache
def student(band: float, freedom: int) -> float:
    """The t that |t| of Student's distribution with `freedom` degrees stays below with chance `band`."""
    low, high = 0.0, 1e3
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < band else (low, middle)
    return round(high, 12)


def _within(t: float, freedom: int) -> float:
    """P(|T| < t): Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    if freedom % 2:
        term, total = math.cos(angle), 0.0
        for step in range(1, freedom - 1, 2):
            total += term
            term *= square * (step + 1) / (step + 2)
        return 2 / math.pi * (angle + math.sin(angle) * total)
    term, total = 1.0, 0.0
    for step in range(1, freedom, 2):
        total += term
        term *= square * step / (step + 1)
    return math.sin(angle) * total
