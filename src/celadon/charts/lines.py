"""Values over time, and the same values by how long they last (load duration)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from celadon.charts.chart import MARGIN, Chart, Table, legend
from celadon.charts.measure import text_width
from celadon.charts.palette import series
from celadon.charts.scale import Linear, linear, number, time_ticks
from celadon.charts.scene import Label, Path, Scene, place
from celadon.core.dataclass import dataclass
from celadon.core.periods import zone
from celadon.core.text import Lang, Text

_HEIGHT = 230.0


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one line, one for each time; None is absent, and leaves a gap."""

    label: Text
    values: tuple[float | None, ...]


def _axis(scene: Scene, scale: Linear, right: float) -> float:
    """The steps of a vertical axis with their lines; returns where the plot begins."""
    left = MARGIN + max(text_width(number(tick), 10.5) for tick in scale.ticks) + 6
    for tick in scale.ticks:
        scene.line(left, scale(tick), right, scale(tick), "edge" if tick == 0 else "grid")
        scene.add(Label(left - 6, scale(tick) + 4, number(tick), 10.5, "muted", "end"))
    return left


@dataclass(frozen=True, kw_only=True)
class TimeSeries(Chart):
    """Lines over `times` (UTC instants, ascending; the starts of spans), on the calendar of `zone`."""

    times: tuple[datetime, ...]
    lines: tuple[Line, ...]
    zone: str = "UTC"
    zero: bool = True

    def __post_init__(self) -> None:
        if any(len(line.values) != len(self.times) for line in self.lines):
            raise ValueError("every line needs a value, or None, for every time")

    def to_columns(self, lang: Lang) -> dict[str, Any]:
        """Whole series for drawing in the page (uPlot): `x` in seconds since 1970 UTC, one list of values for each line."""
        return {
            "title": self.title.say(lang),
            "unit": self.unit,
            "zone": self.zone,
            "x": [moment.timestamp() for moment in self.times],
            "series": [{"label": line.label.say(lang), "values": list(line.values)} for line in self.lines],
        }

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        if len(self.lines) > 1:
            top = legend(scene, top, [(series(i), line.label.say(lang)) for i, line in enumerate(self.lines)])
        base, right = top + _HEIGHT, scene.width - MARGIN
        known = [value for line in self.lines for value in line.values if value is not None]
        scale = linear(known, base, top + 8, zero=self.zero)
        left = _axis(scene, scale, right)
        if len(self.times) < 2:
            return base + 20
        start, end = self.times[0], self.times[-1]
        span = (end - start).total_seconds()

        def across(moment: datetime) -> float:
            return left + (moment - start).total_seconds() / span * (right - left)

        for moment, word in time_ticks(start, end, zone(self.zone), int((right - left) / 58), lang):
            scene.line(across(moment), base, across(moment), base + 4, "edge")
            scene.add(Label(across(moment), base + 16, word, 10.5, "muted", "middle"))
        columns = [int(across(moment) - left) for moment in self.times]
        for index, line in enumerate(self.lines):
            points = [(across(moment), value) for moment, value in zip(self.times, line.values, strict=True)]
            path = "".join(_thinned(points, columns, scale))
            scene.add(Path(path, stroke=series(index), width=1.4, title=line.label.say(lang)))
        return base + 22

    def table(self, lang: Lang) -> Table:
        head = Text("time", "时间").say(lang)
        local = zone(self.zone)
        rows = tuple(
            (
                moment.astimezone(local).isoformat(timespec="minutes"),
                *(line.values[index] for line in self.lines),
            )
            for index, moment in enumerate(self.times)
        )
        return Table((head, *(f"{line.label.say(lang)} ({self.unit})" for line in self.lines)), rows)

    def summary(self, lang: Lang) -> str:
        return "; ".join(_extremes(line.label, line.values, self.unit, lang) for line in self.lines)


def _thinned(
    points: Sequence[tuple[float, float | None]], columns: Sequence[int], scale: Linear
) -> Iterator[str]:
    """Path commands: of the points in one column of pixels the first, lowest, highest and last, in their order, so that
    no peak is lost. Absent values break the line; a value alone between gaps is a dot."""
    start, drawn = 0, False
    while start < len(points):
        if points[start][1] is None:
            start, drawn = start + 1, False
            continue
        end = start + 1
        while end < len(points) and columns[end] == columns[start] and points[end][1] is not None:
            end += 1
        cell = [(value, index) for index in range(start, end) if (value := points[index][1]) is not None]
        for index in sorted({start, min(cell)[1], max(cell)[1], end - 1}):
            x, value = points[index]
            if value is not None:
                yield f"{'L' if drawn else 'M'}{place(x)} {place(scale(value))}"
                drawn = True
        alone = end - start == 1 and (start == 0 or points[start - 1][1] is None)
        if alone and (end == len(points) or points[end][1] is None):
            yield "h1.5"
        start = end


def _extremes(label: Text, values: Sequence[float | None], unit: str, lang: Lang) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return Text("{name}: no data", "{name}：无数据").say(lang, {"name": label.say(lang)})
    text = Text(
        "{name}: {low} to {high} {unit}, mean {mean} {unit}, {gaps} values absent",
        "{name}：{low} 至 {high} {unit}，平均 {mean} {unit}，缺 {gaps} 个值",
    )
    figures = {"low": min(known), "high": max(known), "mean": sum(known) / len(known)}
    said = {name: number(value) for name, value in figures.items()}
    return text.say(lang, {**said, "name": label.say(lang), "unit": unit, "gaps": len(values) - len(known)})


@dataclass(frozen=True, kw_only=True)
class LoadDuration(Chart):
    """How long a load lasts: the values in falling order over the share of the time they hold; absent ones are left out."""

    values: tuple[float | None, ...]

    @property
    def falling(self) -> list[float]:
        """The values that are there, the largest first."""
        return sorted((value for value in self.values if value is not None), reverse=True)

    def to_columns(self, lang: Lang) -> dict[str, Any]:
        """Whole curve for drawing in the page: `x` in percent of the time, and the values."""
        falling = self.falling
        return {
            "title": self.title.say(lang),
            "unit": self.unit,
            "x": [100 * (index + 0.5) / len(falling) for index in range(len(falling))],
            "series": [{"label": self.title.say(lang), "values": falling}],
        }

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        base, right = top + _HEIGHT, scene.width - MARGIN
        falling = self.falling
        scale = linear(falling, base, top + 8)
        left = _axis(scene, scale, right)
        for percent in range(0, 101, 20):
            x = left + (right - left) * percent / 100
            scene.line(x, base, x, base + 4, "edge")
            scene.add(
                Label(x, base + 16, f"{percent} %", 10.5, "muted", "end" if percent == 100 else "middle")
            )
        if falling:
            points = [
                (left + (right - left) * (index + 0.5) / len(falling), value)
                for index, value in enumerate(falling)
            ]
            path = "".join(_thinned(points, [int(x - left) for x, _ in points], scale))
            ends = f"L{place(points[-1][0])} {place(scale(0))}L{place(points[0][0])} {place(scale(0))}Z"
            scene.add(Path(path + ends, fill="series-1", opacity=0.18))
            scene.add(Path(path, stroke="series-1", width=1.6, title=self.summary(lang)))
            for name, value in self.marks(lang):
                scene.line(left, scale(value), right, scale(value), "muted", "4 3")
                scene.add(Label(right, scale(value) - 4, f"{name} {number(value)}", 10.5, "ink", "end"))
        return base + 22

    def marks(self, lang: Lang) -> list[tuple[str, float]]:
        """Peak, mean and base, with their names."""
        falling = self.falling
        if not falling:
            return []
        mean = sum(falling) / len(falling)
        words = (Text("peak", "最大"), Text("mean", "平均"), Text("lowest", "最小"))
        return [
            (word.say(lang), value)
            for word, value in zip(words, (falling[0], mean, falling[-1]), strict=True)
        ]

    def table(self, lang: Lang) -> Table:
        falling = self.falling
        share = Text("share of the time it is reached or exceeded", "达到或超过的时间占比").say(lang)
        rows = tuple(
            (f"{percent} %", falling[min(len(falling) - 1, int(percent / 100 * len(falling)))])
            for percent in range(0, 101, 5)
            if falling
        )
        return Table((share, self.unit), rows)

    def summary(self, lang: Lang) -> str:
        return _extremes(self.title, self.values, self.unit, lang)
