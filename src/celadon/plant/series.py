"""`series` and `readings`: what meters counted, cell by cell, and the readings behind a stretch of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Grain, Period
from celadon.core.text import Text
from celadon.core.units import did_you_mean, parse_unit
from celadon.metering.points import ledger_unit
from celadon.plant.ledger import Deriver, summed_meters, write_ledger
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace

METER_UNKNOWN = FindingKind(
    "series.meter-unknown",
    Severity.ERROR,
    Text("Meter not known", "未知计量点"),
    Text("No meter that counts amounts is called “{meter}”{hint}.", "没有名为“{meter}”的累计计量点{hint}。"),
    Text("Name a meter or virtual meter of the plant file.", "请使用工厂文件中的计量点或虚拟计量点。"),
)
TOO_FINE = FindingKind(
    "series.too-long",
    Severity.ERROR,
    Text("Too many values at once", "一次请求的数值过多"),
    Text(
        "{count} values were asked for; one answer holds {most}.",
        "请求了 {count} 个数值；一次最多 {most} 个。",
    ),
    Text(
        "Ask for a shorter period, fewer meters, or coarser cells.", "请缩短期间、减少计量点或加大时间粒度。"
    ),
)
_TICKS = 10**6
_CELLS_MOST = 1_000_000


@dataclass(frozen=True)
class Line:
    """One meter's amounts, one for each cell, in `unit`; None where nothing is known, and how much of it is estimated."""

    meter: str
    unit: str
    values: tuple[float | None, ...]
    estimated: tuple[float, ...]
    """Share of each amount's span that rests on estimates, 0 to 1."""


@dataclass(frozen=True)
class Series:
    """Amounts of meters over the cells that begin at `starts` (UTC); a cell ends where the next begins, the last at the period's end."""

    period: Period
    starts: tuple[datetime, ...]
    seconds: tuple[int, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading as a file says it: `span` seconds for an interval that ends at `time`, 0 for an instant."""

    time: datetime
    span: int
    value: float
    file: str
    line: int
    batch: int


def series(work: Workspace, seen: View, meters: Sequence[str], period: Period, per: Grain | None) -> Series:
    """What meters and virtual meters counted in each calendar unit (None = each cell of the plant's ledger).

    Raises:
        FindingError: a meter that is not known; more than a million values.
    """
    starts = _starts(seen.model, period, per)
    if len(starts) * len(meters) > _CELLS_MOST:
        where = Place(subject=period.label)
        raise FindingError(
            TOO_FINE.at(where, count=f"{len(starts) * len(meters):,}", most=f"{_CELLS_MOST:,}")
        )
    terms = {name: _terms(seen.model, name) for name in meters}
    write_ledger(work.con, seen, period)
    found = _cells(work, seen, {meter for each in terms.values() for meter in each}, period, starts)
    work.con.execute("DROP TABLE ledger")
    units = {meter.id: parse_unit(ledger_unit(meter).text) for meter in summed_meters(seen.model)}
    lines = []
    for name, weights in terms.items():
        unit = units[next(iter(weights))]
        scaled = {meter: float(weight * units[meter].factor_to(unit)) for meter, weight in weights.items()}
        lines.append(_line(name, unit.text, scaled, found, len(starts)))
    ends = (*starts[1:], period.end)
    seconds = tuple(round((end - start).total_seconds()) for start, end in zip(starts, ends, strict=True))
    return Series(period, tuple(starts), seconds, tuple(lines))


def readings(
    work: Workspace, seen: View, meter: str, start: datetime, end: datetime, beyond: int = 3
) -> list[Seen]:
    """The readings of a meter that count in [start, end), and `beyond` before and after, by time.

    Raises:
        FindingError: no such meter.
    """
    points = seen.snapshot.points()
    if meter not in {item.id for item in seen.model.meters}:
        raise _unknown(seen.model, meter)
    if meter not in points:
        return []
    deriver = Deriver.of(work.con, seen)
    with seen.store.reading():
        deriver.readings([points[meter]], start, end, "readings_around", beyond)
    rows = work.con.execute(
        "SELECT t, span, value, file, line, batch FROM readings_around ORDER BY t, batch"
    ).fetchall()
    work.con.execute("DROP TABLE readings_around")
    return [
        Seen(
            t.replace(tzinfo=UTC),
            int(span),
            float(value),
            deriver.files.get(file, "?"),
            int(line),
            int(batch),
        )
        for t, span, value, file, line, batch in rows
    ]


def _starts(model: PlantModel, period: Period, per: Grain | None) -> list[datetime]:
    if per is not None:
        return [part.start for part in period.split(per)]
    step, moment, found = timedelta(seconds=model.grid_seconds), period.start, []
    if period.seconds / model.grid_seconds > _CELLS_MOST:
        where = Place(subject=period.label)
        count = f"{period.seconds / model.grid_seconds:,.0f}"
        raise FindingError(TOO_FINE.at(where, count=count, most=f"{_CELLS_MOST:,}"))
    while moment < period.end:
        found.append(moment)
        moment += step
    return found


def _terms(model: PlantModel, name: str, above: tuple[str, ...] = ()) -> dict[str, Fraction]:
    """The physical meters that a meter is made of, with their weights."""
    if name in {meter.id for meter in summed_meters(model)}:
        return {name: Fraction(1)}
    virtual = next((item for item in model.virtual_meters if item.id == name), None)
    if virtual is None or name in above:
        raise _unknown(model, name)
    found: dict[str, Fraction] = {}
    for part, weight in virtual.terms:
        for meter, inner in _terms(model, part, (*above, name)).items():
            found[meter] = found.get(meter, Fraction(0)) + weight * inner
    return found


def _unknown(model: PlantModel, name: str) -> FindingError:
    known = [*(meter.id for meter in summed_meters(model)), *(item.id for item in model.virtual_meters)]
    return FindingError(
        METER_UNKNOWN.at(Place(subject=f"meter:{name}"), meter=name, hint=did_you_mean(name, known))
    )


_Cells = Mapping[str, Mapping[int, tuple[int, float]]]


def _cells(
    work: Workspace, seen: View, meters: Iterable[str], period: Period, starts: Sequence[datetime]
) -> _Cells:
    """Meter -> number of the cell -> (ticks, share estimated), from the table `ledger`; cells without data are left out."""
    points = {seen.snapshot.points()[meter]: meter for meter in meters if meter in seen.snapshot.points()}
    found: dict[str, dict[int, tuple[int, float]]] = {meter: {} for meter in points.values()}
    if not points:
        return found
    con = work.con
    edges = [moment.replace(tzinfo=None) for moment in starts]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE edge AS SELECT unnest($1::TIMESTAMP[]) AS start, unnest(range($2)) AS number",
        [edges, len(edges)],
    )
    rows = con.execute(
        """SELECT l.point, e.number, sum(l.amount)::BIGINT, sum(l.estimated)::DOUBLE / nullif(sum(abs(l.amount)), 0)
        FROM (SELECT * FROM ledger WHERE list_contains($1::INTEGER[], point) AND start >= $2 AND start < $3 AND covered > 0) l
        ASOF JOIN edge e ON l.start >= e.start GROUP BY l.point, e.number""",
        [sorted(points), period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)],
    ).fetchall()
    con.execute("DROP TABLE edge")
    for point, number, ticks, estimated in rows:
        found[points[point]][number] = (ticks, estimated or 0.0)
    return found


def _line(name: str, unit: str, weights: Mapping[str, float], found: _Cells, count: int) -> Line:
    """A meter's cells; a virtual one's are known where all its parts are."""
    values: list[float | None] = []
    estimated: list[float] = []
    for number in range(count):
        parts = [(found.get(meter, {}).get(number), weight) for meter, weight in weights.items()]
        if any(part is None for part, _ in parts):
            values.append(None)
            estimated.append(0.0)
            continue
        known = [(part[0] / _TICKS * weight, part[1]) for part, weight in parts if part is not None]
        size = sum(abs(value) for value, _ in known)
        values.append(sum(value for value, _ in known))
        estimated.append(sum(abs(value) * share for value, share in known) / size if size else 0.0)
    return Line(name, unit, tuple(values), tuple(estimated))
