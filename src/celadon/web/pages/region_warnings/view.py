"""Early warning: yearly quotas that the reports so far lead beyond, with the forecast and its width."""

from __future__ import annotations

from typing import Annotated, ClassVar

from fastapi import Query
from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page(
    "/regions/{region}/warnings", Text("Early warning", "配额预警"), on_region(Action.OVERSEE), order=30
)
_MOST = 500


class Warned(BaseModel):
    """A quota at risk; amounts in `unit`, `ratio` is the forecast over the quota."""

    in_units: ClassVar[InUnits] = {"unit": ("used", "forecast", "low", "high", "quota")}

    enterprise: str
    name: str
    industry: str
    industry_name: Both
    quantity: str
    label: Both
    """What the quantity is called."""
    unit: str
    level: str
    level_name: Both
    used: float | None
    forecast: float | None
    low: float | None
    high: float | None
    quota: float | None
    ratio: float | None
    trace: str | None


class Warnings(BaseModel):
    """The most pressing first; `band`: how sure low and high are."""

    year: int
    month: str
    quotas: int
    band: float
    counts: dict[str, int]
    names: dict[str, Both]
    rows: list[Warned]


def view(
    asked: Asked,
    year: Annotated[int | None, Query(ge=1900, le=2999)] = None,
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
) -> Warnings:
    """Quotas of a year (default: the last with reports) by what was reported up to a month (default: the last)."""
    shown = year if year is not None else int(figures.period_of(asked, None)[:4])
    found = asked.region.answer(
        ("warn", shown, month, _MOST), lambda region: region.warn(shown, month, most=_MOST)
    )
    quotas = asked.region.model.quotas
    book = asked.workspace.library.book(str(quotas.rulebook) if quotas is not None else figures.ENERGY)
    names = {level.id: both(level.name) for level in found.levels}
    rows = [
        Warned(
            enterprise=item.enterprise, name=item.name, industry=item.industry, industry_name=figures.industry_name(item.industry), quantity=item.quantity, label=both(book.label(item.quantity)), unit=item.unit, level=item.level,
            level_name=names[item.level], trace=asked.trace(item.quantity, book.id, str(shown), enterprise=item.enterprise),
            **{name: item.numbers[name] for name in ("used", "forecast", "low", "high", "quota", "ratio")},
        )
        for item in found.warnings
    ]  # fmt: skip
    return Warnings(
        year=found.year,
        month=found.month,
        quotas=found.quotas,
        band=found.band,
        counts=dict(found.counts),
        names=names,
        rows=rows,
    )


def table(model: Warnings) -> Table:
    """The warnings."""
    columns = (
        "enterprise",
        "name",
        "industry",
        "quantity",
        "unit",
        "level",
        "used",
        "forecast",
        "low",
        "high",
        "quota",
        "ratio",
    )
    rows: list[list[Cell]] = [[getattr(row, name) for name in columns] for row in model.rows]
    return Table(columns, rows)
