"""A scene as SVG: no script, no style, nothing fetched; a title and a description that screen readers speak."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from xml.sax.saxutils import escape, quoteattr

from celadon.charts.palette import Theme, colour
from celadon.charts.scene import Label, Path, Rect, Scene, Shape, place

FONTS = (
    "Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, Source Han Sans SC, Noto Sans, sans-serif"
)


def to_svg(scene: Scene, theme: Theme = "page") -> str:
    """One `svg` element as wide as there is room (its size is in `viewBox`); the same scene gives the same text."""
    mark = sha256(repr((scene.title, scene.description, scene.shapes)).encode()).hexdigest()[:12]
    width, height = place(scene.width), place(scene.height)
    # typst draws this variable font at its thinnest for 400 and for what is no whole hundred; 500 is the next that can be read.
    weight = ' font-weight="500"' if theme == "print" else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" lang={quoteattr(scene.lang)} '
        f'aria-labelledby="chart-{mark}-title chart-{mark}-text" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family={quoteattr(FONTS)}{weight}>'
        f'<title id="chart-{mark}-title">{escape(scene.title)}</title>'
        f'<desc id="chart-{mark}-text">{escape(scene.description)}</desc>'
    )
    return head + "".join(_shape(shape, theme) for shape in scene.shapes) + "</svg>"


def _shape(shape: Shape, theme: Theme) -> str:
    if isinstance(shape, Label):
        return _label(shape, theme)
    if isinstance(shape, Rect):
        name, where = "rect", (
            f'x="{place(shape.x)}" y="{place(shape.y)}" width="{place(max(shape.width, 0))}" '
            f'height="{place(max(shape.height, 0))}"'
        )  # fmt: skip
    else:
        name, where = "path", f'd="{shape.d}"'
    attributes = "".join(_paint(shape, theme))
    if not shape.title:
        return f"<{name} {where}{attributes}/>"
    return f"<{name} {where}{attributes}><title>{escape(shape.title)}</title></{name}>"


def _paint(shape: Rect | Path, theme: Theme) -> Iterator[str]:
    yield f' fill="{colour(shape.fill, theme)}"'
    if shape.stroke != "none":
        yield f' stroke="{colour(shape.stroke, theme)}"'
    if isinstance(shape, Path) and shape.stroke != "none" and shape.width != 1.0:
        yield f' stroke-width="{shape.width:g}" stroke-linejoin="round"'
    if shape.dash:
        yield f' stroke-dasharray="{shape.dash}"'
    if shape.opacity != 1.0:
        yield f' opacity="{shape.opacity:g}"'


def _label(label: Label, theme: Theme) -> str:
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    bold = ' font-weight="bold"' if label.bold else ""
    return (
        f'<text x="{place(label.x)}" y="{place(label.y)}" font-size="{label.size:g}"{anchor}{bold} fill="{colour(label.fill, theme)}">'
        f"{escape(label.text)}</text>"
    )
