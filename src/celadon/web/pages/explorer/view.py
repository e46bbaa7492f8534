"""Explorer: any quantity under any rulebook by site, process or meter, by item (carrier, product, gas …), over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from fastapi import Query
from pydantic import BaseModel

from celadon.charts.bars import Bars, Group
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.rules.rulebook import Rulebook, shipped_ids
from celadon.web.access import on_plant
from celadon.web.asked import Asked
from celadon.web.names import REST, Names, keys_of
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.units import InUnits

page = Page("/plants/{plant}/explorer", Text("Explorer", "能碳分析"), on_plant(), order=20)
Space = Literal["enterprise", "site", "process", "meter"]
Grain = Literal["hour", "day", "month", "year"]
_SERIES_MOST = 7
_ROWS_MOST = 500


class Choice(BaseModel):
    """A quantity that the rulebook calculates."""

    quantity: str
    label: Both
    unit: str


class Cut(BaseModel):
    """One value: its place, item and span, what it rests on, and its trace."""

    in_units: ClassVar[InUnits] = {"unit": ("value",)}

    place: str
    place_name: Both
    site: str
    item: str
    item_name: Both
    purpose: str
    period: str
    value: float | None
    unit: str
    coverage: float
    estimated: float
    defaulted: float
    recalled: float
    trace: str | None


class Explored(BaseModel):
    """The values of one quantity. `total` is how many there are, `rows` those of this part, `next` the address of the one after."""

    in_units: ClassVar[InUnits] = {"unit": ("series",)}

    rulebook: str
    quantity: str
    label: Both
    unit: str
    adds: bool
    period: str
    by: Space
    per: Grain
    total: int
    next: str | None
    rows: list[Cut]
    series: dict[str, list[float | None]]
    """For the picture: name of each part -> its values, one for each of `periods`."""
    names: dict[str, Both]
    periods: list[str]
    choices: list[Choice]
    rulebooks: list[str]


def view(
    asked: Asked,
    rulebook: str = "cn_gbt_2589_2020",
    quantity: str | None = None,
    period: str | None = None,
    by: Space = "site",
    per: Grain = "month",
    item: str | None = None,
    site: str | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=20_000)] = _ROWS_MOST,
) -> Explored:
    """One quantity (default: the rulebook's first total) cut by place and time; `item` and `site` keep only theirs."""
    desk = asked.plant
    book = desk.library.book(rulebook)
    name, shown = quantity or book.totals[0], asked.period(period)
    found = desk.account(rulebook, shown, by=by, per=per, quantities=(name,))
    model, names = desk.model, Names(desk.model)
    rows = [row for row in found.rows if item in (None, row.item) and site in (None, row.site)]
    series, labels, periods = _series(rows, names, by)
    part = rows[offset : offset + limit]
    asked_again = {
        "rulebook": book.id,
        "quantity": name,
        "period": shown,
        "by": by,
        "per": per,
        "item": item,
        "site": site,
    }
    return Explored(
        rulebook=book.id, quantity=name, label=both(book.label(name)), unit=rows[0].unit if rows else "",
        adds=book.rules[name][0].adds if name in book.rules else True, period=shown, by=by, per=per, total=len(rows),
        next=asked.at("explorer", **asked_again, offset=offset + limit, limit=limit) if offset + limit < len(rows) else None,
        rows=[_cut(asked, book, model, names, row, by) for row in part], series=series, names=labels, periods=periods,
        choices=[
            Choice(quantity=each, label=both(book.label(each)), unit=str(rules[0].unit)) for each, rules in book.rules.items()
        ],
        rulebooks=shipped_ids(),
    )  # fmt: skip


def table(model: Explored) -> Table:
    """A row for each value of this part."""
    names = (
        "place",
        "site",
        "item",
        "purpose",
        "period",
        "value",
        "unit",
        "coverage",
        "estimated",
        "defaulted",
        "recalled",
    )
    rows: list[list[Cell]] = [[getattr(row, name) for name in names] for row in model.rows]
    return Table(names, rows)


def picture(model: Explored) -> Bars:
    """The parts over time, stacked where they add up."""
    groups = tuple(
        Group(Text(model.names[name].en, model.names[name].zh), tuple(values))
        for name, values in model.series.items()
    )
    return Bars(
        title=Text(model.label.en, model.label.zh),
        unit=model.unit,
        periods=tuple(model.periods),
        groups=groups,
        stacked=model.adds,
    )


def _place(row: Row, by: Space) -> str:
    return {"enterprise": row.enterprise, "site": row.site, "process": row.process, "meter": row.meter}[by]


def _cut(asked: Asked, book: Rulebook, model: PlantModel, names: Names, row: Row, by: Space) -> Cut:
    place = _place(row, by)
    where = (
        {"site": row.site, "process": row.process, "meter": row.meter}
        if by != "enterprise"
        else {"enterprise": model.enterprise}
    )
    explained = (by in ("enterprise", "site") or bool(place)) and not place.endswith(REST)
    trace = (
        asked.trace(row.quantity, book.id, row.label, **where, **keys_of(book, row)) if explained else None
    )
    shares = row.quality.shares()
    return Cut(
        place=place, place_name=both(names.place(place)), site=row.site, item=row.item, item_name=both(names.item(row.item)),
        purpose=row.purpose, period=row.label, value=row.value, unit=row.unit, coverage=row.coverage, estimated=shares["estimated"],
        defaulted=shares["defaulted"], recalled=shares["recalled"], trace=trace,
    )  # fmt: skip


def _series(
    rows: Sequence[Row], names: Names, by: Space
) -> tuple[dict[str, list[float | None]], dict[str, Both], list[str]]:
    """Parts by size, the smallest ones as one; a part is a place, and an item where the quantity has items."""
    periods = list(dict.fromkeys(row.label for row in sorted(rows, key=lambda row: row.start)))
    values: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        part = values.setdefault((_place(row, by), row.item), {})
        if row.value is not None:
            part[row.label] = part.get(row.label, 0.0) + row.value
    ranked = sorted(values, key=lambda key: -sum(abs(value) for value in values[key].values()))
    kept = ranked if len(ranked) <= _SERIES_MOST else ranked[: _SERIES_MOST - 1]
    several = len({place for place, _ in values}) > 1
    series = {_id(key): [values[key].get(period) for period in periods] for key in kept}
    labels = {_id(key): _label(key, names, several) for key in kept}
    rest = [key for key in ranked if key not in kept]
    if rest:
        series["…"] = [_sum(values[key].get(period) for key in rest) for period in periods]
        labels["…"] = Both(zh=f"其余 {len(rest)} 项", en=f"{len(rest)} others")
    return series, labels, periods


def _id(key: tuple[str, str]) -> str:
    return " ".join(word for word in key if word) or "-"


def _label(key: tuple[str, str], names: Names, several: bool) -> Both:
    place, item = names.place(key[0]), names.item(key[1])
    if not key[1]:
        return both(place)
    return Both(zh=f"{place.zh} {item.zh}", en=f"{place.en} {item.en}") if several else both(item)


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
