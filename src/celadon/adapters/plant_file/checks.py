"""What must fit together once everything is read: the meter tree, formulas, tariffs, stamps and units
of sources.

Every check takes the built meters and gives back what is sound, so that what stands on them never meets
a fault twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from celadon.adapters.plant_file.reading import Entry, Reading
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import Meter, PointKind, Source, Tariff, VirtualMeter
from celadon.core.text import Text
from celadon.core.units import UNIT_MISMATCH, parse_unit

METER_CYCLE = FindingKind(
    "plant.meter-cycle",
    Severity.ERROR,
    Text("Cycle in the meter tree", "电表树成环"),
    Text(
        "These meters are each other's parents: {path}. Their `parent` was not used.",
        "这些表计互为上级：{path}，其 `parent` 未采用。",
    ),
    Text(
        "Correct one `parent` so that every meter leads up to a root.",
        "请更正其中一个 `parent`，使每个表计都能上溯到根。",
    ),
)
VIRTUAL_CYCLE = FindingKind(
    "plant.virtual-cycle",
    Severity.ERROR,
    Text("Virtual meters need each other", "虚拟表循环引用"),
    Text(
        "These virtual meters are computed from each other: {path}. They were left out.",
        "这些虚拟表互相计算：{path}，已略去。",
    ),
    Text("Correct one `formula`.", "请更正其中一个 `formula`。"),
)
TERM_BELOW = FindingKind(
    "plant.term-below-itself",
    Severity.ERROR,
    Text("Meter is a term of its own parent", "表计是其上级的计算项"),
    Text(
        "{meter} is part of the formula of {virtual} and stands below it in the tree; its `parent` was "
        "not used.",
        "{meter} 既是 {virtual} 公式中的一项又在其下级，其 `parent` 未采用。",
    ),
    Text(
        "Remove `parent` of {meter}, or take it out of the formula.",
        "请删除 {meter} 的 `parent`，或从公式中去掉它。",
    ),
)
PARENT_CARRIER = FindingKind(
    "plant.parent-carrier",
    Severity.ERROR,
    Text("Parent measures something else", "上级计量内容不同"),
    Text(
        "The parent {parent} measures {other}, this one {own}; `parent` was not used.",
        "上级 {parent} 计量 {other}，本表计量 {own}，`parent` 未采用。",
    ),
    Text("Give the meter a parent of the same carrier, or none.", "请选择同一品种的上级，或不写上级。"),
)
PARENT_SITE = FindingKind(
    "plant.parent-elsewhere",
    Severity.WARNING,
    Text("Parent at another site", "上级在其他站点"),
    Text(
        "The parent {parent} is at the site {other}, this one at {own}: what passes between sites is "
        "booked at the parent's.",
        "上级 {parent} 在站点 {other}，本表在 {own}：站点间的流量计在上级所在站点。",
    ),
    Text(
        "Correct `site` or `parent` unless the sites really share the meter.",
        "除非站点确实共用，请更正 `site` 或 `parent`。",
    ),
)
TERM_CARRIER = FindingKind(
    "plant.term-carrier",
    Severity.ERROR,
    Text("Formula mixes carriers", "公式混用品种"),
    Text("{meter} measures {other}, the virtual meter {own}.", "{meter} 计量 {other}，虚拟表计量 {own}。"),
    Text("Use meters of the same carrier.", "请使用同一品种的表计。"),
)
TERM_KIND = FindingKind(
    "plant.term-kind",
    Severity.ERROR,
    Text("Formula needs amounts", "公式只能用可累加的表计"),
    Text(
        "{meter} is of kind {kind}: its values are no amounts that can be added.",
        "{meter} 为 {kind} 类，其数值不能相加。",
    ),
    Text(
        "Use meters of kind register, interval, rate or count.",
        "请使用 register、interval、rate 或 count 类表计。",
    ),
)
TARIFF_CARRIER = FindingKind(
    "plant.tariff-carrier",
    Severity.ERROR,
    Text("Tariff of another carrier", "电价品种不符"),
    Text(
        "The tariff {tariff} prices {other}, the meter measures {own}; it was not used.",
        "价格 {tariff} 适用于 {other}，表计计量 {own}，未采用。",
    ),
    Text("Correct `tariff`.", "请更正 `tariff`。"),
)
REACTIVE_UNFIT = FindingKind(
    "plant.reactive-unfit",
    Severity.ERROR,
    Text("Not a meter of reactive energy", "不是无功表"),
    Text(
        "The power factor is computed from {meter}, which does not measure reactive energy.",
        "力调引用的 {meter} 不计量无功电量。",
    ),
    Text("Name meters with `quantity: reactive_energy`.", "请引用 `quantity: reactive_energy` 的表计。"),
)
STAMP_ASSUMED = FindingKind(
    "plant.stamp-assumed",
    Severity.WARNING,
    Text("Stamp taken as the end", "时间戳按时段结束处理"),
    Text(
        "Neither the meter nor every source says whether stamps are starts or ends of intervals; ends "
        "were taken.",
        "表计和数据源未全部说明时间戳是时段开始还是结束，按结束处理。",
    ),
    Text("Write `stamp: end` or `stamp: start`.", "请写 `stamp: end` 或 `stamp: start`。"),
)
METER_UNREAD = FindingKind(
    "plant.meter-without-source",
    Severity.WARNING,
    Text("Meter that no source reads", "没有数据源的表计"),
    Text("{count} meters are in no source: {meters}.", "{count} 个表计不在任何数据源中：{meters}。"),
    Text("Add their columns to a source, or remove them.", "请在数据源中补充其列，或删除。"),
)

Point = Meter | VirtualMeter
_ADDS = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.RATE, PointKind.COUNT)


class Tree:
    """The meters and virtual meters of a plant while they are checked; `entries` are their tables by id."""

    def __init__(
        self,
        reading: Reading,
        meters: Iterable[Meter],
        virtual_meters: Iterable[VirtualMeter],
        entries: Mapping[str, Entry],
    ) -> None:
        self.reading = reading
        self.meters = {meter.id: meter for meter in meters}
        self.virtual = {meter.id: meter for meter in virtual_meters}
        self.entries = entries

    def add(self, kind: FindingKind, point: str, key: str, /, **values: object) -> None:
        entry = self.entries[point]
        self.reading.add(kind, entry.at(key), entry.subject, **values)

    def point(self, name: str | None) -> Point | None:
        """The meter or virtual meter called `name`."""
        if name is None:
            return None
        return self.meters.get(name) or self.virtual.get(name)

    def points(self) -> list[Point]:
        """All of them, meters first."""
        return [*self.meters.values(), *self.virtual.values()]

    def orphan(self, name: str) -> None:
        """Takes the parent of `name` away."""
        if name in self.meters:
            self.meters[name] = replace(self.meters[name], parent=None)
        else:
            self.virtual[name] = replace(self.virtual[name], parent=None)

    def check(self) -> None:
        """Everything about the tree; afterwards it has no cycles and refers to nothing that is not there."""
        self._formulas()
        self._parents()
        self._cycles()
        self._terms_below()
        self._shares()

    # -- formulas ------------------------------------------------------------------------------------------

    def _formulas(self) -> None:
        for cycle in _cycles({name: [term for term, _ in v.terms] for name, v in self.virtual.items()}):
            self.add(VIRTUAL_CYCLE, cycle[0], "formula", path=" → ".join([*cycle, cycle[0]]))
            for name in cycle:
                self.virtual.pop(name, None)
        while gone := [v.id for v in self.virtual.values() if any(self.point(t) is None for t, _ in v.terms)]:
            for name in gone:
                del self.virtual[name]
        for virtual in self.virtual.values():
            for term, _ in virtual.terms:
                self._term(virtual, term)

    def _term(self, virtual: VirtualMeter, term: str) -> None:
        point = self.point(term)
        if point is not None and point.carrier != virtual.carrier:
            other = measured(point)
            self.add(TERM_CARRIER, virtual.id, "formula", meter=term, other=other, own=virtual.carrier)
        elif isinstance(point, Meter) and point.kind not in _ADDS:
            self.add(TERM_KIND, virtual.id, "formula", meter=term, kind=str(point.kind))

    # -- parents -------------------------------------------------------------------------------------------

    def _parents(self) -> None:
        for point in self.points():
            if point.parent is None:
                continue
            parent = self.point(point.parent)
            if parent is None:
                self.orphan(point.id)
            elif measured(parent) != measured(point):
                values = {"parent": parent.id, "other": measured(parent), "own": measured(point)}
                self.add(PARENT_CARRIER, point.id, "parent", **values)
                self.orphan(point.id)
            elif parent.site != point.site:
                values = {"parent": parent.id, "other": parent.site, "own": point.site}
                self.add(PARENT_SITE, point.id, "parent", **values)

    def _cycles(self) -> None:
        for cycle in _cycles({point.id: [point.parent] for point in self.points() if point.parent}):
            self.add(METER_CYCLE, cycle[0], "parent", path=" → ".join([*cycle, cycle[0]]))
            for name in cycle:
                self.orphan(name)

    def _terms_below(self) -> None:
        for virtual in list(self.virtual.values()):
            for term, _ in virtual.terms:
                above = self.point(term)
                while above is not None and above.parent is not None:
                    if above.parent == virtual.id:
                        self.add(TERM_BELOW, term, "parent", meter=term, virtual=virtual.id)
                        self.orphan(above.id)
                        break
                    above = self.point(above.parent)

    def _shares(self) -> None:
        """A share by a meter that could not be built is no share."""
        for meter in list(self.meters.values()):
            kept = tuple(share for share in meter.shares if all(self.point(name) for _, name in share.meters))
            if kept != meter.shares:
                self.meters[meter.id] = replace(meter, shares=kept)


def measured(point: Point) -> str:
    """The carrier, else the quantity, else nothing known."""
    if isinstance(point, Meter):
        return point.carrier or point.quantity or "?"
    return point.carrier


def _cycles(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """Each cycle once, from its member written first; iterative, so that a long chain is no crash."""
    state: dict[str, int] = {}  # 1 on the path, 2 done
    cycles: list[list[str]] = []
    for start in edges:
        stack: list[tuple[str, int]] = [(start, 0)] if start not in state else []
        path: list[str] = []
        while stack:
            name, index = stack.pop()
            if index == 0:
                state[name] = 1
                path.append(name)
            following = edges.get(name, [])
            if index < len(following):
                stack.append((name, index + 1))
                target = following[index]
                if state.get(target) == 1:
                    cycles.append(_from_first(path[path.index(target) :], edges))
                elif target not in state and target in edges:
                    stack.append((target, 0))
            else:
                state[name] = 2
                path.pop()
    return cycles


def _from_first(cycle: list[str], edges: Mapping[str, list[str]]) -> list[str]:
    order = {name: index for index, name in enumerate(edges)}
    first = cycle.index(min(cycle, key=lambda name: order[name]))
    return cycle[first:] + cycle[:first]


# -- tariffs and sources -------------------------------------------------------------------------------------


def check_tariffs(tree: Tree, tariffs: list[Tariff], entries: Mapping[str, Entry]) -> list[Tariff]:
    """Tariffs and the meters billed by them fit; meters lose a tariff that does not."""
    by_id = {tariff.id: tariff for tariff in tariffs}
    for meter in list(tree.meters.values()):
        tariff = by_id.get(meter.tariff or "")
        if tariff is not None and tariff.carrier != meter.carrier:
            values = {"tariff": tariff.id, "other": tariff.carrier, "own": measured(meter)}
            tree.add(TARIFF_CARRIER, meter.id, "tariff", **values)
        if tariff is None or tariff.carrier != meter.carrier:
            tree.meters[meter.id] = replace(meter, tariff=None)
    sound = []
    for tariff in tariffs:
        reactive = [tree.meters[name] for name in tariff.reactive_meters if name in tree.meters]
        for meter in reactive:
            if not parse_unit(meter.unit).same_kind(parse_unit("kvarh")):
                entry = entries[tariff.id]
                tree.reading.add(REACTIVE_UNFIT, entry.at("power_factor"), entry.subject, meter=meter.id)
        sound.append(replace(tariff, reactive_meters=tuple(meter.id for meter in reactive)))
    return sound


def check_sources(tree: Tree, sources: list[Source], entries: Mapping[str, Entry]) -> list[Source]:
    """Columns lead to meters that are there, in units that fit; stamps of intervals are known."""
    readings = [source for source in sources if source.role == "readings"]
    for source in readings:
        meters = dict(source.columns)
        for header, unit in source.units:
            meter = tree.meters.get(meters[header])
            if meter is not None and not parse_unit(unit).same_kind(parse_unit(meter.unit)):
                _column_unit(tree, entries[source.id], header, unit, meter)
    long = any(source.meter_column for source in readings)
    read = {meter for source in readings for _, meter in source.columns}
    unread = [name for name in tree.meters if name not in read]
    if readings and unread and not long:
        shown = ", ".join(unread[:8]) + (" …" if len(unread) > 8 else "")
        tree.add(METER_UNREAD, unread[0], "id", count=len(unread), meters=shown)
    for meter in tree.meters.values():
        _stamps(tree, meter, readings)
    return [
        replace(source, columns=tuple(pair for pair in source.columns if pair[1] in tree.meters))
        if source.role == "readings"
        else source
        for source in sources
    ]


def _column_unit(tree: Tree, entry: Entry, header: str, unit: str, meter: Meter) -> None:
    got = next(got for key, got in entry.pairs("wide") if key.value == header)
    tree.reading.add(
        UNIT_MISMATCH,
        got.value.at("unit"),
        entry.subject,
        what=f"“{header}”",
        unit=unit,
        dimension=parse_unit(unit).kind,
        expected=f"{meter.unit} ({meter.id})",
    )


def _stamps(tree: Tree, meter: Meter, readings: list[Source]) -> None:
    if meter.kind is not PointKind.INTERVAL or tree.entries[meter.id].given("stamp"):
        return
    holding = [
        source for source in readings if source.meter_column or meter.id in dict(source.columns).values()
    ]
    if any(source.stamp is None for source in holding):
        tree.add(STAMP_ASSUMED, meter.id, "id")
