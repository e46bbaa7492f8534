"""The ledger of plain registers in one ordered pass: registers without declared changes, whose readings hold no surprise.

What the ledger is, `registers.py` and `intervals.py` say; here the same cells cost about half. A register counts on, so a
cell is the difference of the count at its two edges, and only the steps that pass an edge need be kept: one reading in four
for quarter-hours in hours. Points with an implausible step or two readings at one instant are left to the general way,
as all points are should the readings ever not come in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from celadon.metering.registers import IMPLAUSIBLE, LONG, SAME, WRAPPED, insert, step_columns, ticks_sql
from celadon.metering.scales import Life

SPREAD = "l_plain_spread"
"""The steps that reach over a cell or have estimated hours: their cells come from `intervals.py`."""


def is_plain(life: Life) -> bool:
    """Whether nothing was ever declared to happen to the register: one scale, one leg, in service all along."""
    return len(life.epochs) == 1 and not life.boundaries


def plain_cells(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    lives: Mapping[int, Life],
    window: tuple[datetime, datetime],
    grid: int,
    into: str,
) -> set[int]:
    """Put the cells of plain registers into the empty ledger table `into`, partly covered ones into `l_part`.

    Makes `l_plain` (columns of `l_step`: what events are made of, and the last reading of each point), `l_quiet` (how many
    readings besides) and the table SPREAD (what is left to cut). Returns the points it leaves to the general way, none of whose
    cells are there.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE l_scale AS SELECT * FROM l_epoch LIMIT 0")
    con.execute("CREATE OR REPLACE TEMP TABLE l_asked (point INTEGER)")
    insert(con, "l_asked", [(point,) for point in lives])
    con.execute("INSERT INTO l_scale SELECT * FROM l_epoch SEMI JOIN l_asked USING (point)")
    _keep(con, readings, lives, grid)
    _judge(con, grid)
    left = _left(con)
    if left:
        con.execute(f"DELETE FROM l_pass WHERE point IN ({', '.join(str(point) for point in sorted(left))})")
    step = "point, 0 AS leg, rn, make_timestamp(u) AS t, make_timestamp(u0) AS t0, v, d, f"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {SPREAD} AS SELECT {step} FROM l_pass WHERE wide")
    con.execute(f"CREATE OR REPLACE TEMP TABLE l_plain AS SELECT {step} FROM l_pass WHERE f <> 0 OR is_last")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE l_quiet AS SELECT coalesce(sum(n), 0) - (SELECT count(*) FROM l_plain) AS n
        FROM (SELECT max(rn) - min(rn) + 1 AS n FROM l_pass GROUP BY point)"""
    )
    con.execute(f'INSERT INTO "{into}" {_cells(grid, window)}')
    partial = f"covered < {grid}"
    con.execute(
        f"""INSERT INTO l_part SELECT point, epoch_us(start) // {grid * 10**6}, amount, low, high, estimated, covered, n
        FROM "{into}" WHERE {partial}"""
    )
    con.execute(f'DELETE FROM "{into}" WHERE {partial}')
    return left


def _keep(con: duckdb.DuckDBPyConnection, readings: str, lives: Mapping[int, Life], grid: int) -> None:
    """Make `l_kept`: readings that pass a cell's edge, that are remarkable, or that begin or end a point's readings.

    rn: number of the reading in the whole order; u: microseconds; what ends in b is of the reading before; calm: an
    ordinary step.
    """
    good = "r.t > e.lo AND r.t < e.hi AND r.value >= e.vmin AND r.value < e.vmax"
    # What most steps are, in one chain of plain comparisons: this is done for every reading, all else for the few kept.
    calm = "pb = y.point AND dv >= 0 AND dv <= q.rate * du + q.base AND du >= 1000000 AND du <= q.gap AND place_b <= place"
    inside = f"pn = y.point AND u // {grid * 10**6} = ub // {grid * 10**6}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_kept AS
        WITH ordered AS (
            SELECT r.point, epoch_us(r.t) AS u, {ticks_sql(lives)} AS v, r.file::BIGINT << 32 | r.line AS place
            FROM {readings} r JOIN l_scale e ON r.point = e.point AND {good} ORDER BY r.point, r.t),
        near AS (
            SELECT point, u, v, place, row_number() OVER () AS rn, lag(point) OVER () AS pb, lag(u) OVER () AS ub, lag(v) OVER () AS vb,
                lag(place) OVER () AS place_b, lead(point) OVER () AS pn FROM ordered)
        SELECT y.*, ({calm}) IS TRUE AS calm FROM (SELECT *, u - ub AS du, v - vb AS dv FROM near) y JOIN l_leg q ON q.point = y.point
        WHERE ({calm} AND {inside}) IS NOT TRUE"""
    )


def _judge(con: duckdb.DuckDBPyConnection, grid: int) -> None:
    """Make `l_pass` of `l_kept`: s0 and s1 whole seconds, d and f of the step; wide: left to be cut; lost: out of order."""
    whole = f"s0 >= (s1 - 1) // {grid} * {grid}"
    adjacent = f"(f & {LONG} = 0 AND s0 // {grid} + 1 = (s1 - 1) // {grid})"
    columns = "rn, u, v, u // 1000000 AS s1, pn IS DISTINCT FROM point AS is_last"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_pass AS
        WITH calm AS (
            SELECT point, {columns}, ub AS u0, vb AS v0, ub // 1000000 AS s0, false AS lost, dv AS d, 0::USMALLINT AS f FROM l_kept WHERE calm),
        other AS (
            SELECT point, {columns}, make_timestamp(u) AS t, 0 AS a, 0 AS ab, CASE WHEN pb = point THEN ub END AS u0,
                CASE WHEN pb = point THEN vb END AS v0, CASE WHEN pb = point THEN make_timestamp(ub) END AS t0,
                pb = point AND place_b > place AND place_b >> 32 = place >> 32 AS disorder, pb > point OR (pb = point AND ub > u) AS lost
            FROM l_kept WHERE NOT calm),
        step AS (
            SELECT * FROM calm UNION ALL
            SELECT z.point, rn, u, v, s1, is_last, u0, v0, u0 // 1000000, lost, {step_columns()} FROM other z JOIN l_leg l ON z.point = l.point)
        SELECT *, u0 IS NOT NULL AND NOT ({whole}) AND NOT {adjacent} AS wide FROM step"""
    )


def _left(con: duckdb.DuckDBPyConnection) -> set[int]:
    """Points for the general way: every one if the order was not what it must be."""
    found = con.execute(
        "SELECT bool_or(lost), count(*) FILTER (u0 IS NULL) - count(DISTINCT point) FROM l_pass"
    ).fetchone()
    if found is not None and (found[0] or found[1]):
        return {int(row[0]) for row in con.execute("SELECT point FROM l_asked").fetchall()}
    odd = con.execute(f"SELECT DISTINCT point FROM l_pass WHERE f & {IMPLAUSIBLE | SAME} > 0 OR s0 = s1")
    return {int(row[0]) for row in odd.fetchall()}


def _cells(grid: int, window: tuple[datetime, datetime]) -> str:
    """Cells as differences between one mark and the next: x (second), c (count as shown), n (readings up to it).

    Marks are the edges that steps pass, and the ends of what lies between wide steps; `o` puts them in order. A roll-over
    is added in the cell where the display starts anew.
    """
    last, first = f"(s1 // {grid} * {grid})", f"((s0 // {grid} + 1) * {grid})"

    def shown(edge: str) -> str:
        x, s = f"({edge} - s0)", "(s1 - s0)"
        return f"v0 + d // {s} * {x} + d % {s} * {x} // {s}"

    passing = f"u0 IS NOT NULL AND NOT wide AND s1 // {grid} > s0 // {grid}"
    marks = f"""
        SELECT point, rn * 4 + 1 AS o, {last} AS x, {shown(last)} AS c, rn - ({last} < s1)::INTEGER AS n, true AS opens, true AS closes
        FROM l_pass WHERE {passing}
        UNION ALL SELECT point, rn * 4, {first}, {shown(first)}, rn - 1, true, true FROM l_pass WHERE {passing} AND {first} < {last}
        UNION ALL SELECT point, rn * 4, s0, v0, rn - 1, false, true FROM l_pass WHERE wide
        UNION ALL SELECT point, rn * 4 + 2, s1, v, rn, true, false FROM l_pass WHERE wide OR u0 IS NULL
        UNION ALL SELECT point, rn * 4 + 3, s1, v, rn, false, true FROM l_pass WHERE is_last AND u0 IS NOT NULL AND NOT wide"""
    return f"""
    WITH wrapped AS (
        SELECT p.point, s1 // {grid} AS cell, sum(l.m)::BIGINT AS more FROM l_pass p JOIN l_leg l ON l.point = p.point
        WHERE f & {WRAPPED} > 0 AND NOT wide GROUP BY ALL),
    pair AS (
        SELECT *, lag(o) OVER () AS o0, lag(point) OVER () AS p0, lag(x) OVER () AS x0, lag(c) OVER () AS c0, lag(n) OVER () AS n0,
            lag(opens) OVER () AS opened
        FROM (SELECT * FROM ({marks}) ORDER BY o)),
    cell AS (
        SELECT point, x0 // {grid} AS cell, c - c0 AS amount, x - x0 AS covered, n - n0 AS n
        FROM pair WHERE p0 = point AND opened AND closes AND (x > x0 OR n > n0) AND CASE WHEN o > o0 THEN true ELSE error('rows lost their order') END),
    whole AS (SELECT point, cell, amount + coalesce(more, 0) AS amount, covered, n FROM cell LEFT JOIN wrapped USING (point, cell))
    SELECT point, make_timestamp(cell * {grid * 10**6}), amount, amount, amount, 0, covered::INTEGER, n::INTEGER FROM whole
    WHERE cell * {grid} >= epoch(TIMESTAMP '{window[0]}') AND cell * {grid} < epoch(TIMESTAMP '{window[1]}')"""
