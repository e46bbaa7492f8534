"""From judged rows to readings: UTC, spans and units; and what must wait until the whole file has been seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta

import duckdb

from celadon.adapters.tables.kinds import FLAW, TIME_REPEATED_ONCE
from celadon.adapters.tables.points import FACTORS, POINTS, UNTIL_NEXT, Point
from celadon.adapters.tables.staging import STAGE_COLUMNS
from celadon.adapters.tables.times import Clock
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place

PENDING, OPEN, RUNS = "celadon_tables_pending", "celadon_tables_open", "celadon_tables_runs"
PLACED_COLUMNS = (
    "point INTEGER, col INTEGER, t TIMESTAMP, span INTEGER, line BIGINT, value DOUBLE, flaw UTINYINT, shown VARCHAR, "
    "raw VARCHAR, bad_unit VARCHAR"
)
_KINDS = f"(SELECT DISTINCT point, starts, span, days FROM temp.{POINTS})"


def placed(
    rows: str, clock: Clock, points: Mapping[str, Point], second: str = "FALSE", convert: bool = True
) -> str:
    """SQL over staged rows: their reading time t (UTC, an interval's end) and span, values in the meter's unit.

    `second` says which rows mean the second of a repeated time; `convert` whether FACTORS has anything. Columns as
    PLACED_COLUMNS; span is UNTIL_NEXT where the next stamp decides. A whole number of days is counted on the wall
    clock: a day of 23 hours is 23 hours long.
    """
    first = utc = clock.utc("local")
    if clock.changes and second != "FALSE":
        utc = f"CASE WHEN {second} THEN {clock.utc('local', second=True)} ELSE {first} END"
    u = f"CASE WHEN off IS NULL THEN {utc} ELSE local - to_seconds(off) END AS u"
    kinds = {(point.starts, point.span, point.days) for point in points.values()}
    if kinds == {(False, 0, 0)}:
        ends = f"SELECT *, u AS t, u AS began, 0 AS span FROM (SELECT *, {u} FROM {rows})"
    else:
        joined = f"SELECT s.*, p.starts, p.span, p.days, {u} FROM {rows} s LEFT JOIN {_KINDS} p ON p.point = s.point"
        later = earlier = fixed = "to_seconds(greatest(span, 0))"
        if clock.changes and any(days for _, _, days in kinds):
            on_clock = f"days > 0 AND (off IS NULL OR u = {first})"
            later = f"CASE WHEN {on_clock} THEN {clock.utc('(local + to_days(days))')} - u ELSE {fixed} END"
            earlier = f"CASE WHEN {on_clock} THEN u - {clock.utc('(local - to_days(days))')} ELSE {fixed} END"
        t, began = (
            f"CASE WHEN starts THEN u + ({later}) ELSE u END",
            f"CASE WHEN starts THEN u ELSE u - ({earlier}) END",
        )
        span = "CASE WHEN span < 0 THEN span ELSE epoch(t - began)::INTEGER END AS span"
        ends = f"SELECT * REPLACE ({span}) FROM (SELECT *, {t} AS t, {began} AS began FROM ({joined}))"
    columns = "r.point, r.col, r.t, r.span, r.line"
    if not convert:
        return f"SELECT {columns}, r.value, r.flaw, r.shown, r.raw, NULL::VARCHAR AS bad_unit FROM ({ends}) r"
    # 1.021 MWh are 1021 kWh, not 1020.9999999999999: a product keeps the digits that a number can be printed with
    converted = "CAST(printf('%.15g', r.value * k.num / k.den) AS DOUBLE)"
    value = f"CASE WHEN k.num IS NULL OR k.num = k.den THEN r.value ELSE {converted} END"
    return (
        f"SELECT {columns}, CASE WHEN k.flaw IS NULL THEN {value} END AS value, "
        "coalesce(r.flaw, CASE WHEN r.value IS NOT NULL THEN k.flaw END) AS flaw, r.shown, r.raw, "
        "CASE WHEN r.flaw IS NULL AND k.flaw IS NOT NULL THEN r.unit END AS bad_unit "
        f"FROM ({ends}) r LEFT JOIN temp.{FACTORS} k "
        "ON k.point = r.point AND k.unit = r.unit AND r.began >= k.since AND r.began < k.until"
    )


@dataclass(slots=True)
class Waiting:
    """Rows that cannot be placed before the whole file has been seen."""

    con: duckdb.DuckDBPyConnection
    first: tuple[int, datetime] | None = None
    last: tuple[int, datetime] | None = None
    """Line and wall time of the file's first and last good row: which way it runs."""
    held: bool = False
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {PENDING} ({STAGE_COLUMNS})")
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {OPEN} ({PLACED_COLUMNS})")

    def hold(self, stage: str, condition: str) -> None:
        """Keep staged rows in a repeated hour for the end."""
        self.con.execute(f"INSERT INTO temp.{PENDING} SELECT * FROM temp.{stage} WHERE {condition}")
        self.held = True

    def direction(self, stage: str) -> None:
        """Note where the file has got to."""
        row = self.con.execute(
            f"SELECT min(line), arg_min(local, line), max(line), arg_max(local, line) FROM temp.{stage} WHERE flaw IS NULL"
        ).fetchone()
        if row and row[0] is not None:
            self.first, self.last = self.first or (row[0], row[1]), (row[2], row[3])

    def span(self) -> tuple[datetime, datetime] | None:
        """The wall times that wait in repeated hours, from..to; None when there are none."""
        if not self.held:
            return None
        row = self.con.execute(f"SELECT min(local), max(local) FROM temp.{PENDING}").fetchone()
        return (row[0], row[1]) if row and row[0] is not None else None

    def resolve_repeated(self, clock: Clock, where: Place) -> str:
        """Tell first from second occurrences by the order of the rows; gives staged rows with a column `second`.

        A run ends where time steps back (in a file that runs backwards: forward). Where rows of both occurrences
        alternate, the first of two equal stamps is the first occurrence. A third run cannot be told.
        """
        backwards = bool(self.first and self.last and self.last[1] < self.first[1])
        edges = [change.edges for change in clock.changes if not change.skips]
        marks = " ".join(
            f"WHEN local < TIMESTAMP '{_wall(end)}' THEN {n}" for n, (_, end) in enumerate(edges)
        )
        steps = (
            f"SELECT *, local - lag(local) OVER w AS step, row_number() OVER (PARTITION BY point, change, local ORDER BY line) AS nth "
            f"FROM (SELECT *, CASE {marks} END AS change FROM temp.{PENDING}) WINDOW w AS (PARTITION BY point, change ORDER BY line)"
        )
        zero = "INTERVAL 0 SECOND"
        turned = (
            f"SELECT *, CASE WHEN sum(CASE WHEN step > {zero} THEN 1 WHEN step < {zero} THEN -1 ELSE 0 END) OVER p = 0 "
            f"THEN {backwards} ELSE sum(CASE WHEN step > {zero} THEN 1 WHEN step < {zero} THEN -1 ELSE 0 END) OVER p < 0 END AS back "
            f"FROM ({steps}) WINDOW p AS (PARTITION BY point, change)"
        )
        runs = (
            f"SELECT *, sum(CASE WHEN (back AND step >= {zero}) OR (NOT back AND step <= {zero}) THEN 1 ELSE 0 END) "
            f"OVER (PARTITION BY point, change ORDER BY line) AS run FROM ({turned})"
        )
        tops = f"SELECT *, max(run) OVER p AS runs, max(nth) OVER p AS most FROM ({runs}) WINDOW p AS (PARTITION BY point, change)"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {RUNS} AS {tops}")
        self._given_once(clock, where)
        often = FLAW["hour-given-often"]
        later = (
            "CASE WHEN runs = 0 THEN FALSE WHEN runs = 1 THEN (run = 1) <> back ELSE (nth = 2) <> back END"
        )
        lost = "flaw IS NULL AND runs > 1 AND most <> 2"
        return (
            f"(SELECT point, col, local, off, CASE WHEN {lost} THEN NULL ELSE value END AS value, unit, line, "
            f"CASE WHEN {lost} THEN {often} ELSE flaw END AS flaw, CASE WHEN {lost} THEN local::VARCHAR ELSE shown END AS shown, raw, "
            f"{later} AS second FROM temp.{RUNS})"
        )

    def _given_once(self, clock: Clock, where: Place) -> None:
        row = self.con.execute(
            f"SELECT count(*), min(line) FROM (SELECT point, change, min(line) AS line FROM temp.{RUNS} WHERE runs = 0 AND flaw IS NULL GROUP BY ALL)"
        ).fetchone()
        if row and row[0]:
            place = Place(where.file, where.sheet, row[1])
            self.findings.append(TIME_REPEATED_ONCE.at(place, zone=clock.zone, count=row[0], lines=row[1]))

    def close_open(self) -> str:
        """Intervals that last until the next stamp: rows (PLACED_COLUMNS) with their span, or the flaw of having none."""
        flaw = FLAW["span-open"]
        return (
            f"WITH stamps AS (SELECT point, t, lead(t) OVER w AS next_t, lag(t) OVER w AS last_t "
            f"FROM (SELECT DISTINCT point, t FROM temp.{OPEN}) WINDOW w AS (PARTITION BY point ORDER BY t)), "
            f"bound AS (SELECT o.* EXCLUDE (t, span), CASE WHEN k.starts THEN s.next_t WHEN s.last_t IS NOT NULL THEN o.t END AS t, "
            f"CASE WHEN k.starts THEN s.next_t - s.t ELSE s.t - s.last_t END AS lasts "
            f"FROM temp.{OPEN} o JOIN stamps s ON s.point = o.point AND s.t = o.t LEFT JOIN {_KINDS} k ON k.point = o.point) "
            f"SELECT point, col, t, epoch(lasts)::INTEGER AS span, line, CASE WHEN lasts IS NULL THEN NULL ELSE value END AS value, "
            f"coalesce(flaw, CASE WHEN lasts IS NULL AND value IS NOT NULL THEN {flaw} END)::UTINYINT AS flaw, "
            f"coalesce(shown, CASE WHEN lasts IS NULL THEN value::VARCHAR END) AS shown, raw, bad_unit FROM bound"
        )


def waits(points: Mapping[str, Point]) -> bool:
    """Whether some meter's intervals last until the next stamp."""
    return any(point.span == UNTIL_NEXT for point in points.values())


def _wall(seconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)
