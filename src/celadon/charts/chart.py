"""Chart: what every kind shares: title, unit, note; its scene, its table (the same numbers as text) and its three forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from celadon.charts.measure import text_width, wrapped
from celadon.charts.palette import Theme
from celadon.charts.scene import Label, Rect, Scene
from celadon.charts.svg import to_svg
from celadon.charts.vega import to_vega
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

WIDTH = 720.0
MARGIN = 12.0
NO_DATA = Text("no data", "无数据")


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a chart: a header, and rows whose cells are texts, numbers, or None where a value is absent."""

    header: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Chart(ABC):
    """A chart to be drawn: `unit` is that of its values ('' without one), `note` is printed below it."""

    title: Text
    unit: str = ""
    note: Text | None = None

    @abstractmethod
    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        """Lay the chart out from `top` down in a scene of given width; returns where it ends."""

    @abstractmethod
    def table(self, lang: Lang) -> Table:
        """The same numbers for who cannot see the picture, and for workbooks."""

    @abstractmethod
    def summary(self, lang: Lang) -> str:
        """One sentence on what the picture shows, for screen readers."""

    def scene(self, lang: Lang, width: float = WIDTH) -> Scene:
        """The chart laid out, `width` pixels wide and as high as it needs."""
        scene = Scene(width, 0.0, self.title.say(lang), self.summary(lang), lang)
        bottom = self.draw(scene, self._heading(scene, lang), lang)
        scene.height = round(self._footing(scene, bottom, lang) + MARGIN / 2)
        return scene

    def to_svg(self, lang: Lang, theme: Theme = "page", width: float = WIDTH) -> str:
        """As an `svg` element to put into a page (`theme` page: it follows the page's colours) or a file."""
        return to_svg(self.scene(lang, width), theme)

    def to_vega(self, lang: Lang, width: float = WIDTH) -> dict[str, Any]:
        """As a Vega 5 specification."""
        return to_vega(self.scene(lang, width))

    def _heading(self, scene: Scene, lang: Lang) -> float:
        y = MARGIN
        for line in wrapped(self.title.say(lang), 14, scene.width - 2 * MARGIN):
            y += 17
            scene.add(Label(MARGIN, y - 4, line, size=14, bold=True))
        if self.unit and self.unit != "1":
            y += 15
            scene.add(Label(MARGIN, y - 3, self.unit, fill="muted"))
        return y + 6

    def _footing(self, scene: Scene, y: float, lang: Lang) -> float:
        if self.note is None:
            return y
        for line in wrapped(self.note.say(lang), 10.5, scene.width - 2 * MARGIN):
            y += 15
            scene.add(Label(MARGIN, y, line, size=10.5, fill="muted"))
        return y


def legend(scene: Scene, top: float, entries: Sequence[tuple[str, str]]) -> float:
    """Swatches with names, as many rows as they need; `entries`: (role, name). Returns where it ends."""
    x, y = MARGIN, top + 10
    for role, name in entries:
        wide = 15 + text_width(name, 11)
        if x > MARGIN and x + wide > scene.width - MARGIN:
            x, y = MARGIN, y + 16
        edge = "edge" if role == "absent" else "none"
        scene.add(Rect(x, y - 9, 10, 10, role, edge, "2 2" if role == "absent" else ""))
        scene.add(Label(x + 14, y, name))
        x += wide + 14
    return y + 10
