"""Activity data for rulebooks: facts by place and time out of the ledger and the records.

By site and enterprise the meters at the boundary count; by process and meter the leaves of the trees and what remains
of each meter above them (`<id>~rest`). Both add to the same whole number of ticks wherever the boundary meter has data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import duckdb

from celadon.core.carriers import CARRIERS, Carrier
from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import Finding, FindingKind, Severity
from celadon.core.model import Flow, Meter, Plant, VirtualMeter
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, Unit, UnitError, parse_unit
from celadon.metering import allocation, tariffs
from celadon.metering import records as record_facts
from celadon.metering.amounts import Calendars, find_feeders, sum_nodes, write_nodes
from celadon.metering.boundary import Boundary, find_boundary
from celadon.metering.fact_rows import TRAITS, add_parts, add_points, add_sites, write_leaves
from celadon.metering.few import Few, Sums, are_few
from celadon.metering.points import TICKS, ledger_unit
from celadon.metering.tree import AMOUNTS, Node, Tree, build_tree, place
from celadon.metering.wording import in_words

CARRIER_UNKNOWN = FindingKind(
    "activity.carrier-unknown",
    Severity.ERROR,
    Text(en="Unknown carrier", zh="未知能源品种"),
    Text(
        en="{meter} counts “{carrier}”, which is not a carrier: it gives no facts.",
        zh="{meter} 的能源品种“{carrier}”未定义，不产生数据。",
    ),
    Text(
        en="Correct the carrier, or define it under carriers:.", zh="请更正能源品种，或在 carriers: 中定义。"
    ),
)
CARRIER_UNIT = FindingKind(
    "activity.carrier-unit",
    Severity.ERROR,
    Text(en="A meter counts its carrier in another kind of unit", zh="表计单位与能源品种单位量纲不符"),
    Text(
        en="{meter} counts {carrier} in {unit}, which does not convert to {expected}: its "
        "amounts stay absent.",
        zh="{meter} 以 {unit} 计量 {carrier}，无法换算为 {expected}：其数量按缺失处理。",
    ),
    Text(
        en="Write the unit with the density or calorific value: “0.84 kg/L·L”, “GJ/(38.93 MJ/m3)”.",
        zh="请在单位中写明密度或热值，例如“0.84 kg/L·L”、“GJ/(38.93 MJ/m3)”。",
    ),
)
METER_ABSENT = FindingKind(
    "activity.meter-absent",
    Severity.WARNING,
    Text(en="A meter without data", zh="表计无数据"),
    Text(
        en="{meter} has no data from {first} to {last}: its amounts there are absent, not zero.",
        zh="{meter} 自 {first} 至 {last} 无数据：按缺失处理，不作零。",
    ),
    Text(
        en="Load its readings, or declare when it was installed or removed.",
        zh="请补充读数，或声明安装、拆除日期。",
    ),
)
METER_GAP = FindingKind(
    "activity.meter-gap",
    Severity.WARNING,
    Text(en="A meter with gaps", zh="表计数据不完整"),
    Text(
        en="{meter} has data for {percent} % of the time it should: the first gap is in the span "
        "from {first}.",
        zh="{meter} 的数据覆盖应有时间的 {percent} %：首个缺口位于 {first} 起的时段。",
    ),
    Text(
        en="Load the missing readings; `celadon balance` names the gaps.",
        zh="请补充缺失读数；`celadon balance` 会列出缺口。",
    ),
)

_FUELS = frozenset({"solid", "liquid", "gas"})


def build_facts(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    ledger: str,
    records: str,
    point_ids: Mapping[str, int],
    period: Period,
    space: Space,
    time: Grain,
    into: str = "facts",
) -> list[Finding]:
    """Make temporary table `into` (core.facts.FACT_COLUMNS) of the period's activity data; several rows of a key add.

    `ledger` and `records` name tables with the contract's rows; `time` is month, day or hour (a year is taken as
    months). Amounts that are due and have no data are rows with a null value, status absent and coverage 0.
    """
    plan = plan_facts(con, plant, records, period, space, time)
    fill_facts(con, plan, ledger, records, point_ids, into)
    return plan.said()


@dataclass
class Plan:
    """What a request for activity data needs, before any amount is looked at. `findings` grows while it is carried out."""

    plant: Plant
    period: Period
    space: Space
    tree: Tree
    boundary: Boundary
    calendars: Calendars
    nodes: dict[str, Node]
    children: dict[str, tuple[str, ...]]
    findings: list[Finding]

    @property
    def meters(self) -> set[str]:
        """Those whose ledger it reads: by site few of many."""
        return {meter for node in self.nodes.values() for meter, _ in node.terms}

    def said(self) -> list[Finding]:
        """What carrying it out found so far."""
        return in_words(self.findings, self.plant)

    @property
    def few(self) -> bool:
        """Whether there are few, so that what is known of them need not be read."""
        return are_few(self.nodes, self.calendars, self.boundary)


def plan_facts(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    records: str | None,
    period: Period,
    space: Space,
    time: Grain,
) -> Plan:
    """The nodes and calendars of a request (arguments as of `build_facts`); `records` None: there are none."""
    tree = build_tree(plant)
    findings = list(tree.findings)
    boundary = find_boundary(
        tree, lambda: record_facts.recorded_carriers(con, plant, records) if records else set()
    )
    findings += boundary.findings
    calendars = Calendars(plant, period, max(time, Grain.MONTH), allocation.share_cuts(plant))
    findings += calendars.findings
    nodes, children = _wanted_nodes(plant, tree, boundary, space, findings)
    return Plan(plant, period, space, tree, boundary, calendars, nodes, children, findings)


def fill_facts(
    con: duckdb.DuckDBPyConnection,
    plan: Plan,
    ledger: str,
    records: str | None,
    point_ids: Mapping[str, int],
    into: str,
    known: Sums | None = None,
) -> None:
    """Make `into` as `build_facts` does: the plan's nodes out of the ledger, and the records. Where they are few, the ledger need
    not have the meters whose sums are `known`, and what is added up is known from then on."""
    plant, boundary, calendars, nodes, tree = plan.plant, plan.boundary, plan.calendars, plan.nodes, plan.tree
    prices = tariffs.price_nodes(plant, tree, boundary, calendars)
    plan.findings += prices.findings
    traits = traits_of(plan, prices.money)
    metered = {(tree.nodes[item].site, tree.nodes[item].carrier) for item in boundary.sources}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in FACT_COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} ({columns})")
    recorded = records if records and record_facts.any_inside(con, plant, records, plan.period) else None
    few = plan.few
    if recorded or not few:
        calendars.write(con)
    if few:
        known = {} if known is None else known
        sums = Few(con, ledger, nodes, calendars, point_ids, prices, traits, known)
        sums.insert(con, plant, plan.space, into)
        if recorded:
            plan.findings += record_facts.insert_facts(con, plant, recorded, plan.period, metered, into)
        plan.findings += [lacking(nodes[gap[0]].meter, *gap[1:]) for gap in sums.gaps()]
        return
    write_nodes(con, nodes, plan.children, calendars, point_ids, prices.of_node, (TRAITS, traits))
    prices.write(con, calendars.grid)
    sum_nodes(con, ledger, calendars, priced=bool(prices.of_node))
    add_points(con, plant, nodes, into)
    if recorded:
        plan.findings += record_facts.insert_facts(con, plant, recorded, plan.period, metered, into)
    if plan.space >= Space.PROCESS:
        find_feeders(con)
        write_leaves(con)
        plan.findings += allocation.write_parts(con, plant, nodes, into)
        add_parts(con, plant, boundary, into)
    elif boundary.sources or boundary.used_only:
        add_sites(con, plant, into)
    plan.findings += _gaps(con, nodes)


def _wanted_nodes(
    plant: Plant, tree: Tree, boundary: Boundary, space: Space, findings: list[Finding]
) -> tuple[dict[str, Node], dict[str, tuple[str, ...]]]:
    """The nodes whose amounts this request needs, with the links among them; points that are no carrier as well."""
    nodes: dict[str, Node]
    children: dict[str, tuple[str, ...]] = {}
    if space >= Space.PROCESS:
        members = boundary.members(tree)
        keep = {*members, *boundary.sources, *allocation.key_meters(plant)}
        nodes = {node_id: node for node_id, node in tree.nodes.items() if node_id in keep}
        for node_id, node in nodes.items():
            if node_id not in members or node_id in boundary.tops:
                nodes[node_id] = replace(node, parent=None)
            elif node.parent is not None:
                children[node.parent] = (*children.get(node.parent, ()), node_id)
    else:
        keep = {*boundary.sources, *boundary.used_only}
        nodes = {
            node_id: replace(tree.nodes[node_id], parent=None) for node_id in tree.nodes if node_id in keep
        }
    # a virtual meter's real meters are looked up for their dates
    for node in list(nodes.values()):
        for real, _ in node.terms:
            nodes.setdefault(real, replace(tree.nodes[real], parent=None))
    for meter in plant.meters:
        if meter.carrier is None and meter.quantity and meter.kind in AMOUNTS and meter.id not in nodes:
            flat = _flat_node(meter, len(tree.nodes) + len(nodes), findings)
            if flat is not None:
                nodes[meter.id] = flat
    return nodes, children


def _flat_node(meter: Meter, index: int, findings: list[Finding]) -> Node | None:
    try:
        unit = ledger_unit(meter)
    except UnitError:
        findings.append(UNIT_UNKNOWN.at(place(meter), unit=meter.unit, hint=""))
        return None
    return Node(
        index, meter.id, meter, "", unit, ((meter.id, Fraction(1)),), Flow.USED, None, meter.process,
        meter.installed_at, meter.removed_at,
    )  # fmt: skip


def traits_of(plan: Plan, money: Mapping[str, str]) -> dict[str, tuple[object, ...]]:
    """Node → TRAITS: the key, unit and role of its facts, and the factor from ticks to their unit (null: none)."""
    plant, tree, boundary, nodes, findings = plan.plant, plan.tree, plan.boundary, plan.nodes, plan.findings
    carriers = {**CARRIERS, **{carrier.id: carrier for carrier in plant.carriers}}
    units = {product.id: product.unit for product in plant.products}
    members = boundary.members(tree)
    bus_of = {term: bus for bus, terms in boundary.bus_purchases.items() for term in terms}
    found: dict[str, tuple[object, ...]] = {}
    for node in nodes.values():
        meter, carrier = node.meter, carriers.get(node.carrier)
        if node.carrier and carrier is None:
            findings.append(CARRIER_UNKNOWN.at(place(meter), meter=node.id, carrier=node.carrier))
        item, purpose, unit = _key(node, carrier, units)
        factor = _factor(node, carrier, unit, findings)
        num, den = (None, None) if factor is None else (float(factor.numerator), float(factor.denominator))
        contract = (getattr(meter, "contract", None) or "") if node.carrier == "electricity" else ""
        quantity = "" if node.carrier else getattr(meter, "quantity", None) or ""
        sign, top, bus = boundary.sources.get(node.id), members.get(node.id), bus_of.get(node.id)
        found[node.id] = (
            item, purpose, str(unit), num, den, contract, money.get(node.id, ""), quantity,
            str(node.flow) if sign is not None else "", sign,
            nodes[top].index if top is not None and top in nodes else None, boundary.tops[top] if top is not None else None,
            top is not None and tree.nodes[top].flow is Flow.PURCHASED, node.id in boundary.passed_on,
            node.id in boundary.used_only, nodes[bus].index if bus is not None and bus in nodes else None,
        )  # fmt: skip
    return found


def _key(node: Node, carrier: Carrier | None, products: Mapping[str, str]) -> tuple[str, str, Unit]:
    if carrier is not None:
        return carrier.id, "combustion" if carrier.kind in _FUELS else "", carrier.unit
    product = getattr(node.meter, "product", None) or ""
    unit = parse_unit(products[product]) if product in products else node.unit
    return node.carrier or product, "", unit


def _factor(node: Node, carrier: Carrier | None, unit: Unit, findings: list[Finding]) -> Fraction | None:
    shown = node.unit if carrier is None else carrier.counted(node.unit)
    if not shown.same_kind(unit):
        values = {
            "meter": node.id,
            "carrier": node.carrier or node.id,
            "unit": node.unit.text,
            "expected": unit.text,
        }
        findings.append(CARRIER_UNIT.at(place(node.meter), **values))
        return None
    return shown.factor_to(unit) / TICKS


def _gaps(con: duckdb.DuckDBPyConnection, nodes: Mapping[str, Node]) -> list[Finding]:
    """One finding per meter that is counted and lacks data."""
    rows = con.execute(
        """SELECT n.id, sum(coalesce(a.covered, 0))::DOUBLE / sum(d.due), min(s.seg_start), max(s.seg_end),
            min(CASE WHEN coalesce(a.covered, 0) < d.due THEN s.seg_start END)
        FROM m_due d JOIN m_node n ON n.node = d.node JOIN m_segment s ON s.seg = d.seg
        LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
        WHERE n.sign IS NOT NULL OR n.top IS NOT NULL OR n.carrier = '' GROUP BY n.id, n.node
        HAVING sum(coalesce(a.covered, 0)) < sum(d.due) ORDER BY n.node"""
    ).fetchall()
    return [lacking(nodes[row[0]].meter, *row[1:]) for row in rows]


def lacking(
    meter: Meter | VirtualMeter, share: float, first: datetime, last: datetime, gap: datetime
) -> Finding:
    """The finding of a meter with data for a `share` of the time from `first` to `last`; `gap`: where the first one is."""
    if share == 0:
        return METER_ABSENT.at(place(meter), meter=meter.id, first=first, last=last)
    percent = f"{min(share * 100, 99.99):.2f}"
    return METER_GAP.at(place(meter), meter=meter.id, percent=percent, first=gap)
