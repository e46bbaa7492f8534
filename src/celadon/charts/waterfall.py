"""Waterfall: from one total to another, cause by cause."""

from __future__ import annotations

from celadon.charts.chart import MARGIN, Chart, Table
from celadon.charts.measure import shortened, text_width
from celadon.charts.scale import Linear, linear, number
from celadon.charts.scene import Label, Rect, Scene
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

_ROW = 24.0


@dataclass(frozen=True, slots=True)
class Step:
    """One cause and how much it moved the total."""

    label: Text
    difference: float


@dataclass(frozen=True, kw_only=True)
class Waterfall(Chart):
    """The steps lead from `before` to `after` exactly. `rising_is_bad`: energy and carbon going up are drawn as a warning."""

    before: tuple[Text, float]
    after: tuple[Text, float]
    steps: tuple[Step, ...]
    rising_is_bad: bool = True

    def __post_init__(self) -> None:
        reached = self.before[1] + sum(step.difference for step in self.steps)
        size = max(abs(self.before[1]), abs(self.after[1]), 1e-12)
        if abs(reached - self.after[1]) > 1e-6 * size:
            raise ValueError(f"the steps lead to {reached}, not to {self.after[1]}")

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        names = [
            self.before[0].say(lang),
            *(step.label.say(lang) for step in self.steps),
            self.after[0].say(lang),
        ]
        left = MARGIN + min(scene.width * 0.38, max(text_width(name, 11) for name in names)) + 8
        right = scene.width - MARGIN - 74
        scale = self._scale(left, right)
        top += 6
        for tick in scale.ticks:
            scene.line(scale(tick), top, scale(tick), top + _ROW * len(names), "grid")
        level = self.before[1]
        self._total(scene, top, names[0], left, scale, level)
        for index, step in enumerate(self.steps, 1):
            y = top + _ROW * index
            end = level + step.difference
            worse = (step.difference > 0) == self.rising_is_bad
            role = "neutral" if step.difference == 0 else "bad" if worse else "good"
            scene.line(scale(level), y - 5, scale(level), y + 4, "edge")
            said = f"{step.difference:+,.10g}" if step.difference == 0 else _signed(step.difference)
            scene.add(Label(left - 8, y + 15, shortened(names[index], 11, left - MARGIN - 8), anchor="end"))
            scene.add(
                Rect(min(scale(level), scale(end)), y + 4, abs(scale(end) - scale(level)), _ROW - 9, role,
                     title=f"{names[index]}: {said} {self.unit}")
            )  # fmt: skip
            scene.add(Label(max(scale(level), scale(end)) + 5, y + 15, said, 10.5, role))
            level = end
        self._total(scene, top + _ROW * (len(names) - 1), names[-1], left, scale, self.after[1])
        base = top + _ROW * len(names)
        room = (right - left) / max(1, len(scale.ticks) - 1)
        every = max(
            1, -(-int(max(text_width(number(tick), 10.5) for tick in scale.ticks) + 8) // max(1, int(room)))
        )
        for tick in scale.ticks[::every]:
            scene.add(Label(scale(tick), base + 13, number(tick), 10.5, "muted", "middle"))
        return base + 18

    def _scale(self, left: float, right: float) -> Linear:
        """From zero; but where the changes would be slivers, from just below the lowest level."""
        levels = [self.before[1]]
        for step in self.steps:
            levels.append(levels[-1] + step.difference)
        low, high = min(levels), max(levels)
        far = low > 0 and high - low < 0.12 * high
        return (
            linear([low - (high - low) * 0.5, high], left, right, zero=False)
            if far
            else linear(levels, left, right)
        )

    def _total(self, scene: Scene, y: float, name: str, left: float, scale: Linear, value: float) -> None:
        from_ = scale(0) if scale.low <= 0 <= scale.high else scale(scale.low)
        scene.add(Label(left - 8, y + 15, shortened(name, 11, left - MARGIN - 8), anchor="end", bold=True))
        scene.add(
            Rect(min(from_, scale(value)), y + 4, abs(scale(value) - from_), _ROW - 9, "neutral",
                 title=f"{name}: {number(value)} {self.unit}")
        )  # fmt: skip
        scene.add(Label(max(from_, scale(value)) + 5, y + 15, number(value, 5), 10.5, bold=True))
        if scale.low > 0:
            # The axis does not begin at zero: the bar is cut open to say so.
            scene.add(Label(from_ + 4, y + 15, "≈", 10.5, "surface"))

    def table(self, lang: Lang) -> Table:
        header = (Text("cause", "原因").say(lang), f"{Text('change', '变化').say(lang)} ({self.unit})")
        rows: list[tuple[str | float | None, ...]] = [(self.before[0].say(lang), self.before[1])]
        rows += [(step.label.say(lang), step.difference) for step in self.steps]
        return Table(header, (*rows, (self.after[0].say(lang), self.after[1])))

    def summary(self, lang: Lang) -> str:
        largest = sorted(self.steps, key=lambda step: -abs(step.difference))[:3]
        said = "; ".join(f"{step.label.say(lang)} {_signed(step.difference)} {self.unit}" for step in largest)
        head = f"{self.before[0].say(lang)} {number(self.before[1], 5)} → {self.after[0].say(lang)} {number(self.after[1], 5)} {self.unit}"
        return f"{head}: {said}" if said else head


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"


def joined(steps: list[Step], most: int = 10) -> tuple[Step, ...]:
    """The `most` largest steps in their order, and the rest as one."""
    if len(steps) <= most:
        return tuple(steps)
    kept = set(sorted(range(len(steps)), key=lambda index: -abs(steps[index].difference))[: most - 1])
    rest = sum(step.difference for index, step in enumerate(steps) if index not in kept)
    other = Text(f"{len(steps) - len(kept)} smaller causes", f"其余 {len(steps) - len(kept)} 项")
    return (*(step for index, step in enumerate(steps) if index in kept), Step(other, rest))
