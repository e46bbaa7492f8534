"""The interval ledger: every step cut at the edges of the grid, so that the parts add up to the step.

The cell of the grid that starts at c holds (c, c + grid]: a reading stamped exactly on an edge closes the earlier cell.
A part is a difference of the step's integer cumulative amount at the cell's edges (constant rate inside the step), cut in
whole seconds; the step's own amount is never rounded. A step longer than max_gap that reaches over more than one cell has
an exact total and estimated hours: each part lies between `low` and `high` (no part negative, none above max_rate).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import duckdb

from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period
from celadon.core.units import UnitError
from celadon.metering.changes import ESTIMATED, VIRTUAL, Event, Fixed, resolve
from celadon.metering.events import collect, make_events
from celadon.metering.plain import SPREAD, is_plain, plain_cells
from celadon.metering.rates import rate_parts
from celadon.metering.registers import IMPLAUSIBLE, LONG, count, declare, register_steps
from celadon.metering.samples import sample_steps
from celadon.metering.scales import SUMMED, Life, life, utc
from celadon.metering.spikes import leave_out_spikes

LEDGER_COLUMNS = {
    "point": "INTEGER",
    "start": "TIMESTAMP",
    "amount": "BIGINT",
    "low": "BIGINT",
    "high": "BIGINT",
    "estimated": "BIGINT",
    "covered": "INTEGER",
    "n": "INTEGER",
}
"""Columns of the ledger, in DuckDB types: cell start (UTC), ticks, their bounds, how much of them is estimated, seconds of the
cell that steps cover, and readings that end in it."""
MANY = 50_000
"""Readings from which the one pass of `plain.py` is quicker; before, it is the number of statements that counts."""
_PART = "point INTEGER, c BIGINT, amount BIGINT, low BIGINT, high BIGINT, estimated BIGINT, covered BIGINT, n BIGINT"


def derive(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    window: Period,
    grid_seconds: int,
    into: str,
    events: str,
) -> None:
    """Make the temporary tables `into` (the ledger's cells whose start is in `window`) and `events` (see `events.py`).

    `readings` is a table or view with the columns point, t, span, value, file, line, batch, already as-of filtered; it may
    hold duplicates and corrections, in any order. It needs what lies in the window and, of each point, the readings at
    `changes.NEIGHBOURS` distinct instants before and after it (as far as they exist; `around.take_around` takes them);
    then the cells of a window do not depend on how long the window is. Points of other kinds (level, state) are passed over.
    """
    edges = (utc(window.start), utc(window.end))
    lives: dict[int, Life] = {}
    said: list[Event] = []
    for meter in meters:
        if meter.kind in SUMMED and meter.id in point_ids:
            try:
                lives[point_ids[meter.id]] = life(meter)
            except UnitError as error:
                said.append(Event(point_ids[meter.id], "unit-unusable", detail=str(error)))
    _drop(con)  # whatever a derivation that failed has left
    declare(con, lives)
    for table in ("l_part", "l_cut"):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({_PART})")
    cells = ", ".join(f"{name} {kind}" for name, kind in LEDGER_COLUMNS.items())
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{into}" ({cells})')
    by_kind = _by_kind(lives)
    make_events(con)
    if registers := by_kind["register"]:
        fixed, notes = resolve(con, readings, registers, edges)
        said += notes
        _registers(con, readings, registers, fixed, edges, grid_seconds, into)
    if samples := by_kind["sample"]:
        sample_steps(con, readings, samples)
        _cut(con, "l_sample", edges, grid_seconds, into, mixed=bool(by_kind["rate"]))
    if rates := by_kind["rate"]:
        rate_parts(con, readings, rates, edges, grid_seconds)
    collect(con, readings, lives, edges, said, {name: bool(some) for name, some in by_kind.items()})
    _finish(con, edges, grid_seconds, into)
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{events}" AS SELECT * FROM l_event ORDER BY ALL')
    _drop(con)


def _by_kind(lives: Mapping[int, Life]) -> dict[str, dict[int, Life]]:
    groups: dict[str, dict[int, Life]] = {"register": {}, "sample": {}, "rate": {}}
    for point, one in lives.items():
        kind = one.meter.kind
        if kind is PointKind.REGISTER:
            groups["register"][point] = one
        else:
            groups["sample"][point] = one
        if kind is PointKind.RATE:
            groups["rate"][point] = one
    return groups


def _registers(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    lives: Mapping[int, Life],
    fixed: Sequence[Fixed],
    window: tuple[datetime, datetime],
    grid: int,
    into: str,
) -> None:
    """The cells of registers, and `l_step`: plain ones in one pass, what is left by the general way."""
    many = count(con, readings) >= MANY
    plain = {point: one for point, one in lives.items() if many and is_plain(one)}
    rest = {point: one for point, one in lives.items() if point not in plain}
    if plain:
        left = plain_cells(con, readings, plain, window, grid, into)
        rest |= {point: plain[point] for point in left}
        listed = ", ".join(str(point) for point in sorted(rest)) or "NULL"
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE l_rest AS SELECT * FROM {readings} WHERE point IN ({listed})"
        )
    register_steps(con, "l_rest" if plain else readings, rest, fixed)
    leave_out_spikes(con)
    if rest:
        _cut(con, "l_step", window, grid, into)
    if plain:
        _cut(con, SPREAD, window, grid, into)
        con.execute("INSERT INTO l_step SELECT * FROM l_plain")


def _cut(
    con: duckdb.DuckDBPyConnection,
    table: str,
    window: tuple[datetime, datetime],
    grid: int,
    into: str,
    mixed: bool = False,
) -> None:
    """Add the cells of the steps of `table` to `into` where they are complete, else to `l_part` and `l_cut`.

    `mixed`: cells of the same points may come from elsewhere too.
    """
    first, last = (_seconds(moment) for moment in window)
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW l_second AS
        SELECT *, epoch_us(t0) // 1000000 AS s0, epoch_us(t) // 1000000 AS s1 FROM {table}
        WHERE f & {IMPLAUSIBLE} = 0 AND t0 IS NOT NULL AND t > TIMESTAMP '{window[0]}'
            AND (t0 < TIMESTAMP '{window[1]}' OR t <= TIMESTAMP '{window[1]}')"""
    )
    # Nearly every step fills a cell (and has it to itself), or lies inside one, or reaches over one edge.
    certain = f"f & {ESTIMATED} = 0"
    filled = f"({certain} AND s1 - s0 = {grid} AND s1 % {grid} = 0)"
    whole = f"({certain} AND s0 >= (s1 - 1) // {grid} * {grid})"
    adjacent = f"({certain} AND f & {LONG} = 0 AND s0 // {grid} + 1 = (s1 - 1) // {grid})"
    spread = f"NOT {whole} AND NOT {adjacent}"
    shape = con.execute(
        f"""SELECT count(*) FILTER (s0 = s1), coalesce(bit_or(f), 0) & {VIRTUAL}, count(*) FILTER ({filled}),
            count(*) FILTER ({adjacent}), count(*) FILTER ({spread}) FROM l_second"""
    ).fetchone()
    instants, declared, fills, crosses, spreads = shape or (0, 0, 0, 0, 0)
    real = f"(f & {VIRTUAL} = 0)::INTEGER" if declared else "1"
    if instants or mixed or not fills:
        filled = "false"  # then a cell may hold more: an instant on its edge, say
    else:
        con.execute(
            f"""INSERT INTO "{into}" SELECT point, make_timestamp(s0 * 1000000), d, d, d, 0, {grid}, {real}
            FROM l_second WHERE {filled} AND s0 >= {first} AND s0 < {last}"""
        )
    parts = f"SELECT point, (s1 - 1) // {grid} AS c, d, s1 - s0 AS s, {real} AS n FROM l_second WHERE {whole} AND NOT {filled}"
    if crosses:
        edge = f"((s0 // {grid} + 1) * {grid})"
        before = _upto(f"({edge} - s0)", "(s1 - s0)")
        parts += (
            f" UNION ALL SELECT point, s0 // {grid}, {before}, {edge} - s0, 0 FROM l_second WHERE {adjacent}"
            f" UNION ALL SELECT point, (s1 - 1) // {grid}, d - ({before}), s1 - {edge}, {real} FROM l_second WHERE {adjacent}"
        )
    n = "count(*)" if real == "1" and not crosses else "sum(n)::BIGINT"
    sums = f"""SELECT point, c, sum(d)::BIGINT AS amount, sum(s)::BIGINT AS covered, {n} AS n FROM ({parts}) GROUP BY point, c"""
    if spreads or mixed:
        con.execute(
            f"INSERT INTO l_part SELECT point, c, amount, amount, amount, 0, covered, n FROM ({sums})"
        )
        con.execute(f"INSERT INTO l_cut {_spread(spread, table, first, last, grid)}")
    else:
        con.execute(
            f"""INSERT INTO "{into}" SELECT point, make_timestamp(c * {grid * 10**6}), amount, amount, amount, 0, covered, n
            FROM ({sums}) WHERE c * {grid} >= {first} AND c * {grid} < {last}"""
        )


def _upto(x: str, s: str) -> str:
    """d · x / s in whole ticks, so that no product leaves 64 bits: what a step of s seconds has counted after x seconds."""
    return f"d // {s} * {x} + d % {s} * {x} // {s}"


def _spread(which: str, table: str, first: int, last: int, grid: int) -> str:
    """The cells of steps that reach over an edge, each from the step's cumulative amount at its two edges."""
    leg = "p.leg" if table == "l_step" else "0"
    top = "d" if table != "l_step" else (
        f"""CASE WHEN f & {ESTIMATED} = 0 THEN d ELSE
            (SELECT max(x.top) FROM l_fixed x WHERE x.point = p.point AND x.leg = p.leg AND x.t IN (p.t, p.t0)) END"""
    )  # fmt: skip
    return f"""
    WITH step AS (
        SELECT p.point, t, s0, s1, d, f, greatest(s1 - s0, 1) AS s, l.rate * 1000000 AS rate, l.base AS base, l.rated,
            f & {ESTIMATED} > 0 AS assumed, coalesce({top}, d) AS top
        FROM l_second p JOIN l_leg l ON p.point = l.point AND l.leg = {leg} WHERE {which}),
    cut AS (
        SELECT *, unnest(range(greatest(s0 // {grid}, {first} // {grid}),
            least(greatest((s1 - 1) // {grid}, s0 // {grid}), {last - 1} // {grid}) + 1)) AS c FROM step),
    edge AS (
        SELECT *, greatest(c * {grid} - s0, 0) AS x0, least((c + 1) * {grid}, s1) - s0 AS x1 FROM cut),
    part AS (
        SELECT *, ({_upto("x1", "s")}) - ({_upto("x0", "s")}) AS amount, x1 - x0 AS covered, f & {LONG} > 0 OR assumed AS vague FROM edge),
    bound AS (
        SELECT *, CASE WHEN NOT vague THEN amount WHEN d < 0 THEN d WHEN assumed OR NOT rated THEN 0
                ELSE CAST(greatest(0, d - rate * (s - covered) - base) AS BIGINT) END AS lowest,
            CASE WHEN NOT vague THEN amount WHEN d < 0 THEN 0 WHEN NOT rated THEN top
                ELSE CAST(least(top, rate * covered + base) AS BIGINT) END AS highest FROM part)
    SELECT point, c, amount, least(lowest, amount), greatest(highest, amount), CASE WHEN vague THEN amount ELSE 0 END, greatest(covered, 0),
        (c = greatest((s1 - 1) // {grid}, s0 // {grid}) AND f & {VIRTUAL} = 0)::BIGINT FROM bound"""


def _finish(con: duckdb.DuckDBPyConnection, window: tuple[datetime, datetime], grid: int, into: str) -> None:
    """Add the cells that are made of several parts, each summed; and those of one part as they are."""
    columns = list(LEDGER_COLUMNS.items())[2:]
    plain = ", ".join(f"{name}::{kind}" for name, kind in columns)
    sums = ", ".join(f"sum({name})::{kind}" for name, kind in columns)
    first, last = (_seconds(moment) for moment in window)
    head = f"point, make_timestamp(c * {grid * 10**6})"
    inside = f"c * {grid} >= {first} AND c * {grid} < {last}"
    if not count(con, "l_cut"):
        con.execute(f'INSERT INTO "{into}" SELECT {head}, {plain} FROM l_part WHERE {inside}')
        return
    con.execute(
        f"""INSERT INTO "{into}"
        SELECT {head}, {plain} FROM l_part p ANTI JOIN l_cut x ON p.point = x.point AND p.c = x.c WHERE {inside}
        UNION ALL
        SELECT {head}, {sums} FROM (
            SELECT * FROM l_cut UNION ALL SELECT p.* FROM l_part p SEMI JOIN l_cut x ON p.point = x.point AND p.c = x.c)
        WHERE {inside} GROUP BY point, c"""
    )


def _seconds(moment: datetime) -> int:
    """Whole seconds since 1970, upwards."""
    return -((datetime(1970, 1, 1) - moment) // timedelta(seconds=1))


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    """The derivation's own tables and view, whichever were made."""
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'l_')"
    ).fetchall()
    con.execute(
        "DROP VIEW IF EXISTS l_second; DROP MACRO IF EXISTS l_touches;"
        + ";".join(f"DROP TABLE {name}" for (name,) in names)
    )
