"""What happened to the readings on their way into the ledger: the events table, and the Findings made of it.

Columns of an events table: point, t_before and t (the span it is about, UTC; t null: still open), code (the part of the
Finding's code after `metering.`), n (readings or intervals concerned), amount (ticks; what a gap or roll-over stands for, null
= unknown), value_before and value (as displayed), detail, file and line (of the reading at t).
An event is in the table when its span touches the window (a spike: when the step over it does); it always carries its whole span and amount. So the events of
adjoining windows are those of the long window, except that counts of duplicates and of disorder, and what is said of
silence, are per derivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime

import duckdb

from celadon.core.model import PointKind
from celadon.metering.changes import Event
from celadon.metering.registers import (
    DISORDER,
    HOLE,
    IMPLAUSIBLE,
    LONG,
    OVERLAP,
    WRAPPED,
    bits,
    count,
    exists,
    insert,
)
from celadon.metering.scales import Life

EVENT_COLUMNS = {
    "point": "INTEGER",
    "code": "VARCHAR",
    "t": "TIMESTAMP",
    "t_before": "TIMESTAMP",
    "n": "BIGINT",
    "amount": "BIGINT",
    "value_before": "DOUBLE",
    "value": "DOUBLE",
    "detail": "VARCHAR",
    "file": "INTEGER",
    "line": "INTEGER",
}
GAPS = ("decrease", "reset-undeclared", "jump", "unit-suspected", "overlap", "beyond-max-rate")
"""Codes whose amount is in no cell: the named gaps of the conservation proof, in ticks."""
_Window = tuple[datetime, datetime]
_Con = duckdb.DuckDBPyConnection


def make_events(con: _Con) -> None:
    """An empty `l_event`."""
    columns = ", ".join(f"{name} {kind}" for name, kind in EVENT_COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE l_event ({columns})")


def collect(
    con: _Con,
    readings: str,
    lives: Mapping[int, Life],
    window: _Window,
    said: Sequence[Event],
    present: Mapping[str, bool],
) -> None:
    """Fill `l_event` from the tables of the derivation, and from `said` (what was decided on the way)."""
    con.execute(
        f"CREATE OR REPLACE TEMP MACRO l_touches(t0, t) AS t > TIMESTAMP '{window[0]}' AND t0 < TIMESTAMP '{window[1]}'"
    )
    steps = []
    if present["register"]:
        _register_events(con)
        steps.append("SELECT point, t, f FROM l_step")
        _duplicates(con, readings, "l_step_twice", "t")
    if present["sample"]:
        _sample_events(con)
        steps.append("SELECT point, t, f FROM l_sample")
        _duplicates(con, readings, "l_sample_twice", "t, span")
    if present["rate"]:
        _rate_events(con)
        steps.append("SELECT point, t, f FROM l_ramp")
        _duplicates(con, readings, "l_ramp_twice", "t")
    if steps:
        _disorder(con, " UNION ALL ".join(steps))
        seen = count(con, f"({' UNION ALL '.join(steps)})")
        seen += count(con, "l_spike") if exists(con, "l_spike") else 0
        seen += con.execute("SELECT n FROM l_quiet").fetchall()[0][0] if exists(con, "l_quiet") else 0
        _unused(con, readings, lives, seen)
        _silence(con, steps, lives, window)
    _place(con, readings)
    insert(con, "l_event", [astuple(event) for event in said])


def _add(con: _Con, select: str, columns: str = "point, code, t, t_before, n, amount") -> None:
    con.execute(f"INSERT INTO l_event ({columns}) {select}")


def _register_events(con: _Con) -> None:
    if exists(con, "l_bridge"):
        _add(
            con,
            """SELECT s.point, 'spike', max(s.t), min(s.t), count(*), NULL FROM l_spike s
            JOIN l_bridge b ON s.point = b.point AND s.leg = b.leg AND s.t > b.t0 AND s.t < b.t
            WHERE l_touches(b.t0, b.t) GROUP BY s.point, s.leg, b.t""",
        )
    if not bits(con, "l_step") & (WRAPPED | IMPLAUSIBLE | LONG):
        return
    said = f"f & {WRAPPED | IMPLAUSIBLE | LONG} > 0 AND t0 IS NOT NULL AND l_touches(t0, t)"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_odd AS
        SELECT s.point, s.leg, t, t0, d, f, v, v - d + CASE WHEN f & {WRAPPED} > 0 THEN l.m ELSE 0 END AS v0, l.* EXCLUDE (point, leg)
        FROM (SELECT * FROM l_step WHERE {said}) s JOIN l_leg l ON s.point = l.point AND s.leg = l.leg"""
    )
    _add(con, f"SELECT point, 'rollover', t, t0, 1, m FROM l_odd WHERE f & {WRAPPED} > 0")
    _add(
        con, f"SELECT point, 'outage', t, t0, 1, d FROM l_odd WHERE f & {LONG} > 0 AND f & {IMPLAUSIBLE} = 0"
    )
    _add(
        con,
        f"""SELECT point, 'rollover-uncertain', t, t0, floor((rate * (epoch_us(t) - epoch_us(t0)) + base - d) / m)::BIGINT, d FROM l_odd
        WHERE f & {IMPLAUSIBLE} = 0 AND m > 0 AND rated AND d + m <= rate * (epoch_us(t) - epoch_us(t0)) + base""",
    )
    # A thousandfold step, up or down, looks like a file that went over to another prefix of the unit.
    near = "abs({0} - {1} * 1000.0) <= 0.02 * abs({0})"
    small = "v <= CASE WHEN rated THEN rate * (epoch_us(t) - epoch_us(t0)) + base ELSE v0 / 100 END"
    _add(
        con,
        f"""SELECT point, CASE WHEN v0 > 0 AND v > 0 AND ({near.format("v0", "v")} OR {near.format("v", "v0")}) THEN 'unit-suspected'
            WHEN v > v0 THEN 'jump' WHEN {small} THEN 'reset-undeclared' ELSE 'decrease' END, t, t0, 1, d
        FROM l_odd WHERE f & {IMPLAUSIBLE} > 0""",
    )


def _sample_events(con: _Con) -> None:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_odd AS SELECT s.*, l.kind FROM l_sample s JOIN l_leg l ON s.point = l.point AND l.leg = 0
        WHERE (f & {IMPLAUSIBLE | HOLE | LONG} > 0 OR d < 0) AND l_touches(least(t0, tb, t - to_microseconds(1)), t)"""
    )
    _add(con, f"SELECT point, 'overlap', t, t0, 1, d FROM l_odd WHERE f & {OVERLAP} > 0")
    _add(
        con,
        f"SELECT point, 'beyond-max-rate', t, t0, 1, d FROM l_odd WHERE f & {IMPLAUSIBLE} > 0 AND f & {OVERLAP} = 0",
    )
    _add(con, f"SELECT point, 'negative', t, t0, 1, d FROM l_odd WHERE d < 0 AND f & {IMPLAUSIBLE} = 0")
    _add(
        con,
        f"""SELECT point, 'missing', t0, tb, greatest(1, (epoch_us(t0) - epoch_us(tb)) // greatest(epoch_us(t) - epoch_us(t0), 1)), NULL
        FROM l_odd WHERE f & {HOLE} > 0""",
    )
    _add(
        con, f"SELECT point, 'coarse', t, t0, 1, d FROM l_odd WHERE f & {LONG} > 0 AND f & {IMPLAUSIBLE} = 0"
    )


def _rate_events(con: _Con) -> None:
    _add(
        con, f"SELECT point, 'rate-gap', t, t0, 1, NULL FROM l_ramp WHERE f & {LONG} > 0 AND l_touches(t0, t)"
    )


def _duplicates(con: _Con, readings: str, points: str, key: str) -> None:
    """Several readings at one instant: the same value again; another value in the same batch; corrected by a later batch."""
    if not exists(con, points):
        return
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_same AS
        WITH r AS (SELECT r.* FROM {readings} r SEMI JOIN {points} USING (point) WHERE l_touches(t - to_microseconds(1), t)),
        g AS (
            SELECT point, t, count(*) - 1 AS extra, max_by(value, (batch, file, line, value)) AS kept, max(batch) AS batch,
                count(DISTINCT value) AS "values", min(batch) AS oldest FROM r GROUP BY point, {key} HAVING count(*) > 1)
        SELECT g.*, (SELECT max_by(r.value, (batch, file, line)) FROM r WHERE r.point = g.point AND r.t = g.t AND r.value <> g.kept) AS other,
            (SELECT count(DISTINCT r.value) FROM r WHERE r.point = g.point AND r.t = g.t AND r.batch = g.batch) > 1 AS conflict FROM g"""
    )
    _add(
        con,
        "SELECT point, 'duplicate', max(t), min(t), sum(extra), NULL FROM l_same WHERE \"values\" = 1 GROUP BY point",
    )
    _add(
        con,
        """SELECT point, 'duplicate-conflict', t, t, extra, NULL, other, kept FROM l_same WHERE "values" > 1 AND conflict""",
        "point, code, t, t_before, n, amount, value_before, value",
    )
    _add(
        con,
        """SELECT point, 'corrected', max(t), min(t), sum(extra), NULL FROM l_same WHERE "values" > 1 AND NOT conflict GROUP BY point""",
    )


def _disorder(con: _Con, steps: str) -> None:
    if not bits(con, f"({steps})") & DISORDER:
        return
    _add(
        con,
        f"""SELECT s.point, 'out-of-order', max(t), min(t), count(*), NULL FROM ({steps}) s
        WHERE f & {DISORDER} > 0 AND l_touches(t - to_microseconds(1), t) GROUP BY s.point""",
    )


def _unused(con: _Con, readings: str, lives: Mapping[int, Life], steps_seen: int) -> None:
    """Readings that belong to no epoch, or whose value the display cannot show.

    Counted first, since mostly there are none; duplicates and declared registers only make the count differ.
    """
    whole = count(con, f"{readings} SEMI JOIN l_leg USING (point)")
    if whole == steps_seen:
        return
    good = "r.t > e.lo AND r.t < e.hi AND r.value >= e.vmin AND r.value < e.vmax"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_odd AS
        SELECT point FROM (SELECT point, count(*) AS there FROM {readings} SEMI JOIN l_leg USING (point) GROUP BY point)
        LEFT JOIN (SELECT r.point, count(*) AS used FROM {readings} r JOIN l_epoch e ON r.point = e.point AND {good} GROUP BY r.point)
            USING (point) WHERE there IS DISTINCT FROM used"""
    )
    if count(con, "l_odd") == 0:
        return
    registers = [(point, one) for point, one in lives.items() if one.meter.kind is PointKind.REGISTER]
    edges = [(point, edge.at) for point, one in registers for edge in one.boundaries]
    con.execute("CREATE OR REPLACE TEMP TABLE l_edge (point INTEGER, t TIMESTAMP)")
    insert(con, "l_edge", edges)
    served = "EXISTS (SELECT 1 FROM l_epoch e WHERE r.point = e.point AND r.t > e.lo AND r.t < e.hi)"
    _add(
        con,
        f"""SELECT r.point, CASE WHEN {served} THEN 'out-of-range' ELSE 'outside-service' END AS code, max(t), min(t), count(*), NULL
        FROM {readings} r SEMI JOIN l_odd USING (point) ANTI JOIN l_edge g ON r.point = g.point AND r.t = g.t
        WHERE NOT EXISTS (SELECT 1 FROM l_epoch e WHERE r.point = e.point AND {good}) AND l_touches(r.t - to_microseconds(1), r.t)
        GROUP BY ALL""",
    )


def _silence(con: _Con, steps: Sequence[str], lives: Mapping[int, Life], window: _Window) -> None:
    """Points that stopped long before the window, or the data of the others, end; and points without any reading."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE l_due (point INTEGER, since TIMESTAMP, until TIMESTAMP, gap BIGINT)"
    )
    due = [
        (p, one.epochs[0].lo, one.epochs[-1].hi, one.meter.max_gap_seconds * 10**6)
        for p, one in lives.items()
    ]
    insert(con, "l_due", due)
    end = f"TIMESTAMP '{window[1]}'"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_last AS
        SELECT point, max(t) AS t FROM ({" UNION ALL ".join(steps)}) GROUP BY point"""
    )
    horizon = f"least({end}, (SELECT max(t) FROM l_last))"
    _add(
        con,
        f"""SELECT d.point, 'silent', NULL, l.t, 1, NULL FROM l_due d JOIN l_last l ON d.point = l.point
        WHERE epoch_us(least({horizon}, d.until)) - epoch_us(l.t) > d.gap""",
    )
    _add(
        con,
        f"""SELECT point, 'no-readings', NULL, NULL, 0, NULL FROM l_due ANTI JOIN l_last USING (point)
        WHERE since < {end} AND until > TIMESTAMP '{window[0]}'""",
    )


def _place(con: _Con, readings: str) -> None:
    """Displayed values, file and line, from the readings at the two ends (declared registers have no file)."""
    if not count(con, "l_event"):
        return
    fixed = exists(con, "l_fixed")
    more = " UNION ALL SELECT point, t, value, file, line, NULL FROM l_fixed" if fixed else ""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE l_end AS
        WITH e AS (SELECT point, t FROM l_event UNION SELECT point, t_before FROM l_event),
        r AS (SELECT point, t, value, file, line, batch FROM {readings}{more})
        SELECT r.point, r.t, max_by(struct_pack(value := value, file := file, line := line), (batch, file, line, value)) AS at
        FROM r SEMI JOIN e ON r.point = e.point AND r.t = e.t GROUP BY r.point, r.t"""
    )
    con.execute(
        """UPDATE l_event SET value = coalesce(value, l_end.at.value), file = l_end.at.file, line = l_end.at.line
        FROM l_end WHERE l_end.point = l_event.point AND l_end.t = coalesce(l_event.t, l_event.t_before)"""
    )
    con.execute(
        """UPDATE l_event SET value_before = coalesce(value_before, l_end.at.value)
        FROM l_end WHERE l_end.point = l_event.point AND l_end.t = l_event.t_before"""
    )
