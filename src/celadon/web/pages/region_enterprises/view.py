"""Enterprises of a region: emission, carbon efficiency, grade and rank within the industry; the most intensive over their sector first."""

from __future__ import annotations

from typing import Annotated, ClassVar

from fastapi import Query
from pydantic import BaseModel

from celadon.core.text import Text
from celadon.region.lists import area_of
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page("/regions/{region}/enterprises", Text("Enterprises", "企业"), on_region(Action.OVERSEE), order=20)
_MOST = 100_000
_PAGE = 100


class Enterprise(BaseModel):
    """One enterprise; absent is null. `rank` counts from 1, the least emission per output value first."""

    enterprise: str
    name: str
    industry: str
    industry_name: Both
    area: Both
    emission: float | None
    trace: str | None
    denominator: float | None
    intensity: float | None
    level: int | None
    over_mean: float | None
    rank: int | None
    peers: int


class Enterprises(BaseModel):
    """One page of them. `found`: how many fit."""

    in_units: ClassVar[InUnits] = {"units.emission": ("rows.emission",)}

    period: str
    units: dict[str, str]
    found: int
    first: int
    rows: list[Enterprise]
    search: str
    level: int | None
    next: str | None
    previous: str | None


def view(
    asked: Asked,
    period: str | None = None,
    search: Annotated[str, Query(max_length=60)] = "",
    level: Annotated[int | None, Query(ge=1, le=9)] = None,
    first: Annotated[int, Query(ge=1, le=1_000_000_000)] = 1,
) -> Enterprises:
    """Those whose id, name, industry or area begins with (or name holds) `search`, and whose grade is `level`."""
    shown = figures.period_of(asked, period)
    graded = figures.grades(asked, shown, _MOST)
    wanted = search.strip()
    fitting = [
        row
        for row in graded.rows
        if (level is None or row.level == level)
        and (
            not wanted
            or wanted in row.name
            or any(word.startswith(wanted) for word in (row.enterprise, row.industry, row.region))
        )
    ]
    label, book = graded.period.label, graded.emission_book.id
    rows = [
        Enterprise(
            enterprise=row.enterprise, name=row.name, industry=row.industry, industry_name=figures.industry_name(row.industry), area=_area(row.region),
            emission=row.emission, trace=asked.trace(graded.quantity, book, label, enterprise=row.enterprise),
            denominator=row.denominator, intensity=row.intensity, level=row.level, over_mean=row.over_mean, rank=row.rank, peers=row.peers,
        )
        for row in fitting[first - 1 : first - 1 + _PAGE]
    ]  # fmt: skip

    def at(number: int) -> str | None:
        there = 0 < number <= len(fitting)
        return (
            asked.at("enterprises", period=label, search=wanted, level=level, first=number) if there else None
        )

    return Enterprises(
        period=label, units=dict(graded.units), found=len(fitting), first=first, rows=rows, search=wanted, level=level,
        next=at(first + _PAGE), previous=at(max(1, first - _PAGE)) if first > 1 else None,
    )  # fmt: skip


def table(model: Enterprises) -> Table:
    """The enterprises of the page."""
    columns = (
        "enterprise",
        "name",
        "industry",
        "emission",
        "emission_unit",
        "denominator",
        "intensity",
        "level",
        "over_mean",
        "rank",
        "peers",
    )
    unit = {"emission_unit": model.units["emission"]}
    rows: list[list[Cell]] = [
        [unit[name] if name in unit else getattr(row, name) for name in columns] for row in model.rows
    ]
    return Table(columns, rows)


def _area(code: str) -> Both:
    known = area_of(code)
    return both(known.name if known is not None else Text(code, code))
