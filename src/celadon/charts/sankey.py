"""Sankey: energy or carbon from where it enters, through the meters, to where it is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from celadon.charts.chart import MARGIN, Chart, Table
from celadon.charts.measure import shortened, text_width
from celadon.charts.palette import series
from celadon.charts.scale import number
from celadon.charts.scene import Label, Path, Rect, Scene, place
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

_NODE = 12.0
_GAP = 4.0
_LABEL = 12.0
_LEAST_HEIGHT = 200.0
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount that goes from one node to another; a negative one (more counted below than above) is drawn as a fault."""

    source: str
    target: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Sankey(Chart):
    """Flows between named nodes, in columns by how far they are from where they enter. `colours`: the role of some nodes."""

    nodes: Mapping[str, Text]
    flows: tuple[Flow, ...]
    rests: frozenset[str] = frozenset()
    """Nodes that are unmetered remainders: drawn in grey."""

    def __post_init__(self) -> None:
        unknown = {end for flow in self.flows for end in (flow.source, flow.target)} - set(self.nodes)
        if unknown:
            raise ValueError(f"flows between nodes without a name: {sorted(unknown)}")
        self.columns()

    def columns(self) -> dict[str, int]:
        """Of each node its column: one more than the furthest of those that feed it (ValueError for a circle)."""
        feeders: dict[str, set[str]] = defaultdict(set)
        for flow in self.flows:
            feeders[flow.target].add(flow.source)
        found: dict[str, int] = {}
        while len(found) < len(self.nodes):
            ready = [name for name in self.nodes if name not in found and feeders[name] <= set(found)]
            if not ready:
                raise ValueError("the flows go in a circle")
            found |= {name: max((found[one] + 1 for one in feeders[name]), default=0) for name in ready}
        return found

    def size(self, name: str) -> float:
        """How much goes through a node: the larger of what enters and what leaves."""
        enters = sum(abs(flow.value) for flow in self.flows if flow.target == name)
        leaves = sum(abs(flow.value) for flow in self.flows if flow.source == name)
        return max(enters, leaves)

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        columns = self._ordered()
        if not columns:
            return top
        most = max(len(column) for column in columns)
        largest = max(sum(self.size(name) for name in column) for column in columns)
        if not largest:
            return top
        unit = max(_LEAST_HEIGHT, most * 9.0) / largest
        # A node is as high as its amount, but takes the room of its label.
        room_of = {name: max(self.size(name) * unit, _LABEL) + _GAP for column in columns for name in column}
        height = max(sum(room_of[name] for name in column) for column in columns) - _GAP
        room = (scene.width - 2 * MARGIN) / len(columns)
        boxes: dict[str, tuple[float, float, float]] = {}
        for index, column in enumerate(columns):
            y = top + (height + _GAP - sum(room_of[name] for name in column)) / 2
            for name in column:
                tall = self.size(name) * unit
                boxes[name] = (MARGIN + room * index, y + (room_of[name] - _GAP - tall) / 2, tall)
                y += room_of[name]
        self._ribbons(scene, boxes, unit, lang)
        for name, (x, y, tall) in boxes.items():
            said = f"{self.nodes[name].say(lang)}: {number(self.size(name))} {self.unit}"
            scene.add(Rect(x, y, _NODE, max(tall, 1.0), self._role(name), title=said))
            value = number(self.size(name))
            beside = tall < 24
            left = room - _NODE - 12 - (text_width(f" {value}", 11) if beside else 0)
            text = shortened(self.nodes[name].say(lang), 11, left)
            middle = y + tall / 2
            scene.add(
                Label(x + _NODE + 4, middle + (4 if beside else -1), f"{text} {value}" if beside else text)
            )
            if not beside:
                scene.add(Label(x + _NODE + 4, middle + 12, value, 10.5, "muted"))
        return top + height + 6

    def _role(self, name: str) -> str:
        if name in self.rests:
            return "edge"
        return series(list(self.nodes).index(name) % 7)

    def _ordered(self) -> list[list[str]]:
        """Columns of nodes, moved next to what they are joined with: the mean place of neighbours, some rounds each way."""
        where = self.columns()
        columns: list[list[str]] = [[] for _ in range(max(where.values(), default=-1) + 1)]
        for name in self.nodes:
            if self.size(name) > 0:
                columns[where[name]].append(name)
        for turn in range(_ROUNDS):
            order = {name: index for column in columns for index, name in enumerate(column)}
            for column in columns if turn % 2 else reversed(columns):
                column.sort(key=lambda name: self._pull(name, order, forward=bool(turn % 2)))
                order |= {name: index for index, name in enumerate(column)}
        return [column for column in columns if column]

    def _pull(self, name: str, order: Mapping[str, int], *, forward: bool) -> float:
        near = [
            (order[flow.source if forward else flow.target], abs(flow.value))
            for flow in self.flows
            if (flow.target if forward else flow.source) == name and flow.value
        ]
        weight = sum(value for _, value in near)
        return sum(place * value for place, value in near) / weight if weight else float(order[name])

    def _ribbons(
        self, scene: Scene, boxes: Mapping[str, tuple[float, float, float]], unit: float, lang: Lang
    ) -> None:
        left: dict[str, float] = defaultdict(float)
        entered: dict[str, float] = defaultdict(float)
        drawn = [flow for flow in self.flows if flow.source in boxes and flow.target in boxes and flow.value]
        for flow in sorted(drawn, key=lambda one: (boxes[one.source][1], boxes[one.target][1])):
            (x1, y1, _), (x2, y2, _) = boxes[flow.source], boxes[flow.target]
            thick = abs(flow.value) * unit
            a, b = y1 + left[flow.source], y2 + entered[flow.target]
            left[flow.source] += thick
            entered[flow.target] += thick
            middle = (x1 + _NODE + x2) / 2
            start, end = place(x1 + _NODE), place(x2)
            path = (
                f"M{start} {place(a)}C{place(middle)} {place(a)} {place(middle)} {place(b)} {end} {place(b)}"
                f"V{place(b + thick)}C{place(middle)} {place(b + thick)} {place(middle)} {place(a + thick)} {start} {place(a + thick)}Z"
            )
            names = (self.nodes[flow.source].say(lang), self.nodes[flow.target].say(lang))
            said = f"{names[0]} → {names[1]}: {number(flow.value)} {self.unit}"
            role = "bad" if flow.value < 0 else self._role(flow.source)
            scene.add(Path(path, fill=role, opacity=0.32, title=said))

    def table(self, lang: Lang) -> Table:
        header = (Text("from", "来自").say(lang), Text("to", "去向").say(lang), self.unit)
        rows = tuple(
            (self.nodes[flow.source].say(lang), self.nodes[flow.target].say(lang), flow.value)
            for flow in self.flows
        )
        return Table(header, rows)

    def summary(self, lang: Lang) -> str:
        largest = sorted(self.flows, key=lambda flow: -abs(flow.value))[:4]
        return "; ".join(
            f"{self.nodes[flow.source].say(lang)} → {self.nodes[flow.target].say(lang)} {number(flow.value)} {self.unit}"
            for flow in largest
        )
