"""Readings: the lines of files behind a stretch of a meter, and a few before and after it."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Page, Table, both

page = Page("/plants/{plant}/readings", Text("Readings", "读数"), on_plant(Action.EXPLAIN))
_MOST = 500


class ReadingLine(BaseModel):
    """A reading as a file says it: an interval's `time` is its end. `inside`: in the span asked for, not before or after."""

    time: datetime
    span: int
    value: float
    difference: float | None
    file: str
    line: int
    batch: int
    inside: bool


class Readings(BaseModel):
    """Readings by time. `total`: how many there are; `next` begins the following part, null at the end."""

    meter: str
    name: Both
    unit: str
    kind: str
    multiplier: str
    zone: str
    start: datetime
    end: datetime
    total: int
    next: str | None
    readings: list[ReadingLine]


def view(
    asked: Asked,
    meter: str,
    start: datetime,
    end: datetime,
    beyond: int = 3,
    offset: int = 0,
    limit: int = 200,
) -> Readings:
    """The readings of a meter in [start, end), `beyond` more on each side, `limit` at a time."""
    first, last = _utc(start), _utc(end)
    around = max(0, min(beyond, 50))
    found = asked.plant.answer(
        ("readings", meter, first, last, around),
        lambda plant: plant.readings(meter, first, last, beyond=around),
    )
    model = asked.plant.model
    declared = model.meter(meter)
    size, begin = max(1, min(limit, _MOST)), max(0, offset)
    lines = [
        ReadingLine(
            time=item.time, span=item.span, value=item.value, difference=item.value - found[at - 1].value if at else None,
            file=item.file, line=item.line, batch=item.batch, inside=first <= item.time < last,
        )
        for at, item in list(enumerate(found))[begin : begin + size]
    ]  # fmt: skip
    more = begin + size < len(found)
    where = {
        "meter": meter,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "beyond": beyond,
        "limit": size,
    }
    return Readings(
        meter=meter, name=both(declared.name), unit=declared.unit, kind=str(declared.kind), multiplier=str(declared.multiplier),
        zone=model.zone, start=first, end=last, total=len(found), next=asked.at("readings", **where, offset=begin + size) if more else None,
        readings=lines,
    )  # fmt: skip


def table(model: Readings) -> Table:
    """A row for each reading."""
    rows: list[list[Cell]] = [
        [item.time.isoformat(), item.span, item.value, item.file, item.line, item.batch]
        for item in model.readings
    ]
    return Table(("time", "span", "value", "file", "line", "batch"), rows)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
