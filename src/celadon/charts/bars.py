"""Bars by period and group: stacked where the groups add up, beside each other where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from celadon.charts.chart import MARGIN, NO_DATA, Chart, Table, legend
from celadon.charts.measure import shortened, text_width
from celadon.charts.palette import series
from celadon.charts.scale import Linear, linear, number
from celadon.charts.scene import Label, Rect, Scene
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

_HEIGHT = 230.0


@dataclass(frozen=True, slots=True)
class Group:
    """The values of one group, one for each period; None is absent."""

    label: Text
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """One bar for each period; `stacked` groups add up. `target`: a level to keep below, with its name."""

    periods: tuple[str | Text, ...]
    groups: tuple[Group, ...]
    stacked: bool = True
    target: tuple[Text, float] | None = None

    def __post_init__(self) -> None:
        if any(len(group.values) != len(self.periods) for group in self.groups):
            raise ValueError("every group needs a value, or None, for every period")

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        missing = any(value is None for group in self.groups for value in group.values)
        if len(self.groups) > 1 or missing:
            entries = [(series(index), group.label.say(lang)) for index, group in enumerate(self.groups)]
            top = legend(scene, top, entries + ([("absent", NO_DATA.say(lang))] if missing else []))
        base = top + _HEIGHT
        scale = linear(self._levels(), base, top + 8)
        left = MARGIN + max(text_width(number(tick), 10.5) for tick in scale.ticks) + 6
        right = scene.width - MARGIN
        for tick in scale.ticks:
            scene.line(left, scale(tick), right, scale(tick), "edge" if tick == 0 else "grid")
            scene.add(Label(left - 6, scale(tick) + 4, number(tick), 10.5, "muted", "end"))
        band = (right - left) / max(1, len(self.periods))
        names = self._names(lang)
        for index in range(len(names)):
            self._bar(scene, index, left + band * index, band, scale, lang)
            self._name(scene, index, names, left + band * (index + 0.5), band, base)
        if self.target is not None:
            name, level = self.target
            scene.line(left, scale(level), right, scale(level), "bad", "5 3", 1.4)
            scene.add(Label(right, scale(level) - 4, f"{name.say(lang)} {number(level)}", 10.5, "bad", "end"))
        return base + 20

    def _levels(self) -> Iterator[float]:
        if self.target is not None:
            yield self.target[1]
        for index in range(len(self.periods)):
            values = [value for group in self.groups if (value := group.values[index]) is not None]
            if self.stacked:
                yield sum(value for value in values if value > 0)
                yield sum(value for value in values if value < 0)
            else:
                yield from values

    def _bar(self, scene: Scene, index: int, x: float, band: float, scale: Linear, lang: Lang) -> None:
        wide = min(band * 0.78, 64.0)
        x += (band - wide) / 2
        above = below = 0.0
        each = wide if self.stacked else wide / max(1, len(self.groups))
        for order, group in enumerate(self.groups):
            value = group.values[index]
            left = x if self.stacked else x + each * order
            title = (
                f"{self._names(lang)[index]} {group.label.say(lang)}: {number(value)} {self.unit}".rstrip()
            )
            if value is None:
                if not self.stacked or all(one.values[index] is None for one in self.groups):
                    scene.add(Rect(left, scale(0) - 14, each, 14, "absent", "edge", "2 2", title))
                continue
            start = (above if value >= 0 else below) if self.stacked else 0.0
            end = start + value
            y, height = min(scale(start), scale(end)), abs(scale(start) - scale(end))
            # A line of the page's own colour between neighbours: colours alone do not part them.
            scene.add(Rect(left, y, each, height, series(order), "surface", title=title))
            if self.stacked:
                above, below = (end, below) if value >= 0 else (above, end)

    def _names(self, lang: Lang) -> list[str]:
        return [period.say(lang) if isinstance(period, Text) else period for period in self.periods]

    def _name(
        self, scene: Scene, index: int, names: Sequence[str], x: float, band: float, base: float
    ) -> None:
        period = names[index]
        every = max(1, -(-int(max(text_width(word, 10.5) for word in names) + 8) // max(1, int(band))))
        if len(names) <= 8:
            scene.add(Label(x, base + 15, shortened(period, 10.5, band - 2), 10.5, "muted", "middle"))
        elif index % every == 0:
            scene.add(Label(x, base + 15, period, 10.5, "muted", "middle"))

    def table(self, lang: Lang) -> Table:
        period = Text("period", "期间").say(lang)
        names = [
            f"{group.label.say(lang)} ({self.unit})" if self.unit else group.label.say(lang)
            for group in self.groups
        ]
        rows = tuple(
            (name, *(group.values[index] for group in self.groups))
            for index, name in enumerate(self._names(lang))
        )
        return Table((period, *names), rows)

    def summary(self, lang: Lang) -> str:
        return _said(self._names(lang), self.groups, self.unit, lang)


def _said(periods: Sequence[str], groups: Sequence[Group], unit: str, lang: Lang) -> str:
    parts = []
    for group in groups:
        known = [
            (value, period) for value, period in zip(group.values, periods, strict=True) if value is not None
        ]
        if not known:
            parts.append(f"{group.label.say(lang)}: {NO_DATA.say(lang)}")
            continue
        (low, first), (high, last) = min(known), max(known)
        text = Text(
            "{name}: from {low} {unit} ({first}) to {high} {unit} ({last})",
            "{name}：最小 {low} {unit}（{first}），最大 {high} {unit}（{last}）",
        )
        values = {"name": group.label.say(lang), "low": number(low), "high": number(high)}
        parts.append(text.say(lang, values | {"unit": unit, "first": first, "last": last}))
    return "; ".join(parts)
