"""Which reading is wrong, where a step between two readings is not plausible.

Equal consecutive readings are one plateau. Where the step from plateau p to p+1 is implausible, p is wrong if the step over it
(p−1 to p+1) is plausible, and p+1 is wrong if the step over that one (p to p+2) is. Where both are, the one beside another
implausible step is wrong, else the later one. Only plateaus of up to RUN readings are ever wrong, never more than two in a
row, never a declared register. A wrong reading is left out, which keeps the total: the step then goes from the good reading
before to the good one after. Where neither explanation holds nothing is left out, and the step becomes a named gap.
"""

from __future__ import annotations

import duckdb

from celadon.metering.changes import ANCHOR, ESTIMATED, NEIGHBOURS
from celadon.metering.registers import IMPLAUSIBLE, NEVER_WRONG, bits, count, step_columns, step_sql

RUN = 4
"""Readings of one wrong value in a row that still count as a spike."""


def leave_out_spikes(con: duckdb.DuckDBPyConnection) -> None:
    """Take wrong readings out of `l_step` and bridge them; they are left in `l_spike` (point, leg, rn, t, v)."""
    if not bits(con, "l_step") & IMPLAUSIBLE:
        return
    _zones(con)
    _plateaus(con)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_spike AS SELECT z.point, z.leg, z.rn, z.t, z.v FROM l_zone z
        JOIN ({_wrong()}) w ON z.point = w.point AND z.leg = w.leg AND z.rn BETWEEN w.rn_first AND w.rn_last"""
    )
    if count(con, "l_spike"):
        _bridge(con)


def _zones(con: duckdb.DuckDBPyConnection) -> None:
    """Everything within NEIGHBOURS readings of an implausible step, with what is consecutive numbered as one island."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_zone AS
        SELECT p.*, p.rowid AS id, p.rn - row_number() OVER (PARTITION BY p.point ORDER BY p.rn) AS island
        FROM l_step p JOIN (
            SELECT DISTINCT point, unnest(range(rn - {NEIGHBOURS}, rn + {NEIGHBOURS} + 1)) AS rn
            FROM l_step WHERE f & {IMPLAUSIBLE} > 0) near ON p.point = near.point AND p.rn = near.rn"""
    )


def _plateaus(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_plateau AS
        WITH marked AS (
            SELECT *, CASE WHEN v IS DISTINCT FROM lag(v) OVER w THEN 1 ELSE 0 END AS new
            FROM l_zone WINDOW w AS (PARTITION BY point, leg, island ORDER BY rn)),
        numbered AS (
            SELECT *, sum(new) OVER (PARTITION BY point, leg, island ORDER BY rn ROWS UNBOUNDED PRECEDING) AS plateau FROM marked)
        SELECT point, leg, island, plateau, any_value(v) AS v, min(rn) AS rn_first, max(rn) AS rn_last,
            min(t) AS t_first, max(t) AS t_last, count(*) <= {RUN} AND bit_or(f) & {NEVER_WRONG & ~ESTIMATED} = 0 AS may
        FROM numbered GROUP BY point, leg, island, plateau"""
    )


def _wrong() -> str:
    """The plateaus that are wrong (see the module's text)."""

    def fits(first: str, second: str) -> str:
        def at(side: str, column: str) -> str:
            return f"{column}{side}"

        step = step_sql(at(first, "v"), at(second, "v"), at(first, "e"), at(second, "s"))
        return f"coalesce(({step}) IS NOT NULL, false)"

    return f"""
    WITH around AS (
        SELECT p.*, l.*, p.v AS v1, p.t_first AS s1, p.t_last AS e1, p.may AS may1,
            lag(p.v) OVER w AS v0, lag(p.t_last) OVER w AS e0, lead(p.v) OVER w AS v2, lead(p.t_first) OVER w AS s2,
            lead(p.t_last) OVER w AS e2, lead(p.may) OVER w AS may2, lead(p.v, 2) OVER w AS v3, lead(p.t_first, 2) OVER w AS s3
        FROM l_plateau p JOIN (SELECT point AS lp, leg AS ll, * EXCLUDE (point, leg, kind) FROM l_leg) l ON p.point = lp AND p.leg = ll
        WINDOW w AS (PARTITION BY p.point, p.leg, p.island ORDER BY p.plateau)),
    judged AS (
        SELECT point, leg, island, plateau, rn_first, rn_last, v2 IS NOT NULL AND NOT {fits("1", "2")} AS bad,
            may1 AND v0 IS NOT NULL AND {fits("0", "2")} AS this_may, may2 AND v3 IS NOT NULL AND {fits("1", "3")} AS next_may
        FROM (SELECT * FROM around) l),
    settled AS (
        SELECT *, coalesce(lag(bad) OVER w, false) AS bad_before FROM judged WINDOW w AS (PARTITION BY point, leg, island ORDER BY plateau)),
    blamed AS (
        SELECT *, bad AND this_may AND (NOT next_may OR bad_before) AS left_wrong,
            bad AND next_may AND NOT (this_may AND bad_before) AS right_wrong
        FROM settled),
    marked AS (
        SELECT *, (left_wrong OR coalesce(lag(right_wrong) OVER w, false))::INTEGER AS wrong
        FROM blamed WINDOW w AS (PARTITION BY point, leg, island ORDER BY plateau)),
    runs AS (
        SELECT *, coalesce(lag(wrong) OVER w, 0) AS w1, coalesce(lag(wrong, 2) OVER w, 0) AS w2,
            coalesce(lead(wrong) OVER w, 0) AS x1, coalesce(lead(wrong, 2) OVER w, 0) AS x2
        FROM marked WINDOW w AS (PARTITION BY point, leg, island ORDER BY plateau))
    SELECT point, leg, rn_first, rn_last FROM runs
    WHERE wrong = 1 AND w1 * w2 = 0 AND w1 * x1 = 0 AND x1 * x2 = 0"""


def _bridge(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the wrong readings' steps and let the next good reading step from the last good one."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_bridge AS
        WITH good AS (
            SELECT z.*, lag(t) OVER w AS tb, lag(v) OVER w AS vb, lag(rn) OVER w AS rb,
                coalesce(CASE WHEN lag(f) OVER w & {ANCHOR} > 0 THEN lag(f) OVER w END, 0) AS fb
            FROM l_zone z ANTI JOIN l_spike s ON z.point = s.point AND z.rn = s.rn
            WINDOW w AS (PARTITION BY z.point, z.leg, z.island ORDER BY z.rn)),
        z AS (
            SELECT point, leg, rn, t, v, f & {NEVER_WRONG} AS a, fb AS ab, false AS disorder, tb AS t0, vb AS v0
            FROM good WHERE rb < rn - 1)
        SELECT z.point, z.leg, rn, t, t0, v, {step_columns()} FROM z JOIN l_leg l ON z.point = l.point AND z.leg = l.leg"""
    )
    con.execute(
        """DELETE FROM l_step WHERE rowid IN (
            SELECT id FROM l_zone z SEMI JOIN (SELECT point, rn FROM l_spike UNION ALL SELECT point, rn FROM l_bridge) s
            ON z.point = s.point AND z.rn = s.rn)"""
    )
    con.execute("INSERT INTO l_step SELECT * FROM l_bridge")
