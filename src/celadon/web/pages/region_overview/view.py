"""A region at a glance: energy per output value by province and industry, grades, early warning, screening; and publishing."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from celadon.charts.tiles import Tiles
from celadon.core.findings import FindingError
from celadon.core.text import Text
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.page import Both, Done, Page, Table, both, write
from celadon.web.units import InUnits

page = Page("/regions/{region}/overview", Text("Region", "区域总览"), on_region(), order=10)
SCHEMA = """
CREATE TABLE IF NOT EXISTS publication (region TEXT NOT NULL, period TEXT NOT NULL, PRIMARY KEY (region, period)) STRICT;
"""


class Overview(BaseModel):
    """What the page shows. `published`: the periods that everybody may see, at `public`."""

    in_units: ClassVar[InUnits] = {"total": ("provinces.total", "divisions.total")}

    region: str
    name: Both
    period: str
    ratio: str
    total: str
    enterprises: int
    provinces: list[figures.Group]
    divisions: list[figures.Group]
    levels: list[figures.Level]
    warnings: dict[str, int] | None
    published: list[str]
    public: str


class Publication(BaseModel):
    """A period to show to everybody, or to take back."""

    period: str = Field(max_length=40)
    public: bool


def view(asked: Asked, period: str | None = None) -> Overview:
    """Groups with those kept back that would show one enterprise; grades and warnings as counts."""
    shown = figures.period_of(asked, period)
    found, divisions = (figures.peers(asked, shown, by) for by in ("province", "division"))
    graded = figures.grades(asked, shown)
    sees_all = asked.may(Action.OVERSEE)
    counts = figures.by_level(graded)
    minimum = 1 if sees_all else asked.region.model.disclosure.minimum
    return Overview(
        region=asked.region.key,
        name=both(asked.region.model.name),
        period=found.period.label,
        ratio=found.units["ratio"],
        total=found.units["total"],
        enterprises=graded.enterprises,
        provinces=figures.groups(asked, found, traced=sees_all),
        divisions=figures.groups(asked, divisions, traced=sees_all),
        levels=figures.disclosed(counts, minimum),
        warnings=_warnings(asked, found.period.label) if sees_all else None,
        published=published(asked),
        public=f"/public/{asked.region.key}",
    )


def picture(model: Overview) -> Tiles:
    """The provinces as tiles."""
    return Tiles(
        title=Text("Energy per output value, by province", "各省单位产值能耗"),
        unit=model.ratio,
        tiles=figures.tiles(model.provinces),
    )


def table(model: Overview) -> Table:
    """The groups; what is kept back is empty."""
    return figures.groups_table(model.provinces, model.divisions, (model.total, model.ratio))


def _warnings(asked: Asked, period: str) -> dict[str, int] | None:
    """Quotas at risk by level; None where the region has none for that year."""
    try:
        year = int(period[:4])
        return dict(asked.region.answer(("warn", year, 1), lambda region: region.warn(year, most=1)).counts)
    except FindingError:
        return None


def published(asked: Asked) -> list[str]:
    """The periods that everybody may see."""
    rows = asked.state.rows(
        "SELECT period FROM publication WHERE region = ? ORDER BY period DESC", asked.region.key
    )
    return [str(row["period"]) for row in rows]


@write(page, "publish", need=on_region(Action.OVERSEE))
def publish(asked: Asked, given: Publication) -> Done:
    """Show a period's aggregates to everybody, or take them back. What was shown once stays in the region's register of what is out,
    so that no other grouping of the same numbers, nor a period that overlaps, tells more."""
    with asked.region.lent() as region:
        period = region.period(given.period).label
        for by in figures.BESIDE if given.public else ():
            region.peers(period, rulebook=figures.ENERGY, by=by, beside=figures.BESIDE, publish=True)
    verb = "publish" if given.public else "withdraw"
    with asked.recording(f"region.{verb}", {"period": period}) as con:
        if given.public:
            con.execute("INSERT OR IGNORE INTO publication VALUES (?, ?)", (asked.region.key, period))
        else:
            con.execute("DELETE FROM publication WHERE region = ? AND period = ?", (asked.region.key, period))
    said = ("已公开。", "It is public now.") if given.public else ("已撤回。", "It is withdrawn.")
    return Done(goto=asked.at("overview", period=period), zh=said[0], en=said[1])
