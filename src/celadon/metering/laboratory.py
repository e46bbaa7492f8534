"""Laboratory means: of calorific values and carbon contents by batch, weighted by the batches' mass."""

from __future__ import annotations

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.metering.record_words import LABORATORY

MASS_MISSING = FindingKind(
    "records.batch-mass-missing",
    Severity.WARNING,
    Text(en="Laboratory values without a batch mass", zh="化验值缺少批次质量"),
    Text(
        en="{quantity} of {item} at {site}: {count} values have no batch mass; {done}.",
        zh="场所 {site} {item} 的 {quantity}：{count} 个化验值没有批次质量；{done}。",
    ),
    Text(
        en="Record the mass of each batch (fields weight, weight_unit).",
        zh="请记录每批次的质量（weight、weight_unit）。",
    ),
)
IMPOSSIBLE = FindingKind(
    "records.laboratory-impossible",
    Severity.ERROR,
    Text(en="A laboratory value that no fuel has", zh="化验值超出任何燃料的可能范围"),
    Text(
        en="{quantity} of {item} at {site}: {value} {unit} is not above {low} and at most {high} {bound}, as that of every fuel is "
        "({count} such values); left out.",
        zh="场所 {site} {item} 的 {quantity}：{value} {unit} 不在任何燃料的可能范围内（大于 {low}，至多 {high} {bound}；共 {count} 个），未采用。",
    ),
    Text(
        en="Correct the value or its unit (kJ/kg, kcal/kg, GJ/t …), and load it again.",
        zh="请更正数值或单位（kJ/kg、kcal/kg、GJ/t 等）后重新载入。",
    ),
)
_POSSIBLE = {
    "net_calorific_value": (("GJ/t", 0.0, 145.0), ("GJ/m3", 0.0, 0.15)),
    "carbon_content": (("tC/GJ", -1e-9, 0.5),),
    "carbon_content_by_mass": (("tC/t", -1e-9, 1.0), ("tC/m3", -1e-9, 0.005)),
}
"""Above the first and at most the second: hydrogen has 142 GJ/t (gross), butane 0.12 GJ and 0.002 t of carbon per cubic metre, a fuel of
carbon alone 0.03 tC/GJ and a thin furnace gas 0.07; hydrogen has no carbon. A unit mistaken by a thousand is far beyond."""


def write_means(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Means per site, item and local month into `m_out`, weighted by batch mass; of values without mass only where none has one.

    A value for a longer span counts in every month of it, its mass by the time it has there. Where the amount itself is
    recorded for several months at once, the mean is that of its own span, if every batch there has a mass.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_lab_value AS
        SELECT r.quantity, r.item, r.site, r.start, r."end", r.value, r.unit, r.weight, r.source, r.batch, r.file, r.line
        FROM m_read r WHERE list_contains(?::VARCHAR[], r.quantity) AND r.value IS NOT NULL""",
        [list(LABORATORY)],
    )
    impossible = _impossible(con)
    _spans(con)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_lab AS
        WITH part AS ({_parts("m_lab_span")})
        SELECT quantity, item, site, span_start, span_end, any_value(unit) AS unit,
            count(*) FILTER (weight > 0) AS weighed, count(*) AS n,
            sum(value * weight) FILTER (weight > 0) / sum(weight) FILTER (weight > 0) AS weighted,
            avg(value) AS plain, sum(weight) FILTER (weight > 0) AS weight,
            string_agg(source, ' ' ORDER BY batch, file, line) AS source
        FROM part GROUP BY ALL"""
    )
    con.execute(
        """INSERT INTO m_out SELECT quantity, item, '', site, '', span_start, span_end, coalesce(weighted, plain), unit,
            weight, 0, CASE WHEN weighed = 0 AND n > 1 THEN 3 WHEN n > 1 THEN 1 ELSE 0 END, source, false FROM m_lab"""
    )
    return [*impossible, *_without_mass(con)]


def _impossible(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Take out of `m_lab_value` what no fuel can have: nearly always a unit that is not the value's."""
    findings = []
    for quantity, unit in con.execute(
        "SELECT DISTINCT quantity, unit FROM m_lab_value ORDER BY ALL"
    ).fetchall():
        for bound, low, high in _POSSIBLE[quantity]:
            try:
                factor = float(parse_unit(unit).factor_to(parse_unit(bound)))
            except UnitError:
                continue  # kept in another unit: per piece, per kilowatt-hour
            beyond = "quantity = ? AND unit = ? AND NOT (value * ? > ? AND value * ? <= ?)"
            values = [quantity, unit, factor, low, factor, high * (1 + 1e-9)]
            found = con.execute(
                f"SELECT item, site, count(*), arg_min((value, source), (batch, file, line)) FROM m_lab_value WHERE {beyond} "
                "GROUP BY ALL ORDER BY ALL",
                values,
            ).fetchall()
            con.execute(f"DELETE FROM m_lab_value WHERE {beyond}", values)
            findings += [
                IMPOSSIBLE.at(
                    Place(subject=source), quantity=quantity, item=item, site=site, count=count, value=f"{value:.10g}",
                    unit=unit, low=f"{max(low, 0):g}", high=f"{high:g}", bound=bound,
                )
                for item, site, count, (value, source) in found
            ]  # fmt: skip
    return findings


def _parts(spans: str) -> str:
    """Each value in each span it reaches into, with the part of its mass that falls there."""
    return f"""SELECT v.* EXCLUDE (weight), s.span_start, s.span_end, CASE WHEN v."end" > v.start
            THEN v.weight * epoch(least(v."end", s.span_end) - greatest(v.start, s.span_start)) / epoch(v."end" - v.start)
            ELSE v.weight END AS weight
        FROM m_lab_value v JOIN {spans} s ON s.site = v.site AND s.item = v.item AND s.quantity = v.quantity
            AND v.start < s.span_end AND (v."end" > s.span_start OR v.start = s.span_start)"""


def _spans(con: duckdb.DuckDBPyConnection) -> None:
    """Table `m_lab_span`: what a mean is taken over: the spans of long amounts, and the months outside them.

    An amount says so where no other of its item overlaps it, and where every batch in it can be weighed: a plain mean of months
    that differ would be no better than a month's."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_lab_long AS
        WITH edges AS (SELECT site, min(month_start) FILTER (inside) AS p0, max(month_end) FILTER (inside) AS p1 FROM m_month GROUP BY site),
        amount AS (
            SELECT DISTINCT o.site, o.item, greatest(o.start, e.p0) AS span_start, least(o."end", e.p1) AS span_end
            FROM m_out o JOIN edges e ON e.site = o.site WHERE o.adds AND o.item <> '' AND o.start < e.p1 AND o."end" > e.p0)
        SELECT DISTINCT a.*, v.quantity FROM amount a JOIN m_lab_value v ON v.site = a.site AND v.item = a.item
        WHERE (SELECT count(*) FROM m_month m WHERE m.site = a.site AND m.month_start < a.span_end AND m.month_end > a.span_start) > 1
            AND NOT EXISTS (SELECT 1 FROM amount b WHERE b.site = a.site AND b.item = a.item AND b.span_start < a.span_end
                AND b.span_end > a.span_start AND (b.span_start, b.span_end) <> (a.span_start, a.span_end))"""
    )
    con.execute(
        f"""DELETE FROM m_lab_long l USING (SELECT * FROM ({_parts("m_lab_long")}) WHERE coalesce(weight, 0) <= 0) bad
        WHERE (l.quantity, l.item, l.site, l.span_start) = (bad.quantity, bad.item, bad.site, bad.span_start)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_lab_span AS
        SELECT site, item, quantity, span_start, span_end FROM m_lab_long
        UNION ALL
        SELECT m.site, v.item, v.quantity, m.month_start, m.month_end
        FROM m_month m JOIN (SELECT DISTINCT site, item, quantity FROM m_lab_value) v ON v.site = m.site
        WHERE NOT EXISTS (SELECT 1 FROM m_lab_long l WHERE l.site = v.site AND l.item = v.item AND l.quantity = v.quantity
            AND l.span_start < m.month_end AND l.span_end > m.month_start)"""
    )


def _without_mass(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    rows = con.execute(
        """SELECT l.quantity, l.item, l.site, sum(n - weighed), bool_or(weighed = 0) FROM m_lab l
        JOIN m_month m ON m.site = l.site AND m.month_start = l.span_start AND m.inside
        WHERE weighed < n AND n > 1 GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    findings = []
    for quantity, item, site, count, plain in rows:
        done = Text("they are left out of the mean", "未参与加权平均")
        if plain:
            done = Text(
                "where no value of a month has one, the plain mean is taken as an estimate",
                "当月均无质量的取算术平均并标为估算",
            )
        values = {"quantity": quantity, "item": item, "site": site, "count": int(count)}
        findings.append(MASS_MISSING.at(Place(subject=f"site:{site}"), **values, done=done))
    return findings
