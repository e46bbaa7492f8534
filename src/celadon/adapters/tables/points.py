"""The points a file's columns or rows belong to, as a small table the engine joins with; units and states included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from difflib import get_close_matches
from fractions import Fraction

import duckdb

from celadon.adapters.tables.header import plain
from celadon.adapters.tables.kinds import (
    FLAW,
    METER_MAPPED_TWICE,
    METER_UNKNOWN,
    UNIT_CONTRADICTS,
    UNIT_CONVERTED,
)
from celadon.adapters.tables.table import Table
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.core.model import Meter, PointKind, Source, Stamp
from celadon.core.text import Text
from celadon.core.units import UNIT_MISMATCH, UNIT_UNKNOWN, UnitError, parse_unit

POINTS, STATES, FACTORS = "celadon_tables_points", "celadon_tables_states", "celadon_tables_factors"
UNTIL_NEXT = -1
"""Span of an interval that lasts until the next stamp."""
_DAY = 86_400

# Words for off and on that need no declaration.
_WORDS = {
    0: ("off", "stop", "stopped", "false", "no", "closed", "停", "停机", "停止", "停运", "关", "关闭", "否"),
    1: ("on", "run", "running", "true", "yes", "open", "运行", "开", "开机", "启动", "开启", "是"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One mapped column of a wide table, or the value column of a long one. `index` counts from 1."""

    index: int
    title: str
    meter: Meter | None
    unit: str | None = None


@dataclass(slots=True)
class Layout:
    """Which columns of a table hold what. Column numbers count from 1; 0 where the source has none."""

    time: tuple[int, ...] = ()
    meter: int = 0
    unit: int = 0
    columns: list[Column] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def long(self) -> bool:
        return self.meter > 0

    @property
    def usable(self) -> bool:
        return bool(self.time and self.columns)


def wanted_columns(source: Source) -> list[str]:
    """Every column name the source of readings asks for; the time column first."""
    names = [*time_columns(source)]
    names += [name for name in (source.meter_column, source.value_column, source.unit_column) if name]
    if not source.meter_column:
        names += [header for header, _ in source.columns]
    return names


def time_columns(source: Source) -> list[str]:
    """One column, or date and clock in two: `date + time`."""
    return [
        source.time_column,
        *(part.strip() for part in source.time_column.split(" + ") if " + " in source.time_column),
    ]


def lay_out(table: Table, source: Source, meters: Mapping[str, Meter]) -> Layout:
    """Find the source's columns in the table's header; what is missing or doubtful becomes a Finding."""
    layout = Layout()

    def find(name: str) -> int:
        found = table.header.find(name, table.place)
        if isinstance(found, Finding):
            layout.findings.append(found)
            return 0
        return found + 1

    parts = [source.time_column]
    if " + " in source.time_column and not table.header.columns_named(source.time_column):
        parts = time_columns(source)[1:]
    times = [find(part) for part in parts]
    layout.time = tuple(times) if all(times) else ()
    layout.unit = find(source.unit_column) if source.unit_column else 0
    if source.meter_column:
        layout.meter = find(source.meter_column)
        value = find(source.value_column or "value")
        if layout.meter and value:
            title = source.value_column or "value"
            unit = _column_unit(layout, table, dict(source.units).get(title), value - 1, title)
            layout.columns.append(Column(value, title, None, unit))
        return layout
    _wide_columns(layout, table, source, meters)
    return layout


def _wide_columns(layout: Layout, table: Table, source: Source, meters: Mapping[str, Meter]) -> None:
    taken: dict[str, str] = {}
    units = {plain(name): unit for name, unit in source.units}
    for title, meter_id in source.columns:
        place = Place(table.shown, table.sheet, table.header.line or None, title)
        meter = meters.get(meter_id)
        if meter is None:
            layout.findings.append(unknown_meter(meter_id, meters, place, "all", "*"))
            continue
        if meter_id in taken:
            layout.findings.append(
                METER_MAPPED_TWICE.at(place, first=taken[meter_id], column=title, meter=meter_id)
            )
            continue
        found = table.header.find(title, table.place)
        if isinstance(found, Finding):
            layout.findings.append(found)
            continue
        taken[meter_id] = title
        unit = _column_unit(layout, table, units.get(plain(title)), found, title)
        layout.columns.append(Column(found + 1, title, meter, unit))


def _column_unit(layout: Layout, table: Table, said: str | None, column: int, title: str) -> str | None:
    """The plant file's unit of a column (from 0), else that of its header; where they differ there is a Finding."""
    header = table.header.unit_of(column)
    if said and header and not same_unit(said, header):
        place = Place(table.shown, table.sheet, table.header.line or None, title)
        layout.findings.append(UNIT_CONTRADICTS.at(place, header=header, unit=said))
    return said or header


def unknown_meter(
    meter_id: str, meters: Mapping[str, Meter], place: Place, count: object, lines: str
) -> Finding:
    """The finding, with the nearest known id."""
    near = get_close_matches(meter_id, list(meters), n=1, cutoff=0.6)
    hint = f" (“{near[0]}”?)" if near else ""
    return METER_UNKNOWN.at(
        place, meter=meter_id or Text("(blank)", "（空白）"), hint=hint, count=count, lines=lines
    )


@dataclass(frozen=True, slots=True)
class Point:
    """How one meter's values and stamps are read."""

    id: int
    meter: Meter
    starts: bool
    span: int
    days: int

    @property
    def is_state(self) -> bool:
        return self.meter.kind is PointKind.STATE


def point_of(meter: Meter, point_id: int, stamp: Stamp | None) -> Point:
    """The meter as a point: interval points have a span whatever their stamp, others when stamped start or end."""
    stamp = stamp or meter.stamp
    span = 0
    if meter.kind is PointKind.INTERVAL:
        span = meter.interval_seconds or UNTIL_NEXT
    elif meter.kind in (PointKind.RATE, PointKind.LEVEL, PointKind.COUNT) and stamp is not Stamp.INSTANT:
        span = meter.interval_seconds or 0
    starts = stamp is Stamp.START or (span == UNTIL_NEXT and stamp is not Stamp.END)
    days = span // _DAY if span > 0 and span % _DAY == 0 else 0
    return Point(point_id, meter, starts and span != 0, span, days)


def fill_points(
    con: duckdb.DuckDBPyConnection,
    layout: Layout,
    source: Source,
    points: Mapping[str, Point],
    states: Mapping[str, Mapping[str, int]],
) -> None:
    """The temporary tables POINTS (one row per mapped column, or per meter name) and STATES (words of state points)."""
    rows: list[tuple[object, ...]] = []
    if layout.long:
        unit, names = layout.columns[0].unit, names_of(points, source)
        rows = [(0, 0, word, *attributes(points[meter_id], unit)) for word, meter_id in names.items()]
    else:
        for n, column in enumerate(layout.columns):
            if column.meter is not None:
                rows.append(
                    (n, column.index, column.meter.id, *attributes(points[column.meter.id], column.unit))
                )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {POINTS} (col INTEGER, idx INTEGER, name VARCHAR, point INTEGER, starts BOOLEAN, "
        "span INTEGER, days INTEGER, state BOOLEAN, unit VARCHAR)"
    )
    insert_rows(con, POINTS, rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {STATES} (point INTEGER, word VARCHAR, code DOUBLE)")
    words = [
        (p.id, word, float(code))
        for p in points.values()
        if p.is_state
        for word, code in state_words(p.meter, states).items()
    ]
    insert_rows(con, STATES, words)


def names_of(points: Mapping[str, Point], source: Source) -> dict[str, str]:
    """The words that name these points in a column of meters -> their ids."""
    return {meter_id: meter_id for meter_id in points} | {
        alias: meter_id for alias, meter_id in _aliases(source) if meter_id in points
    }


def meters_named(table: Table, layout: Layout, source: Source) -> set[str] | None:
    """The meters that a small file with a column of meters can name, so that no others need be made ready; None: it may be any."""
    if not (layout.long and layout.meter and table.whole):
        return None
    words = {cells[layout.meter - 1] for _, cells in table.sample if len(cells) >= layout.meter}
    if not all(word.isascii() and word == word.strip() and '"' not in word for word in words):
        return None  # the names are in these words, but cleaned
    return words | {meter_id for alias, meter_id in _aliases(source) if alias in words}


def _aliases(source: Source) -> Sequence[tuple[str, str]]:
    """The file's names of meters -> their ids."""
    return next((pairs for key, pairs in source.maps if key == "meter"), ())


def attributes(point: Point, unit: str | None) -> tuple[object, ...]:
    """What POINTS says of a point whose column is in that unit: id, starts, span, days, state, unit where it must be converted."""
    unit = unit if unit and not same_unit(unit, point.meter.unit) else None
    return (point.id, point.starts, point.span, point.days, point.is_state, None if point.is_state else unit)


def same_unit(unit: str, other: str) -> bool:
    """Whether two texts name one unit."""
    if unit.strip() == other.strip():
        return True
    try:
        left, right = parse_unit(unit), parse_unit(other)
    except UnitError:
        return False
    return left.same_kind(right) and left.ratio == right.ratio


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Put rows into a temporary table, values as parameters: one list per column, or the one value that it has."""
    for start in range(0, len(rows), 5000):
        columns = list(zip(*rows[start : start + 5000], strict=True))
        many = [len(set(column)) > 1 for column in columns]
        if not any(many):
            many[0] = True
        parts = ", ".join("unnest(?)" if list_ else "?" for list_ in many)
        values = [list(column) if list_ else column[0] for column, list_ in zip(columns, many, strict=True)]
        con.execute(f"INSERT INTO temp.{table} SELECT {parts}", values)


def state_words(meter: Meter, states: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Word (lower case) -> code: the declared list in order, else the usual words for off and on."""
    declared = states.get(meter.id) or {word: code for code, word in enumerate(meter.states)}
    if declared:
        return {word.strip().lower(): code for word, code in declared.items()}
    return {word: code for code, words in _WORDS.items() for word in words}


# --- units ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conversion:
    """Value × num / den from `since` to `until` (UTC), or a flaw."""

    since: datetime
    until: datetime
    num: float
    den: float
    flaw: int | None = None


_ALWAYS = (datetime(1, 1, 1), datetime(9999, 1, 1))


def conversions(meter: Meter, unit: str) -> list[Conversion]:
    """How values in `unit` become the meter's unit, exactly; after a declared change of unit, the changed one."""
    changes = sorted((c.at, c.unit) for c in meter.changes if c.kind == "unit" and c.unit)
    epochs = [
        (_ALWAYS[0], meter.unit),
        *((at.astimezone(UTC).replace(tzinfo=None), to) for at, to in changes),
    ]
    found = []
    for n, (since, target) in enumerate(epochs):
        until = epochs[n + 1][0] if n + 1 < len(epochs) else _ALWAYS[1]
        factor = unit_factor(unit, target)
        if isinstance(factor, int):
            found.append(Conversion(since, until, 1.0, 1.0, factor))
        else:
            found.append(Conversion(since, until, float(factor.numerator), float(factor.denominator)))
    return found


def unit_factor(unit: str, target: str) -> Fraction | int:
    """The exact factor, or the number of the flaw: unknown unit, unit of another kind."""
    try:
        source = parse_unit(unit)
    except UnitError:
        return FLAW["unit.unknown"]
    try:
        return source.factor_to(parse_unit(target))
    except UnitError:
        return FLAW["unit.mismatch"]


def unit_finding(unit: str, target: str, place: Place) -> Finding:
    """Why `unit` cannot become `target`, or the notice that it was converted."""
    factor = unit_factor(unit, target)
    if isinstance(factor, Fraction):
        return UNIT_CONVERTED.at(place, unit=unit, target=target, factor=factor)
    if factor == FLAW["unit.unknown"]:
        try:
            parse_unit(unit)
        except UnitError as error:
            near = error.text.en.partition("did you mean “")[2].partition("”")[0]
            hint = Text(f" (did you mean “{near}”?)", f"（是否指“{near}”？）") if near else ""
            return UNIT_UNKNOWN.at(place, unit=unit, hint=hint)
    kind = parse_unit(unit).kind
    return UNIT_MISMATCH.at(place, what=f"“{place.column}”", unit=unit, dimension=kind, expected=target)
