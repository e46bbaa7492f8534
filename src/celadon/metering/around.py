"""Which readings outside a window its derivation needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from celadon.core.model import Meter
from celadon.core.periods import Period
from celadon.metering.changes import NEIGHBOURS
from celadon.metering.registers import declare
from celadon.metering.scales import SUMMED, life, utc


def take_around(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    window: Period,
    into: str,
) -> tuple[set[int], set[int]]:
    """Make the temporary table `into`: the readings in `window` and, of each point, what a derivation needs around it.

    That is all readings at NEIGHBOURS distinct instants on each side; an instant counts where a reading is inside the
    service life and the display's range (others are taken too, but do not count). Returns the points for which `readings`
    holds fewer before, and fewer after: look further there, unless nothing exists.
    """
    lives = {point_ids[one.id]: life(one) for one in meters if one.kind in SUMMED and one.id in point_ids}
    declare(con, lives)
    start, end = (f"TIMESTAMP '{utc(moment)}'" for moment in (window.start, window.end))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_reach AS
        WITH usable AS (
            SELECT DISTINCT r.point, r.t FROM {readings} r JOIN l_epoch e ON r.point = e.point
            WHERE r.t > e.lo AND r.t < e.hi AND r.value >= e.vmin AND r.value < e.vmax AND (r.t <= {start} OR r.t > {end})),
        ranked AS (
            SELECT *, t > {end} AS later, row_number() OVER (
                PARTITION BY point, t > {end} ORDER BY abs(epoch_us(t) - epoch_us({start}))) AS rank FROM usable)
        SELECT p.point, min(t) FILTER (NOT later) AS first, max(t) FILTER (later) AS last,
            count(t) FILTER (NOT later) AS before, count(t) FILTER (later) AS after
        FROM (SELECT DISTINCT point FROM l_epoch) p LEFT JOIN ranked r ON p.point = r.point AND rank <= {NEIGHBOURS}
        GROUP BY p.point"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE "{into}" AS SELECT r.* FROM {readings} r JOIN l_reach a ON r.point = a.point
        WHERE r.t >= CASE WHEN before = {NEIGHBOURS} THEN a.first ELSE r.t END
            AND r.t <= CASE WHEN after = {NEIGHBOURS} THEN a.last ELSE r.t END"""
    )
    short = con.execute("SELECT point, before, after FROM l_reach").fetchall()
    con.execute("DROP TABLE l_reach")
    return {row[0] for row in short if row[1] < NEIGHBOURS}, {row[0] for row in short if row[2] < NEIGHBOURS}
