"""Hourly facts of many meters, added up by site and carrier while the ledger is read: none of its cells becomes a row of facts.

A *pool* is the boundary meters of one carrier of a site that count alike (flow, sign, unit). A pool's facts are the sums of its
meters' facts, hour by hour, and say of each hour what the rows of its meters would say together: value, estimated part, and
as coverage the mean over the meters, for every row of the carrier at the site. So whatever adds facts up by site and carrier
gives the same answer from either. Meters that are dated, virtual, or parts of virtual ones keep their own rows, with all of
their carrier at their site.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import Finding
from celadon.core.model import Plant
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.metering.activity import Plan, fill_facts, lacking, plan_facts, traits_of
from celadon.metering.amounts import load_rows, naive, site_period
from celadon.metering.fact_rows import TRAITS
from celadon.metering.plain_amounts import STRETCHES, Plain, sum_cells
from celadon.metering.tree import Node
from celadon.metering.wording import in_words

FLOWS = ("energy_purchased", "energy_generated", "energy_exported")
CONSUMED = "energy_consumed"
MONEY = frozenset({"energy_cost", "contract_electricity"})
"""Quantities that look at every meter: they are not pooled."""
_HOUR = 3600
_POOL = {
    "pool": "INTEGER", "site": "VARCHAR", "item": "VARCHAR", "purpose": "VARCHAR", "unit": "VARCHAR", "num": "DOUBLE", "den": "DOUBLE",
    "flow": "VARCHAR", "sign": "INTEGER", "counted": "BOOLEAN", "quantity": "VARCHAR", "process": "VARCHAR", "meter": "VARCHAR",
    "lo": "TIMESTAMP", "hi": "TIMESTAMP", "meters": "BIGINT",
}  # fmt: skip
_QUANTITY = list(_POOL).index("quantity")
_METER = list(_POOL).index("meter") - 1
LEDGER = "pooled_ledger"
Streamed = Callable[[], Plain | None]
"""Makes the view LEDGER, which has the table `pooled_ledger_derived` in it, without the points whose readings come back."""


@dataclass(frozen=True)
class _Pools:
    """Node id → its pool; and the rows of the table `m_pool`."""

    of_node: Mapping[str, int]
    rows: tuple[tuple[object, ...], ...]


def build_sums(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    stream: Streamed,
    records: str,
    point_ids: Mapping[str, int],
    period: Period,
    quantities: Collection[str],
    into: str,
) -> list[Finding] | None:
    """Make `into` like `build_facts` by site and hour, with rows of pools; of the boundary's flows only `quantities`.

    It is a view of a few narrow tables, which `drop_sums` drops. None, and nothing made, where no meter can be pooled.
    """
    if plant.grid_seconds != _HOUR or MONEY & set(quantities):
        return None
    plan = plan_facts(con, plant, records, period, Space.SITE, Grain.HOUR)
    pools = _pools(plan)
    if not pools.of_node or any(segment.start.timestamp() % _HOUR for segment in plan.calendars.segments):
        return None
    points = {point_ids[name]: pool for name, pool in pools.of_node.items() if name in point_ids}
    load_rows(con, "m_pool", _POOL, pools.rows)
    load_rows(con, "m_member", {"point": "INTEGER", "pool": "INTEGER"}, list(points.items()))
    plain = stream()
    if plain is not None:
        sum_cells(con, plain, {point: points.get(point, -point) for point in plain.lives}, "m_plain")
        con.execute(
            f"""INSERT INTO {LEDGER}_derived SELECT -grp, start, amount, amount, amount, 0, covered, NULL FROM m_plain WHERE grp < 0"""
        )
    fill_facts(con, _without(plan, pools.of_node), LEDGER, records, point_ids, f"{into}_rest")
    _write(con, *_add_up(con, plain, plan.calendars.window), f"{into}_hour")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into}_pool AS SELECT * FROM m_pool")
    _view(con, plant, quantities, {str(row[_QUANTITY]) for row in pools.rows if row[_QUANTITY]}, into)
    findings = [*plan.findings, *_gaps(con, plan, pools, point_ids, plain)]
    con.execute(
        f"DROP TABLE IF EXISTS m_hour; DROP TABLE IF EXISTS m_plain; DROP TABLE IF EXISTS {STRETCHES}"
    )
    return in_words(findings, plant)


def _pools(plan: Plan) -> _Pools:
    """The nodes that can be added up, by what tells their rows apart."""
    traits = traits_of(replace(plan, findings=[]), {})
    names = list(TRAITS)
    known = {*CARRIERS, *(carrier.id for carrier in plan.plant.carriers)}
    real = {term for node in plan.nodes.values() if node.virtual for term, _ in node.terms}
    spans = {site.id: site_period(plan.period, site) for site in plan.plant.sites}
    found: dict[tuple[object, ...], list[str]] = {}
    unfit: set[tuple[object, object]] = set()
    for name, node in plan.nodes.items():
        of = dict(zip(names, traits[name], strict=True))
        span = spans[node.site]
        fits = of["num"] is not None and _due_throughout(node, span)
        fits = fits and not node.virtual and name not in real
        if node.carrier and not (fits and node.carrier in known):
            unfit.add((node.site, of["item"]))
        own = ("", "", "") if node.carrier else (of["quantity"], node.process or "", name)
        if node.carrier or (fits and of["quantity"]):
            counted = of["sign"] is not None or of["used_only"]
            key = (
                of["item"],
                of["purpose"],
                of["unit"],
                of["num"],
                of["den"],
                of["flow"],
                of["sign"],
                counted,
                *own,
            )
            found.setdefault((node.site, *key, naive(span.start), naive(span.end)), []).append(name)
    kept = {key: members for key, members in found.items() if key[:2] not in unfit or key[_METER]}
    rows = tuple((pool, *key, len(members)) for pool, (key, members) in enumerate(kept.items()))
    return _Pools({name: pool for pool, members in enumerate(kept.values()) for name in members}, rows)


def _due_throughout(node: Node, span: Period) -> bool:
    first, last = node.due_from, node.due_to
    return (first is None or first <= span.start) and (last is None or last >= span.end)


def _without(plan: Plan, pooled: Collection[str]) -> Plan:
    """The plan of the nodes that keep their own rows; what it finds goes with the whole plan's."""
    return replace(plan, nodes={name: node for name, node in plan.nodes.items() if name not in pooled})


def _add_up(
    con: duckdb.DuckDBPyConnection, plain: Plain | None, window: tuple[datetime, datetime]
) -> tuple[str, bool]:
    """A FROM item of pool and start: ticks of cells from zero `up` and below zero `down` (null: none), how much of each is
    estimated, seconds covered; and whether any can be below zero. It may be the table `m_hour`."""
    of_plain = "SELECT grp AS pool, start, amount AS up, NULL AS down, 0 AS up_part, NULL AS down_part, covered FROM m_plain WHERE grp >= 0"
    if (
        not con.execute(f"SELECT 1 FROM {LEDGER} SEMI JOIN m_member USING (point) LIMIT 1").fetchall()
        and plain is not None
    ):
        return f"({of_plain})", False
    part = "least(abs(l.estimated), abs(l.amount))"
    inside = "l.start >= ? AND l.start < ? AND (l.covered > 0 OR l.amount <> 0)"
    parts = [
        f"""SELECT m.pool, l.start, sum(l.amount) FILTER (l.amount >= 0) AS up, sum(l.amount) FILTER (l.amount < 0) AS down,
            sum({part}) FILTER (l.amount >= 0) AS up_part, sum({part}) FILTER (l.amount < 0) AS down_part,
            sum(least(l.covered, {_HOUR})) AS covered
        FROM {LEDGER} l JOIN m_member m ON l.point = m.point WHERE {inside} GROUP BY m.pool, l.start"""
    ]
    if plain is not None:
        parts.append(of_plain)
    sums = ", ".join(f"sum({name}) AS {name}" for name in ("up", "down", "up_part", "down_part", "covered"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE m_hour AS SELECT pool, start, {sums} FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL",
        window,
    )
    return "m_hour", True


def _write(con: duckdb.DuckDBPyConnection, hours: str, both: bool, into: str) -> None:
    """The table `into` (pool, start): what is due of each hour (sums: `hours`, of amounts on `both` sides of zero); no value where no
    meter of the pool has data."""
    alike = con.execute("SELECT count(*) = count(DISTINCT (site, item, meter)) FROM m_pool").fetchall()[0][0]

    def coverage(by: str) -> str:
        """The mean over the meters of pools that are alike in `by`."""
        over = "{}" if alike else f"sum({{}}) OVER (PARTITION BY {by}, start)"
        return f"least(1, {over.format('seconds')} / ({_HOUR}e0 * {over.format('meters')}))"

    rows = "SELECT *, up AS amount, up_part AS part FROM told"
    if both:
        down = "SELECT *, down, down_part FROM told WHERE down IS NOT NULL"
        rows = f"{rows} WHERE up IS NOT NULL OR down IS NULL UNION ALL {down}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {into} AS
        WITH due AS (
            SELECT p.*, coalesce(s.covered, 0) AS seconds, up, down, up_part, down_part
            FROM (SELECT *, unnest(generate_series(lo, hi - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS start FROM m_pool) p
            LEFT JOIN {hours} s ON s.pool = p.pool AND s.start = p.start),
        told AS (
            SELECT *, {coverage("site, item, meter, flow")} AS coverage, {coverage("site, item, meter")} AS all_coverage FROM due),
        r AS ({rows})
        SELECT pool, start, amount::DOUBLE * num / den AS value, coalesce(part, 0)::DOUBLE * num / den AS estimated, coverage, all_coverage
        FROM r"""
    )


def _view(
    con: duckdb.DuckDBPyConnection, plant: Plant, quantities: Collection[str], of: Collection[str], into: str
) -> None:
    """The view `into`: rows of facts of the pools, and of the table of the nodes that have their own. `of`: quantities that pools have."""
    kept = {"purchased": FLOWS[0], "generated": FLOWS[1], "exported": FLOWS[2]}
    rows = [_rows(plant, name, f"quantity = {_text(name)}") for name in sorted(of)]
    rows += [_rows(plant, name, f"flow = '{flow}'") for flow, name in kept.items() if name in quantities]
    if CONSUMED in quantities:
        words = {"purpose": "purpose", "coverage": "all_coverage", "value": "coalesce(sign, 1) * value"}
        rows.append(_rows(plant, CONSUMED, "counted", words))
    made = "".join(f" UNION ALL {row.format(into=into)}" for row in rows)
    con.execute(f"CREATE OR REPLACE TEMP VIEW {into} AS SELECT * FROM {into}_rest{made}")


def _rows(plant: Plant, quantity: str, where: str, words: Mapping[str, str] | None = None) -> str:
    """The facts of one quantity, out of the sums of pools."""
    given = {
        "quantity": _text(quantity), "item": "item", "purpose": "''", "enterprise": _text(plant.enterprise), "site": "site",
        "process": "process", "meter": "meter", "time_start": "start", "time_end": "start + INTERVAL 1 HOUR", "value": "value",
        "unit": "unit", "weight": "NULL", "estimated": "estimated", "coverage": "coverage", "source": "'ledger'",
        "status": "CASE WHEN value IS NULL THEN 5 WHEN estimated > 0 THEN 3 ELSE 0 END",
        "basis": "CASE WHEN value IS NOT NULL THEN 0 END", **(words or {}),
    }  # fmt: skip
    columns = ", ".join(
        f'CAST({given.get(name, "0")} AS {kind}) AS "{name}"' for name, kind in FACT_COLUMNS.items()
    )
    return f"SELECT {columns} FROM {{into}}_hour JOIN {{into}}_pool USING (pool) WHERE {where}"


def _text(word: str) -> str:
    return "'" + word.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def drop_sums(con: duckdb.DuckDBPyConnection, made: str) -> None:
    """Drop what `build_sums` made."""
    con.execute(f"DROP VIEW IF EXISTS {made}")
    for part in ("rest", "hour", "pool"):
        con.execute(f"DROP TABLE IF EXISTS {made}_{part}")


def _gaps(
    con: duckdb.DuckDBPyConnection,
    plan: Plan,
    pools: _Pools,
    point_ids: Mapping[str, int],
    plain: Plain | None,
) -> list[Finding]:
    """One finding per meter of a pool that lacks data, as `activity` has them of the others."""
    cells = f"SELECT point, start AS lo, start + to_seconds(covered) AS hi, covered = {_HOUR} AS whole FROM {LEDGER}"
    if plain is not None:
        cells += f" UNION ALL SELECT point, lo, hi, true FROM {STRETCHES} WHERE point IN ({', '.join(map(str, plain.lives))})"
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW m_have AS
        SELECT m.point, greatest(c.lo, p.lo) AS lo, least(c.hi, p.hi) AS hi, whole, p.lo AS first, p.hi AS last
        FROM m_member m JOIN m_pool p ON p.pool = m.pool JOIN ({cells}) c ON c.point = m.point
        WHERE c.lo < c.hi AND c.lo < p.hi AND c.hi > p.lo"""
    )
    share = (
        "sum(epoch_us(hi) - epoch_us(lo))::DOUBLE / (epoch_us(any_value(last)) - epoch_us(any_value(first)))"
    )
    shares = dict(con.execute(f"SELECT point, {share} FROM m_have GROUP BY point").fetchall())
    gaps: dict[int, datetime] = {}
    if short := sorted(point for point, part in shares.items() if part < 1):
        gap = "CASE WHEN before IS NULL AND lo > first THEN first WHEN NOT whole THEN lo WHEN hi < coalesce(after, last) THEN hi END"
        listed = ", ".join(map(str, short))
        rows = con.execute(
            f"""SELECT point, date_trunc('hour', min({gap})) FROM (
                SELECT *, lag(hi) OVER w AS before, lead(lo) OVER w AS after FROM m_have WHERE point IN ({listed})
                WINDOW w AS (PARTITION BY point ORDER BY lo)) GROUP BY point"""
        ).fetchall()
        gaps = dict(rows)
    con.execute("DROP VIEW m_have")
    found = []
    spans = {site.id: site_period(plan.period, site) for site in plan.plant.sites}
    for name in pools.of_node:
        node, point = plan.nodes[name], point_ids.get(name, -1)
        part = shares.get(point, 0.0)
        if part < 1:
            first, last = (
                edge.astimezone(UTC).replace(tzinfo=None)
                for edge in (spans[node.site].start, spans[node.site].end)
            )
            found.append(lacking(node.meter, part, first, last, gaps.get(point, first)))
    return found
