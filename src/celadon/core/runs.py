"""Runs: readings of one point that follow on one another without a gap, in the order of their lines.

A month of a meter that misses nothing is one run, so whoever must know whether readings are whole looks at runs, not readings.
The store finds them when it writes a segment, metering where nobody did.
"""

from __future__ import annotations

RUN_COLUMNS = {
    "point": "INTEGER", "t": "TIMESTAMP", "span": "INTEGER", "value": "DOUBLE", "file": "INTEGER", "line": "INTEGER",
    "t1": "TIMESTAMP", "v1": "DOUBLE", "f1": "INTEGER", "l1": "INTEGER",
}  # fmt: skip
"""The first reading, and of the last one time, value, file, line. Instants are ends of amounts; between them `span` seconds each."""
_READING = ("point", "t", "span", "value", "file", "line")


def runs_sql(readings: str, sound: str = "true") -> str:
    """A query for the runs (`RUN_COLUMNS`) of the query `readings`, read once, as it comes.

    Each reading of a run but its first has an amount of zero or more, and fulfils `sound`. Nothing rests on the order: were readings
    to come otherwise, there would be many runs. `t1` and its like are of the reading before the next run's first.
    """
    before = ", ".join(f"lag({name}) OVER () AS {name}_b" for name in _READING)
    names = ", ".join(_READING)
    follows = (
        "point_b = point AND span = span_b AND epoch_us(t_b) = epoch_us(t) - span::BIGINT * 1000000 "
        f"AND (line_b <= line OR file_b <> file) AND value >= 0 AND ({sound})"
    )
    last = ", ".join(f"lead({name}_b) OVER (ORDER BY rn) AS {to}" for name, to in _LAST.items())
    return f"""
        WITH mark AS MATERIALIZED (
            SELECT *, ({follows}) IS TRUE AS follows FROM (
                SELECT {names}, {before}, row_number() OVER () AS rn, lead(point) OVER () IS NULL AS is_last FROM ({readings}))
            WHERE NOT follows OR is_last),
        ends AS (
            SELECT rn, {names}, {", ".join(f"{name}_b" for name in _READING)} FROM mark WHERE NOT follows
            UNION ALL SELECT rn + 1, {", ".join("NULL" for _ in _READING)}, {names} FROM mark WHERE is_last)
        SELECT {names}, {", ".join(_LAST.values())} FROM (SELECT rn, {names}, {last} FROM ends) WHERE point IS NOT NULL"""


_LAST = {"t": "t1", "value": "v1", "file": "f1", "line": "l1"}
