"""Amounts per interval and pieces per instant to steps (t0, t] with their amount.

Each amount stands alone: what is missing is absent, and nothing bridges it. Of several amounts for one interval the last
written wins. An interval that begins before the one before it has ended is left out whole (it would count twice) and is a
named gap; so is an amount beyond max_rate. Negative amounts are kept as they are, with a Finding.
A count is counted at its instant; it covers the time since the count before, at most max_gap.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from celadon.core.model import PointKind
from celadon.metering.changes import VIRTUAL
from celadon.metering.registers import (
    DISORDER,
    HOLE,
    IMPLAUSIBLE,
    LONG,
    OVERLAP,
    SAME,
    bits,
    in_force,
    keep_last,
    ticks_sql,
)
from celadon.metering.scales import Life


def sample_steps(con: duckdb.DuckDBPyConnection, readings: str, lives: Mapping[int, Life]) -> None:
    """Make the table `l_sample`: point, t, tb (end of the amount before), t0, d, f, v like `l_step`."""
    v = ticks_sql(lives)
    if any(one.meter.kind is PointKind.RATE for one in lives.values()):  # a mean rate over the span
        v = f"CASE WHEN e.kind = 'rate' THEN ({v}) // 3600 * r.span + ({v}) % 3600 * r.span // 3600 ELSE {v} END"
    source = (
        f"SELECT r.point, r.t, r.span, {v} AS v, r.batch, r.file, r.line"
        f" FROM {readings} r {in_force(['interval', 'count', 'rate'])} AND (r.span > 0 OR e.kind <> 'rate')"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE l_sample AS {_steps(source)}")
    if bits(con, "l_sample") & SAME:
        once = keep_last(con, "l_sample", source, "t, span")
        con.execute(f"INSERT INTO l_sample {_steps(once)}")
    if any(one.meter.kind is PointKind.COUNT for one in lives.values()):
        _cover_counts(con)


def _cover_counts(con: duckdb.DuckDBPyConnection) -> None:
    """Steps without an amount: a count covers the time since the one before, at most max_gap."""
    con.execute(
        f"""INSERT INTO l_sample
        SELECT s.point, t, tb, greatest(tb, t - to_microseconds(l.gap)), 0, {VIRTUAL}, 0
        FROM l_sample s JOIN l_leg l ON s.point = l.point AND l.leg = 0 WHERE l.kind = 'count' AND t0 = t AND tb < t"""
    )


def _steps(source: str) -> str:
    """An amount of unknown length (span 0 of an interval point) reaches back to the one before."""
    return f"""
    WITH y AS (
        SELECT point, t, span, v, lag(t) OVER w AS tb, lag(span) OVER w AS sb, file, line, lag(file) OVER w AS fb, lag(line) OVER w AS lb
        FROM ({source}) WINDOW w AS (PARTITION BY point ORDER BY t, span)),
    z AS (
        SELECT y.*, l.kind, l.rated, l.rate, l.base, l.gap, CASE WHEN span > 0 THEN t - to_seconds(span)
            WHEN l.kind = 'interval' THEN coalesce(tb, t) ELSE t END AS t0
        FROM y JOIN l_leg l ON y.point = l.point AND l.leg = 0)
    SELECT point, t, tb, t0, v AS d, (
        CASE WHEN tb = t AND sb = span THEN {SAME} WHEN tb > t0 THEN {OVERLAP | IMPLAUSIBLE} WHEN tb < t0 AND kind <> 'count' THEN {HOLE} ELSE 0 END
        | CASE WHEN rated AND t0 < t AND abs(v) > rate * (epoch_us(t) - epoch_us(t0)) + base THEN {IMPLAUSIBLE} ELSE 0 END
        | CASE WHEN fb = file AND lb > line THEN {DISORDER} ELSE 0 END
        | CASE WHEN epoch_us(t) - epoch_us(t0) > gap THEN {LONG} ELSE 0 END)::USMALLINT AS f, v
    FROM z"""
