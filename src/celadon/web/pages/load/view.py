"""Load: what meters counted, quarter-hour by quarter-hour: the curve over time, by hour and day, and by how long it lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from fastapi import Query
from pydantic import BaseModel

from celadon.charts.chart import Chart
from celadon.charts.heat import HeatMap, by_day_and_hour
from celadon.charts.lines import Line, LoadDuration, TimeSeries
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Flow
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text
from celadon.plant.series import Series
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.names import Names
from celadon.web.numbers import unit
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page("/plants/{plant}/load", Text("Load curves", "负荷曲线"), on_plant(), order=22)
NO_METER = FindingKind(
    "load.no-meter",
    Severity.ERROR,
    Text("No meter to show", "没有可显示的计量点"),
    Text("The plant has no meter that counts amounts.", "该工厂没有累计计量点。"),
    Text("Declare meters in the plant file.", "请在工厂文件中定义计量点。"),
)
_METERS_MOST = 6


class MeterLine(BaseModel):
    """A meter's average rate in each cell; null where nothing is known. `estimated`: share of each cell that is estimated."""

    in_units: ClassVar[InUnits] = {"total_unit": ("total",)}

    meter: str
    name: Both
    values: list[float | None]
    estimated: list[float]
    total: float | None
    total_unit: str
    peak: float | None
    peak_at: datetime | None
    peak_readings: str | None


class Load(BaseModel):
    """Rates over `times` (seconds since 1970 UTC, the starts of the cells), in `unit`."""

    in_units: ClassVar[InUnits] = {"unit": ("lines.values", "lines.peak")}

    period: str
    cell: str
    unit: str
    zone: str
    times: list[int]
    seconds: int
    lines: list[MeterLine]
    meters: dict[str, Both]


def view(
    asked: Asked,
    meter: Annotated[list[str] | None, Query(max_length=_METERS_MOST)] = None,
    period: str | None = None,
    cell: Literal["ledger", "hour", "day"] = "ledger",
) -> Load:
    """Rates of up to six meters of one unit over a period (default: the first meter that buys electricity)."""
    desk, model = asked.plant, asked.plant.model
    names = Names(model)
    chosen = tuple(dict.fromkeys(meter)) if meter else (_first(model),)
    found = desk.series(chosen, asked.period(period), per=None if cell == "ledger" else cell)
    rate, known = (
        _rate_unit(found.lines[0].unit),
        {item.id for item in model.meters} | {item.id for item in model.virtual_meters},
    )
    return Load(
        period=found.period.label, cell=cell, unit=rate, zone=model.zone, times=[round(item.timestamp()) for item in found.starts],
        seconds=found.seconds[0], lines=[_line(asked, names, found, at) for at in range(len(found.lines)) if _rate_unit(found.lines[at].unit) == rate],
        meters={name: both(names.place(name)) for name in sorted(known)},
    )  # fmt: skip


def table(model: Load) -> Table:
    """A row for each cell."""
    rows: list[list[Cell]] = [
        [datetime.fromtimestamp(moment, UTC).isoformat(), *(line.values[at] for line in model.lines)]
        for at, moment in enumerate(model.times)
    ]
    return Table(("start", *(f"{line.meter} ({model.unit})" for line in model.lines)), rows)


def _line(asked: Asked, names: Names, found: Series, at: int) -> MeterLine:
    line = found.lines[at]
    rates = [
        None if value is None else value * 3600 / seconds
        for value, seconds in zip(line.values, found.seconds, strict=True)
    ]
    known = [(rate, index) for index, rate in enumerate(rates) if rate is not None]
    peak, index = max(known, default=(None, 0))
    start = found.starts[index]
    link = None
    if (
        peak is not None
        and asked.may(Action.EXPLAIN)
        and line.meter in {item.id for item in asked.plant.model.meters}
    ):
        end = start + timedelta(seconds=found.seconds[index])
        link = asked.at("readings", meter=line.meter, start=start.isoformat(), end=end.isoformat())
    total = sum(value for value in line.values if value is not None) if known else None
    return MeterLine(
        meter=line.meter, name=both(names.place(line.meter)), values=rates, estimated=list(line.estimated), total=total, total_unit=line.unit,
        peak=peak, peak_at=start if peak is not None else None, peak_readings=link,
    )  # fmt: skip


def pictures(asked: Asked, model: Load) -> list[str]:
    """The curve, the heat map and the duration curve, drawn once for what they show."""
    words = (
        "load pictures",
        tuple(line.meter for line in model.lines),
        model.period,
        model.cell,
        asked.lang,
        model.unit,
    )
    draw: tuple[Callable[[Load], Chart], ...] = (_curve, _heat, _duration)
    return asked.plant.answer(
        words,
        lambda _: [
            replace(drawn, unit=unit(drawn.unit, asked.lang)).to_svg(asked.lang)
            for drawn in (of(model) for of in draw)
        ],
    )


def _curve(model: Load) -> TimeSeries:
    """The curves over time: what a browser without scripts sees, and paper."""
    times = tuple(datetime.fromtimestamp(moment, UTC) for moment in model.times)
    lines = tuple(Line(Text(line.name.en, line.name.zh), tuple(line.values)) for line in model.lines)
    return TimeSeries(
        title=Text("Over time", "时间曲线"), unit=model.unit, times=times, lines=lines, zone=model.zone
    )


def _heat(model: Load) -> HeatMap:
    """The first meter's mean rate by hour and day."""
    line = model.lines[0]
    moments = (datetime.fromtimestamp(moment, UTC) for moment in model.times)
    days, rows = by_day_and_hour(zip(moments, line.values, strict=True), model.zone)
    title = Text(f"{line.name.en}: hour by day", f"{line.name.zh}：逐日逐时")
    return HeatMap(title=title, unit=model.unit, days=days, values=rows)


def _duration(model: Load) -> LoadDuration:
    """The first meter's rates by how long they last."""
    line = model.lines[0]
    title = Text(f"{line.name.en}: load duration", f"{line.name.zh}：负荷持续曲线")
    return LoadDuration(title=title, unit=model.unit, values=tuple(line.values))


def _first(model: PlantModel) -> str:
    """A meter that buys electricity, else the first that counts."""
    bought = [
        item.id for item in model.meters if item.carrier == "electricity" and item.flow is Flow.PURCHASED
    ]
    others = [item.id for item in model.meters if item.carrier]
    for name in (*bought, *others):
        return name
    raise FindingError(NO_METER.at(Place(file=model.file or None)))


def _rate_unit(unit: str) -> str:
    """An amount's unit per hour: kW for kWh."""
    return {"kWh": "kW", "MWh": "MW"}.get(unit, f"{unit}/h")
