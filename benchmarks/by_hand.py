"""The same answer in SQL written by hand for this one plant: what an expert would write who needs nothing else.

It knows the data are register readings without duplicates, swaps or resets, stamped to the second, and that one tariff and
one factor per site hold all year. It has no findings, no bounds of estimates, no tree of more than one level, no second clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.works import Works

_LEDGER = """
CREATE OR REPLACE TEMP TABLE cells AS
WITH reading AS (
    SELECT point, epoch(t)::BIGINT AS s1, CAST(round(value * 1e6) AS BIGINT) AS v FROM read_parquet($files)),
step AS (
    SELECT point, s1, v, lag(s1) OVER w AS s0, lag(v) OVER w AS v0 FROM reading WINDOW w AS (PARTITION BY point ORDER BY s1)),
amount AS (
    -- a roll-over adds the modulus once; what is beyond the meter's rate is not counted
    SELECT point, s0, s1, s1 - s0 > 7200 AS long,
        CASE WHEN v >= v0 AND v - v0 <= rate * (s1 - s0) + 1e4 THEN v - v0
            WHEN v < v0 AND v - v0 + modulus <= rate * (s1 - s0) + 1e4 THEN v - v0 + modulus END AS d
    FROM step JOIN meter USING (point) WHERE s0 IS NOT NULL),
part AS (
    -- inside one hour (a reading on the hour closes the earlier one), or over one edge, or over many
    SELECT point, (s1 - 1) // 3600 AS c, d, s1 - s0 AS covered, 0 AS estimated FROM amount
        WHERE s0 // 3600 = (s1 - 1) // 3600 AND NOT long AND d IS NOT NULL
    UNION ALL
    SELECT point, s0 // 3600 + e AS c, CASE WHEN e = 0 THEN head ELSE d - head END, CASE WHEN e = 0 THEN edge - s0 ELSE s1 - edge END, 0
    FROM (SELECT *, d // (s1 - s0) * (edge - s0) + d % (s1 - s0) * (edge - s0) // (s1 - s0) AS head
        FROM (SELECT *, (s0 // 3600 + 1) * 3600 AS edge FROM amount WHERE s0 // 3600 + 1 = (s1 - 1) // 3600 AND NOT long AND d IS NOT NULL)),
        (VALUES (0), (1)) AS side(e)
    UNION ALL
    SELECT point, c, a, x1 - x0, CASE WHEN long THEN a ELSE 0 END FROM (
        SELECT *, d // s * x1 + d % s * x1 // s - (d // s * x0 + d % s * x0 // s) AS a FROM (
            SELECT *, s1 - s0 AS s, greatest(c * 3600 - s0, 0) AS x0, least((c + 1) * 3600, s1) - s0 AS x1 FROM (
                SELECT *, unnest(range(s0 // 3600, (s1 - 1) // 3600 + 1)) AS c FROM amount
                WHERE d IS NOT NULL AND (long OR s0 // 3600 + 1 < (s1 - 1) // 3600)))))
SELECT point, c, sum(d)::BIGINT AS amount, sum(estimated)::BIGINT AS estimated, sum(covered)::INTEGER AS covered
FROM part WHERE c >= {first} AND c < {last} GROUP BY point, c"""

_MONTHS = """
CREATE OR REPLACE TEMP TABLE monthly AS
WITH hour AS (
    SELECT c, month(wall) AS m, CASE WHEN hour(wall) < 8 THEN 310000000 WHEN hour(wall) IN (10, 11) OR hour(wall) BETWEEN 16 AND 21
        THEN 980000000 ELSE 650000000 END AS price
    FROM (SELECT c, make_timestamp((c + 8) * 3600000000) AS wall FROM range({first}, {last}) AS r(c))),
meters AS (
    SELECT point, m, sum(amount) AS amount, sum(estimated) AS estimated, sum(covered) AS covered,
        sum(amount::HUGEINT * price) // 1000000 AS cost FROM cells JOIN hour USING (c) GROUP BY point, m),
due AS (SELECT m, count(*) * 3600 AS due FROM hour GROUP BY m),
below AS (
    SELECT site, m, sum(amount) AS amount, sum(estimated) AS estimated, sum(cost) AS cost, bool_or(covered < due) AS open
    FROM meters JOIN meter USING (point) JOIN due USING (m) WHERE area <> '' GROUP BY site, m)
-- the leaves, and what remains of each purchase meter above them: all of it uncertain where a leaf is silent at an end
SELECT site, area, m, CASE WHEN area = '' THEN x.amount - b.amount ELSE x.amount END AS amount,
    CASE WHEN area <> '' THEN x.estimated WHEN open THEN x.amount - b.amount ELSE x.estimated + b.estimated END AS estimated, x.covered,
    CASE WHEN area = '' THEN x.cost - b.cost ELSE x.cost END AS cost
FROM meters x JOIN meter USING (point) JOIN below b USING (site, m)"""

_ACCOUNT = """
WITH area AS (
    SELECT {keys}, sum(amount) / 1e9 AS mwh, sum(least(abs(estimated), abs(amount))) / 1e9 AS estimated, sum(cost) / 1e9 AS cost,
        sum(covered) AS covered FROM monthly GROUP BY ALL)
SELECT {keys}, mwh, estimated / abs(mwh) AS estimated, mwh * f.grid AS location_based,
    CASE WHEN contract IS NOT NULL THEN mwh * contract ELSE mwh * residual END AS market_based, cost
FROM area JOIN factor f USING (site) ORDER BY ALL"""

Answer = tuple[list[tuple[object, ...]], list[tuple[object, ...]]]


def meters(works: Works) -> list[tuple[int, str, str, int, float]]:
    """Of each meter its point, site, area (of a purchase meter none), modulus, and rate in ticks per second."""
    return [
        (number, works.site(site), f"{works.area(leaf)}-{site}" if leaf else "", 10**12 if leaf else 10**14,
         400e6 / 3600 * (1 if leaf else works.leaves))
        for number, (_, site, leaf) in enumerate(works.meters(), start=1)
    ]  # fmt: skip


def declare(
    con: duckdb.DuckDBPyConnection, works: Works, factors: Sequence[tuple[str, float, float, float | None]]
) -> None:
    """Tables `meter` and `factor`: what is known of each meter, and (site, grid, residual, contract) in tCO2e/MWh."""
    con.execute(
        "CREATE TEMP TABLE meter (point INTEGER, site VARCHAR, area VARCHAR, modulus BIGINT, rate DOUBLE)"
    )
    con.executemany("INSERT INTO meter VALUES (?, ?, ?, ?, ?)", meters(works))
    con.execute("CREATE TEMP TABLE factor (site VARCHAR, grid DOUBLE, residual DOUBLE, contract DOUBLE)")
    con.executemany("INSERT INTO factor VALUES (?, ?, ?, ?)", list(factors))


def ledger(con: duckdb.DuckDBPyConnection, works: Works, files: Sequence[Path]) -> None:
    """Table `cells`: the hourly ledger of each meter, in millionths of a kWh."""
    first, last = (int(moment.timestamp()) // 3600 for moment in (works.start, works.end))
    con.execute(_LEDGER.format(first=first, last=last), {"files": [str(path) for path in files]})


def account(con: duckdb.DuckDBPyConnection, works: Works) -> Answer:
    """(area rows per month, site rows of the whole): energy, estimated share, carbon by both methods, cost."""
    first, last = (int(moment.timestamp()) // 3600 for moment in (works.start, works.end))
    con.execute(_MONTHS.format(first=first, last=last))
    areas = con.execute(_ACCOUNT.format(keys="site, area, m")).fetchall()
    sites = con.execute(_ACCOUNT.format(keys="site")).fetchall()
    return areas, sites


def floor(con: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> int:
    """The bare window query: differences by hour, without roll-overs, gaps, edges or places; how many rows."""
    found = con.execute(
        """SELECT count(amount) FROM (SELECT point, date_trunc('hour', t) AS hour, sum(d) AS amount FROM (
            SELECT point, t, value - lag(value) OVER (PARTITION BY point ORDER BY t) AS d FROM read_parquet($files))
        GROUP BY point, hour)""",
        {"files": [str(path) for path in files]},
    ).fetchone()
    return int(found[0]) if found else 0
