"""Charts of a plant out of what its verbs answer: the same pictures in the console and in reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from celadon.charts.bars import Bars, Group
from celadon.charts.sankey import Flow, Sankey
from celadon.charts.shares import Part, Shares
from celadon.charts.waterfall import Step, Waterfall, joined
from celadon.core.carriers import CARRIERS
from celadon.core.model import Meter, Plant, VirtualMeter
from celadon.core.text import Text
from celadon.engine.quality import DATA, LABELS, Quality
from celadon.metering.balance import BalanceRow
from celadon.metering.points import TICKS

_REST = "~rest"
_MOST_GROUPS = 7


def quality_shares(title: Text, rows: Iterable[tuple[Text, Quality, float]]) -> Shares:
    """What figures rest on: one bar for each (name, quality, coverage); what has no data is the rest of the bar."""
    parts = []
    for label, quality, coverage in rows:
        shares = quality.shares()
        known = sum(shares[name] for name in DATA) or 1.0
        parts.append(Part(label, tuple(shares[name] / known * min(1.0, coverage) for name in DATA)))
    return Shares(title=title, kinds=tuple(LABELS[name] for name in DATA), parts=tuple(parts))


def stacked_parts(
    title: Text,
    unit: str,
    periods: Sequence[str],
    labels: Mapping[str, Text],
    values: Mapping[tuple[str, str], float | None],
) -> Bars:
    """Parts of a total by period, the largest first; beyond the seventh they are drawn as one."""
    names = list(labels)
    kept, rest = (
        (names, []) if len(names) <= _MOST_GROUPS else (names[: _MOST_GROUPS - 1], names[_MOST_GROUPS - 1 :])
    )
    groups = [Group(labels[name], tuple(values.get((period, name)) for period in periods)) for name in kept]
    if rest:
        sums = tuple(_sum(values.get((period, name)) for name in rest) for period in periods)
        groups.append(Group(Text(f"{len(rest)} others", f"其余 {len(rest)} 项"), sums))
    return Bars(title=title, unit=unit, periods=tuple(periods), groups=tuple(groups))


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def change_by_part(
    title: Text,
    unit: str,
    ends: tuple[Text, Text],
    before: Mapping[str, float],
    after: Mapping[str, float],
    labels: Mapping[str, Text],
) -> Waterfall:
    """From the total of one period to that of another: how much each part of it changed."""
    names = dict.fromkeys([*after, *before])
    steps = [Step(labels[name], after.get(name, 0.0) - before.get(name, 0.0)) for name in names]
    moved = [step for step in steps if step.difference]
    return Waterfall(
        title=title,
        unit=unit,
        before=(ends[0], sum(before.values())),
        after=(ends[1], sum(after.values())),
        steps=joined(moved),
    )


def meter_flows(
    plant: Plant,
    rows: Sequence[BalanceRow],
    carrier: str,
    site: str,
    *,
    scale: float = 1.0,
    columns: int = 99,
) -> Sankey | None:
    """A carrier through the meters of one site: from where it enters over each meter to those below it, with unmetered
    remainders. `rows`: one for each meter over the whole period. `scale`: times each amount, for what it emits. `columns`: how
    many there may be. None where fewer than two meters have data."""
    own = {
        row.node: row
        for row in rows
        if row.node and row.carrier == carrier and row.site == site and row.own is not None
    }
    real: Sequence[Meter | VirtualMeter] = plant.meters
    every = {one.id: one for one in (*real, *plant.virtual_meters) if one.id in own}
    unit = next((row.unit for row in own.values()), "")
    amount = {name: (row.own or 0) / TICKS * scale for name, row in own.items()}
    flows: list[Flow] = []
    for bus in plant.virtual_meters:
        for term, weight in bus.terms if bus.id in own else ():
            if term not in amount or not amount[term]:
                continue
            ends = (term, bus.id) if weight > 0 else (bus.id, term)
            flows.append(Flow(*ends, amount[term] * abs(float(weight))))
    rests: dict[str, Text] = {}
    for name, meter in every.items():
        if meter.parent in own and amount[name]:
            flows.append(Flow(str(meter.parent), name, amount[name]))
        left = own[name].remainder
        if left:
            rests[name + _REST] = Text(f"not metered below {name}", f"{name} 未计量余量")
            flows.append(Flow(name, name + _REST, left / TICKS * scale))
    where = _columns(flows)
    flows = [flow for flow in flows if where[flow.target] < columns]
    used = {end for flow in flows for end in (flow.source, flow.target)}
    if len(flows) < 2:
        return None
    nodes = {name: meter.name for name, meter in every.items() if name in used} | rests
    label = next((one.label for one in plant.carriers if one.id == carrier), CARRIERS[carrier].label)
    title = Text(f"{label.en.capitalize()} through the meters", f"{label.zh}流向（按计量网络）")
    return Sankey(title=title, unit=unit, nodes=nodes, flows=tuple(flows), rests=frozenset(rests))


def _columns(flows: Sequence[Flow]) -> Mapping[str, int]:
    names = {end: Text(end, end) for flow in flows for end in (flow.source, flow.target)}
    return Sankey(title=Text("", ""), nodes=names, flows=tuple(flows)).columns()
