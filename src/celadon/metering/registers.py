"""Cumulative registers to steps: the amount between each two consecutive good readings of a leg.

One window pass over the readings makes a step of each reading and marks what is not plausible. Only what is marked is
looked at again: points with several readings at one instant are deduplicated, and around implausible steps `spikes.py`
decides which reading is wrong. A step that stays implausible is a named gap: in no cell, with its ticks in the events.

Outcomes: a roll-over adds the modulus once; of several readings at one instant the last written wins (highest batch,
then file, then line); readings out of the display's range or outside the service life are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from celadon.metering.changes import ANCHOR, ESTIMATED, VIRTUAL, Fixed
from celadon.metering.scales import Life, Scale, limits, value_range

SAME, IMPLAUSIBLE, WRAPPED, DISORDER, LONG, OVERLAP, HOLE = 1, 2, 4, 8, 128, 256, 512
"""Bits of a step `f` (beside ANCHOR, VIRTUAL, ESTIMATED): same instant as the one before; no plausible amount; rolled over;
later line with an earlier time; longer than max_gap; starts inside the one before; starts after the end of the one before."""


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Put a few rows into `table`, as parameters: one for each column, since binding thousands costs more than the work."""
    if rows:
        kinds = [row[1] for row in con.execute(f"DESCRIBE {table}").fetchall()]
        select = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
        con.execute(
            f"INSERT INTO {table} SELECT {select}", [list(column) for column in zip(*rows, strict=True)]
        )


def declare(con: duckdb.DuckDBPyConnection, lives: Mapping[int, Life]) -> None:
    """Make the small tables `l_epoch` (how values become ticks) and `l_leg` (limits and modulus per leg)."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE l_epoch (point INTEGER, leg INTEGER, lo TIMESTAMP, hi TIMESTAMP, kind VARCHAR, k DOUBLE,"
        " num BIGINT, den BIGINT, wide BOOLEAN, vmin DOUBLE, vmax DOUBLE)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE l_leg (point INTEGER, leg INTEGER, kind VARCHAR, m BIGINT, rate DOUBLE,"
        " base DOUBLE, wrap_base DOUBLE, gap BIGINT, rated BOOLEAN)"
    )
    epochs: list[tuple[object, ...]] = []
    legs: list[tuple[object, ...]] = []
    for point, life in lives.items():
        seen: set[int] = set()
        for epoch in life.epochs:
            scale = epoch.scale
            at = (
                point,
                epoch.leg,
                epoch.lo,
                epoch.hi,
                life.meter.kind.value,
                float(10**scale.places),
                scale.num,
                scale.den,
                scale.wide,
            )
            epochs.append((*at, *value_range(life.meter, epoch)))
            if epoch.leg in seen:
                continue
            seen.add(epoch.leg)
            meter, bound = life.meter, limits(life.meter, epoch)
            plain = (bound.modulus, bound.rate, bound.base, bound.wrap_base, meter.max_gap_seconds * 10**6)
            legs.append((point, epoch.leg, meter.kind.value, *plain, meter.max_rate is not None))
    insert(con, "l_epoch", epochs)
    insert(con, "l_leg", legs)


def ticks_sql(lives: Mapping[int, Life]) -> str:
    """The SQL of T(value) for these points: the narrow form where no scale needs a division."""
    scales: set[Scale] = {epoch.scale for life in lives.values() for epoch in life.epochs}
    count = "CAST(round(r.value * e.k) AS BIGINT)"
    if all(scale.den == 1 for scale in scales):
        return f"{count} * e.num"
    kind = "HUGEINT" if any(scale.wide for scale in scales) else "BIGINT"
    whole = f"(CAST(abs({count}) AS {kind}) * e.num + e.den // 2) // e.den"
    return f"CASE WHEN e.den = 1 THEN {count} * e.num ELSE CAST(CAST(sign(r.value) AS BIGINT) * ({whole}) AS BIGINT) END"


def in_force(kinds: Sequence[str]) -> str:
    """FROM and WHERE that pair each reading `r` with the epoch `e` it belongs to, for points of these kinds."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        " JOIN l_epoch e ON r.point = e.point AND r.t > e.lo AND r.t < e.hi"
        f" AND r.value >= e.vmin AND r.value < e.vmax AND e.kind IN ({listed})"
    )


def register_steps(
    con: duckdb.DuckDBPyConnection, readings: str, lives: Mapping[int, Life], fixed: Sequence[Fixed]
) -> None:
    """Make the table `l_step`: point, leg, rn, t, t0, v, d, f; one row per reading, `t0` null for the first of a leg.

    v: ticks; d: ticks since t0 (plausible, else plainly v − v0); f: bits. Duplicates are gone; spikes are still there.
    """
    _fix(con, fixed)
    legs = any(len({epoch.leg for epoch in life.epochs}) > 1 for life in lives.values())
    source = _source(readings, lives, bool(fixed))
    con.execute(f"CREATE OR REPLACE TEMP TABLE l_step AS {_steps(source, legs, bool(fixed))}")
    if bits(con, "l_step") & SAME:
        once = keep_last(con, "l_step", source, "leg, t", "a DESC")
        con.execute(f"INSERT INTO l_step {_steps(once, legs, bool(fixed))}")


def keep_last(
    con: duckdb.DuckDBPyConnection, steps: str, source: str, key: str, first: str = "v IS NULL"
) -> str:
    """Empty `steps` of the points that have several readings of one `key`; the query of those readings, the last of each.

    The points are kept in `<steps>_twice`. Only they are worked out again.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {steps}_twice AS SELECT DISTINCT point FROM {steps} WHERE f & {SAME} > 0"
    )
    con.execute(f"DELETE FROM {steps} WHERE point IN (SELECT point FROM {steps}_twice)")
    last = f"{first}, batch DESC, file DESC, line DESC, v DESC"
    return (
        f"SELECT * FROM ({source}) s SEMI JOIN {steps}_twice USING (point)"
        f" QUALIFY row_number() OVER (PARTITION BY point, {key} ORDER BY {last}) = 1"
    )


def count(con: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> int:
    """How many rows of `table` there are."""
    row = con.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    return int(row[0]) if row else 0


def bits(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """All bits that stand in `f` of any row."""
    row = con.execute(f"SELECT bit_or(f) FROM {table}").fetchone()
    return int(row[0] or 0) if row else 0


def exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the temporary table is there: some are made only where they are needed."""
    return count(con, "duckdb_tables()", f"temporary AND table_name = '{table}'") > 0


def _fix(con: duckdb.DuckDBPyConnection, fixed: Sequence[Fixed]) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE l_fixed (point INTEGER, leg INTEGER, t TIMESTAMP, v BIGINT, a USMALLINT,"
        " value DOUBLE, file INTEGER, line INTEGER, top BIGINT)"
    )
    insert(
        con,
        "l_fixed",
        [
            (f.point, f.leg, f.t, f.ticks, f.bits, f.reading.value, f.reading.file, f.reading.line, f.top)
            for f in fixed
        ],
    )


def _source(readings: str, lives: Mapping[int, Life], fixed: bool) -> str:
    source = (
        f"SELECT r.point, e.leg, r.t, {ticks_sql(lives)} AS v, 0::USMALLINT AS a, r.batch, r.file, r.line"
        f" FROM {readings} r {in_force(['register'])}"
    )
    if fixed:
        source += " UNION ALL SELECT point, leg, t, v, a, NULL, file, line FROM l_fixed"
    return source


def _steps(source: str, legs: bool, fixed: bool) -> str:
    """One row per row of `source`, with the step from the row before it in its leg."""
    lag_leg, lag_a = ("lag(leg) OVER w", "lag(a) OVER w") if legs else ("leg", "0")
    bits = "a" if fixed else "0"  # a column less to carry through the window where nothing is declared
    order, on_leg = ("t, leg", " AND z.leg = l.leg") if legs else ("t", "")
    return f"""
    WITH y AS (
        SELECT point, leg, t, v, {bits} AS a, row_number() OVER w AS rn, lag(t) OVER w AS tb, lag(v) OVER w AS vb,
            {lag_leg} AS leg_b, {lag_a} AS ab, file, line, lag(file) OVER w AS fb, lag(line) OVER w AS lb
        FROM ({source}) WINDOW w AS (PARTITION BY point ORDER BY {order})),
    z AS (
        SELECT point, leg, rn, t, v, a, coalesce(ab, 0) AS ab, fb = file AND lb > line AS disorder,
            {"CASE WHEN leg_b = leg THEN tb END" if legs else "tb"} AS t0, {"CASE WHEN leg_b = leg THEN vb END" if legs else "vb"} AS v0
        FROM y)
    SELECT z.point, z.leg, rn, t, t0, v, {step_columns()} FROM z JOIN l_leg l ON z.point = l.point{on_leg}"""


def step_columns() -> str:
    """`d` and `f` of a step over point, t0, t, v0, v, disorder, a, ab and the leg's row `l`.

    The first branch holds for nearly every reading, so that the rest is worked out for the others alone.
    """
    span = "(epoch_us(t) - epoch_us(t0))"
    plain = (
        f"(v >= v0 AND t > t0 AND v - v0 <= l.rate * {span} + l.base AND {span} <= l.gap"
        " AND a = 0 AND ab = 0 AND disorder IS NOT TRUE)"
    )
    step = step_sql("v0", "v", "t0", "t")
    bits = (
        f"a | (ab & {ESTIMATED}) | CASE WHEN t0 IS NULL THEN 0 ELSE CASE WHEN t = t0 THEN {SAME} ELSE 0 END"
        f" | CASE WHEN ({step}) IS NULL THEN {IMPLAUSIBLE} WHEN v < v0 THEN {WRAPPED} ELSE 0 END"
        f" | CASE WHEN {span} > l.gap THEN {LONG} ELSE 0 END | CASE WHEN disorder THEN {DISORDER} ELSE 0 END END"
    )
    return (
        f"CASE WHEN {plain} THEN v - v0 ELSE coalesce({step}, v - v0) END AS d,"
        f" CASE WHEN {plain} THEN 0 ELSE ({bits})::USMALLINT END AS f"
    )


def step_sql(v0: str, v: str, t0: str, t: str) -> str:
    """`Limits.step` in SQL, over the leg's row `l`: the plausible amount between two readings, or NULL."""
    span = f"(epoch_us({t}) - epoch_us({t0}))"
    return (
        f"CASE WHEN {v} >= {v0} THEN CASE WHEN {v} - {v0} <= l.rate * {span} + l.base THEN {v} - {v0} END"
        f" WHEN l.m > 0 AND {v} - {v0} + l.m BETWEEN 0 AND l.rate * {span} + l.wrap_base THEN {v} - {v0} + l.m END"
    )


NEVER_WRONG = ANCHOR | VIRTUAL | ESTIMATED
"""A reading with one of these bits comes from the declaration."""
