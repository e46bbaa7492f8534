"""The sub-meter balance: each meter against the sum of those below it, and each site against its meters.

A child which has no data is named; its energy, which then sits in the remainder, is not blamed as a loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from statistics import median

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.facts import Status
from celadon.core.findings import Finding, FindingKind, Severity
from celadon.core.model import Meter, Plant
from celadon.core.periods import Grain, Period
from celadon.core.text import Text
from celadon.metering.amounts import Calendars, find_feeders, load_rows, sum_nodes, write_nodes
from celadon.metering.boundary import Boundary, find_boundary
from celadon.metering.points import TICKS
from celadon.metering.tree import Node, Tree, build_tree, place

CHILDREN_EXCEED = FindingKind(
    "balance.children-exceed",
    Severity.WARNING,
    Text(en="Sub-meters count more than their meter", zh="下级表之和超过上级表"),
    Text(
        en="The meters below {meter} count {children} {unit}, {percent} % more than its {own} "
        "{unit} (tolerance {tolerance} %).",
        zh="{meter} 下级表合计 {children} {unit}，比其自身 {own} {unit} 多 {percent} %（允许 "
        "{tolerance} %）。",
    ),
    Text(
        en="Check multipliers, swapped meters and meters that hang under the wrong parent.",
        zh="请检查倍率、换表记录及上下级关系。",
    ),
)
REMAINDER_LARGE = FindingKind(
    "balance.remainder-large",
    Severity.NOTICE,
    Text(en="An unusually large unmetered remainder", zh="未计量余量异常偏大"),
    Text(
        en="{percent} % of {meter} is in no meter below it ({amount} {unit}); {usual}.",
        zh="{meter} 有 {percent} % 未被下级表计量（{amount} {unit}）；{usual}。",
    ),
    Text(
        en="Look for loads without a meter, losses, or a slow sub-meter.",
        zh="请查找未装表负荷、损耗或偏慢的下级表。",
    ),
)
CHILD_ABSENT = FindingKind(
    "balance.child-absent",
    Severity.WARNING,
    Text(en="A sub-meter has no data", zh="下级表无数据"),
    Text(
        en="Below {meter}, {missing} lacks data: what it would count is in the remainder, which is no loss.",
        zh="{meter} 的下级表 {missing} 数据缺失：其用量包含在余量中，并非损耗。",
    ),
    Text(
        en="Load its readings, or declare when it was installed or removed.",
        zh="请补充读数，或声明安装、拆除日期。",
    ),
)
METER_SHORT = FindingKind(
    "balance.meter-short",
    Severity.WARNING,
    Text(en="A meter has less data than those below it", zh="上级表数据少于下级表"),
    Text(
        en="{meter} has data for {percent} % of the time, the meters below it for more: the two "
        "do not compare.",
        zh="{meter} 的数据仅覆盖 {percent} % 的时间，少于其下级表：两者不可比。",
    ),
    Text(en="Load the missing readings of {meter}.", zh="请补充 {meter} 缺失的读数。"),
)

_TOLERANCE = 0.02  # of virtual meters, as the model's default for real ones
_UNUSUAL_ALONE = 0.30  # remainder share that is noticed when there is no history to compare with
_UNUSUAL_STEP = 0.05  # share above the meter's own median that is noticed


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One node (or, with an empty node, one site and carrier) in one span; amounts in ticks of `unit`.

    `own` is null when the meter has no data; `children` and `remainder` are null where nothing hangs below.
    For a site, `own` is purchase + generation − export and `children` what its meters at the leaves count.
    """

    node: str
    site: str
    carrier: str
    unit: str
    start: datetime
    end: datetime
    own: int | None
    low: int | None
    high: int | None
    children: int | None
    remainder: int | None
    share: float | None
    coverage: float
    estimated: int
    status: Status
    missing: tuple[str, ...] = ()
    """Children which are due and have no data, or not all of it."""
    findings: tuple[Finding, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a node's span was judged by, besides the row itself."""

    low: int
    high: int
    coverage: float


def balance(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    ledger: str,
    point_ids: Mapping[str, int],
    period: Period,
    time: Grain = Grain.MONTH,
) -> list[BalanceRow]:
    """Every meter and every site, per calendar unit of `time` (in the site's zone) inside the period, in tree order.

    Faults of the tree itself are `build_tree(plant).findings`.
    """
    tree = build_tree(plant)
    calendars = Calendars(plant, period, time, {})
    calendars.write(con)
    write_nodes(con, tree.nodes, tree.children, calendars, point_ids)
    sum_nodes(con, ledger, calendars)
    find_feeders(con)
    rows, sums = _node_rows(con, tree, calendars)
    judged = _judge(rows, sums, tree, {site.id: site.zone for site in plant.sites})
    return [*judged, *_site_rows(con, tree, find_boundary(tree), calendars)]


def _node_rows(
    con: duckdb.DuckDBPyConnection, tree: Tree, calendars: Calendars
) -> tuple[list[BalanceRow], list[_Sums]]:
    found = con.execute(
        """WITH kids AS (
            SELECT u.up AS node, u.seg, sum(a.amount) AS amount, sum(a.low) AS low, sum(a.high) AS high,
                max(a.covered / d.due) AS coverage
            FROM m_up u JOIN m_amount a ON a.node = u.node AND a.seg = u.seg
            JOIN m_due d ON d.node = u.node AND d.seg = u.seg WHERE u.up IS NOT NULL GROUP BY u.up, u.seg
        ), lacking AS (
            SELECT n.parent AS node, d.seg, list(n.id ORDER BY n.node) AS ids FROM m_due d JOIN m_node n ON n.node = d.node
            LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
            WHERE n.parent IS NOT NULL AND coalesce(a.covered, 0) < d.due GROUP BY n.parent, d.seg
        )
        SELECT n.id, s.seg, a.amount, a.low, a.high, a.estimated, coalesce(a.covered, 0) / nullif(d.due, 0), n.inner_node,
            coalesce(k.amount, 0), coalesce(k.low, 0), coalesce(k.high, 0), coalesce(k.coverage, 0), coalesce(l.ids, [])
        FROM m_due d JOIN m_node n ON n.node = d.node JOIN m_segment s ON s.seg = d.seg
        LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg LEFT JOIN kids k ON k.node = d.node AND k.seg = d.seg
        LEFT JOIN lacking l ON l.node = d.node AND l.seg = d.seg ORDER BY n.node, s.seg"""
    ).fetchall()
    rows, sums = [], []
    for (
        node_id,
        seg,
        own,
        low,
        high,
        estimated,
        coverage,
        inner,
        below,
        below_low,
        below_high,
        reach,
        missing,
    ) in found:
        node, segment = tree.nodes[node_id], calendars.segments[seg]
        rest = own - below if inner and own is not None else None
        row = BalanceRow(
            node_id, node.site, node.carrier, node.unit.text, segment.start, segment.end,
            own, low, high, below if inner else None, rest, rest / own if rest is not None and own else None,
            min(1.0, coverage or 0.0), estimated or 0, _status(own, estimated, node), tuple(missing),
        )  # fmt: skip
        rows.append(row)
        sums.append(_Sums(below_low, below_high, min(1.0, reach)))
    return rows, sums


def _status(own: int | None, estimated: int | None, node: Node) -> Status:
    if own is None:
        return Status.ABSENT
    if estimated:
        return Status.ESTIMATED
    return Status.CALCULATED if node.virtual else Status.MEASURED


def _judge(
    rows: Sequence[BalanceRow], sums: Sequence[_Sums], tree: Tree, zones: Mapping[str, str]
) -> list[BalanceRow]:
    """The rows with their findings."""
    usual: dict[str, list[float]] = {}
    for row in rows:
        if row.share is not None and not row.missing and row.coverage == 1.0:
            usual.setdefault(row.node, []).append(row.share)
    judged = []
    for row, below in zip(rows, sums, strict=True):
        label = Period(row.start, row.end, zones[row.site]).label
        judged.append(replace(row, findings=_findings(row, below, tree, usual.get(row.node, []), label)))
    return judged


def _findings(
    row: BalanceRow, below: _Sums, tree: Tree, history: Sequence[float], label: str
) -> tuple[Finding, ...]:
    if row.children is None:
        return ()
    node = tree.nodes[row.node]
    where = replace(place(node.meter), period=label)
    found = []
    if row.missing:
        found.append(CHILD_ABSENT.at(where, meter=row.node, missing=", ".join(row.missing)))
    if row.coverage < below.coverage:
        found.append(METER_SHORT.at(where, meter=row.node, percent=_percent(row.coverage)))
        return tuple(found)
    if row.own is None or row.high is None or row.share is None:
        return tuple(found)
    tolerance = node.meter.tolerance if isinstance(node.meter, Meter) else _TOLERANCE
    values = {"meter": row.node, "unit": row.unit}
    if below.low - row.high > tolerance * abs(row.high):
        amounts = {"children": _amount(row.children), "own": _amount(row.own)}
        shares = {"percent": _percent(-row.share), "tolerance": _percent(tolerance)}
        found.append(CHILDREN_EXCEED.at(where, **{**values, **amounts, **shares}))
    elif not row.missing and row.remainder is not None and _is_unusual(row.share, tolerance, history):
        known = len(history) >= 3
        usual = Text("there is no history to compare with", "尚无历史可比")
        if known:
            percent = _percent(median(history))
            usual = Text(f"it is usually {percent} %", f"通常为 {percent} %")
        amounts = {"amount": _amount(row.remainder), "percent": _percent(row.share)}
        found.append(REMAINDER_LARGE.at(where, **values, **amounts, usual=usual))
    return tuple(found)


def _is_unusual(share: float, tolerance: float, history: Sequence[float]) -> bool:
    if len(history) >= 3:
        return share > median(history) + max(3 * tolerance, _UNUSUAL_STEP)
    return share > _UNUSUAL_ALONE


def _percent(share: float) -> str:
    return f"{share * 100:.4g}"


def _amount(ticks: int) -> str:
    return f"{ticks / TICKS:.10g}"


def _site_rows(
    con: duckdb.DuckDBPyConnection, tree: Tree, boundary: Boundary, calendars: Calendars
) -> list[BalanceRow]:
    """One row per site, carrier and span: the boundary against the leaves of the trees it feeds."""
    members = boundary.members(tree)
    signs = boundary.sources or {}
    inner = {
        node_id for node_id in members if any(child in members for child in tree.children.get(node_id, ()))
    }
    rows = []
    for node in tree.nodes.values():
        sign = signs.get(node.id, 1 if node.id in boundary.used_only else 0)
        top = members.get(node.id)
        leaf = (
            top is not None and node.id not in inner and node.id not in boundary.passed_on and node.id != top
        )
        rows.append((node.index, sign, boundary.tops[top] if leaf and top is not None else 0))
    load_rows(con, "m_side", {"node": "INTEGER", "sign": "INTEGER", "leaf": "INTEGER"}, rows)
    found = con.execute(
        """SELECT n.site, n.carrier, d.seg, sum(o.sign * a.amount) FILTER (o.sign <> 0), sum(o.leaf * a.amount) FILTER (o.leaf <> 0),
            sum(CASE WHEN o.sign > 0 THEN a.low ELSE -a.high END) FILTER (o.sign <> 0),
            sum(CASE WHEN o.sign > 0 THEN a.high ELSE -a.low END) FILTER (o.sign <> 0),
            coalesce(sum(a.estimated) FILTER (o.sign <> 0), 0),
            coalesce(sum(coalesce(a.covered, 0)) FILTER (o.sign <> 0) / nullif(sum(d.due) FILTER (o.sign <> 0), 0), 0),
            coalesce(list(n.id ORDER BY n.node) FILTER (coalesce(a.covered, 0) < d.due), []), any_value(n.node)
        FROM m_due d JOIN m_node n ON n.node = d.node JOIN m_side o ON o.node = n.node
        LEFT JOIN m_amount a ON a.node = d.node AND a.seg = d.seg
        WHERE o.sign <> 0 OR o.leaf <> 0 GROUP BY n.site, n.carrier, d.seg ORDER BY n.site, n.carrier, d.seg"""
    ).fetchall()
    units = {node.index: node.unit.text for node in tree.nodes.values()}
    result = []
    for site, carrier, seg, own, leaves, low, high, estimated, coverage, missing, any_node in found:
        segment = calendars.segments[seg]
        rest = None if own is None or leaves is None else own - leaves
        status = Status.ABSENT if own is None else Status.ESTIMATED if estimated else Status.CALCULATED
        result.append(BalanceRow(
            "", site, carrier, units[any_node], segment.start, segment.end, own, low, high, leaves, rest,
            rest / own if rest is not None and own else None, min(1.0, coverage), estimated, status, tuple(missing),
        ))  # fmt: skip
    return result
