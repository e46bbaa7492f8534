"""Plain interval meters judged in one pass over their readings as they are stored; no table holds the readings or their cells.

The general way (`samples.py`, `intervals.py`) sorts all readings to see what each stands next to. Segments are sorted already, so
here neighbours are read as they come, and only *stretches* are kept (the runs of core/runs.py); of whole segments the store knows them, and
nothing is read. The stretches of a point are then put in order and must not overlap; between them are the named gaps. Points with anything else
(an amount below zero or beyond the limit, two at one instant, a length that does not divide the cells) are left to the
general way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.later import Later
from celadon.core.model import PointKind
from celadon.core.runs import runs_sql
from celadon.metering.plain import is_plain
from celadon.metering.registers import insert, ticks_sql
from celadon.metering.scales import Life, Scale, value_range

if TYPE_CHECKING:
    from celadon.metering import columns
    from celadon.metering.columns import Column
else:  # what it needs takes longer to import than a small account takes
    columns = Later("celadon.metering.columns")

WORTH = 10_000_000
"""Readings from which on segments are added up as columns, with the import of what that needs."""
STRETCHES = "plain_stretch"
"""Temporary table: what the readings of each judged point cover (point, lo, hi, UTC), and by how many seconds each."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Readings of judged points, each as a part of the cell it lies in."""

    sources: tuple[tuple[str, frozenset[int]], ...]
    """Queries of the readings that end in a window, perhaps also of other points, and the judged points of each."""
    lives: Mapping[int, Life]
    spans: Mapping[int, int]
    """Points all of whose readings there are of one length, and that length in seconds."""
    columns: tuple[Column, ...] = ()
    """Segments that the queries leave out."""


def may_be_plain(life: Life) -> bool:
    """Whether the declaration leaves it to the readings: an interval meter without changes, dates or a limit of its own."""
    meter = life.meter
    return (
        meter.kind is PointKind.INTERVAL and is_plain(life) and meter.max_rate is None and not meter.left_out
    )


def by_columns() -> bool:
    """Whether what that needs is installed."""
    return find_spec("numpy") is not None and find_spec("nanoarrow") is not None


def judge(
    con: duckdb.DuckDBPyConnection,
    readings: Sequence[tuple[str, Collection[int]]],
    runs: str,
    lives: Mapping[int, Life],
    window: tuple[datetime, datetime],
    grid: int,
    events: str,
) -> set[int]:
    """The points of `lives` whose readings are plain; their gaps go into the new table `events`, what they cover into
    STRETCHES (which has the stretches of the windows judged before).

    `runs`: a table of runs that are known (core/runs.py; and `top`: no value is larger), of these and perhaps other points.
    `readings`: queries, each one scan, for what is not known, and the points of which it is not known, perhaps of other points too.
    Together they have each point's readings of the window, its last before it and its first after it, once.
    """
    alike = {life.epochs[0].scale: life for life in lives.values()}
    most = min(value_range(life.meter, life.epochs[0])[1] for life in alike.values())
    con.execute("CREATE OR REPLACE TEMP TABLE p_point (point INTEGER, gap BIGINT)")
    insert(con, "p_point", [(point, life.meter.max_gap_seconds * 10**6) for point, life in lives.items()])
    sources = [f"SELECT * FROM {runs}"]
    for query, points in readings:
        found = runs_sql(query, f"value < {most!r}::DOUBLE")
        sources.append(f"SELECT *, NULL AS top FROM ({found}) WHERE point IN ({', '.join(map(str, points))})")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE p_stretch AS
        SELECT *, epoch_us(t) - span::BIGINT * 1000000 AS u0, epoch_us(t1) AS u1 FROM ({" UNION ALL BY NAME ".join(sources)})
        SEMI JOIN p_point USING (point)"""
    )
    good = _good(con, most, grid)
    _events(con, window, events)
    con.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {STRETCHES} (point INTEGER, lo TIMESTAMP, hi TIMESTAMP, span INTEGER)"
    )
    con.execute(
        f"""INSERT INTO {STRETCHES} SELECT point, greatest(make_timestamp(u0), TIMESTAMP '{window[0]}') AS lo,
            least(make_timestamp(u1), TIMESTAMP '{window[1]}') AS hi, span
        FROM p_stretch SEMI JOIN p_good USING (point) WHERE lo < hi"""
    )
    for table in ("p_point", "p_stretch", "p_good"):
        con.execute(f"DROP TABLE {table}")
    return good


def _good(con: duckdb.DuckDBPyConnection, most: float, grid: int) -> set[int]:
    """Put into `p_stretch` what lies before each stretch of its point (ub, and the last reading there); make `p_good`."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE p_stretch AS SELECT *, lag(u1) OVER w AS ub, lag(v1) OVER w AS vb, lag(f1) OVER w AS fb,
            lag(l1) OVER w AS lb FROM p_stretch WINDOW w AS (PARTITION BY point ORDER BY u0, u1)"""
    )
    fits = f"span > 0 AND {grid} % span = 0 AND epoch_us(t) % (span::BIGINT * 1000000) = 0 AND span::BIGINT * 1000000 <= gap"
    sound = (
        f"value >= 0 AND value < {most!r}::DOUBLE AND coalesce(top < {most!r}::DOUBLE, true) "
        f"AND t > TIMESTAMP '1970-01-01' AND {fits}"
    )
    after = "ub IS NULL OR (ub <= u0 AND (fb <> file OR lb <= line))"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE p_good AS SELECT p.point FROM p_point p LEFT JOIN p_stretch s ON s.point = p.point
        GROUP BY p.point HAVING bool_and(s.point IS NULL OR (({sound}) IS TRUE AND ({after})))"""
    )
    return {int(row[0]) for row in con.execute("SELECT point FROM p_good").fetchall()}


def _events(con: duckdb.DuckDBPyConnection, window: tuple[datetime, datetime], events: str) -> None:
    """The table `events` (columns of `events.py`) of the good points: what is missing, silent, or never there."""
    start, end = (f"TIMESTAMP '{moment}'" for moment in window)
    last = "(SELECT point, max(u1) AS u1, arg_max(v1, u1) AS v, arg_max(f1, u1) AS f, arg_max(l1, u1) AS l FROM p_stretch GROUP BY point)"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE "{events}" AS
        SELECT point, 'missing' AS code, make_timestamp(u0) AS t, make_timestamp(ub) AS t_before,
            greatest(1, (u0 - ub) // greatest(epoch_us(t) - u0, 1)) AS n, NULL::BIGINT AS amount, vb AS value_before,
            NULL::DOUBLE AS value, NULL::VARCHAR AS detail, NULL::INTEGER AS file, NULL::INTEGER AS line
        FROM p_stretch s SEMI JOIN p_good USING (point) WHERE ub < u0 AND s.t > {start} AND make_timestamp(ub) < {end}
        UNION ALL
        SELECT point, 'silent', NULL, make_timestamp(u1), 1, NULL, v, v, NULL, f, l
        FROM {last} SEMI JOIN p_good USING (point) JOIN p_point USING (point)
        WHERE least(epoch_us({end}), (SELECT max(u1) FROM p_stretch)) - u1 > gap
        UNION ALL
        SELECT point, 'no-readings', NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL
        FROM p_good ANTI JOIN p_stretch USING (point) ORDER BY ALL"""
    )


def lengths(con: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """`Plain.spans` of the points in STRETCHES."""
    sql = f"SELECT point, min(span) FROM {STRETCHES} GROUP BY point HAVING min(span) = max(span)"
    return dict(con.execute(sql).fetchall())


def sum_cells(con: duckdb.DuckDBPyConnection, plain: Plain, groups: Mapping[int, int], into: str) -> None:
    """Make the temporary table `into`: of each group of points (point → group) and hour, ticks and seconds covered."""
    left = columns.sum_columns(con, plain.columns, plain.lives, groups, "p_column") if plain.columns else []
    sources = [*plain.sources, *((column.readings, column.points) for column in left)]
    amounts, distinct = _sums(con, plain, sources, groups)
    if plain.columns:
        amounts, distinct = f"{amounts} UNION ALL SELECT grp, cell, amount, covered FROM p_column", False
    if not distinct:
        amounts = (
            f"SELECT grp, cell, sum(amount) AS amount, sum(covered) AS covered FROM ({amounts}) GROUP BY ALL"
        )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT grp, make_timestamp(cell * 3600000000) AS start, amount, covered FROM ({amounts})"""
    )
    con.execute("DROP TABLE p_class; DROP TABLE IF EXISTS p_column")


def _sums(
    con: duckdb.DuckDBPyConnection,
    plain: Plain,
    sources: Sequence[tuple[str, Collection[int]]],
    groups: Mapping[int, int],
) -> tuple[str, bool]:
    """A query for group, hour, ticks and seconds of these readings, and whether each group and hour is there once.

    One pass over the readings, in which a point is joined to its class: what its group, scale and length are.
    """
    classes: dict[tuple[int, Scale, int], int] = {}
    of_point = {
        point: classes.setdefault(
            (groups[point], life.epochs[0].scale, plain.spans.get(point, 0)), len(classes)
        )
        for point, life in plain.lives.items()
    }
    named = "class INTEGER, grp INTEGER, k DOUBLE, num BIGINT, den BIGINT, seconds INTEGER"
    con.execute(f"CREATE OR REPLACE TEMP TABLE p_class ({named})")
    rows = [
        (number, group, float(10**scale.places), scale.num, scale.den, seconds)
        for (group, scale, seconds), number in classes.items()
    ]
    insert(con, "p_class", rows)
    displayed = {row[2] for row in rows}
    covered, each = (
        ("count(*)", "covered * e.seconds") if all(row[5] for row in rows) else ("sum(r.span)", "covered")
    )
    if all(row[4] == 1 for row in rows) and len(displayed) == 1:  # whole ticks: their factor is the sum's
        amount, factor, joined = f"CAST(round(r.value * {displayed.pop()!r}::DOUBLE) AS BIGINT)", "e.num", ""
    else:
        amount, factor, joined = ticks_sql(plain.lives), "1", " JOIN p_class e ON r.class = e.class"
    # an amount ends in its hour, which holds its closing edge; whole hours are counted in half the time of a division
    cell = "datesub('hour', TIMESTAMP '1970-01-01 00:00:00.000001', r.t)"
    sums = [
        f"""SELECT r.class, {cell} AS cell, sum({amount}) AS amount, {covered} AS covered
        FROM (SELECT {_listed(of_point, points)}[point] AS class, t, span, value FROM ({source})) r{joined} GROUP BY ALL"""
        for source, points in sources
    ]
    amounts = f"SELECT grp, cell, amount * {factor} AS amount, {each} AS covered FROM ({' UNION ALL '.join(sums)}) JOIN p_class e USING (class)"
    return amounts, len(sums) == 1 and len(classes) == len({row[1] for row in rows})


def _listed(of_point: Mapping[int, int], points: Collection[int]) -> str:
    """A list with a class at the place of each of the points; null for others."""
    words = (str(of_point[point]) if point in points else "NULL" for point in range(1, max(points) + 1))
    return f"CAST([{', '.join(words)}] AS INTEGER[])"
