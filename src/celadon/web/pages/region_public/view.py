"""What everybody may see of a region: the periods an officer has published, as groups that show no single enterprise; and the rulebooks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from celadon.charts.tiles import Tiles
from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.rules.rulebook import shipped_ids
from celadon.web import region_figures as figures
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, Table, both
from celadon.web.pages.region_overview.view import published
from celadon.web.pages.rulebooks.view import Head, head
from celadon.web.problems import NOT_THERE
from celadon.web.units import InUnits

page = Page("/public/{region}", Text("Region, for everybody", "区域公开信息"), ANYONE)


class Public(BaseModel):
    """What the page shows; a number that would show one enterprise is null."""

    in_units: ClassVar[InUnits] = {"total": ("provinces.total", "divisions.total")}

    name: Both
    period: str
    periods: list[str]
    enterprises: int | None
    minimum: int
    ratio: str
    total: str
    provinces: list[figures.Group]
    divisions: list[figures.Group]
    levels: list[figures.Level]
    rulebooks: list[Head]


def view(asked: Asked, period: str | None = None) -> Public:
    """A published period (default: the latest). What is not published is as if it were not there."""
    periods = published(asked) if asked.place is not None and asked.place.kind == "region" else []
    shown = period if period is not None else next(iter(periods), None)
    if shown is None or shown not in periods:
        raise FindingError(NOT_THERE.at(Where(subject=asked.path), path=asked.path))
    found, divisions = (figures.peers(asked, shown, by) for by in ("province", "division"))
    graded = figures.grades(asked, shown)
    minimum = asked.region.model.disclosure.minimum
    return Public(
        name=both(asked.region.model.name),
        period=found.period.label,
        periods=periods,
        enterprises=graded.enterprises if graded.enterprises >= minimum else None,
        minimum=minimum,
        ratio=found.units["ratio"],
        total=found.units["total"],
        provinces=figures.groups(asked, found, traced=False),
        divisions=figures.groups(asked, divisions, traced=False),
        levels=figures.disclosed(figures.by_level(graded), minimum),
        rulebooks=[head(asked, name) for name in shipped_ids()],
    )


def picture(model: Public) -> Tiles:
    """The provinces as tiles."""
    return Tiles(
        title=Text("Energy per output value, by province", "各省单位产值能耗"),
        unit=model.ratio,
        tiles=figures.tiles(model.provinces),
    )


def table(model: Public) -> Table:
    """The groups; what is kept back is empty."""
    return figures.groups_table(model.provinces, model.divisions, (model.total, model.ratio))
