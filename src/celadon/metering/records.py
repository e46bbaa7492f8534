"""Facts from records: fuel consumption from purchases and stocks, laboratory means, production and the rest.

Fuel consumed = purchased + opening stock − closing stock − resold, per site, fuel, purpose and local month.
A declared `fuel_consumed` goes before what purchases and stocks give.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import duckdb

from celadon.core.carriers import find_carrier
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.periods import Grain, Period
from celadon.core.quantities import HELD
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.metering import fuel, laboratory
from celadon.metering.amounts import load_rows, naive, site_period
from celadon.metering.record_words import FLOWS, FUEL_KINDS, LABORATORY, resolve_sites, write_words

RECORD_CUT = FindingKind(
    "records.cut",
    Severity.NOTICE,
    Text(en="Records cut at the edge of the period", zh="台账跨期按时间折算"),
    Text(
        en="{count} records of {quantity} {item} at {site} reach beyond the period: their part "
        "in it is taken by time, as an estimate.",
        zh="场所 {site} 的 {quantity} {item} 有 {count} 条台账跨越核算期：按时间比例折算，标为估算。",
    ),
    Text(
        en="Record amounts up to the edge of the period where you can.", zh="如可能，请按核算期边界分别记录。"
    ),
)
METERED_TOO = FindingKind(
    "records.metered-too",
    Severity.WARNING,
    Text(en="Recorded and metered as well", zh="台账与表计重复"),
    Text(
        en="{item} at {site} has a purchase meter and {count} records of {quantity}; the meter "
        "counts, the records do not.",
        zh="场所 {site} 的 {item} 既有购入表又有 {count} 条 {quantity} 台账；以表计为准，台账不计入。",
    ),
    Text(
        en="Keep one: remove `flow` from the meter, or the source of these records.",
        zh="请保留其一：去掉表的 flow，或去掉该台账来源。",
    ),
)

_OUT_COLUMNS = (
    '(quantity VARCHAR, item VARCHAR, purpose VARCHAR, site VARCHAR, process VARCHAR, start TIMESTAMP, "end" TIMESTAMP, '
    "value DOUBLE, unit VARCHAR, weight DOUBLE, estimated DOUBLE, status UTINYINT, source VARCHAR, adds BOOLEAN)"
)


def recorded_carriers(con: duckdb.DuckDBPyConnection, plant: Plant, records: str) -> set[tuple[str, str]]:
    """(site, carrier) whose purchase or consumption is recorded; a blank site is the plant's only one."""
    only = plant.sites[0].id if len(plant.sites) == 1 else ""
    names = [*FUEL_KINDS, *FLOWS]
    rows = con.execute(
        f"SELECT DISTINCT coalesce(site, ''), coalesce(item, '') FROM {records} WHERE value IS NOT NULL AND list_contains(?::VARCHAR[], quantity)",
        [names],
    ).fetchall()
    found = set()
    for site, item in rows:
        carrier = find_carrier(item, plant.carriers)
        if carrier is not None:
            found.add((site or only, carrier.id))
    return found


def insert_facts(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    records: str,
    period: Period,
    metered: Collection[tuple[str, str]],
    into: str,
) -> list[Finding]:
    """Add the facts of the period's records to `into`; needs `m_segment` and `m_site` of the same request.

    A record inside one span of the request gets that span; a longer one keeps its own, cut at the period's edges.
    Carriers of a site in `metered` come from their meters.
    """
    rows = _months(plant, period)
    columns = {
        "site": "VARCHAR", "number": "INTEGER", "month_start": "TIMESTAMP", "month_end": "TIMESTAMP", "inside": "BOOLEAN",
    }  # fmt: skip
    load_rows(con, "m_month", columns, rows)
    _current(con, records, _span(rows))
    seen = {quantity for (quantity,) in con.execute("SELECT DISTINCT quantity FROM m_record").fetchall()}
    if not seen:
        return []
    findings = resolve_sites(con, plant, "m_record")
    findings += write_words(con, plant, "m_record")
    _read(con)
    findings += _drop_metered(con, metered)
    con.execute(f"CREATE OR REPLACE TEMP TABLE m_out {_OUT_COLUMNS}")
    if not seen.isdisjoint(FUEL_KINDS):
        findings += fuel.write_consumption(con)
    if not seen.isdisjoint(FLOWS):
        _flows(con)
    if not seen.isdisjoint(LABORATORY):
        findings += laboratory.write_means(con)
    if seen.difference(FUEL_KINDS, FLOWS, LABORATORY):
        _others(con)
    findings += _place(con, plant, period, into)
    return findings


def _current(con: duckdb.DuckDBPyConnection, records: str, span: tuple[datetime, datetime]) -> None:
    """Table `m_record`: the latest batch's word on each key; identical numbered rows of one file once."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_record AS
        SELECT quantity, coalesce(item, '') AS item, coalesce(purpose, '') AS purpose, coalesce(site, '') AS site,
            coalesce(process, '') AS process, start, greatest(start, coalesce("end", start)) AS "end", value,
            coalesce(unit, '') AS unit, weight, coalesce(weight_unit, '') AS weight_unit, coalesce(note, '') AS note,
            file, line, batch, 'records:' || batch || ':' || file || ':' || line AS source
        FROM {records} WHERE value IS NOT NULL AND start <= ? AND coalesce("end", start) >= ?
        QUALIFY batch = max(batch) OVER (
                PARTITION BY quantity, coalesce(item, ''), coalesce(purpose, ''), coalesce(site, ''), coalesce(process, ''),
                    start, coalesce("end", start), coalesce(note, ''))
            AND (coalesce(note, '') = '' OR 1 = row_number() OVER (
                PARTITION BY quantity, item, purpose, site, process, start, "end", note, batch, value, unit, weight, weight_unit
                ORDER BY file, line))""",
        [span[1], span[0]],
    )


_Month = tuple[str, int, datetime, datetime, bool]


def _months(plant: Plant, period: Period) -> list[_Month]:
    """(site, number, start, end, inside) of the local months of the period and one on either side."""
    rows: list[_Month] = []
    for site in plant.sites:
        span = site_period(period, site)
        months = list(span.split(Grain.MONTH))
        whole = fuel.neighbours(months[0], months[-1], site.zone)
        rows += [
            (site.id, number, month.start.replace(tzinfo=None), month.end.replace(tzinfo=None), inside)
            for number, (month, inside) in enumerate(whole)
        ]
    return rows


def _span(months: Sequence[_Month]) -> tuple[datetime, datetime]:
    """First and last instant over all sites."""
    return min(row[2] for row in months), max(row[3] for row in months)


def any_inside(con: duckdb.DuckDBPyConnection, plant: Plant, records: str, period: Period) -> bool:
    """Whether there is any record in the months that `insert_facts` looks at."""
    first, last = _span(_months(plant, period))
    inside = 'start <= ? AND coalesce("end", start) >= ?'
    return bool(con.execute(f"SELECT 1 FROM {records} WHERE {inside} LIMIT 1", [last, first]).fetchall())


def _read(con: duckdb.DuckDBPyConnection) -> None:
    """Table `m_read`: records with the item's id and the amount in the unit facts are kept in (null: cannot convert)."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_read AS
        SELECT r.quantity, w.key AS item, w.kind, r.site, r.process, r.start, r."end", r.value * w.num / w.den AS value,
            CASE WHEN w.num IS NULL AND r.value IS NOT NULL THEN true ELSE false END AS bad, w.out_unit AS unit,
            r.weight * w.weight_factor AS weight, r.note, r.source, r.batch, r.file, r.line,
            CASE WHEN r.purpose <> '' THEN r.purpose WHEN w.kind IN ('solid', 'liquid', 'gas') THEN 'combustion' ELSE '' END AS purpose
        FROM m_record r JOIN m_word w ON w.quantity = r.quantity AND w.item = r.item AND w.unit = r.unit
            AND w.weight_unit = r.weight_unit
        WHERE w.key IS NOT NULL"""
    )


def _drop_metered(con: duckdb.DuckDBPyConnection, metered: Collection[tuple[str, str]]) -> list[Finding]:
    load_rows(con, "m_metered", {"site": "VARCHAR", "item": "VARCHAR"}, list(metered))
    names = [*FUEL_KINDS, *FLOWS]
    twice = "list_contains(?::VARCHAR[], quantity) AND (site, item) IN (SELECT (site, item) FROM m_metered)"
    rows = con.execute(
        f"SELECT site, item, quantity, count(*), arg_min(source, (batch, file, line)) FROM m_read WHERE {twice} GROUP BY ALL ORDER BY ALL",
        [names],
    ).fetchall()
    con.execute(f"DELETE FROM m_read WHERE {twice}", [names])
    return [
        METERED_TOO.at(Place(subject=source), site=site, item=item, quantity=quantity, count=count)
        for site, item, quantity, count, source in rows
    ]


def _flows(con: duckdb.DuckDBPyConnection) -> None:
    """Recorded purchases, exports and generation; consumption from them unless it is recorded itself."""
    con.execute(
        """INSERT INTO m_out
        SELECT quantity, item, CASE WHEN quantity = 'energy_consumed' THEN purpose ELSE '' END, site, process, start, "end",
            value, unit, NULL, 0, CASE WHEN bad THEN 5 ELSE 2 END, source, true
        FROM m_read WHERE quantity IN ('energy_purchased', 'energy_exported', 'energy_generated', 'energy_consumed')
        UNION ALL
        SELECT 'energy_consumed', item, purpose, site, process, start, "end",
            CASE WHEN quantity = 'energy_exported' THEN -value ELSE value END, unit, NULL, 0,
            CASE WHEN bad THEN 5 ELSE 1 END, source, true
        FROM m_read r WHERE quantity IN ('energy_purchased', 'energy_exported', 'energy_generated') AND NOT EXISTS (
            SELECT 1 FROM m_read c WHERE c.site = r.site AND c.item = r.item
            AND (c.quantity = 'energy_consumed' OR c.quantity LIKE 'fuel_%'))"""
    )


def _others(con: duckdb.DuckDBPyConnection) -> None:
    """Production, refrigerants, contracts and any other recorded quantity, under its own name."""
    names = [*FUEL_KINDS, *FLOWS, *LABORATORY]
    con.execute(
        """INSERT INTO m_out SELECT quantity, item, CASE WHEN kind = '' THEN purpose ELSE '' END, site, process, start, "end",
            value, unit, weight, 0, CASE WHEN bad THEN 5 ELSE 2 END, source,
            NOT list_contains(?::VARCHAR[], unit) AND NOT list_contains(?::VARCHAR[], quantity)
        FROM m_read WHERE NOT list_contains(?::VARCHAR[], quantity)""",
        [_ratios(con), sorted(HELD), names],
    )


def _ratios(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Units of shares and ratios (%, t/t, m3/h): what is so counted holds for the whole of its span, and no part of it is cut off."""
    found = []
    for (text,) in con.execute("SELECT DISTINCT unit FROM m_read ORDER BY unit").fetchall():
        try:
            powers = [power for _, power in parse_unit(text).dimension]
        except UnitError:
            continue
        if not powers or min(powers) < 0:
            found.append(text)
    return found


def _place(con: duckdb.DuckDBPyConnection, plant: Plant, period: Period, into: str) -> list[Finding]:
    """Cut `m_out` at the period's edges, give each row its span, and add it to the facts."""
    rows = []
    for site in plant.sites:
        span = site_period(period, site)
        rows.append((site.id, naive(span.start), naive(span.end)))
    load_rows(con, "m_span", {"site": "VARCHAR", "p0": "TIMESTAMP", "p1": "TIMESTAMP"}, rows)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_placed AS
        WITH cut AS (
            SELECT o.*, c.calendar, greatest(o.start, s.p0) AS a, least(o."end", s.p1) AS b,
                o."end" > o.start AND (o.start < s.p0 OR o."end" > s.p1) AS is_cut,
                epoch(least(o."end", s.p1) - greatest(o.start, s.p0)) AS part, epoch(o."end" - o.start) AS whole
            FROM m_out o JOIN m_span s ON s.site = o.site JOIN m_site c ON c.site = o.site
            WHERE o.start < s.p1 AND (o."end" > s.p0 OR o.start >= s.p0)
        ), buckets AS (SELECT DISTINCT calendar, time_start, time_end FROM m_segment)
        SELECT cut.*, coalesce(k.time_start, a) AS time_start, coalesce(k.time_end, b) AS time_end
        FROM cut LEFT JOIN buckets k ON k.calendar = cut.calendar AND a >= k.time_start AND a < k.time_end AND b <= k.time_end"""
    )
    con.execute(
        f"""INSERT INTO {into}
        SELECT quantity, item, purpose, ?, site, process, '', time_start, time_end,
            CASE WHEN adds AND is_cut THEN value * part / whole ELSE value END, unit, CASE WHEN is_cut THEN weight * part / whole ELSE weight END,
            CASE WHEN value IS NULL THEN 0 WHEN adds AND is_cut THEN abs(value * part / whole) WHEN NOT adds AND status = 3 THEN abs(value)
                ELSE least(estimated, abs(value)) END,
            0, 0, 0, 0, 0, CASE WHEN value IS NULL THEN 0 ELSE 1 END,
            CASE WHEN value IS NULL THEN 5 WHEN adds AND is_cut THEN greatest(status, 3) ELSE status END,
            CASE WHEN value IS NOT NULL THEN CASE WHEN status = 3 AND estimated > 0 THEN 1 ELSE status END END, source
        FROM m_placed""",
        [plant.enterprise],
    )
    cuts = con.execute(
        """SELECT site, quantity, item, count(*), min(source) FROM m_placed WHERE adds AND is_cut AND value IS NOT NULL
        GROUP BY site, quantity, item ORDER BY ALL"""
    ).fetchall()
    return [
        RECORD_CUT.at(
            Place(subject=source, period=period.label), site=site, quantity=quantity, item=item, count=count
        )
        for site, quantity, item, count, source in cuts
    ]
