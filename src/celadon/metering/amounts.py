"""Ledger cells summed per node of the meter tree and per segment of time, in exact integer ticks.

A *segment* is a calendar unit of the asked grain in the site's own zone, cut further where something dated changes
inside it. A *calendar* is one sequence of segments: sites in the same zone with the same cuts share one.
Temporary tables are named `m_…`; times in them are UTC without a zone, like the ledger's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant, Site
from celadon.core.periods import Grain, Period, floor, zone
from celadon.core.text import Text
from celadon.metering.tree import Node

ZONE_OFF_GRID = FindingKind(
    "activity.zone-off-grid",
    Severity.ERROR,
    Text(en="Time zone does not fit the ledger's grid", zh="时区与台账网格不吻合"),
    Text(
        en="At site {site} ({zone}) the edge {edge} falls inside a ledger cell of {grid} min; "
        "the cell counts where it starts.",
        zh="场所 {site}（{zone}）的边界 {edge} 落在 {grid} 分钟的台账单元之内；该单元按其起点归属。",
    ),
    Text(
        en="Set `grid: 30min` or `grid: 15min` in the plant file.",
        zh="请在工厂文件中设置 grid: 30min 或 15min。",
    ),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """[start, end) UTC, inside the calendar unit `bucket` = [time_start, time_end) of the asked grain."""

    index: int
    calendar: int
    start: datetime
    end: datetime
    time_start: datetime
    time_end: datetime


_WHOLE = ("INTEGER", "BIGINT", "HUGEINT")


def load_rows(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Make temporary `table` of Python rows (see `rows_sql`)."""
    sql, values = rows_sql(columns, rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}", values)


def rows_sql(columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> tuple[str, list[Any]]:
    """A query for Python rows with these columns (name → type), and its parameters; times are naive UTC."""
    by_column = list(zip(*rows, strict=True))
    if not by_column:
        nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
        return f"SELECT {nothing} WHERE false", []
    parts: list[str] = []
    values: list[Any] = []
    for cells, kind in zip(by_column, columns.values(), strict=True):
        if len(parts) and len(set(cells)) == 1:  # binding long lists is most of the work
            parts.append(f"?::{kind}")
            values.append(cells[0] if kind != "HUGEINT" or cells[0] is None else str(cells[0]))
        elif (
            kind in _WHOLE
        ):  # a list as text is read in half the time, and takes no type from its first member
            parts.append(f"unnest(?::{kind}[])")
            values.append(f"[{', '.join('NULL' if cell is None else str(cell) for cell in cells)}]")
        else:
            parts.append(f"unnest(?::{kind}[])")
            values.append(list(cells))
    return (
        f"SELECT {', '.join(f'{part} AS {name}' for part, name in zip(parts, columns, strict=True))}",
        values,
    )


def naive(moment: datetime | None) -> datetime | None:
    """The instant as the ledger writes it: UTC without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def site_period(period: Period, site: Site) -> Period:
    """The period as the site's own calendar has it: the same local dates and clock times in its zone."""
    return period.moved(site.zone)


def covering_period(plant: Plant, period: Period) -> Period:
    """The span that holds the period at every site: what the ledger must be derived for."""
    spans = [site_period(period, site) for site in plant.sites] or [period]
    return Period(min(span.start for span in spans), max(span.end for span in spans), period.zone)


class Calendars:
    """Segments of every site, numbered; `of_site` gives the calendar of a site."""

    def __init__(
        self, plant: Plant, period: Period, grain: Grain, cuts: Mapping[str, Collection[date]]
    ) -> None:
        self.grid = plant.grid_seconds
        self.segments: list[Segment] = []
        self.findings: list[Finding] = []
        self.of_site: dict[str, int] = {}
        self.zones: dict[int, str] = {}
        known: dict[tuple[str, tuple[date, ...]], int] = {}
        for site in plant.sites:
            key = (site.zone, tuple(sorted(cuts.get(site.id, ()))))
            if key not in known:
                known[key] = len(known)
                self.zones[known[key]] = site.zone
                self._add(known[key], site, site_period(period, site), grain, key[1])
            self.of_site[site.id] = known[key]

    def _add(self, calendar: int, site: Site, span: Period, grain: Grain, cuts: Sequence[date]) -> None:
        tz = zone(site.zone)
        edges = [datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC) for day in cuts]
        misfit: datetime | None = None
        for unit in span.split(grain):
            inner = [edge for edge in edges if unit.start < edge < unit.end]
            marks = [unit.start, *inner, unit.end]
            for start, end in pairwise(marks):
                index = len(self.segments)
                self.segments.append(Segment(index, calendar, start, end, unit.start, unit.end))
                if misfit is None and start.timestamp() % self.grid:
                    misfit = start
        if misfit is not None:
            local = misfit.astimezone(tz).strftime("%Y-%m-%d %H:%M")
            where = Place(subject=f"site:{site.id}")
            values = {"site": site.id, "zone": site.zone, "edge": local, "grid": str(self.grid // 60)}
            self.findings.append(ZONE_OFF_GRID.at(where, **values))

    @property
    def window(self) -> tuple[datetime, datetime]:
        """First and last instant of any segment, naive UTC."""
        starts = [segment.start for segment in self.segments]
        ends = [segment.end for segment in self.segments]
        return min(starts).replace(tzinfo=None), max(ends).replace(tzinfo=None)

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Tables `m_segment`, `m_site` (site → calendar) and `m_cell` (calendar, start of a ledger cell → segment)."""
        columns = {
            "seg": "INTEGER", "calendar": "INTEGER", "seg_start": "TIMESTAMP", "seg_end": "TIMESTAMP",
            "time_start": "TIMESTAMP", "time_end": "TIMESTAMP", "day": "DATE",
        }  # fmt: skip
        rows = (
            (
                s.index, s.calendar, naive(s.start), naive(s.end), naive(s.time_start), naive(s.time_end),
                local_day(s.start, self.zones[s.calendar]),
            )
            for s in self.segments
        )  # fmt: skip
        load_rows(con, "m_segment", columns, rows)
        load_rows(con, "m_site", {"site": "VARCHAR", "calendar": "INTEGER"}, list(self.of_site.items()))
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE m_cell AS
            SELECT calendar, seg, unnest(generate_series(
                epoch_ms((epoch_ms(seg_start) + {self.grid * 1000 - 1}) // {self.grid * 1000} * {self.grid * 1000}),
                seg_end - INTERVAL 1 MICROSECOND, INTERVAL {self.grid} SECOND)) AS start
            FROM m_segment"""
        )


NODE_COLUMNS = {
    "node": "INTEGER", "id": "VARCHAR", "site": "VARCHAR", "carrier": "VARCHAR", "calendar": "INTEGER",
    "parent": "INTEGER", "inner_node": "BOOLEAN", "virtual": "BOOLEAN", "process": "VARCHAR",
    "due_from": "TIMESTAMP", "due_to": "TIMESTAMP", "tariff": "INTEGER",
}  # fmt: skip


def write_nodes(
    con: duckdb.DuckDBPyConnection,
    nodes: Mapping[str, Node],
    children: Mapping[str, tuple[str, ...]],
    calendars: Calendars,
    point_ids: Mapping[str, int],
    tariffs: Mapping[str, int] | None = None,
    traits: tuple[Mapping[str, str], Mapping[str, tuple[object, ...]]] = ({}, {}),
) -> None:
    """Tables `m_node`, `m_point` (real node → ledger point), `m_term` (virtual → weights) and `m_closure`.

    `traits` adds columns (name → type) to `m_node` with a row per node.
    """
    priced = tariffs or {}
    rows, points, terms, closure = [], [], [], []
    for node in nodes.values():
        parent = nodes[node.parent].index if node.parent is not None else None
        rows.append((
            node.index, node.id, node.site, node.carrier, calendars.of_site[node.site], parent,
            node.id in children, node.virtual, node.process or "", naive(node.due_from), naive(node.due_to),
            priced.get(node.id), *traits[1].get(node.id, ()),
        ))  # fmt: skip
        if node.virtual:
            bottom = lcm(*(weight.denominator for _, weight in node.terms))
            for real, weight in node.terms:
                top = int(weight * bottom)
                due = nodes[real]
                terms.append(
                    (node.index, point_ids.get(real, -1), top, bottom, naive(due.due_from), naive(due.due_to))
                )
        elif node.id in point_ids:
            points.append((point_ids[node.id], node.index))
        distance, above = 0, node.parent
        while above is not None:
            distance += 1
            closure.append((node.index, nodes[above].index, distance))
            above = nodes[above].parent
    load_rows(con, "m_node", {**NODE_COLUMNS, **traits[0]}, rows)
    load_rows(con, "m_point", {"point": "INTEGER", "node": "INTEGER"}, points)
    term_columns = {
        "node": "INTEGER", "point": "INTEGER", "num": "BIGINT", "den": "BIGINT", "due_from": "TIMESTAMP", "due_to": "TIMESTAMP",
    }  # fmt: skip
    load_rows(con, "m_term", term_columns, terms)
    load_rows(con, "m_closure", {"node": "INTEGER", "above": "INTEGER", "distance": "INTEGER"}, closure)


_ROUND = "CASE WHEN {x} >= 0 THEN (2 * {x} + den) // (2 * den) ELSE -((-2 * {x} + den) // (2 * den)) END"


def _virtual_cells(
    con: duckdb.DuckDBPyConnection, ledger: str, grid: int, window: tuple[datetime, datetime]
) -> None:
    """Table `m_virtual`: cells of virtual meters. A cell is there only when every term due in it is there."""
    rounded = {name: _ROUND.format(x=name) for name in ("amount", "low", "high", "estimated")}
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_virtual AS
        WITH summed AS (
            SELECT m.node, l.start, any_value(m.den)::HUGEINT AS den, count(*) AS here,
                sum(l.amount::HUGEINT * m.num) AS amount,
                sum(CASE WHEN m.num > 0 THEN l.low ELSE l.high END::HUGEINT * m.num) AS low,
                sum(CASE WHEN m.num > 0 THEN l.high ELSE l.low END::HUGEINT * m.num) AS high,
                sum(l.estimated::HUGEINT * abs(m.num)) AS estimated, min(l.covered) AS covered
            FROM {ledger} l JOIN m_term m ON l.point = m.point
            WHERE l.start >= ? AND l.start < ? AND (l.covered > 0 OR l.amount <> 0) GROUP BY m.node, l.start
        ), wanted AS (SELECT node, count(*) AS terms FROM m_term GROUP BY node),
        partly AS (
            SELECT s.node, s.start, any_value(s.here) AS here, count(*) AS due
            FROM summed s JOIN wanted w ON s.node = w.node AND s.here < w.terms
            JOIN m_term e ON e.node = s.node AND (e.due_from IS NULL OR s.start + INTERVAL {grid} SECOND > e.due_from)
                AND (e.due_to IS NULL OR s.start < e.due_to)
            GROUP BY s.node, s.start
        )
        SELECT node, start, {rounded["amount"]} AS amount, {rounded["low"]} AS low, {rounded["high"]} AS high,
            {rounded["estimated"]} AS estimated, covered
        FROM summed JOIN wanted USING (node) LEFT JOIN partly p USING (node, start)
        WHERE summed.here = wanted.terms OR p.here >= p.due""",
        window,
    )


def sum_nodes(
    con: duckdb.DuckDBPyConnection, ledger: str, calendars: Calendars, priced: bool = False
) -> None:
    """Table `m_amount` (node, seg → sums in ticks, seconds covered) and `m_due` (node, seg → seconds due).

    With `priced`, `m_price` (tariff, start → price in 10^-9 money per ledger unit) gives `cost` in 10^-9 money over
    the `priced` seconds; cells without a price count in neither.
    """
    window = calendars.window
    has_virtual = bool(con.execute("SELECT 1 FROM m_term LIMIT 1").fetchall())
    if has_virtual:
        _virtual_cells(con, ledger, calendars.grid, window)
    virtual = (
        "UNION ALL SELECT node, start, amount, low, high, estimated, covered FROM m_virtual"
        if has_virtual
        else ""
    )
    money = (
        "(sum(amount::HUGEINT * price) // 1000000)::HUGEINT AS cost, "
        "sum(CASE WHEN price IS NULL THEN 0 ELSE covered END)::BIGINT AS priced"
        if priced
        else "NULL::HUGEINT AS cost, 0::BIGINT AS priced"
    )
    price_join = "LEFT JOIN m_price p ON p.tariff = n.tariff AND p.start = s.start" if priced else ""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_amount AS
        WITH s AS (
            SELECT m.node, l.start, l.amount, l.low, l.high, l.estimated, l.covered
            FROM {ledger} l JOIN m_point m ON l.point = m.point
            WHERE l.start >= ? AND l.start < ? AND (l.covered > 0 OR l.amount <> 0)
            {virtual}
        )
        SELECT s.node, c.seg, sum(amount)::HUGEINT AS amount, sum(low)::HUGEINT AS low, sum(high)::HUGEINT AS high,
            sum(estimated)::HUGEINT AS estimated, sum(covered)::BIGINT AS covered, {money}
        FROM s JOIN m_node n ON n.node = s.node JOIN m_cell c ON c.calendar = n.calendar AND c.start = s.start
        {price_join} GROUP BY s.node, c.seg""",
        window,
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_due AS
        SELECT n.node, s.seg, epoch(least(s.seg_end, coalesce(n.due_to, s.seg_end))
            - greatest(s.seg_start, coalesce(n.due_from, s.seg_start)))::BIGINT AS due
        FROM m_node n JOIN m_segment s ON s.calendar = n.calendar
        WHERE coalesce(n.due_from < s.seg_end, true) AND coalesce(n.due_to > s.seg_start, true)
        UNION ALL -- data from before the installation or after the removal still count
        SELECT a.node, a.seg, a.covered FROM m_amount a JOIN m_node n ON n.node = a.node JOIN m_segment s ON s.seg = a.seg
        WHERE n.due_from >= s.seg_end OR n.due_to <= s.seg_start"""
    )


def find_feeders(con: duckdb.DuckDBPyConnection) -> None:
    """Table `m_up` (node, seg → up): the nearest meter above which has data then; null at the head of a tree.

    A meter between which is not installed yet, or has no data, is stepped over, so that nothing is counted twice.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_up AS
        WITH direct AS (
            SELECT a.node, a.seg, n.parent, p.node AS found
            FROM m_amount a JOIN m_node n ON n.node = a.node
            LEFT JOIN m_amount p ON p.node = n.parent AND p.seg = a.seg
        ), over AS (
            SELECT d.node, d.seg, arg_min(c.above, c.distance) AS up
            FROM direct d JOIN m_closure c ON c.node = d.node JOIN m_amount p ON p.node = c.above AND p.seg = d.seg
            WHERE d.parent IS NOT NULL AND d.found IS NULL GROUP BY d.node, d.seg
        )
        SELECT d.node, d.seg, coalesce(d.found, o.up) AS up
        FROM direct d LEFT JOIN over o ON o.node = d.node AND o.seg = d.seg"""
    )


def apportion(source: str, amount: str, weight: str, by: str, order: str) -> str:
    """SQL: `source` with `part`: the whole number `amount` of each group `by`, split in proportion to `weight`.

    Largest-remainder rounding, so that the parts of a group add to the amount exactly. Weights may be negative as
    long as their sum is positive; a group whose weights do not add to more than nothing gives no rows.
    """
    return f"""
        SELECT * EXCLUDE (w_total, w_base, w_frac, w_rank, w_extra),
            w_base + CASE WHEN w_rank <= w_extra THEN 1 ELSE 0 END AS part
        FROM (
            SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY w_frac DESC, {order}) AS w_rank,
                {amount} - sum(w_base) OVER (PARTITION BY {by}) AS w_extra
            FROM (
                SELECT *, {amount}::HUGEINT * {weight} // w_total
                        - CASE WHEN {amount}::HUGEINT * {weight} % w_total < 0 THEN 1 ELSE 0 END AS w_base,
                    ({amount}::HUGEINT * {weight} % w_total + w_total) % w_total AS w_frac
                FROM (SELECT *, sum({weight}) OVER (PARTITION BY {by}) AS w_total FROM {source})
                WHERE w_total > 0
            )
        )"""


def local_day(moment: datetime, zone_name: str) -> date:
    """The calendar day at that place."""
    return moment.astimezone(zone(zone_name)).date()


def day_edges(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """First instant of the local day and of the next one, UTC."""
    tz = zone(zone_name)
    after = day + timedelta(days=1)
    start = datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)
    return start, datetime(after.year, after.month, after.day, tzinfo=tz).astimezone(UTC)


def month_start(moment: datetime, zone_name: str) -> datetime:
    """First instant (UTC) of the local month that holds `moment`."""
    return floor(moment, Grain.MONTH, zone_name)


def scale(weights: Mapping[str, float]) -> dict[str, int]:
    """The same proportions as whole numbers, exactly as the decimals were written."""
    exact = {key: Fraction(str(weight)) for key, weight in weights.items()}
    bottom = lcm(*(value.denominator for value in exact.values())) if exact else 1
    return {key: int(value * bottom) for key, value in exact.items()}
