"""The meter tree: which meter feeds which, what stands at the boundary, and what is wrong with how they nest.

A wrong link is a Finding and is cut, so that everything else still adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Flow, Meter, Plant, PointKind, VirtualMeter
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, Unit, UnitError, did_you_mean
from celadon.metering.points import ledger_unit

METER_DUPLICATE = FindingKind(
    "balance.meter-duplicate",
    Severity.ERROR,
    Text(en="Meter id used twice", zh="表计编号重复"),
    Text(
        en="The id “{meter}” is used twice; the second one is left out.",
        zh="编号“{meter}”出现两次，后一个未采用。",
    ),
    Text(en="Give each meter an id of its own.", zh="请为每块表使用唯一编号。"),
)
PARENT_UNKNOWN = FindingKind(
    "balance.parent-unknown",
    Severity.ERROR,
    Text(en="Unknown parent meter", zh="上级表不存在"),
    Text(
        en="{meter} hangs under “{parent}”, which is not a meter{hint}.",
        zh="{meter} 的上级表“{parent}”不存在{hint}。",
    ),
    Text(en="Correct `parent`, or add the meter.", zh="请更正 parent，或补充该表。"),
)
PARENT_CYCLE = FindingKind(
    "balance.parent-cycle",
    Severity.ERROR,
    Text(en="Cycle in the meter tree", zh="表计层级成环"),
    Text(en="The meters feed each other in a circle: {cycle}.", zh="表计互为上级，形成环路：{cycle}。"),
    Text(en="Remove `parent` from the meter at the top.", zh="请删去最上级表的 parent。"),
)
PARENT_CARRIER = FindingKind(
    "balance.parent-carrier",
    Severity.ERROR,
    Text(en="Parent of another carrier", zh="上级表能源品种不同"),
    Text(
        en="{meter} counts {carrier}, its parent {parent} counts {other}.",
        zh="{meter} 计量 {carrier}，其上级表 {parent} 计量 {other}。",
    ),
    Text(en="A meter hangs under a meter of the same carrier.", zh="上级表与下级表的能源品种应一致。"),
)
PARENT_SITE = FindingKind(
    "balance.parent-site",
    Severity.ERROR,
    Text(en="Parent at another site", zh="上级表属于另一场所"),
    Text(
        en="{meter} is at site {site}, its parent {parent} at {other}.",
        zh="{meter} 属于场所 {site}，其上级表 {parent} 属于 {other}。",
    ),
    Text(
        en="Meter what passes between sites as exported by one and purchased by the other.",
        zh="场所之间的输送请分别按一方输出、另一方购入计量。",
    ),
)
SOURCE_BELOW = FindingKind(
    "balance.source-below-meter",
    Severity.WARNING,
    Text(en="A source below a meter", zh="电源表挂在其他表之下"),
    Text(
        en="{meter} ({flow}) hangs under {parent}, but {parent} does not feed it; {done}.",
        zh="{meter}（{flow}）挂在 {parent} 之下，但并非由其供能；{done}。",
    ),
    Text(
        en="Hang sub-meters under a virtual meter: purchase + generation − export.",
        zh="请用虚拟表（购入+自发−输出）作为下级表的上级。",
    ),
)
TERM_UNKNOWN = FindingKind(
    "balance.term-unknown",
    Severity.ERROR,
    Text(en="Unknown meter in a formula", zh="公式中的表计不存在"),
    Text(
        en="The formula of {meter} uses “{term}”, which is not a meter{hint}.",
        zh="{meter} 的公式引用了不存在的表“{term}”{hint}。",
    ),
    Text(en="Correct the formula.", zh="请更正公式。"),
)
FORMULA_CYCLE = FindingKind(
    "balance.formula-cycle",
    Severity.ERROR,
    Text(en="Virtual meters refer to each other in a circle", zh="虚拟表公式循环引用"),
    Text(en="The formulas refer to each other: {cycle}.", zh="公式循环引用：{cycle}。"),
    Text(en="Write one of them in terms of real meters.", zh="请将其中一个改为引用实际表计。"),
)
TERM_UNIT = FindingKind(
    "balance.term-unit",
    Severity.ERROR,
    Text(en="Terms of different kinds in a formula", zh="公式各项量纲不同"),
    Text(
        en="{meter} counts {unit}, but its term {term} counts {other}.",
        zh="{meter} 以 {unit} 计量，而其项 {term} 以 {other} 计量。",
    ),
    Text(en="Add only meters which count the same thing.", zh="只能对计量同类量的表求和。"),
)

AMOUNTS = frozenset({PointKind.REGISTER, PointKind.INTERVAL, PointKind.RATE, PointKind.COUNT})


@dataclass(frozen=True, slots=True)
class Node:
    """One meter of the tree, real or virtual. `terms`: real meter → weight (a real meter is one times itself)."""

    index: int
    id: str
    meter: Meter | VirtualMeter
    carrier: str
    unit: Unit
    terms: tuple[tuple[str, Fraction], ...]
    flow: Flow
    parent: str | None
    process: str | None
    due_from: datetime | None
    due_to: datetime | None

    @property
    def site(self) -> str:
        return self.meter.site

    @property
    def virtual(self) -> bool:
        return isinstance(self.meter, VirtualMeter)


@dataclass(frozen=True, slots=True)
class Tree:
    """All nodes by id, each id's children, and what was found while linking them."""

    nodes: Mapping[str, Node]
    children: Mapping[str, tuple[str, ...]]
    findings: tuple[Finding, ...]

    def top(self, node_id: str) -> str:
        """The id at the head of the node's tree."""
        while (parent := self.nodes[node_id].parent) is not None:
            node_id = parent
        return node_id

    def below(self, node_id: str) -> list[str]:
        """The node and everything under it, parents before children."""
        found = [node_id]
        for current in found:
            found.extend(self.children.get(current, ()))
        return found

    def path(self, node_id: str) -> list[str]:
        """The node's ancestors, nearest first."""
        found = []
        parent = self.nodes[node_id].parent
        while parent is not None:
            found.append(parent)
            parent = self.nodes[parent].parent
        return found


def build_tree(plant: Plant) -> Tree:
    """Link the plant's meters of carriers, real and virtual; wrong links are cut and found."""
    findings: list[Finding] = []
    nodes = _real_nodes(plant, findings)
    _virtual_nodes(plant, nodes, findings)
    _link(plant, nodes, findings)
    _inherit_processes(nodes)
    children: dict[str, list[str]] = {}
    for node in nodes.values():
        if node.parent is not None:
            children.setdefault(node.parent, []).append(node.id)
    return Tree(nodes, {key: tuple(value) for key, value in children.items()}, tuple(findings))


def place(meter: Meter | VirtualMeter) -> Place:
    """Where the plant file declares the meter, with the meter as the subject."""
    return replace(meter.where, subject=f"meter:{meter.id}")


def _real_nodes(plant: Plant, findings: list[Finding]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    seen: set[str] = set()
    for meter in plant.meters:
        if meter.id in seen:
            findings.append(METER_DUPLICATE.at(place(meter), meter=meter.id))
            continue
        seen.add(meter.id)
        if meter.carrier is None or meter.kind not in AMOUNTS:
            continue
        try:
            unit = ledger_unit(meter)
        except UnitError:
            findings.append(UNIT_UNKNOWN.at(place(meter), unit=meter.unit, hint=""))
            continue
        terms = ((meter.id, Fraction(1)),)
        nodes[meter.id] = Node(
            len(nodes), meter.id, meter, meter.carrier, unit, terms, meter.flow, meter.parent, meter.process,
            meter.installed_at, meter.removed_at,
        )  # fmt: skip
    return nodes


def _virtual_nodes(plant: Plant, nodes: dict[str, Node], findings: list[Finding]) -> None:
    virtual: dict[str, VirtualMeter] = {}
    taken = {meter.id for meter in plant.meters}
    for meter in plant.virtual_meters:
        if meter.id in taken:
            findings.append(METER_DUPLICATE.at(place(meter), meter=meter.id))
            continue
        taken.add(meter.id)
        virtual[meter.id] = meter
    broken: set[str] = set()
    for meter in virtual.values():
        _resolve(meter, virtual, nodes, broken, (), findings)


def _resolve(
    meter: VirtualMeter,
    virtual: Mapping[str, VirtualMeter],
    nodes: dict[str, Node],
    broken: set[str],
    path: tuple[str, ...],
    findings: list[Finding],
) -> Node | None:
    """The virtual meter as weights of real meters; None when it, or what it needs, is broken."""
    if meter.id in nodes or meter.id in broken:
        return nodes.get(meter.id)
    if meter.id in path:
        cycle = " → ".join((*path[path.index(meter.id) :], meter.id))
        findings.append(FORMULA_CYCLE.at(place(meter), cycle=cycle))
        broken.update(path[path.index(meter.id) :])
        return None
    try:
        unit = ledger_unit(meter)
    except UnitError:
        findings.append(UNIT_UNKNOWN.at(place(meter), unit=meter.unit, hint=""))
        broken.add(meter.id)
        return None
    weights: dict[str, Fraction] = {}
    whole = True
    for term_id, weight in meter.terms:
        term = nodes.get(term_id)
        if term is None and term_id in virtual:
            term = _resolve(virtual[term_id], virtual, nodes, broken, (*path, meter.id), findings)
            whole = whole and term is not None
        elif term is None:
            hint = did_you_mean(term_id, [*nodes, *virtual])
            findings.append(TERM_UNKNOWN.at(place(meter), meter=meter.id, term=term_id, hint=hint))
            whole = False
        if term is None:
            continue
        if term.unit.text != unit.text:
            values = {"meter": meter.id, "unit": unit.text, "term": term_id, "other": term.unit.text}
            findings.append(TERM_UNIT.at(place(meter), **values))
            whole = False
        for real, inner in term.terms:
            weights[real] = weights.get(real, Fraction(0)) + weight * inner
    if not whole or meter.id in broken:
        broken.add(meter.id)
        return None
    terms = tuple((real, weight) for real, weight in weights.items() if weight)
    spans = [(nodes[real].due_from, nodes[real].due_to) for real, _ in terms]
    node = Node(
        len(nodes), meter.id, meter, meter.carrier, unit, terms, meter.flow, meter.parent, meter.process,
        _earliest(start for start, _ in spans), _latest(end for _, end in spans),
    )  # fmt: skip
    nodes[meter.id] = node
    return node


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    known = list(moments)
    return None if not known or None in known else min(moment for moment in known if moment is not None)


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    known = list(moments)
    return None if not known or None in known else max(moment for moment in known if moment is not None)


def _link(plant: Plant, nodes: dict[str, Node], findings: list[Finding]) -> None:
    virtual = {meter.id for meter in plant.virtual_meters}
    other = {meter.id: meter.quantity or str(meter.kind) for meter in plant.meters if meter.id not in nodes}
    for node in list(nodes.values()):
        if node.parent is None:
            continue
        parent = nodes.get(node.parent)
        if parent is None and node.parent in virtual:
            nodes[node.id] = replace(node, parent=None)  # its broken formula is found already
            continue
        finding = _wrong_link(node, parent, nodes, other)
        if finding is not None:
            findings.append(finding)
            nodes[node.id] = replace(node, parent=None)
        elif node.flow in (Flow.PURCHASED, Flow.GENERATED):
            _source_below(node, nodes, findings)
    _cut_cycles(nodes, findings)


def _wrong_link(
    node: Node, parent: Node | None, nodes: Mapping[str, Node], other: Mapping[str, str]
) -> Finding | None:
    where = place(node.meter)
    if parent is None and node.parent in other:
        values = {
            "meter": node.id,
            "carrier": _counts(node),
            "parent": node.parent,
            "other": other[node.parent or ""],
        }
        return PARENT_CARRIER.at(where, **values)
    if parent is None:
        hint = did_you_mean(node.parent or "", list(nodes))
        return PARENT_UNKNOWN.at(where, meter=node.id, parent=node.parent, hint=hint)
    if parent.carrier != node.carrier or parent.unit.text != node.unit.text:
        left, right = _counts(node), _counts(parent)
        return PARENT_CARRIER.at(where, meter=node.id, carrier=left, parent=parent.id, other=right)
    if parent.site != node.site:
        return PARENT_SITE.at(where, meter=node.id, site=node.site, parent=parent.id, other=parent.site)
    return None


def _counts(node: Node) -> str:
    return f"{node.carrier} ({node.unit.text})"


def _source_below(node: Node, nodes: dict[str, Node], findings: list[Finding]) -> None:
    """A parent never feeds a source: generation stands alone, a second purchase meter is a sub-meter."""
    values = {"meter": node.id, "flow": str(node.flow), "parent": node.parent}
    if node.flow is Flow.GENERATED:
        nodes[node.id] = replace(node, parent=None)
        done = Text("the link is left out", "该层级关系未采用")
    else:
        nodes[node.id] = replace(node, flow=Flow.USED)
        done = Text("it is taken as a sub-meter", "按下级用能表处理")
    findings.append(SOURCE_BELOW.at(place(node.meter), **values, done=done))


def _cut_cycles(nodes: dict[str, Node], findings: list[Finding]) -> None:
    safe: set[str] = set()
    for start in list(nodes):
        path: list[str] = []
        current: str | None = start
        while current is not None and current not in safe and current not in path:
            path.append(current)
            current = nodes[current].parent
        if current is not None and current in path:
            ring = path[path.index(current) :]
            findings.append(PARENT_CYCLE.at(place(nodes[current].meter), cycle=" → ".join((*ring, current))))
            for member in ring:
                nodes[member] = replace(nodes[member], parent=None)
        safe.update(path)


def _inherit_processes(nodes: dict[str, Node]) -> None:
    """A meter without a process belongs to the process of the nearest meter above which has one."""
    for node in list(nodes.values()):
        above = node
        while above.process is None and above.parent is not None:
            above = nodes[above.parent]
        if above.process != node.process:
            nodes[node.id] = replace(node, process=above.process)
