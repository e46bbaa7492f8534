"""What counts at a site: the meters at its boundary, the trees its consumption is split over, and buses.

A *bus* is a virtual meter that heads a tree: purchase + generation − export of the boundary meters it covers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field
from fractions import Fraction
from functools import partial

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Flow
from celadon.core.text import Text
from celadon.metering.tree import Node, Tree, place

BUS_DIFFERS = FindingKind(
    "balance.bus-differs",
    Severity.ERROR,
    Text(en="A bus is not purchase + generation − export", zh="母线虚拟表公式与边界不符"),
    Text(
        en="{meter} heads a tree and uses {term} with the weight {weight}; at the boundary it "
        "counts {expected}.",
        zh="{meter} 为表计树的顶端，其公式中 {term} 的系数为 {weight}，而按边界应为 {expected}。",
    ),
    Text(
        en="Write the formula as purchase + generation − export; until then the tree below it is "
        "not counted.",
        zh="请将公式写为 购入+自发−输出；在此之前其下级表不计入。",
    ),
)
ORPHAN = FindingKind(
    "balance.orphan-meter",
    Severity.WARNING,
    Text(en="A sub-meter under no meter of the boundary", zh="下级表未挂接到边界表"),
    Text(
        en="{meter} hangs under no purchase, generation or bus meter of {carrier} at site "
        "{site}; it is not counted.",
        zh="{meter} 未挂在场所 {site} 的 {carrier} 购入表、自发表或母线之下，未计入。",
    ),
    Text(en="Give it a `parent`, or a `flow`.", zh="请为其设置 parent 或 flow。"),
)
NO_BOUNDARY = FindingKind(
    "balance.no-boundary-meter",
    Severity.NOTICE,
    Text(en="No purchase meter", zh="没有购入表"),
    Text(
        en="Site {site} has no purchase meter or record of {carrier}; {meters} are taken as its consumption.",
        zh="场所 {site} 没有 {carrier} 的购入表或购入台账；以 {meters} 作为其消费量。",
    ),
    Text(en="Set `flow: purchased` on the meter at the boundary.", zh="请为边界上的表设置 flow: purchased。"),
)


@dataclass(slots=True)
class Boundary:
    """What is counted, by node id.

    `sources`: boundary meters with their sign in consumption. `tops`: heads of the trees that consumption is split
    over, with the sign of their leaves. `passed_on`: meters below a tree's head whose energy leaves the site.
    `bus_purchases`: bus → the purchase meters it covers. `used_only`: tops that stand for consumption by themselves.
    """

    sources: dict[str, int] = field(default_factory=dict)
    tops: dict[str, int] = field(default_factory=dict)
    passed_on: set[str] = field(default_factory=set)
    bus_purchases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    used_only: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def members(self, tree: Tree) -> dict[str, str]:
        """Counted node → the head of its tree. What hangs below an exported meter is the receiver's, not counted."""
        found: dict[str, str] = {}
        for top in self.tops:
            queue = [top]
            for current in queue:
                found[current] = top
                if tree.nodes[current].flow is not Flow.EXPORTED:
                    queue.extend(tree.children.get(current, ()))
        return found


_SIGN = {Flow.PURCHASED: 1, Flow.GENERATED: 1, Flow.EXPORTED: -1}


def find_boundary(tree: Tree, recorded: Callable[[], Collection[tuple[str, str]]] = frozenset) -> Boundary:
    """Sort the tree's nodes into what is counted; `recorded` gives (site, carrier) known from records."""
    boundary = Boundary()
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in tree.nodes.values():
        groups.setdefault((node.site, node.carrier), []).append(node)
    for key, nodes in groups.items():
        _sort_group(tree, nodes, partial(_is_recorded, recorded, key), boundary)
    return boundary


def _is_recorded(recorded: Callable[[], Collection[tuple[str, str]]], key: tuple[str, str]) -> bool:
    return key in recorded()


def _sort_group(tree: Tree, nodes: list[Node], recorded: Callable[[], bool], boundary: Boundary) -> None:
    sources = {
        node.id: _SIGN[node.flow] for node in nodes if node.flow in _SIGN and not _handed_over(node, tree)
    }
    heads = [node for node in nodes if node.parent is None and node.id not in sources]
    buses = [node for node in heads if node.virtual and node.id in tree.children]
    covered = {
        term
        for node in (*buses, *(n for n in nodes if n.id in sources and n.virtual))
        for term, _ in node.terms
    }
    good: list[Node] = []
    in_bus: set[str] = set()
    for bus in buses:
        terms = _covered_sources(bus, sources)
        if _is_right(bus, tree, terms, sources, in_bus, boundary):
            good.append(bus)
            in_bus.update(terms)
    boundary.sources.update(sources)
    for node_id, sign in sources.items():
        node = tree.nodes[node_id]
        if node.parent is None and node_id not in in_bus:
            boundary.tops[node_id] = sign
        elif node.parent is not None:
            boundary.passed_on.add(node_id)
    for bus in good:
        terms = _covered_sources(bus, sources)
        if terms:
            boundary.tops[bus.id] = 1
            purchases = [term for term in terms if tree.nodes[term].flow is Flow.PURCHASED]
            boundary.bus_purchases[bus.id] = tuple(purchases)
    _sort_used(heads, buses, covered, bool(sources), recorded, boundary)


def _handed_over(node: Node, tree: Tree) -> bool:
    """Below an exported meter: the receiver's, already out of the boundary."""
    return any(tree.nodes[above].flow is Flow.EXPORTED for above in tree.path(node.id))


def _covered_sources(bus: Node, sources: Collection[str]) -> list[str]:
    """The boundary meters a bus covers: real ones in its formula, virtual ones by name."""
    named = [term for term, _ in getattr(bus.meter, "terms", ())]
    return [term for term in dict.fromkeys((*named, *(real for real, _ in bus.terms))) if term in sources]


def _is_right(
    bus: Node,
    tree: Tree,
    terms: list[str],
    sources: dict[str, int],
    taken: Collection[str],
    boundary: Boundary,
) -> bool:
    """Each boundary meter must count in the bus as it counts at the boundary, and in one bus only."""
    wanted: dict[str, Fraction] = {}
    for term in terms:
        sign = 0 if term in taken else sources[term]
        for real, weight in tree.nodes[term].terms:
            wanted[real] = wanted.get(real, Fraction(0)) + weight * sign
    if not wanted:
        return True
    have = dict(bus.terms)
    for real in dict.fromkeys((*wanted, *have)):
        if have.get(real, Fraction(0)) != wanted.get(real, Fraction(0)):
            values = {"term": real, "weight": str(have.get(real, 0)), "expected": str(wanted.get(real, 0))}
            boundary.findings.append(BUS_DIFFERS.at(place(bus.meter), meter=bus.id, **values))
            return False
    return True


def _sort_used(
    heads: list[Node],
    buses: list[Node],
    covered: set[str],
    has_sources: bool,
    recorded: Callable[[], bool],
    boundary: Boundary,
) -> None:
    """Heads of trees which are no boundary meter: consumption by themselves where nothing else is known."""
    bus_ids = {bus.id for bus in buses}
    loose = [node for node in heads if node.id not in covered and (not node.virtual or node.id in bus_ids)]
    loose = [node for node in loose if node.id not in boundary.tops]
    wrong = {finding.where.subject for finding in boundary.findings if finding.kind is BUS_DIFFERS}
    loose = [node for node in loose if f"meter:{node.id}" not in wrong]
    if not loose:
        return
    if has_sources:
        for node in loose:
            values = {"meter": node.id, "carrier": node.carrier, "site": node.site}
            boundary.findings.append(ORPHAN.at(place(node.meter), **values))
    elif not recorded():
        first = loose[0]
        for node in loose:
            boundary.tops[node.id] = 1
            boundary.used_only.add(node.id)
        where = Place(subject=f"site:{first.site}")
        meters = ", ".join(node.id for node in loose)
        boundary.findings.append(NO_BOUNDARY.at(where, site=first.site, carrier=first.carrier, meters=meters))
