"""Fuel consumption per local month: purchased + opening stock − closing stock − resold.

An opening stock that is not recorded is the closing stock of the month before (and a closing stock the next opening:
the same pile on the same day). With no stock records at all, what was bought was burnt, and a notice says so.
A stock which is missing on one side only leaves the month absent: never zero.
"""

from __future__ import annotations

from datetime import timedelta

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Grain, Period, floor, next_edge
from celadon.core.text import Text

STOCK_MISSING = FindingKind(
    "records.stock-missing",
    Severity.ERROR,
    Text(en="A stock is missing", zh="缺少库存"),
    Text(
        en="{item} ({purpose}) at {site}, {month}: the {which} stock is "
        "missing; consumption is absent, not zero.",
        zh="场所 {site} 的 {item}（{purpose}），{month} 缺少{which}库存；消费量按缺失处理，不作零。",
    ),
    Text(
        en="Record the stock, or the consumption itself (fuel_consumed).",
        zh="请补充库存，或直接记录消费量（fuel_consumed）。",
    ),
)
NO_STOCK = FindingKind(
    "records.no-stock",
    Severity.NOTICE,
    Text(en="No stock records", zh="无库存台账"),
    Text(
        en="{item} ({purpose}) at {site} has no stock records: what was bought is taken as consumed.",
        zh="场所 {site} 的 {item}（{purpose}）没有库存台账：以购入量作为消费量。",
    ),
    Text(
        en="Record opening and closing stocks where the fuel is stored.",
        zh="如有储存，请记录期初与期末库存。",
    ),
)
NEGATIVE = FindingKind(
    "records.negative-consumption",
    Severity.ERROR,
    Text(en="Negative consumption", zh="消费量为负"),
    Text(
        en="{item} ({purpose}) at {site}, {month}: {purchased} + {opening} − "
        "{closing} − {resold} {unit} is below zero.",
        zh="场所 {site} 的 {item}（{purpose}），{month}：{purchased} + {opening} "
        "− {closing} − {resold} {unit} 小于零。",
    ),
    Text(en="Check the units and dates of the stocks and deliveries.", zh="请核对库存与到货的单位和日期。"),
)
CONSUMED_DIFFERS = FindingKind(
    "records.consumed-differs",
    Severity.WARNING,
    Text(en="Declared consumption differs from purchases and stocks", zh="申报消费量与购存推算不符"),
    Text(
        en="{item} ({purpose}) at {site}, {month}: {declared} {unit} is "
        "declared and used; purchases and stocks give {derived}.",
        zh="场所 {site} 的 {item}（{purpose}），{month}：采用申报值 {declared} "
        "{unit}，按购入与库存推算为 {derived}。",
    ),
    Text(en="Check both; the declared value counts.", zh="请核对两者；以申报值为准。"),
)
MONTHS_CUT = FindingKind(
    "records.split-over-months",
    Severity.NOTICE,
    Text(en="Deliveries split over months", zh="跨月到货按时间分摊"),
    Text(
        en="{count} records of {item} at {site} span several months: they are split by time to "
        "meet the stocks, as an estimate.",
        zh="场所 {site} 的 {item} 有 {count} 条台账跨月：为与库存匹配按时间分摊，标为估算。",
    ),
    Text(en="Record deliveries by day or by month.", zh="请按日或按月记录到货。"),
)
_DIFFERS_OVER = 0.005  # share of the declared value that rounding and evaporation explain


def neighbours(first: Period, last: Period, zone: str) -> list[tuple[Period, bool]]:
    """Whole local months from the one before `first` to the one after `last`; with whether they are in between."""
    cursor = floor(floor(first.start, Grain.MONTH, zone) - timedelta(days=1), Grain.MONTH, zone)
    months = []
    while cursor < last.end:
        edge = next_edge(cursor, Grain.MONTH, zone)
        months.append((Period(cursor, edge, zone), edge > first.start))
        cursor = edge
    months.append((Period(cursor, next_edge(cursor, Grain.MONTH, zone), zone), False))
    return months


def write_consumption(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Add `energy_consumed` of recorded fuels to `m_out`, from `m_read` and `m_month`."""
    _assign_months(con)
    _balance(con)
    con.execute(
        """INSERT INTO m_out
        SELECT 'energy_consumed', item, purpose, site, process, start, "end", value, unit, NULL, 0,
            CASE WHEN bad THEN 5 ELSE 2 END, source, true FROM m_read WHERE quantity = 'fuel_consumed'
        UNION ALL -- stocks are kept: one row a month
        SELECT 'energy_consumed', item, purpose, site, process, month_start, month_end, consumed, unit, NULL, estimated,
            CASE WHEN consumed IS NULL THEN 5 WHEN estimated > 0 THEN 3 ELSE 1 END, source, true
        FROM m_fuel WHERE NOT declared AND due
        UNION ALL -- no stocks: each delivery as it is
        SELECT 'energy_consumed', r.item, r.purpose, r.site, r.process, r.start, r."end",
            CASE WHEN r.quantity = 'fuel_resold' THEN -r.value ELSE r.value END, r.unit, NULL, 0,
            CASE WHEN r.bad THEN 5 ELSE 2 END, r.source, true
        FROM m_read r LEFT JOIN m_month m ON m.site = r.site AND r.start >= m.month_start AND r.start < m.month_end
        WHERE r.quantity IN ('fuel_purchased', 'fuel_resold')
            AND (r.site, r.item, r.purpose) NOT IN (SELECT (site, item, purpose) FROM m_stocked)
            AND NOT EXISTS (SELECT 1 FROM m_read d WHERE d.quantity = 'fuel_consumed' AND d.site = r.site AND d.item = r.item
                AND d.purpose = r.purpose AND d.start < coalesce(m.month_end, r."end") AND d."end" > coalesce(m.month_start, r.start))"""
    )
    return [*_month_findings(con), *_cut_findings(con), *_no_stock_findings(con)]


def _assign_months(con: duckdb.DuckDBPyConnection) -> None:
    """Tables `m_stocked` (keys that keep stocks) and `m_month_part` (fuel records by month, deliveries cut by time)."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_stocked AS
        SELECT DISTINCT r.site, r.item, r.purpose FROM m_read r JOIN m_month m ON m.site = r.site
            AND r.start < m.month_end AND r."end" >= m.month_start
        WHERE r.quantity IN ('fuel_opening_stock', 'fuel_closing_stock')"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_month_part AS
        SELECT r.*, m.number, r."end" > r.start AND (r.start < m.month_start OR r."end" > m.month_end) AND r.quantity NOT IN (
                'fuel_opening_stock', 'fuel_closing_stock') AS cut,
            CASE WHEN NOT cut THEN r.value ELSE
                r.value * epoch(least(r."end", m.month_end) - greatest(r.start, m.month_start)) / epoch(r."end" - r.start)
            END AS portion
        FROM m_read r JOIN m_month m ON m.site = r.site AND CASE
            WHEN r.quantity = 'fuel_opening_stock' THEN r.start >= m.month_start AND r.start < m.month_end
            -- a closing stock stamped on the edge closes the month before it
            WHEN r.quantity = 'fuel_closing_stock' THEN r."end" > m.month_start AND r."end" <= m.month_end
            WHEN r."end" = r.start THEN r.start >= m.month_start AND r.start < m.month_end
            ELSE r.start < m.month_end AND r."end" > m.month_start END
        WHERE r.quantity LIKE 'fuel_%' AND (r.site, r.item, r.purpose) IN (SELECT (site, item, purpose) FROM m_stocked)"""
    )


def _balance(con: duckdb.DuckDBPyConnection) -> None:
    """Table `m_fuel`: one row per key that keeps stocks and month from its first to the site's last record."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_fuel AS
        WITH p AS (
            SELECT site, item, purpose, number,
                coalesce(sum(portion) FILTER (quantity = 'fuel_purchased'), 0) AS purchased,
                coalesce(sum(portion) FILTER (quantity = 'fuel_resold'), 0) AS resold,
                sum(portion) FILTER (quantity = 'fuel_consumed') AS stated,
                coalesce(sum(abs(portion)) FILTER (cut AND quantity IN ('fuel_purchased', 'fuel_resold')), 0) AS estimated,
                bool_or(bad) AS bad, min(start) FILTER (quantity = 'fuel_opening_stock') AS first,
                max("end") FILTER (quantity = 'fuel_closing_stock') AS last, any_value(unit) AS unit,
                CASE WHEN count(DISTINCT process) = 1 THEN any_value(process) ELSE '' END AS process,
                string_agg(source, ' ' ORDER BY batch, file, line) FILTER (quantity <> 'fuel_consumed') AS source
            FROM m_month_part GROUP BY site, item, purpose, number
        ), stock AS (
            SELECT p.site, p.item, p.purpose, p.number,
                sum(m.value) FILTER (m.quantity = 'fuel_opening_stock' AND m.start = p.first) AS opening,
                sum(m.value) FILTER (m.quantity = 'fuel_closing_stock' AND m."end" = p.last) AS closing
            FROM p JOIN m_month_part m USING (site, item, purpose, number) GROUP BY ALL
        ), reach AS (
            SELECT m.site, max(m.number) AS until FROM m_record r JOIN m_month m ON m.site = r.site
                AND r.start >= m.month_start AND r.start < m.month_end GROUP BY m.site
        ), keys AS (SELECT site, item, purpose, min(number) AS since, any_value(unit) AS unit FROM p GROUP BY ALL),
        months AS (
            SELECT k.*, m.number, m.month_start, m.month_end, m.inside, m.number <= r.until AS reached
            FROM keys k JOIN m_month m ON m.site = k.site AND m.number >= k.since JOIN reach r ON r.site = k.site
        ), filled AS (
            SELECT m.*, p.purchased, p.resold, p.stated, p.estimated, coalesce(p.bad, false) AS bad, p.process, p.source,
                coalesce(s.opening, lag(s.closing) OVER w) AS opening, coalesce(s.closing, lead(s.opening) OVER w) AS closing
            FROM months m LEFT JOIN p USING (site, item, purpose, number) LEFT JOIN stock s USING (site, item, purpose, number)
            WINDOW w AS (PARTITION BY m.site, m.item, m.purpose ORDER BY m.number)
        )
        SELECT site, item, purpose, month_start, month_end, unit, coalesce(process, '') AS process, coalesce(source, '') AS source,
            coalesce(purchased, 0) AS purchased, coalesce(resold, 0) AS resold, opening, closing, coalesce(estimated, 0) AS estimated,
            bad, stated, stated IS NOT NULL AS declared, inside AND (reached OR purchased IS NOT NULL) AS due,
            CASE WHEN NOT bad THEN coalesce(purchased, 0) + opening - closing - coalesce(resold, 0) END AS consumed
        FROM filled"""
    )


def _month_findings(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    findings = []
    rows = con.execute(
        """SELECT site, item, purpose, month_start, unit, purchased, resold, opening, closing, consumed, stated, bad, source
        FROM m_fuel WHERE due ORDER BY site, item, purpose, month_start"""
    ).fetchall()
    for (
        site,
        item,
        purpose,
        month,
        unit,
        purchased,
        resold,
        opening,
        closing,
        consumed,
        stated,
        bad,
        source,
    ) in rows:
        where = Place(subject=source.split(" ")[0] or f"site:{site}")
        key = {"site": site, "item": item, "purpose": purpose, "month": month}
        if stated is None and not bad and consumed is None:
            which = Text("closing", "期末") if opening is not None else Text("opening", "期初")
            if opening is None and closing is None:
                which = Text("opening and closing", "期初和期末")
            findings.append(STOCK_MISSING.at(where, **key, which=which))
        elif consumed is not None and consumed < 0:
            amounts = {"purchased": purchased, "opening": opening, "closing": closing, "resold": resold}
            shown = {name: f"{amount:g}" for name, amount in amounts.items()}
            findings.append(NEGATIVE.at(where, **key, **shown, unit=unit))
        if (
            stated is not None
            and consumed is not None
            and abs(stated - consumed) > _DIFFERS_OVER * abs(stated)
        ):
            values = {"declared": f"{stated:g}", "derived": f"{consumed:g}", "unit": unit}
            findings.append(CONSUMED_DIFFERS.at(where, **key, **values))
    return findings


def _cut_findings(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    rows = con.execute(
        """SELECT site, item, count(DISTINCT source), min(source) FROM m_month_part
        WHERE cut AND quantity IN ('fuel_purchased', 'fuel_resold') GROUP BY site, item ORDER BY ALL"""
    ).fetchall()
    return [
        MONTHS_CUT.at(Place(subject=source), site=site, item=item, count=count)
        for site, item, count, source in rows
    ]


def _no_stock_findings(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    rows = con.execute(
        """SELECT DISTINCT r.site, r.item, r.purpose FROM m_read r
        JOIN m_month m ON m.site = r.site AND m.inside AND r.start < m.month_end AND r."end" >= m.month_start
        WHERE r.quantity = 'fuel_purchased' AND (r.site, r.item, r.purpose) NOT IN (SELECT (site, item, purpose) FROM m_stocked)
            AND (r.site, r.item, r.purpose) NOT IN (SELECT (site, item, purpose) FROM m_read WHERE quantity = 'fuel_consumed')
        ORDER BY ALL"""
    ).fetchall()
    return [
        NO_STOCK.at(Place(subject=f"site:{site}"), site=site, item=item, purpose=purpose)
        for site, item, purpose in rows
    ]
