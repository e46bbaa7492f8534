"""Scene: a chart laid out, as a list of shapes in pixels from the top left. The writers know nothing but these."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from celadon.core.dataclass import dataclass

Anchor = Literal["start", "middle", "end"]
TEXT_SIZE = 11.0


@dataclass(frozen=True, slots=True)
class Rect:
    """A box. Colours are roles of the palette; `title` is what a pointer held over it says."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    stroke: str = "none"
    dash: str = ""
    title: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Path:
    """A path of SVG commands, filled or drawn."""

    d: str
    fill: str = "none"
    stroke: str = "none"
    width: float = 1.0
    dash: str = ""
    title: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: float = TEXT_SIZE
    fill: str = "ink"
    anchor: Anchor = "start"
    bold: bool = False


Shape = Rect | Path | Label


@dataclass(slots=True)
class Scene:
    """Shapes in the order in which they are drawn; `title` and `description` are for those who do not see them."""

    width: float
    height: float
    title: str
    description: str
    lang: str
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        stroke: str = "grid",
        dash: str = "",
        width: float = 1.0,
    ) -> None:
        """A straight line."""
        self.add(
            Path(f"M{place(x1)} {place(y1)}L{place(x2)} {place(y2)}", stroke=stroke, dash=dash, width=width)
        )


def place(value: float) -> str:
    """A coordinate to a tenth of a pixel, written short."""
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")
