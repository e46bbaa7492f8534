"""Rates at instants (kW, m3/h) to amounts: the area under straight lines between readings.

Over more than max_gap nothing is known of the rate: the last one is taken to have held for max_gap (estimated; between the
two rates, or between nothing and max_rate where that is declared), and beyond that the amount is absent.
Of several rates at one instant the last written wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from celadon.metering.registers import DISORDER, LONG, SAME, bits, count, in_force, keep_last, ticks_sql
from celadon.metering.scales import Life


def rate_parts(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    lives: Mapping[int, Life],
    window: tuple[datetime, datetime],
    grid: int,
) -> None:
    """Make `l_ramp` (steps between rates: point, t0, t, r0, r, f) and add their cells to `l_cut`."""
    source = (
        f"SELECT r.point, r.t, {ticks_sql(lives)} AS v, r.batch, r.file, r.line"
        f" FROM {readings} r {in_force(['rate'])} AND r.span = 0"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE l_ramp AS {_ramps(source)}")
    if bits(con, "l_ramp") & SAME:
        once = keep_last(con, "l_ramp", source, "t")
        con.execute(f"INSERT INTO l_ramp {_ramps(once)}")
    if count(con, "l_ramp"):
        con.execute(f"INSERT INTO l_cut {_parts(window, grid)}")


def _ramps(source: str) -> str:
    return f"""
    SELECT y.point, tb AS t0, t, rb AS r0, v AS r, (CASE WHEN t = tb THEN {SAME} ELSE 0 END | CASE WHEN epoch_us(t) - epoch_us(tb) > l.gap THEN {LONG} ELSE 0 END
        | CASE WHEN fb = file AND lb > line THEN {DISORDER} ELSE 0 END)::USMALLINT AS f
    FROM (SELECT point, t, v, lag(t) OVER w AS tb, lag(v) OVER w AS rb, file, line, lag(file) OVER w AS fb, lag(line) OVER w AS lb
          FROM ({source}) WINDOW w AS (PARTITION BY point ORDER BY t)) y
    JOIN l_leg l ON y.point = l.point AND l.leg = 0"""


def _parts(window: tuple[datetime, datetime], grid: int) -> str:
    """Cells of each ramp: differences of its cumulative amount at the cells' edges.

    With x seconds since t0 and the rates r0, r ticks per hour over s seconds, the amount up to x is
    (r0 · x + (r − r0) · x² / (2 s)) / 3600, as an integer of ticks; a held rate has r = r0.
    """
    first, last = (f"epoch_us(TIMESTAMP '{moment}') // 1000000" for moment in window)

    def amount(x: str) -> str:
        ramp = f"(2 * r0::HUGEINT * s * {x} + (r_end - r0)::HUGEINT * {x} * {x})"
        return f"CAST({ramp} // (greatest(s, 1)::HUGEINT * 7200) AS BIGINT)"

    return f"""
    WITH whole AS (
        SELECT p.point, epoch_us(t0) // 1000000 AS s0, epoch_us(t) // 1000000 AS s_end, r0, r, f & {LONG} > 0 AS held, l.rate, l.rated, l.gap // 1000000 AS gap
        FROM l_ramp p JOIN l_leg l ON p.point = l.point AND l.leg = 0 WHERE t0 IS NOT NULL),
    bound AS (
        SELECT point, s0, CASE WHEN held THEN s0 + gap ELSE s_end END AS s1, s_end, r0, r AS r_high, CASE WHEN held THEN r0 ELSE r END AS r_end,
            CASE WHEN held THEN gap ELSE s_end - s0 END AS s, held, rate, rated FROM whole),
    cut AS (
        SELECT *, unnest(range(s0 // {grid}, greatest((s1 - 1) // {grid}, s0 // {grid}) + 1)) AS c
        FROM bound WHERE s1 > {first} AND s0 < {last}),
    edges AS (SELECT *, greatest(c * {grid}, s0) - s0 AS x0, least((c + 1) * {grid}, s1) - s0 AS x1 FROM cut),
    parts AS (SELECT *, {amount("x1")} - {amount("x0")} AS amount, x1 - x0 AS covered FROM edges),
    limited AS (
        SELECT *, CASE WHEN NOT held THEN amount WHEN rated THEN 0 ELSE covered * least(r0, r_high) // 3600 END AS lowest,
            CASE WHEN NOT held THEN amount WHEN rated THEN CAST(rate * 1000000 * covered AS BIGINT)
                ELSE covered * greatest(r0, r_high) // 3600 + 1 END AS highest FROM parts)
    SELECT point, c, amount, least(lowest, amount), greatest(highest, amount), CASE WHEN held THEN amount ELSE 0 END, covered, 0 FROM limited
    UNION ALL SELECT point, (s_end - 1) // {grid}, 0, 0, 0, 0, 0, 1 FROM whole"""
