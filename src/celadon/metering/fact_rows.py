"""Summed nodes and leaves as rows of the facts table, all of a request in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from celadon.core.model import Plant
from celadon.metering.amounts import apportion
from celadon.metering.boundary import Boundary
from celadon.metering.tree import Node

TRAITS = {
    "item": "VARCHAR", "purpose": "VARCHAR", "unit": "VARCHAR", "num": "DOUBLE", "den": "DOUBLE", "contract": "VARCHAR",
    "money": "VARCHAR", "quantity": "VARCHAR", "flow": "VARCHAR", "sign": "INTEGER", "top": "INTEGER", "top_sign": "INTEGER",
    "direct": "BOOLEAN", "passed_on": "BOOLEAN", "used_only": "BOOLEAN", "bus": "INTEGER",
}  # fmt: skip
"""What a node's facts are called, their unit (value = ticks × num / den), and its role at the boundary."""

# what a branch of rows is; its place in this list is the branch's number
BRANCHES = (
    "",
    "energy_purchased",
    "energy_generated",
    "energy_exported",
    "energy_consumed",
    "contract_electricity",
    "energy_cost",
)
PURCHASED, GENERATED, EXPORTED, CONSUMED, CONTRACT, COST = range(1, 7)
_NODE = """SELECT {branch} AS branch, {word} AS word, n.node, d.seg, n.process, false AS rest, {amount} AS amount,
    {estimated} AS estimated, {covered} AS covered, d.due, {derived} AS derived, false AS open
    FROM m_node n JOIN m_due d ON d.node = n.node LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg WHERE {where}"""
_PART = """SELECT {branch} AS branch, {word} AS word, p.node, p.seg, p.process, p.rest, {amount} AS amount,
    {estimated} AS estimated, {covered} AS covered, p.due, {derived} AS derived, {open} AS open
    FROM m_part p JOIN m_node n ON n.node = p.node WHERE {where}"""
_SPLIT = """SELECT {branch} AS branch, {word} AS word, b.node, b.seg, b.process, b.rest, b.part AS amount,
    {estimated} AS estimated, {covered} AS covered, b.due, true AS derived, false AS open
    FROM {table} b JOIN m_node h ON h.node = b.source WHERE {where}"""
_MONEY = "CASE WHEN {0}.priced > 0 THEN {0}.cost END"


def _measured(branch: int | str, amount: str, where: str, word: str = "''") -> str:
    values = {"estimated": "a.estimated", "covered": "a.covered", "derived": "n.virtual"}
    return _NODE.format(branch=branch, word=word, amount=amount, where=where, **values)


def _parts(branch: int, amount: str, where: str, word: str = "''", money: bool = False) -> str:
    values = {"estimated": "p.estimated", "covered": "p.covered", "derived": "p.derived", "open": "p.open"}
    if money:
        values = {"estimated": "0", "covered": "p.priced", "derived": "true", "open": "false"}
    return _PART.format(branch=branch, word=word, amount=amount, where=where, **values)


def _add(con: duckdb.DuckDBPyConnection, plant: Plant, into: str, branches: Sequence[str]) -> None:
    """Add the rows of all branches: segments gathered to their calendar unit, ticks turned into the facts' unit.

    `word` is the contract of branch 5 and the currency of branch 6; branch 0 has the point's own quantity.
    """
    names = ", ".join(f"'{name}'" for name in BRANCHES)
    rows = " UNION ALL ".join(branches)
    con.execute(
        f"""INSERT INTO {into}
        WITH r AS ({rows}), g AS (
            SELECT r.branch, r.word, r.node, r.process, r.rest, s.time_start, s.time_end,
                sum(r.amount)::DOUBLE AS amount, sum(r.estimated)::DOUBLE AS estimated,
                sum(CASE WHEN r.amount IS NULL THEN 0 ELSE r.covered END) / nullif(sum(r.due), 0) AS coverage,
                bool_or(r.derived) AS derived, bool_or(r.open) AS open
            FROM r JOIN m_segment s ON s.seg = r.seg GROUP BY ALL
        ), v AS (
            SELECT g.*, n.id, n.site, n.purpose, n.quantity,
                CASE WHEN branch = {CONTRACT} THEN word ELSE n.item END AS item,
                CASE branch WHEN {CONTRACT} THEN 'MWh' WHEN {COST} THEN word ELSE n.unit END AS unit,
                CASE WHEN branch >= {CONTRACT} THEN g.amount / 1e9 ELSE g.amount * n.num / n.den END AS value,
                least(abs(g.estimated), abs(g.amount)) * n.num / n.den AS part
            FROM g JOIN m_node n ON n.node = g.node
        )
        SELECT CASE WHEN branch = 0 THEN quantity ELSE list_extract([{names}], branch + 1) END, item,
            CASE WHEN branch = {CONSUMED} THEN purpose ELSE '' END, ?, site, process,
            id || CASE WHEN rest THEN '~rest' ELSE '' END, time_start, time_end, value, unit, NULL, coalesce(part, 0), 0, 0, 0, 0, 0,
            CASE WHEN value IS NULL THEN 0 ELSE least(1, coalesce(coverage, 0)) END,
            CASE WHEN value IS NULL THEN 5 WHEN part > 0 OR open THEN 3 WHEN derived THEN 1 ELSE 0 END,
            CASE WHEN value IS NOT NULL THEN CASE WHEN open THEN 3 WHEN derived THEN 1 ELSE 0 END END, 'ledger'
        FROM v""",
        [plant.enterprise],
    )


def add_points(con: duckdb.DuckDBPyConnection, plant: Plant, nodes: Mapping[str, Node], into: str) -> None:
    """Points that are no carrier, under their own quantity: production counts, reactive energy …"""
    if any(not node.carrier for node in nodes.values()):
        _add(con, plant, into, [_measured(0, "a.amount", "n.quantity <> ''")])


_FLOW_BRANCH = (
    f"CASE n.flow WHEN 'purchased' THEN {PURCHASED} WHEN 'generated' THEN {GENERATED} ELSE {EXPORTED} END"
)


def add_sites(con: duckdb.DuckDBPyConnection, plant: Plant, into: str) -> None:
    """What crosses the boundary, and consumption from it; a row per boundary meter."""
    branches = [
        _measured(_FLOW_BRANCH, "a.amount", "n.flow <> ''"),
        _measured(CONSUMED, "coalesce(n.sign, 1) * a.amount", "n.sign IS NOT NULL OR n.used_only"),
    ]
    if _occurs(con, "contract"):
        where = "n.flow = 'purchased' AND n.contract <> ''"
        branches.append(_measured(CONTRACT, "a.amount", where, "n.contract"))
    if _occurs(con, "money"):
        values = {"estimated": "0", "covered": "a.priced", "derived": "true", "amount": _MONEY.format("a")}
        where = "n.flow = 'purchased' AND n.money <> ''"
        branches.append(_NODE.format(branch=COST, word="n.money", where=where, **values))
    _add(con, plant, into, branches)


def write_leaves(con: duckdb.DuckDBPyConnection) -> None:
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
            (a.cost - coalesce(k.cost, 0))::HUGEINT AS cost, a.priced, n.top
        FROM m_node n JOIN m_due d ON d.node = n.node LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
        LEFT JOIN kids k ON k.node = d.node AND k.seg = d.seg
        LEFT JOIN lacking l ON l.node = d.node AND l.seg = d.seg WHERE n.top IS NOT NULL"""
    )


def add_parts(con: duckdb.DuckDBPyConnection, plant: Plant, boundary: Boundary, into: str) -> None:
    """Consumption and purchase by leaf and remainder, from `m_part`; export and generation at their own meters."""
    branches = [
        _measured(_FLOW_BRANCH, "a.amount", "n.flow IN ('generated', 'exported')"),
        _parts(CONSUMED, "n.top_sign * p.amount", "NOT n.passed_on"),
        _parts(PURCHASED, "p.amount", "n.direct"),
    ]
    contracts, monies = _occurs(con, "contract"), _occurs(con, "money")
    if contracts:
        of_top = "(SELECT h.contract FROM m_node h WHERE h.node = p.top)"
        branches.append(_parts(CONTRACT, "p.amount", f"n.direct AND {of_top} <> ''", word=of_top))
    if monies:
        branches.append(
            _parts(COST, _MONEY.format("p"), "n.direct AND n.money <> ''", word="n.money", money=True)
        )
    if boundary.bus_purchases:
        _split(con, "m_bus", "a.amount")
        shown = {"estimated": "b.estimated", "covered": "b.covered", "table": "m_bus"}
        branches.append(_SPLIT.format(branch=PURCHASED, word="''", where="true", **shown))
        if contracts:
            branches.append(
                _SPLIT.format(branch=CONTRACT, word="h.contract", where="h.contract <> ''", **shown)
            )
        if monies:
            _split(con, "m_bus_cost", _MONEY.format("a"))
            shown = {"estimated": "0", "covered": "b.priced", "table": "m_bus_cost"}
            branches.append(_SPLIT.format(branch=COST, word="h.money", where="h.money <> ''", **shown))
    _add(con, plant, into, branches)


def _split(con: duckdb.DuckDBPyConnection, table: str, amount: str) -> None:
    """Purchases covered by a bus, split over the bus's leaves in proportion to what they use in each span."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH own AS (
            SELECT n.node AS source, n.bus, n.process, d.seg, {amount} AS own, a.estimated, a.covered, a.priced, d.due
            FROM m_node n JOIN m_due d ON d.node = n.node LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
            WHERE n.bus IS NOT NULL
        ), pairs AS (
            SELECT w.source, w.seg, w.own, w.estimated, w.covered, w.priced, w.due, p.node, p.process, p.rest, p.amount AS weight
            FROM own w JOIN m_part p ON p.top = w.bus AND p.seg = w.seg AND p.amount IS NOT NULL WHERE w.own IS NOT NULL
        ), split AS ({apportion("pairs", "own", "weight", "source, seg", "node, process, rest")})
        SELECT source, seg, node, process, rest, part, estimated * part / nullif(own, 0) AS estimated, covered, priced, due
        FROM split
        UNION ALL -- absent, or nothing below to split over: stays with the purchase meter
        SELECT w.source, w.seg, w.source, w.process, false, w.own, w.estimated, w.covered, w.priced, w.due
        FROM own w WHERE NOT EXISTS (SELECT 1 FROM split s WHERE s.source = w.source AND s.seg = w.seg)"""
    )


def _occurs(con: duckdb.DuckDBPyConnection, column: str) -> bool:
    """Whether any node has a contract, or a currency."""
    return bool(con.execute(f"SELECT 1 FROM m_node WHERE {column} <> '' LIMIT 1").fetchall())
