"""Shared meters split over processes by a declared, dated key; processes over products; cost centres.

Parts are whole ticks and add to the meter exactly (largest-remainder rounding).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Severity
from celadon.core.model import Meter, Plant, Share, VirtualMeter
from celadon.core.periods import Validity
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.metering.amounts import apportion, load_rows, scale
from celadon.metering.tree import Node, place

SHARE_OVERLAP = FindingKind(
    "allocation.share-overlap",
    Severity.ERROR,
    Text(en="Two allocations at once", zh="分摊规则重叠"),
    Text(
        en="{meter} has two allocations on {day}; the first one is used.",
        zh="{meter} 在 {day} 有两条分摊规则，采用前一条。",
    ),
    Text(en="Give each allocation its own since and until.", zh="请为每条分摊规则设置互不重叠的起止日期。"),
)
SHARE_KEY_ABSENT = FindingKind(
    "allocation.key-absent",
    Severity.WARNING,
    Text(en="The key of an allocation has no data", zh="分摊依据缺失"),
    Text(
        en="{meter} is shared by {by}, which is missing or nothing for {processes} from {first}: "
        "not attributed to a process there.",
        zh="{meter} 按 {by} 分摊，但自 {first} 起 {processes} 的依据缺失或合计为零：该时段不归属工序。",
    ),
    Text(
        en="Load the missing production, area or meter; or declare fixed shares.",
        zh="请补充产量、面积或表计数据，或改用固定比例。",
    ),
)
SHARE_UNITS = FindingKind(
    "allocation.production-units",
    Severity.WARNING,
    Text(en="Production in units that do not add", zh="产量单位不可相加"),
    Text(
        en="{meter} is shared by production, but {units} do not add: not attributed to a process.",
        zh="{meter} 按产量分摊，但 {units} 不可相加：不归属工序。",
    ),
    Text(en="Share it by fixed weights, area or meters.", zh="请改用固定比例、面积或表计分摊。"),
)


@dataclass(frozen=True, slots=True)
class ProductPart:
    """What one product of a process bears of one carrier in one span, in ledger ticks."""

    site: str
    process: str
    product: str
    carrier: str
    start: datetime
    end: datetime
    amount: int


def share_cuts(plant: Plant) -> dict[str, set[date]]:
    """Site → local days on which an allocation begins or has ended."""
    cuts: dict[str, set[date]] = {}
    for meter in plant.meters:
        for share in meter.shares:
            days = cuts.setdefault(meter.site, set())
            days.update(day for day in (share.since,) if day)
            days.update(day + timedelta(days=1) for day in (share.until,) if day)
    return cuts


def key_meters(plant: Plant) -> set[str]:
    """Meters whose amounts serve as the key of an allocation."""
    return {key for meter in plant.meters for share in meter.shares for _, key in share.meters}


def write_parts(
    con: duckdb.DuckDBPyConnection, plant: Plant, nodes: Mapping[str, Node], facts: str
) -> list[Finding]:
    """Table `m_part`: `m_leaf` with shared meters split over processes. `facts` holds the production so far."""
    findings: list[Finding] = []
    shared = [
        node
        for node in nodes.values()
        if isinstance(node.meter, Meter) and node.meter.shares and node.carrier
    ]
    if not shared:
        con.execute("CREATE OR REPLACE TEMP TABLE m_part AS SELECT * FROM m_leaf")
        return findings
    _write_weights(con, plant, nodes, shared, facts, findings)
    findings += _keyless(con, shared)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_part AS
        WITH pairs AS (
            SELECT l.*, w.process AS heir, w.weight FROM m_leaf l JOIN m_weight w ON w.node = l.node AND w.seg = l.seg
            WHERE w.usable
        ), amounts AS ({apportion("pairs", "coalesce(amount, 0)", "weight", "node, seg", "heir")}),
        costs AS ({apportion("pairs", "coalesce(cost, 0)", "weight", "node, seg", "heir")})
        SELECT a.node, a.seg, a.heir AS process, a.rest, CASE WHEN a.amount IS NOT NULL THEN a.part END::HUGEINT AS amount,
            (a.estimated::DOUBLE * a.weight / sum(a.weight) OVER (PARTITION BY a.node, a.seg))::HUGEINT AS estimated,
            a.covered, a.due, true AS derived, a.open, CASE WHEN a.cost IS NOT NULL THEN c.part END::HUGEINT AS cost,
            a.priced, a.top
        FROM amounts a JOIN costs c ON c.node = a.node AND c.seg = a.seg AND c.heir = a.heir
        UNION ALL
        SELECT l.node, l.seg, CASE WHEN w.node IS NULL THEN l.process ELSE '' END, l.rest, l.amount, l.estimated, l.covered,
            l.due, l.derived, l.open, l.cost, l.priced, l.top
        FROM m_leaf l LEFT JOIN (SELECT DISTINCT node, seg FROM m_weight WHERE NOT usable) w ON w.node = l.node AND w.seg = l.seg
        WHERE NOT EXISTS (SELECT 1 FROM m_weight u WHERE u.node = l.node AND u.seg = l.seg AND u.usable)"""
    )
    return findings


def _write_weights(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    nodes: Mapping[str, Node],
    shared: list[Node],
    facts: str,
    findings: list[Finding],
) -> None:
    """Table `m_weight` (node, seg, process, weight, usable): the key of each shared meter in each segment.

    What was measured or made weighs over the whole span asked for in which the allocation holds: the dates of another
    meter's allocation cut segments too, and must not change this one's.
    """
    rows = []
    for number, (node, share, validity) in enumerate(_rules(shared, findings)):
        fixed: dict[str, int | None] = {}
        if share.by == "fixed":
            fixed = {**scale(dict(share.weights))}
        elif share.by == "area":
            areas = {
                process.id: process.area_m2
                for site in plant.sites
                for process in site.processes
                if site.id == node.site
            }
            known = scale({name: area for name, _ in share.weights if (area := areas.get(name)) is not None})
            fixed = {name: known.get(name) for name, _ in share.weights}
        keys = dict(share.meters)
        for process in [name for name, _ in share.weights] or list(keys):
            key = nodes[keys[process]].index if keys.get(process) in nodes else None
            rows.append(
                (
                    node.index,
                    number,
                    share.by,
                    process,
                    fixed.get(process),
                    key,
                    validity.since,
                    validity.until,
                )
            )
    columns = {
        "node": "INTEGER", "rule": "INTEGER", "by_key": "VARCHAR", "process": "VARCHAR", "fixed": "HUGEINT", "key": "INTEGER",
        "since": "DATE", "until": "DATE",
    }  # fmt: skip
    load_rows(con, "m_rule", columns, rows)
    _write_production(con, plant, facts, shared, findings)
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_weight AS
        WITH one AS (
            SELECT r.node, r.rule, l.seg, l.time_start, l.time_end, r.process, r.by_key, r.fixed,
                CASE r.by_key WHEN 'meters' THEN a.amount WHEN 'production' THEN p.weight END::HUGEINT AS counted
            FROM m_rule r JOIN m_node n ON n.node = r.node JOIN m_segment l ON l.calendar = n.calendar
                AND coalesce(r.since <= l.day, true) AND coalesce(l.day <= r.until, true)
            LEFT JOIN m_amount a ON a.node = r.key AND a.seg = l.seg
            LEFT JOIN m_production p ON p.site = n.site AND p.process = r.process AND p.seg = l.seg
            QUALIFY r.rule = min(r.rule) OVER (PARTITION BY r.node, l.seg)
        ), spanned AS (
            SELECT node, seg, process, by_key, CASE WHEN by_key IN ('meters', 'production')
                THEN sum(counted) OVER (PARTITION BY node, rule, process, time_start, time_end) ELSE fixed END::HUGEINT AS weight
            FROM one
        )
        SELECT node, seg, process, by_key, weight,
            bool_and(weight IS NOT NULL AND weight >= 0) OVER w AND coalesce(sum(weight) OVER w, 0) > 0 AS usable
        FROM spanned WINDOW w AS (PARTITION BY node, seg)"""
    )


def _rules(shared: list[Node], findings: list[Finding]) -> Iterator[tuple[Node, Share, Validity]]:
    """Every dated allocation in the order of declaration; of two at once the first is used."""
    for node in shared:
        seen: list[Validity] = []
        for share in getattr(node.meter, "shares", ()):
            validity = Validity(share.since, share.until)
            clash = next((other for other in seen if other.overlaps(validity)), None)
            if clash is not None:
                day = max((day for day in (clash.since, validity.since) if day), default=date.min)
                findings.append(SHARE_OVERLAP.at(place(node.meter), meter=node.id, day=day))
            seen.append(validity)
            yield node, share, validity


def _write_production(
    con: duckdb.DuckDBPyConnection, plant: Plant, facts: str, shared: list[Node], findings: list[Finding]
) -> None:
    """Table `m_production` (site, process, seg, weight): output per process, in millionths of a common unit."""
    makers: dict[tuple[str, str], list[str]] = {}
    for site in plant.sites:
        for process in site.processes:
            for product in process.products:
                makers.setdefault((site.id, product), []).append(process.id)
    only = [(site, product, names[0]) for (site, product), names in makers.items() if len(names) == 1]
    load_rows(con, "m_maker", {"site": "VARCHAR", "product": "VARCHAR", "process": "VARCHAR"}, only)
    found = con.execute(
        f"SELECT DISTINCT unit FROM {facts} WHERE quantity = 'product_output' ORDER BY unit"
    ).fetchall()
    factors = _common_factors([unit for (unit,) in found])
    if factors is None:
        units = ", ".join(unit for (unit,) in found)
        by_output = [
            node for node in shared
            if any(share.by == "production" for share in getattr(node.meter, "shares", ()))
        ]  # fmt: skip
        findings += [SHARE_UNITS.at(place(node.meter), meter=node.id, units=units) for node in by_output]
    load_rows(con, "m_output_unit", {"unit": "VARCHAR", "factor": "DOUBLE"}, list((factors or {}).items()))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_production AS
        WITH made AS (
            SELECT f.site, coalesce(nullif(f.process, ''), m.process) AS process, f.time_start, f.time_end, f.value * u.factor AS value
            FROM {facts} f JOIN m_output_unit u ON u.unit = f.unit
            LEFT JOIN m_maker m ON m.site = f.site AND m.product = f.item
            WHERE f.quantity = 'product_output' AND f.value IS NOT NULL
        )
        SELECT m.site, m.process, s.seg, round(sum(m.value * 1e6
            * epoch(least(m.time_end, s.seg_end) - greatest(m.time_start, s.seg_start)) / epoch(m.time_end - m.time_start)))::HUGEINT AS weight
        FROM made m JOIN m_segment s ON m.time_start < s.seg_end AND m.time_end > s.seg_start
        WHERE m.process IS NOT NULL AND s.calendar IN (SELECT n.calendar FROM m_node n WHERE n.site = m.site)
        GROUP BY m.site, m.process, s.seg"""
    )


def _common_factors(units: list[str]) -> dict[str, float] | None:
    """Factors to the first unit; None when the units do not add."""
    try:
        return {unit: float(parse_unit(unit).factor_to(parse_unit(units[0]))) for unit in units}
    except UnitError:
        return None


def _keyless(con: duckdb.DuckDBPyConnection, shared: list[Node]) -> list[Finding]:
    """Allocations whose key has no data, one finding per meter; only where the meter has something to share."""
    rows = con.execute(
        """SELECT w.node, any_value(w.by_key), min(s.seg_start),
            string_agg(DISTINCT w.process, ', ' ORDER BY w.process) FILTER (coalesce(w.weight, 0) <= 0)
        FROM m_weight w JOIN m_segment s ON s.seg = w.seg JOIN m_leaf l ON l.node = w.node AND l.seg = w.seg
        WHERE NOT w.usable AND l.amount IS NOT NULL GROUP BY w.node ORDER BY w.node"""
    ).fetchall()
    by_index = {node.index: node for node in shared}
    return [
        SHARE_KEY_ABSENT.at(
            place(by_index[node].meter), meter=by_index[node].id, by=by, processes=processes, first=first
        )
        for node, by, first, processes in rows
    ]


def product_parts(con: duckdb.DuckDBPyConnection, plant: Plant, facts: str) -> list[ProductPart]:
    """What each product bears: a process's consumption split by the mass (or common unit) of its products.

    `facts` must be built by process or meter. Consumption of a process without output in a span is left with no
    product (`product` = ''). Parts are millionths of the facts' unit and add to the consumption exactly.
    """
    found = con.execute(
        f"SELECT DISTINCT unit FROM {facts} WHERE quantity = 'product_output' ORDER BY unit"
    ).fetchall()
    factors = _common_factors([unit for (unit,) in found]) or {}
    load_rows(con, "m_output_unit", {"unit": "VARCHAR", "factor": "DOUBLE"}, list(factors.items()))
    pairs = [
        (site.id, process.id, product)
        for site in plant.sites
        for process in site.processes
        for product in process.products
    ]
    load_rows(con, "m_makes", {"site": "VARCHAR", "process": "VARCHAR", "product": "VARCHAR"}, pairs)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_product AS
        WITH used AS (
            SELECT site, process, item AS carrier, time_start, time_end, round(sum(value) * 1e6)::HUGEINT AS amount
            FROM {facts} WHERE quantity = 'energy_consumed' AND value IS NOT NULL GROUP BY ALL
        ), made AS (
            SELECT f.site, f.item AS product, f.process, f.time_start, f.time_end, round(sum(f.value * u.factor) * 1e6)::HUGEINT AS made
            FROM {facts} f JOIN m_output_unit u ON u.unit = f.unit
            WHERE f.quantity = 'product_output' AND f.value > 0 GROUP BY ALL
        ), pairs AS (
            SELECT u.*, m.product, sum(d.made)::HUGEINT AS weight FROM used u
            JOIN m_makes m ON m.site = u.site AND m.process = u.process
            JOIN made d ON d.site = u.site AND d.product = m.product AND d.process IN ('', u.process)
                AND d.time_start >= u.time_start AND d.time_end <= u.time_end GROUP BY ALL
        ), split AS ({apportion("pairs", "amount", "weight", "site, process, carrier, time_start, time_end", "product")})
        SELECT site, process, product, carrier, time_start, time_end, part::HUGEINT AS part FROM split
        UNION ALL SELECT u.site, u.process, '', u.carrier, u.time_start, u.time_end, u.amount FROM used u
        WHERE NOT EXISTS (SELECT 1 FROM split s WHERE s.site = u.site AND s.process = u.process AND s.carrier = u.carrier
            AND s.time_start = u.time_start AND s.time_end = u.time_end)"""
    )
    rows = con.execute("SELECT * FROM m_product ORDER BY ALL").fetchall()
    return [ProductPart(row[0], row[1], row[2], row[3], row[4], row[5], int(row[6])) for row in rows]


def cost_centres(
    con: duckdb.DuckDBPyConnection, plant: Plant, facts: str
) -> list[tuple[str, str, str, float]]:
    """(cost centre, quantity, carrier, amount) of the facts by meter; '' gathers what belongs to no centre.

    A meter without a centre belongs to the nearest meter's above it; so does the remainder of a meter.
    """
    meters: list[Meter | VirtualMeter] = [*plant.meters, *plant.virtual_meters]
    everything = {meter.id: (meter.cost_centre, meter.parent) for meter in meters}
    rows = []
    for meter_id in everything:
        centre, current, steps = None, meter_id, 0
        while current in everything and centre is None and steps <= len(everything):
            centre, above = everything[current]
            current, steps = above or "", steps + 1
        rows += [(meter_id, centre or ""), (f"{meter_id}~rest", centre or "")]
    load_rows(con, "m_centre", {"meter": "VARCHAR", "centre": "VARCHAR"}, rows)
    return con.execute(
        f"""SELECT coalesce(c.centre, ''), f.quantity, f.item, sum(f.value) FROM {facts} f LEFT JOIN m_centre c ON c.meter = f.meter
        WHERE f.quantity IN ('energy_consumed', 'energy_cost') AND f.value IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
