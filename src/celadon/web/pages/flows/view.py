"""Flows: energy and carbon from what is bought and burnt to the processes, and a carrier through the tree of meters."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from pydantic import BaseModel

from celadon.charts.plant_charts import meter_flows
from celadon.charts.sankey import Flow, Sankey
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import parse_period, zone
from celadon.core.text import Text
from celadon.web.access import on_plant
from celadon.web.asked import Asked
from celadon.web.names import Names
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.pages.balance.view import whole_rows
from celadon.web.parts import parts_of
from celadon.web.units import InUnits

page = Page("/plants/{plant}/flows", Text("Flows", "能流与碳流"), on_plant(), order=24)


class FlowLine(BaseModel):
    """An amount that goes from one node to another, in the diagram's unit."""

    source: str
    target: str
    value: float


class Diagram(BaseModel):
    """Flows between named nodes. `left_out`: parts below zero (exports) and absent ones, which a diagram cannot show."""

    in_units: ClassVar[InUnits] = {"unit": ("flows.value",)}

    title: Both
    unit: str
    nodes: dict[str, Both]
    rests: list[str]
    flows: list[FlowLine]
    left_out: list[Both]


class Flows(BaseModel):
    """Diagrams of a period."""

    period: str
    carrier: str
    carriers: dict[str, Both]
    diagrams: list[Diagram]


def view(
    asked: Asked,
    period: str | None = None,
    energy: str = "cn_gbt_2589_2020",
    carbon: str = "cn_gbt_32150_2015",
    carrier: str = "electricity",
) -> Flows:
    """Energy under one rulebook, carbon under another, and one carrier through the meters."""
    model, shown = asked.plant.model, asked.period(period)
    diagrams = [_by_process(asked, energy, shown), _by_process(asked, carbon, shown)]
    meters = _meters(asked, carrier, shown)
    metered = {item.carrier for item in model.meters if item.carrier}
    names = Names(model)
    return Flows(
        period=shown, carrier=carrier, carriers={name: both(names.item(name)) for name in sorted(metered) if name},
        diagrams=[item for item in (*diagrams, *meters) if item.flows],
    )  # fmt: skip


def table(model: Flows) -> Table:
    """A row for each flow of each diagram."""
    rows: list[list[Cell]] = [
        [item.title.en, flow.source, flow.target, flow.value, item.unit]
        for item in model.diagrams
        for flow in item.flows
    ]
    return Table(("diagram", "source", "target", "value", "unit"), rows)


def picture(item: Diagram) -> Sankey:
    """A diagram as a Sankey."""
    return Sankey(
        title=Text(item.title.en, item.title.zh), unit=item.unit, nodes={name: Text(label.en, label.zh) for name, label in item.nodes.items()},
        flows=tuple(Flow(flow.source, flow.target, flow.value) for flow in item.flows), rests=frozenset(item.rests),
    )  # fmt: skip


def _by_process(asked: Asked, rulebook: str, period: str) -> Diagram:
    """The parts of a rulebook's first total, from what they are of (a carrier …) to the processes that are charged with them."""
    desk = asked.plant
    book, names = desk.library.book(rulebook), Names(desk.model)
    total = book.totals[0]
    span = parse_period(period, desk.model.zone)
    signs = {
        name: sign for sign, name in parts_of(book, total, span.start.astimezone(zone(span.zone)).date())
    }
    found = desk.account(rulebook, period, by="process", quantities=tuple(signs))
    nodes: dict[str, Text] = {}
    flows: dict[tuple[str, str], float] = {}
    left_out: dict[str, Text] = {}
    unit = ""
    kinds = {(row.quantity, row.item) for row in found.rows if row.value}
    shared = Counter(item for _, item in kinds)
    for row in found.rows:
        label = _node(book.label(row.quantity), names, row.item, shared[row.item] > 1)
        source, target = f"{row.quantity}/{row.item}", f"process/{row.site}/{row.process}"
        if row.value is None or row.value * signs[row.quantity] <= 0:
            if row.value != 0:
                left_out[source] = _node(book.label(row.quantity), names, row.item, several=True)
            continue
        unit = row.unit
        nodes[source], nodes[target] = label, _process(desk.model, names, row.site, row.process)
        flows[source, target] = flows.get((source, target), 0.0) + row.value
    return Diagram(
        title=both(book.label(total)), unit=unit, nodes={name: both(label) for name, label in nodes.items()}, rests=[],
        flows=[FlowLine(source=source, target=target, value=value) for (source, target), value in flows.items()],
        left_out=[both(label) for label in left_out.values()],
    )  # fmt: skip


def _node(quantity: Text, names: Names, item: str, several: bool) -> Text:
    if not item:
        return quantity
    thing = names.item(item)
    return Text(f"{quantity.en}: {thing.en}", f"{quantity.zh}：{thing.zh}") if several else thing


def _process(model: PlantModel, names: Names, site: str, process: str) -> Text:
    if process or len(model.sites) == 1:
        return names.place(process)
    where, what = names.place(site), names.place(process)
    return Text(f"{where.en}: {what.en}", f"{where.zh}：{what.zh}")


def _meters(asked: Asked, carrier: str, period: str) -> list[Diagram]:
    """A carrier through the tree of meters of each site: each to those below it, and what they leave over."""
    model = asked.plant.model
    found = asked.plant.answer(("meter_rows", period), lambda plant: plant.meter_rows(period))
    rows = whole_rows(row for row in found if row.node)
    drawn = [(site, meter_flows(model, rows, carrier, site.id)) for site in model.sites]
    return [
        Diagram(
            title=_title(chart.title, site.name, len(model.sites) > 1), unit=chart.unit,
            nodes={name: both(label) for name, label in chart.nodes.items()}, rests=sorted(chart.rests),
            flows=[FlowLine(source=flow.source, target=flow.target, value=flow.value) for flow in chart.flows], left_out=[],
        )
        for site, chart in drawn
        if chart is not None
    ]  # fmt: skip


def _title(title: Text, site: Text, several: bool) -> Both:
    return Both(zh=f"{title.zh}：{site.zh}", en=f"{title.en}: {site.en}") if several else both(title)
