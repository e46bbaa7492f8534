"""A scene as a Vega 5 specification, for whoever embeds or edits a chart elsewhere: the same shapes in the same places."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from celadon.charts.palette import Theme, colour
from celadon.charts.scene import Label, Path, Rect, Scene, Shape

_ALIGN = {"start": "left", "middle": "center", "end": "right"}


def to_vega(scene: Scene, theme: Theme = "light") -> dict[str, Any]:
    """A specification with its values in it: runs of shapes of one kind are one mark each, in the order drawn."""
    runs = [(kind, list(run)) for kind, run in groupby(scene.shapes, key=type)]
    colours: Theme = "light" if theme == "page" else theme
    return {
        "$schema": "https://vega.github.io/schema/vega/v5.json",
        "description": f"{scene.title}. {scene.description}",
        "width": scene.width,
        "height": scene.height,
        "padding": 0,
        "autosize": "none",
        "data": [
            {"name": f"shapes{index}", "values": [_values(shape, colours) for shape in run]}
            for index, (_, run) in enumerate(runs)
        ],
        "marks": [_mark(kind, f"shapes{index}") for index, (kind, _) in enumerate(runs)],
    }


def _values(shape: Shape, theme: Theme) -> dict[str, Any]:
    if isinstance(shape, Label):
        return {
            "x": shape.x, "y": shape.y, "text": shape.text, "fontSize": shape.size, "fill": colour(shape.fill, theme), "align": _ALIGN[shape.anchor], "fontWeight": "bold" if shape.bold else "normal",
        }  # fmt: skip
    paint: dict[str, Any] = {
        "fill": _paint(shape.fill, theme),
        "stroke": _paint(shape.stroke, theme),
        "opacity": shape.opacity,
        "tooltip": shape.title or None,
        "strokeDash": [float(part) for part in shape.dash.split()],
    }
    if isinstance(shape, Rect):
        return {
            "x": shape.x,
            "y": shape.y,
            "width": shape.width,
            "height": shape.height,
            "strokeWidth": 1,
            **paint,
        }
    return {"path": shape.d, "strokeWidth": shape.width, **paint}


def _paint(role: str, theme: Theme) -> str | None:
    return None if role in ("", "none") else colour(role, theme)


_FIELDS = {
    Label: ("text", ("x", "y", "text", "fontSize", "fill", "align", "fontWeight")),
    Rect: (
        "rect",
        ("x", "y", "width", "height", "fill", "stroke", "strokeWidth", "strokeDash", "opacity", "tooltip"),
    ),
    Path: ("path", ("path", "fill", "stroke", "strokeWidth", "strokeDash", "opacity", "tooltip")),
}


def _mark(kind: type[Shape], data: str) -> dict[str, Any]:
    name, fields = _FIELDS[kind]
    return {
        "type": name,
        "from": {"data": data},
        "encode": {"enter": {field: {"field": field} for field in fields}},
    }
