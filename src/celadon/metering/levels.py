"""Levels and states per cell: time-weighted means, and how long each state held.

Both are averaged or measured in time, never summed, so they are no part of the ledger and keep float values.
The cell that starts at c holds (c, c + grid]. Of several readings at one instant the last written wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period
from celadon.metering.registers import insert
from celadon.metering.scales import utc

LEVEL_COLUMNS = {
    "point": "INTEGER",
    "start": "TIMESTAMP",
    "mean": "DOUBLE",
    "min": "DOUBLE",
    "max": "DOUBLE",
    "covered": "INTEGER",
    "n": "INTEGER",
}
STATE_COLUMNS = {
    "point": "INTEGER",
    "start": "TIMESTAMP",
    "state": "DOUBLE",
    "seconds": "INTEGER",
    "estimated": "INTEGER",
}


def levels(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    window: Period,
    grid_seconds: int,
    into: str,
) -> None:
    """Make the temporary table `into` (LEVEL_COLUMNS) for level and rate points, in the meter's unit after its multiplier.

    Between two readings the value goes along a straight line; over more than max_gap the last value is held for max_gap and
    the rest is not covered. A reading with a span is the mean of that span. min and max are those of this line in the cell;
    n counts the readings that end in it. `readings` as for `intervals.derive`; one reading around the window is enough.
    """
    _points(con, meters, point_ids, (PointKind.LEVEL, PointKind.RATE))
    grid = grid_seconds
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE "{into}" AS
        WITH once AS ({_once(readings)}),
        line AS (
            SELECT *, lag(t) OVER w AS tb, lag(v) OVER w AS vb FROM once WINDOW w AS (PARTITION BY point ORDER BY t)),
        piece AS (
            SELECT point, v AS v1, epoch_us(t) / 1e6 AS end_at, held,
                CASE WHEN span > 0 THEN v WHEN held THEN vb ELSE vb END AS v0,
                CASE WHEN span > 0 THEN v WHEN held THEN vb ELSE v END AS v_end,
                CASE WHEN span > 0 THEN epoch_us(t) / 1e6 - span ELSE epoch_us(tb) / 1e6 END AS x0,
                CASE WHEN span = 0 AND held THEN epoch_us(tb) / 1e6 + gap ELSE epoch_us(t) / 1e6 END AS x1
            FROM (SELECT *, span = 0 AND epoch_us(t) - epoch_us(tb) > gap * 1000000 AS held FROM line)
            WHERE span > 0 OR tb IS NOT NULL),
        cut AS (
            SELECT *, unnest(range(CAST(floor(x0 / {grid}) AS BIGINT), CAST(ceil(x1 / {grid}) AS BIGINT))) AS c FROM piece WHERE x1 > x0),
        edge AS (SELECT *, greatest(c * {grid}, x0) AS a, least((c + 1) * {grid}, x1) AS b FROM cut),
        part AS (
            SELECT *, v0 + (v_end - v0) * (a - x0) / (x1 - x0) AS va, v0 + (v_end - v0) * (b - x0) / (x1 - x0) AS vb FROM edge),
        cell AS (
            SELECT point, c, sum((va + vb) / 2 * (b - a)) / sum(b - a) AS mean, min(least(va, vb)) AS low, max(greatest(va, vb)) AS high,
                sum(b - a) AS covered FROM part GROUP BY point, c),
        ended AS (SELECT point, CAST(ceil(epoch_us(t) / 1e6 / {grid}) AS BIGINT) - 1 AS c, count(*) AS n FROM once GROUP BY ALL)
        SELECT cell.point, make_timestamp(cell.c * {grid * 10**6}) AS start, mean, low AS "min", high AS "max",
            CAST(round(covered) AS INTEGER) AS covered, coalesce(n, 0)::INTEGER AS n
        FROM cell LEFT JOIN ended ON cell.point = ended.point AND cell.c = ended.c
        WHERE make_timestamp(cell.c * {grid * 10**6}) >= TIMESTAMP '{utc(window.start)}'
            AND make_timestamp(cell.c * {grid * 10**6}) < TIMESTAMP '{utc(window.end)}'"""
    )
    con.execute("DROP TABLE l_level")


def states(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    window: Period,
    grid_seconds: int,
    into: str,
) -> None:
    """Make the temporary table `into` (STATE_COLUMNS): per cell and state of each state point, the seconds it held.

    A state holds until the next reading; what it held beyond max_gap is also counted in `estimated`. After the last reading
    nothing is known.
    """
    _points(con, meters, point_ids, (PointKind.STATE,))
    grid = grid_seconds
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE "{into}" AS
        WITH once AS ({_once(readings)}),
        held AS (
            SELECT point, v AS state, gap, epoch_us(t) // 1000000 AS x0,
                epoch_us(lead(t) OVER (PARTITION BY point ORDER BY t)) // 1000000 AS x1 FROM once),
        cut AS (SELECT *, unnest(range(x0 // {grid}, (x1 - 1) // {grid} + 1)) AS c FROM held WHERE x1 > x0),
        part AS (SELECT *, greatest(c * {grid}, x0) AS a, least((c + 1) * {grid}, x1) AS b FROM cut)
        SELECT point, make_timestamp(c * {grid * 10**6}) AS start, state, sum(b - a)::INTEGER AS seconds,
            sum(greatest(b - greatest(a, x0 + gap), 0))::INTEGER AS estimated
        FROM part WHERE make_timestamp(c * {grid * 10**6}) >= TIMESTAMP '{utc(window.start)}'
            AND make_timestamp(c * {grid * 10**6}) < TIMESTAMP '{utc(window.end)}'
        GROUP BY point, c, state"""
    )
    con.execute("DROP TABLE l_level")


def _points(
    con: duckdb.DuckDBPyConnection,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    kinds: Sequence[PointKind],
) -> None:
    con.execute("CREATE OR REPLACE TEMP TABLE l_level (point INTEGER, multiplier DOUBLE, gap BIGINT)")
    wanted = [one for one in meters if one.kind in kinds and one.id in point_ids]
    rows = [(point_ids[one.id], _multiplier(one), one.max_gap_seconds) for one in wanted]
    insert(con, "l_level", rows)


def _multiplier(meter: Meter) -> float:
    """States are codes; nothing multiplies them."""
    return 1.0 if meter.kind is PointKind.STATE else float(meter.multiplier)


def _once(readings: str) -> str:
    return (
        "SELECT r.point, t, max_by(span, (batch, file, line, value)) AS span, l.gap,"
        f" max_by(value, (batch, file, line, value)) * l.multiplier AS v FROM {readings} r JOIN l_level l ON r.point = l.point"
        " WHERE isfinite(value) GROUP BY r.point, t, l.gap, l.multiplier"
    )
