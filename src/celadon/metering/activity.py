"""Activity data for rulebooks: facts by place and time out of the ledger and the records.

By site and enterprise the meters at the boundary count; by process and meter the leaves of the trees and what remains
of each meter above them (`<id>~rest`). Both add to the same whole number of ticks wherever the boundary meter has data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction

import duckdb

from celadon.core.carriers import CARRIERS, Carrier
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import Finding, FindingKind, Severity
from celadon.core.model import Flow, Meter, Plant
from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, Unit, UnitError, parse_unit
from celadon.metering import allocation, tariffs
from celadon.metering import records as record_facts
from celadon.metering.amounts import Calendars, apportion, find_feeders, load_rows, sum_nodes, write_nodes
from celadon.metering.boundary import Boundary, find_boundary
from celadon.metering.points import TICKS, ledger_unit
from celadon.metering.tree import AMOUNTS, Node, Tree, build_tree, place

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
        en="Give the meter a multiplier with the density or calorific value and the unit "
        "{expected} (1 m3 of water is 1 t).",
        zh="请用含密度或热值的 multiplier，并将单位写为 {expected}（水 1 m3 计 1 t）。",
    ),
)
METER_ABSENT = FindingKind(
    "activity.meter-absent",
    Severity.WARNING,
    Text(en="A meter without data", zh="表计无数据"),
    Text(
        en="{meter} has no data from {first} to {last} (UTC): its amounts there are absent, not zero.",
        zh="{meter} 自 {first} 至 {last}（UTC）无数据：按缺失处理，不作零。",
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
        "from {first} (UTC).",
        zh="{meter} 的数据覆盖应有时间的 {percent} %：首个缺口位于 {first}（UTC）起的时段。",
    ),
    Text(
        en="Load the missing readings; `celadon balance` names the gaps.",
        zh="请补充缺失读数；`celadon balance` 会列出缺口。",
    ),
)

_FUELS = frozenset({"solid", "liquid", "gas"})
_ITEM_COLUMNS = {
    "node": "INTEGER", "item": "VARCHAR", "purpose": "VARCHAR", "unit": "VARCHAR", "num": "DOUBLE", "den": "DOUBLE",
    "contract": "VARCHAR", "money": "VARCHAR",
}  # fmt: skip


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
    grain = max(time, Grain.MONTH)
    tree = build_tree(plant)
    findings = list(tree.findings)
    boundary = find_boundary(tree, record_facts.recorded_carriers(con, plant, records))
    findings += boundary.findings
    calendars = Calendars(plant, period, grain, allocation.share_cuts(plant))
    findings += calendars.findings
    nodes, children = _wanted_nodes(plant, tree, boundary, space, findings)
    calendars.write(con)
    prices = tariffs.price_nodes(con, plant, tree, boundary, calendars)
    findings += prices.findings
    write_nodes(con, nodes, children, calendars, point_ids, prices.of_node)
    _write_items(con, plant, nodes, prices.money, findings)
    sum_nodes(con, ledger, calendars, priced=bool(prices.of_node))
    columns = ", ".join(f'"{name}" {kind}' for name, kind in FACT_COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} ({columns})")
    _write_roles(con, nodes, boundary, tree)
    _flat_facts(con, plant, nodes, into)
    flows = {tree.nodes[item].flow for item in boundary.sources}
    priced = bool(prices.of_node)
    metered = {(tree.nodes[item].site, tree.nodes[item].carrier) for item in boundary.sources}
    findings += record_facts.insert_facts(con, plant, records, period, metered, into)
    if space >= Space.PROCESS:
        find_feeders(con)
        _leaves(con)
        findings += allocation.write_parts(con, plant, nodes, into)
        _leaf_facts(con, plant, flows, priced, into)
    else:
        _site_facts(con, plant, flows, priced, into)
    findings += _gaps(con, nodes)
    return findings


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


def _write_items(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    nodes: Mapping[str, Node],
    money: Mapping[str, str],
    findings: list[Finding],
) -> None:
    """Table `m_item`: the key of each node's facts and the factor from ticks to their unit (null: none)."""
    carriers = {**CARRIERS, **{carrier.id: carrier for carrier in plant.carriers}}
    units = {product.id: product.unit for product in plant.products}
    rows = []
    for node in nodes.values():
        meter, carrier = node.meter, carriers.get(node.carrier)
        contract = (
            (meter.contract or "") if isinstance(meter, Meter) and node.carrier == "electricity" else ""
        )
        if node.carrier and carrier is None:
            findings.append(CARRIER_UNKNOWN.at(place(meter), meter=node.id, carrier=node.carrier))
        item, purpose, unit = _key(node, carrier, units)
        factor = _factor(node, unit, findings)
        num, den = (None, None) if factor is None else (float(factor.numerator), float(factor.denominator))
        rows.append((node.index, item, purpose, str(unit), num, den, contract, money.get(node.id, "")))
    load_rows(con, "m_item", _ITEM_COLUMNS, rows)


def _key(node: Node, carrier: Carrier | None, products: Mapping[str, str]) -> tuple[str, str, Unit]:
    if carrier is not None:
        return carrier.id, "combustion" if carrier.kind in _FUELS else "", carrier.unit
    product = getattr(node.meter, "product", None) or ""
    unit = parse_unit(products[product]) if product in products else node.unit
    return node.carrier or product, "", unit


def _factor(node: Node, unit: Unit, findings: list[Finding]) -> Fraction | None:
    if not node.unit.same_kind(unit):
        values = {
            "meter": node.id,
            "carrier": node.carrier or node.id,
            "unit": node.unit.text,
            "expected": unit.text,
        }
        findings.append(CARRIER_UNIT.at(place(node.meter), **values))
        return None
    return node.unit.factor_to(unit) / TICKS


def _write_roles(
    con: duckdb.DuckDBPyConnection, nodes: Mapping[str, Node], boundary: Boundary, tree: Tree
) -> None:
    """Table `m_role`: flow and sign of boundary meters, head and sign of tree members, the bus that covers a purchase."""
    members = boundary.members(tree)
    bus_of = {term: bus for bus, terms in boundary.bus_purchases.items() for term in terms}
    rows = []
    for node in nodes.values():
        sign = boundary.sources.get(node.id)
        flow = str(node.flow) if sign is not None else ""
        top = members.get(node.id)
        top_index = nodes[top].index if top is not None and top in nodes else None
        bus = bus_of.get(node.id)
        bus_index = nodes[bus].index if bus is not None and bus in nodes else None
        direct = top is not None and tree.nodes[top].flow is Flow.PURCHASED
        rows.append((
            node.index, flow, sign, top_index, boundary.tops[top] if top is not None else None, direct,
            node.id in boundary.passed_on, node.id in boundary.used_only, bus_index,
        ))  # fmt: skip
    columns = {
        "node": "INTEGER", "flow": "VARCHAR", "sign": "INTEGER", "top": "INTEGER", "top_sign": "INTEGER",
        "direct": "BOOLEAN", "passed_on": "BOOLEAN", "used_only": "BOOLEAN", "bus": "INTEGER",
    }  # fmt: skip
    load_rows(con, "m_role", columns, rows)


def _insert(
    con: duckdb.DuckDBPyConnection, plant: Plant, into: str, quantity: str, rows: str, item: str = "i.item", unit: str = "i.unit",
    purpose: str = "''", num: str = "i.num", den: str = "i.den",
) -> None:  # fmt: skip
    """Add facts: `rows` selects node, seg, process, rest, amount, estimated, covered, due, derived, open."""
    con.execute(
        f"""INSERT INTO {into}
        WITH r AS ({rows}), g AS (
            SELECT r.node, r.process, r.rest, s.time_start, s.time_end,
                sum(r.amount)::DOUBLE AS amount, sum(r.estimated)::DOUBLE AS estimated,
                sum(CASE WHEN r.amount IS NULL THEN 0 ELSE r.covered END) / nullif(sum(r.due), 0) AS coverage,
                bool_or(r.derived) AS derived, bool_or(r.open) AS open
            FROM r JOIN m_segment s ON s.seg = r.seg GROUP BY ALL
        ), v AS (SELECT g.*, n.id, n.site, {item} AS item, {purpose} AS purpose, {unit} AS unit,
                g.amount * {num} / {den} AS value, least(abs(g.estimated), abs(g.amount)) * {num} / {den} AS part
            FROM g JOIN m_node n ON n.node = g.node JOIN m_item i ON i.node = g.node)
        SELECT ?, item, purpose, ?, site, process, id || CASE WHEN rest THEN '~rest' ELSE '' END, time_start, time_end,
            value, unit, NULL, coalesce(part, 0), 0,
            CASE WHEN value IS NULL THEN 0 ELSE least(1, coalesce(coverage, 0)) END,
            CASE WHEN value IS NULL THEN 5 WHEN part > 0 OR open THEN 3 WHEN derived THEN 1 ELSE 0 END, 'ledger'
        FROM v""",
        [quantity, plant.enterprise],
    )


_NODE_ROWS = """SELECT n.node, d.seg, n.process, false AS rest, {sign}a.amount AS amount, a.estimated, a.covered, d.due,
    n.virtual AS derived, false AS open
    FROM m_role o JOIN m_node n ON n.node = o.node JOIN m_due d ON d.node = n.node
    LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg WHERE {where}"""
_COST_ROWS = """SELECT n.node, d.seg, n.process, false AS rest, CASE WHEN a.priced > 0 THEN a.cost END AS amount,
    0 AS estimated, a.priced AS covered, d.due, true AS derived, false AS open
    FROM m_role o JOIN m_node n ON n.node = o.node JOIN m_due d ON d.node = n.node
    LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg WHERE {where}"""
_MONEY = {"unit": "i.money", "num": "1.0", "den": "1e9"}
_CONTRACT = {"item": "i.contract", "unit": "'MWh'", "num": "1.0", "den": "1e9"}


def _flat_facts(con: duckdb.DuckDBPyConnection, plant: Plant, nodes: Mapping[str, Node], into: str) -> None:
    """Points that are no carrier, under their own quantity: production counts, reactive energy …"""
    points: dict[str, list[tuple[int]]] = {}
    for node in nodes.values():
        if not node.carrier and isinstance(node.meter, Meter) and node.meter.quantity:
            points.setdefault(node.meter.quantity, []).append((node.index,))
    for quantity, indexes in points.items():
        load_rows(con, "m_flat", {"node": "INTEGER"}, indexes)
        where = "n.node IN (SELECT node FROM m_flat)"
        _insert(con, plant, into, quantity, _NODE_ROWS.format(sign="", where=where))


def _site_facts(
    con: duckdb.DuckDBPyConnection, plant: Plant, flows: Collection[Flow], priced: bool, into: str
) -> None:
    _boundary_facts(con, plant, into, flows)
    used = "o.sign IS NOT NULL OR o.used_only"
    rows = _NODE_ROWS.format(sign="coalesce(o.sign, 1) * ", where=used)
    _insert(con, plant, into, "energy_consumed", rows, purpose="i.purpose")
    if _contracts(con):
        contract = "o.flow = 'purchased' AND o.node IN (SELECT node FROM m_item WHERE contract <> '')"
        rows = _NODE_ROWS.format(sign="", where=contract)
        _insert(con, plant, into, "contract_electricity", rows, **_CONTRACT)
    if priced:
        cost = "o.flow = 'purchased' AND n.tariff IS NOT NULL"
        _insert(con, plant, into, "energy_cost", _COST_ROWS.format(where=cost), **_MONEY)


def _boundary_facts(con: duckdb.DuckDBPyConnection, plant: Plant, into: str, flows: Collection[Flow]) -> None:
    for flow in flows:
        _insert(con, plant, into, f"energy_{flow}", _NODE_ROWS.format(sign="", where=f"o.flow = '{flow}'"))


def _leaves(con: duckdb.DuckDBPyConnection) -> None:
    """Table `m_leaf` (node, seg): the amounts of leaves and remainders of every counted tree; null where absent."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE m_leaf AS
        WITH kids AS (
            SELECT u.up AS node, u.seg, sum(a.amount) AS amount, sum(a.estimated) AS estimated, sum(a.cost) AS cost
            FROM m_up u JOIN m_amount a ON a.node = u.node AND a.seg = u.seg WHERE u.up IS NOT NULL GROUP BY u.up, u.seg
        ), lacking AS (
            SELECT n.parent AS node, d.seg FROM m_due d JOIN m_node n ON n.node = d.node
            LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
            WHERE n.parent IS NOT NULL AND coalesce(a.covered, 0) < d.due GROUP BY n.parent, d.seg
        )
        SELECT n.node, d.seg, n.process, n.inner_node AS rest, (a.amount - coalesce(k.amount, 0))::HUGEINT AS amount,
            (a.estimated + coalesce(k.estimated, 0))::HUGEINT AS estimated, a.covered, d.due,
            n.inner_node OR n.virtual AS derived, l.node IS NOT NULL AS open,
            (a.cost - coalesce(k.cost, 0))::HUGEINT AS cost, a.priced, o.top
        FROM m_role o JOIN m_node n ON n.node = o.node AND o.top IS NOT NULL JOIN m_due d ON d.node = n.node
        LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
        LEFT JOIN kids k ON k.node = d.node AND k.seg = d.seg
        LEFT JOIN lacking l ON l.node = d.node AND l.seg = d.seg"""
    )


_PART = (
    "p.node, p.seg, p.process, p.rest, {amount} AS amount, p.estimated, {covered} AS "
    "covered, p.due, p.derived, p.open"
)


def _leaf_facts(
    con: duckdb.DuckDBPyConnection, plant: Plant, flows: Collection[Flow], priced: bool, into: str
) -> None:
    _boundary_facts(con, plant, into, [flow for flow in flows if flow is not Flow.PURCHASED])
    consumed = _PART.format(amount="o.top_sign * p.amount", covered="p.covered")
    rows = f"SELECT {consumed} FROM m_part p JOIN m_role o ON o.node = p.node WHERE NOT o.passed_on"
    _insert(con, plant, into, "energy_consumed", rows, purpose="i.purpose")
    if Flow.PURCHASED not in flows:
        return
    direct = _PART.format(amount="p.amount", covered="p.covered")
    rows = f"SELECT {direct} FROM m_part p JOIN m_role o ON o.node = p.node WHERE o.direct"
    _insert(con, plant, into, "energy_purchased", rows)
    if priced:
        cost = (
            "SELECT p.node, p.seg, p.process, p.rest, CASE WHEN p.priced > 0 THEN p.cost END AS "
            "amount, 0 AS estimated, "
        )
        cost += "p.priced AS covered, p.due, true AS derived, false AS open FROM m_part p"
        cost += (
            " JOIN m_role o ON o.node = p.node JOIN m_node n ON n.node = p.node WHERE o.direct "
            "AND n.tariff IS NOT NULL"
        )
        _insert(con, plant, into, "energy_cost", cost, **_MONEY)
    for name in _contracts(con):
        sql = f"""SELECT {direct} FROM m_part p JOIN m_role o ON o.node = p.node
            JOIN m_item h ON h.node = p.top WHERE o.direct AND h.contract = {_literal(name)}"""
        _insert(con, plant, into, "contract_electricity", sql, **{**_CONTRACT, "item": _literal(name)})
    _bus_facts(con, plant, priced, into)


def _contracts(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        name
        for (name,) in con.execute(
            "SELECT DISTINCT contract FROM m_item WHERE contract <> '' ORDER BY 1"
        ).fetchall()
    ]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bus_facts(con: duckdb.DuckDBPyConnection, plant: Plant, priced: bool, into: str) -> None:
    """Purchases covered by a bus, split over the bus's leaves in proportion to what they use in each span."""
    if not con.execute("SELECT count(*) FROM m_role WHERE bus IS NOT NULL").fetchall()[0][0]:
        return
    for name, amount in (("m_bus", "a.amount"), ("m_bus_cost", "CASE WHEN a.priced > 0 THEN a.cost END")):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE {name} AS
            WITH own AS (
                SELECT o.node AS source, o.bus, d.seg, {amount} AS own, a.estimated, a.covered, a.priced, d.due, n.tariff
                FROM m_role o JOIN m_node n ON n.node = o.node JOIN m_due d ON d.node = o.node
                LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg WHERE o.bus IS NOT NULL
            ), pairs AS (
                SELECT w.source, w.seg, w.own, w.estimated, w.covered, w.priced, w.due, w.tariff, p.node, p.process, p.rest,
                    p.amount AS weight
                FROM own w JOIN m_part p ON p.top = w.bus AND p.seg = w.seg AND p.amount IS NOT NULL WHERE w.own IS NOT NULL
            ), split AS ({apportion("pairs", "own", "weight", "source, seg", "node, process, rest")})
            SELECT source, seg, node, process, rest, part, estimated * part / nullif(own, 0) AS estimated, covered, priced,
                due, tariff FROM split
            UNION ALL -- absent, or nothing below to split over: stays with the purchase meter
            SELECT w.source, w.seg, w.source, n.process, false, w.own, w.estimated, w.covered, w.priced, w.due, w.tariff
            FROM own w JOIN m_node n ON n.node = w.source
            WHERE NOT EXISTS (SELECT 1 FROM split s WHERE s.source = w.source AND s.seg = w.seg)"""
        )
    rows = """SELECT node, seg, process, rest, part AS amount, estimated, covered, due, true AS derived, false AS open
        FROM m_bus"""
    _insert(con, plant, into, "energy_purchased", rows)
    cost = rows.replace("estimated, covered", "0 AS estimated, priced AS covered").replace(
        "m_bus", "m_bus_cost"
    )
    money = {**_MONEY, "unit": "(SELECT any_value(money) FROM m_item WHERE money <> '')"}
    if priced:
        _insert(con, plant, into, "energy_cost", f"{cost} WHERE tariff IS NOT NULL", **money)
    for name in _contracts(con):
        sql = f"{rows} WHERE source IN (SELECT node FROM m_item WHERE contract = {_literal(name)})"
        _insert(con, plant, into, "contract_electricity", sql, **{**_CONTRACT, "item": _literal(name)})


def _gaps(con: duckdb.DuckDBPyConnection, nodes: Mapping[str, Node]) -> list[Finding]:
    """One finding per meter that is counted and lacks data."""
    rows = con.execute(
        """SELECT n.id, sum(coalesce(a.covered, 0))::DOUBLE / sum(d.due), min(s.seg_start), max(s.seg_end),
            min(CASE WHEN coalesce(a.covered, 0) < d.due THEN s.seg_start END)
        FROM m_due d JOIN m_node n ON n.node = d.node JOIN m_segment s ON s.seg = d.seg JOIN m_role o ON o.node = n.node
        LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
        WHERE o.sign IS NOT NULL OR o.top IS NOT NULL OR n.carrier = '' GROUP BY n.id, n.node
        HAVING sum(coalesce(a.covered, 0)) < sum(d.due) ORDER BY n.node"""
    ).fetchall()
    findings = []
    for node_id, share, first, last, gap in rows:
        where = place(nodes[node_id].meter)
        if share == 0:
            findings.append(METER_ABSENT.at(where, meter=node_id, first=first, last=last))
        else:
            percent = f"{min(share * 100, 99.99):.2f}"
            findings.append(METER_GAP.at(where, meter=node_id, percent=percent, first=gap))
    return findings
