"""The statement that splits, parses and judges one batch of a table: every rule about rows and cells in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from celadon.adapters.tables import limits, numbers
from celadon.adapters.tables.kinds import FLAW, HEADER_SKIP
from celadon.adapters.tables.numbers import NumberForm
from celadon.adapters.tables.points import POINTS, STATES, UNTIL_NEXT, Layout
from celadon.adapters.tables.sql import case, literal, text_list
from celadon.adapters.tables.table import Batch, Table
from celadon.adapters.tables.times import TimeForm
from celadon.core.dataclass import dataclass
from celadon.core.model import Meter, Source

STAGE = "celadon_tables_stage"
STAGE_COLUMNS = (
    "point INTEGER, col INTEGER, local TIMESTAMP, off INTEGER, value DOUBLE, unit VARCHAR, line BIGINT, "
    "flaw UTINYINT, shown VARCHAR, raw VARCHAR"
)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a load needs besides the table."""

    source: Source
    meters: Mapping[str, Meter]
    point_ids: Mapping[str, int]
    file_id: int
    batch: int
    into: str
    zone: str
    states: Mapping[str, Mapping[str, int]]
    now: datetime
    """With a zone."""

    @property
    def numbers(self) -> NumberForm:
        return NumberForm(self.source.decimal, self.source.thousands)

    @property
    def zone_name(self) -> str:
        return self.source.zone or self.zone

    def times(self, table: Table) -> TimeForm:
        closes = self.source.midnight == "closes"
        return TimeForm(
            self.source.time_format, closes, table.typed, table.excel_1904, table.time_guess, table.time_sure
        )


def rows_with_time(batch: Batch, table: Table, times: tuple[int, ...], form: TimeForm, now: datetime) -> str:
    """The lines of a batch that are not blank, with their time: text `tt`, wall time `local`, `off`, and `rflaw`.

    `rflaw` is what is wrong with the row as a whole: undecodable, ragged, without a good time.
    """
    timed = f"SELECT *, {_time_text(times, table.typed, batch.tidy)} AS tt FROM {batch.query}"
    timed = f"SELECT *, {form.fast('tt')} AS fast FROM ({timed})"
    local = (
        f"SELECT *, CASE WHEN fast IS NOT NULL THEN fast ELSE {form.local('tt')} END AS local, "
        f"CASE WHEN fast IS NULL THEN {form.offset('tt')} END AS off FROM ({timed})"
    )
    if form.only_fast:
        local = f"SELECT *, fast AS local, NULL::INTEGER AS off FROM ({timed})"
    rflaw = case(row_flaws(table), form.flaw("tt", "local", now))
    return f"(SELECT * EXCLUDE (fast), ({rflaw})::UTINYINT AS rflaw FROM ({local}) WHERE CASE WHEN tt = '' THEN NOT {blank('f')} ELSE TRUE END)"


def blank(fields: str) -> str:
    """SQL: whether a list of cells holds nothing."""
    return f"trim(array_to_string({fields}, ''), ' \"\t') = ''"


def row_flaws(table: Table) -> list[tuple[str, str]]:
    """CASE branches over x, f and mark: lines to skip, undecodable lines, lines of another length."""
    branches = []
    if table.header.text and not table.typed:
        branches.append((f"x = {literal(table.header.text)}", str(HEADER_SKIP)))
    branches.append(("mark IS NOT NULL", "mark"))
    if not table.typed:
        width = table.header.width
        extra = f"len(f) > {width} AND NOT {blank(f'f[{width + 1}:]')}"
        branches.append((f"len(f) < {width} OR ({extra})", str(FLAW["row-ragged"])))
    return branches


def _time_text(times: tuple[int, ...], typed: bool, tidy: bool) -> str:
    first = numbers.clean(f"f[{times[0]}]", tidy)
    if len(times) == 1:
        return first
    second = numbers.clean(f"f[{times[1]}]", tidy)
    if typed:
        mark = literal(numbers.TYPED_TIME)
        first = f"CASE WHEN starts_with({first}, {mark}) THEN left({first}, 11) ELSE {first} END"
        second = f"regexp_replace({second}, '^\x03([0-9-]+ )?', '')"
    return f"trim({first} || ' ' || {second})"


@dataclass(frozen=True, slots=True)
class Staging:
    """Builds the statement for one table, layout and source of readings."""

    table: Table
    layout: Layout
    context: Context
    states: bool
    """Whether a state point is among the meters."""
    waits: bool
    """Whether a meter's intervals last until the next stamp."""
    doubted: frozenset[int] = field(default_factory=frozenset)
    """Columns whose ambiguous numbers are not trusted."""

    def query(self, batch: Batch) -> str:
        """One row (STAGE_COLUMNS) per cell that has something to say, and one per bad row."""
        form = self.context.times(self.table)
        rows = rows_with_time(batch, self.table, self.layout.time, form, self.context.now)
        return self._judged(
            self._long(rows, batch.tidy) if self.layout.long else self._wide(rows, batch.tidy)
        )

    def _unit(self, tidy: bool) -> str:
        return (
            f"nullif({numbers.clean(f'f[{self.layout.unit}]', tidy)}, '')"
            if self.layout.unit
            else "NULL::VARCHAR"
        )

    def _long(self, rows: str, tidy: bool) -> str:
        meter = numbers.clean(f"f[{self.layout.meter}]", tidy)
        cell = numbers.clean(f"f[{self.layout.columns[0].index}]", tidy)
        named = f"SELECT *, {meter} AS meter, {self._unit(tidy)} AS u, {cell} AS cell FROM {rows}"
        if self.table.typed:
            named = (
                f"SELECT * REPLACE (ltrim(meter, {literal(numbers.TYPED_NUMBER)}) AS meter) FROM ({named})"
            )
        return (
            "SELECT r.*, coalesce(p.point, -1) AS point, 0 AS col, coalesce(p.span, 0) AS span, "
            "coalesce(p.state, FALSE) AS state, coalesce(r.u, p.unit) AS unit "
            f"FROM ({named}) r LEFT JOIN temp.{POINTS} p ON p.name = r.meter"
        )

    def _wide(self, rows: str, tidy: bool) -> str:
        first = next((n for n, column in enumerate(self.layout.columns) if column.meter is not None), 0)
        cell = numbers.clean("r.f[p.idx]", tidy)
        return (
            "SELECT r.*, p.point, p.col, p.span, p.state, coalesce(r.u, p.unit) AS unit, '' AS meter, "
            f"CASE WHEN r.rflaw IS NULL THEN {cell} END AS cell "
            f"FROM (SELECT *, {self._unit(tidy)} AS u FROM {rows}) r, temp.{POINTS} p WHERE r.rflaw IS NULL OR p.col = {first}"
        )

    def _judged(self, cells: str) -> str:
        typed, missing = self.table.typed, self.context.source.missing
        bare = f"ltrim(cell, {literal(numbers.TYPED_NUMBER)})" if typed else "cell"
        absent = f"coalesce({bare} IN {text_list(missing)}, TRUE)"
        number = numbers.value("cell", self.context.numbers, typed)
        if any(numbers.looks_numeric(word) for word in missing):
            # -9999 and the like are numbers, but mean that there is none.
            number = f"CASE WHEN {absent} THEN NULL ELSE {number} END"
        if self.states:
            cells = f"SELECT c.*, s.code FROM ({cells}) c LEFT JOIN temp.{STATES} s ON s.point = c.point AND s.word = lower(c.cell)"
            number = f"CASE WHEN state AND code IS NOT NULL THEN code ELSE {number} END"
        valued = f"SELECT *, CASE WHEN rflaw IS NULL THEN {number} END AS v FROM ({cells})"
        judged = f"SELECT *, ({self._flaw(absent)})::UTINYINT AS flaw FROM ({valued})"
        keep = f"flaw IS NOT NULL OR v IS NOT NULL{f' OR span = {UNTIL_NEXT}' if self.waits else ''}"
        return (
            "SELECT point, col, local, off, CASE WHEN flaw IS NULL THEN v END AS value, unit, line, flaw, "
            f"CASE WHEN flaw IS NOT NULL THEN left({_shown()}, {limits.SHOWN}) END AS shown, "
            f"CASE WHEN flaw IS NOT NULL THEN x END AS raw FROM ({judged}) WHERE {keep}"
        )

    def _flaw(self, absent: str) -> str:
        doubt = f"col IN ({', '.join(map(str, sorted(self.doubted)))})" if self.doubted else ""
        branches = [("rflaw IS NOT NULL", "rflaw"), ("point = -1", str(FLAW["meter-unknown"]))]
        branches.append((f"v IS NULL AND {absent}", "NULL"))
        if self.states:
            branches.append(("state AND v IS NULL", str(FLAW["state-unknown"])))
        return case(branches, numbers.flaw("cell", "v", doubt, self.table.typed))


def _shown() -> str:
    whole = f"flaw IN ({FLAW['encoding-mixed']}, {FLAW['quote-open']}, {FLAW['row-ragged']})"
    return case([(whole, "x"), ("rflaw IS NOT NULL", "tt"), ("point = -1", "meter")], "cell")
